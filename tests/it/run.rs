//! `:BrummerRun`: what opens, where, and what stays as it was.

use crate::support::{nvim::Nvim, project::Project, shop};

const DEV: &str = "brummer://logs/dev";

fn dev() -> Project {
    Project::with(&[
        ("dev", "echo up; exec sleep 1000"),
        ("greet", "echo hello"),
        ("api", "echo api; exec sleep 1000"),
    ])
}

#[test]
fn a_script_opens_its_log_with_live_coloured_lines() {
    // High enough for the whole log.
    let nvim = Nvim::at(shop()).size(120, 60).start();
    nvim.ex("BrummerRun dev");
    nvim.wait_line(DEV, "VITE");
    nvim.wait_screen("page reload");
    assert_eq!(nvim.buffer(), DEV, "the cursor is in the log");
    assert_eq!(nvim.lua("vim.bo.filetype"), "brummer-logs");
    assert_eq!(nvim.lua("vim.bo.modifiable"), false);
    assert_eq!(nvim.status("dev")["state"], "running");
    nvim.wait_until("the colour of VITE", |nvim| nvim.highlight_of("VITE").is_some_and(|h| h.fg.is_some()));
    let plain = nvim.highlight_of("to expose").unwrap();
    assert_ne!(nvim.highlight_of("Internal server error"), Some(plain));
    let lines = nvim.lines(DEV);
    assert!(lines.iter().all(|line| !line.contains('\u{1b}')), "escapes in the text: {lines:#?}");
    // At the bottom, and the window above is the one that was there.
    assert_eq!(nvim.lua("vim.fn.winnr('$')"), 2);
    assert_eq!(nvim.lua("vim.fn.winnr()"), 2);
    assert_eq!(nvim.lua("vim.wo.winfixheight"), true);
}

#[test]
fn starting_what_runs_goes_to_its_log() {
    let project = dev();
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun dev");
    nvim.wait_line(DEV, "up");
    nvim.keys("<C-w>p");
    nvim.wait_until("another window", |nvim| nvim.buffer() != DEV);
    nvim.ex("BrummerRun dev");
    nvim.wait_until("the log's window", |nvim| nvim.buffer() == DEV);
    assert_eq!(nvim.lua("vim.fn.winnr('$')"), 2, "no second window");
    assert_eq!(nvim.status("dev")["run"], 1);
    // It is sent again to the window that shows it again.
    let once = |nvim: &Nvim| nvim.lines(DEV).iter().filter(|line| *line == "up").count() == 1;
    nvim.wait_until("its line, once", once);
    assert_eq!(nvim.events("BrummerProcessStarted").len(), 1);
}

#[test]
fn a_closed_log_is_opened_again_with_what_it_held() {
    let project = dev();
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun dev");
    nvim.wait_line(DEV, "up");
    nvim.ex("bwipeout");
    nvim.wait_until("the log to be gone", |nvim| nvim.lines(DEV).is_empty());
    assert_eq!(nvim.status("dev")["state"], "running", "closing a view ends no process");
    nvim.ex("BrummerRun dev");
    nvim.wait_line(DEV, "up");
    nvim.ex("edit");
    nvim.wait_line(DEV, "up");
    assert_eq!(nvim.status("dev")["run"], 1);
}

#[test]
fn bang_leaves_the_cursor_alone() {
    let project = dev();
    let nvim = Nvim::start(project.root());
    let before = nvim.lua("vim.api.nvim_get_current_win()");
    nvim.ex("BrummerRun! dev");
    nvim.wait_state("dev", &["running"]);
    assert_eq!(nvim.lua("vim.api.nvim_get_current_win()"), before);
    assert_ne!(nvim.buffer(), DEV);
}

#[test]
fn a_count_and_modifiers_are_obeyed() {
    let project = dev();
    let nvim = Nvim::at(project.root()).size(120, 40).start();
    nvim.ex("20BrummerRun dev");
    nvim.wait_line(DEV, "up");
    assert_eq!(nvim.lua("vim.api.nvim_win_get_height(0)"), 20);
    nvim.ex("only | vertical BrummerRun api");
    nvim.wait_line("brummer://logs/api", "api");
    nvim.wait_until("the log of api", |nvim| nvim.buffer() == "brummer://logs/api");
    nvim.ex("tab BrummerRun greet");
    nvim.wait_until("a tab", |nvim| nvim.lua("#vim.api.nvim_list_tabpages()") == 2);
}

