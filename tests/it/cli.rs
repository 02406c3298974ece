//! The command line: the same scripts and the same places without an editor.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Output, Stdio},
};

use rustix::process::Signal;
use serde_json::Value as Json;

use crate::support::{
    brummer, clean_env,
    proc::{self, Marker, eventually},
    project::Project,
    shop,
};

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(brummer());
    command.args(args).current_dir(dir);
    clean_env(&mut command);
    command.env("HOME", dir).env("XDG_STATE_HOME", dir.join(".state")).stdin(Stdio::null());
    command
}

fn output(dir: &Path, args: &[&str]) -> Output {
    command(dir, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `[HH:MM:SS] dev: line` as its three parts.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let (time, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (name, line) = rest.split_once(':')?;
    let digits =
        time.split(':').all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()));
    (time.len() == 8 && digits).then(|| (time, name, line.strip_prefix(' ').unwrap_or(line)))
}

#[test]
fn run_prints_every_line_with_time_and_name_and_exits_as_the_script_did() {
    let project = Project::with(&[("dev", "echo one; echo two >&2; exit 5"), ("fine", "echo fine")]);
    let out = output(project.root(), &["run", "dev"]);
    let stdout = text(&out.stdout);
    let lines: Vec<_> =
        stdout.lines().map(|line| parts(line).unwrap_or_else(|| panic!("{line:?}"))).collect();
    for expected in ["one", "two"] {
        assert!(lines.iter().any(|(_, name, line)| *name == "dev" && *line == expected), "{stdout}");
    }
    assert_eq!(out.status.code(), Some(5), "{stdout}{}", text(&out.stderr));
    assert_eq!(output(project.root(), &["run", "fine"]).status.code(), Some(0));
}

#[test]
fn run_loses_no_line_of_a_flood() {
    let project = Project::with(&[("flood", "seq 1 100000")]);
    let out = output(project.root(), &["run", "flood"]);
    let stdout = text(&out.stdout);
    let numbers: Vec<u32> = stdout.lines().filter_map(|line| parts(line)?.2.parse().ok()).collect();
    assert!(numbers.iter().copied().eq(1..=100_000), "{} lines", numbers.len());
    assert!(out.status.success());
}

#[test]
fn one_script_reads_standard_input_and_of_several_none_does() {
    let project = Project::empty();
    let scripts = "[scripts]\ncount.command = \"wc -l\"\nother.command = \"cat\"\n\
                   first.command = \"cat; echo first; sleep 1001\"\n\
                   later = { command = \"tr a-z A-Z\", after = [\"first\"] }\n";
    project.write(".brum.toml", scripts);
    let run = |names: &[&str]| {
        let mut command = command(project.root(), &[&["run"], names].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Who reads nothing may be gone before it.
        child.stdin.take().unwrap().write_all(b"one\ntwo\n").ok();
        let (sender, output) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
        let out = output.recv_timeout(std::time::Duration::from_secs(30)).expect("its scripts end");
        assert!(out.status.success(), "{}", text(&out.stderr));
        let stdout = text(&out.stdout);
        let said = stdout
            .lines()
            .filter_map(|line| parts(line).map(|(_, name, line)| format!("{name}:{}", line.trim())));
        said.collect::<BTreeSet<_>>()
    };
    let set = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(run(&["count"]), set(&["count:2"]));
    assert_eq!(run(&["count", "other"]), set(&["count:0"]));
    // What comes before it takes nothing from it.
    assert_eq!(run(&["later"]), set(&["first:first", "later:ONE", "later:TWO"]));
}

#[test]
fn one_script_is_answered_on_the_terminal_and_leaves_it_as_it_was() {
    if Command::new("script").arg("--version").output().is_err() {
        println!("skipped: script is not installed, which gives a program a terminal");
        return;
    }
    let project = Project::empty();
    project.write(".brum.toml", "[scripts]\nask.command = \"read name; echo hello $name; stty -echo\"\n");
    let mut around = command(project.root(), &[]);
    let line = format!("{} run ask; stty", brummer());
    let program = std::mem::replace(&mut around, Command::new("script"));
    around
        .current_dir(project.root())
        .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    around.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = around.spawn().unwrap();
    let mut typed = child.stdin.take().unwrap();
    typed.write_all(b"world\n").unwrap();
    let (sender, output) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output().unwrap()));
    let out = output.recv_timeout(std::time::Duration::from_secs(30)).expect("it ends");
    let stdout = text(&out.stdout);
    assert!(stdout.contains("ask: hello world"), "{stdout}");
    assert!(!stdout.contains("-echo"), "{stdout}");
    drop(typed);
}

#[test]
fn run_takes_several_scripts_and_fails_with_the_one_that_failed() {
    let project = Project::with(&[("good", "echo good"), ("bad", "echo bad; exit 9")]);
    let out = output(project.root(), &["run", "good", "bad"]);
    let stdout = text(&out.stdout);
    assert!(
        stdout
            .lines()
            .any(|line| parts(line).is_some_and(|(_, name, line)| name == "good" && line == "good"))
    );
    assert!(
        stdout.lines().any(|line| parts(line).is_some_and(|(_, name, line)| name == "bad" && line == "bad"))
    );
    assert_eq!(out.status.code(), Some(9), "{stdout}");
}

