//! What a start waits for, what it brings with it, and in which order things end; in both implementations.

use super::*;
use crate::config::{After, Condition, Ready, ReadyProbe, RunOptions};

both_modes! {
    a_start_brings_what_it_comes_after_and_waits_until_that_is_ready
    what_cannot_come_up_fails_who_waits_for_it_with_the_reason
    what_has_ended_well_once_is_not_run_again
    what_runs_already_is_left_as_it_is
    a_stop_takes_back_a_start_that_waits_for_another
    what_is_not_ready_in_time_is_said_and_runs_on
    a_restart_brings_up_what_was_stopped
    a_circle_is_refused_by_name_and_so_is_what_is_not_there
    who_waits_for_a_script_that_is_started_again_waits_on
    who_waits_for_a_script_that_is_restarted_by_hand_waits_on
    stopping_all_ends_first_what_comes_after_something
    leaving_ends_first_what_comes_after_something
    the_limit_counts_what_a_start_brings_with_it
}

fn script(name: &str, script: &str) -> ProcessInfo {
    ProcessInfo { name: name.to_owned(), ..ProcessInfo::of_shell(script) }
}

fn after(info: ProcessInfo, what: &[(&str, Option<Condition>)]) -> ProcessInfo {
    let after =
        what.iter().map(|&(script, condition)| After { script: script.to_owned(), condition }).collect();
    ProcessInfo { options: RunOptions { after, ..info.options.clone() }, ..info }
}

fn ready_by_line(info: ProcessInfo, line: &str, timeout: Duration) -> ProcessInfo {
    let ready = Some(Ready { probe: ReadyProbe::Log(format!("^{line}$")), timeout });
    ProcessInfo { options: RunOptions { ready, ..info.options.clone() }, ..info }
}

fn with_file(info: ProcessInfo, path: &std::path::Path) -> ProcessInfo {
    ProcessInfo { env: vec![("FILE".to_owned(), path.display().to_string())], ..info }
}

/// Becomes ready when the file is there.
fn database(path: &std::path::Path) -> ProcessInfo {
    let text = "while [ ! -e \"$FILE\" ]; do sleep 0.01; done; echo accepting; exec sleep 60";
    ready_by_line(with_file(script("db", text), path), "accepting", DEADLINE)
}

impl Rig {
    async fn start_after(&self, first: Vec<ProcessInfo>, info: ProcessInfo) -> Result<Started, ProcessError> {
        self.manager.begin_start_after(first, info).await?.done().await
    }

    fn state(&self, name: &str) -> State {
        self.status(name).state
    }

    fn status(&self, name: &str) -> Status {
        let known = (1..100)
            .map(ProcessId)
            .find(|process| self.manager.info(*process).is_some_and(|info| info.name == name));
        let status = known.and_then(|process| self.manager.status(process));
        Status::clone(&status.expect("it is known"))
    }

    /// Reason of the next run that fails without having run.
    async fn refusal(&mut self) -> String {
        loop {
            if let Event::ProcessExited { state, exit, reason, .. } = self.event().await
                && exit == Exit::NotStarted
            {
                assert_eq!(state, State::Failed);
                return reason.expect("it says why").to_string();
            }
        }
    }
}

async fn a_start_brings_what_it_comes_after_and_waits_until_that_is_ready(mode: Mode) {
    let mut rig = Rig::new(mode);
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let api = after(script("api", "echo api is up; exec sleep 60"), &[("db", None)]);
    let web = after(script("web", "echo web is up; exec sleep 60"), &[("api", None)]);
    let started = rig.start_after(vec![database(&go), api], web).await.unwrap();
    assert!(matches!(started, Started::New(..)));
    rig.waiting("waiting for db (ready: log /^accepting$/)").await;
    assert_eq!((rig.state("api"), rig.state("web")), (State::Pending, State::Pending));
    std::fs::write(&go, "").unwrap();
    // Lines of two processes have no order between them; starts have.
    rig.line("api is up").await;
    rig.line("web is up").await;
    let [db, api, web] = ["db", "api", "web"].map(|name| rig.status(name).started_at);
    assert!(db <= api && api <= web);
    rig.manager.shutdown(Duration::from_secs(5)).await;
}

