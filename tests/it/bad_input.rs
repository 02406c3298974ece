//! Everything that can be wrong is said in one clear message, and the editor goes on working.

use rustix::process::Signal;
use serde_json::json;

use crate::support::{
    brummer,
    host::{Host, PROTOCOL},
    nvim::{Nvim, Start, quote},
    proc,
    project::Project,
    wire::Message,
};

/// Wide enough for whole messages: on a narrow screen they are cut to one line.
fn wide(project: &Project) -> Start {
    Nvim::at(project.root()).size(240, 40)
}

/// Runs `dev` and expects a message with all these parts.
fn complains(nvim: &Nvim, parts: &[&str]) {
    nvim.ex("BrummerRun dev");
    nvim.wait_said(parts);
    nvim.assert_typing_works();
}

fn sleeper() -> Project {
    Project::with(&[("dev", "echo up; exec sleep 1000")])
}

#[test]
fn a_malformed_package_json_is_named_with_its_line() {
    let project = Project::empty();
    project.write("package.json", "{\n  \"scripts\": {\n    \"dev\": \"vite\",,\n  }\n}\n");
    complains(&wide(&project).start(), &["package.json:3"]);
}

#[test]
fn an_unknown_script_names_the_nearest() {
    let project = Project::with(&[("develop", "vite"), ("build", "vite build")]);
    let nvim = wide(&project).start();
    nvim.ex("BrummerRun develpo");
    nvim.wait_said(&["develpo", "develop"]);
    nvim.assert_typing_works();
    assert!(nvim.shown().iter().all(|name| !name.starts_with("brummer://")), "nothing is opened for nothing");
}

#[test]
fn a_missing_package_manager_is_said_with_what_installs_it() {
    let project = sleeper();
    // A PATH with a shell and nothing else.
    std::os::unix::fs::symlink("/bin/sh", project.path("sh")).unwrap();
    let nvim = wide(&project).env("PATH", project.root().to_str().unwrap()).start();
    complains(&nvim, &["npm", "install"]);
}

#[test]
fn a_malformed_settings_file_is_named_with_line_and_key() {
    let project = sleeper();
    project.write(".brum.toml", "[log_store]\nmax_entries = \"many\"\nmax_byte = 5\n");
    let nvim = wide(&project).start();
    nvim.ex("BrummerRun dev");
    // The rest of the file, and the project, still work.
    nvim.wait_line("brummer://logs/dev", "up");
    let host = Host::start(project.root());
    let answer = host.ask("config", &json!({ "dir": project.root() })).unwrap();
    let problems: Vec<&str> =
        answer["problems"].as_array().unwrap().iter().filter_map(|text| text.as_str()).collect();
    assert!(
        problems.iter().any(|text| text.contains(".brum.toml:2") && text.contains("max_entries")),
        "{problems:?}"
    );
    assert!(
        problems.iter().any(|text| text.contains(".brum.toml:3")
            && text.contains("max_byte")
            && text.contains("max_bytes")),
        "{problems:?}"
    );
    nvim.ex("Brummer config");
    nvim.wait_screen(".brum.toml:2");
    nvim.keys("q");
    nvim.assert_typing_works();
}

#[test]
fn a_settings_file_that_is_no_toml_is_named_with_its_line() {
    let project = sleeper();
    project.write(".brum.toml", "# settings\n[log_store\n");
    let host = Host::start(project.root());
    let answer = host.ask("config", &json!({ "dir": project.root() })).unwrap();
    assert!(answer["problems"][0].as_str().unwrap().contains(".brum.toml:2"), "{answer}");
    let id = host.run(project.root(), &["dev"])[0];
    host.wait_state(id, &["running"]);
}

#[test]
fn an_unknown_option_names_the_nearest() {
    let project = sleeper();
    let nvim = wide(&project).start();
    nvim.exec(&format!("require('brummer').setup({{ binary = {}, confirm_qiut = true }})", quote(brummer())));
    nvim.ex("BrummerRun dev");
    nvim.wait_said(&["confirm_qiut", "confirm_quit"]);
    nvim.wait_line("brummer://logs/dev", "up");
    nvim.assert_typing_works();
}

/// A Neovim configured with another program.
fn with_binary(project: &Project, binary: &str) -> Nvim {
    wide(project).options(&format!("binary = {}", quote(binary))).start()
}

#[test]
fn a_missing_program_says_how_to_build_it() {
    let project = sleeper();
    let path = project.path("nowhere/brummer");
    let nvim = with_binary(&project, path.to_str().unwrap());
    complains(&nvim, &["nowhere/brummer", ":Brummer build"]);
}

