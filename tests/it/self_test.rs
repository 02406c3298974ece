//! The support code itself, with nothing of brummer in it.

use std::process::Command;

use crate::support::{
    host::Host,
    nvim::Nvim,
    proc::{Marker, eventually},
    project::Project,
    wire::Message,
};

#[test]
fn typed_text_stands_on_the_screen() {
    let dir = Project::empty();
    let nvim = Nvim::at(dir.root()).without_plugin().start();
    nvim.keys("ihello wörld ➜<CR>second");
    nvim.wait_drawn("second");
    let screen = nvim.screen();
    assert_eq!(screen.lines().take(3).collect::<Vec<_>>(), ["hello wörld ➜", "second", "~"]);
    assert_eq!(screen.lines().count(), 24);
    assert_eq!(nvim.cursor(), (1, 6));
    assert_eq!(nvim.mode(), "i");
}

#[test]
fn scrolled_text_stands_where_neovim_put_it() {
    let dir = Project::empty();
    let nvim = Nvim::at(dir.root()).without_plugin().start();
    nvim.exec("vim.api.nvim_buf_set_lines(0, 0, -1, true, vim.tbl_map(tostring, vim.fn.range(1, 200)))");
    nvim.keys("G");
    nvim.wait_screen("200");
    // Three lines down and one up again are drawn as scrolls, not as text.
    nvim.keys("gg3<C-e><C-y>");
    nvim.wait_until("line 3 on top", |nvim| nvim.screen().starts_with("3\n"));
    let expected: Vec<String> = (3..26).map(|number| number.to_string()).collect();
    assert_eq!(nvim.screen().lines().take(22).collect::<Vec<_>>(), expected[..22]);
}

#[test]
fn colours_are_those_of_the_cell() {
    let dir = Project::empty();
    let nvim = Nvim::at(dir.root()).without_plugin().start();
    nvim.exec(
        "vim.api.nvim_set_hl(0, 'It', { fg = '#ff0000', bold = true })
         vim.api.nvim_buf_set_lines(0, 0, -1, true, { 'plain red' })
         vim.api.nvim_buf_set_extmark(0, vim.api.nvim_create_namespace('it'), 0, 6, { end_col = 9, hl_group = 'It' })",
    );
    nvim.wait_until("red text", |nvim| {
        nvim.highlight_of("red").is_some_and(|highlight| highlight.fg == Some(0x00ff_0000) && highlight.bold)
    });
    assert_eq!(nvim.highlight_of("plain").unwrap().fg, None);
}

#[test]
fn lua_values_and_errors_come_back() {
    let dir = Project::empty();
    let nvim = Nvim::at(dir.root()).without_plugin().start();
    assert_eq!(nvim.lua("{ a = { 1, 'two', true } }"), serde_json::json!({ "a": [1, "two", true] }));
    let error = nvim.try_command("Nonsense").unwrap_err();
    assert!(error.contains("E492"), "{error}");
    nvim.exec("vim.notify('something happened')");
    assert_eq!(nvim.wait_said(&["something"]), "something happened");
    nvim.exec("vim.api.nvim_exec_autocmds('User', { pattern = 'BrummerTest', data = { n = 1 } })");
    assert_eq!(nvim.events("BrummerTest")[0]["data"]["n"], 1);
}