async fn what_cannot_come_up_fails_who_waits_for_it_with_the_reason(mode: Mode) {
    let mut rig = Rig::new(mode);
    for (text, condition, reason) in [
        ("exit 1", None, "db exited with 1 before it was ready"),
        ("kill -KILL $$", Some(Condition::Ready), "db was ended by signal 9 before it was ready"),
        ("exit 3", Some(Condition::ExitedOk), "db exited with 3"),
        // Last, because from here on it has ended with 0 once.
        ("exit 0", None, "db exited with 0 before it was ready"),
    ] {
        let db = ready_by_line(script("db", text), "never", DEADLINE);
        rig.start_after(vec![db], after(script("api", "echo not to be seen"), &[("db", condition)]))
            .await
            .unwrap();
        assert_eq!(rig.refusal().await, reason);
    }
    let missing = ProcessInfo { argv: vec!["/nowhere/tool".to_owned()], ..script("tool", "") };
    rig.start_after(vec![missing], after(script("user", "true"), &[("tool", None)])).await.unwrap();
    let reasons = [rig.refusal().await, rig.refusal().await];
    assert_eq!(reasons, ["/nowhere/tool is not installed or not on PATH", "tool could not be started"]);
    assert_eq!(rig.texts(), [""; 0]);
    assert_eq!(rig.resources.metrics().snapshot().process.running, 0);
}

async fn what_has_ended_well_once_is_not_run_again(mode: Mode) {
    let mut rig = Rig::new(mode);
    let migrate = script("migrate", "echo migrated");
    let api = after(script("api", "echo served"), &[("migrate", Some(Condition::ExitedOk))]);
    for _ in 0..2 {
        rig.start_after(vec![migrate.clone()], api.clone()).await.unwrap();
        while rig.exit().await.0 != rig.status("api").run {}
    }
    assert_eq!(rig.texts(), ["migrated", "served", "served"]);
    // One that runs just now is waited for.
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let text = "while [ ! -e \"$FILE\" ]; do sleep 0.01; done; echo migrated again; exit 7";
    rig.manager.start(with_file(script("migrate", text), &go)).await.unwrap();
    rig.started().await;
    rig.start_after(Vec::new(), api).await.unwrap();
    rig.waiting("waiting for migrate (exited-ok)").await;
    std::fs::write(&go, "").unwrap();
    assert_eq!(rig.refusal().await, "migrate exited with 7");
}

async fn what_runs_already_is_left_as_it_is(mode: Mode) {
    let mut rig = Rig::new(mode);
    rig.manager.start(script("cache", "echo cache; exec sleep 60")).await.unwrap();
    rig.line("cache").await;
    let db = after(script("db", "echo db; exec sleep 60"), &[("cache", None)]);
    rig.manager.start(db.clone()).await.unwrap();
    rig.line("db").await;
    let run = rig.status("db").run;
    let cache = rig.status("cache");
    rig.manager.stop(ProcessId(1)).await.unwrap();
    // What something that runs came after is no matter any more.
    let first = vec![script("cache", "echo cache; exec sleep 60"), db];
    rig.start_after(first, after(script("api", "echo api; exec sleep 60"), &[("db", None)])).await.unwrap();
    rig.line("api").await;
    assert_eq!((rig.status("db").run, rig.status("cache").run), (run, cache.run));
    assert_eq!(rig.texts(), ["cache", "db", "api"]);
    rig.manager.shutdown(Duration::from_secs(5)).await;
    while rig.exit().await.0 != run {}
}