#[test]
fn arguments_reach_the_script_and_a_restart_repeats_them() {
    let nvim = Nvim::start(shop());
    nvim.ex("BrummerRun greet -- wide world");
    nvim.wait_line("brummer://logs/greet", "hello wide world");
    nvim.wait_state("greet", &["success"]);
    nvim.keys("r");
    nvim.wait_until("a second run", |nvim| {
        nvim.lines("brummer://logs/greet").iter().filter(|line| *line == "hello wide world").count() == 2
    });
    nvim.wait_until("its end", |nvim| nvim.events("BrummerProcessExited").len() == 2);
}

#[test]
fn any_command_line_gets_what_a_script_gets() {
    let project = dev();
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun !echo one | sed s/one/two/; pwd");
    let log = nvim.wait_for("its log", |nvim| {
        let buffer = nvim.buffer();
        buffer.starts_with("brummer://logs/").then_some(buffer)
    });
    nvim.wait_line(&log, "two");
    nvim.wait_line(&log, project.root().to_str().unwrap());
    nvim.ex("Brummer run --last");
    nvim.wait_until("a second run", |nvim| {
        nvim.lines(&log).iter().filter(|line| *line == "two").count() == 2
    });
}

#[test]
fn several_scripts_share_the_merged_log() {
    let project = dev();
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun dev api");
    nvim.wait_line("brummer://logs", "up");
    nvim.wait_until("the line of api", |nvim| nvim.lines("brummer://logs").iter().any(|line| line == "api"));
    nvim.wait_state("dev", &["running"]);
    nvim.wait_state("api", &["running"]);
}

#[test]
fn the_project_is_the_one_of_the_current_file() {
    let one = Project::with(&[("dev", "echo first project; exec sleep 1000")]);
    let two = Project::with(&[("dev", "echo second project; exec sleep 1000")]);
    one.write("src/a.js", "1\n");
    let file = two.write("src/b.js", "2\n");
    let nvim = Nvim::at(one.root()).arg("src/a.js").start();
    nvim.ex("BrummerRun dev");
    nvim.wait_until("the first project's log", |nvim| {
        nvim.lines(&nvim.buffer()).iter().any(|line| line == "first project")
    });
    nvim.ex(&format!("tabedit {}", file.display()));
    nvim.wait_until("the second project's file", |nvim| nvim.buffer() == file.to_str().unwrap());
    nvim.ex("BrummerRun dev");
    nvim.wait_until("the second project's log", |nvim| {
        nvim.buffer().starts_with("brummer://logs/")
            && nvim.lines(&nvim.buffer()).iter().any(|line| line == "second project")
    });
    assert_eq!(nvim.lua("#require('brummer').processes()"), 2);
    assert_eq!(nvim.marker.named(" host --stdio").len(), 1, "one host serves several roots");
}

#[test]
fn children_are_told_to_use_colours_unless_the_user_says_no() {
    let project =
        Project::with(&[("env", "echo force=$FORCE_COLOR cli=$CLICOLOR_FORCE py=$PYTHONUNBUFFERED")]);
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun env");
    nvim.wait_line("brummer://logs/env", "force=1 cli=1 py=1");
    let nvim = Nvim::at(project.root()).env("NO_COLOR", "1").start();
    nvim.ex("BrummerRun env");
    nvim.wait_line("brummer://logs/env", "force= cli=");
}

#[test]
fn no_command_blocks_on_a_hit_enter_question() {
    for (columns, rows) in [(60, 20), (80, 24)] {
        for height in [0, 1] {
            let project = dev();
            let nvim = Nvim::at(project.root()).size(columns, rows).start();
            nvim.command(&format!("set cmdheight={height}"));
            nvim.ex("BrummerRun dev");
            nvim.wait_line(DEV, "up");
            for command in [
                "BrummerRun dve",
                "BrummerRun dev",
                "Brummer nonsense",
                "Brummer stop nobody",
                "Brummer stop",
            ] {
                nvim.ex(command);
                nvim.wait_until(&format!(":{command} to be done"), |nvim| nvim.mode() == "n");
            }
            nvim.wait_state("dev", &["stopped"]);
            assert!(!nvim.is_blocked(), "{}", nvim.dump());
        }
    }
}
