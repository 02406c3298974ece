//! Start, stop and restart: brummer beside the program alone, npm and concurrently; the end of trees of four shapes.
//!
//! A start counts from the request to the first thing the program does: it writes down the time of the machine's clock, which
//! is the same for all processes.

use std::{
    fs,
    io::{BufRead, BufReader, Lines},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use brummer::{
    config::Mode,
    event::{ProcessId, ProcessInfo},
    process::{Manager, OutputBatch},
};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use tokio::sync::mpsc;

use crate::{
    support::node,
    table::{Table, ms},
    work::{self, Stand},
};

/// The first argument of a program that writes down when it began.
pub const ARGUMENT: &str = "--began";

const ROUNDS: usize = 15;

/// How the trees look, and what a script that ignores TERM waits for: its grace.
pub const SHAPES: [(&str, &str); 4] = [
    ("same group", "sleep 1000 & sleep 1000 & echo up; wait"),
    ("own session", "setsid sh -c 'sleep 1000 & sleep 1000 & wait' & echo up; wait"),
    ("ignores TERM, 500 ms of grace", "trap '' TERM; sleep 1000 & echo up; while :; do sleep 0.1; done"),
    ("daemon", "(setsid sh -c '(setsid sleep 1000 &) ; exec sleep 1000' &); echo up; sleep 1000"),
];

/// One process, which every tool can end.
const ONE: &str = "echo up; exec sleep 1000";

const GRACE: Duration = Duration::from_millis(500);

/// Writes down the time, before anything else.
pub fn began(file: &str) {
    let now = now();
    fs::write(format!("{file}.part"), now.as_nanos().to_string()).unwrap();
    // Whoever waits for it finds it whole.
    fs::rename(format!("{file}.part"), file).unwrap();
}

fn now() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap())
}

/// Where a program writes when it began.
struct Mark(PathBuf);

impl Mark {
    /// What is run.
    fn argv(&self) -> [String; 3] {
        let own = std::env::current_exe().unwrap();
        [own.to_str().unwrap().to_owned(), ARGUMENT.to_owned(), self.0.to_str().unwrap().to_owned()]
    }

    /// Milliseconds from a request to the beginning, once it is known.
    fn since(&self, request: Duration) -> f64 {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            if let Ok(text) = fs::read_to_string(&self.0) {
                fs::remove_file(&self.0).unwrap();
                let began = Duration::from_nanos(text.parse().unwrap());
                return ms(began.saturating_sub(request));
            }
            assert!(Instant::now() < end, "it never began");
            std::thread::yield_now();
        }
    }
}

pub fn rows(table: &mut Table) {
    table.head("start: request to main, in ms", ["median", "least", "most"]);
    let dir = tempfile::tempdir().unwrap();
    let mark = Mark(dir.path().join("began"));
    // A line that begins and ends with a quote would lose both to concurrently.
    let quoted = format!("exec {}", mark.argv().map(|part| format!("'{part}'")).join(" "));
    let package = serde_json::json!({ "name": "bench", "scripts": { "began": quoted, "one": ONE } });
    fs::write(dir.path().join("package.json"), package.to_string()).unwrap();

    let run = |program: &str, arguments: &[String]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let request = now();
        let mut child = command.spawn().unwrap();
        let time = mark.since(request);
        child.wait().unwrap();
        time
    };
    let text = |part: &str| part.to_owned();
    let argv = mark.argv();
    let mut direct: Vec<f64> = (0..ROUNDS).map(|_| run(&argv[0], &argv[1..])).collect();
    table.row("the program alone", &mut direct);
    let mut own = work::block_on(starts(&mark, dir.path()));
    table.row("brummer", &mut own);
    table.figure("brummer over the program alone", own[ROUNDS / 2] - direct[ROUNDS / 2], "ms; at most 5");
    let mut npm: Vec<f64> = (0..5).map(|_| run("npm", &[text("run"), text("-s"), text("began")])).collect();
    table.row("npm run", &mut npm);
    let concurrently = node::tools().join("node_modules/.bin/concurrently");
    let mut others: Vec<f64> =
        (0..5).map(|_| run(concurrently.to_str().unwrap(), std::slice::from_ref(&quoted))).collect();
    table.row("concurrently", &mut others);

    let by_others = [
        ("the program alone, TERM to it", by_other("sh", &["-c", ONE], dir.path())),
        ("npm run, TERM to it", by_other("npm", &["run", "-s", "one"], dir.path())),
        ("concurrently, TERM to it", by_other(concurrently.to_str().unwrap(), &[ONE], dir.path())),
    ];
    let (mut stopped, mut restarted): (Vec<_>, Vec<_>) =
        by_others.into_iter().map(|(who, (stop, again))| ((who, stop), (who, again))).unzip();
    table.head("stop of one program: request to its end, in ms", ["median", "least", "most"]);
    table.row("brummer, until nothing is left", &mut work::block_on(stops(ONE, false)));
    stopped.iter_mut().for_each(|(who, times)| table.row(who, times));
    table.head("restart of one program: request to the next run, in ms", ["median", "least", "most"]);
    table.row("brummer", &mut work::block_on(stops(ONE, true)));
    restarted.iter_mut().for_each(|(who, times)| table.row(who, times));

    table.head("stop of a tree: request to nothing left, in ms", ["median", "least", "most"]);
    for (shape, script) in SHAPES {
        let mut times = work::block_on(stops(script, false));
        table.row(shape, &mut times);
    }
    table.head("restart of a tree: request to the next run, in ms", ["median", "least", "most"]);
    for (shape, script) in &SHAPES[..1] {
        let mut times = work::block_on(stops(script, true));
        table.row(shape, &mut times);
    }
}