async fn a_stop_takes_back_a_start_that_waits_for_another(mode: Mode) {
    let mut rig = Rig::new(mode);
    let directory = tempfile::tempdir().unwrap();
    let db = database(&directory.path().join("never"));
    let api = rig.start_after(vec![db], after(script("api", "echo api"), &[("db", None)])).await.unwrap();
    rig.waiting("waiting for db (ready: log /^accepting$/)").await;
    rig.manager.stop(api.process()).await.unwrap();
    let (_, state, exit, _) = rig.exit().await;
    assert_eq!((state, exit), (State::Stopped, Exit::NotStarted));
    assert!(!rig.state("db").is_terminal(), "what it waited for runs on");
    rig.manager.stop_all(None).await.unwrap();
    assert_eq!(rig.state("db"), State::Stopped);
    assert_eq!(rig.texts(), [""; 0]);
}

async fn what_is_not_ready_in_time_is_said_and_runs_on(mode: Mode) {
    let mut rig = Rig::new(mode);
    let db = ready_by_line(script("db", "exec sleep 60"), "up", Duration::from_millis(50));
    rig.start_after(vec![db], after(script("api", "true"), &[("db", None)])).await.unwrap();
    let late = Readiness::Failed("not ready after 50 ms: log /^up$/".into());
    rig.detail(|detail| detail.readiness == late).await;
    assert_eq!(rig.refusal().await, "db is not ready after 50 ms: log /^up$/");
    assert_eq!(rig.state("db"), State::Running);
    assert_eq!(rig.resources.metrics().snapshot().process.not_ready, 1);
    rig.manager.shutdown(Duration::from_secs(5)).await;
}

async fn a_restart_brings_up_what_was_stopped(mode: Mode) {
    let mut rig = Rig::new(mode);
    let db = script("db", "echo db; exec sleep 60");
    let api = after(script("api", "echo api; exec sleep 60"), &[("db", None)]);
    let api = rig.start_after(vec![db], api).await.unwrap().process();
    rig.line("api").await;
    let first = rig.status("db").run;
    rig.manager.stop_all(None).await.unwrap();
    rig.manager.restart(api).await.unwrap();
    while rig.started().await != rig.status("api").pid.unwrap_or_default() {}
    assert_eq!(rig.state("db"), State::Running);
    assert!(rig.status("db").run > first);
    rig.manager.shutdown(Duration::from_secs(5)).await;
}

async fn a_circle_is_refused_by_name_and_so_is_what_is_not_there(mode: Mode) {
    let rig = Rig::new(mode);
    let [a, b, c] = [("a", "b"), ("b", "c"), ("c", "a")]
        .map(|(name, before)| after(script(name, "true"), &[(before, None)]));
    let refused = rig.start_after(vec![b, c], a).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a → b → c → a: each of them waits for the next, so none can start (after)"
    );
    let missing = after(script("api", "true"), &[("database", None)]);
    let refused = rig.start_after(Vec::new(), missing).await.unwrap_err();
    assert_eq!(refused.to_string(), "api comes after database, which has never been started here (after)");
    assert_eq!(rig.manager.status(ProcessId(1)), None, "nothing was started");
}

async fn who_waits_for_a_script_that_is_started_again_waits_on(mode: Mode) {
    let mut rig = Rig::new(mode);
    let directory = tempfile::tempdir().unwrap();
    // The first run fails, the second one is ready.
    let text = "if [ -e \"$FILE\" ]; then echo up; exec sleep 60; fi; : > \"$FILE\"; exit 1";
    let mut db = ready_by_line(with_file(script("db", text), &directory.path().join("ran")), "up", DEADLINE);
    db.options.restart = crate::config::RestartPolicy {
        when: crate::config::RestartWhen::OnFailure,
        delay: Duration::from_millis(10),
        ..Default::default()
    };
    rig.start_after(vec![db], after(script("api", "echo api"), &[("db", None)])).await.unwrap();
    rig.line("api").await;
    assert_eq!(rig.texts(), ["up", "api"]);
    rig.manager.shutdown(Duration::from_secs(5)).await;
    assert_eq!(rig.resources.metrics().snapshot().process.restarts, 1);
    while rig.exit().await.0 != RunId(1) {}
}

