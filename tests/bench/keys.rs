//! What a keypress feels while processes print as fast as they can into a window with a UI attached, beside the same flood
//! going to /dev/null next to an idle Neovim: that is the floor, because on few cores a flood takes processor time from
//! Neovim even where nothing is shown.
//!
//! A press is a key and a question: the time until Neovim has answered both.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    support::{nvim::Nvim, project::Project},
    table::{Table, ms},
};

/// The first argument of a process that prints: lines a second, 0 for as many as a pipe takes.
pub const ARGUMENT: &str = "--flood";

/// How long each row presses keys, and how long it waits before it begins.
const SECONDS: u64 = 8;
const WARM: Duration = Duration::from_secs(2);

/// Between two presses.
const PAUSE: Duration = Duration::from_millis(3);

/// Lines a second of the paced rows.
const PACE: u64 = 200_000;

/// A line is 100 bytes; its number stands here.
const LINE: &[u8; 100] =
    b"2026-11-23T12:00:00Z [vite] page reload src/components/App0000000000.tsx (x1) lorem ipsum dolor sit\n";
const NUMBER: std::ops::Range<usize> = 58..68;

/// What one row measured.
struct Lag {
    p50: f64,
    p99: f64,
    most: f64,
}

pub fn rows(table: &mut Table) {
    table.head("a keypress while a flood is shown, in ms", ["p50", "p99", "most"]);
    show(table, "idle", &beside(0, 0));
    for (what, pace, processes, budget) in [
        ("at full speed", 0, 1, "budget 1.2 and 1.5"),
        ("at 200,000 lines/s", PACE, 1, "budget of p99 1.25"),
        ("ten at full speed", 0, 10, "budget 1.2 and 1.5"),
    ] {
        // Twice, in turn: what else the machine does changes from one moment to the next.
        let (mut floor, mut shown) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            floor.extend(beside(processes, pace));
            shown.extend(in_brummer(processes, pace));
        }
        let (floor, shown) = (
            show(table, &format!("{what}: to /dev/null, beside it"), &floor),
            show(table, &format!("{what}: in brummer, a window shows it"), &shown),
        );
        let ratios = [shown.p50 / floor.p50, shown.p99 / floor.p99, shown.most / floor.most];
        table.figures("  times the floor", ratios, budget);
    }
    let floor = show(table, "floor of the peers", &beside(1, 0));
    for (name, lua) in
        [("`:terminal`", TERMINAL), ("a job with `on_stdout` and nvim_buf_set_lines", ON_STDOUT)]
    {
        let peer = show(table, &format!("at full speed: {name}"), &in_peer(lua));
        table.figures(
            "  times the floor",
            [peer.p50 / floor.p50, peer.p99 / floor.p99, peer.most / floor.most],
            "",
        );
    }
}

/// Prints numbered lines, no two the same.
pub fn print(pace: &str) {
    let pace: u64 = pace.parse().unwrap();
    let per_block = if pace == 0 { 640 } else { (pace / 200).max(1) };
    let mut block = LINE.repeat(usize::try_from(per_block).unwrap());
    let (mut out, start, mut number) = (std::io::stdout().lock(), Instant::now(), 0_u64);
    loop {
        for line in block.chunks_exact_mut(LINE.len()) {
            number += 1;
            let mut rest = number;
            for digit in line[NUMBER].iter_mut().rev() {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
                rest /= 10;
            }
        }
        if out.write_all(&block).is_err() {
            return;
        }
        if pace > 0 {
            let due = Duration::from_secs_f64(number as f64 / pace as f64);
            std::thread::sleep(due.saturating_sub(start.elapsed()));
        }
    }
}

fn generator(pace: u64) -> String {
    format!("{} {ARGUMENT} {pace}", std::env::current_exe().unwrap().display())
}

fn editor(project: &Project) -> Nvim {
    Nvim::at(project.root()).size(200, 50).start()
}

/// Presses keys for a while.
fn press(nvim: &Nvim) -> Vec<f64> {
    std::thread::sleep(WARM);
    let (mut took, start) = (Vec::new(), Instant::now());
    while start.elapsed() < Duration::from_secs(SECONDS) {
        let pressed = Instant::now();
        nvim.keys("j");
        nvim.lua("1");
        took.push(ms(pressed.elapsed()));
        std::thread::sleep(PAUSE);
    }
    took
}

/// An idle Neovim beside floods that nobody reads.
fn beside(processes: usize, pace: u64) -> Vec<f64> {
    let project = Project::empty();
    let nvim = editor(&project);
    let floods: Vec<_> = (0..processes)
        .map(|_| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", &format!("{} | cat >/dev/null", generator(pace))]).stdin(Stdio::null());
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            command.spawn().unwrap()
        })
        .collect();
    let took = press(&nvim);
    for mut flood in floods {
        if let Some(group) = i32::try_from(flood.id()).ok().and_then(Pid::from_raw) {
            kill_process_group(group, Signal::KILL).ok();
        }
        flood.wait().unwrap();
    }
    took
}

fn in_brummer(processes: usize, pace: u64) -> Vec<f64> {
    let project = Project::empty();
    let nvim = editor(&project);
    for number in 0..processes {
        // The number makes each a process of its own.
        nvim.command(&format!("BrummerRun !{} {number}", generator(pace)));
    }
    nvim.wait_until("all to print", |nvim| {
        nvim.lua("#vim.tbl_filter(function(row) return row.lines > 0 end, require('brummer.state').rows())")
            == processes
    });
    press(&nvim)
}

const TERMINAL: &str = "vim.cmd.enew() vim.fn.jobstart({ 'sh', '-c', 'exec ' .. cmd }, { term = true })";

const ON_STDOUT: &str = "local b = vim.api.nvim_create_buf(true, true) vim.api.nvim_set_current_buf(b)
  vim.fn.jobstart({ 'sh', '-c', 'exec ' .. cmd }, { on_stdout = function(_, d)
    vim.api.nvim_buf_set_lines(b, -1, -1, false, d)
    vim.api.nvim_win_set_cursor(0, { vim.api.nvim_buf_line_count(b), 0 })
  end })";

fn in_peer(lua: &str) -> Vec<f64> {
    let project = Project::empty();
    let nvim = Nvim::at(project.root()).size(200, 50).without_plugin().start();
    // Without an end `on_stdout` would take all memory: a gigabyte, after which it is as calm as it can be.
    let cmd = format!("{} | head -c 1000000000", generator(0));
    nvim.exec(&format!("local cmd = {cmd:?} {lua}"));
    press(&nvim)
}

fn show(table: &mut Table, name: &str, took: &[f64]) -> Lag {
    let mut sorted = took.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted[((sorted.len() as f64 * share) as usize).min(sorted.len() - 1)];
    let lag = Lag { p50: at(0.5), p99: at(0.99), most: sorted[sorted.len() - 1] };
    table.figures(name, [lag.p50, lag.p99, lag.most], "");
    lag
}
