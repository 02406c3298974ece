//! Every line a child writes is handed over once and in order: of one writer and of many, one after the other, and of
//! those that end in the middle of a line.

use super::*;

both_modes! {
    every_line_of_one_writer_is_there_in_order
    every_line_of_two_writers_is_there_in_order
    every_line_of_fifty_writers_is_there_in_order
    every_line_is_there_across_restarts
    a_crash_in_the_middle_of_a_line_leaves_its_beginning
    a_kill_in_the_middle_of_a_flood_leaves_all_that_was_written
    a_restart_in_the_middle_of_a_flood_leaves_all_that_was_written
}

async fn every_line_of_one_writer_is_there_in_order(mode: Mode) {
    every_line_of(1, 200_000, mode).await;
}

async fn every_line_of_two_writers_is_there_in_order(mode: Mode) {
    every_line_of(2, 50_000, mode).await;
}

async fn every_line_of_fifty_writers_is_there_in_order(mode: Mode) {
    every_line_of(50, 2000, mode).await;
}

/// So many children at once, each with so many lines in blocks on one pipe and a hundredth of that line by line on the
/// other.
async fn every_line_of(writers: usize, lines: usize, mode: Mode) {
    let mut rig = Rig::new(mode);
    let few = lines / 100;
    for writer in 0..writers {
        let script = format!(
            "seq -f '{writer} out %.0f' 1 {lines} & i=0; while [ $i -lt {few} ]; do i=$((i+1)); echo {writer} err $i >&2; done; wait"
        );
        let info = ProcessInfo { name: format!("writer {writer}"), ..ProcessInfo::of_shell(&script) };
        rig.manager.start(info).await.unwrap();
    }
    let mut last = Seq(0);
    for _ in 0..writers {
        let (_, state, _, seq) = rig.exit().await;
        assert_eq!(state, State::Success);
        last = last.max(seq);
    }
    assert_eq!(last, Seq((writers * (lines + few)) as u64), "every line was counted before the last exit");
    let printed = rig.sink.lines.lock();
    let mut next = vec![[0; 2]; writers];
    for line in printed.iter() {
        let words: Vec<&str> = line.text.split(' ').collect();
        let [writer, stream, number] = words[..] else { panic!("{:?} is in pieces", line.text) };
        assert_eq!(stream == "err", line.stream == Stream::Err);
        let next = &mut next[writer.parse::<usize>().unwrap()][usize::from(stream == "err")];
        *next += 1;
        assert_eq!(number.parse::<usize>(), Ok(*next), "the lines of writer {writer}");
    }
    assert!(next.iter().all(|next| *next == [lines, few]), "{next:?}");
}

async fn every_line_is_there_across_restarts(mode: Mode) {
    let mut rig = Rig::new(mode);
    let process = rig.manager.start(ProcessInfo::of_shell("seq 1 3000; printf end")).await.unwrap().process();
    for run in 1..=5 {
        let (_, _, _, last) = rig.exit().await;
        assert_eq!(last, Seq(run * 3001));
        rig.manager.restart(process).await.unwrap();
    }
    rig.exit().await;
    let expected: Vec<String> =
        (1..=3000).map(|number| number.to_string()).chain(["end".to_owned()]).collect();
    assert!(rig.texts().chunks(3001).all(|run| run == expected));
}

async fn a_crash_in_the_middle_of_a_line_leaves_its_beginning(mode: Mode) {
    let mut rig = Rig::new(mode);
    for (script, exit) in [
        ("seq 1 1000; printf half; kill -SEGV $$", Exit::Signal(11)),
        ("seq 1 1000; printf half; kill -KILL $$", Exit::Signal(9)),
        ("seq 1 1000; printf half; exit 7", Exit::Code(7)),
    ] {
        rig.manager.start(ProcessInfo::of_shell(script)).await.unwrap();
        let (_, state, seen, last) = rig.exit().await;
        assert_eq!((state, seen, last), (State::Failed, exit, Seq(1001)), "{script}");
        let lines = std::mem::take(&mut *rig.sink.lines.lock());
        assert!(lines[..1000].iter().zip(1..).all(|(line, number)| line.text == number.to_string()));
        assert_eq!(lines[1000].text, "half");
    }
}

/// Lines of 101 bytes, so that most writes end within one.
const FLOOD: &str = "exec seq -f '%0100.0f' 1 100000000";

async fn a_kill_in_the_middle_of_a_flood_leaves_all_that_was_written(mode: Mode) {
    let mut rig = Rig::new(mode);
    rig.manager.start(ProcessInfo::of_shell(FLOOD)).await.unwrap();
    let pid = i32::try_from(rig.started().await).unwrap();
    rig.line(&whole(500)).await;
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    let (_, state, exit, last) = rig.exit().await;
    assert_eq!((state, exit), (State::Failed, Exit::Signal(9)));
    assert_eq!(last, Seq(rig.sink.lines.lock().len() as u64));
    are_whole(&rig.texts(), 1);
}

async fn a_restart_in_the_middle_of_a_flood_leaves_all_that_was_written(mode: Mode) {
    let mut rig = Rig::new(mode);
    let process = rig.manager.start(ProcessInfo::of_shell(FLOOD)).await.unwrap().process();
    rig.line(&whole(300)).await;
    rig.manager.restart(process).await.unwrap();
    rig.exit().await;
    rig.started().await;
    rig.manager.stop(process).await.unwrap();
    let (_, state, _, last) = rig.exit().await;
    assert_eq!((state, last), (State::Stopped, Seq(rig.sink.lines.lock().len() as u64)));
    are_whole(&rig.texts(), 2);
}

fn whole(number: u64) -> String {
    format!("{number:0100}")
}

/// Lines of [`FLOOD`], of so many runs at most: each number follows the one before, but for the last line of a run, which
/// may be the beginning of the next number.
fn are_whole(lines: &[String], runs: usize) {
    let (mut number, mut begun) = (0, 1);
    for line in lines {
        if number > 0 && *line == whole(1) {
            (number, begun) = (0, begun + 1);
        }
        number += 1;
        let next = whole(number);
        assert!(next.starts_with(line.as_str()), "after {} came {line:?}", number - 1);
        if line.len() < next.len() {
            number = u64::MAX - 1;
        }
    }
    assert!(begun <= runs, "{begun} runs");
}
