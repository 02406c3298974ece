//! Floods in a real Neovim: windows, selections and prompts do not notice, and the copy is whole afterwards.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{nvim::Nvim, proc::poll, project::Project, slow_tests};

const FLOOD: &str = "brummer://logs/flood";

/// Megabytes that Neovim and the host may grow while a flood is shown.
const GROWTH: u64 = 16;

/// Looks at every row of the flood's buffer: its text is the line it is taken for, in order, and where a number is missing
/// there is a mark. Gives what is wrong, and how many lines the newest stretch has.
const CHECK: &str = r"
local buf = vim.fn.bufnr('^brummer://logs/flood$')
local view = require('brummer.ui.view').get(buf)
local draw = require('brummer.ui.draw')
local wrong, before, offset, whole = {}, nil, nil, 0
local count = vim.api.nvim_buf_line_count(buf)
for row, text in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, false)) do
  local seq, number = view.lines:at(row - 1), tonumber(text)
  if not seq and not (row == 1 and text == '') then
    wrong[#wrong + 1] = ('row %d (%s) is taken for nothing'):format(row, text)
  elseif number and seq then
    offset = offset or seq - number
    -- A stop may cut the last line, which is the beginning of its number then.
    local cut = row == count and vim.startswith(tostring(seq - offset), text)
    if seq - number ~= offset and not cut or view.lines:row(seq) ~= row - 1 then
      wrong[#wrong + 1] = ('row %d (%s) is taken for line %d'):format(row, text, seq)
    end
    local gap = draw.gap_at(buf, row - 1) == row - 1
    if before and (seq ~= before + 1) ~= gap then
      wrong[#wrong + 1] = ('row %d: line %d comes after %d, marked %s'):format(row, seq, before, tostring(gap))
    end
    whole = before and seq == before + 1 and whole + 1 or 1
  end
  before = seq or before
  if #wrong > 5 then break end
end
for _, win in ipairs(vim.fn.win_findbuf(buf)) do
  if require('brummer.ui.follow').on(win) and vim.api.nvim_win_get_cursor(win)[1] ~= vim.api.nvim_buf_line_count(buf)
    and not require('brummer.ui.follow').selecting() then
    wrong[#wrong + 1] = ('window %d follows and stands on %d of %d'):format(win, vim.api.nvim_win_get_cursor(win)[1], vim.api.nvim_buf_line_count(buf))
  end
end
return { wrong = table.concat(wrong, '; '), whole = whole, count = count }
";

/// A script that waits for the file `go`, prints the numbers up to `last`, and says so in the file `done`.
fn flood(last: u64) -> Project {
    let project = Project::with(&[("flood", "sh flood.sh")]);
    let wait = "while [ ! -e go ]; do sleep 0.02; done";
    project.write("flood.sh", format!("echo ready; {wait}; seq 1 {last}; touch done\n"));
    project
}

fn opened(project: &Project) -> Nvim {
    let nvim = Nvim::at(project.root()).size(100, 40).start();
    nvim.ex("BrummerRun flood");
    nvim.wait_line(FLOOD, "ready");
    nvim
}

/// Fails with what stays wrong with the buffer; gives the length of its newest stretch without a gap.
fn check(nvim: &Nvim) -> u64 {
    let mut seen = serde_json::Value::Null;
    // What a key has begun may go on behind the answer to it.
    let fine = poll(|| {
        seen = nvim.exec(CHECK);
        seen["wrong"] == ""
    });
    assert!(fine, "{}\n{}", seen["wrong"], nvim.dump());
    seen["whole"].as_u64().unwrap_or_default()
}

fn wait_whole(nvim: &Nvim, last: &str) {
    nvim.wait_until("the copy to be whole", |nvim| {
        nvim.lines(FLOOD).last().is_some_and(|line| line == last) && check(nvim) >= 9_900
    });
}

/// First line and cursor line of every window that shows the log.
fn views(nvim: &Nvim) -> serde_json::Value {
    nvim.exec(
        "return vim.tbl_map(function(win)
           return vim.api.nvim_win_call(win, function()
             return { vim.fn.getline(vim.fn.line('w0')), vim.fn.getline('.') }
           end)
         end, vim.fn.win_findbuf(vim.fn.bufnr('^brummer://logs/flood$')))",
    )
}

/// Megabytes of a process's resident set.
fn resident(pid: u64) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() / 1024
}

#[test]
fn windows_that_follow_end_at_the_end_and_a_paused_one_keeps_its_lines() {
    let project = flood(100_000);
    let nvim = opened(&project);
    for splitkeep in ["screen", "topline", "cursor"] {
        nvim.command(&format!("set splitkeep={splitkeep}"));
        nvim.keys(":split<CR>:vsplit<CR>");
    }
    nvim.keys(":tab split<CR>");
    nvim.wait_until("two tab pages", |nvim| nvim.lua("#vim.api.nvim_list_tabpages()") == 2);
    project.write("go", "");
    nvim.wait_state("flood", &["success"]);
    wait_whole(&nvim, "100000");
    for window in views(&nvim).as_array().unwrap() {
        assert_eq!(window[1], "100000");
    }
}

#[test]
fn a_paused_window_shows_the_same_before_and_after_a_flood() {
    for splitkeep in ["cursor", "screen", "topline"] {
        let project = flood(30_000);
        project.write("flood.sh", "seq 1 200; while [ ! -e go ]; do sleep 0.02; done; seq 201 30000\n");
        let nvim = Nvim::at(project.root()).size(100, 40).start();
        nvim.command(&format!("set splitkeep={splitkeep}"));
        nvim.ex("BrummerRun flood");
        nvim.wait_line(FLOOD, "200");
        nvim.keys("100Gzt");
        nvim.wait_until("the cursor up", |nvim| {
            nvim.lua("require('brummer.ui.follow').on(vim.api.nvim_get_current_win())") == false
        });
        let before = views(&nvim);
        project.write("go", "");
        nvim.wait_state("flood", &["success"]);
        nvim.keys("<Ignore>");
        assert_eq!(views(&nvim), before, "{splitkeep}");
        check(&nvim);
        nvim.keys("G");
        wait_whole(&nvim, "30000");
    }
}

#[test]
fn a_hit_enter_prompt_stops_no_script_and_costs_no_line() {
    let project = flood(100_000);
    let nvim = opened(&project);
    let host = nvim.marker.host().expect("the host runs").pid;
    let before = resident(u64::try_from(host).unwrap());
    nvim.ex("echo \"one\\ntwo\\nthree\"");
    nvim.wait_until("the prompt", Nvim::is_blocked);
    project.write("go", "");
    assert!(poll(|| project.exists("done")), "the script waits for the editor");
    assert!(nvim.is_blocked());
    let grown = resident(u64::try_from(host).unwrap()).saturating_sub(before);
    assert!(grown < 64, "the host has grown by {grown} MB");
    nvim.keys("<CR>");
    nvim.wait_state("flood", &["success"]);
    wait_whole(&nvim, "100000");
    assert_eq!(
        nvim.status("flood")["lines"].as_u64(),
        nvim.lua(&format!("require('brummer.ui.view').get(vim.fn.bufnr('^{FLOOD}$')).total")).as_u64()
    );
}

#[test]
fn a_hidden_log_gets_its_count_and_no_line() {
    let project = flood(100_000);
    let nvim = opened(&project);
    nvim.keys("q");
    nvim.wait_until("the window to be closed", |nvim| nvim.shown().iter().all(|name| name != FLOOD));
    let held = nvim.lines(FLOOD).len();
    project.write("go", "");
    nvim.wait_state("flood", &["success"]);
    assert_eq!(nvim.lines(FLOOD).len(), held);
    assert!(nvim.status("flood")["lines"].as_u64().is_some_and(|lines| lines >= 100_000));
    nvim.ex("Brummer logs flood");
    wait_whole(&nvim, "100000");
    nvim.wait_screen("100000");
}

/// What a user may do with windows on a log while it floods.
const ACTIONS: &[&str] = &[
    ":split<CR>",
    ":vsplit<CR>",
    ":tab split<CR>",
    ":silent! close<CR>",
    ":silent! tabclose<CR>",
    ":Brummer logs flood<CR>",
    ":resize 4<CR>",
    ":resize 20<CR>",
    ":set cmdheight=2<CR>",
    ":set cmdheight=1<CR>",
    ":set splitkeep=screen<CR>",
    ":set splitkeep=topline<CR>",
    ":set splitkeep=cursor<CR>",
    "gg",
    "G",
    "30k",
    "<C-u>",
    "<C-d>",
    "zz",
    "zt",
    "V5ky",
    "Vj",
    "<Esc>",
    "/7<CR>",
    "n",
    ":echo \"one\\ntwo\\nthree\"<CR>",
    "<CR>",
    ":Brummer clear<CR>",
    ":Brummer clear --undo<CR>",
    "<C-w>w",
    "<C-w>=",
    ":enew<CR>",
];

/// Neovim keeps what `:enew` made, which would be taken for growth.
const TIDY: &str = r"
if #vim.api.nvim_list_wins() > 8 then vim.cmd('silent! tabonly | silent! only') end
for _, buf in ipairs(vim.api.nvim_list_bufs()) do
  if vim.api.nvim_buf_get_name(buf) == '' and #vim.fn.win_findbuf(buf) == 0 then
    vim.api.nvim_buf_delete(buf, { force = true })
  end
end
";

#[test]
fn random_windows_in_a_flood_lose_nothing_and_nothing_grows() {
    let time = Duration::from_secs(if slow_tests() { 600 } else { 15 });
    let project = Project::with(&[("flood", "seq 1 2000000000")]);
    let nvim = Nvim::at(project.root()).size(100, 40).start();
    nvim.command("set hidden shortmess+=s");
    nvim.ex("BrummerRun flood");
    nvim.wait_until("the flood", |nvim| nvim.lines(FLOOD).len() > 200);
    let (editor, host) = (
        nvim.lua("vim.fn.getpid()").as_u64().unwrap(),
        u64::try_from(nvim.marker.host().unwrap().pid).unwrap(),
    );
    let seed = std::process::id();
    println!("seed {seed}");
    let mut random = seed | 1;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize % below
    };
    let (start, mut warm, mut rounds) = (Instant::now(), None, 0);
    while start.elapsed() < time {
        for _ in 0..10 {
            nvim.keys(ACTIONS[next(ACTIONS.len())]);
        }
        // Prompts answer nothing; whatever is open is left, and few enough windows stay that each has room.
        nvim.wait_until("no prompt to be open", |nvim| {
            nvim.keys("<Esc><Esc>");
            !nvim.is_blocked()
        });
        check(&nvim);
        nvim.exec(TIDY);
        rounds += 1;
        if warm.is_none() && (start.elapsed() > time / 4) {
            warm = Some((resident(editor), resident(host)));
        }
    }
    println!("{rounds} rounds of ten actions");
    nvim.keys("<Esc><Esc>");
    nvim.command("silent! tabonly | silent! only");
    nvim.ex("Brummer logs flood");
    nvim.ex("Brummer clear --undo");
    nvim.keys("<Esc>G");
    nvim.ex("Brummer stop flood");
    nvim.wait_state("flood", &["stopped", "failed"]);
    nvim.wait_until("the copy to be whole", |nvim| {
        nvim.keys("G");
        check(nvim) >= 9_900
    });
    let (editor_before, host_before) = warm.expect("the time is longer than a quarter of it");
    let (editor_now, host_now) = (resident(editor), resident(host));
    assert!(editor_now <= editor_before + GROWTH, "Neovim: {editor_before} MB, then {editor_now}");
    assert!(host_now <= host_before + GROWTH, "host: {host_before} MB, then {host_now}");
    assert!(!nvim.said().contains("fault"), "{}", nvim.said());
}
