//! Whatever an editor asks is answered once and harms nobody, and whatever it asks for is bounded.

use super::{search::Rig, *};

const METHODS: &[&str] = &[
    "stop",
    "describe",
    "restart",
    "watch",
    "unwatch",
    "search",
    "unsearch",
    "write",
    "load",
    "locate",
    "errors",
    "explain",
    "line",
    "urls_of",
    "previous",
    "place",
    "watch_health",
    "unwatch_health",
    "send",
    "input",
    "resize",
    "attach",
    "detach",
    "no such call",
];

const KEYS: &[&str] = &[
    "id", "seq", "buf", "before", "count", "root", "name", "max", "rows", "from", "filter", "query",
    "previous", "path", "append", "force", "lines", "at", "text", "eof", "bytes", "cols",
];

fn random(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % below as u64).expect("small")
}

/// A value as an editor may send one; mostly one that means something.
fn value(key: &str, root: &str, state: &mut u64) -> rmpv::Value {
    let wild = random(state, 8) == 0;
    let texts =
        ["", "dev", "level:error", "/(/", "/(\\w{40}){90}/", "é\0\u{1b}[31m", "since:9w", "-a b", "\"", "!x"];
    match key {
        _ if wild => match random(state, 9) {
            0 => rmpv::Value::Nil,
            1 => (-1).into(),
            2 => u64::MAX.into(),
            3 => i64::MIN.into(),
            4 => rmpv::Value::F64(f64::NAN),
            5 => rmpv::Value::Binary(b"\xff\0".to_vec()),
            6 => rmpv::Value::Array(vec![rmpv::Value::Nil; 3]),
            7 => rmpv::Value::Map(vec![(rmpv::Value::Nil, 1.into())]),
            _ => "x".repeat(9000).into(),
        },
        "root" => root.into(),
        "path" => format!("{root}/{}", ["a", "b", "none/c", ""][random(state, 4)]).into(),
        "name" | "filter" | "query" | "text" => texts[random(state, texts.len())].into(),
        "bytes" => rmpv::Value::Binary(vec![3; 4]),
        "lines" => rmpv::Value::Array(vec!["src/a.ts(1,2): error TS1: no".into(); random(state, 4)]),
        "previous" | "append" | "force" | "eof" => (random(state, 2) == 0).into(),
        _ => [0_u64, 1, 2, 3, 5, 40, 101, 70_000, u64::from(u32::MAX), 1 << 53, u64::MAX][random(state, 11)]
            .into(),
    }
}

#[tokio::test]
async fn whatever_is_asked_is_answered_once_and_harms_nobody() {
    let mut rig = Rig::new(50, true);
    rig.begin(1, "dev").await;
    rig.print(1, (0..100).map(|line| format!("src/a.ts({line},1): error TS{line}: no"))).await;
    let (to_flush, mut said) = resource::channel(
        &rig.handles.resources,
        Component::Rpc,
        "messages to flush",
        256,
        Waiting::Measured,
    );
    let calls = calls::Calls::new(rig.handles.clone(), to_flush);
    let (mut state, root) = (88_172_645_463_325_252, rig.root());
    for round in 0..40 {
        let (mut asked, mut answered) = (0, std::collections::HashMap::<u64, usize>::new());
        for id in 0..50 {
            let method = METHODS[random(&mut state, METHODS.len())];
            let mut params = Vec::new();
            for key in KEYS {
                if random(&mut state, 10) > 0 {
                    params.push(((*key).into(), value(key, &root, &mut state)));
                }
            }
            match Call::decode(method, rmpv::Value::Map(params)) {
                Ok(call) => {
                    asked += 1;
                    calls.take(id, call).await;
                }
                Err(said) => assert_eq!(said.lines().count(), 1, "{said}"),
            }
        }
        rig.print(1, ["one more".to_owned()]).await;
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while answered.len() < asked {
            assert!(tokio::time::Instant::now() < deadline, "round {round}: {asked} asked, {answered:?}");
            while let Ok(message) = said.try_recv() {
                rig.flush.take(message);
            }
            if let Some(frame) = rig.flush.build().await {
                frame.replies.iter().for_each(|reply| *answered.entry(reply.id).or_default() += 1);
            }
            tokio::task::yield_now().await;
        }
        assert!(answered.values().all(|times| *times == 1), "{answered:?}");
    }
    assert_eq!(rig.handles.resources.metrics().resource.faults.read(), 0);
}

#[tokio::test]
async fn as_many_buffers_watch_and_search_as_there_is_room_for() {
    let mut rig = Rig::new(50, false);
    rig.begin(1, "dev").await;
    rig.print(1, (0..40).map(|line| format!("line {line}"))).await;
    let (mut refused, mut watched) = (0, 0);
    for buf in 0..400 {
        let filter = (buf % 2 == 0).then(|| "line".to_owned());
        let (root, name) = (None, Some("dev".to_owned()));
        rig.flush.take(ToFlush::Watch(
            1,
            protocol::Watch { buf, root, name, max: 9, rows: None, from: None, filter },
        ));
    }
    while refused + watched < 400 {
        let (ok, err) = rig
            .until(|frame| {
                let err = frame.replies.iter().filter_map(|reply| reply.err.as_deref());
                let err =
                    err.inspect(|err| assert_eq!(*err, "watch: 256 buffers watch a log already")).count();
                Some((frame.replies.len() - err, err))
            })
            .await;
        (watched, refused) = (watched + ok, refused + err);
    }
    assert_eq!((watched, refused), (256, 144));
    // One that watches may watch something else, and one that ends makes room.
    let (root, name, filter) = (None, Some("dev".to_owned()), None);
    let again = protocol::Watch { buf: 7, root, name, max: 9, rows: None, from: None, filter };
    rig.flush.take(ToFlush::Watch(1, again.clone()));
    rig.reply().await.expect("it watches already");
    rig.flush.take(ToFlush::Unwatch(1, 7));
    rig.flush.take(ToFlush::Watch(1, protocol::Watch { buf: 999, ..again }));
    assert_eq!(rig.until(|frame| (frame.replies.len() == 2).then_some(())).await, ());
    for buf in 0..100 {
        let (root, name, query) = (None, None, "line".to_owned());
        rig.flush
            .take(ToFlush::Search(1, protocol::Search { buf, root, name, query, max: 9, previous: false }));
    }
    let mut done = std::collections::HashSet::new();
    while !done.contains(&99) || done.len() < 16 {
        let found = rig.until(|frame| {
            let done = frame.hits.iter().filter(|patch| patch.done).map(|patch| patch.buf);
            Some(done.collect::<Vec<_>>())
        });
        done.extend(found.await);
    }
    assert!(done.iter().all(|buf| *buf >= 84), "the first ones were ended: {done:?}");
}

#[tokio::test]
async fn a_wrong_filter_leaves_a_buffer_what_it_shows() {
    let mut rig = Rig::new(50, false);
    rig.begin(1, "dev").await;
    let (root, name) = (None, Some("dev".to_owned()));
    let watch = protocol::Watch { buf: 5, root, name, max: 9, rows: None, from: None, filter: None };
    rig.flush.take(ToFlush::Watch(1, watch.clone()));
    rig.reply().await.expect("it is watched");
    rig.flush.take(ToFlush::Watch(2, protocol::Watch { filter: Some("/(/".to_owned()), ..watch }));
    rig.reply().await.expect_err("the filter is wrong");
    rig.print(1, ["still here".to_owned()]).await;
    rig.until(|frame| frame.logs.iter().any(|patch| patch.lines == ["still here"]).then_some(())).await;
}
