//! What a run prints and when its exit is told, in both implementations.

use super::*;

both_modes! {
    the_exit_tells_code_or_signal_and_comes_after_the_last_line
    a_descendant_that_holds_the_pipe_does_not_hold_the_exit
    the_last_lines_before_an_exit_are_never_lost
    a_child_that_closes_its_output_and_lives_on_is_running
    a_full_output_pipe_makes_the_child_wait_and_loses_nothing
    a_slow_store_does_not_cut_a_run_short
}

async fn the_exit_tells_code_or_signal_and_comes_after_the_last_line(mode: Mode) {
    let mut rig = Rig::new(mode);
    rig.manager.start(ProcessInfo::of_shell("seq 1 5000; echo last >&2; exit 3")).await.unwrap();
    let (_, state, exit, last) = rig.exit().await;
    assert_eq!((state, exit, last), (State::Failed, Exit::Code(3), Seq(5001)));
    let errors = rig.sink.lines.lock().iter().filter(|line| line.stream == Stream::Err).count();
    assert_eq!((errors, rig.texts().len()), (1, 5001), "all lines are in when the exit comes");

    rig.manager.start(ProcessInfo::of_shell("kill -KILL $$")).await.unwrap();
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Failed, Exit::Signal(9)));

    rig.manager.start(ProcessInfo::of_shell("true")).await.unwrap();
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Success, Exit::Code(0)));
}

async fn a_descendant_that_holds_the_pipe_does_not_hold_the_exit(mode: Mode) {
    let mut rig = Rig::new(mode);
    // The child writes only once it can see that its parent has been reaped.
    let script = "(while kill -0 $$ 2>/dev/null; do sleep 0.01; done; while [ ! -e \"$GO\" ]; do sleep 0.01; done; echo late) & echo early";
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let info = ProcessInfo {
        env: vec![("GO".to_owned(), go.display().to_string())],
        ..ProcessInfo::of_shell(script)
    };
    rig.manager.start(info).await.unwrap();
    let (_, state, _, last) = rig.exit().await;
    assert_eq!((state, last), (State::Success, Seq(1)));
    std::fs::write(&go, "").unwrap();
    assert!(rig.line("late").await.after_exit, "a line that comes after the exit says so");
    assert!(!rig.line("early").await.after_exit);
}

async fn the_last_lines_before_an_exit_are_never_lost(mode: Mode) {
    let mut rig = Rig::new(mode);
    for round in 0..40 {
        // Many at once, on both pipes, and an end without a newline.
        let script = format!("seq 1 500; echo oops {round} >&2; printf 'last {round}'; exit 1");
        rig.manager
            .start(ProcessInfo { name: "quick".to_owned(), ..ProcessInfo::of_shell(&script) })
            .await
            .unwrap();
        let (_, state, _, last) = rig.exit().await;
        assert_eq!((state, last), (State::Failed, Seq(502)), "round {round}");
        let lines = std::mem::take(&mut *rig.sink.lines.lock());
        assert_eq!(lines.len(), 502);
        for wanted in [format!("last {round}"), format!("oops {round}"), "500".to_owned()] {
            let found =
                lines.iter().find(|line| line.text == wanted).expect("it is there when the exit is told");
            assert!(!found.after_exit);
        }
    }
}

async fn a_child_that_closes_its_output_and_lives_on_is_running(mode: Mode) {
    let mut rig = Rig::new(mode);
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let script = "echo bye; exec >&- 2>&-; while [ ! -e \"$GO\" ]; do sleep 0.01; done; exit 4";
    let info = ProcessInfo {
        env: vec![("GO".to_owned(), go.display().to_string())],
        ..ProcessInfo::of_shell(script)
    };
    let before = rig.resources.alive();
    let process = rig.manager.start(info).await.unwrap().process();
    rig.line("bye").await;
    let readers_ended = async {
        // The task of the process is left, and what feeds its input.
        while rig.resources.alive() > before + 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, readers_ended).await.expect("both pipes are closed");
    assert_eq!(rig.manager.status(process).unwrap().state, State::Running);
    std::fs::write(&go, "").unwrap();
    let (_, state, exit, last) = rig.exit().await;
    assert_eq!((state, exit, last), (State::Failed, Exit::Code(4), Seq(1)));
}

async fn a_full_output_pipe_makes_the_child_wait_and_loses_nothing(mode: Mode) {
    let (mut rig, mut output) = Rig::unread(mode, &ProcessManagerConfig::default());
    let process = rig.manager.start(ProcessInfo::of_shell("seq 1 300000; echo end")).await.unwrap().process();
    // Nobody reads but for the first acknowledgement: the pipe fills and the child cannot end.
    let Some(OutputBatch::Begin { ack, .. }) = output.recv().await else { panic!("a run begins with Begin") };
    ack.send(Seq(0)).unwrap();
    rig.started().await;
    while output.len() < output.max_capacity() {
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.manager.status(process).unwrap().state, State::Running);
    let sink = Arc::clone(&rig.sink);
    drop(rig.resources.spawn(Component::Logs, "sink", sink.serve(output)));
    let (_, state, _, last) = rig.exit().await;
    assert_eq!((state, last), (State::Success, Seq(300_001)));
    let texts = rig.texts();
    let numbers = texts[..300_000].iter().map(|line| line.parse::<u32>().unwrap());
    assert!(numbers.eq(1..=300_000), "every line, in order");
}

async fn a_slow_store_does_not_cut_a_run_short(mode: Mode) {
    let (mut rig, mut output) = Rig::unread(mode, &ProcessManagerConfig::default());
    // It fits into the kernel's pipe, so that the leader can end with most of it unread.
    rig.manager.start(ProcessInfo::of_shell("seq 1 12000; echo end")).await.unwrap();
    let Some(OutputBatch::Begin { ack, .. }) = output.recv().await else { panic!("a run begins with Begin") };
    ack.send(Seq(0)).unwrap();
    let pid = rig.started().await;
    let leader = PathBuf::from(format!("/proc/{pid}"));
    timeout(DEADLINE, async {
        while leader.exists() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the leader ends although nobody reads");
    // Nothing can be waited for here: the point is that nothing happens while the store is busy for so long.
    tokio::time::sleep(2 * output::DRAIN).await;
    let sink = Arc::clone(&rig.sink);
    drop(rig.resources.spawn(Component::Logs, "sink", sink.serve(output)));
    let (_, _, _, last) = rig.exit().await;
    assert_eq!(last, Seq(12_001));
    assert!(rig.sink.lines.lock().iter().all(|line| !line.after_exit));
}
