//! What becomes of a filtered buffer when more is known of a line than when it came, and of what waits for such a buffer.

use super::*;
use crate::locate;

/// What a buffer shows: process, line, text.
#[derive(Default)]
struct Shown {
    lines: Vec<(u64, u64, String)>,
    passed_over: i64,
    total: u64,
    marks: Vec<u64>,
}

impl Shown {
    fn apply(&mut self, patch: &LogPatch) {
        let seqs = unrolled(&patch.seqs, 1);
        let mut ids = unrolled(&patch.ids, 0);
        ids.resize(seqs.len(), 1);
        if patch.reset {
            self.lines.clear();
        }
        let target = |(id, seq, _): &(u64, u64, String)| {
            Some(*seq) == patch.before && patch.before_id.is_none_or(|of| u64::from(of) == *id)
        };
        let at = match patch.before {
            Some(_) => self.lines.iter().position(target).expect("in front of a line that is shown"),
            None => self.lines.len(),
        };
        let lines = ids.into_iter().zip(seqs).zip(patch.lines.iter().cloned());
        self.lines.splice(at..at, lines.map(|((id, seq), line)| (id, seq, line)));
        self.passed_over += patch.passed_over;
        self.total = patch.total;
        self.marks.extend(patch.marks.iter().step_by(2));
    }

    fn texts(&self) -> Vec<&str> {
        self.lines.iter().map(|(.., text)| text.as_str()).collect()
    }
}

fn watch(rig: &Rig, name: Option<&str>, filter: &str) -> protocol::Watch {
    let (root, name, filter) = (Some(rig.root()), name.map(str::to_owned), Some(filter.to_owned()));
    protocol::Watch { buf: 5, root, name, max: 1000, rows: None, from: None, filter }
}

/// Frames until the buffer shows this.
async fn until(rig: &mut Rig, shown: &mut Shown, what: impl Fn(&Shown) -> bool) {
    if what(shown) {
        return;
    }
    rig.until(|frame| {
        frame.logs.iter().for_each(|patch| shown.apply(patch));
        what(shown).then_some(())
    })
    .await;
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// It says of itself no level, and what it is is known from the line behind it.
const TITLE: &str = "TypeError: no price";
const FRAME: &str = "    at total (/p/index.js:2:16)";

#[tokio::test]
async fn a_line_that_turns_out_to_be_an_error_later_is_sent_late_in_its_place() {
    assert_eq!(locate::level(TITLE.as_bytes()), None);
    let mut rig = Rig::new(1000, false);
    rig.begin(1, "dev").await;
    rig.flush.take(ToFlush::Watch(1, watch(&rig, Some("dev"), "level:error")));
    let mut shown = Shown::default();
    rig.print(1, owned(&["ERROR one", "quiet", TITLE])).await;
    until(&mut rig, &mut shown, |shown| shown.passed_over == 2).await;
    assert_eq!((shown.texts(), shown.total), (vec!["ERROR one"], 1));
    rig.print(1, owned(&["ERROR two"])).await;
    until(&mut rig, &mut shown, |shown| shown.lines.len() == 2).await;
    // The run is over, and it is told what there was no more about.
    rig.end(1).await;
    rig.handles.model.update(&Event::LinesArrived { process: ProcessId(1), first: Seq(5), last: Seq(5) });
    until(&mut rig, &mut shown, |shown| shown.lines.len() == 3).await;
    assert_eq!(shown.texts(), ["ERROR one", TITLE, "ERROR two"]);
    assert_eq!((shown.total, shown.passed_over), (3, 1), "it is not passed over any more");
    assert!(shown.marks.contains(&3), "{:?}", shown.marks);
    // Behind it nothing has passed.
    rig.print(1, owned(&["quiet", TITLE])).await;
    until(&mut rig, &mut shown, |shown| shown.passed_over == 3).await;
    rig.print(1, owned(&[FRAME])).await;
    until(&mut rig, &mut shown, |shown| shown.lines.len() == 4).await;
    assert_eq!((shown.lines[3].1, shown.lines[3].2.as_str()), (6, TITLE));
    assert_eq!((shown.total, shown.passed_over), (4, 3));
}

#[tokio::test]
async fn in_the_merged_log_it_goes_between_lines_of_others_and_never_twice() {
    let mut rig = Rig::new(1000, false);
    rig.begin(1, "dev").await;
    rig.begin(2, "api").await;
    rig.flush.take(ToFlush::Watch(1, watch(&rig, None, "level:error")));
    let mut shown = Shown::default();
    rig.print(2, owned(&["ERROR a"])).await;
    rig.print(1, owned(&[TITLE])).await;
    rig.print(2, owned(&["ERROR b"])).await;
    until(&mut rig, &mut shown, |shown| shown.total == 2 && shown.passed_over == 1).await;
    rig.print(1, owned(&[FRAME])).await;
    until(&mut rig, &mut shown, |shown| shown.lines.len() == 3).await;
    assert_eq!(shown.lines[1], (1, 1, TITLE.to_owned()));
    assert_eq!(shown.texts(), ["ERROR a", TITLE, "ERROR b"]);
    // What was known when the buffer began is not told again.
    rig.flush.take(ToFlush::Watch(2, watch(&rig, None, "level:error")));
    until(&mut rig, &mut shown, |shown| shown.total == 3 && shown.lines.len() == 3).await;
    rig.print(2, owned(&["ERROR c"])).await;
    until(&mut rig, &mut shown, |shown| shown.total >= 4).await;
    rig.print(2, owned(&["ERROR d"])).await;
    until(&mut rig, &mut shown, |shown| shown.total >= 5).await;
    assert_eq!(shown.texts(), ["ERROR a", TITLE, "ERROR b", "ERROR c", "ERROR d"]);
}

#[tokio::test]
async fn an_exit_waits_for_its_own_lines_and_not_for_the_end_of_a_flood() {
    let mut rig = Rig::new(100_000, false);
    rig.begin(1, "dev").await;
    rig.begin(2, "api").await;
    rig.flush.take(ToFlush::Watch(1, watch(&rig, None, "line")));
    rig.reply().await.expect("it is watched");
    rig.print(2, ["the last line".to_owned()]).await;
    rig.handles.model.update(&Event::ProcessExited {
        process: ProcessId(2),
        run: RunId(2),
        state: State::Failed,
        exit: Exit::Code(1),
        last: Seq(1),
        reason: None,
        at: Timestamp(9),
    });
    let (mut shown, deadline) = (false, Instant::now() + DEADLINE);
    // More than a frame takes, between any two.
    for round in 0.. {
        assert!(Instant::now() < deadline, "it is held back for as long as the flood goes on");
        rig.print(1, lines(round * 2000..(round + 1) * 2000)).await;
        if let Some(frame) = rig.flush.build().await {
            // What is left out is counted, and shown no more.
            let is_there = |patch: &LogPatch| {
                patch.skipped > 0 || patch.lines.iter().any(|line| line == "the last line")
            };
            shown |= frame.logs.iter().any(is_there);
            if serde_json::to_string(&frame.events).expect("JSON").contains("exited") {
                assert!(shown, "its last line comes first");
                return;
            }
        }
    }
}
