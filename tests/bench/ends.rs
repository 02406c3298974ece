//! How long it takes until nothing is left when host, guard or Neovim end, by the shapes of `start.rs`.
//!
//! Whether something is left is looked up every 10 ms, so that is how exact a row is.

use std::time::Instant;

use rustix::process::Signal;

use crate::{
    start::SHAPES,
    support::{host::Host, nvim::Nvim, proc, project::Project},
    table::{Table, ms},
};

const ROUNDS: usize = 3;

/// What ends at first, all else following, and what measures it.
type End = (&'static str, fn(&Project) -> f64);

const ENDS: [End; 4] = [
    ("host, SIGTERM", |project| of_host(project, Signal::TERM)),
    ("host, SIGKILL", |project| of_host(project, Signal::KILL)),
    ("guard, SIGKILL", of_guard),
    ("Neovim, SIGKILL", of_editor),
];

pub fn rows(table: &mut Table) {
    for (what, end) in ENDS {
        table.head(&format!("{what}: to nothing left, in ms"), ["median", "least", "most"]);
        for (shape, script) in SHAPES {
            let project = Project::empty();
            project.write("tree.sh", script);
            project.write(".brum.toml", "[scripts.tree]\ncommand = \"sh tree.sh\"\nstop_grace = \"500ms\"\n");
            let mut times: Vec<f64> = (0..ROUNDS).map(|_| end(&project)).collect();
            table.row(shape, &mut times);
        }
    }
}

/// A host that runs the tree, which is up.
fn host(project: &Project) -> Host {
    let host = Host::start(project.root());
    host.watch(5, project.root(), "tree", 100);
    host.run(project.root(), &["tree"]);
    host.wait("up", |seen| seen.lines(5).iter().any(|line| line == "up").then_some(()));
    host
}

fn of_host(project: &Project, signal: Signal) -> f64 {
    let mut host = host(project);
    let start = Instant::now();
    host.signal(signal);
    host.wait_end();
    host.marker.assert_none_left();
    ms(start.elapsed())
}

fn of_guard(project: &Project) -> f64 {
    let host = host(project);
    let guard = host.marker.named("brummer-guard").remove(0);
    let start = Instant::now();
    proc::signal(guard.pid, Signal::KILL);
    let gone = || host.marker.living().iter().all(|living| living.pid == host.pid());
    assert!(proc::poll(gone), "still alive: {:#?}", host.marker.living());
    ms(start.elapsed())
}

fn of_editor(project: &Project) -> f64 {
    let mut editor = Nvim::start(project.root());
    editor.ex("BrummerRun tree");
    editor.wait_line("brummer://logs/tree", "up");
    let start = Instant::now();
    editor.kill();
    editor.marker.assert_none_left();
    ms(start.elapsed())
}
