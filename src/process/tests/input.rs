//! What is sent to a process arrives, and a process with a terminal finds one.

use rustix::process::Signal;

use super::*;
use crate::{
    config::RunOptions,
    event::{Detail, ProcessInfo, Usage},
};

fn with_terminal(script: &str) -> ProcessInfo {
    let options = RunOptions { pty: true, ..RunOptions::default() };
    ProcessInfo { options, ..ProcessInfo::of_shell(script) }
}

impl Rig {
    async fn start_new(&self, info: ProcessInfo) -> ProcessId {
        self.manager.start(info).await.expect("a start").process()
    }

    /// Waits until what is known of the run is so.
    async fn seen(&mut self, wanted: impl Fn(&Detail) -> bool) -> Arc<Detail> {
        loop {
            if let Event::ProcessDetail { detail, .. } = self.event().await
                && wanted(&detail)
            {
                return detail;
            }
        }
    }

    async fn usage(&mut self, wanted: impl Fn(&Usage) -> bool) -> Usage {
        loop {
            if let Event::UsageSampled { usage, .. } = self.event().await
                && let Some((_, usage)) = usage.iter().find(|(_, usage)| wanted(usage))
            {
                return usage.clone();
            }
        }
    }
}

#[tokio::test]
async fn lines_reach_the_input_and_its_end_ends_the_reading() {
    for mode in [Mode::Current, Mode::Fallback] {
        let mut rig = Rig::new(mode);
        let process =
            rig.start_new(ProcessInfo::of_shell("while read -r line; do echo got $line; done")).await;
        // It need not run yet.
        rig.manager.send(process, Some("one two"), false).expect("an open input");
        rig.line("got one two").await;
        rig.manager.send(process, Some("three"), true).expect("an open input");
        assert_eq!(rig.exit().await.1, State::Success);
        rig.line("got three").await;
        let error = rig.manager.send(process, Some("late"), false).expect_err("it is over");
        assert_eq!(error.to_string(), "while read -r line; do echo got $line; done is not running");
    }
}

#[tokio::test]
async fn the_input_stays_open_and_without_one_reading_ends() {
    let mut rig = Rig::new(Mode::Current);
    let process = rig.start_new(ProcessInfo::of_shell("echo up; cat; echo over")).await;
    rig.line("up").await;
    rig.manager.stop(process).await.expect("a stop");
    assert_eq!(rig.exit().await.1, State::Stopped);
    assert!(!rig.texts().contains(&"over".to_owned()), "it waited");

    let options = RunOptions { stdin: false, ..RunOptions::default() };
    let process = rig.start_new(ProcessInfo { options, ..ProcessInfo::of_shell("cat; echo done") }).await;
    let refused = rig.manager.send(process, Some("x"), false).map_err(|error| error.to_string());
    rig.line("done").await;
    assert_eq!(rig.exit().await.1, State::Success);
    // It may have been over when it was asked.
    let reasons = ["has no input (stdin = false)", "is not running"];
    let said = refused.expect_err("nobody to send it to");
    assert!(reasons.iter().any(|reason| said.ends_with(reason)), "{said}");
}

#[tokio::test]
async fn a_process_that_does_not_read_is_refused_and_can_be_stopped() {
    let mut rig = Rig::new(Mode::Current);
    let process = rig.start_new(ProcessInfo::of_shell("echo up; exec sleep 1000")).await;
    rig.line("up").await;
    let line = "x".repeat(1000);
    let refused = loop {
        if let Err(error) = rig.manager.send(process, Some(&line), false) {
            break error;
        }
        tokio::task::yield_now().await;
    };
    assert!(refused.to_string().contains("does not read its input: "), "{refused}");
    rig.manager.stop(process).await.expect("a stop");
    assert_eq!(rig.exit().await.1, State::Stopped);
}

