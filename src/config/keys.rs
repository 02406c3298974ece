//! Every key there is, its limits and the field it sets: the one list.
//!
//! A [`Visitor`] walks it to read a file, to read the environment, to print, to compare. A key is `live` when a running
//! host can take a new value; every other one counts from the host's next start.

use super::{
    Config, EventBusConfig, ResourcesConfig, Rollout, ScriptConfig,
    setting::{Rule, Setting, any, range},
};

/// A table in the file, and `""` for the keys above the first table.
pub(super) type TableName = &'static str;

/// Keys the Go program knew that have no meaning here, with the reason to give.
pub(super) const RETIRED: [(&str, &str); 2] = [
    ("use_robust_networking", "has no effect any more: remove it"),
    ("ai_coders", "has no effect: remove it"),
];

/// What is done to each key.
pub(super) trait Visitor {
    /// The keys that follow belong to `table`.
    fn table(&mut self, table: TableName);

    /// One key and the field it sets.
    fn setting<T: Setting>(&mut self, key: &'static str, rule: Rule, slot: &mut T);
}

/// Shows `visitor` every key of `config`.
pub(super) fn visit(config: &mut Config, visitor: &mut impl Visitor) {
    let v = visitor;
    v.table("");
    v.setting("preferred_package_manager", any().live(), &mut config.preferred_package_manager);
    v.setting("mcp_port", range(0..=65_535).auto(0), &mut config.mcp_port);
    v.setting("no_mcp", any(), &mut config.no_mcp);
    v.setting("proxy_port", range(0..=65_535).auto(0), &mut config.proxy_port);
    v.setting("proxy_mode", any(), &mut config.proxy_mode);
    v.setting("proxy_url", any(), &mut config.proxy_url);
    v.setting("standard_proxy", any(), &mut config.standard_proxy);
    v.setting("no_proxy", any(), &mut config.no_proxy);

    let (bus, auto) = (&mut config.eventbus, EventBusConfig::default());
    v.table("eventbus");
    v.setting("worker_pool_size", range(4..=32).auto(auto.workers), &mut bus.workers);
    v.setting("queue_sizes", range(1..=1_000_000).live(), &mut bus.queue_sizes);
    v.setting("backpressure_strategy", any().live(), &mut bus.backpressure);
    v.setting("max_event_queue", range(3..=10_000_000).live(), &mut bus.max_events);
    v.setting("enable_monitoring", any().live(), &mut bus.monitoring);
    rollout(v, &mut bus.rollout);

    let process = &mut config.process_manager;
    v.table("process_manager");
    v.setting("command_queue", range(1..=100_000), &mut process.command_queue);
    v.setting("max_concurrent_starts", range(1..=1000).live(), &mut process.max_concurrent_starts);
    v.setting("max_processes", range(1..=10_000).live(), &mut process.max_processes);
    v.setting("max_process_history", range(1..=100_000).live(), &mut process.max_process_history);
    v.setting("status_read_strategy", any(), &mut process.status_read_strategy);
    v.setting("worker_timeout", range(10..=600_000).live(), &mut process.worker_timeout);
    v.setting("stop_grace", range(0..=600_000).live(), &mut process.stop_grace);
    v.setting("env_files", any().live(), &mut process.env_files);
    v.setting("runner", any().live(), &mut process.runner);
    v.setting("usage_interval", range(100..=3_600_000).off().live(), &mut process.usage_interval);
    rollout(v, &mut process.rollout);

    let logs = &mut config.log_store;
    v.table("log_store");
    v.setting("buffer_size", range(1..=1_000_000), &mut logs.buffer_size);
    v.setting("batch_size", range(1..=1_000_000).live(), &mut logs.batch_size);
    let one = range(1..=1).why("one writer keeps the order");
    v.setting("worker_count", one, &mut logs.worker_count);
    v.setting("timeout_ms", range(1..=60_000).live(), &mut logs.flush_after);
    v.setting("max_entries", range(1..=100_000_000).live(), &mut logs.max_entries);
    v.setting("max_bytes", range(4096..=1 << 40).live(), &mut logs.max_bytes);
    v.setting("max_error_entries", range(1..=1_000_000).live(), &mut logs.max_error_entries);
    v.setting("max_line", range(64..=1 << 20).live(), &mut logs.max_line);
    v.setting("history", any().live(), &mut logs.history);
    v.setting("history_max_mb", range(8..=1 << 20).live(), &mut logs.history_max_mb);
    v.setting("history_days", range(1..=36_500), &mut logs.history_days);
    rollout(v, &mut logs.rollout);

    v.table("model");
    rollout(v, &mut config.model.rollout);

    let proxy = &mut config.proxy_server;
    v.table("proxy_server");
    v.setting("request_buffer_size", range(1..=1_000_000), &mut proxy.request_buffer_size);
    v.setting("connection_timeout_ms", range(1..=600_000), &mut proxy.connection_timeout);
    v.setting("max_ws_clients", range(1..=100_000), &mut proxy.max_ws_clients);
    v.setting("max_connections", range(1..=1_000_000), &mut proxy.max_connections);
    v.setting("max_idle_connections", range(0..=1_000_000), &mut proxy.max_idle_connections);
    rollout(v, &mut proxy.rollout);

    let mcp = &mut config.mcp_manager;
    v.table("mcp_manager");
    v.setting("health_check_interval_ms", range(100..=3_600_000), &mut mcp.health_check_interval);
    v.setting("session_timeout_ms", range(200..=86_400_000), &mut mcp.session_timeout);
    v.setting("max_retry_attempts", range(0..=1000), &mut mcp.max_retry_attempts);
    v.setting("max_connections", range(1..=10_000), &mut mcp.max_connections);
    rollout(v, &mut mcp.rollout);

    let (resources, auto) = (&mut config.resources, ResourcesConfig::default());
    let tasks = range(1..=100_000).auto(auto.max_tasks).alias("max_goroutines").live();
    v.table("resources");
    v.setting("max_tasks", tasks, &mut resources.max_tasks);
    v.setting("memory_limit_mb", range(16..=1 << 20).live(), &mut resources.memory_limit_mb);
    v.setting("monitoring_interval_ms", range(10..=3_600_000).live(), &mut resources.monitoring_interval);
}

/// Shows `visitor` every key of one script, but for `env`, whose keys are names of the user's. Tables are those within
/// the script's own; each run reads them anew.
pub(super) fn visit_script(script: &mut ScriptConfig, visitor: &mut impl Visitor) {
    let v = visitor;
    v.table("");
    v.setting("command", any().live(), &mut script.command);
    v.setting("cwd", any().live(), &mut script.cwd);
    v.setting("env_files", any().live(), &mut script.env_files);
    v.setting("runner", any().live(), &mut script.runner);
    v.setting("pty", any().live(), &mut script.pty);
    v.setting("stdin", any().live(), &mut script.stdin);
    v.setting("stop_signal", any().live(), &mut script.stop_signal);
    v.setting("stop_grace", range(0..=600_000).live(), &mut script.stop_grace);
    v.setting("detach", any().live(), &mut script.detach);
    v.setting("leave", any().live(), &mut script.leave);
    v.setting("after", any().live(), &mut script.after);

    let restart = &mut script.restart;
    v.table("restart");
    v.setting("when", any().live(), &mut restart.when);
    v.setting("delay", range(100..=3_600_000).live(), &mut restart.delay);
    v.setting("max_delay", range(100..=3_600_000).live(), &mut restart.max_delay);
    v.setting("reset_after", range(0..=86_400_000).live(), &mut restart.reset_after);
    v.setting("limit", range(1..=1_000_000).live(), &mut restart.limit);

    let ready = &mut script.ready;
    v.table("ready");
    v.setting("log", any().live(), &mut ready.log);
    v.setting("port", range(1..=65_535).live(), &mut ready.port);
    v.setting("http", any().live(), &mut ready.http);
    v.setting("timeout", range(100..=86_400_000).live(), &mut ready.timeout);
}

fn rollout(v: &mut impl Visitor, rollout: &mut Rollout) {
    v.setting("enable_new_sync", any(), &mut rollout.enable_new_sync);
    v.setting("fallback_mode", any(), &mut rollout.fallback_mode);
}

/// `table.key`, or the key alone above the first table.
pub(super) fn dotted(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}
