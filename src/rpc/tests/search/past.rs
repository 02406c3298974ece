//! Lines that are in histories alone: in order, each once, and all that is known of one.

use super::*;

/// What a merged buffer shows: process, line.
type Lines = Vec<(u64, u64)>;

async fn load(rig: &mut Rig, before: u64, id: u64, count: usize) -> Result<Lines, String> {
    let id = u32::try_from(id).expect("a process");
    rig.flush.take(ToFlush::Load(2, protocol::Load { buf: 5, before, id: Some(id), count }));
    let mut loaded = Lines::new();
    let reply = rig.until(|frame| {
        for patch in frame.logs.iter().filter(|patch| patch.before == Some(before)) {
            loaded.extend(unrolled(&patch.ids, 0).into_iter().zip(unrolled(&patch.seqs, 1)));
        }
        frame.replies.first().map(|reply| reply.err.clone())
    });
    reply.await.map_or(Ok(loaded), Err)
}

fn merged(rig: &Rig, max: usize) -> protocol::Watch {
    let root = Some(rig.root());
    protocol::Watch { buf: 5, root, name: None, max, rows: None, from: None, filter: None }
}

#[tokio::test]
async fn the_merged_log_is_loaded_to_its_beginning_each_line_once_in_the_order_printed() {
    let mut rig = Rig::new(200, true);
    rig.begin(1, "dev").await;
    rig.begin(2, "api").await;
    let (mut printed, mut last) = (Lines::new(), [0, 0]);
    for round in 0..300 {
        let process = 1 + round % 2;
        for _ in 0..1 + round % 7 {
            last[process - 1] += 1;
            printed.push((process as u64, last[process - 1]));
        }
        rig.print(u32::try_from(process).expect("few"), lines(0..1 + round as u64 % 7)).await;
    }
    rig.end(1).await;
    rig.end(2).await;
    rig.flush.take(ToFlush::Watch(1, merged(&rig, 50)));
    let mut shown = rig
        .until(|frame| {
            let patch = frame.logs.iter().find(|patch| patch.reset)?;
            Some(unrolled(&patch.ids, 0).into_iter().zip(unrolled(&patch.seqs, 1)).collect::<Lines>())
        })
        .await;
    loop {
        let (id, before) = shown[0];
        match load(&mut rig, before, id, 170).await {
            Ok(older) => shown.splice(0..0, older),
            Err(said) => {
                assert_eq!(said, "nothing older is kept");
                break;
            }
        };
        assert!(shown.len() <= printed.len(), "no line comes twice");
    }
    assert_eq!(shown, printed);
}

#[tokio::test]
async fn what_is_loaded_for_what_a_buffer_no_longer_shows_goes_nowhere() {
    let mut rig = Rig::new(1000, false);
    rig.begin(1, "dev").await;
    rig.print(1, lines(1..901)).await;
    rig.flush.take(ToFlush::Watch(1, merged(&rig, 10)));
    rig.reply().await.expect("it is watched");
    for id in 2..20 {
        rig.flush.take(ToFlush::Load(id, protocol::Load { buf: 5, before: 800, id: Some(1), count: 100 }));
    }
    rig.flush
        .take(ToFlush::Watch(20, protocol::Watch { filter: Some("hit".to_owned()), ..merged(&rig, 10) }));
    let (mut replies, mut refused, mut done) = (0, 0, false);
    while replies < 19 || !done {
        rig.until(|frame| {
            assert!(frame.logs.iter().all(|patch| patch.before.is_none()), "these lines did not pass");
            replies += frame.replies.len();
            refused += frame.replies.iter().filter(|reply| reply.err.is_some()).count();
            done |= frame.logs.iter().any(|patch| patch.reset && patch.total == 90);
            Some(())
        })
        .await;
    }
    assert!(refused >= 10, "{refused}: few are under way at once");
}

#[tokio::test]
async fn what_several_projects_printed_is_found_and_written_in_the_order_of_time() {
    let mut rig = Rig::new(10, true);
    for (process, below) in [(1, "one"), (2, "two")] {
        fs::create_dir(rig.dir.path().join(below)).expect("made");
        rig.begin_in(process, "dev", below).await;
    }
    for round in 0..50 {
        rig.print(1 + round % 2, [format!("line {round}")]).await;
    }
    rig.end(1).await;
    rig.end(2).await;
    let asked = protocol::Search {
        buf: 5,
        root: None,
        name: None,
        query: "line".to_owned(),
        max: 30,
        previous: false,
    };
    rig.flush.take(ToFlush::Search(1, asked));
    let mut found = Vec::new();
    rig.until(|frame| {
        for patch in &frame.hits {
            found.splice(0..0, patch.lines.iter().cloned());
        }
        frame.hits.iter().any(|patch| patch.done).then_some(())
    })
    .await;
    let printed: Vec<_> = (0..50).map(|round| format!("line {round}")).collect();
    assert_eq!(found, printed[20..], "the newest of both");
    let path = rig.dir.path().join("all.log").to_str().expect("UTF-8").to_owned();
    let asked = protocol::Write {
        root: None,
        name: None,
        filter: None,
        session: None,
        path,
        append: false,
        force: false,
    };
    dispatch::call(&rig.handles, Call::Write(asked)).await.expect("it is written");
    assert!(rig.read("all.log").lines().eq(printed.iter().map(|line| format!("dev: {line}"))));
}

