//! Keys of single scripts, seen by what the script then does; `restarts.rs` has those of runs that follow each other.

use std::process::{Command, Stdio};

use brummer::event::{Event, Exit};
use serde_json::json;

use super::{rig::Rig, with};
use crate::support::{brummer, clean_env, host::Host, proc::eventually, project::Project};

/// What `brummer run` prints of scripts on standard output, as `name: line`, and what it says on standard error.
fn run(project: &Project, names: &[&str]) -> (Vec<String>, String) {
    let mut command = Command::new(brummer());
    command.arg("run").args(names).current_dir(project.root()).stdin(Stdio::null());
    clean_env(&mut command);
    let out = command.env("HOME", project.root()).output().unwrap();
    let stdout = String::from_utf8(out.stdout).unwrap();
    let lines = stdout.lines().filter_map(|line| Some(line.split_once("] ")?.1.to_owned()));
    // npm says what it runs.
    let own = lines.filter(|line| !line.contains(": > ") && !line.ends_with(": "));
    (own.collect(), String::from_utf8(out.stderr).unwrap())
}

/// The lines of script `x` of a project with these settings.
fn lines(settings: &str, files: &[(&str, &str)]) -> Vec<String> {
    let project = Project::empty();
    project.write(".brum.toml", settings);
    for (name, text) in files {
        project.write(name, text);
    }
    let (lines, said) = run(&project, &["x"]);
    assert_eq!(said, "");
    lines.iter().map(|line| line.trim_start_matches("x: ").to_owned()).collect()
}

#[test]
fn the_command_is_a_line_for_the_shell_or_a_program() {
    assert_eq!(lines("[scripts.x]\ncommand = 'echo a $((1 + 1)) | tr a b'\n", &[]), ["b 2"]);
    assert_eq!(
        lines("[scripts.x]\ncommand = ['echo', '$((1 + 1))', '|', 'a  b']\n", &[]),
        ["$((1 + 1)) | a  b"]
    );
}

#[test]
fn a_script_runs_in_its_own_cwd_and_env() {
    let script = "[scripts.x]\ncommand = 'echo ${PWD##*/} $SHADE'\n";
    let plain = lines(script, &[("sub/file", "")]);
    assert!(!plain[0].starts_with("sub") && !plain[0].ends_with("dark"), "{plain:?}");
    let own = format!("{script}cwd = 'sub'\nenv = {{ SHADE = 'dark' }}\n");
    assert_eq!(lines(&own, &[("sub/file", "")]), ["sub dark"]);
}

/// Two env files, and a script that says what it was given.
const ENV: [(&str, &str); 2] = [(".env", "SHADE=usual\n"), (".env.b", "SHADE=\"${SHADE} b\"\n")];
const SHADE: &str = "[scripts.x]\ncommand = 'echo shade: $SHADE'\n";

#[test]
fn the_env_files_of_one_script_can_be_chosen() {
    for (choice, shade) in [
        ("", "shade: usual"),
        ("env_files = false\n", "shade:"),
        ("env_files = ['.env.b']\n", "shade: usual b"),
        ("env_files = false\nenv.SHADE = 'own'\n", "shade: own"),
        ("env.SHADE = 'own'\n", "shade: own"),
    ] {
        assert_eq!(lines(&format!("{SHADE}{choice}"), &ENV), [shade], "{choice}");
    }
}

#[test]
fn the_env_files_of_all_scripts_can_be_chosen() {
    for (choice, shade) in [
        ("false", "shade:"),
        ("true", "shade: usual"),
        ("['.env.b']", "shade: usual b"),
        ("'auto'", "shade: usual"),
    ] {
        let all = format!("[process_manager]\nenv_files = {choice}\n");
        assert_eq!(lines(&format!("{all}{SHADE}"), &ENV), [shade], "{choice}");
        let own = format!("{all}{SHADE}env_files = true\n");
        assert_eq!(lines(&own, &ENV), ["shade: usual"], "the script's own choice wins over {choice}");
    }
}

#[test]
fn a_named_env_file_that_is_not_there_keeps_the_script_from_running() {
    let project = Project::empty();
    project.write(".brum.toml", format!("{SHADE}env_files = ['.env.gone']\n"));
    project.write(".env", "SHADE=usual\nhunter2\n");
    let (printed, said) = run(&project, &["x"]);
    assert_eq!(printed, Vec::<String>::new());
    assert!(said.contains("x cannot be run: .env.gone: there is no such file"), "{said}");
    assert!(said.contains(".env:2: there is no = in it") && !said.contains("hunter2"), "{said}");
}

#[test]
fn who_sets_a_variable_is_told_and_its_value_is_not() {
    let project = Project::empty();
    project.write(".brum.toml", format!("{SHADE}env.OWN = 'hunter2'\n"));
    project.write(".env", "SHADE=hunter2\nPATH=/hunter2\n");
    let listed = |command: &[&str]| {
        let mut program = Command::new(brummer());
        program.args(command).current_dir(project.root());
        clean_env(&mut program);
        String::from_utf8(program.env("HOME", project.root()).output().unwrap().stdout).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&listed(&["scripts", "--json"])).unwrap();
    assert_eq!(
        json["scripts"][0]["env"],
        json!([
            { "name": "SHADE", "source": ".env:1" },
            { "name": "PATH", "source": "environment, over .env:2" },
            { "name": "OWN", "source": ".brum.toml:3" },
        ])
    );
    let config = listed(&["config"]);
    assert!(config.contains("# scripts.x.env.OWN is set  # "), "{config}");
    assert!(!config.contains("hunter2") && !json.to_string().contains("hunter2"));
}

