//! Programs that ask, and programs that draw: lines sent to them, their terminals, and what is seen of both.

use serde_json::json;

use crate::support::{host::Host, nvim::Nvim, proc::eventually, project::Project};

/// Draws a box on the alternate screen, draws its size again whenever that changes, and ends at the key `q`.
const CURSES: &str = r"
import os, select, signal, sys, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
wake, tell = os.pipe()
os.set_blocking(tell, False)
signal.set_wakeup_fd(tell)
signal.signal(signal.SIGWINCH, lambda *_: None)
def draw():
    size = os.get_terminal_size()
    text = '\x1b[?1049h\x1b[2J\x1b[2;3H+----+\x1b[3;3H|here|\x1b[4;3H+----+\x1b[5;3H%dx%d' % size
    os.write(1, text.encode())
draw()
key = b''
while key != b'q':
    ready, _, _ = select.select([0, wake], [], [])
    if wake in ready:
        os.read(wake, 100)
        draw()
    if 0 in ready:
        key = os.read(0, 1)
        os.write(1, b'\x1b[6;3Hkey %s' % key)
termios.tcsetattr(0, termios.TCSADRAIN, before)
os.write(1, b'\x1b[?1049lbye\r\n')
";

/// A project whose scripts are these tables of `.brum.toml`.
fn project(scripts: &str) -> Project {
    let project = Project::empty();
    project.write(".brum.toml", scripts);
    project.write("draw.py", CURSES);
    project
}

const ALL: &str = r#"
[scripts.ask]
command = "printf 'name? '; read name; echo hello $name; exec cat"

[scripts.draw]
command = "python3 draw.py"
pty = true

[scripts.repl]
command = "exec python3 -q"
pty = true
env = { PYTHON_BASIC_REPL = "1" }

[scripts.node]
command = "node -e \"const r = require('readline').createInterface({ input: process.stdin, output: process.stdout }); r.question('who? ', w => { console.log('it is ' + w); r.close(); })\""
pty = true

[scripts.flood]
command = "read go; seq 300000; touch flooded; exec cat"
pty = true

[scripts.deaf]
command = "echo up; exec sleep 1000"
"#;

#[test]
fn a_program_that_asks_is_answered_from_its_log() {
    let project = project(ALL);
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun ask");
    // The question has no newline: it is no line of the log yet.
    nvim.wait_screen("asks name?");
    nvim.keys("i");
    nvim.wait_until("the question as a prompt", |nvim| nvim.mode() == "c" || nvim.is_blocked());
    nvim.wait_screen("name? ");
    nvim.keys("you<CR>");
    nvim.wait_line("brummer://logs/ask", "hello you");
    nvim.wait_until("nothing to be asked", |nvim| !nvim.screen().contains("asks name?"));
    nvim.ex("Brummer send ask  two  blanks | stay ");
    nvim.wait_line("brummer://logs/ask", " two  blanks | stay");
    nvim.ex("Brummer send --eof ask");
    nvim.wait_state("ask", &["success"]);
    nvim.ex("Brummer send ask too late");
    nvim.wait_said(&["ask is not running"]);
}

#[test]
fn what_a_program_does_not_read_is_refused_in_the_end() {
    let project = project(ALL);
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["deaf"])[0];
    host.wait_state(id, &["running"]);
    let line = "x".repeat(20_000);
    let refused = (0..100)
        .find_map(|_| host.ask("send", &json!({ "id": id, "text": line })).err())
        .expect("it is refused, not kept");
    assert!(refused.starts_with("deaf does not read its input: "), "{refused}");
    let none = host.ask("attach", &json!({ "id": id, "buf": 5 })).unwrap_err();
    assert!(none.starts_with("deaf has no terminal: set pty = true"), "{none}");
    assert!(host.ask("send", &json!({ "id": 99, "text": "x" })).is_err());
    host.ask("stop", &json!({ "id": id })).unwrap();
}

