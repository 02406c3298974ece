//! Logs in the editor: lossless, in order, calm under the cursor.

use serde_json::json;

use crate::support::{
    host::{Host, Part},
    nvim::Nvim,
    project::Project,
};

/// Prints a first line, waits until the test has written a file, prints the rest.
fn waits(then: &str) -> Project {
    let project = Project::with(&[("late", "sh late.sh")]);
    project.write("late.sh", format!("echo ready; while [ ! -e go ]; do sleep 0.02; done; {then}\n"));
    project
}

const LATE: &str = "brummer://logs/late";

#[test]
fn a_hundred_thousand_lines_are_counted_and_the_last_one_is_there_when_the_exit_is_told() {
    let project = Project::with(&[("flood", "seq 1 100000"), ("one", "echo 1")]);
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun one");
    nvim.wait_state("one", &["success"]);
    nvim.wait_until("the first exit", |nvim| nvim.events("BrummerProcessExited").len() == 1);
    // What the package manager itself prints before the script's first line.
    let header = nvim.wait_line("brummer://logs/one", "1");
    let header = nvim.lines("brummer://logs/one")[..].iter().position(|line| line == "1").unwrap_or(header);
    nvim.ex("BrummerRun flood");
    nvim.wait_until("the exit of flood", |nvim| nvim.events("BrummerProcessExited").len() == 2);
    let event = &nvim.events("BrummerProcessExited")[1];
    assert_eq!(event["logs"]["brummer://logs/flood"]["last"], "100000", "{event}");
    let status = nvim.status("flood");
    assert_eq!(status["lines"], 100_000 + header, "{status}");
    assert_eq!((&status["state"], &status["exit_code"]), (&json!("success"), &json!(0)));
    // What had been left out while it went too fast comes now, as much as is kept.
    nvim.wait_until("the copy to be whole", |nvim| {
        let held = nvim.lines("brummer://logs/flood");
        let numbers: Vec<u64> = held.iter().filter_map(|line| line.parse().ok()).collect();
        assert!(numbers.is_sorted(), "lines are out of order");
        numbers.iter().rev().zip((1..=100_000).rev()).take_while(|(have, want)| *have == want).count()
            >= 9_900
    });
}

