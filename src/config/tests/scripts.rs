//! The tables of scripts.

use super::*;

#[test]
fn scripts_are_joined_across_layers_and_know_their_place() {
    let tree = Tree::new(&[
        ("code", "[scripts.dev]\ncommand = 'vite'\nenv = { A = '1', B = '1' }\n[scripts.x]\ncwd = 'sub'\n"),
        ("code/app", "[scripts.dev]\nenv.B = '2'\n\n[scripts.\"db:up\"]\ncommand = \"docker compose up\"\n"),
    ]);
    let loaded = tree.load();
    assert_eq!(loaded.problems, []);
    let scripts = &loaded.config.scripts;
    let dev = &scripts["dev"];
    assert_eq!(dev.command, Some(CommandLine::Shell("vite".to_owned())));
    assert_eq!(dev.env.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["A=1", "B=2"]);
    assert_eq!(dev.place, Place { file: tree.dir.path().join("code/.brum.toml"), line: 2 });
    assert_eq!(scripts["db:up"].place, Place { file: tree.dir.path().join("code/app/.brum.toml"), line: 5 });
    assert_eq!(scripts["x"].place.line, 4);
    assert_eq!(scripts["x"].places["cwd"].line, 5);
}

#[test]
fn what_can_be_wrong_with_a_script() {
    check(
        r#"[scripts]
build = "vite build"
lint = 3
[scripts.dev]
comand = "vite"
command = ""
cwd = 3
env = { PORT = 3000, "A=B" = "x", C = [] }
[scripts.""]
"#,
        &expect![[r#"
            .brum.toml:2: scripts.build: must be a table: scripts.build = { command = … }
            .brum.toml:3: scripts.lint: must be a table, not 3
            .brum.toml:5: scripts.dev.comand: unknown key (did you mean `command`?)
            .brum.toml:6: scripts.dev.command: must say what to run
            .brum.toml:7: scripts.dev.cwd: must be a directory in quotes, not 3
            .brum.toml:8: scripts.dev.env.PORT: must be text in quotes: "3000"
            .brum.toml:8: scripts.dev.env."A=B": is not a name a variable can have
            .brum.toml:8: scripts.dev.env.C: must be text in quotes, not a list
            .brum.toml:9: scripts."": a script needs a name
        "#]],
    );
}

#[test]
fn every_key_of_a_script_reaches_its_run() {
    let loaded = project(
        r#"
        [scripts.api]
        command = ["node", "server.js", ""]
        env_files = [".env.api"]
        runner = "direct"
        pty = true
        stdin = false
        stop_signal = "sigint"
        stop_grace = "3s"
        detach = true
        leave = ["sccache"]
        after = { db = "ready", "web/build" = "exited-ok" }
        ready = { http = "http://localhost:3000/health", timeout = "5s" }
        [scripts.api.restart]
        when = "always"
        delay = "2s"
        max_delay_ms = 9000
        reset_after = "1m"
        limit = 3
        [sets]
        dev = ["api", "web/dev"]
        "#,
    );
    assert_eq!(loaded.problems, []);
    let api = &loaded.config.scripts["api"];
    let argv = ["node", "server.js", ""].map(str::to_owned).to_vec();
    assert_eq!(api.command, Some(CommandLine::Argv(argv)));
    assert_eq!(api.env_files, Some(EnvFiles::Named(vec![".env.api".into()])));
    assert_eq!(api.runner, Some(ScriptRunner::Direct));
    let after = |script: &str, condition| After { script: script.to_owned(), condition: Some(condition) };
    let expected = RunOptions {
        pty: true,
        stdin: false,
        stop_signal: StopSignal::Int,
        stop_grace: Some(Duration::from_secs(3)),
        detach: true,
        leave: vec!["sccache".to_owned()],
        restart: RestartPolicy {
            when: RestartWhen::Always,
            delay: Duration::from_secs(2),
            max_delay: Duration::from_secs(9),
            reset_after: Duration::from_secs(60),
            limit: Some(3),
        },
        after: vec![after("db", Condition::Ready), after("web/build", Condition::ExitedOk)],
        each_time: false,
        ready: Some(Ready {
            probe: ReadyProbe::Http("http://localhost:3000/health".to_owned()),
            timeout: Duration::from_secs(5),
        }),
    };
    assert_eq!(api.options(RunOptions::default()), expected);
    assert_eq!(loaded.config.sets["dev"].scripts, ["api", "web/dev"]);
    assert_eq!(ScriptConfig::default().options(expected.clone()), expected, "what is not set stays");
}

#[test]
fn restart_has_a_short_form_and_sensible_rest() {
    let policy = |text: &str| {
        let loaded = project(&format!("[scripts.a]\nrestart = {text}\n"));
        assert_eq!(loaded.problems, [], "{text}");
        loaded.config.scripts["a"].options(RunOptions::default()).restart
    };
    let default = RestartPolicy::default();
    let when = |when| RestartPolicy { when, ..RestartPolicy::default() };
    assert_eq!(policy("\"never\""), default);
    assert_eq!(policy("\"on-failure\""), when(RestartWhen::OnFailure));
    assert_eq!(policy("\"always\""), when(RestartWhen::Always));
    let minute = Duration::from_secs(60);
    let expected = RestartPolicy { delay: minute, max_delay: minute, ..when(RestartWhen::OnFailure) };
    assert_eq!(policy("{ delay = \"1m\" }"), expected, "who sets a wait wants restarts");
    assert_eq!(policy("{ limit = \"none\" }"), RestartPolicy { limit: None, ..when(RestartWhen::OnFailure) });
}

#[test]
fn the_tables_of_a_script_are_joined_key_by_key_with_their_sources() {
    let tree = Tree::new(&[
        (
            "code",
            "[scripts.db]\ncommand = 'x'\nrestart = { when = 'always', delay = '5s' }\n\
             ready = { port = 5432, timeout = '9s' }\nafter = ['a']\nenv_files = false\n\
             [sets]\nall = ['a']\nother = ['b']\n",
        ),
        (
            "code/app",
            "[scripts.db]\nrestart.delay = '7s'\nready = { log = 'listening' }\nafter = []\n[sets]\nall = ['db']\n",
        ),
    ]);
    let loaded = tree.load();
    assert_eq!(loaded.problems, []);
    let db = loaded.config.scripts["db"].options(RunOptions::default());
    assert_eq!((db.restart.when, db.restart.delay), (RestartWhen::Always, Duration::from_secs(7)));
    let ready = Ready { probe: ReadyProbe::Log("listening".to_owned()), timeout: Duration::from_secs(9) };
    assert_eq!((db.ready, db.after), (Some(ready), vec![]));
    assert_eq!(loaded.config.sets["all"].scripts, ["db"], "a nearer set replaces the farther one");
    let shown = loaded.describe().join("\n").replace(&tree.dir.path().display().to_string(), "");
    let told: String = shown
        .lines()
        .filter(|line| line.starts_with("scripts.") || line.starts_with("sets."))
        .map(|line| line.to_owned() + "\n")
        .collect();
    expect![[r#"
        scripts.db.command = "x"  # /code/.brum.toml:2
        scripts.db.env_files = false  # /code/.brum.toml:6
        scripts.db.after = []  # /code/app/.brum.toml:4
        scripts.db.restart.when = "always"  # /code/.brum.toml:3
        scripts.db.restart.delay = "7s"  # /code/app/.brum.toml:2
        scripts.db.ready.log = "listening"  # /code/app/.brum.toml:3
        scripts.db.ready.timeout = "9s"  # /code/.brum.toml:4
        sets.all = ["db"]  # /code/app/.brum.toml:6
        sets.other = ["b"]  # /code/.brum.toml:9
    "#]]
    .assert_eq(&told);
    let nothing = project("[scripts.db]\nready = false\n");
    assert_eq!(
        (nothing.problems.len(), nothing.config.scripts["db"].ready.clone()),
        (0, ReadyConfig::default())
    );
}

#[test]
fn what_can_be_wrong_with_the_way_a_script_is_run() {
    check(
        r#"[scripts.a]
command = []
pty = "yes"
stop_signal = "TREM"
stop_grace = 5
leave = "sccache"
after = "db"
restart = "on_failure"
ready = 5432
env_files = "x"
runner = "npm"
[scripts.b]
command = ["", "x"]
after = { db = "up" }
restart = { when = 1, delay = "1ms", limit = 0, dealy = "1s", max_delay = "1s", max_delay_ms = 3 }
ready = { port = 0, log = "(", http = "localhost:3000", time = "5s" }
stdin = 1
[scripts.c]
after = ["db", "db"]
ready = { port = 80, log = "x" }
restart = { delay = "5s", max_delay = "2s" }
[scripts.d]
ready = { timeout = "5s" }
[scripts.e]
ready = { http = "https://localhost/" }
command = ["x", 3]
"#,
        &expect![[r#"
            .brum.toml:2: scripts.a.command: must say what to run
            .brum.toml:3: scripts.a.pty: must be true or false, not "yes"
            .brum.toml:4: scripts.a.stop_signal: must be "TERM", "INT", "HUP", "QUIT", "USR1", "USR2" or "KILL", not "TREM" (did you mean `TERM`?)
            .brum.toml:5: scripts.a.stop_grace: needs a unit: "5s" or "5ms"
            .brum.toml:6: scripts.a.leave: must be a list of names in quotes, ["sccache"], not "sccache"
            .brum.toml:7: scripts.a.after: must be a list, ["db"], or a table, { db = "ready" }, not "db"
            .brum.toml:8: scripts.a.restart.when: must be "never", "on-failure" or "always", not "on_failure" (did you mean `on-failure`?)
            .brum.toml:9: scripts.a.ready: must be a table, { port = 5432 }, or false, not 5432
            .brum.toml:10: scripts.a.env_files: must be true, false, "auto" or a list of files, [".env.staging"], not "x"
            .brum.toml:11: scripts.a.runner: must be "manager" or "direct", not "npm"
            .brum.toml:13: scripts.b.command: must say what to run
            .brum.toml:14: scripts.b.after: db must be "started", "ready" or "exited-ok", not "up"
            .brum.toml:15: scripts.b.restart.when: must be "never", "on-failure" or "always", not 1
            .brum.toml:15: scripts.b.restart.delay: must be 100ms to 1h, not "1ms"
            .brum.toml:15: scripts.b.restart.max_delay_ms: says the same as max_delay: remove one; keeping max_delay
            .brum.toml:15: scripts.b.restart.limit: must be 1 to 1000000 or "none", not 0
            .brum.toml:15: scripts.b.restart.dealy: unknown key (did you mean `delay`?)
            .brum.toml:16: scripts.b.ready.log: is no regular expression: unclosed group
            .brum.toml:16: scripts.b.ready.port: must be 1 to 65535, not 0
            .brum.toml:16: scripts.b.ready.http: must be a URL, "http://localhost:3000/", not "localhost:3000"
            .brum.toml:16: scripts.b.ready.log: is one too many beside port: remove one; keeping port
            .brum.toml:16: scripts.b.ready.http: is one too many beside port: remove one; keeping port
            .brum.toml:16: scripts.b.ready.time: unknown key
            .brum.toml:17: scripts.b.stdin: must be true or false, not 1
            .brum.toml:19: scripts.c.after: names "db" twice: remove one
            .brum.toml:20: scripts.c.ready.log: is one too many beside port: remove one; keeping port
            .brum.toml:25: scripts.e.ready.http: https is not asked: give the http:// address, or port or log
            .brum.toml:26: scripts.e.command: must be a list of texts in quotes
            .brum.toml:21: scripts.c.restart.max_delay: is less than delay: raise it or remove it; using delay for both
            .brum.toml:23: scripts.d.ready.timeout: waits for nothing: add log, port or http to ready
        "#]],
    );
}

#[test]
fn what_can_be_wrong_with_a_set() {
    check(
        r#"[sets]
dev = "web"
none = []
twice = ["a", "a"]
odd = ["a", 3]
gap = [""]
"" = ["a"]
good = ["a", "b c#ä"]
"#,
        &expect![[r#"
            .brum.toml:2: sets.dev: must be a list of scripts, ["web", "api"], not "web"
            .brum.toml:3: sets.none: is empty: name at least one script
            .brum.toml:4: sets.twice: names "a" twice: remove one
            .brum.toml:5: sets.odd: must be names in quotes, not 3
            .brum.toml:6: sets.gap: has an empty name: remove it
            .brum.toml:7: sets."": a set needs a name
        "#]],
    );
    check(
        "sets = 3\n",
        &expect![[r#"
        .brum.toml:1: sets: must be a table, [sets], not 3
    "#]],
    );
}
