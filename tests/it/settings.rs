//! Every key of the settings: what it changes. For each key one test changes only that key and sees something behave
//! otherwise; keys without effect are listed with what will bring them, and that list may only shrink.

use std::collections::BTreeMap;

use brummer::config::{self, Config};
use serde_json::{Value as Json, json};

use crate::support::{brummer, clean_env, host::Host, project::Project, repo};

mod bus;
mod logs;
mod process;
mod reload;
mod restarts;
mod rig;
mod scripts;

/// Each key that has an effect, and the test that shows it.
const EFFECTS: [(&str, &str); 60] = [
    ("preferred_package_manager", "the_preferred_package_manager_runs_the_scripts"),
    ("eventbus.worker_pool_size", "as_many_handlers_run_at_once_as_there_are_workers"),
    ("eventbus.queue_sizes", "a_smaller_queue_drops_more_of_a_burst"),
    ("eventbus.backpressure_strategy", "the_strategy_says_which_end_of_a_burst_is_lost"),
    ("eventbus.max_event_queue", "a_lower_ceiling_leaves_less_room_in_the_mailboxes"),
    ("eventbus.enable_monitoring", "without_monitoring_no_times_are_kept"),
    ("eventbus.enable_new_sync", "the_switches_of_the_bus_say_which_implementation_runs"),
    ("eventbus.fallback_mode", "the_switches_of_the_bus_say_which_implementation_runs"),
    ("process_manager.command_queue", "as_many_commands_wait_as_the_queue_holds"),
    ("process_manager.max_concurrent_starts", "as_many_starts_are_under_way_as_the_settings_say"),
    ("process_manager.max_processes", "one_process_more_than_the_limit_is_refused"),
    ("process_manager.max_process_history", "only_so_many_ended_runs_are_remembered"),
    ("process_manager.status_read_strategy", "a_locked_status_is_read_under_a_lock"),
    ("process_manager.worker_timeout", "a_process_that_does_not_answer_in_time_is_said"),
    ("process_manager.stop_grace", "what_needs_longer_than_the_grace_is_killed"),
    ("process_manager.env_files", "the_env_files_of_all_scripts_can_be_chosen"),
    ("process_manager.runner", "scripts_of_packages_run_with_or_without_their_manager"),
    ("process_manager.usage_interval", "usage_is_measured_as_often_as_is_said"),
    ("process_manager.enable_new_sync", "the_switches_of_processes_say_which_implementation_runs"),
    ("process_manager.fallback_mode", "the_switches_of_processes_say_which_implementation_runs"),
    ("log_store.buffer_size", "the_pipe_holds_as_many_blocks_as_the_buffer_has_batches"),
    ("log_store.batch_size", "a_full_batch_is_told_of"),
    ("log_store.worker_count", "a_second_log_writer_is_refused"),
    ("log_store.timeout_ms", "a_batch_that_is_not_full_is_told_of_in_time"),
    ("log_store.max_entries", "only_so_many_lines_are_kept"),
    ("log_store.max_bytes", "only_so_many_bytes_are_kept"),
    ("log_store.max_error_entries", "only_so_many_headlines_are_kept"),
    ("log_store.max_line", "a_line_over_the_limit_is_kept_whole_and_marked_as_long"),
    ("log_store.history", "without_history_nothing_is_written"),
    ("log_store.history_max_mb", "the_history_takes_no_more_than_is_said"),
    ("log_store.history_days", "histories_that_nobody_used_for_so_long_are_removed"),
    ("log_store.enable_new_sync", "the_switches_of_logs_say_which_implementation_runs"),
    ("log_store.fallback_mode", "the_switches_of_logs_say_which_implementation_runs"),
    ("model.enable_new_sync", "the_switches_of_the_model_say_which_implementation_runs"),
    ("model.fallback_mode", "the_switches_of_the_model_say_which_implementation_runs"),
    ("resources.max_tasks", "as_many_permits_are_given_as_there_are_tasks"),
    ("resources.memory_limit_mb", "memory_is_held_against_the_limit"),
    ("resources.monitoring_interval_ms", "memory_is_measured_as_often_as_is_said"),
    ("scripts.NAME.command", "the_command_is_a_line_for_the_shell_or_a_program"),
    ("scripts.NAME.cwd", "a_script_runs_in_its_own_cwd_and_env"),
    ("scripts.NAME.env", "a_script_runs_in_its_own_cwd_and_env"),
    ("scripts.NAME.env_files", "the_env_files_of_one_script_can_be_chosen"),
    ("scripts.NAME.runner", "one_script_of_a_package_runs_without_its_manager"),
    ("scripts.NAME.pty", "a_pty_is_a_terminal"),
    ("scripts.NAME.stdin", "without_stdin_reading_ends_at_once"),
    ("scripts.NAME.stop_signal", "the_stop_signal_is_the_one_that_is_said"),
    ("scripts.NAME.stop_grace", "the_stop_grace_of_one_script_is_its_own"),
    ("scripts.NAME.detach", "what_may_detach_lives_on"),
    ("scripts.NAME.leave", "what_is_left_may_live_on"),
    ("scripts.NAME.after", "what_comes_after_something_waits_for_it"),
    ("scripts.NAME.restart.when", "restart_says_when"),
    ("scripts.NAME.restart.delay", "the_first_restart_waits_for_the_delay"),
    ("scripts.NAME.restart.max_delay", "no_restart_waits_longer_than_the_max_delay"),
    ("scripts.NAME.restart.reset_after", "after_a_stable_run_restarts_are_counted_anew"),
    ("scripts.NAME.restart.limit", "restarts_end_at_the_limit"),
    ("scripts.NAME.ready.log", "a_line_of_the_log_says_that_it_is_ready"),
    ("scripts.NAME.ready.port", "a_port_says_that_it_is_ready"),
    ("scripts.NAME.ready.http", "an_answer_over_http_says_that_it_is_ready"),
    ("scripts.NAME.ready.timeout", "what_is_not_ready_before_the_timeout_is_said"),
    ("sets.NAME", "a_set_runs_its_scripts"),
];