#[test]
fn no_line_is_lost_on_the_wire() {
    let project = Project::with(&[("flood", "seq 1 100000"), ("one", "echo 1")]);
    let host = Host::start(project.root());
    host.watch(3, project.root(), "one", 1000);
    let one = host.run(project.root(), &["one"])[0];
    host.wait_exit_event(one, 1);
    let header = {
        let seen = host.seen();
        let at = seen.lines(3).iter().position(|line| line == "1").unwrap();
        seen.buffers[&3].seqs[at] - 1
    };
    host.watch(5, project.root(), "flood", 200_000);
    let flood = host.run(project.root(), &["flood"])[0];
    host.wait_exit_event(flood, 1);
    let seen = host.seen();
    let buffer = &seen.buffers[&5];
    assert_eq!(buffer.total, 100_000 + header);
    assert_eq!(buffer.lines.len(), buffer.seqs.len());
    assert_eq!(buffer.lines.last().map(String::as_str), Some("100000"));
    assert_eq!(buffer.skipped + buffer.lines.len() as u64, buffer.total, "skipped lines are counted");
    for (seq, line) in buffer.seqs.iter().zip(&buffer.lines).filter(|(seq, _)| **seq > header) {
        assert_eq!(line.parse(), Ok(seq - header), "line {seq}");
    }
    drop(seen);
    host.wait("what had been left out and is kept", |seen| {
        let seqs = &seen.buffers[&5].seqs;
        let whole =
            seqs.iter().rev().zip((0..=100_000 + header).rev()).take_while(|(have, want)| *have == want);
        (whole.count() >= 9_900).then_some(())
    });
    let seen = host.seen();
    // Revisions count the frames; the exit comes behind the last line of every watched buffer.
    assert!(seen.revs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{:?}", seen.revs);
    let last = seen
        .timeline
        .iter()
        .rposition(|part| matches!(part, Part::Log { buf: 5, count: 1.., late: false }))
        .unwrap();
    let exit = seen
        .timeline
        .iter()
        .position(
            |part| matches!(part, Part::Event(event) if event["kind"] == "exited" && event["id"] == flood),
        )
        .unwrap();
    assert!(last < exit);
}

#[test]
fn an_editor_that_does_not_answer_is_sent_nothing_more() {
    let project = Project::with(&[("flood", "seq 1 100000; touch done")]);
    let host = Host::start(project.root());
    host.watch(5, project.root(), "flood", 10_000);
    host.hold();
    let answer = host.call("run", &json!({ "root": project.root(), "names": ["flood"], "args": [] }));
    assert!(crate::support::proc::poll(|| project.exists("done")), "the script waits for the editor");
    assert!(host.seen().most_unanswered <= 1);
    host.release();
    let started = host.reply(answer).unwrap();
    let id = started["started"][0]["id"].as_u64().unwrap();
    host.wait_exit_event(id, 1);
    let seen = host.seen();
    assert_eq!(seen.most_unanswered, 1);
    assert_eq!(seen.lines(5).last().map(String::as_str), Some("100000"));
    let biggest = seen.timeline.iter().filter_map(|part| match part {
        Part::Log { count, .. } => Some(*count),
        _ => None,
    });
    assert!(biggest.max().unwrap_or_default() <= 500, "a frame is bounded");
}

#[test]
fn a_buffer_that_asks_for_it_is_sent_whole_again() {
    let project = Project::with(&[("dev", "echo one; echo two; exec sleep 1000"), ("other", "echo other")]);
    let host = Host::start(project.root());
    host.watch(5, project.root(), "dev", 1000);
    host.run(project.root(), &["dev"]);
    host.wait("two", |seen| seen.lines(5).iter().any(|line| line == "two").then_some(()));
    let before = host.seen().lines(5).to_vec();
    let resets = host.seen().buffers[&5].resets;
    host.ask_reset(5);
    // Any frame carries the wish back.
    host.ask("scripts", &json!({ "dir": project.root() })).unwrap();
    host.wait("the buffer again", |seen| {
        (seen.buffers[&5].resets > resets && seen.lines(5) == before).then_some(())
    });
}

#[test]
fn a_restart_keeps_the_old_lines_and_numbers_go_on() {
    let project = Project::with(&[("dev", "echo up; exec sleep 1000")]);
    let host = Host::start(project.root());
    host.watch(5, project.root(), "dev", 1000);
    let id = host.run(project.root(), &["dev"])[0];
    let ups = |count: usize| {
        host.wait(&format!("{count} starts"), |seen| {
            (seen.lines(5).iter().filter(|line| *line == "up").count() == count).then_some(())
        });
    };
    ups(1);
    host.ask("restart", &json!({ "id": id })).unwrap();
    ups(2);
    let seen = host.seen();
    let buffer = &seen.buffers[&5];
    let expected: Vec<u64> = (1..=buffer.lines.len() as u64).collect();
    assert_eq!(buffer.seqs, expected);
    assert!(buffer.runs.iter().any(|run| run["run"] == 2), "{:?}", buffer.runs);
}

#[test]
fn a_window_follows_until_the_cursor_leaves_the_last_line() {
    let project = waits("seq 1 500; while [ ! -e more ]; do sleep 0.02; done; seq 501 1000");
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun late");
    nvim.wait_line(LATE, "ready");
    project.write("go", "");
    nvim.wait_until("the cursor on the last line", |nvim| {
        nvim.lines(LATE).last().is_some_and(|line| line == "500")
            && nvim.position().0 == nvim.lines(LATE).len() as u64
    });
    nvim.keys("10k");
    let (before, line) = nvim.wait_for("the cursor up", |nvim| {
        let line = nvim.text_at_cursor();
        (line == "490").then(|| (nvim.lua("vim.fn.line('w0')"), line))
    });
    project.write("more", "");
    nvim.wait_line(LATE, "1000");
    assert_eq!(nvim.text_at_cursor(), line, "the cursor stays on its line");
    assert_eq!(nvim.lua("vim.fn.line('w0')"), before);
    nvim.keys("G");
    nvim.wait_until("the end", |nvim| nvim.text_at_cursor() == "1000");
}

#[test]
fn a_selection_is_yanked_as_it_was_seen() {
    let project = waits("seq 1 100000");
    let nvim = Nvim::start(project.root());
    nvim.command("set cmdheight=1");
    nvim.ex("BrummerRun late");
    let line = nvim.wait_line(LATE, "ready");
    nvim.keys(&format!("{line}GVkk"));
    nvim.wait_until("Visual mode", |nvim| nvim.mode() == "V" && nvim.position().0 == line as u64 - 2);
    let selected = nvim.lines(LATE)[line - 3..line].join("\n") + "\n";
    project.write("go", "");
    nvim.wait_state("late", &["success"]);
    assert_eq!(nvim.mode(), "V");
    nvim.keys("y");
    nvim.wait_until("normal mode", |nvim| nvim.mode() == "n");
    assert_eq!(nvim.lua("vim.fn.getreg('\"')"), selected.as_str());
}

#[test]
fn a_hidden_log_is_brought_up_to_date_when_it_is_shown() {
    let project = waits("echo later");
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun late");
    nvim.wait_line(LATE, "ready");
    nvim.keys("q");
    nvim.wait_until("the window to be closed", |nvim| nvim.shown().iter().all(|name| name != LATE));
    project.write("go", "");
    nvim.wait_state("late", &["success"]);
    nvim.ex("Brummer logs late");
    nvim.wait_line(LATE, "later");
    nvim.wait_screen("later");
}

#[test]
fn colours_carriage_returns_and_links_are_drawn_not_shown() {
    let nvim = Nvim::at(crate::support::shop()).size(80, 40).start();
    nvim.command("set termguicolors");
    nvim.ex("BrummerRun colors");
    nvim.wait_screen("progress 100%");
    nvim.wait_until("a true colour", |nvim| {
        nvim.highlight_of("true colour").is_some_and(|highlight| highlight.fg == Some(0x00ff_69b4))
    });
    nvim.wait_until("bold", |nvim| nvim.highlight_of("bold").is_some_and(|highlight| highlight.bold));
    let lines = nvim.lines("brummer://logs/colors");
    assert!(lines.iter().any(|line| line == "progress 100%"), "{lines:#?}");
    assert!(lines.iter().any(|line| line == "a link"), "{lines:#?}");
}

#[test]
fn the_bar_above_a_log_says_what_broke() {
    let nvim = Nvim::start(crate::support::shop());
    nvim.ex("BrummerRun dev");
    nvim.wait_until("the bar", |nvim| {
        nvim.screen()
            .lines()
            .any(|row| row.contains("● dev") && row.contains("1 error") && row.contains("following"))
    });
    nvim.ex("BrummerRun fail");
    nvim.wait_until("the bar of fail", |nvim| {
        nvim.screen().lines().any(|row| row.contains("✗ fail") && row.contains("exit 3"))
    });
}

#[test]
fn what_a_refused_frame_said_is_said_again() {
    let project = Project::with(&[("dev", "printf '\\033[31mred\\033[0m\\n'; exit 4")]);
    let host = Host::start(project.root());
    host.watch(5, project.root(), "dev", 1000);
    // The frame with the answer, and whatever is ready by then, is lost.
    host.refuse_next();
    let id = host.run(project.root(), &["dev"])[0];
    let exit = host.wait_exit_event(id, 1);
    assert_eq!(exit["exit_code"], 4);
    host.refuse_next();
    host.ask("scripts", &json!({ "dir": project.root() })).unwrap();
    host.wait("the lines with their colour", |seen| {
        let buffer = seen.buffers.get(&5)?;
        let whole = buffer.lines.iter().any(|line| line == "red") && buffer.spans > 0 && buffer.styles > 0;
        (whole && buffer.resets > 1).then_some(())
    });
    let seen = host.seen();
    assert_eq!(seen.events("exited").len(), 1, "said once to whoever listened");
    assert_eq!(seen.procs[&id]["state"], "failed");
}

#[test]
fn an_errors_mark_comes_with_its_line() {
    let project = Project::with(&[("late", "seq 1 8000; echo 'src/a.ts(3,7): error TS2322: no'")]);
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["late"])[0];
    host.wait_state(id, &["success"]);
    host.watch(5, project.root(), "late", 10_000);
    host.wait("the last line", |seen| {
        seen.lines(5).last().is_some_and(|line| line.contains("TS2322")).then_some(())
    });
    let seen = host.seen();
    let buffer = &seen.buffers[&5];
    assert_eq!((buffer.early_marks, buffer.marks.len()), (0, 1));
    assert_eq!(buffer.marks[0].0, *buffer.seqs.last().unwrap());
}

