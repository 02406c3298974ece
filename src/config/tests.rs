//! Files in a temporary directory, read through [`load`] as the host does.

mod defaults;
mod describe;
mod files;
mod reload;
mod scripts;

use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt, time::Duration};

use expect_test::{Expect, expect};
use proptest::prelude::*;
use tempfile::TempDir;

use super::{keys::Visitor, setting::Rule, setting::Setting, *};

/// `home/.brum.toml`, `code/.brum.toml` and `code/app/.brum.toml`; empty text means no file.
struct Tree {
    dir: TempDir,
    env: HashMap<String, String>,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = TempDir::new().unwrap();
        for sub in ["home", "code/app"] {
            fs::create_dir_all(dir.path().join(sub)).unwrap();
        }
        for (at, text) in files {
            fs::write(dir.path().join(at).join(FILE_NAME), text).unwrap();
        }
        Self { dir, env: HashMap::new() }
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn load(&self) -> Loaded {
        let home = self.dir.path().join("home");
        load(&self.dir.path().join("code/app"), Some(&home), &|name| self.env.get(name).cloned())
    }

    /// The problems, files shown from the temporary directory on.
    fn problems(&self) -> String {
        self.load().problems.iter().map(|problem| problem.within(self.dir.path()) + "\n").collect()
    }
}

/// What a project file with this text is told.
fn check(text: &str, expected: &Expect) {
    let tree = Tree::new(&[("code/app", text)]);
    let shown = tree.problems().replace("code/app/", "");
    expected.assert_eq(&shown);
}

fn project(text: &str) -> Loaded {
    Tree::new(&[("code/app", text)]).load()
}

// === layers ===

#[test]
fn without_files_the_defaults_hold() {
    let loaded = Tree::new(&[]).load();
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.problems.is_empty() && loaded.files.is_empty());
}

#[test]
fn the_nearer_layer_wins_key_by_key() {
    let all = [
        ("home", "mcp_port = 1001\nproxy_port = 1001\nno_mcp = true\nproxy_url = 'http://a'"),
        ("code", "mcp_port = 1002\nproxy_port = 1002\nno_proxy = true"),
        ("code/app", "mcp_port = 1003\nproxy_url = ''"),
    ];
    let tree = Tree::new(&all).env("BRUMMER_LOG_STORE_BATCH_SIZE", "7");
    let loaded = tree.load();
    let config = &loaded.config;
    assert_eq!((config.mcp_port, config.proxy_port), (1003, 1002));
    assert!(config.no_mcp && config.no_proxy);
    assert_eq!(config.proxy_url, None, "an empty text takes back what a farther layer set");
    assert_eq!(config.log_store.batch_size, 7);
    let expected: Vec<PathBuf> = all.iter().map(|(at, _)| tree.dir.path().join(at).join(FILE_NAME)).collect();
    assert_eq!(loaded.files, expected);
    let app = expected[2].clone();
    assert_eq!(loaded.source("mcp_port"), Source::File(Place { file: app, line: 1 }));
    assert_eq!(loaded.source("log_store.batch_size"), Source::Env("BRUMMER_LOG_STORE_BATCH_SIZE".into()));
    assert_eq!(loaded.source("log_store.max_bytes"), Source::Default);
}

#[test]
fn a_home_above_the_project_is_read_once_and_keeps_its_place() {
    let tree = Tree::new(&[("", "mcp_port = 1000\nproxy_port = 1000"), ("code", "mcp_port = 1001")]);
    let link = tree.dir.path().join("link");
    std::os::unix::fs::symlink(tree.dir.path().join("code"), &link).unwrap();
    for home in [tree.dir.path().join("code"), link] {
        let loaded = load(&tree.dir.path().join("code/app"), Some(&home), &|_| None);
        assert_eq!(loaded.files.len(), 2, "{:?}", loaded.files);
        assert_eq!((loaded.config.mcp_port, loaded.config.proxy_port), (1001, 1000));
    }
}

