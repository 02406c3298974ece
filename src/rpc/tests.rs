//! What is sent, byte for byte. The session itself is tested with a real editor, in `tests/it`.

use std::{sync::Arc, time::Duration};

use nvim_rs::Neovim;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};

use super::{
    Handles, Report, calls, dispatch,
    flush::{Flush, ToFlush},
    frame::{LogPatch, Reply},
    health::HealthWatch,
    patch::{self, LIMIT_LINE},
    protocol::{self, Call, Entry},
    stdio,
    watch::Watch,
};
use crate::{
    bus::EventBus,
    config::{Config, Mode, ResourcesConfig, Settings},
    event::{Component, Event, Exit, Health, ProcessId, ProcessInfo, RunId, Seq, State, Timestamp},
    history::{History, Recorder},
    logs::{Chunk, Logs, Part, Slice, StyleTable},
    metrics::Measure,
    model::{Ended, HAPPENINGS},
    process::{Manager, OutputBatch, Parts, Stream},
    resource::{self, ResourceManager, Waiting},
    sync::Mutex,
};

mod search;
mod wire;

/// Generous: nothing here measures time.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

fn watch(name: Option<&str>) -> Watch {
    let name = name.map(str::to_owned);
    Watch::new(protocol::Watch {
        buf: 5,
        root: Some("/p".to_owned()),
        name,
        max: 100,
        rows: None,
        from: None,
        filter: None,
    })
}

/// The patch of one line as a child wrote it.
fn shown(line: &[u8]) -> LogPatch {
    let mut styles = Arc::new(StyleTable::default());
    let chunk = Chunk::of_lines(&[line], &mut styles);
    let part =
        Part { process: ProcessId(1), chunk: Arc::new(chunk), lines: 0..1, first: Seq(1), position: Seq(1) };
    let slice = Slice { parts: vec![part], next: Seq(2), head: Seq(1), styles, ..Slice::default() };
    patch::log_patch(&watch(Some("dev")), &slice, Seq(1), |_, _| None)
}

#[test]
fn bad_bytes_and_control_characters_have_a_picture_and_colours_stay_on_their_text() {
    let patch = shown(b"a\0b\x1b[31m\xffred\x1b[0m\x01\t!");
    assert_eq!(patch.lines, ["a␀b\u{fffd}red␁\t!"]);
    let [row, start, end, style] = patch.spans[..] else { panic!("one span: {:?}", patch.spans) };
    assert_eq!((row, &patch.lines[0][start as usize..end as usize]), (0, "\u{fffd}red"));
    assert_ne!(style, 0);
}

#[test]
fn a_long_line_is_sent_in_part_and_says_how_long_it_is() {
    let mut line = "é".repeat(LIMIT_LINE).into_bytes();
    line.insert(0, b'x');
    let patch = shown(&line);
    assert_eq!(patch.clipped, [0, u32::try_from(line.len()).unwrap()]);
    assert!(patch.lines[0].len() <= LIMIT_LINE);
    assert!(patch.lines[0].ends_with('é'), "no half character is left at the cut");
}

#[test]
fn lines_of_several_chunks_are_numbered_as_runs_and_a_gap_is_counted() {
    let mut styles = Arc::new(StyleTable::default());
    let part = |styles: &mut Arc<StyleTable>, first, lines: &[&[u8]]| Part {
        process: ProcessId(1),
        chunk: Arc::new(Chunk::of_lines(lines, styles)),
        lines: 0..lines.len(),
        first: Seq(first),
        position: Seq(first),
    };
    let parts = vec![part(&mut styles, 41, &[b"a", b"b"]), part(&mut styles, 43, &[b"c"])];
    let slice = Slice { parts, next: Seq(44), head: Seq(50), styles, ..Slice::default() };
    let patch = patch::log_patch(&watch(Some("dev")), &slice, Seq(1), |_, _| None);
    assert_eq!((patch.skipped, patch.seqs, patch.total, patch.reset), (40, vec![41, 3], 50, true));
    assert_eq!(patch.times.iter().skip(1).step_by(2).sum::<u64>(), 3);
}