#[test]
fn a_blocked_editor_is_seen() {
    let dir = Project::empty();
    let nvim = Nvim::at(dir.root()).without_plugin().start();
    assert!(!nvim.is_blocked());
    nvim.ex(r#"echo "one\ntwo""#);
    nvim.wait_until("the hit-enter question", |nvim| nvim.mode() == "r");
    assert!(nvim.is_blocked());
    nvim.keys("<CR>");
    nvim.wait_until("the question to be gone", |nvim| !nvim.is_blocked());
    nvim.assert_typing_works();
}

#[test]
fn a_dropped_neovim_leaves_nothing() {
    let dir = Project::empty();
    let nvim = Nvim::at(dir.root()).without_plugin().start();
    nvim.exec("vim.fn.jobstart({ 'sleep', '1000' }, { detach = true })");
    let job = eventually("the job", || nvim.marker.named("sleep 1000").pop());
    assert_ne!(job.group, nvim.pid());
    drop(nvim);
    eventually("the job to be gone", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", job.pid)).unwrap_or_default();
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn a_panicking_test_leaves_nothing() {
    let (send, receive) = std::sync::mpsc::sync_channel(1);
    let result = std::thread::spawn(move || {
        let marker = Marker::new();
        let (name, value) = marker.env();
        let mut child = Command::new("sleep").arg("1000").env(name, value).spawn().unwrap();
        send.send(child.id()).unwrap();
        eventually("the child", || marker.named("sleep 1000").pop());
        // Reaped from a thread, because the panic leaves nobody here to do it.
        std::thread::spawn(move || child.wait());
        std::panic::resume_unwind(Box::new("as a failed assertion"));
    })
    .join();
    assert!(result.is_err());
    let pid = receive.recv().unwrap();
    eventually("the child to be gone", || {
        (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(())
    });
}

/// A program that says what the test has encoded stands in for the host.
fn speaking(project: &Project, messages: &[Message]) -> Host {
    let mut bytes = Vec::new();
    for message in messages {
        message.write(&mut bytes).unwrap();
    }
    project.write("messages", bytes);
    let mut command = Command::new("sh");
    command.args(["-c", "head -c 1 >/dev/null; cat messages; cat >answers"]);
    Host::program(command, project.root())
}

fn frame(id: u64, json: &serde_json::Value) -> Message {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &crate::support::wire::value(json)).unwrap();
    let code = "return require('brummer.rpc').frame(...)";
    let params = vec![code.into(), rmpv::Value::Array(vec![rmpv::Value::Binary(bytes)])];
    Message::Request { id, method: "nvim_exec_lua".into(), params }
}

#[test]
fn frames_become_what_an_editor_would_hold() {
    let project = Project::empty();
    let first = serde_json::json!({
        "rev": 1,
        "logs": [{ "buf": 7, "total": 5, "skipped": 3, "lines": ["a", "b"], "seqs": [4, 2], "times": [1, 2], "spans": [0, 0, 1, 2] }],
        "procs": [{ "id": 1, "name": "dev", "state": "running" }],
        "replies": [{ "id": 1, "ok": { "started": [] } }],
    });
    let second = serde_json::json!({
        "rev": 2,
        "logs": [{ "buf": 7, "total": 6, "lines": ["c"], "seqs": [6, 1], "times": [1, 1], "spans": [] }],
        "events": [{ "kind": "exited", "id": 1, "run": 1, "state": "success" }],
        "replies": [{ "id": 2, "err": "no" }],
    });
    let mut host = speaking(&project, &[frame(1, &first), frame(2, &second)]);
    host.hold();
    host.hello(1);
    let event = host.wait_exit_event(1, 1);
    assert_eq!(event["state"], "success");
    {
        let seen = host.seen();
        let buffer = &seen.buffers[&7];
        assert_eq!(buffer.lines, ["a", "b", "c"]);
        assert_eq!(buffer.seqs, [4, 5, 6]);
        assert_eq!((buffer.total, buffer.skipped), (6, 3));
        assert_eq!(seen.replies[&1], Ok(serde_json::json!({ "started": [] })));
        assert_eq!(seen.replies[&2], Err("no".to_owned()));
        assert_eq!(seen.most_unanswered, 2);
    }
    host.ask_reset(7);
    host.release();
    host.hang_up();
    assert!(host.wait_end().success());
    let answers = std::fs::read(project.path("answers")).unwrap();
    let mut from = answers.as_slice();
    // The handshake's first byte was taken by the program; the answers are what follows the rest of it.
    let mut found = Vec::new();
    while !from.is_empty() {
        match Message::read(&mut from) {
            Ok(Message::Response { id, result, .. }) => found.push((id, result)),
            _ => {
                let next = from.windows(2).position(|pair| pair == [0x94, 0x01]).unwrap_or(from.len());
                from = &from[next..];
            }
        }
    }
    assert_eq!(found, [(1, rmpv::Value::Array(vec![7.into()])), (2, rmpv::Value::Boolean(true))]);
    host.marker.assert_none_left();
}