#[test]
fn run_ends_its_tree_when_it_is_told_to_end() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let project = Project::with(&[("dev", "sh dev.sh")]);
        project.write("dev.sh", "sh -c 'trap \"\" TERM HUP INT; sleep 1001' & echo up; sleep 1002\n");
        let marker = Marker::new();
        let (name, value) = marker.env();
        let mut child =
            command(project.root(), &["run", "dev"]).env(name, value).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().ends_with("dev: up")));
        proc::signal(i32::try_from(child.id()).unwrap(), signal);
        eventually("brummer run to end", || child.try_wait().unwrap());
        marker.assert_none_left();
    }
}

#[test]
fn run_names_the_nearest_script() {
    let project = Project::with(&[("develop", "true")]);
    let out = output(project.root(), &["run", "develpo"]);
    let stderr = text(&out.stderr);
    assert!(!out.status.success());
    assert!(stderr.contains("develpo") && stderr.contains("develop"), "{stderr}");
}

#[test]
fn run_survives_a_reader_that_leaves() {
    let project = Project::with(&[("flood", "seq 1 100000")]);
    let marker = Marker::new();
    let (name, value) = marker.env();
    let mut child = command(project.root(), &["run", "flood"])
        .env(name, value)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    eventually("brummer run to end", || child.try_wait().unwrap());
    let stderr = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert!(!stderr.contains("panicked"), "{stderr}");
    marker.assert_none_left();
}

#[test]
fn scripts_are_listed_in_the_order_of_the_file() {
    let names = ["dev", "api", "build", "test", "stacktrace", "colors", "flood", "slow", "fail", "greet"];
    let out = output(&shop(), &["scripts", "--json"]);
    let json: Json = serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{error}: {out:?}"));
    let list = json.as_array().or_else(|| json["scripts"].as_array()).unwrap_or_else(|| panic!("{json:#}"));
    let found: Vec<&str> = list.iter().filter_map(|script| script["name"].as_str()).collect();
    assert_eq!(found, names);
    assert_eq!(list[0]["command"], "node scripts/dev.js");
    let plain = text(&output(&shop().join("src/cart"), &["scripts"]).stdout);
    let found: Vec<&str> = plain
        .lines()
        .filter_map(|line| names.iter().find(|name| line.split_whitespace().any(|word| word == **name)))
        .copied()
        .collect();
    for name in names {
        assert!(found.contains(&name), "{name} in:\n{plain}");
    }
}