#[test]
fn a_program_that_draws_is_said_once_and_shown_in_a_terminal() {
    let project = project(ALL);
    let nvim = Nvim::at(project.root()).size(100, 40).start();
    nvim.ex("BrummerRun draw");
    nvim.wait_until("the log to say so", |nvim| nvim.status("draw")["full_screen"] == true);
    nvim.wait_screen("draw draws on the screen or reads keys · :Brummer attach");
    nvim.ex("Brummer attach");
    nvim.wait_screen("|here|");
    assert_eq!(nvim.buffer(), "brummer://terminal/draw");
    // The program knows the size of the window it is shown in.
    nvim.wait_screen("100x");
    nvim.wait_until("to type to it", |nvim| nvim.mode() == "t");
    nvim.keys("x");
    nvim.wait_screen("key x");
    nvim.keys("<C-\\><C-n>");
    nvim.command("vertical resize 60 | vsplit | enew | vertical resize 39");
    nvim.wait_screen("60x");
    // Closed, the process goes on; opened again, it is drawn from what is kept.
    nvim.command("wincmd p | close");
    nvim.wait_until("the terminal to be gone", |nvim| {
        nvim.lua("vim.fn.bufexists('brummer://terminal/draw')") == 0
    });
    assert_eq!(nvim.status("draw")["state"], "running");
    nvim.ex("Brummer attach draw");
    nvim.wait_screen("|here|");
    nvim.wait_until("to type to it", |nvim| nvim.mode() == "t");
    nvim.keys("q");
    nvim.wait_state("draw", &["success"]);
    nvim.wait_screen("[draw: ok]");
    nvim.keys("<C-\\><C-n>");
    nvim.ex("Brummer logs draw");
    nvim.wait_line("brummer://logs/draw", "bye");
    nvim.assert_typing_works();
}

#[test]
fn a_python_prompt_takes_lines_from_the_log_and_keys_from_the_terminal() {
    let project = project(ALL);
    let nvim = Nvim::at(project.root()).size(100, 40).start();
    nvim.ex("BrummerRun repl");
    nvim.wait_state("repl", &["running"]);
    nvim.ex("Brummer send repl print(6 * 7)");
    nvim.wait_line("brummer://logs/repl", "42");
    nvim.ex("Brummer attach repl");
    nvim.wait_screen(">>>");
    nvim.wait_until("to type to it", |nvim| nvim.mode() == "t");
    nvim.keys("print('a' + 'b' * 3)<CR>");
    nvim.wait_screen("abbb");
    // Ctrl-C reaches the program as its terminal's interrupt; Ctrl-D ends it.
    nvim.keys("import time; time.sleep(1000)<CR>");
    nvim.wait_screen("time.sleep(1000)");
    nvim.keys("<C-c>");
    nvim.wait_screen("KeyboardInterrupt");
    nvim.keys("<C-d>");
    // After an interrupt Python ends as one that was interrupted.
    nvim.wait_state("repl", &["success", "failed"]);
    nvim.keys("<C-\\><C-n>");
    nvim.ex("Brummer logs repl");
    nvim.wait_line("brummer://logs/repl", "abbb");
}

#[test]
fn nodes_readline_asks_in_a_terminal() {
    let project = project(ALL);
    let nvim = Nvim::at(project.root()).size(100, 40).start();
    nvim.ex("BrummerRun node");
    nvim.wait_until("it to read keys", |nvim| nvim.status("node")["full_screen"] == true);
    nvim.ex("Brummer send node somebody");
    nvim.wait_line("brummer://logs/node", "it is somebody");
    nvim.wait_state("node", &["success"]);
    nvim.ex("Brummer restart node");
    nvim.wait_until("the second run", |nvim| nvim.status("node")["run"] == 2);
    nvim.ex("Brummer attach node");
    nvim.wait_screen("who?");
    nvim.wait_until("to type to it", |nvim| nvim.mode() == "t");
    nvim.keys("meX<BS><CR>");
    nvim.wait_screen("it is me");
    nvim.wait_screen("[node: ok]");
}

#[test]
fn a_terminal_that_floods_is_bounded_and_says_what_is_lost() {
    let project = project(ALL);
    let host = Host::start(project.root());
    let id = host.run(project.root(), &["flood"])[0];
    host.wait_state(id, &["running"]);
    host.ask("attach", &json!({ "id": id, "buf": 9 })).unwrap();
    host.ask("resize", &json!({ "id": id, "cols": 100, "rows": 30 })).unwrap();
    host.hold();
    // Answered in a frame, and those are held.
    host.call("input", &json!({ "id": id, "bytes": "\r" }));
    // All of it is read, whether or not the editor takes it.
    eventually("the end of the flood", || project.exists("flooded").then_some(()));
    host.release();
    host.wait("the last lines", |seen| {
        seen.terms.get(&9)?.text.ends_with("299999\r\n300000\r\n").then_some(())
    });
    {
        let seen = host.seen();
        let terminal = &seen.terms[&9];
        assert!(terminal.resets > 1 && terminal.lost > 1_000_000, "{} bytes lost", terminal.lost);
        assert!(terminal.text.len() <= 256 << 10, "{} bytes shown", terminal.text.len());
        assert_eq!(seen.most_unanswered, 1);
    }
    host.ask("detach", &json!({ "buf": 9 })).unwrap();
    assert_eq!(host.wait_state(id, &["running"])["terminal"], true);
    host.watch(3, project.root(), "flood", 10);
    host.wait("the last line in the log", |seen| {
        seen.lines(3).iter().any(|line| line == "300000").then_some(())
    });
}