/// Each says when it is asked to end, and takes its time: what ends out of order is seen.
fn slow_to_end(name: &str, what: &[&str]) -> ProcessInfo {
    let text =
        format!("trap 'sleep 0.05; echo {name} ends; exit' TERM; echo {name}; while :; do sleep 0.01; done");
    let what: Vec<_> = what.iter().map(|&script| (script, None)).collect();
    ready_by_line(after(script(name, &text), &what), name, DEADLINE)
}

async fn in_order(rig: &Rig) {
    let first = vec![slow_to_end("db", &[]), slow_to_end("api", &["db"])];
    rig.start_after(first, slow_to_end("web", &["api"])).await.unwrap();
    rig.line("web").await;
}

fn ends(rig: &Rig) -> Vec<String> {
    // A shell may say that its `sleep` was terminated, too.
    rig.texts().into_iter().filter(|line| line.ends_with(" ends")).collect()
}

async fn who_waits_for_a_script_that_is_restarted_by_hand_waits_on(mode: Mode) {
    let mut rig = Rig::new(mode);
    let directory = tempfile::tempdir().unwrap();
    let go = directory.path().join("go");
    let api = after(script("api", "echo api is up; exec sleep 60"), &[("db", None)]);
    rig.start_after(vec![database(&go)], api).await.unwrap();
    rig.waiting("waiting for db (ready: log /^accepting$/)").await;
    rig.started().await;
    let db =
        (1..9).map(ProcessId).find(|id| rig.manager.info(*id).is_some_and(|info| info.name == "db")).unwrap();
    let run = rig.manager.restart(db).await.unwrap();
    assert_eq!(rig.exit().await.1, State::Stopped);
    while rig.status("db").run != run || rig.state("db") != State::Running {
        rig.event().await;
    }
    assert_eq!(rig.state("api"), State::Pending);
    std::fs::write(&go, "").unwrap();
    rig.line("api is up").await;
    rig.manager.shutdown(Duration::from_secs(5)).await;
}

async fn stopping_all_ends_first_what_comes_after_something(mode: Mode) {
    let rig = Rig::new(mode);
    in_order(&rig).await;
    rig.manager.stop_all(Some(PathBuf::from("/elsewhere"))).await.unwrap();
    assert_eq!(rig.state("web"), State::Running, "another root is another matter");
    rig.manager.stop_all(Some(PathBuf::from("/"))).await.unwrap();
    assert_eq!(ends(&rig), ["web ends", "api ends", "db ends"]);
}

async fn leaving_ends_first_what_comes_after_something(mode: Mode) {
    let rig = Rig::new(mode);
    in_order(&rig).await;
    rig.manager.shutdown(DEADLINE).await;
    assert_eq!(ends(&rig), ["web ends", "api ends", "db ends"]);
}

async fn the_limit_counts_what_a_start_brings_with_it(mode: Mode) {
    let config = ProcessManagerConfig { max_processes: 2, ..ProcessManagerConfig::default() };
    let rig = Rig::with(mode, &config);
    let first =
        || vec![script("db", "exec sleep 60"), after(script("api", "exec sleep 60"), &[("db", None)])];
    let web = after(script("web", "true"), &[("api", None)]);
    assert_eq!(rig.start_after(first(), web).await, Err(ProcessError::TooMany(0)));
    assert_eq!(rig.manager.status(ProcessId(1)), None, "all or none");
    let [db, api] = first().try_into().expect("two");
    rig.start_after(vec![db], api).await.unwrap();
    rig.manager.shutdown(Duration::from_secs(5)).await;
}