#[test]
fn a_program_that_is_not_executable_is_named() {
    let project = sleeper();
    let path = project.write("brummer", "#!/bin/sh\n");
    complains(&with_binary(&project, path.to_str().unwrap()), &["brummer", "executable"]);
}

#[test]
fn a_program_that_crashes_at_start_is_quoted() {
    let project = sleeper();
    let path = project.program("brummer", "#!/bin/sh\necho 'libwhatever.so.3 is missing' >&2\nexit 127\n");
    complains(&with_binary(&project, path.to_str().unwrap()), &["127", "libwhatever.so.3 is missing"]);
}

#[test]
fn a_program_that_is_no_host_is_given_up() {
    let project = sleeper();
    let path = project.program("brummer", "#!/bin/sh\necho this is not msgpack\nexec cat >/dev/null\n");
    let nvim = with_binary(&project, path.to_str().unwrap());
    nvim.ex("BrummerRun dev");
    nvim.wait_said(&["brummer:", ":Brummer build"]);
    nvim.assert_typing_works();
}

#[test]
fn a_host_of_another_protocol_is_named_with_both_numbers() {
    let project = sleeper();
    let answer = json!({ "protocol": 99, "version": "9.9.9", "pid": 1 }).to_string();
    let code = "return require('brummer.host').on_hello(...)";
    let params = vec![code.into(), rmpv::Value::Array(vec![answer.into()])];
    let mut bytes = Vec::new();
    Message::Request { id: 1, method: "nvim_exec_lua".into(), params }.write(&mut bytes).unwrap();
    let hello = project.write("hello", bytes);
    let script = format!("#!/bin/sh\nhead -c 1 >/dev/null\ncat {}\nexec cat >/dev/null\n", hello.display());
    let path = project.program("brummer", script);
    let nvim = with_binary(&project, path.to_str().unwrap());
    complains(&nvim, &["99", "1", ":Brummer build"]);
    nvim.marker.assert_none_named(" host --stdio");
}

#[test]
fn an_editor_of_another_protocol_is_answered_and_left() {
    let project = sleeper();
    let mut host = Host::unshaken(project.root());
    host.hello(PROTOCOL + 98);
    host.wait_end();
    let hello = host.seen().hello.clone().expect("it says its own number first");
    assert_eq!(hello["protocol"], PROTOCOL);
    assert!(host.seen().revs.is_empty());
}

#[test]
fn a_log_file_that_cannot_be_written_keeps_nobody_from_working() {
    let project = sleeper();
    project.write("state", "a file where a directory is wanted");
    let nvim = wide(&project).env("XDG_STATE_HOME", project.path("state").to_str().unwrap()).start();
    // Neovim itself would complain about its swap files.
    nvim.command("set noswapfile");
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/dev", "up");
    nvim.assert_typing_works();
}

#[test]
fn a_script_that_cannot_be_spawned_says_why() {
    let project = sleeper();
    // The package manager is there, but nothing can run it.
    project.program("bin/npm", "#!/nowhere/interpreter\n");
    let path = format!("{}:{}", project.path("bin").display(), std::env::var("PATH").unwrap());
    let nvim = wide(&project).env("PATH", &path).start();
    complains(&nvim, &["npm"]);
    let host = nvim.marker.host();
    assert!(host.is_some(), "the host goes on");
}

#[test]
fn a_directory_that_is_gone_says_so() {
    let project = sleeper();
    project.write(".brum.toml", "[scripts.dev]\ncwd = \"packages/gone\"\n");
    complains(&wide(&project).start(), &["packages/gone"]);
}

#[test]
fn a_directory_without_a_project_says_what_was_looked_for() {
    let project = Project::empty();
    complains(&wide(&project).start(), &["package.json"]);
}

#[test]
fn a_line_of_ten_megabytes_is_held_with_its_head() {
    let project = Project::with(&[("dev", "sh dev.sh")]);
    project.write(
        "dev.sh",
        "echo before\nhead -c 10000000 /dev/zero | tr '\\0' x\necho\necho after\nexec sleep 1000\n",
    );
    let host = Host::start(project.root());
    host.watch(5, project.root(), "dev", 1000);
    host.run(project.root(), &["dev"]);
    host.wait("the line after", |seen| seen.lines(5).iter().any(|line| line == "after").then_some(()));
    {
        let seen = host.seen();
        let longest = seen.lines(5).iter().map(String::len).max();
        assert!(longest <= Some(4096), "{longest:?} bytes are sent");
        let whole: u64 = seen.buffers[&5].clipped.iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(whole, 10_000_000, "{:?}", seen.buffers[&5].clipped);
    }
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/dev", "after");
    nvim.assert_typing_works();
}

