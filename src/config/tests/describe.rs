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
            let script = ScriptConfig { command: Some(command), ..ScriptConfig::default() };
            loaded.config.scripts.insert(name, script);
        }
        let mut again = project(&loaded.describe().join("\n"));
        prop_assert_eq!(&again.problems, &[]);
        for script in again.config.scripts.values_mut() {
            script.place = Place::default();
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
