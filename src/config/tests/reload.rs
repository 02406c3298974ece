//! Settings read again while a host runs.

use std::sync::Arc;

use super::*;
use crate::sync::Mutex;

/// The settings of a tree's project, and what was applied of them.
fn running(tree: &Tree) -> (Settings, Arc<Mutex<Vec<Config>>>) {
    let applied = Arc::new(Mutex::new(Vec::new()));
    let keeps = Arc::clone(&applied);
    let settings = Settings::read(tree.dir.path().join("code/app"), Some(tree.dir.path().join("home")))
        .connect(move |config| keeps.lock().push(config.clone()));
    (settings, applied)
}

fn write(tree: &Tree, at: &str, text: &str) {
    fs::write(tree.dir.path().join(at).join(FILE_NAME), text).unwrap();
}

fn texts(changes: &[Change]) -> Vec<String> {
    changes.iter().map(Change::to_string).collect()
}

#[test]
fn a_reload_applies_what_a_running_host_can_take_and_names_the_rest() {
    let tree = Tree::new(&[("home", "[log_store]\nmax_entries = 700\n")]);
    let (settings, applied) = running(&tree);
    assert_eq!(settings.started().config.log_store.max_entries, 700);
    write(
        &tree,
        "code/app",
        "[log_store]\nmax_entries = 500\nbuffer_size = 300\n[scripts.dev]\ncommand = 'a'\n",
    );
    for times in 1..=2 {
        let told = settings.reload();
        let change: &[&str] = if times == 1 { &["log_store.max_entries: 700 → 500"] } else { &[] };
        assert_eq!(texts(&told.applied), change);
        assert_eq!(texts(&told.waiting), ["log_store.buffer_size takes effect when the host restarts"]);
        assert_eq!((told.loaded.problems, told.loaded.files.len()), (vec![], 2));
    }
    let configs = std::mem::take(&mut *applied.lock());
    assert_eq!(configs.iter().map(|config| config.log_store.max_entries).collect::<Vec<_>>(), [500]);

    fs::remove_file(tree.dir.path().join("code/app").join(FILE_NAME)).unwrap();
    let told = settings.reload();
    assert_eq!(texts(&told.applied), ["log_store.max_entries: 500 → 700"], "the file below counts again");
    assert_eq!(texts(&told.waiting), Vec::<String>::new(), "the host has what the files say");
}