#[test]
fn a_frame_leaves_out_what_is_absent() {
    let bytes = rmp_serde::to_vec_named(&LogPatch { buf: 1, ..LogPatch::default() }).unwrap();
    let value = rmpv::decode::read_value(&mut bytes.as_slice()).unwrap();
    let keys: Vec<_> = value.as_map().unwrap().iter().filter_map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["buf", "next", "total", "lines", "seqs", "times"]);
}

#[test]
fn a_run_rule_tells_how_the_run_before_ended() {
    let mut watch = watch(Some("dev"));
    watch.which = Some(crate::logs::Which::Process(ProcessId(1)));
    let mark = crate::logs::RunMark {
        seq: Seq(9),
        run: RunId(4),
        number: 2,
        process: ProcessId(1),
        at: Timestamp(3),
    };
    let slice = Slice { runs: vec![mark], ..Slice::default() };
    let ended = Ended { number: 1, state: State::Failed, exit: Exit::Signal(15), took: 41 };
    let patch = patch::log_patch(&watch, &slice, watch.next, |_, number| (number == 1).then_some(ended));
    let [run] = &patch.runs[..] else { panic!("one run") };
    let before = run.prev.as_ref().expect("the run before");
    assert_eq!((run.run, before.signal.as_deref(), before.took), (2, Some("SIGTERM"), 41));
}

#[test]
fn calls_are_read_and_unknown_ones_named() {
    let map = |pairs: &[(&str, rmpv::Value)]| {
        rmpv::Value::Map(pairs.iter().map(|(key, value)| (rmpv::Value::from(*key), value.clone())).collect())
    };
    let stop = Call::decode("stop", map(&[("id", 3.into()), ("later", true.into())]));
    assert_eq!(stop, Ok(Call::Stop(protocol::Entry { id: 3 })));
    let errors = Call::decode("errors", rmpv::Value::Array(Vec::new()));
    assert_eq!(errors, Ok(Call::Errors(protocol::ErrorsOf { id: None, root: None })), "an empty Lua table");
    assert_eq!(Call::decode("health", rmpv::Value::Array(Vec::new())), Ok(Call::Health));
    let watched = Call::decode("watch_health", map(&[("buf", 5.into())]));
    assert_eq!(watched, Ok(Call::WatchHealth(protocol::Buffer { buf: 5 })));
    // Lua sends any bytes as a string.
    let keys = rmpv::decode::read_value(&mut &b"\x82\xa2id\x03\xa5bytes\xa3a\xff\x1b"[..]).unwrap();
    let bytes = super::bytes::Bytes(b"a\xff\x1b".to_vec());
    assert_eq!(Call::decode("input", keys), Ok(Call::Input(protocol::Keys { id: 3, bytes })));
    let line = Call::decode("send", map(&[("id", 3.into()), ("eof", true.into())]));
    assert_eq!(line, Ok(Call::Send(protocol::Line { id: 3, text: None, eof: true })));
    assert_eq!(Call::decode("fly", map(&[])), Err("no such call: fly".to_owned()));
    assert!(Call::decode("stop", map(&[("id", "x".into())])).unwrap_err().starts_with("stop: "));
}

#[test]
fn a_reply_has_no_nulls() {
    let value = serde_json::json!({ "a": null, "b": [{ "c": null, "d": 1 }] });
    assert_eq!(dispatch::without_nulls(value), serde_json::json!({ "b": [{ "d": 1 }] }));
}

#[tokio::test]
async fn a_call_that_panics_is_answered_and_is_one_fault() {
    let (resources, mut faults) = ResourceManager::new(&ResourcesConfig::default(), Arc::default());
    let in_call = async { panic!("in the call") };
    let said = calls::answered::<()>(&resources, in_call).await.expect_err("the editor gets an answer");
    assert_eq!(said, "brummer failed inside this call: see its log file");
    let looks = resources.clone();
    let in_work = async move {
        let work = looks.blocking(Component::Rpc, "locate", || panic!("in its work"));
        work.await.ok_or_else(|| "locate failed".to_owned())
    };
    assert_eq!(calls::answered(&resources, in_work).await, Err("locate failed".to_owned()));
    let told: Vec<_> =
        std::iter::from_fn(|| faults.try_recv().ok()).map(|fault| (fault.place, fault.message)).collect();
    assert_eq!(told, [("call", Arc::from("in the call")), ("locate", Arc::from("in its work"))]);
    assert_eq!(resources.metrics().resource.faults.read(), 2);
}