#[tokio::test]
async fn a_terminal_is_the_controlling_one_and_its_size_follows() {
    let mut rig = Rig::new(Mode::Current);
    let script = "trap 'stty size' WINCH; tty > /dev/tty && test -t 0 -a -t 1 -a -t 2 && echo term $TERM; stty size; \
                  read -r name; echo hello $name; while :; do sleep 0.05; done";
    let process = rig.start_new(with_terminal(script)).await;
    rig.seen(|detail| detail.terminal).await;
    rig.line("term xterm-256color").await;
    rig.line("24 80").await;
    rig.manager.send(process, Some("you"), false).expect("an open input");
    rig.line("hello you").await;
    rig.manager.resize(process, Size { cols: 132, rows: 40 }).expect("a process");
    rig.line("40 132").await;
    // Ctrl-C is a key like others; what it does is the terminal's business.
    rig.manager.input(process, b"\x03").expect("a terminal");
    assert_eq!(rig.exit().await.2, Exit::Signal(Signal::INT.as_raw()));

    let process = rig.start_new(with_terminal("stty size; exec cat")).await;
    assert_eq!(rig.manager.send(process, Some("last"), true), Ok(()));
    rig.line("last").await;
    assert_eq!(rig.exit().await.1, State::Success, "the end of file is a key, too");
}

#[tokio::test]
async fn what_a_terminal_prints_is_shown_from_the_oldest_kept_byte_on() {
    let mut rig = Rig::new(Mode::Current);
    let process =
        rig.start_new(with_terminal(r"printf '\033[1mbold\033[0m'; read -r line; printf two")).await;
    rig.seen(|detail| detail.prompt.is_some()).await;
    let mut printed = rig.manager.printed();
    let mut terminal = rig.manager.attach(process).expect("a terminal");
    let first = terminal.take(1000).expect("what was printed");
    assert_eq!(
        (first.bytes.as_slice(), first.reset, first.lost),
        (b"\x1b[1mbold\x1b[0m".as_slice(), true, 0)
    );
    rig.manager.input(process, b"\r").expect("a terminal");
    let mut more = Vec::new();
    while !more.ends_with(b"two") {
        timeout(DEADLINE, printed.changed()).await.expect("news").expect("a manager");
        more.extend(terminal.take(1000).into_iter().flat_map(|piece| piece.bytes));
    }
    assert_eq!(more, b"\r\ntwo");
    rig.exit().await;
    rig.manager.restart(process).await.expect("a restart");
    let again = loop {
        timeout(DEADLINE, printed.changed()).await.expect("news").expect("a manager");
        if let Some(piece) = terminal.take(1000) {
            break piece;
        }
    };
    assert!(again.reset, "another run, another screen");
    rig.manager.stop(process).await.expect("a stop");
    let plain = rig.start_new(ProcessInfo::of_shell("exec sleep 1000")).await;
    let refused = rig.manager.attach(plain).err().expect("it has none").to_string();
    assert!(refused.contains("has no terminal: set pty = true"), "{refused}");
    assert!(rig.manager.input(plain, b"x").is_err());
    rig.manager.stop(plain).await.expect("a stop");
}

#[tokio::test]
async fn the_alternate_screen_and_single_keys_are_noticed_and_lines_are_not() {
    for script in [r"printf '\033[?1049h'; exec sleep 1000", "stty -icanon; echo raw; exec sleep 1000"] {
        let mut rig = Rig::new(Mode::Current);
        let process = rig.start_new(with_terminal(script)).await;
        rig.seen(|detail| detail.full_screen && detail.terminal).await;
        rig.manager.stop(process).await.expect("a stop");
    }
    let mut rig = Rig::new(Mode::Current);
    let process = rig.start_new(with_terminal("printf 'name? '; read -r line")).await;
    let detail = rig.seen(|detail| detail.prompt.is_some()).await;
    assert_eq!((detail.full_screen, detail.prompt.as_deref()), (false, Some("name? ")));
    rig.manager.send(process, Some("me"), false).expect("an open input");
    let detail = rig.seen(|detail| detail.prompt.is_none()).await;
    assert!(!detail.full_screen);
}