fn located(dir: &Path, args: &[&str], input: &str) -> String {
    let mut child = command(dir, args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{out:?}");
    text(&out.stdout)
}

const TSC: &str = "noise\nsrc/a.ts(1,7): error TS2322: Type 'string' is not assignable to type 'number'.\n";

#[test]
fn locate_prints_one_object_per_place() {
    let project = Project::with(&[]);
    project.write("src/a.ts", "const x: number = 'a';\n");
    let file = project.write("build.log", TSC);
    let expected_file = "src/a.ts";
    let root = project.root().to_str().unwrap();
    let from_stdin = located(project.root(), &["locate", "--json"], TSC);
    let from_file = text(&output(project.root(), &["locate", "--json", file.to_str().unwrap()]).stdout);
    let elsewhere = Project::empty();
    let with_cwd = located(elsewhere.root(), &["locate", "--json", "--cwd", root], TSC);
    for printed in [from_stdin, from_file, with_cwd] {
        let objects: Vec<Json> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(objects.len(), 1, "{printed}");
        let place = &objects[0];
        assert_eq!(place["line_no"], 2, "{place}");
        assert_eq!(place["file"], expected_file, "{place}");
        assert_eq!((place["line"].as_u64(), place["col"].as_u64()), (Some(1), Some(7)), "{place}");
        assert_eq!(place["severity"], "error");
        assert!(place["message"].as_str().unwrap().contains("not assignable"), "{place}");
        assert!(place["rule"].is_string() && place["group"].is_u64(), "{place}");
    }
}

#[test]
fn locate_prints_what_quickfix_reads() {
    let project = Project::with(&[]);
    project.write("src/a.ts", "const x: number = 'a';\n");
    let printed = located(project.root(), &["locate", "--quickfix"], TSC);
    let line = printed.lines().next().unwrap_or_default();
    assert!(line.contains("src/a.ts:1:7:"), "{printed}");
    assert_eq!(printed.lines().count(), 1);
}

#[test]
fn the_version_is_printed_for_people_and_programs() {
    let dir = Project::empty();
    let plain = text(&output(dir.root(), &["--version"]).stdout);
    assert!(plain.contains(env!("CARGO_PKG_VERSION")), "{plain}");
    let json: Json = serde_json::from_slice(&output(dir.root(), &["--version", "--json"]).stdout).unwrap();
    assert_eq!(json["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["protocol"], crate::support::host::PROTOCOL);
}

#[test]
fn a_wrong_command_line_is_told_with_status_two() {
    let dir = Project::empty();
    let out = output(dir.root(), &["runn", "dev"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("'run'"), "{}", text(&out.stderr));
}

/// A `brummer run` whose standard output the test reads, or does not.
fn running(project: &Project, names: &[&str]) -> (Marker, std::process::Child) {
    let marker = Marker::new();
    let (name, value) = marker.env();
    let mut command = command(project.root(), &["run"]);
    command.args(names).env(name, value).stdout(Stdio::piped()).stderr(Stdio::null());
    (marker, command.spawn().unwrap())
}

fn wait_code(child: &mut std::process::Child) -> Option<i32> {
    eventually("brummer run to end", || child.try_wait().unwrap()).code()
}

#[test]
fn run_ends_what_it_started_when_a_later_start_is_refused() {
    let project =
        Project::with(&[("slow", "exec sleep 1000"), ("other", "exec sleep 1000"), ("third", "true")]);
    project.write(".brum.toml", "[process_manager]\nmax_processes = 2\n");
    let (marker, mut child) = running(&project, &["slow", "other", "third"]);
    assert_eq!(wait_code(&mut child), Some(1));
    marker.assert_none_left();
}

#[test]
fn run_ends_when_its_reader_leaves() {
    let project = Project::with(&[("dev", "while :; do echo tick; sleep 0.01; done")]);
    let (marker, mut child) = running(&project, &["dev"]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(wait_code(&mut child), Some(141));
    marker.assert_none_left();
}

#[test]
#[cfg(target_os = "linux")]
fn run_says_why_it_ends_when_the_disk_is_full() {
    let project = Project::with(&[("dev", "echo up; exec sleep 1000")]);
    let marker = Marker::new();
    let (name, value) = marker.env();
    let full = std::fs::File::create("/dev/full").unwrap();
    let out = command(project.root(), &["run", "dev"]).env(name, value).stdout(full).output().unwrap();
    assert!(!out.status.success());
    assert!(text(&out.stderr).contains("standard output: No space left"), "{out:?}");
    marker.assert_none_left();
}

#[test]
fn run_ends_on_a_signal_although_nobody_reads_what_it_prints() {
    let project = Project::with(&[("dev", "yes; exec sleep 1000")]);
    let (marker, mut child) = running(&project, &["dev"]);
    eventually("the script to run", || (!marker.named("yes").is_empty()).then_some(()));
    proc::signal(i32::try_from(child.id()).unwrap(), Signal::INT);
    assert_eq!(wait_code(&mut child), Some(130));
    marker.assert_none_left();
}

#[test]
fn run_ends_although_an_escaped_process_holds_its_output() {
    let project = Project::with(&[("dev", "setsid sleep 1000 & echo up")]);
    let (_marker, mut child) = running(&project, &["dev"]);
    assert_eq!(wait_code(&mut child), Some(0));
}

#[test]
fn the_settings_reference_has_every_key() {
    let dir = Project::empty();
    let printed = text(&output(dir.root(), &["config"]).stdout);
    let keys: Vec<&str> = printed
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split([' ', '=']).next())
        .filter(|key| !key.is_empty())
        .collect();
    assert!(keys.len() > 40, "{printed}");
    let reference = std::fs::read_to_string(crate::support::repo().join("doc/config.md")).unwrap();
    let documented: Vec<&str> =
        reference.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let own = documented.iter().position(|key| key.starts_with("scripts.")).unwrap();
    assert_eq!(documented[..own], keys);

    // Of scripts and sets only what somebody set is printed, and of the three ways to be ready there is one.
    let mut printed = BTreeSet::new();
    for probe in ["log = 'x'", "port = 1", "http = 'http://localhost/'"] {
        let every = format!(
            "[scripts.NAME]\ncommand = 'x'\ncwd = '.'\nenv.X = '1'\nenv_files = true\nrunner = 'direct'\npty = true\n\
             stdin = true\nstop_signal = 'INT'\nstop_grace = '1s'\ndetach = true\nleave = ['x']\nafter = ['x']\n\
             restart = {{ when = 'always', delay = '1s', max_delay = '1s', reset_after = '1s', limit = 1 }}\n\
             ready = {{ {probe}, timeout = '1s' }}\n[sets]\nNAME = ['x']\n"
        );
        dir.write(".brum.toml", every);
        let text = text(&output(dir.root(), &["config"]).stdout);
        let keys = text.lines().filter_map(|line| line.trim_start_matches("# ").split([' ', '=']).next());
        printed.extend(
            keys.map(|key| key.trim_end_matches(".X").to_owned()).filter(|key| key.contains(".NAME")),
        );
    }
    let documented: BTreeSet<String> = documented[own..].iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(documented, printed);

    let help = std::fs::read_to_string(crate::support::repo().join("doc/brummer.txt")).unwrap();
    let words: BTreeSet<&str> = help.split(|it: char| !it.is_ascii_alphanumeric() && it != '_').collect();
    let missing: Vec<&String> = documented
        .iter()
        .filter(|key| key.rsplit('.').next().is_none_or(|name| !words.contains(name)))
        .collect();
    assert!(missing.is_empty(), "the help does not name {missing:?}");
}