/// What a session works on, what its processes print, and the way into its log store: the test stands between the two.
pub(super) fn handles(
    worker_timeout: Duration,
) -> (Handles, mpsc::Receiver<OutputBatch>, mpsc::Sender<OutputBatch>) {
    let mut config = Config::default();
    config.process_manager.worker_timeout = worker_timeout;
    handles_of(&config, |resources| History::start(&config.log_store, None, resources))
}

/// The same with these settings and this history.
fn handles_of(
    config: &Config,
    history: impl FnOnce(&ResourceManager) -> (History, Recorder),
) -> (Handles, mpsc::Receiver<OutputBatch>, mpsc::Sender<OutputBatch>) {
    let (resources, _faults) = ResourceManager::new(&config.resources, Arc::default());
    let bus = EventBus::start(&config.eventbus, Mode::Current, &resources, Arc::clone(resources.metrics()));
    let (history, recorder) = history(&resources);
    let (logs, to_logs) =
        Logs::start_recorded(&config.log_store, Mode::Current, bus.clone(), &resources, recorder);
    let (output, batches) = mpsc::channel(4);
    let parts = Parts { bus: bus.clone(), resources: resources.clone(), output };
    let manager = Manager::start_manager(&config.process_manager, Mode::Current, parts);
    let settings = Arc::new(Settings::read(std::env::temp_dir(), None));
    let (model, health): (_, Report) = (Arc::default(), Arc::new(|| serde_json::Value::Null));
    (
        Handles { manager, logs, model, resources, bus, settings, health, peers: None, home: None, history },
        batches,
        to_logs,
    )
}

