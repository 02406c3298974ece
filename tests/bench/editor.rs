//! What the user waits for, beside the same thing without brummer.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Instant,
};

use crate::{
    support::{clean_env, host::Host, nvim, nvim::Nvim, project::Project, repo},
    table::{Table, median, ms},
};

const ROUNDS: usize = 15;

pub fn rows(table: &mut Table) {
    table.head("the editor, in ms", ["median", "least", "most"]);
    table.row("editor start: sourcing plugin/brummer.lua", &mut sourcing());

    let project = Project::with(&[("first", "printf 'first-%s\\n'"), ("flood", "seq 1 100000")]);
    let mut direct: Vec<f64> = (0..ROUNDS).map(|round| npm_first(&project, round)).collect();
    table.row("first line: npm run, read from a pipe", &mut direct);
    let editor = Nvim::start(project.root());
    let mut shown: Vec<f64> = (0..=ROUNDS).map(|round| shown_first(&editor, round)).collect();
    // The first one starts the host.
    table.row("first line: the first :BrummerRun, on the screen", &mut shown[..1]);
    table.row("first line: :BrummerRun, on the screen", &mut shown[1..]);
    table.figure("  minus npm run", median(&mut shown[1..]) - median(&mut direct), "budget 100");

    let mut direct: Vec<f64> = (0..5).map(|_| npm_flood(&project)).collect();
    table.row("100,000 lines: npm run >/dev/null", &mut direct);
    let mut shown: Vec<f64> = (0..5).map(|_| shown_flood(&editor)).collect();
    table.row("100,000 lines: :BrummerRun, exit told", &mut shown);
    table.figure("  times npm run", median(&mut shown) / median(&mut direct), "");

    drop(editor);
    let mut left: Vec<f64> = (0..5).map(|_| leaving("echo up; exec sleep 1000").1).collect();
    table.row("leaving: EOF to 0 left, script honours TERM", &mut left);
    // How long the script lives on is its own grace, which its guard sees through.
    let deaf = "trap '' TERM; echo up; while :; do sleep 0.05; done";
    let mut ended: Vec<f64> = (0..5).map(|_| leaving(deaf).0).collect();
    table.row("leaving: EOF to the host's end, script ignores TERM", &mut ended);
}

/// What `--startuptime` says about the plugin's file.
fn sourcing() -> Vec<f64> {
    let home = Project::empty();
    let once = |round: usize| -> f64 {
        let file = home.path(&format!("startup{round}"));
        let mut command = Command::new(nvim::binary());
        command.args(["--clean", "--headless", "--cmd", "let &rtp = $IT_REPO . ',' . &rtp", "--startuptime"]);
        command.arg(&file).arg("+qall!").env("IT_REPO", repo()).env("XDG_STATE_HOME", home.root());
        clean_env(&mut command);
        assert!(command.status().unwrap().success());
        let text = fs::read_to_string(&file).unwrap();
        // `clock  self+sourced  self: sourcing …/plugin/brummer.lua`
        let line =
            text.lines().find(|line| line.ends_with("plugin/brummer.lua")).expect("the plugin is loaded");
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (0..ROUNDS).map(once).collect()
}

fn npm(project: &Project, args: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.arg("run").args(args).current_dir(project.root()).stdin(Stdio::null());
    clean_env(&mut command);
    command
}

fn npm_first(project: &Project, round: usize) -> f64 {
    let wanted = format!("first-{round}");
    let start = Instant::now();
    let mut child =
        npm(project, &["first", "--", &round.to_string()]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == wanted));
    let took = start.elapsed();
    child.wait().unwrap();
    ms(took)
}

fn shown_first(editor: &Nvim, round: usize) -> f64 {
    let start = Instant::now();
    editor.ex(&format!("BrummerRun first -- {round}"));
    editor.wait_drawn(&format!("first-{round}"));
    let took = start.elapsed();
    editor.wait_state("first", &["success"]);
    ms(took)
}

fn npm_flood(project: &Project) -> f64 {
    let start = Instant::now();
    assert!(npm(project, &["flood"]).stdout(Stdio::null()).status().unwrap().success());
    ms(start.elapsed())
}

/// From the end of the editor's channel until the host has ended, and until nothing that was started is left.
fn leaving(script: &str) -> (f64, f64) {
    let project = Project::with(&[("dev", script)]);
    let mut host = Host::start(project.root());
    host.watch(5, project.root(), "dev", 100);
    host.run(project.root(), &["dev"]);
    host.wait("up", |seen| seen.lines(5).iter().any(|line| line == "up").then_some(()));
    let start = Instant::now();
    host.hang_up();
    host.wait_end();
    let ended = ms(start.elapsed());
    host.marker.assert_none_left();
    (ended, ms(start.elapsed()))
}

fn shown_flood(editor: &Nvim) -> f64 {
    let exits = |editor: &Nvim| editor.lua("#it.events").as_u64().unwrap();
    let before = exits(editor);
    let start = Instant::now();
    editor.ex("BrummerRun flood");
    // A start and an exit.
    editor.wait_until("the exit", |editor| exits(editor) >= before + 2);
    ms(start.elapsed())
}