/// How long others take to end a script, and until it is up again: they are sent TERM, waited for and started anew.
fn by_other(program: &str, arguments: &[&str], dir: &Path) -> (Vec<f64>, Vec<f64>) {
    let up = || {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(dir).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // Kept, for who cannot print its last words may end otherwise.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("up")));
        (child, lines)
    };
    let end = |(mut child, lines): (Child, Lines<BufReader<ChildStdout>>)| {
        let (pid, start) = (Pid::from_child(&child), Instant::now());
        kill_process(pid, Signal::TERM).unwrap();
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        let took = ms(start.elapsed());
        // npm leaves its script running. Its number is its own until it has been waited for.
        kill_process_group(pid, Signal::KILL).ok();
        child.wait().unwrap();
        drop(lines);
        took
    };
    let (mut stops, mut restarts) = (Vec::new(), Vec::new());
    let mut running = up();
    for _ in 0..5 {
        let start = Instant::now();
        stops.push(end(running));
        running = up();
        restarts.push(ms(start.elapsed()));
    }
    end(running);
    (stops, restarts)
}

async fn starts(mark: &Mark, cwd: &Path) -> Vec<f64> {
    let stand = Stand::start(Mode::Current);
    let (logs, output) = stand.logs(Mode::Current);
    let manager = stand.manager(Mode::Current, output);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let mut info = work::shell("began", "");
        info.argv = mark.argv().to_vec();
        cwd.clone_into(&mut info.cwd);
        let request = now();
        let process = manager.start(info).await.unwrap().process();
        times.push(mark.since(request));
        until_over(&manager, process).await;
    }
    manager.shutdown(GRACE).await;
    drop((manager, logs));
    stand.end().await;
    times
}

async fn until_over(manager: &Manager, process: ProcessId) {
    while !manager.status(process).is_some_and(|status| status.state.is_terminal()) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Lines of the runs, of which each says when it is up.
async fn up(output: &mut mpsc::Receiver<OutputBatch>) {
    assert!(next_up(output).await, "the output was over before it was up");
}

/// The same; false when the manager is gone and with it the output.
async fn next_up(output: &mut mpsc::Receiver<OutputBatch>) -> bool {
    while let Some(batch) = output.recv().await {
        match batch {
            OutputBatch::Lines { text, .. } if text.starts_with(b"up") => return true,
            OutputBatch::Begin { ack, .. } | OutputBatch::End { ack, .. } => {
                ack.send(brummer::event::Seq(0)).ok();
            }
            OutputBatch::Lines { .. } => {}
        }
    }
    false
}

/// Stops of a tree; or how long a restart takes until the next run is up.
async fn stops(script: &str, again: bool) -> Vec<f64> {
    let mut stand = Stand::start(Mode::Current);
    stand.config.process_manager.stop_grace = GRACE;
    let (sender, mut output) = mpsc::channel(16);
    let manager = stand.manager(Mode::Current, sender);
    let info: ProcessInfo = work::shell("tree", script);
    let process = manager.start(info.clone()).await.unwrap().process();
    up(&mut output).await;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        if again {
            manager.restart(process).await.unwrap();
            up(&mut output).await;
            times.push(ms(start.elapsed()));
            continue;
        }
        let stop = manager.stop(process);
        tokio::pin!(stop);
        // The output goes on being read: the exit waits for its last lines.
        loop {
            tokio::select! {
                stopped = &mut stop => break stopped.unwrap(),
                () = up(&mut output) => {}
            }
        }
        times.push(ms(start.elapsed()));
        manager.start(info.clone()).await.unwrap();
        up(&mut output).await;
    }
    // Read to its end, which may come before the answer: the manager lets go of it and then tells.
    tokio::join!(manager.shutdown(Duration::from_secs(2)), async { while next_up(&mut output).await {} });
    drop(manager);
    stand.end().await;
    times
}
