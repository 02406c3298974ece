//! Reading back: which sessions, which process, in which order, past what is torn, and while a host writes.

use super::*;

#[tokio::test]
async fn sessions_are_numbered_from_the_newest_and_read_in_both_orders() {
    let mut rig = Rig::new();
    rig.begin(1, "dev");
    rig.print_at(1, 100, "old\n");
    rig.settle().await;
    assert!(rig.reader().sessions()[0].live, "its host lives");
    let Rig { dir, recorder, resources, .. } = rig;
    drop(recorder);
    assert_eq!(resources.drained(DEADLINE).await, 0);
    // Sessions are told apart by when they started.
    tokio::time::sleep(Duration::from_millis(2)).await;
    let mut rig = Rig::within(dir, &LogStoreConfig::default());
    rig.begin(1, "dev");
    rig.begin(2, "api");
    rig.print_at(1, 200, "new\nest\n");
    rig.print_at(2, 300, "of api\n");
    rig.print_at(1, 400, "last\n");
    rig.settle().await;
    let reader = rig.reader();
    let known: Vec<_> = reader.sessions().iter().map(|it| (it.number, it.live)).collect();
    assert_eq!(known, [(1, true), (2, false)]);
    assert_eq!(*reader.sessions()[0].id, **rig.history.session());
    let read = |query: Query| texts(&reader, query);
    assert_eq!(read(Query::default()), ["1 old", "1 new", "2 est", "1 of api", "3 last"]);
    let newest = Query { order: Order::NewestFirst, ..Query::default() };
    assert_eq!(read(newest), ["3 last", "1 of api", "1 new", "2 est", "1 old"]);
    let dev = Query { name: Some("dev".to_owned()), sessions: Sessions::Number(1), ..Query::default() };
    assert_eq!(read(dev), ["1 new", "2 est", "3 last"]);
    let before = Query { sessions: Sessions::Number(2), ..Query::default() };
    assert_eq!(read(before), ["1 old"]);
    let since = Query { since: Some(Timestamp(300)), ..Query::default() };
    assert_eq!(read(since), ["1 of api", "3 last"]);
    let own = Sessions::Id(Arc::clone(rig.history.session()));
    let older =
        Query { sessions: own, process: Some(ProcessId(1)), before: Some(Seq(3)), ..Query::default() };
    assert_eq!(read(older), ["1 new", "2 est"]);
}

#[tokio::test]
async fn a_torn_end_is_not_shown_wherever_it_was_torn() {
    let mut rig = Rig::new();
    rig.begin(1, "dev");
    rig.print(1, "one\n");
    rig.print(1, "two\nthree\n");
    rig.settle().await;
    let whole = fs::read(&rig.files()[0].0).expect("read");
    let last = 48 + "two\nthree\n".len();
    for torn in 1..=last {
        fs::write(&rig.files()[0].0, &whole[..whole.len() - torn]).expect("written");
        assert_eq!(rig.lines(Query::default()), ["1 one"], "{torn} bytes are missing");
    }
    fs::write(&rig.files()[0].0, &whole).expect("written");
    assert_eq!(rig.lines(Query::default()), ["1 one", "2 two", "3 three"]);
}

#[tokio::test]
async fn a_directory_that_is_a_link_is_not_followed() {
    let dir = tempfile::tempdir().expect("a directory");
    let (state, elsewhere) = (dir.path().join("state/brummer"), dir.path().join("elsewhere"));
    fs::create_dir_all(&state).expect("made");
    fs::create_dir(&elsewhere).expect("made");
    symlink(&elsewhere, state.join("history")).expect("linked");
    let mut rig = Rig::within(dir, &LogStoreConfig::default());
    rig.begin(1, "dev");
    rig.print(1, "one\n");
    rig.settle().await;
    let said = rig.fault().await.message;
    assert!(said.contains("history: not a directory"), "{said}");
    assert_eq!(fs::read_dir(elsewhere).expect("there").count(), 0);
    assert!(Reader::open(&rig.base(), &rig.root()).is_err(), "nor is it read");
}

#[tokio::test]
async fn a_file_that_is_a_link_or_a_pipe_is_not_read() {
    let mut rig = Rig::new();
    rig.begin(1, "dev");
    rig.print(1, "one\n");
    rig.settle().await;
    let real = rig.files()[0].0.clone();
    symlink(&real, real.with_file_name("1-1.1.log")).expect("linked");
    let pipe = real.with_file_name("2-1.1.log");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(made.success());
    assert_eq!(rig.lines(Query::default()), ["1 one"]);
    assert_eq!(rig.reader().sessions().len(), 1);
}

#[tokio::test]
async fn an_open_directory_of_the_users_is_closed_to_others() {
    let dir = tempfile::tempdir().expect("a directory");
    let base = dir.path().join("state/brummer/history");
    fs::create_dir_all(&base).expect("made");
    fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).expect("opened");
    let mut rig = Rig::within(dir, &LogStoreConfig::default());
    rig.begin(1, "dev");
    rig.print(1, "one\n");
    rig.settle().await;
    assert_eq!(fs::metadata(&base).expect("there").mode() & 0o777, 0o700);
}

#[tokio::test]
async fn two_hosts_of_one_project_keep_to_themselves() {
    let mut one = Rig::new();
    let base = one.base();
    let root = one.root();
    let other = tempfile::tempdir().expect("a directory");
    let mut two =
        Rig::starting(other, |resources| History::start(&LogStoreConfig::default(), Some(base), resources));
    // Both are this process here, so that only the time tells their sessions apart; or the file that is there.
    let info = ProcessInfo { root, ..ProcessInfo::of_shell("dev") };
    let begin =
        Begin { process: ProcessId(2), run: RunId(1), number: 1, at: Timestamp(1), info: Arc::new(info) };
    two.recorder.begin(&begin);
    one.begin(1, "dev");
    for line in 0..500 {
        one.print(1, &format!("one {line}\n"));
        two.print(2, &format!("two {line}\n"));
    }
    one.settle().await;
    two.settle().await;
    for process in [1, 2] {
        let query = Query { process: Some(ProcessId(process)), ..Query::default() };
        let name = if process == 1 { "one" } else { "two" };
        let expected: Vec<_> = (0..500).map(|line| format!("{} {name} {line}", line + 1)).collect();
        assert_eq!(one.lines(query), expected);
    }
    assert_eq!(one.files().len(), 2, "each has its own file");
}

#[tokio::test]
async fn a_file_that_no_host_made_so_large_is_read_as_far_as_one_may_be() {
    let mut rig = Rig::new();
    rig.begin(1, "dev");
    rig.print(1, "one\n");
    rig.settle().await;
    // A hole: it takes no room on the disk, and more memory than there is.
    let file = fs::OpenOptions::new().write(true).open(&rig.files()[0].0).expect("opened");
    file.set_len(1 << 42).expect("made longer");
    assert_eq!(rig.lines(Query::default()), ["1 one"]);
}
