//! What no single key can tell: settings that contradict each other once all layers are in.
//!
//! A contradiction is resolved by falling back to values of all keys concerned that agree: the defaults, or, in a program
//! that runs, those in force.

use super::{Config, Loaded, McpManagerConfig, Mode, Problem, Rollout, Source, StatusReadStrategy, scripts};

/// Checks the resolved settings against each other; `base` agrees with itself.
pub(super) fn check(loaded: &mut Loaded, base: &Config) {
    rollouts(loaded);
    scripts::check(loaded);

    let bus = &loaded.config.eventbus;
    let sum: usize = bus.queue_sizes.iter().sum();
    if sum > bus.max_events {
        let default = &base.eventbus;
        let message = format!(
            "{sum} in all, more than max_event_queue = {}; using {:?} and {}",
            bus.max_events, default.queue_sizes, default.max_events
        );
        loaded.config.eventbus.queue_sizes = default.queue_sizes;
        loaded.config.eventbus.max_events = default.max_events;
        loaded.contradiction(&["eventbus.queue_sizes", "eventbus.max_event_queue"], message);
    }

    let process = &loaded.config.process_manager;
    if process.status_read_strategy == StatusReadStrategy::Locked
        && process.rollout.mode().start() == Mode::Current
    {
        loaded.config.process_manager.status_read_strategy = StatusReadStrategy::Atomic;
        let message = "\"locked\" works in fallback mode only (enable_new_sync = false, fallback_mode = true); using \"atomic\"";
        loaded.contradiction(&["process_manager.status_read_strategy"], message.to_owned());
    }

    let logs = &loaded.config.log_store;
    if logs.batch_size > logs.buffer_size {
        let default = &base.log_store;
        let message = format!(
            "{} is more than buffer_size = {}; using {} and {}",
            logs.batch_size, logs.buffer_size, default.batch_size, default.buffer_size
        );
        loaded.config.log_store.batch_size = default.batch_size;
        loaded.config.log_store.buffer_size = default.buffer_size;
        loaded.contradiction(&["log_store.batch_size", "log_store.buffer_size"], message);
    }

    let mcp = &loaded.config.mcp_manager;
    // A session must see two health checks before it may count as idle.
    if mcp.session_timeout < mcp.health_check_interval.saturating_mul(2) {
        let default = McpManagerConfig::default();
        let message = "must be at least twice health_check_interval_ms; using 300000 and 30000";
        loaded.config.mcp_manager.session_timeout = default.session_timeout;
        loaded.config.mcp_manager.health_check_interval = default.health_check_interval;
        let keys = ["mcp_manager.session_timeout_ms", "mcp_manager.health_check_interval_ms"];
        loaded.contradiction(&keys, message.to_owned());
    }
}

/// A component needs at least one of its two implementations.
fn rollouts(loaded: &mut Loaded) {
    let config = &mut loaded.config;
    let components = [
        ("eventbus", &mut config.eventbus.rollout),
        ("process_manager", &mut config.process_manager.rollout),
        ("log_store", &mut config.log_store.rollout),
        ("model", &mut config.model.rollout),
        ("proxy_server", &mut config.proxy_server.rollout),
        ("mcp_manager", &mut config.mcp_manager.rollout),
    ];
    let mut refused = Vec::new();
    for (table, rollout) in components {
        if !rollout.enable_new_sync && !rollout.fallback_mode {
            *rollout = Rollout::default();
            refused.push(table);
        }
    }
    for table in refused {
        let keys = [format!("{table}.enable_new_sync"), format!("{table}.fallback_mode")];
        let message =
            "false leaves nothing to run: set fallback_mode = true as well; keeping true".to_owned();
        loaded.contradiction(&[&keys[0], &keys[1]], message);
    }
}

// === impl Loaded ===

impl Loaded {
    /// Reports `message` under the first key, at the first of `keys` that somebody set; all are defaults now.
    fn contradiction(&mut self, keys: &[&str], message: String) {
        let source = keys.iter().find_map(|key| self.sources.get(*key)).cloned().unwrap_or(Source::Default);
        self.problems.push(Problem::with(&source, keys[0], message));
        for key in keys {
            self.sources.remove(*key);
        }
    }
}
