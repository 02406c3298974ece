//! `:Brummer`, completion, the dashboard, the statusline, the quickfix list.

use serde_json::{Value as Json, json};

use crate::support::{
    nvim::{Nvim, quote},
    project::Project,
    shop,
};

fn completion(nvim: &Nvim, line: &str) -> Vec<String> {
    let found = nvim.lua(&format!("vim.fn.getcompletion({}, 'cmdline')", quote(line)));
    found.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

#[test]
fn commands_exist_and_nothing_is_started_by_loading() {
    let nvim = Nvim::start(shop());
    assert_eq!(nvim.lua("vim.fn.exists(':Brummer')"), 2);
    assert_eq!(nvim.lua("vim.fn.exists(':BrummerRun')"), 2);
    assert_eq!(
        nvim.lua("vim.iter(package.loaded):any(function(name) return vim.startswith(name, 'brummer') end)"),
        false
    );
    assert!(nvim.marker.host().is_none());
    // No global key is taken.
    let taken = nvim.lua(
        "vim.iter(vim.api.nvim_get_keymap('n')):any(function(map)
           return not vim.startswith(map.lhs, '<Plug>') and (map.desc or ''):find('brummer') ~= nil end)",
    );
    assert_eq!(taken, false);
}

#[test]
fn subcommands_and_scripts_are_completed_without_a_host() {
    let nvim = Nvim::start(shop());
    let subcommands = completion(&nvim, "Brummer ");
    for name in ["run", "stop", "restart", "logs", "errors", "next", "prev", "explain"] {
        assert!(subcommands.iter().any(|item| item == name), "{name} in {subcommands:?}");
    }
    nvim.wait_until("the scripts", |nvim| completion(nvim, "BrummerRun ").iter().any(|item| item == "dev"));
    nvim.wait_until("those that begin so", |nvim| completion(nvim, "BrummerRun b") == ["build"]);
}

#[test]
fn a_wrong_subcommand_names_the_nearest() {
    let nvim = Nvim::at(shop()).size(160, 40).start();
    nvim.ex("Brummer restrat");
    nvim.wait_said(&["restrat", "restart"]);
    assert!(nvim.marker.host().is_none());
}

#[test]
fn without_a_name_the_scripts_are_listed_and_one_is_chosen() {
    let nvim = Nvim::start(shop());
    nvim.exec(
        "vim.ui.select = function(items, opts, choose)
           it.offered = vim.tbl_map(opts.format_item or tostring, items)
           for index, item in ipairs(items) do if (opts.format_item or tostring)(item):find('greet') then choose(item, index) end end
         end",
    );
    nvim.ex("BrummerRun");
    nvim.wait_line("brummer://logs/greet", "hello nobody");
    let offered = nvim.lua("it.offered");
    assert_eq!(offered.as_array().map(Vec::len), Some(10), "{offered}");
}

#[test]
fn stop_and_restart_mean_the_log_the_cursor_is_in() {
    let project = Project::with(&[("dev", "echo up; exec sleep 1000"), ("api", "echo up; exec sleep 1000")]);
    let nvim = Nvim::start(project.root());
    for name in ["dev", "api"] {
        nvim.ex(&format!("BrummerRun {name}"));
        nvim.wait_line(&format!("brummer://logs/{name}"), "up");
    }
    nvim.wait_until("the log of api", |nvim| nvim.buffer() == "brummer://logs/api");
    nvim.ex("Brummer stop");
    nvim.wait_state("api", &["stopped"]);
    assert_eq!(nvim.status("dev")["state"], "running");
    nvim.ex("Brummer restart dev");
    nvim.wait_until("the second run", |nvim| {
        nvim.status("dev")["run"] == 2 && nvim.status("dev")["state"] == "running"
    });
    assert_eq!(nvim.status("api")["state"], "stopped");
}

#[test]
fn the_dashboard_lists_processes_and_leads_to_their_logs() {
    let nvim = Nvim::start(shop());
    nvim.ex("BrummerRun! dev");
    nvim.wait_state("dev", &["running"]);
    nvim.ex("BrummerRun! fail");
    nvim.wait_state("fail", &["failed"]);
    nvim.ex("Brummer");
    nvim.wait_until("the dashboard", |nvim| nvim.buffer() == "brummer://");
    nvim.wait_until("its rows", |nvim| {
        let lines = nvim.lines("brummer://");
        lines.iter().any(|line| line.contains("● dev"))
            && lines.iter().any(|line| line.contains("✗ fail") && line.contains("exit 3"))
    });
    assert_eq!(nvim.lua("vim.bo.filetype"), "brummer-dashboard");
    nvim.exec("vim.fn.search('● dev')");
    nvim.keys("<CR>");
    nvim.wait_until("the log", |nvim| nvim.buffer() == "brummer://logs/dev");
}

