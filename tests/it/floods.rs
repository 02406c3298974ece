//! Output that never ends a line, or means nothing, and more of it than fits anywhere: memory stays bounded, the host answers,
//! and the machine keeps its pipes.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::{
    fs::{Mode, OFlags},
    process::{Pid, Signal},
};
use serde_json::json;

use crate::support::{
    brummer, clean_env,
    host::Host,
    proc::{Marker, eventually, poll},
    project::Project,
    slow_tests,
};

/// What a host of a debug build needs at most, in kB: its own 30 MB, 16 MiB of lines, and what is on its way.
const PEAK: u64 = 128 << 10;

/// The value of a line of `/proc/PID/status`, in kB.
fn status(pid: i32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap()
}

/// Runs a script to its end while the host is asked other things.
fn is_survived(script: &str) {
    let megabytes = if slow_tests() { 1024 } else { 64 };
    let script = script.replace("SIZE", &format!("{megabytes}M"));
    let project = Project::with(&[("flood", "sh flood.sh")]);
    project.write("flood.sh", format!("{script}\nexit 3\n"));
    let host = Host::start(project.root());
    host.watch(3, project.root(), "flood", 1000);
    let id = host.run(project.root(), &["flood"])[0];
    let mut answers = 0;
    while host.seen().events("exited").is_empty() {
        host.ask("scripts", &json!({ "dir": project.root() })).unwrap();
        answers += 1;
    }
    assert!(answers > 0);
    host.wait_state(id, &["failed"]);
    let peak = status(host.pid(), "VmHWM");
    assert!(peak < PEAK, "{peak} kB after {megabytes} MB");
    // It still takes lines in.
    project.write("flood.sh", "echo well");
    let id = host.run(project.root(), &["flood"])[0];
    host.wait_state(id, &["success"]);
    host.wait("the next line", |seen| seen.lines(3).iter().any(|line| line == "well").then_some(()));
}

#[test]
fn a_line_without_end_costs_bounded_memory() {
    is_survived("head -c SIZE /dev/zero | tr '\\0' x");
}

#[test]
fn a_sequence_without_end_costs_bounded_memory() {
    is_survived("printf '\\033]8;;http://'; head -c SIZE /dev/zero | tr '\\0' u");
}

#[test]
fn lines_within_a_sequence_without_end_cost_bounded_memory() {
    is_survived("printf '\\033]0;'; yes a line of a title that never ends | head -c SIZE");
}

#[test]
fn noise_costs_bounded_memory() {
    is_survived("head -c SIZE /dev/urandom");
}

/// The sizes of all pipes of a process that are larger than usual.
fn larger_pipes(pid: i32) -> Vec<usize> {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let sizes = files.filter_map(|file| {
        fs::read_link(file.path()).ok()?.to_str()?.starts_with("pipe:").then_some(())?;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let pipe = rustix::fs::open(file.path(), flags, Mode::empty()).ok()?;
        rustix::pipe::fcntl_getpipe_size(pipe).ok()
    });
    sizes.filter(|size| *size > 64 << 10).collect()
}

/// Somebody without privileges, where the test may become one.
fn nobody(command: &mut Command) {
    if rustix::process::geteuid().is_root() {
        command.gid(65534).uid(65534);
    }
}

/// What a new pipe of that user holds.
fn fresh_pipe() -> usize {
    let mut command = Command::new("python3");
    command.args(["-c", "import fcntl, os; print(fcntl.fcntl(os.pipe()[0], 1032))"]);
    nobody(&mut command);
    let output = command.current_dir("/").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// A host of the command line that is ended with the test.
struct Headless(Child);

impl Drop for Headless {
    fn drop(&mut self) {
        // Its guards end what it started.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn fifty_floods_leave_a_user_pipes_of_the_usual_size() {
    const FLOODS: usize = 50;
    // Long lines: how fast the host prints them is not what is looked at.
    let line = "flood".repeat(4000);
    let project = Project::empty();
    let mut scripts = String::new();
    for number in 0..FLOODS {
        scripts += &format!("[scripts.flood{number}]\ncommand = 'exec yes \"$(cat line)\"'\n");
    }
    project.write(".brum.toml", scripts);
    project.write("line", &line);
    let program = project.path("brummer");
    fs::copy(brummer(), &program).unwrap();
    let home = project.path("home");
    fs::create_dir(&home).unwrap();
    for (path, mode) in [(project.root(), 0o755), (Path::new(&program), 0o755), (Path::new(&home), 0o777)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    assert_eq!(fresh_pipe(), 64 << 10, "before");

    let marker = Marker::new();
    let mut command = Command::new(&program);
    clean_env(&mut command);
    let (name, value) = marker.env();
    command.arg("run").args((0..FLOODS).map(|number| format!("flood{number}")));
    command.env(name, value).env("HOME", &home).env("XDG_RUNTIME_DIR", &home).current_dir(project.root());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    nobody(&mut command);
    let host = Headless(command.spawn().unwrap());
    let pid = i32::try_from(host.0.id()).unwrap();
    // A hundred megabytes have been printed by then, which a debug build on a busy machine does not do in one deadline.
    let slowly = |mut condition: &mut dyn FnMut() -> bool| (0..3).any(|_| poll(&mut condition));
    // By its name: `yes` writes over its arguments.
    assert!(slowly(&mut || marker.named("yes").len() >= FLOODS), "all run");
    assert!(slowly(&mut || larger_pipes(pid).len() == 8), "{:?}", larger_pipes(pid));
    for _ in 0..20 {
        let larger = larger_pipes(pid);
        assert!(larger.len() <= 8 && larger.iter().all(|size| *size == 256 << 10), "{larger:?}");
        assert_eq!(fresh_pipe(), 64 << 10, "meanwhile");
    }
    rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    drop(host);
    eventually("the end of all", || marker.living().is_empty().then_some(()));
}