/// Keys that are read and checked and change nothing yet, and what will bring them.
const WITHOUT_EFFECT: [(&str, &str); 20] = [
    ("mcp_port", "MCP"),
    ("no_mcp", "MCP"),
    ("proxy_port", "proxy"),
    ("proxy_mode", "proxy"),
    ("proxy_url", "proxy"),
    ("standard_proxy", "proxy"),
    ("no_proxy", "proxy"),
    ("proxy_server.request_buffer_size", "proxy"),
    ("proxy_server.connection_timeout_ms", "proxy"),
    ("proxy_server.max_ws_clients", "proxy"),
    ("proxy_server.max_connections", "proxy"),
    ("proxy_server.max_idle_connections", "proxy"),
    ("proxy_server.enable_new_sync", "proxy"),
    ("proxy_server.fallback_mode", "proxy"),
    ("mcp_manager.health_check_interval_ms", "MCP"),
    ("mcp_manager.session_timeout_ms", "MCP"),
    ("mcp_manager.max_retry_attempts", "MCP"),
    ("mcp_manager.max_connections", "MCP"),
    ("mcp_manager.enable_new_sync", "MCP"),
    ("mcp_manager.fallback_mode", "MCP"),
];

/// The settings of a project whose `.brum.toml` has this text and no mistakes.
fn with(text: &str) -> Config {
    let project = Project::empty();
    project.write(".brum.toml", text);
    let loaded = config::load(project.root(), None, &|_| None);
    assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
    loaded.config
}

/// What `brummer config` prints in a project with this `.brum.toml`: standard output, standard error.
fn printed(text: &str, variables: &[(&str, &str)]) -> (String, String) {
    let project = Project::empty();
    project.write(".brum.toml", text);
    let mut command = std::process::Command::new(brummer());
    command.arg("config").current_dir(project.root());
    clean_env(&mut command);
    let out = command.env("HOME", project.root()).envs(variables.iter().copied()).output().unwrap();
    (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap())
}

/// The keys of the reference with its last two columns: when a new value counts, what effect it has.
fn reference() -> BTreeMap<String, (String, String)> {
    let text = std::fs::read_to_string(repo().join("doc/config.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let key = line.strip_prefix("| `")?.split('`').next()?;
        let mut columns = line.trim_end_matches('|').rsplit('|').map(|column| column.trim().to_owned());
        let effect = columns.next()?;
        Some((key.to_owned(), (columns.next()?, effect)))
    });
    rows.collect()
}

#[test]
fn every_key_has_a_test_or_waits_for_what_will_bring_it() {
    let reference = reference();
    assert!(reference.len() > 40, "the reference is found");
    for (key, (_, effect)) in &reference {
        let shown = EFFECTS.iter().any(|(known, _)| known == key);
        let waits = WITHOUT_EFFECT.iter().find(|(known, _)| known == key);
        assert!(shown != waits.is_some(), "{key} is to be in exactly one of the two lists");
        match waits {
            Some((_, brought_by)) => assert_eq!(effect, brought_by, "{key} in doc/config.md"),
            None => assert!(effect.starts_with("yes"), "{key} in doc/config.md: {effect}"),
        }
    }
    let listed = EFFECTS.len() + WITHOUT_EFFECT.len();
    assert_eq!(listed, reference.len(), "the lists name keys that there are, and each once");
    // It may only shrink.
    assert_eq!(WITHOUT_EFFECT.len(), 20);
}

#[test]
fn the_reference_says_when_a_new_value_counts() {
    let reference = reference();
    for shown in config::Loaded::default().values() {
        let expected = if shown.live { "at once" } else { "restart" };
        assert_eq!(reference[&shown.key].0, expected, "{}", shown.key);
    }
}