#[test]
fn the_statusline_counts_and_is_empty_when_nothing_runs() {
    let project = Project::with(&[("dev", "echo up; exec sleep 1000"), ("fail", "exit 1")]);
    let nvim = Nvim::start(project.root());
    let statusline = |nvim: &Nvim| nvim.lua("require('brummer').statusline()");
    assert_eq!(statusline(&nvim), "");
    assert!(nvim.marker.host().is_none());
    nvim.ex("BrummerRun! dev");
    nvim.wait_until("one running", |nvim| statusline(nvim) == "● 1");
    nvim.ex("BrummerRun! fail");
    nvim.wait_until("one failed", |nvim| statusline(nvim) == "● 1  ✗ 1");
    nvim.ex("Brummer stop dev");
    nvim.wait_until("none running", |nvim| statusline(nvim) == "");
}

#[test]
fn errors_fill_one_quickfix_list() {
    let nvim = Nvim::start(shop());
    nvim.ex("BrummerRun build");
    nvim.wait_state("build", &["failed"]);
    nvim.wait_until("two errors", |nvim| nvim.status("build")["errors"] == 2);
    nvim.ex("Brummer errors --quickfix");
    nvim.wait_until("the list", |nvim| nvim.lua("#vim.fn.getqflist()") == 2);
    let list = nvim.lua(
        "vim.tbl_map(function(item) return { vim.fn.fnamemodify(vim.fn.bufname(item.bufnr), ':t'), item.lnum, item.col } end, vim.fn.getqflist())",
    );
    assert_eq!(list, json!([["session.ts", 9, 27], ["total.ts", 9, 33]]));
    let title = nvim.lua("vim.fn.getqflist({ title = 1 }).title");
    assert!(title.as_str().unwrap().starts_with("brummer"), "{title}");
    // Asked for again from the same log, it is the same list.
    nvim.ex("drop brummer://logs/build");
    nvim.wait_until("the log", |nvim| nvim.buffer() == "brummer://logs/build");
    nvim.ex("Brummer errors --quickfix");
    nvim.assert_typing_works();
    assert_eq!(nvim.lua("vim.fn.getqflist({ nr = '$' }).nr"), 1);
}

#[test]
fn views_map_only_keys_that_can_do_nothing_else() {
    let nvim = Nvim::start(shop());
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/dev", "VITE");
    nvim.wait_until("the log", |nvim| nvim.buffer() == "brummer://logs/dev");
    let allowed = |lhs: &str| {
        lhs == "<CR>"
            || lhs == "<C-W>gF"
            || (lhs.len() == 1 && "aAcCdDiIoOpPrRsSuUxX&<>=Kq".contains(lhs))
            || (lhs.len() > 1 && lhs.starts_with(['g', ']', '[', 'y']))
    };
    for buffer in ["brummer://logs/dev", "brummer://"] {
        nvim.ex(&format!("edit {buffer}"));
        nvim.wait_until("the view", |nvim| nvim.buffer() == buffer);
        let maps =
            nvim.lua("vim.tbl_map(function(map) return map.lhs end, vim.api.nvim_buf_get_keymap(0, 'n'))");
        let maps: Vec<&str> = maps.as_array().unwrap().iter().filter_map(Json::as_str).collect();
        assert!(maps.contains(&"<CR>"), "{buffer}: {maps:?}");
        let wrong: Vec<&&str> = maps.iter().filter(|lhs| !allowed(lhs)).collect();
        assert!(wrong.is_empty(), "{buffer}: {wrong:?}");
    }
}

#[test]
fn health_reports_without_an_error() {
    let nvim = Nvim::at(shop()).size(120, 60).start();
    nvim.ex("checkhealth brummer");
    nvim.wait_until("the report", |nvim| nvim.lua("vim.bo.filetype") == "checkhealth");
    nvim.wait_until("the protocol", |nvim| {
        let text = nvim.lua("table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')");
        text.as_str().is_some_and(|text| text.contains("brummer") && text.contains("OK"))
    });
    let text = nvim.lua("table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), '\\n')");
    assert!(!text.as_str().unwrap().contains("ERROR"), "{text}");
}