#[tokio::test]
async fn a_line_that_only_a_history_has_is_told_with_all_that_is_known_and_leads_to_its_place() {
    let mut rig = Rig::new(10, true);
    rig.begin(1, "dev").await;
    let file = rig.dir.path().join("index.js");
    fs::write(&file, "1\n2\n").expect("written");
    let error = ["\u{1b}[31mTypeError\u{1b}[0m: no price", "    at total (index.js:2:1)"];
    rig.print(1, error.map(str::to_owned)).await;
    rig.print(1, lines(0..100)).await;
    rig.end(1).await;
    let line = async |id, seq, at| {
        let (root, name) = (Some(rig.root()), Some("dev".to_owned()));
        let asked = protocol::LineAt { id, seq, root, name, at };
        dispatch::call(&rig.handles, Call::Line(asked)).await
    };
    let expected = serde_json::json!({
        "text": "TypeError: no price", "bytes": 19, "at": 2, "stream": "out", "rule": "exception",
    });
    assert_eq!(line(1, 1, None).await, Ok(expected.clone()));
    assert_eq!(line(0, 1, Some(2)).await, Ok(expected), "by its session's time alone");
    let gone = Err("this line is no longer kept".to_owned());
    for (id, seq, at) in
        [(0, 1, Some(3)), (0, 1, Some(1)), (0, 1, None), (1, 103, None), (1, u64::MAX, None), (7, 1, None)]
    {
        assert_eq!(line(id, seq, at).await, gone, "{id} {seq} {at:?}");
    }
    assert_eq!(line(1, 102, None).await.expect("it is in memory")["text"], "line 99");
    let place = dispatch::call(&rig.handles, Call::Locate(protocol::LineOf { id: 1, seq: 2 })).await;
    let place = place.expect("it is there");
    assert_eq!((place["file"].as_str(), place["line"].as_u64()), (file.to_str(), Some(2)));
}

#[tokio::test]
async fn a_place_is_looked_for_where_the_script_runs_also_when_it_does_not_run_now() {
    let rig = Rig::new(10, false);
    let dir = rig.dir.path();
    fs::create_dir_all(dir.join("web/src")).expect("made");
    fs::write(dir.join("package.json"), r#"{"workspaces": ["web"]}"#).expect("written");
    fs::write(dir.join("web/package.json"), r#"{"name": "web", "scripts": {"dev": "vite"}}"#)
        .expect("written");
    fs::write(dir.join("web/src/a.ts"), "1\n").expect("written");
    fs::create_dir(dir.join("src")).expect("made");
    fs::write(dir.join("src/a.ts"), "of another\n").expect("written");
    for (name, below) in [(Some("web/dev"), "web/src/a.ts"), (Some("gone"), "src/a.ts"), (None, "src/a.ts")] {
        let (root, name) = (rig.root(), name.map(str::to_owned));
        let lines = vec!["src/a.ts(1,1): error TS1: no".to_owned()];
        let asked = protocol::PlaceOf { root, name, lines, at: 1 };
        let place = dispatch::call(&rig.handles, Call::Place(asked)).await.expect("it is there");
        assert_eq!(place["file"].as_str(), dir.join(below).to_str());
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_hides_no_line_from_a_time() {
    let mut rig = Rig::new(1000, false);
    rig.begin(1, "dev").await;
    for (at, line) in [(1000, "early"), (2500, "late"), (500, "after it was set back")] {
        rig.print_at(1, Some(at), [line.to_owned()]).await;
    }
    for (query, expected) in
        [("since:1970-01-01T00:00:02Z", "late"), ("until:1970-01-01T00:00:00.7Z", "after it was set back")]
    {
        let (shown, _) = rig.found(query, Some("dev"), 10).await;
        assert_eq!(shown.iter().map(|(.., line)| line.as_str()).collect::<Vec<_>>(), [expected], "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_written_to_is_said_and_two_writes_of_one_file_are_whole() {
    let mut rig = Rig::new(10_000, false);
    rig.begin(1, "dev").await;
    rig.print(1, lines(0..5000).map(|line| line + &"-".repeat(300))).await;
    let dir = rig.dir.path().to_owned();
    std::os::unix::fs::symlink("/dev/full", dir.join("full")).expect("linked");
    let said = rig.write("full", Some("\"line 7\""), false, true).await.expect_err("nothing has room there");
    assert!(said.ends_with("no space left on device"), "{said}");
    let said = rig.write("full", None, false, true).await.expect_err("nothing has room there");
    assert!(said.ends_with("no space left on device"), "{said}");
    let fifo = rustix::fs::Mode::from(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, dir.join("pipe"), fifo).expect("a pipe");
    let said = rig.write("pipe", None, false, true).await.expect_err("nobody reads it");
    assert!(said.ends_with("it is a pipe"), "{said}");
    // A link to what is not there yet stays one.
    std::os::unix::fs::symlink("new.log", dir.join("link")).expect("linked");
    assert_eq!(rig.write("link", None, false, false).await, Ok(5000));
    assert_eq!(rig.read("new.log").lines().count(), 5000);
    assert!(fs::symlink_metadata(dir.join("link")).expect("there").is_symlink());
    let write = || rig.write("both.log", None, false, true);
    for _ in 0..5 {
        let written = tokio::join!(write(), write(), write(), write());
        assert_eq!(written, (Ok(5000), Ok(5000), Ok(5000), Ok(5000)));
    }
    assert_eq!(rig.read("both.log"), rig.read("new.log"));
}