#[test]
fn bytes_that_are_not_utf8_and_nul_are_shown_as_what_they_are_not() {
    let project = Project::with(&[("dev", "sh dev.sh")]);
    project.write(
        "dev.sh",
        "printf 'caf\\351 au lait\\nleft\\000right\\nbell\\007\\nend\\n'\nexec sleep 1000\n",
    );
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun dev");
    let log = "brummer://logs/dev";
    nvim.wait_line(log, "end");
    nvim.wait_line(log, "caf\u{fffd} au lait");
    nvim.wait_line(log, "left␀right");
    nvim.wait_line(log, "bell");
    nvim.wait_screen("left␀right");
    nvim.assert_typing_works();
}

#[test]
fn a_place_that_no_longer_exists_is_named() {
    let project = Project::with(&[("dev", "echo 'src/gone.ts(3,1): error TS1: x'; exec sleep 1000")]);
    let nvim = wide(&project).start();
    nvim.ex("BrummerRun dev");
    let log = "brummer://logs/dev";
    let line = nvim.wait_line(log, "TS1");
    nvim.wait_until("the log", |nvim| nvim.buffer() == log);
    nvim.command(&format!("{line}"));
    nvim.keys("<CR>");
    nvim.wait_said(&["src/gone.ts", "brummer:"]);
    assert_eq!(nvim.buffer(), log);
    nvim.assert_typing_works();
}

#[test]
fn a_place_beyond_the_end_of_its_file_opens_the_last_line() {
    let project = Project::with(&[("dev", "echo 'a.ts(300,100): error TS1: x'; exec sleep 1000")]);
    project.write("a.ts", "one\ntwo\n");
    let nvim = wide(&project).start();
    nvim.ex("BrummerRun dev");
    let line = nvim.wait_line("brummer://logs/dev", "TS1");
    nvim.wait_until("the log", |nvim| nvim.buffer() == "brummer://logs/dev");
    nvim.command(&format!("{line}"));
    nvim.keys("<CR>");
    nvim.wait_until("the file", |nvim| nvim.buffer().ends_with("/a.ts"));
    assert_eq!(nvim.position().0, 2);
}

#[test]
fn a_frozen_host_does_not_freeze_the_editor() {
    let project = sleeper();
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/dev", "up");
    let host = nvim.marker.host().unwrap();
    proc::signal(host.pid, Signal::STOP);
    nvim.ex("BrummerRun dev");
    nvim.ex("Brummer stop");
    nvim.keys("<CR>");
    nvim.assert_typing_works();
    nvim.keys(":BrummerRun <Tab>");
    nvim.keys("<C-c>");
    nvim.assert_typing_works();
    proc::signal(host.pid, Signal::CONT);
    nvim.wait_state("dev", &["stopped"]);
}

#[test]
fn a_frozen_host_does_not_keep_the_editor_from_ending() {
    let project = sleeper();
    let mut nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/dev", "up");
    let host = nvim.marker.host().unwrap();
    proc::signal(host.pid, Signal::STOP);
    nvim.ex("qall!");
    assert_eq!(nvim.wait_exit(), Some(0));
    // Nobody killed it, so that it does its work when it goes on.
    proc::signal(host.pid, Signal::CONT);
    nvim.marker.assert_none_left();
}

#[test]
fn nonsense_on_the_wire_is_answered_or_passed_over() {
    let project = sleeper();
    let host = Host::start(project.root());
    assert!(host.ask("nonsense", &json!({})).unwrap_err().contains("nonsense"));
    for (method, params) in [
        ("run", json!({})),
        ("run", json!({ "root": 5, "names": "dev" })),
        ("run", json!({ "root": "/nowhere/at/all", "names": ["dev"], "args": [] })),
        ("stop", json!({ "id": 4711 })),
        ("restart", json!({ "id": "x" })),
        ("locate", json!({ "id": 4711, "seq": 1 })),
        ("explain", json!({ "id": 4711, "seq": 1 })),
    ] {
        let error = host.ask(method, &params).expect_err(method);
        assert!(!error.is_empty() && !error.contains('\n'), "{method}: {error:?}");
    }
    host.notify("call", vec!["not an id".into()]);
    host.notify("unheard of", vec![]);
    host.ask("scripts", &json!({ "dir": project.root() })).unwrap();
}