#[tokio::test]
async fn a_restart_that_is_not_taken_holds_up_no_other_command() {
    let (handles, mut batches, _) = handles(Duration::from_secs(600));
    let (to_flush, mut said) =
        resource::channel(&handles.resources, Component::Rpc, "messages to flush", 9, Waiting::Measured);
    let calls = calls::Calls::new(handles.clone(), to_flush);
    let started = handles.manager.start(ProcessInfo::of_shell("exec sleep 60")).await.expect("it starts");
    // Nobody acknowledges that the run begins, so its task takes no command.
    let begin = timeout(DEADLINE, batches.recv()).await.expect("in time").expect("it begins");
    let (Entry { id: stuck }, unknown) = (Entry { id: started.process().0 }, Entry { id: 99 });
    calls.take(1, Call::Restart(Entry { id: stuck })).await;
    calls.take(2, Call::Stop(unknown)).await;
    let answer = timeout(DEADLINE, said.recv()).await.expect("somebody is answered");
    let Some(ToFlush::Reply(Reply { id, err, .. })) = answer else { panic!("a reply") };
    assert_eq!((id, err.as_deref()), (2, Some("no such process: 99")));
    drop((begin, batches));
    let answer = timeout(DEADLINE, said.recv()).await.expect("the restart is answered, too");
    assert!(matches!(answer, Some(ToFlush::Reply(Reply { id: 1, ok: Some(_), .. }))));
    handles.manager.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn lines_that_cannot_be_shown_cost_themselves_and_not_the_session() {
    let (handles, _, to_logs) = handles(DEADLINE);
    let print = |text: &[u8]| OutputBatch::Lines {
        process: ProcessId(1),
        run: RunId(1),
        stream: Stream::Out,
        at: Timestamp(1),
        text: text.to_owned(),
        cut: Vec::new(),
        after_exit: false,
    };
    let mut flush = flush(&handles);
    flush.take(ToFlush::Watch(
        1,
        protocol::Watch { buf: 5, root: None, name: None, max: 100, rows: None, from: None, filter: None },
    ));
    let mut shown = Vec::new();
    for text in [b"before\n".to_vec(), [patch::PLANTED, b"\n"].concat(), b"after\n".to_vec()] {
        to_logs.send(print(&text)).await.expect("the store runs");
        while handles.logs.counts().await.expect("the store runs").lines < shown.len() as u64 + 1 {}
        let frame = flush.build().await;
        shown
            .push(frame.map_or(Vec::new(), |frame| frame.logs.into_iter().flat_map(|it| it.lines).collect()));
    }
    assert_eq!(shown, [vec!["before"], vec![], vec!["after"]]);
    assert_eq!(handles.resources.metrics().resource.faults.read(), 1);
}

#[tokio::test]
async fn an_editor_that_takes_no_frame_costs_bounded_memory() {
    let (handles, ..) = handles(DEADLINE);
    let mut flush = flush(&handles);
    for round in 0..5 {
        let at = Timestamp(round);
        for process in 1..=900 {
            let (process, run, info) =
                (ProcessId(process), RunId(round), Arc::new(ProcessInfo::of_shell("a")));
            handles.model.update(&Event::ProcessPending { process, run, info, at });
            handles.model.update(&Event::ProcessStarted { process, run, pid: 1, after: Seq(0), at });
        }
        let frame = flush.build().await.expect("there is news");
        assert!(frame.events.len() <= 2 * HAPPENINGS, "{}", frame.events.len());
        flush.take_back(frame);
    }
}

/// The owner of the frames to an editor that never answers.
fn flush(handles: &Handles) -> Flush {
    let (near, _far) = tokio::io::duplex(64);
    let (reader, writer) = tokio::io::split(near);
    let writer: stdio::Writer = Box::new(writer);
    let (editor, _io) = Neovim::new(reader.compat(), writer.compat_write(), Deaf);
    Flush::new(editor, handles.clone())
}

/// Hears nothing.
#[derive(Clone)]
struct Deaf;

impl nvim_rs::Handler for Deaf {
    type Writer = Compat<stdio::Writer>;
}

#[test]
fn a_change_of_health_is_an_event_of_its_own_shape() {
    let event = Event::HealthChanged {
        component: Component::Logs,
        from: Health::Healthy,
        to: Health::Degraded,
        reason: "3 faults in a minute".into(),
        at: Timestamp(7),
    };
    let row = patch::health_row(&event).expect("it is told");
    let expected = serde_json::json!({
        "kind": "health", "component": "logs", "from": "healthy", "to": "degraded", "reason": "3 faults in a minute",
        "at": 7,
    });
    assert_eq!(serde_json::to_value(&row).unwrap(), expected);
    assert!(
        patch::health_row(&Event::LinesArrived { process: ProcessId(1), first: Seq(1), last: Seq(1) })
            .is_none()
    );
}

/// A health report that the test changes, and who watches it.
fn watched(report: serde_json::Value) -> (Arc<Mutex<serde_json::Value>>, HealthWatch) {
    let (resources, _faults) = ResourceManager::new(&ResourcesConfig::default(), Arc::default());
    let report = Arc::new(Mutex::new(report));
    let told = Arc::clone(&report);
    (report, HealthWatch::new(Arc::new(move || told.lock().clone()), resources))
}

#[tokio::test(start_paused = true)]
async fn health_is_sent_while_a_buffer_watches_once_a_second_when_it_changed() {
    let (report, mut watch) = watched(serde_json::json!({ "uptime": 1, "pid": 7 }));
    assert!(watch.take().is_none() && watch.due().is_none(), "nobody watches");
    watch.watch(5);
    assert_eq!(watch.take(), Some(serde_json::json!({ "uptime": 1, "pid": 7 })));
    *report.lock() = serde_json::json!({ "uptime": 900, "pid": 8 });
    assert_eq!(watch.take(), None, "a second has to pass");
    tokio::time::sleep_until(watch.due().expect("a buffer watches")).await;
    assert_eq!(watch.take(), Some(serde_json::json!({ "uptime": 900, "pid": 8 })));
    *report.lock() = serde_json::json!({ "uptime": 1900, "pid": 8 });
    tokio::time::sleep_until(watch.due().expect("a buffer watches")).await;
    assert_eq!(watch.take(), None, "time alone is no news");
    watch.again();
    assert!(watch.take().is_some(), "what did not arrive is said again");
    watch.unwatch(5);
    tokio::time::advance(std::time::Duration::from_secs(9)).await;
    assert!(watch.take().is_none() && watch.due().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_report_that_panics_is_a_fault_and_no_end() {
    let (resources, mut faults) = ResourceManager::new(&ResourcesConfig::default(), Arc::default());
    let mut watch = HealthWatch::new(Arc::new(|| panic!("no figures")), resources);
    watch.watch(5);
    assert_eq!(watch.take(), None);
    let fault = faults.try_recv().expect("a fault");
    assert_eq!((fault.component, fault.place), (Component::Rpc, "health report"));
}
