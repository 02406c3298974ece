//! What is recorded of a project: by hosts that are killed, by several at once, on disks that are full; and `brummer logs`.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use rustix::process::Signal;
use serde_json::{Value as Json, json};

use crate::support::{brummer, clean_env, host::Host, proc::eventually, project::Project};

/// A project with these commands, without a package manager that prints on its own.
fn project(scripts: &[(&str, &str)]) -> Project {
    let project = Project::empty();
    let tables: Vec<_> = scripts
        .iter()
        .map(|(name, command)| format!("[scripts.\"{name}\"]\ncommand = '''{command}'''\n"))
        .collect();
    project.write(".brum.toml", tables.concat());
    project.write("package.json", r#"{ "name": "sample", "private": true }"#);
    project
}

/// Where a project of a test keeps what lasts.
fn state(project: &Project) -> PathBuf {
    project.path(".state")
}

fn host(project: &Project) -> Host {
    Host::keeping(project.root(), &state(project))
}

fn command(project: &Project, args: &[&str]) -> Command {
    let mut command = Command::new(brummer());
    command.arg("logs").args(args).current_dir(project.root()).stdin(Stdio::null());
    clean_env(&mut command);
    command.env("HOME", project.root()).env("XDG_STATE_HOME", state(project));
    command
}

fn logs(project: &Project, args: &[&str]) -> Output {
    command(project, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is printed, without times and names.
fn lines(project: &Project, args: &[&str]) -> Vec<String> {
    let out = logs(project, args);
    assert_eq!(text(&out.stderr), "", "{args:?}");
    let after = |line: &str| line.split_once("] ").map_or(line, |(_, line)| line).to_owned();
    text(&out.stdout).lines().map(after).collect()
}

/// `name: 1` to `name: last`.
fn numbered(name: &str, last: u64) -> Vec<String> {
    (1..=last).map(|number| format!("{name}: {number}")).collect()
}

/// Runs a script to its end.
fn run(host: &Host, project: &Project, name: &str) {
    let id = host.run(project.root(), &[name])[0];
    host.wait_exit_event(id, 1);
}

/// The files of the history, with their sizes.
fn files(project: &Project) -> Vec<(PathBuf, u64)> {
    fn walk(dir: &Path, found: &mut Vec<(PathBuf, u64)>) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => walk(&entry.path(), found),
                Ok(meta) => found.push((entry.path(), meta.len())),
                // Removed meanwhile.
                Err(_) => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(&state(project), &mut found);
    found
}

#[test]
fn what_was_printed_is_there_after_the_host_was_killed_in_the_middle_of_a_flood() {
    let project = project(&[("done", "seq 1 5000"), ("flood", "seq 1 100000000"), ("later", "echo later")]);
    let killed = host(&project);
    run(&killed, &project, "done");
    killed.watch(3, project.root(), "flood", 100);
    killed.run(project.root(), &["flood"]);
    killed.wait("a flood", |seen| seen.buffers.get(&3).filter(|buffer| buffer.total > 100_000).map(drop));
    killed.signal(Signal::KILL);
    let mut killed = killed;
    killed.wait_end();

    assert_eq!(lines(&project, &["done"]), numbered("done", 5000), "its end had been told");
    let flood = lines(&project, &["flood"]);
    assert!(flood.len() > 10_000, "{} lines", flood.len());
    assert_eq!(flood, numbered("flood", flood.len() as u64), "in order, none missing, none torn");

    // The next session goes on, and that one is the previous one.
    let next = host(&project);
    run(&next, &project, "later");
    assert_eq!(lines(&project, &[]), ["later: later"]);
    let previous = lines(&project, &["done", "--previous"]);
    assert!(previous[0].starts_with("-- session 2, "), "{}", previous[0]);
    assert_eq!(previous[1..], numbered("done", 5000));
    let listed = text(&logs(&project, &["--sessions"]).stdout);
    let words: Vec<_> = listed.lines().map(|line| line.split_whitespace().nth(3).unwrap()).collect();
    assert_eq!(words, ["runs", "ended"], "{listed}");
}

#[test]
fn two_hosts_of_one_project_do_not_disturb_each_other() {
    let project = project(&[("one", "seq 1 30000"), ("two", "seq 1 30000")]);
    let (first, second) = (host(&project), host(&project));
    let one = first.run(project.root(), &["one"])[0];
    let two = second.run(project.root(), &["two"])[0];
    first.wait_exit_event(one, 1);
    second.wait_exit_event(two, 1);
    assert_eq!(lines(&project, &["one", "--grep", "^[0-9]"]).len(), 30_000 + 1, "and its session");
    for (name, session) in [("one", "2"), ("two", "1")] {
        let mut printed = lines(&project, &[name, "--session", session]);
        printed.retain(|line| !line.starts_with("-- "));
        assert_eq!(printed, numbered(name, 30_000));
    }
    assert_eq!(
        files(&project).iter().filter(|(path, _)| path.extension().is_some_and(|it| it == "log")).count(),
        2
    );
    for (path, _) in files(&project) {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn without_history_nothing_is_written() {
    let project = project(&[("dev", "echo on the record")]);
    let config = project.read(".brum.toml");
    project.write(".brum.toml", format!("[log_store]\nhistory = false\n{config}"));
    run(&host(&project), &project, "dev");
    assert_eq!(files(&project), []);
    let out = logs(&project, &["dev"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("nothing is recorded of "), "{}", text(&out.stderr));
    project.write(".brum.toml", config);
    run(&host(&project), &project, "dev");
    assert_eq!(lines(&project, &["dev"]), ["dev: on the record"]);
}

#[test]
fn the_history_takes_no_more_than_is_said() {
    let project = project(&[
        ("flood", "yes 0123456789012345678901234567890123456789 | head -n 250000"),
        ("last", "echo last"),
    ]);
    let config = project.read(".brum.toml");
    project.write(".brum.toml", format!("[log_store]\nhistory_max_mb = 8\n{config}"));
    let host = host(&project);
    let flood = host.run(project.root(), &["flood"])[0];
    let bound = || {
        let bytes: u64 = files(&project).iter().map(|(_, bytes)| bytes).sum();
        assert!(bytes <= 8 << 20, "{bytes} bytes");
        bytes
    };
    host.wait("the end of the flood", |seen| {
        bound();
        let ended = seen.procs.get(&flood).is_some_and(|row| row["state"] == "success");
        ended.then_some(())
    });
    run(&host, &project, "last");
    assert!(bound() > 4 << 20, "most of it is used");
    assert_eq!(lines(&project, &["last"]), ["last: last"]);
    let report = host.ask("health", &json!({})).unwrap();
    let row = report["budgets"].as_array().unwrap().iter().find(|row| row["name"] == "history (MB)").cloned();
    let row = row.unwrap_or_else(|| panic!("{report:#}"));
    assert_eq!((&row["limit"], &row["refused"]), (&json!(8), &json!(0)), "{row}");
}

#[test]
fn a_full_disk_is_said_once_and_scripts_go_on() {
    // A file system of our own, where the machine lets a test have one.
    let project = project(&[("flood", "seq 1 400000"), ("after", "echo after")]);
    let state = state(&project);
    fs::create_dir(&state).unwrap();
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
        command.arg(format!("mount -t tmpfs -o size=1m none '{}' && {script}", state.display()));
        command
    };
    if !unshare("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        println!("skipped: this machine lets no test mount a file system");
        return;
    }
    let mut command = unshare(&format!("exec '{}' host --stdio --log \"$0\"", brummer()));
    command.stderr(Stdio::null());
    let host = Host::shaken(command, project.root(), &state);
    run(&host, &project, "flood");
    run(&host, &project, "after");
    let health = host.wait("that it is said", |seen| seen.events("health").first().cloned());
    assert_eq!((&health["component"], &health["to"]), (&json!("history"), &json!("degraded")));
    let reason = health["reason"].as_str().unwrap();
    assert!(reason.contains("No space left on device"), "{reason}");
    let rows = host.seen().procs.values().map(|row| row["lines"].clone()).collect::<Vec<_>>();
    assert!(rows.contains(&json!(400_000)) && rows.contains(&json!(1)), "{rows:?}");
    let report = host.ask("health", &json!({})).unwrap();
    let faults = report["faults"].as_array().unwrap();
    let said: Vec<_> = faults.iter().filter(|fault| fault["place"] == "history").collect();
    assert_eq!(said.len(), 1, "{report:#}");
    assert_eq!(said[0]["count"], 1);
}

#[test]
fn logs_are_chosen_by_script_time_level_pattern_and_number() {
    let script =
        r#"printf '\033[31mred\033[0m\nERROR it broke\nwarn: careful\nA longer Line\n'; echo out >&2"#;
    let project = project(&[("dev", script), ("web/dev", "echo of web")]);
    let host = host(&project);
    run(&host, &project, "dev");
    run(&host, &project, "web/dev");
    assert_eq!(lines(&project, &["web/dev"]), ["web/dev: of web"]);
    let printed = lines(&project, &["dev", "--grep", "^(red|ERROR|A)"]);
    assert_eq!(printed, ["dev: red", "dev: ERROR it broke", "dev: A longer Line"], "without colours");
    assert_eq!(lines(&project, &["dev", "--grep", "longer line"]), ["dev: A longer Line"], "as 'smartcase'");
    assert_eq!(lines(&project, &["--level", "error"]), ["dev: ERROR it broke"]);
    assert_eq!(lines(&project, &["--since", "1h", "--tail", "1"]), ["web/dev: of web"]);
    assert_eq!(lines(&project, &["--since", "2999-01-01"]), Vec::<String>::new());
    let coloured = text(&logs(&project, &["dev", "--grep", "red", "--color", "always"]).stdout);
    assert!(coloured.ends_with("dev: \x1b[31mred\x1b[0m\x1b[0m\n"), "{coloured:?}");
    let stamp = coloured.split(']').next().unwrap();
    assert!(stamp.len() == "[12:34:56".len() && stamp.starts_with('['), "{stamp}");
    let object: Json =
        serde_json::from_slice(&logs(&project, &["dev", "--json", "--grep", "out"]).stdout).unwrap();
    assert_eq!(
        (&object["name"], &object["stream"], &object["text"]),
        (&json!("dev"), &json!("err"), &json!("out"))
    );
    assert_eq!(object["session"], 1);
    // The project of another directory, and one in which there is none.
    let mut elsewhere = command(&project, &["web/dev", "--dir", project.root().to_str().unwrap()]);
    assert!(text(&elsewhere.current_dir("/").output().unwrap().stdout).ends_with("web/dev: of web\n"));
    for (args, code, said) in [
        (&["dev", "--grep", "nowhere"][..], 1, ""),
        (&["dve"], 1, "did you mean dev?"),
        (&["--since", "soon"], 1, "--since: \"soon\" is no time: write 10m"),
        (&["--grep", "("], 1, "--grep: "),
        (&["--level", "loud"], 1, "--level: "),
        (&["--session", "9"], 1, "there is no session 9: they are 1 (the last one) to 1"),
        (&["--previous"], 1, "brummer logs --sessions lists them"),
        (&["--color", "often"], 2, "[possible values: auto, always, never]"),
    ] {
        let out = logs(&project, args);
        let stderr = text(&out.stderr);
        assert_eq!((out.status.code(), text(&out.stdout).as_str()), (Some(code), ""), "{args:?}: {stderr}");
        assert!(stderr.contains(said) && (said.is_empty() == stderr.is_empty()), "{args:?}: {stderr}");
    }
}

#[test]
fn logs_ends_when_nobody_reads_it_any_more() {
    let project = project(&[("flood", "seq 1 300000")]);
    run(&host(&project), &project, "flood");
    let mut child =
        command(&project, &["flood"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.ends_with("flood: 1\n"), "{first}");
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn what_was_shown_stays_when_the_host_is_killed_and_when_the_editor_is() {
    let project = project(&[("dev", "seq 1 5000; exec sleep 600")]);
    for session in 1..=2 {
        let mut host = host(&project);
        host.watch(3, project.root(), "dev", 100);
        host.run(project.root(), &["dev"]);
        host.wait("all lines", |seen| seen.buffers.get(&3).filter(|buffer| buffer.total == 5000).map(drop));
        // It is still running: nothing waits for its lines to be written.
        let written = || logs(&project, &["dev"]).stdout.ends_with(b"dev: 5000\n").then_some(());
        eventually("the lines are in a file", written);
        if session == 1 {
            host.signal(Signal::KILL);
        } else {
            // All that a host sees of an editor that was killed.
            host.hang_up();
        }
        host.wait_end();
        assert_eq!(lines(&project, &["dev"]), numbered("dev", 5000));
    }
}

#[test]
fn histories_that_nobody_used_for_so_long_are_removed() {
    let project = project(&[("dev", "echo printed")]);
    let config = project.read(".brum.toml");
    project.write(".brum.toml", format!("[log_store]\nhistory_days = 2\n{config}"));
    let made = |name: &str, days: u64| {
        let dir = state(&project).join("brummer/history").join(name);
        fs::create_dir_all(&dir).unwrap();
        let file = fs::File::create(dir.join("1-1.1.log")).unwrap();
        let days = std::time::Duration::from_secs(days * 24 * 60 * 60);
        file.set_modified(std::time::SystemTime::now() - days).unwrap();
        dir.join("1-1.1.log")
    };
    let (old, new) = (made("0123abcd-old", 3), made("0123abce-new", 1));
    run(&host(&project), &project, "dev");
    assert_eq!((old.exists(), new.exists()), (false, true));
    assert_eq!(lines(&project, &[]), ["dev: printed"]);
}

#[test]
fn what_cannot_be_read_is_said_whatever_is_asked_for() {
    let project = project(&[("dev", "echo printed")]);
    run(&host(&project), &project, "dev");
    let (path, _) =
        files(&project).into_iter().find(|(path, _)| path.extension().is_some_and(|it| it == "log")).unwrap();
    let whole = fs::read(&path).unwrap();
    let at = whole.windows(11).position(|text| text == br#""version":1"#).unwrap();
    let mut newer = whole.clone();
    newer[at + 10] = b'2';
    fs::write(&path, newer).unwrap();
    for args in [&[][..], &["dev"], &["--grep", "printed"], &["--tail", "1"]] {
        let out = logs(&project, args);
        let stderr = text(&out.stderr);
        assert_eq!((out.status.code(), text(&out.stdout).as_str()), (Some(1), ""), "{args:?}: {stderr}");
        assert!(stderr.contains("of version 2, not 1"), "{args:?}: {stderr}");
    }
    // Something else in the place of a file or a directory of the history.
    fs::write(&path, whole).unwrap();
    fs::create_dir(path.with_file_name("1-1.1.log")).unwrap();
    assert_eq!(lines(&project, &["dev"]), ["dev: printed"]);
    let base = state(&project).join("brummer/history");
    fs::rename(&base, state(&project).join("moved")).unwrap();
    fs::write(&base, "").unwrap();
    let out = logs(&project, &[]);
    assert!(text(&out.stderr).contains("brummer/history: not a directory"), "{}", text(&out.stderr));
    assert_eq!(out.status.code(), Some(1));
}

#[test]
fn without_a_home_there_is_no_history_and_a_relative_state_directory_is_none() {
    let project = project(&[]);
    let mut homeless = command(&project, &[]);
    let out = homeless.env_remove("HOME").env("XDG_STATE_HOME", ".state").output().unwrap();
    let said = "there is no history without a home directory: set HOME or XDG_STATE_HOME";
    assert!(text(&out.stderr).contains(said), "{}", text(&out.stderr));
    assert_eq!(out.status.code(), Some(1));
    let out = command(&project, &[]).env("XDG_STATE_HOME", ".state").output().unwrap();
    assert!(text(&out.stderr).contains("nothing is recorded of "), "{}", text(&out.stderr));
}

#[test]
fn a_name_of_several_lines_is_printed_on_one() {
    let project = project(&[]);
    let host = host(&project);
    let asked = json!({ "root": project.root(), "command": "echo one\necho two" });
    host.ask("run", &asked).unwrap();
    host.wait("its end", |seen| seen.events("exited").first().map(drop));
    let printed = lines(&project, &[]);
    assert_eq!(printed.len(), 2, "{printed:?}");
    assert!(printed[1].ends_with("echo one echo two: two"), "{printed:?}");
}