#[test]
fn a_value_that_cannot_be_used_leaves_the_one_in_force() {
    let tree = Tree::new(&[(
        "code/app",
        "[log_store]\nmax_entries = 500\nbatch_size = 50\n[eventbus]\nqueue_sizes = [10, 20, 30]\n",
    )]);
    let (settings, applied) = running(&tree);
    write(
        &tree,
        "code/app",
        "[log_store]\nmax_entries = 0\nbatch_size = 5000\n[eventbus]\nqueue_sizes = [4000, 4000, 1]\n\
         [process_manager]\nstop_grace = '1s'\n",
    );
    let told = settings.reload();
    assert_eq!(texts(&told.applied), ["process_manager.stop_grace: \"5s\" → \"1s\""]);
    let problems: String =
        told.loaded.problems.iter().map(|problem| problem.within(settings.root()) + "\n").collect();
    expect![[r#"
        .brum.toml:2: log_store.max_entries: must be 1 to 100000000, not 0; keeping 500
        .brum.toml:5: eventbus.queue_sizes: 8001 in all, more than max_event_queue = 5000; using [10, 20, 30] and 5000
        .brum.toml:3: log_store.batch_size: 5000 is more than buffer_size = 1000; using 50 and 1000
    "#]]
    .assert_eq(&problems);
    let configs = std::mem::take(&mut *applied.lock());
    let [config] = &configs[..] else { panic!("applied once") };
    assert_eq!((config.log_store.max_entries, config.log_store.batch_size), (500, 50));
    assert_eq!(config.eventbus.queue_sizes, [10, 20, 30]);
}

#[test]
fn a_broken_file_changes_nothing() {
    let tree = Tree::new(&[("code", "mcp_port = 1\n"), ("code/app", "[log_store]\nmax_entries = 500\n")]);
    let (settings, applied) = running(&tree);
    write(&tree, "code", "mcp_port = 2\n[log_store]\nmax_bytes = 5000\n");
    write(&tree, "code/app", "[log_store]\nmax_entries = \n");
    let told = settings.reload();
    assert_eq!((texts(&told.applied), texts(&told.waiting)), (vec![], vec![]));
    let problem = told.loaded.problems[0].within(settings.root());
    assert!(problem.starts_with(".brum.toml:2: ") && problem.ends_with("the file is not used"), "{problem}");
    assert_eq!(told.loaded.config, settings.started().config);
    assert!(applied.lock().is_empty());

    write(&tree, "code/app", "[log_store]\nmax_entries = 400\n");
    let applied = texts(&settings.reload().applied);
    assert_eq!(applied, ["log_store.max_entries: 500 → 400", "log_store.max_bytes: 16777216 → 5000"]);
}

#[test]
fn the_keys_a_running_host_can_take_are_these() {
    let mut other = Loaded::default();
    let config = &mut other.config;
    config.preferred_package_manager = Some(PackageManagerName::Bun);
    config.eventbus.workers += 1;
    config.eventbus.queue_sizes = [1, 1, 1];
    config.eventbus.backpressure = Backpressure::Block;
    config.eventbus.max_events = 9;
    config.eventbus.monitoring = false;
    config.process_manager = ProcessManagerConfig {
        command_queue: 1,
        max_concurrent_starts: 1,
        max_processes: 1,
        max_process_history: 1,
        status_read_strategy: StatusReadStrategy::Locked,
        worker_timeout: Duration::from_millis(1),
        stop_grace: Duration::from_millis(1),
        env_files: EnvFiles::Off,
        runner: ScriptRunner::Direct,
        usage_interval: Duration::ZERO,
        rollout: Rollout { enable_new_sync: false, fallback_mode: true },
    };
    config.log_store = LogStoreConfig {
        buffer_size: 1,
        batch_size: 1,
        worker_count: 2,
        flush_after: Duration::from_millis(1),
        max_entries: 1,
        max_bytes: 1,
        max_error_entries: 1,
        max_line: 64,
        history: false,
        history_max_mb: 8,
        history_days: 1,
        rollout: Rollout::default(),
    };
    config.model.rollout.fallback_mode = true;
    config.resources =
        ResourcesConfig { max_tasks: 1, memory_limit_mb: 1, monitoring_interval: Duration::from_millis(1) };
    let list: String = changes(&Loaded::default(), &other)
        .iter()
        .map(|change| format!("{}{}\n", if change.live { "live  " } else { "start " }, change.key))
        .collect();
    expect![[r#"
        live  preferred_package_manager
        start eventbus.worker_pool_size
        live  eventbus.queue_sizes
        live  eventbus.backpressure_strategy
        live  eventbus.max_event_queue
        live  eventbus.enable_monitoring
        start process_manager.command_queue
        live  process_manager.max_concurrent_starts
        live  process_manager.max_processes
        live  process_manager.max_process_history
        start process_manager.status_read_strategy
        live  process_manager.worker_timeout
        live  process_manager.stop_grace
        live  process_manager.env_files
        live  process_manager.runner
        live  process_manager.usage_interval
        start process_manager.enable_new_sync
        start process_manager.fallback_mode
        start log_store.buffer_size
        live  log_store.batch_size
        start log_store.worker_count
        live  log_store.timeout_ms
        live  log_store.max_entries
        live  log_store.max_bytes
        live  log_store.max_error_entries
        live  log_store.max_line
        live  log_store.history
        live  log_store.history_max_mb
        start log_store.history_days
        start model.fallback_mode
        live  resources.max_tasks
        live  resources.memory_limit_mb
        live  resources.monitoring_interval_ms
    "#]]
    .assert_eq(&list);
}

/// A panic in a component's part is caught above; what was not applied must not be forgotten.
#[test]
fn a_change_that_could_not_be_applied_is_applied_by_the_next_reload() {
    let tree = Tree::new(&[("code/app", "[log_store]\nmax_entries = 500\n")]);
    let fails = std::sync::atomic::AtomicBool::new(true);
    let settings = Settings::read(tree.dir.path().join("code/app"), None)
        .connect(move |_| assert!(!fails.swap(false, std::sync::atomic::Ordering::Relaxed), "planted"));
    write(&tree, "code/app", "[log_store]\nmax_entries = 600\n");
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| settings.reload()));
    assert!(failed.is_err(), "it panics");
    assert_eq!(texts(&settings.reload().applied), ["log_store.max_entries: 500 → 600"]);
    assert_eq!(texts(&settings.reload().applied), Vec::<String>::new());
}
