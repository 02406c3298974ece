//! What holds where nothing is written.

use super::*;

#[test]
fn defaults_are_those_of_the_design() {
    let config = Config::default();
    assert_eq!(config.eventbus.queue_sizes, [100, 500, 1000]);
    assert_eq!(config.eventbus.max_events, 5000);
    assert_eq!((config.log_store.buffer_size, config.log_store.max_entries), (1000, 10_000));
    assert_eq!((config.log_store.max_bytes, config.log_store.max_error_entries), (16 << 20, 500));
    assert_eq!(config.log_store.max_line, 64 << 10);
    assert_eq!((config.log_store.history, config.log_store.history_max_mb), (true, 256));
    assert_eq!(
        (config.process_manager.max_concurrent_starts, config.process_manager.max_processes),
        (10, 200)
    );
    assert_eq!(config.process_manager.max_process_history, 1000);
    assert_eq!(config.process_manager.status_read_strategy, StatusReadStrategy::Atomic);
    assert_eq!(config.process_manager.worker_timeout, Duration::from_secs(5));
    assert_eq!(config.process_manager.stop_grace, Duration::from_secs(5));
    assert_eq!((config.eventbus.backpressure, config.eventbus.monitoring), (Backpressure::DropOldest, true));
    assert_eq!((config.process_manager.command_queue, config.log_store.worker_count), (100, 1));
    assert_eq!((config.log_store.batch_size, config.log_store.flush_after), (100, Duration::from_millis(50)));
    let proxy = &config.proxy_server;
    assert_eq!((proxy.request_buffer_size, proxy.max_ws_clients), (1000, 50));
    assert_eq!((proxy.max_connections, proxy.max_idle_connections), (1024, 16_384));
    assert_eq!(proxy.connection_timeout, Duration::from_secs(5));
    let mcp = &config.mcp_manager;
    assert_eq!((mcp.max_retry_attempts, mcp.max_connections), (3, 64));
    assert_eq!(
        (mcp.health_check_interval, mcp.session_timeout),
        (Duration::from_secs(30), Duration::from_secs(300))
    );
    assert_eq!(config.resources.memory_limit_mb, 512);
    assert_eq!(config.resources.monitoring_interval, Duration::from_secs(10));
    assert_eq!(config.model.rollout, Rollout { enable_new_sync: true, fallback_mode: false });
    assert_eq!((config.mcp_port, config.proxy_port), (7777, 19888));
    assert_eq!([1, 2, 4, 10, 64].map(tables::worker_pool_size), [4, 5, 10, 25, 32]);
    assert_eq!([1, 4, 8, 64, 1000].map(tables::max_tasks), [32, 32, 64, 512, 512]);
}
