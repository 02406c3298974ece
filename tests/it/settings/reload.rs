//! Settings read again while a host runs: what runs goes on.

use serde_json::json;

use crate::support::{host::Host, nvim::Nvim, project::Project};

fn project() -> Project {
    Project::with(&[
        ("dev", "echo up; exec sleep 1000"),
        ("api", "exec sleep 1000"),
        ("third", "exec sleep 1000"),
    ])
}

#[test]
fn a_reload_takes_effect_while_a_process_runs() {
    let project = project();
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["dev"])[0];
    let before = host.wait_state(id, &["running"]);
    project.write(
        ".brum.toml",
        "[process_manager]\nmax_processes = 1\n[log_store]\nbuffer_size = 300\nmax_bytes = 1\n",
    );
    let told = host.ask("reload", &json!({ "dir": project.root() })).unwrap();
    assert_eq!(told["root"], json!(project.root()));
    assert_eq!(told["files"], json!([project.path(".brum.toml")]));
    assert_eq!(told["applied"], json!(["process_manager.max_processes: 200 → 1"]));
    assert_eq!(told["restart"], json!(["log_store.buffer_size takes effect when the host restarts"]));
    let problem = ".brum.toml:5: log_store.max_bytes: must be 4096 to 1099511627776, not 1; keeping 16777216";
    assert_eq!(told["problems"], json!([problem]));

    let refused = host.ask("run", &json!({ "root": project.root(), "names": ["api"] })).unwrap_err();
    assert!(refused.contains("1 processes are running, which is the limit"), "{refused}");
    let now = host.seen().procs[&id].clone();
    assert_eq!((&now["state"], &now["pid"]), (&json!("running"), &before["pid"]), "what runs goes on");

    project.write(".brum.toml", "[process_manager]\nmax_processes = 2\n");
    host.ask("reload", &json!({ "dir": project.root() })).unwrap();
    host.run(project.root(), &["api"]);
}

#[test]
fn a_file_that_cannot_be_read_changes_nothing() {
    let project = project();
    project.write(".brum.toml", "[process_manager]\nmax_processes = 2\n");
    let host = Host::start(project.root());
    project.write(".brum.toml", "[process_manager]\nmax_processes = \n");
    let told = host.ask("reload", &json!({ "dir": project.root() })).unwrap();
    assert_eq!((&told["applied"], &told["restart"]), (&json!([]), &json!([])), "{told}");
    let problem = told["problems"][0].as_str().unwrap_or_default();
    assert!(problem.starts_with(".brum.toml:2: "), "{told}");
    host.run(project.root(), &["dev", "api"]);
    let refused = host.ask("run", &json!({ "root": project.root(), "names": ["third"] })).unwrap_err();
    assert!(refused.contains("which is the limit"), "{refused}");
}

#[test]
fn the_settings_are_told_with_their_sources() {
    let project = project();
    project.write(".brum.toml", "[log_store]\nmax_entries = 500\n");
    let host = Host::start(project.root());
    let answer = host.ask("config", &json!({ "dir": project.root() })).unwrap();
    assert_eq!((&answer["root"], &answer["problems"]), (&json!(project.root()), &json!([])));
    let values = answer["values"].as_array().unwrap();
    let of = |key: &str| values.iter().find(|value| value["key"] == key).cloned().unwrap_or_default();
    let expected = json!({ "key": "log_store.max_entries", "value": "500", "source": ".brum.toml:2" });
    assert_eq!(of("log_store.max_entries"), expected);
    assert_eq!(of("log_store.max_bytes"), json!({ "key": "log_store.max_bytes", "value": "16777216" }));
    assert_eq!(of("proxy_url"), json!({ "key": "proxy_url" }));
}

#[test]
fn in_the_editor_a_reload_keeps_the_process_and_says_what_changed() {
    let project = project();
    let nvim = Nvim::at(project.root()).size(100, 30).start();
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/dev", "up");
    let pid = nvim.status("dev")["pid"].clone();
    project.write(".brum.toml", "[process_manager]\nmax_processes = 1\n");
    nvim.ex("Brummer config reload");
    nvim.wait_said(&["process_manager.max_processes: 200 → 1"]);
    nvim.ex("BrummerRun api");
    nvim.wait_said(&["which is the limit"]);
    let dev = nvim.status("dev");
    assert_eq!((&dev["state"], &dev["pid"]), (&json!("running"), &pid));
    nvim.ex("Brummer config");
    nvim.wait_screen("# files: ");
    nvim.keys("q");
    nvim.assert_typing_works();
}

#[test]
fn the_health_view_shows_the_components_and_goes_on() {
    let project = project();
    let nvim = Nvim::at(project.root()).size(120, 40).start();
    nvim.exec("require('brummer').run('dev', { open = false })");
    nvim.wait_state("dev", &["running"]);
    nvim.ex("25Brummer health");
    let health = "brummer://health";
    nvim.wait_line(health, "all is well");
    for name in ["bus", "process", "logs", "model"] {
        nvim.wait_line(health, name);
    }
    assert_eq!(nvim.lua("vim.bo.filetype"), "brummer-health");
    let running = |nvim: &Nvim| {
        let lines = nvim.lines(health);
        let row = lines.iter().find(|line| line.trim_start().starts_with("processes"))?;
        row.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    nvim.wait_until("one process", |nvim| running(nvim) == Some(1));
    nvim.keys("5G");
    nvim.exec("require('brummer').run('api', { open = false })");
    nvim.wait_until("two processes", |nvim| running(nvim) == Some(2));
    assert_eq!(nvim.position().0, 5, "the cursor stays");
    nvim.exec("require('brummer').stop('api')");
    nvim.wait_until("one process again", |nvim| running(nvim) == Some(1));
    nvim.keys("q");
    nvim.wait_until("another buffer", |nvim| nvim.buffer() != health);
}

#[test]
fn a_part_that_gets_worse_is_one_notice_an_event_and_a_line_of_the_list() {
    let project = Project::with(&[("flood", "yes $(printf %0500d 7) | head -n 100000; exec sleep 1000")]);
    // The lines kept are more than the host may hold, however few it keeps of them while memory is short.
    project.write(
        ".brum.toml",
        "[log_store]\nmax_entries = 1000000\nmax_bytes = 200000000\n\
         [resources]\nmemory_limit_mb = 16\nmonitoring_interval_ms = 50\n",
    );
    let nvim = Nvim::at(project.root()).size(120, 40).start();
    nvim.exec("require('brummer').run('flood', { open = false })");
    nvim.wait_said(&["resource degraded: ", "memory", "(:Brummer health)"]);
    assert_eq!(nvim.events("BrummerHealthChanged")[0]["data"]["to"], "degraded");
    nvim.ex("Brummer");
    nvim.wait_line("brummer://", "▸ Health: resource degraded");
    nvim.keys("G<CR>");
    nvim.wait_until("the view", |nvim| nvim.buffer() == "brummer://health");
    nvim.wait_line("brummer://health", "resource degraded");
    let notes =
        nvim.lua("#vim.tbl_filter(function(note) return note.text:find('resource degraded') end, it.notes)");
    assert_eq!((notes, nvim.events("BrummerHealthChanged").len()), (json!(1), 1), "{}", nvim.said());
}