#[tokio::test]
async fn a_line_that_is_written_over_and_over_is_told_as_it_is_now() {
    let mut rig = Rig::new(Mode::Current);
    let script = "n=0; while :; do n=$((n+1)); printf '\\rstep %s' $n; sleep 0.02; done";
    let process = rig.start_new(ProcessInfo::of_shell(script)).await;
    let mut before = None;
    for _ in 0..3 {
        let detail = rig.seen(|detail| detail.prompt.is_some() && detail.prompt != before).await;
        assert!(detail.prompt.as_deref().is_some_and(|it| it.starts_with("step ")), "{:?}", detail.prompt);
        before = detail.prompt.clone();
    }
    rig.manager.stop(process).await.expect("a stop");
}

#[tokio::test]
async fn a_question_without_a_newline_is_told_while_nothing_follows() {
    let mut rig = Rig::new(Mode::Current);
    let info = ProcessInfo::of_shell(
        "printf '10%%\\r20%%\\rgo on? ' >&2; read -r line; echo; echo went on; exec cat",
    );
    let process = rig.start_new(info).await;
    let detail = rig.seen(|detail| detail.prompt.is_some()).await;
    assert_eq!((detail.prompt.as_deref(), detail.terminal), (Some("go on? "), false));
    rig.manager.send(process, Some("yes"), false).expect("an open input");
    rig.line("went on").await;
    rig.manager.send(process, None, true).expect("an open input");
    rig.seen(|detail| detail.prompt.is_none()).await;
    assert_eq!(rig.exit().await.1, State::Success);
}

#[tokio::test]
async fn a_flood_on_a_terminal_loses_no_line_and_slows_nothing_that_is_attached() {
    let mut rig = Rig::new(Mode::Current);
    let process = rig.start_new(with_terminal("read -r go; seq 40000")).await;
    let mut terminal = rig.manager.attach(process).expect("a terminal");
    rig.manager.send(process, Some("go"), false).expect("an open input");
    // Nobody takes what it prints.
    assert_eq!(rig.exit().await.1, State::Success);
    assert_eq!(rig.texts().last().map(String::as_str), Some("40000"));
    let texts = rig.texts();
    let numbers = texts.iter().filter(|text| text.parse::<u32>().is_ok()).count();
    assert_eq!(numbers, 40000);
    let mut seen = 0;
    let mut lost = 0;
    while let Some(piece) = terminal.take(64 << 10) {
        (seen, lost) = (seen + piece.bytes.len() as u64, lost + piece.lost);
    }
    assert!(lost > 0 && seen <= 128 << 10, "{seen} shown, {lost} lost");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_use_of_a_tree_is_that_of_all_its_processes() {
    let config = ProcessManagerConfig {
        usage_interval: Duration::from_millis(100),
        ..ProcessManagerConfig::default()
    };
    let mut rig = Rig::with(Mode::Current, &config);
    let listen = "python3 -c 'import socket,time; s=socket.create_server((\"127.0.0.1\",0)); \
                  print(s.getsockname()[1], flush=True); x=bytearray(30<<20); time.sleep(1000)'";
    // The one that listens has left the group and the session.
    let script = format!("setsid {listen} & while :; do :; done & wait");
    let process = rig.start_new(ProcessInfo::of_shell(&script)).await;
    let port = loop {
        let printed = rig.texts().first().and_then(|line| line.parse::<u16>().ok());
        match printed {
            Some(port) => break port,
            None => drop(timeout(DEADLINE, rig.sink.arrived.notified()).await),
        }
    };
    let usage = rig.usage(|usage| usage.ports == [port] && usage.cpu > 0 && usage.memory > 30 << 20).await;
    assert_eq!(usage.processes, 3, "{usage:?}");
    let samples = rig.resources.metrics().snapshot().process.usage_samples;
    assert!(samples > 1);
    // Switched off, there are no more.
    let off = ProcessManagerConfig { usage_interval: Duration::ZERO, ..config };
    rig.manager.reconfigure(&off);
    rig.manager.stop(process).await.expect("a stop");
}
