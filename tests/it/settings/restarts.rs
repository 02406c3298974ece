//! Keys that tell what one run waits for and what follows its end: `after`, `ready`, `restart`.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Command, Stdio},
};

use brummer::event::{Event, Readiness};

use super::{rig::Rig, with};
use crate::support::{brummer, clean_env, project::Project};

/// What is printed by `brummer run` of a script, and the code it ends with.
fn run(settings: &str, name: &str) -> (String, String, Option<i32>) {
    let project = Project::empty();
    project.write(".brum.toml", settings);
    let mut command = Command::new(brummer());
    command.args(["run", name]).current_dir(project.root()).stdin(Stdio::null());
    clean_env(&mut command);
    let out = command.env("HOME", project.root()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out.stdout), text(out.stderr), out.status.code())
}

/// The next thing a run of this script waits for, `number` of them passed over.
async fn waits_for(rig: &mut Rig, settings: &str, number: usize) -> String {
    rig.script(settings, "x").await;
    let (mut run, mut seen) = (None, 0);
    loop {
        let (of, waiting) = rig
            .event(|event| match event {
                Event::ProcessDetail { run, detail, .. } => Some((*run, detail.waiting.clone()?)),
                _ => None,
            })
            .await;
        if !waiting.starts_with("restarts") || run == Some(of) {
            continue;
        }
        run = Some(of);
        if seen == number {
            return waiting.to_string();
        }
        seen += 1;
    }
}

/// The same for a script that fails at once.
async fn restart_says(restart: &str, number: usize) -> String {
    let mut rig = Rig::start(&with(""));
    let settings = format!("[scripts.x]\ncommand = 'exit 3'\nrestart = {{ {restart} }}\n");
    let waiting = waits_for(&mut rig, &settings, number).await;
    rig.end().await;
    waiting
}

