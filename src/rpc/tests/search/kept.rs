//! What is kept and was not sent: loaded in front of a line, and written to a file.

use super::*;
use crate::history::Hanging;

#[tokio::test]
async fn what_a_buffer_was_never_sent_is_loaded_in_front_of_a_line() {
    let mut rig = Rig::new(1000, true);
    rig.begin(1, "dev").await;
    for start in (1..3001).step_by(100) {
        rig.print(1, lines(start..start + 100)).await;
    }
    rig.end(1).await;
    let name = Some("dev".to_owned());
    let watch = protocol::Watch {
        buf: 5,
        root: Some(rig.root()),
        name,
        max: 10,
        rows: None,
        from: None,
        filter: None,
    };
    rig.flush.take(ToFlush::Watch(1, watch));
    rig.reply().await.expect("it is watched");
    let mut load = async |before, count| {
        let asked = protocol::Load { buf: 5, before, id: None, count };
        rig.flush.take(ToFlush::Load(2, asked));
        let (mut loaded, mut seqs) = (Vec::new(), Vec::new());
        let reply = rig.until(|frame| {
            for patch in frame.logs.iter().filter(|patch| patch.before == Some(before)) {
                loaded.extend(patch.lines.iter().cloned());
                seqs.extend(unrolled(&patch.seqs, 1));
            }
            frame.replies.first().map(|reply| reply.ok.clone().ok_or_else(|| reply.err.clone()))
        });
        (reply.await, loaded, seqs)
    };
    let (reply, loaded, seqs) = load(2991, 700).await;
    assert_eq!(reply, Ok(serde_json::json!({ "lines": 700, "more": true })));
    assert_eq!((loaded, seqs), (lines(2291..2991).collect(), (2291..2991).collect::<Vec<_>>()));
    let (reply, loaded, seqs) = load(2101, 2000).await;
    assert_eq!(reply, Ok(serde_json::json!({ "lines": 2000, "more": true })), "memory, then history");
    assert_eq!((loaded, seqs), (lines(101..2101).collect(), (101..2101).collect::<Vec<_>>()));
    let (reply, loaded, _) = load(101, 200).await;
    assert_eq!(reply, Ok(serde_json::json!({ "lines": 100 })));
    assert_eq!(loaded, lines(1..101).collect::<Vec<_>>());
    let (reply, ..) = load(1, 200).await;
    assert_eq!(reply, Err(Some("nothing older is kept".to_owned())));
}

#[tokio::test]
async fn all_that_a_view_stands_for_is_written_and_the_file_is_there_whole() {
    let mut rig = Rig::new(1000, true);
    rig.begin(1, "dev").await;
    rig.begin(2, "api").await;
    for start in (1..3001).step_by(100) {
        rig.print(1, lines(start..start + 100)).await;
    }
    rig.print(2, ["\u{1b}[31mred\u{1b}[0m".to_owned()]).await;
    rig.end(1).await;
    rig.end(2).await;
    let all: String = lines(1..3001).map(|line| line + "\n").collect();
    assert_eq!(rig.write("a.log", None, false, false).await, Ok(3000));
    assert_eq!(rig.read("a.log"), all);
    assert_eq!(rig.write("b.log", Some("hit"), false, false).await, Ok(300));
    assert!(rig.read("b.log").lines().eq(all.lines().filter(|line| line.contains("Hit"))));
    let there = rig.dir.path().join("a.log");
    let refused = format!("cannot write {}: it exists (add ! to overwrite it)", there.display());
    assert_eq!(rig.write("a.log", Some("hit"), false, false).await, Err(refused));
    assert_eq!(rig.read("a.log"), all, "and is as it was");
    fs::set_permissions(&there, fs::Permissions::from_mode(0o640)).expect("set");
    std::os::unix::fs::symlink(&there, rig.dir.path().join("link")).expect("linked");
    assert_eq!(rig.write("link", Some("\"line 3000\""), false, true).await, Ok(1));
    assert_eq!(rig.read("a.log"), "line 3000 has a Hit\n", "what a link names is written");
    assert_eq!(fs::metadata(&there).expect("there").permissions().mode() & 0o777, 0o640);
    assert_eq!(rig.write("a.log", Some("\"line 2999\""), true, false).await, Ok(1));
    assert_eq!(rig.read("a.log"), "line 3000 has a Hit\nline 2999\n");
    assert!(rig.write("", None, false, true).await.unwrap_err().ends_with(": it is a directory"));
    let said = rig.write("none/a.log", None, false, false).await.unwrap_err();
    assert!(said.ends_with(": no such file or directory"), "{said}");
    let path = rig.dir.path().join("merged").to_str().expect("UTF-8").to_owned();
    let (root, name, filter) = (Some(rig.root()), None, Some("-hit -/line .{2,}/".to_owned()));
    let asked = protocol::Write { root, name, filter, session: None, path, append: false, force: false };
    dispatch::call(&rig.handles, Call::Write(asked)).await.expect("it is written");
    assert_eq!(rig.read("merged").lines().last(), Some("api: red"), "colours are not");
    let left: Vec<_> =
        fs::read_dir(rig.dir.path()).expect("there").flatten().map(|it| it.file_name()).collect();
    assert_eq!(left.len(), 5, "nothing is left beside: {left:?}");
}

/// Asks, and lets the disk go on only once that is under way.
async fn meanwhile<T>(disk: &Hanging, asking: impl Future<Output = T>) -> T {
    let let_go = async {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        disk.hang(false);
    };
    tokio::join!(asking, let_go).0
}

#[tokio::test]
async fn what_is_still_on_its_way_to_the_disk_is_written_loaded_and_found() {
    let mut config = Config::default();
    config.log_store.max_entries = 1000;
    let (mut disk, dir) = (None, tempfile::tempdir().expect("a directory"));
    let mut rig = Rig::with(dir, &config, |resources| {
        let (history, recorder, hanging) = Hanging::start(resources, DEADLINE);
        disk = Some(hanging);
        (history, recorder)
    });
    let disk = disk.expect("it has been started");
    rig.begin(1, "dev").await;
    rig.print(1, lines(1..3001)).await;
    assert_eq!(meanwhile(&disk, rig.write("a.log", None, false, false)).await, Ok(3000));

    disk.hang(true);
    rig.print(1, lines(3001..6001)).await;
    let name = Some("dev".to_owned());
    let (root, filter) = (Some(rig.root()), None);
    let watch = protocol::Watch { buf: 5, root, name, max: 10, rows: None, from: None, filter };
    rig.flush.take(ToFlush::Watch(1, watch));
    rig.reply().await.expect("it is watched");
    let asked = protocol::Load { buf: 5, before: 4001, id: None, count: 500 };
    rig.flush.take(ToFlush::Load(2, asked));
    let reply = meanwhile(&disk, rig.reply()).await;
    assert_eq!(reply, Ok(serde_json::json!({ "lines": 500, "more": true })));

    disk.hang(true);
    rig.print(1, lines(6001..9001)).await;
    rig.search("\"line 6500\"", Some("dev"), 10, false);
    let found = meanwhile(
        &disk,
        rig.until(|frame| {
            let done = frame.hits.iter().find(|patch| patch.done)?;
            Some(done.total)
        }),
    );
    assert_eq!(found.await, 1);
}