/// Whether npm is above the script `x` of a project with these settings.
fn has_manager(settings: &str) -> bool {
    let project = Project::with(&[("x", "ps -o comm= -p $PPID")]);
    project.write(".brum.toml", settings);
    let (lines, said) = run(&project, &["x"]);
    assert_eq!((lines.len(), said.as_str()), (1, ""), "{lines:?}");
    lines[0].contains("npm")
}

#[test]
fn scripts_of_packages_run_with_or_without_their_manager() {
    assert!(has_manager(""));
    assert!(has_manager("[process_manager]\nrunner = 'manager'\n"));
    assert!(!has_manager("[process_manager]\nrunner = 'direct'\n"));
}

#[test]
fn one_script_of_a_package_runs_without_its_manager() {
    assert!(!has_manager("[scripts.x]\nrunner = 'direct'\n"));
    assert!(has_manager("[process_manager]\nrunner = 'direct'\n[scripts.x]\nrunner = 'manager'\n"));
}

#[test]
fn a_pty_is_a_terminal() {
    let script = "[scripts.x]\ncommand = 'if test -t 1; then echo terminal; else echo pipe; fi'\n";
    assert_eq!(lines(script, &[]), ["pipe"]);
    assert_eq!(lines(&format!("{script}pty = true\n"), &[]), ["terminal"]);
}

#[test]
fn without_stdin_reading_ends_at_once() {
    let script = "[scripts.x]\ncommand = 'if read line; then echo got $line; else echo nothing; fi'\n";
    assert_eq!(lines(&format!("{script}stdin = false\n"), &[]), ["nothing"]);
    let project = Project::empty();
    project.write(".brum.toml", script);
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["x"])[0];
    host.wait_state(id, &["running"]);
    host.ask("send", &json!({ "id": id, "text": "a line" })).unwrap();
    host.wait_state(id, &["success"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stop_signal_is_the_one_that_is_said() {
    let script = "[scripts.x]\ncommand = \"trap 'exit 7' INT; trap 'exit 8' TERM; echo up; while :; do sleep 0.02; done\"\n";
    for (signal, code) in [("", 8), ("stop_signal = 'INT'\n", 7)] {
        let mut rig = Rig::start(&with(""));
        let process = rig.script(&format!("{script}{signal}"), "x").await;
        rig.event(|event| matches!(event, Event::LinesArrived { .. }).then_some(())).await;
        rig.manager.stop(process).await.unwrap();
        assert_eq!(rig.exit().await, Exit::Code(code));
        rig.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stop_grace_of_one_script_is_its_own() {
    let script =
        "[scripts.x]\ncommand = \"trap 'sleep 0.1; exit 7' TERM; echo up; while :; do sleep 0.02; done\"\n";
    for (grace, exit) in [("", Exit::Code(7)), ("stop_grace = '0s'\n", Exit::Signal(9))] {
        let mut rig = Rig::start(&with(""));
        let process = rig.script(&format!("{script}{grace}"), "x").await;
        rig.event(|event| matches!(event, Event::LinesArrived { .. }).then_some(())).await;
        rig.manager.stop(process).await.unwrap();
        assert_eq!(rig.exit().await, exit);
        rig.end().await;
    }
}

#[test]
fn what_may_detach_lives_on() {
    for (detach, lives) in [("", false), ("detach = true\n", true)] {
        let project = Project::empty();
        project.write(".brum.toml", format!("[scripts.x]\ncommand = 'exec sleep 1000'\n{detach}"));
        let mut host = Host::start(project.root());
        let id = host.run(project.root(), &["x"])[0];
        host.wait_state(id, &["running"]);
        host.hang_up();
        host.wait_end();
        let left = || host.marker.named("sleep 1000").len();
        if lives {
            assert_eq!(left(), 1);
        } else {
            eventually("its end", || (left() == 0).then_some(()));
        }
    }
}

#[test]
fn what_is_left_may_live_on() {
    for (leave, lives) in [("", false), ("leave = ['sleep']\n", true)] {
        let project = Project::empty();
        project.write(
            ".brum.toml",
            format!("[scripts.x]\ncommand = 'for long in 1000; do sleep $long & done; wait'\n{leave}"),
        );
        let host = Host::start(project.root());
        let id = host.run(project.root(), &["x"])[0];
        host.wait_state(id, &["running"]);
        eventually("the daemon", || (host.marker.named("sleep 1000").len() == 1).then_some(()));
        host.ask("stop", &json!({ "id": id })).unwrap();
        assert_eq!(host.marker.named("sleep 1000").len(), usize::from(lives));
    }
}

#[test]
fn a_set_runs_its_scripts() {
    let project = Project::empty();
    let script = |name: &str| format!("[scripts.{name}]\ncommand = 'echo {name} runs'\n");
    project.write(".brum.toml", script("a") + &script("b") + &script("c") + "[sets]\nboth = ['a', 'b']\n");
    let (mut lines, said) = run(&project, &["both"]);
    lines.sort();
    assert_eq!((lines, said.as_str()), (vec!["a: a runs".to_owned(), "b: b runs".to_owned()], ""));
    project.write(".brum.toml", script("a") + "[sets]\nboth = ['a', 'z']\n");
    let (lines, said) = run(&project, &["both"]);
    assert_eq!(lines, Vec::<String>::new());
    assert!(said.contains(".brum.toml:4: sets.both: no script \"z\""), "{said}");
}