#[test]
fn every_variable_name_is_the_key_in_capitals_and_none_is_shared() {
    struct Names(&'static str, Vec<String>);
    impl Visitor for Names {
        fn table(&mut self, table: &'static str) {
            self.0 = table;
        }
        fn setting<T: Setting>(&mut self, key: &'static str, rule: Rule, _slot: &mut T) {
            for key in T::spellings(key).into_iter().chain(rule.alias.map(str::to_owned)) {
                self.1.push(keys::dotted(self.0, &key).replace('.', "_"));
            }
        }
    }
    let mut names = Names("", Vec::new());
    keys::visit(&mut Config::default(), &mut names);
    let (all, mut unique) = (names.1.len(), names.1);
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), all);
}

#[test]
fn the_environment_speaks_every_type() {
    let tree = Tree::new(&[("code/app", "proxy_port = 1001")])
        .env("BRUMMER_NO_MCP", "1")
        .env("BRUMMER_PROXY_URL", "123")
        .env("BRUMMER_PROXY_PORT", "")
        .env("BRUMMER_PREFERRED_PACKAGE_MANAGER", "bun")
        .env("BRUMMER_EVENTBUS_QUEUE_SIZES", "1, 2,3")
        .env("BRUMMER_EVENTBUS_WORKER_POOL_SIZE", "auto")
        .env("BRUMMER_LOG_STORE_TIMEOUT_MS", "20")
        .env("BRUMMER_PROCESS_MANAGER_STOP_GRACE", "300ms")
        .env("BRUMMER_RESOURCES_MAX_GOROUTINES", "40");
    let loaded = tree.load();
    assert_eq!(loaded.problems, []);
    let config = loaded.config;
    assert!(config.no_mcp);
    assert_eq!(config.proxy_url.as_deref(), Some("123"));
    assert_eq!(config.proxy_port, 1001, "an empty variable is unset");
    assert_eq!(config.preferred_package_manager, Some(PackageManagerName::Bun));
    assert_eq!(config.eventbus.queue_sizes, [1, 2, 3]);
    assert_eq!(config.log_store.flush_after, Duration::from_millis(20));
    assert_eq!(config.process_manager.stop_grace, Duration::from_millis(300));
    assert_eq!(config.resources.max_tasks, 40);

    let tree = tree.env("BRUMMER_MCP_PORT", "x").env("BRUMMER_NO_PROXY", "maybe");
    expect![[r#"
        BRUMMER_MCP_PORT: must be 0 to 65535 or "auto", not "x"; keeping 7777
        BRUMMER_NO_PROXY: must be true or false, not "maybe"; keeping false
    "#]]
    .assert_eq(&tree.problems());
}

// === values ===

#[test]
fn every_table_of_the_design_is_read() {
    let loaded = project(
        r#"
        preferred_package_manager = "pnpm"
        mcp_port = "auto"
        proxy_mode = "full"
        [eventbus]
        worker_pool_size = "auto"
        queue_sizes = [1, 2, 3]
        backpressure_strategy = "block"
        enable_monitoring = false
        [process_manager]
        enable_new_sync = false
        fallback_mode = true
        command_queue = 30
        max_concurrent_starts = 3
        status_read_strategy = "locked"
        worker_timeout = "7s"
        stop_grace_ms = 250
        [log_store]
        buffer_size = 200
        batch_size = 20
        worker_count = 1
        timeout = "1.5s"
        [model]
        fallback_mode = true
        [proxy_server]
        request_buffer_size = 5
        connection_timeout_ms = 100
        max_ws_clients = 6
        [mcp_manager]
        health_check_interval_ms = "1m"
        session_timeout_ms = 120000
        max_retry_attempts = 0
        [resources]
        max_goroutines = 50
        memory_limit_mb = 0x100
        monitoring_interval_ms = 1_000
        "#,
    );
    assert_eq!(loaded.problems, []);
    let config = loaded.config;
    assert_eq!(config.mcp_port, 0);
    assert_eq!(config.proxy_mode, ProxyMode::Full);
    assert_eq!(config.eventbus.workers, EventBusConfig::default().workers);
    assert_eq!(config.eventbus.backpressure, Backpressure::Block);
    assert!(!config.eventbus.monitoring);
    assert_eq!(config.process_manager.status_read_strategy, StatusReadStrategy::Locked);
    assert_eq!(config.process_manager.command_queue, 30);
    assert_eq!(config.model.rollout.mode(), RolloutMode::CurrentThenFallback);
    assert_eq!(config.process_manager.worker_timeout, Duration::from_secs(7));
    assert_eq!(config.process_manager.stop_grace, Duration::from_millis(250));
    assert_eq!(config.log_store.flush_after, Duration::from_millis(1500));
    assert_eq!(config.mcp_manager.health_check_interval, Duration::from_secs(60));
    assert_eq!(config.resources.max_tasks, 50);
    assert_eq!(config.resources.memory_limit_mb, 256);
    assert_eq!(config.resources.monitoring_interval, Duration::from_secs(1));
}

#[test]
fn a_bad_value_costs_only_itself() {
    check(
        r#"mcp_port = 70000
no_mcp = "yes"
proxy_mode = "revers"
proxy_url = 3
preferred_package_manager = "pmpm"
[eventbus]
max_event_queue = 1
queue_sizes = [1, 2]
backpressure_strategy = "drop_old"
[process_manager]
worker_timeout = 5
stop_grace = "soon"
max_processes = 1.5
[log_store]
worker_count = 4
timeout_ms = 0
max_entries = 99999999999999999999
batch_size = 50
"#,
        &expect![[r#"
            .brum.toml:1: mcp_port: must be 0 to 65535 or "auto", not 70000; keeping 7777
            .brum.toml:2: no_mcp: must be true or false, not "yes"; keeping false
            .brum.toml:3: proxy_mode: must be "reverse" or "full", not "revers" (did you mean `reverse`?); keeping "reverse"
            .brum.toml:4: proxy_url: must be text in quotes, not 3
            .brum.toml:5: preferred_package_manager: must be "npm", "yarn", "pnpm", "bun" or "deno", not "pmpm" (did you mean `pnpm`?)
            .brum.toml:7: eventbus.max_event_queue: must be 3 to 10000000, not 1; keeping 5000
            .brum.toml:8: eventbus.queue_sizes: must be three numbers, [high, medium, low], not 2; keeping [100, 500, 1000]
            .brum.toml:9: eventbus.backpressure_strategy: must be "drop_oldest", "drop_newest", "drop_low_priority" or "block", not "drop_old" (did you mean `drop_oldest`?); keeping "drop_oldest"
            .brum.toml:11: process_manager.worker_timeout: needs a unit: "5s" or "5ms"; keeping "5s"
            .brum.toml:12: process_manager.stop_grace: must be a time like "5s" or "50ms", not "soon"; keeping "5s"
            .brum.toml:13: process_manager.max_processes: must be 1 to 10000, not 1.5; keeping 200
            .brum.toml:15: log_store.worker_count: must be 1 (one writer keeps the order), not 4; keeping 1
            .brum.toml:16: log_store.timeout_ms: must be 1ms to 1m, not 0; keeping 50
            .brum.toml:17: log_store.max_entries: must be 1 to 100000000, not 99999999999999999999; keeping 10000
        "#]],
    );
    let loaded = project("[eventbus]\nworker_pool_size = 99");
    let workers = EventBusConfig::default().workers;
    let message = format!("must be 4 to 32 or \"auto\", not 99; keeping {workers}");
    assert_eq!(loaded.problems[0].message, message);
    let loaded = project("mcp_port = 70000\nproxy_port = 1001");
    assert_eq!((loaded.config.mcp_port, loaded.config.proxy_port), (7777, 1001));
}

#[test]
fn unknown_keys_are_named_with_the_nearest_known_one() {
    check(
        r#"mcp_prot = 1
zebra = 1
max_ws_clients = 3
use_robust_networking = true
[evntbus]
queue_sizes = [1, 2, 3]
[log_store]
batch-size = 3
proxy_port = 1
buffer_size = 300
[ai_coders]
enabled = true
[resources.extra]
"#,
        &expect![[r#"
            .brum.toml:1: mcp_prot: unknown key (did you mean `mcp_port`?)
            .brum.toml:2: zebra: unknown key
            .brum.toml:3: max_ws_clients: unknown key here; it belongs in [proxy_server]
            .brum.toml:4: use_robust_networking: has no effect any more: remove it
            .brum.toml:5: evntbus: unknown table (did you mean `eventbus`?)
            .brum.toml:8: log_store.batch-size: unknown key (did you mean `batch_size`?)
            .brum.toml:9: log_store.proxy_port: unknown key here; it belongs above the first [table]
            .brum.toml:11: ai_coders: has no effect: remove it
            .brum.toml:13: resources.extra: unknown table
        "#]],
    );
    assert_eq!(project("mcp_prot = 1\n[log_store]\nbuffer_size = 300").config.log_store.buffer_size, 300);
}

#[test]
fn a_table_must_be_one_and_a_key_may_be_spelled_once() {
    check(
        "eventbus = 3\nscripts = 4\n[[log_store]]\n[resources]\nmax_goroutines = 40\nmax_tasks = 41\n",
        &expect![[r#"
            .brum.toml:1: eventbus: must be a table, [eventbus], not 3
            .brum.toml:2: scripts: must be tables, [scripts.NAME], not 4
            .brum.toml:3: log_store: must be a table, [log_store], not a list
            .brum.toml:5: resources.max_goroutines: says the same as max_tasks: remove one; keeping max_tasks
        "#]],
    );
}

#[test]
fn settings_that_contradict_each_other_fall_back_together() {
    check(
        "[eventbus]\nqueue_sizes = [4000, 1000, 1]\n[log_store]\nbuffer_size = 10\n[mcp_manager]\nsession_timeout = '40s'\n",
        &expect![[r#"
            .brum.toml:2: eventbus.queue_sizes: 5001 in all, more than max_event_queue = 5000; using [100, 500, 1000] and 5000
            .brum.toml:4: log_store.batch_size: 100 is more than buffer_size = 10; using 100 and 1000
            .brum.toml:6: mcp_manager.session_timeout_ms: must be at least twice health_check_interval_ms; using 300000 and 30000
        "#]],
    );
}

#[test]
fn locked_status_reads_are_refused_outside_fallback_mode() {
    check(
        "[process_manager]\nstatus_read_strategy = \"locked\"\n",
        &expect![[r#"
            .brum.toml:2: process_manager.status_read_strategy: "locked" works in fallback mode only (enable_new_sync = false, fallback_mode = true); using "atomic"
        "#]],
    );
    let read = |rollout: &str| {
        let text = format!("[process_manager]\nstatus_read_strategy = \"locked\"\n{rollout}");
        let loaded = project(&text);
        (loaded.config.process_manager.status_read_strategy, loaded.problems.len())
    };
    assert_eq!(
        read("fallback_mode = true"),
        (StatusReadStrategy::Atomic, 1),
        "it starts with the current one"
    );
    assert_eq!(read("fallback_mode = true\nenable_new_sync = false"), (StatusReadStrategy::Locked, 0));
}

#[test]
fn both_switches_off_is_refused_and_the_other_three_mean_what_they_say() {
    let mode = |new: bool, fallback: bool| {
        let text = format!("[log_store]\nenable_new_sync = {new}\nfallback_mode = {fallback}\n");
        let loaded = project(&text);
        (loaded.config.log_store.rollout.mode(), loaded.problems.len())
    };
    assert_eq!(mode(true, false), (RolloutMode::Current, 0));
    assert_eq!(mode(true, true), (RolloutMode::CurrentThenFallback, 0));
    assert_eq!(mode(false, true), (RolloutMode::Fallback, 0));
    assert_eq!(mode(false, false), (RolloutMode::Current, 1));

    let tables = ["eventbus", "process_manager", "log_store", "model", "proxy_server", "mcp_manager"];
    let text: String = tables.iter().map(|table| format!("[{table}]\nenable_new_sync = false\n")).collect();
    let loaded = project(&text);
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.problems.len(), tables.len());
    check(
        "[log_store]\nenable_new_sync = false\n",
        &expect![[r#"
            .brum.toml:2: log_store.enable_new_sync: false leaves nothing to run: set fallback_mode = true as well; keeping true
        "#]],
    );
}