#[test]
fn restart_says_when() {
    let runs = |script: &str, restart: &str| {
        let settings = format!("[scripts.x]\ncommand = '{script}'\n{restart}");
        let (printed, said, code) = run(&settings, "x");
        (printed.lines().count(), said.contains("gave up after 1 restart"), code)
    };
    let policy = |when: &str| format!("restart = {{ when = \"{when}\", delay = \"100ms\", limit = 1 }}\n");
    assert_eq!(runs("echo run; exit 3", ""), (1, false, Some(3)));
    assert_eq!(runs("echo run; exit 3", &policy("never")), (1, false, Some(3)));
    assert_eq!(runs("echo run; exit 3", &policy("on-failure")), (2, true, Some(3)));
    assert_eq!(runs("echo run", &policy("on-failure")), (1, false, Some(0)));
    assert_eq!(runs("echo run", &policy("always")), (2, true, Some(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_restart_waits_for_the_delay() {
    assert_eq!(restart_says("when = 'always'", 0).await, "restarts in 1 s (1 of 5)");
    assert_eq!(restart_says("delay = '9s'", 0).await, "restarts in 9 s (1 of 5)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_restart_waits_longer_than_the_max_delay() {
    assert_eq!(restart_says("delay = '1s'", 1).await, "restarts in 2 s (2 of 5)");
    assert_eq!(restart_says("delay = '1s', max_delay = '1s'", 1).await, "restarts in 1 s (2 of 5)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_stable_run_restarts_are_counted_anew() {
    assert_eq!(restart_says("delay = '100ms'", 1).await, "restarts in 1 s (2 of 5)");
    assert_eq!(restart_says("delay = '100ms', reset_after = '0s'", 1).await, "restarts in 1 s (1 of 5)");
}

#[test]
fn restarts_end_at_the_limit() {
    let settings = "[scripts.x]\ncommand = 'echo run; exit 3'\nrestart = { delay = '100ms', limit = 2 }\n";
    let (printed, said, code) = run(settings, "x");
    assert_eq!((printed.lines().count(), code), (3, Some(3)), "{printed}{said}");
    assert!(
        said.contains("x: restarts in 1 s (1 of 2)") && said.contains("x: restarts in 1 s (2 of 2)"),
        "{said}"
    );
    assert!(said.contains("x: gave up after 2 restarts: exit 3"), "{said}");
}

#[test]
fn what_comes_after_something_waits_for_it() {
    let job = "[scripts.job]\ncommand = 'sleep 0.2; echo done'\n";
    let names = |settings: &str| -> Vec<String> {
        let (printed, said, code) = run(settings, "x");
        assert_eq!(code, Some(0), "{printed}{said}");
        printed.lines().filter_map(|line| Some(line.split_once("] ")?.1.to_owned())).collect()
    };
    assert_eq!(names(&format!("{job}[scripts.x]\ncommand = 'echo up'\n")), ["x: up"]);
    let after = format!("{job}[scripts.x]\ncommand = 'echo up'\nafter = {{ job = 'exited-ok' }}\n");
    assert_eq!(names(&after), ["job: done", "x: up"]);
    let (_, said, _) = run(&after, "x");
    assert!(said.contains("] x: waiting for job (exited-ok)"), "{said}");
    let (printed, said, code) = run(&after.replace("echo done", "exit 6"), "x");
    assert!(said.contains("x: job exited with 6"), "{said}");
    assert_eq!((printed.as_str(), code), ("", Some(127)), "as what cannot be started");
}

#[test]
fn what_was_started_for_another_ends_with_it() {
    let settings = "[scripts.db]\ncommand = 'echo open; exec sleep 1000'\nready = { log = 'open' }\n\
                    [scripts.x]\ncommand = 'echo up'\nafter = ['db']\n";
    let (printed, said, code) = run(settings, "x");
    assert_eq!((printed.lines().count(), code), (2, Some(0)), "{printed}{said}");
}

/// How a script with this `ready` turns out to be.
async fn readiness(script: &str, ready: &str) -> Readiness {
    let mut rig = Rig::start(&with(""));
    rig.script(&format!("[scripts.x]\ncommand = '''{script}'''\nready = {{ {ready} }}\n"), "x").await;
    let found = rig.event(|event| match event {
        Event::ProcessDetail { detail, .. } => match &detail.readiness {
            Readiness::Unknown | Readiness::Waiting => None,
            known => Some(known.clone()),
        },
        _ => None,
    });
    let found = found.await;
    rig.end().await;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_of_the_log_says_that_it_is_ready() {
    let script = "echo now listening on 80; exec sleep 1000";
    assert_eq!(readiness(script, "log = \"listening on [0-9]+\"").await, Readiness::Ready);
    let failed = readiness(script, "log = \"listening on [a-z]+\", timeout = \"100ms\"").await;
    assert!(matches!(failed, Readiness::Failed(_)), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_says_that_it_is_ready() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    // Somebody else has it.
    let failed = readiness("exec sleep 1000", &format!("port = {port}, timeout = \"100ms\"")).await;
    assert!(matches!(failed, Readiness::Failed(_)), "{failed:?}");
    drop(server);
    let listen = format!(
        "exec python3 -c 'import socket, time; s = socket.create_server((\"127.0.0.1\", {port})); time.sleep(1000)'"
    );
    assert_eq!(readiness(&listen, &format!("port = {port}")).await, Readiness::Ready);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_over_http_says_that_it_is_ready() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    // The first answer is that it is not ready yet.
    let answers = std::thread::spawn(move || {
        for status in ["503 Service Unavailable", "204 No Content"] {
            let (mut client, _) = server.accept().unwrap();
            let asked = client.read(&mut [0; 4096]).unwrap();
            assert!(asked > 0);
            write!(client, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        }
    });
    let url = format!("http = \"http://127.0.0.1:{port}/up\"");
    assert_eq!(readiness("exec sleep 1000", &url).await, Readiness::Ready);
    answers.join().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_ready_before_the_timeout_is_said() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    drop(server);
    let failed = readiness("exec sleep 1000", &format!("port = {port}, timeout = \"300ms\"")).await;
    let Readiness::Failed(why) = failed else { panic!("{failed:?}") };
    assert!(why.contains(&format!("port {port}")), "{why}");
}