#[test]
fn the_test_of_every_key_exists_and_changes_it() {
    fn sources(dir: &std::path::Path, found: &mut String) {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    sources(&repo().join("src"), &mut text);
    sources(&repo().join("tests/it"), &mut text);
    // What a test does stands between its name and the next brace at the margin.
    let body = |test: &str| {
        let from = text.find(&format!("fn {test}("))?;
        text[from..].split("\n}").next()
    };
    let wrong: Vec<_> = EFFECTS
        .iter()
        .filter(|(key, test)| {
            let key = key.trim_end_matches(".NAME").rsplit('.').next().unwrap_or_default();
            // The two switches of a component are changed by what all four tests of them share.
            let own = !matches!(key, "enable_new_sync" | "fallback_mode");
            body(test).is_none_or(|body| own && !body.contains(key))
        })
        .collect();
    assert!(wrong.is_empty(), "no such test, or one that does not change its key: {wrong:#?}");
}

#[test]
fn the_preferred_package_manager_runs_the_scripts() {
    for (text, manager) in [("", "npm"), ("preferred_package_manager = \"pnpm\"", "pnpm")] {
        let project = Project::with(&[("dev", "true")]);
        project.write(".brum.toml", text);
        let host = Host::start(project.root());
        let answer = host.ask("scripts", &json!({ "dir": project.root() })).unwrap();
        assert_eq!(answer["manager"], manager);
    }
}

#[test]
fn a_second_log_writer_is_refused() {
    assert_eq!(printed("[log_store]\nworker_count = 1\n", &[]).1, "");
    let (values, said) = printed("[log_store]\nworker_count = 2\n", &[]);
    assert!(said.contains(".brum.toml:2: log_store.worker_count: must be 1"), "{said}");
    assert!(values.contains("log_store.worker_count = 1  # default"), "{values}");
}

#[test]
fn a_locked_status_outside_fallback_mode_is_refused() {
    let (values, said) = printed("[process_manager]\nstatus_read_strategy = \"locked\"\n", &[]);
    let place = ".brum.toml:2: process_manager.status_read_strategy: \"locked\" works in fallback mode only";
    assert!(said.contains(place), "{said}");
    assert!(values.contains("process_manager.status_read_strategy = \"atomic\"  # default"), "{values}");
}

#[test]
fn a_variable_wins_over_every_file() {
    let variable = [("BRUMMER_LOG_STORE_MAX_ENTRIES", "700")];
    let (values, said) = printed("[log_store]\nmax_entries = 500\n", &variable);
    assert_eq!(said, "");
    assert!(values.contains("log_store.max_entries = 700  # BRUMMER_LOG_STORE_MAX_ENTRIES"), "{values}");
}

/// The implementation of a component in a host with these switches.
fn mode(table: &str, component: &str, switches: &str) -> Json {
    let project = Project::empty();
    project.write(".brum.toml", format!("[{table}]\n{switches}\n"));
    let host = Host::start(project.root());
    let report = host.ask("health", &json!({})).unwrap();
    let components = report["components"].as_array().unwrap();
    let found = components.iter().find(|it| it["name"] == component).unwrap_or_else(|| panic!("{report:#}"));
    found["mode"].clone()
}

/// Each of the two switches, changed alone, changes what runs.
fn assert_switches(table: &str, component: &str) {
    let fallback = "enable_new_sync = false\nfallback_mode = true";
    assert_eq!(mode(table, component, fallback), "fallback");
    assert_eq!(mode(table, component, "enable_new_sync = true\nfallback_mode = true"), "current");
    // Refused, because it leaves nothing to run.
    assert_eq!(mode(table, component, "enable_new_sync = false\nfallback_mode = false"), "current");
}

#[test]
fn the_switches_of_the_bus_say_which_implementation_runs() {
    assert_switches("eventbus", "bus");
}

#[test]
fn the_switches_of_processes_say_which_implementation_runs() {
    assert_switches("process_manager", "process");
}

#[test]
fn the_switches_of_logs_say_which_implementation_runs() {
    assert_switches("log_store", "logs");
}

#[test]
fn the_switches_of_the_model_say_which_implementation_runs() {
    assert_switches("model", "model");
}

#[test]
fn memory_is_held_against_the_limit() {
    let limit = |text: &str| {
        let project = Project::empty();
        project.write(".brum.toml", text);
        let host = Host::start(project.root());
        let measured = || {
            let report = host.ask("health", &json!({})).unwrap();
            report["memory"]["limit"].as_u64().filter(|limit| *limit > 0)
        };
        crate::support::proc::eventually("memory to be measured", measured)
    };
    // What the machine allows may be less than the default.
    assert!(limit("") > 64 << 20);
    assert_eq!(limit("[resources]\nmemory_limit_mb = 64\n"), 64 << 20);
}

#[test]
fn memory_is_measured_as_often_as_is_said() {
    // Each look is an event, and nothing else happens in a host that runs nothing. The first figures are of its start.
    let rate = |host: &Host| {
        let report = host.ask("health", &json!({})).unwrap();
        report["rates"]["events"].as_f64().filter(|_| report["uptime"].as_u64() > Some(3000))
    };
    let seldom = Project::empty();
    let seldom = Host::start(seldom.root());
    let often = Project::empty();
    often.write(".brum.toml", "[resources]\nmonitoring_interval_ms = 10\n");
    let often = Host::start(often.root());
    crate::support::proc::eventually("many looks a second", || rate(&often).filter(|rate| *rate > 10.0));
    crate::support::proc::eventually("few looks a second", || rate(&seldom).filter(|rate| *rate < 10.0));
}
