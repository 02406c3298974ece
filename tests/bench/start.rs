//! Start, stop and restart: brummer beside the program alone, npm and concurrently; the end of trees of four shapes.
//!
//! A start counts from the request to the first thing the program does: it writes down the time of the machine's clock, which
//! is the same for all processes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use brummer::{
    config::Mode,
    event::{ProcessId, ProcessInfo},
    process::{Manager, OutputBatch},
};
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
const SHAPES: [(&str, &str); 4] = [
    ("same group", "sleep 1000 & sleep 1000 & echo up; wait"),
    ("own session", "setsid sh -c 'sleep 1000 & sleep 1000 & wait' & echo up; wait"),
    ("ignores TERM, 500 ms of grace", "trap '' TERM; sleep 1000 & echo up; while :; do sleep 0.1; done"),
    ("daemon", "(setsid sh -c '(setsid sleep 1000 &) ; exec sleep 1000' &); echo up; sleep 1000"),
];

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
    let quoted = mark.argv().map(|part| format!("'{part}'")).join(" ");
    let package = serde_json::json!({ "name": "bench", "scripts": { "began": quoted } });
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

    table.head("stop: request to nothing left, in ms", ["median", "least", "most"]);
    for (shape, script) in SHAPES {
        let mut times = work::block_on(stops(script, false));
        table.row(shape, &mut times);
    }
    table.head("restart: request to the next run, in ms", ["median", "least", "most"]);
    for (shape, script) in &SHAPES[..1] {
        let mut times = work::block_on(stops(script, true));
        table.row(shape, &mut times);
    }
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
    loop {
        match output.recv().await.unwrap() {
            OutputBatch::Lines { text, .. } if text.starts_with(b"up") => return,
            OutputBatch::Begin { ack, .. } | OutputBatch::End { ack, .. } => {
                ack.send(brummer::event::Seq(0)).ok();
            }
            _ => {}
        }
    }
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
    {
        let end = manager.shutdown(Duration::from_secs(2));
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => break,
                () = up(&mut output) => {}
            }
        }
    }
    drop((manager, output));
    stand.end().await;
    times
}
