//! What is printed of a configuration, and that it reads back.

use super::*;

#[test]
fn the_description_names_each_source() {
    let tree = Tree::new(&[(
        "code/app",
        "mcp_port = 1001\n[log_store]\ntimeout = '1s'\n[scripts.dev]\ncommand = 'a \"b\"'\n",
    )])
    .env("BRUMMER_NO_MCP", "1");
    let lines = tree.load().describe().join("\n").replace(&tree.dir.path().display().to_string(), "");
    for line in [
        "# preferred_package_manager is not set",
        "mcp_port = 1001  # /code/app/.brum.toml:1",
        "no_mcp = true  # BRUMMER_NO_MCP",
        "eventbus.queue_sizes = [100, 500, 1000]  # default",
        "process_manager.worker_timeout = \"5s\"  # default",
        "log_store.timeout_ms = 1000  # /code/app/.brum.toml:3",
        "scripts.dev.command = \"a \\\"b\\\"\"  # /code/app/.brum.toml:5",
    ] {
        assert!(lines.lines().any(|l| l == line), "{line} is missing in\n{lines}");
    }
}

/// A script of which every key but `env` is set.
fn every_key(command: &str) -> ScriptConfig {
    ScriptConfig {
        command: Some(CommandLine::Argv(vec![command.to_owned(), String::new()])),
        cwd: Some("sub \"dir".into()),
        env_files: Some(EnvFiles::Named(vec![".env.a".into()])),
        runner: Some(ScriptRunner::Direct),
        pty: Some(true),
        stdin: Some(false),
        stop_signal: Some(StopSignal::Usr1),
        stop_grace: Some(Duration::from_millis(1500)),
        detach: Some(true),
        leave: Some(vec!["sccache".to_owned()]),
        restart: RestartConfig {
            when: Some(RestartWhen::Always),
            delay: Some(Duration::from_secs(2)),
            max_delay: Some(Duration::from_secs(60)),
            reset_after: Some(Duration::from_secs(90)),
            limit: Some(RestartLimit::Endless),
        },
        after: Some(vec![After { script: command.to_owned(), condition: Some(Condition::ExitedOk) }]),
        ready: ReadyConfig {
            http: Some(HttpUrl("http://localhost:1/".to_owned())),
            timeout: Some(Duration::from_secs(7)),
            ..ReadyConfig::default()
        },
        ..ScriptConfig::default()
    }
}

#[test]
fn a_variable_of_a_script_is_told_without_its_value() {
    let loaded = project("[scripts.dev]\ncommand = 'x'\nenv = { TOKEN = 'hunter2' }\n");
    let shown = loaded.values().into_iter().find(|shown| shown.key == "scripts.dev.env.TOKEN").unwrap();
    assert!(shown.hidden && shown.value.is_none());
    let text = loaded.describe().join("\n");
    assert!(text.contains("# scripts.dev.env.TOKEN is set  # ") && !text.contains("hunter2"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The description is a settings file that says the same, whatever the texts hold.
    #[test]
    fn a_description_read_again_is_the_same(
        url in ".{0,12}", command in ".{1,12}", name in "[^\0]{1,6}", port: u16, millis in 10_i64..600_000,
    ) {
        let mut loaded = Loaded::default();
        loaded.config.proxy_url = (!url.is_empty()).then_some(url);
        loaded.config.mcp_port = port;
        loaded.config.process_manager.worker_timeout = Duration::from_millis(millis.unsigned_abs());
        loaded.config.log_store.flush_after = Duration::from_millis(77);
        let usable = !command.trim().is_empty() && !name.trim().is_empty() && !command.contains('\0');
        if usable {
            let set = SetConfig { scripts: vec![name.clone()], place: Place::default() };
            loaded.config.sets.insert(name.clone(), set);
            loaded.config.scripts.insert(name, every_key(&command));
        }
        let mut again = project(&loaded.describe().join("\n"));
        prop_assert_eq!(&again.problems, &[]);
        for script in again.config.scripts.values_mut() {
            script.place = Place::default();
            script.places.clear();
        }
        for set in again.config.sets.values_mut() {
            set.place = Place::default();
        }
        prop_assert_eq!(again.config, loaded.config);
    }

    /// Whatever a file holds, reading it ends with a usable configuration.
    #[test]
    fn no_text_breaks_the_reader(text in "([a-z_]{1,12}(\\.[a-z]{1,5})? = [0-9\"'a-z\\[\\]{},.=]{1,12}\n|\\[[a-z_.]{0,16}\\]\n){0,8}") {
        let loaded = project(&text);
        for problem in &loaded.problems {
            prop_assert!(!problem.to_string().contains('\n'));
        }
    }
}

#[test]
fn durations_are_read_in_every_unit() {
    let read = |text: &str| {
        let loaded = project(&format!("[process_manager]\nworker_timeout = \"{text}\""));
        loaded.problems.is_empty().then_some(loaded.config.process_manager.worker_timeout.as_millis())
    };
    assert_eq!(
        ["5s", "50ms", "1.5s", "2m", "3min", " 5 s "].map(read),
        [5000, 50, 1500, 120_000, 180_000, 5000].map(Some)
    );
    assert_eq!(
        ["", "s", "5", "-5s", "5d", "1e3s", "5.s5", "99999999999999999999s", "9223372036854775807h"]
            .map(read),
        [None; 9]
    );
}