#[test]
fn the_merged_log_names_processes_marks_and_runs_and_exits_come_after_its_lines() {
    let project =
        Project::with(&[("one", "seq 1 6000; exit 1"), ("two", "echo 'src/a.ts(3,7): error TS2322: no'")]);
    let host = Host::start(project.root());
    host.ask("watch", &json!({ "buf": 7, "max": 100_000 })).unwrap();
    let two = host.run(project.root(), &["two"])[0];
    host.wait_exit_event(two, 1);
    let one = host.run(project.root(), &["one"])[0];
    host.wait_exit_event(one, 1);
    let seen = host.seen();
    let buffer = &seen.buffers[&7];
    assert_eq!(buffer.ids.len(), buffer.lines.len());
    assert_eq!(buffer.mark_ids, [two]);
    let at =
        buffer.ids.iter().zip(&buffer.seqs).position(|(id, seq)| (*id, *seq) == (two, buffer.marks[0].0));
    assert!(buffer.lines[at.unwrap()].contains("TS2322"), "numbers are those of the process's own log");
    assert_eq!(buffer.lines.last().map(String::as_str), Some("6000"));
    let last = seen
        .timeline
        .iter()
        .rposition(|part| matches!(part, Part::Log { buf: 7, count: 1.., late: false }))
        .unwrap();
    let exit = seen
        .timeline
        .iter()
        .rposition(|part| matches!(part, Part::Event(event) if event["kind"] == "exited"));
    assert!(last < exit.unwrap());
}

#[test]
fn lines_that_were_forgotten_before_they_were_sent_hold_nothing_up() {
    let project =
        Project::with(&[("big", "head -c 9000 /dev/zero | tr '\\0' x; echo"), ("next", "echo next")]);
    project.write(".brum.toml", "[log_store]\nmax_bytes = 4096\n");
    let host = Host::start(project.root());
    host.watch(5, project.root(), "big", 1000);
    host.ask("watch", &json!({ "buf": 7, "max": 1000 })).unwrap();
    for times in 1..=2 {
        let id = host.run(project.root(), &["big"])[0];
        host.wait_exit_event(id, times);
    }
    let next = host.run(project.root(), &["next"])[0];
    host.wait_exit_event(next, 1);
}
