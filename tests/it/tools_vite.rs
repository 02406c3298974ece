//! A real dev server.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream},
    time::Duration,
};

use serde_json::json;

use crate::support::{host::Host, node, proc, project::Project};

/// A port nobody listens on. Another program may take it, which is unlikely and would show.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, port).into(), Duration::from_secs(5)).is_ok()
}

#[test]
fn vite_is_restarted_on_the_same_port() {
    const RESTARTS: usize = 20;
    let port = free_port();
    let project = Project::with(&[("dev", &format!("vite --host 127.0.0.1 --port {port} --strictPort"))]);
    project.write("index.html", "<!doctype html><script type=module src=/main.js></script>");
    project.write("main.js", "document.title = 'up'\n");
    // What it keeps between runs stays in the project.
    project.write("vite.config.mjs", "export default { cacheDir: '.vite', clearScreen: false }\n");
    node::link(&project, "vite");
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["dev"])[0];
    host.watch(1, project.root(), "dev", 1_000);
    for restarts in 0..=RESTARTS {
        host.wait(&format!("vite to be up after {restarts} restarts"), |seen| {
            let lines = seen.lines(1);
            let refused = lines.iter().find(|line| line.contains("in use") || line.contains("EADDRINUSE"));
            assert_eq!(refused, None, "after {restarts} restarts: {lines:#?}");
            (lines.iter().filter(|line| line.contains("ready in")).count() > restarts).then_some(())
        });
        assert!(proc::poll(|| answers(port)), "vite is up and does not answer");
        if restarts < RESTARTS {
            // At once, as somebody would who saved a setting.
            host.ask("restart", &json!({ "id": id })).unwrap();
        }
    }
    assert_eq!(
        host.marker.named("vite --host").iter().filter(|living| living.command.contains("node ")).count(),
        1
    );
    host.ask("stop", &json!({ "id": id })).unwrap();
    host.wait_exit_event(id, RESTARTS + 1);
    assert!(
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(),
        "the port is held by {:#?}",
        host.marker.living()
    );
    let seen = host.seen();
    let ends: Vec<_> = seen.events("exited").iter().map(|event| event["state"].clone()).collect();
    assert_eq!(ends, vec![json!("stopped"); RESTARTS + 1]);
    drop(seen);
    host.marker.assert_none_named("vite");
}
