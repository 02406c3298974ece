//! From a line of a log to the source: the right file, line and column, in the right window.

use crate::support::{nvim::Nvim, project::Project, shop};

/// What a tool prints, the line `<CR>` is pressed on, and where it leads in `src/deep/a.ts` or another file.
struct Case {
    tool: &'static str,
    output: &'static str,
    press: &'static str,
    file: &'static str,
    line: u64,
    /// Byte column from 1; none where the tool names none.
    col: Option<u64>,
}

const CASES: &[Case] = &[
    Case {
        tool: "tsc",
        output: "src/deep/a.ts(3,7): error TS2322: Type 'string' is not assignable to type 'number'.\n",
        press: "TS2322",
        file: "src/deep/a.ts",
        line: 3,
        col: Some(7),
    },
    Case {
        tool: "tsc-pretty",
        output: "\u{1b}[96msrc/deep/a.ts\u{1b}[0m:\u{1b}[93m4\u{1b}[0m:\u{1b}[93m5\u{1b}[0m - \u{1b}[91merror\u{1b}[0m\u{1b}[90m TS2345: \u{1b}[0mArgument.\n",
        press: "TS2345",
        file: "src/deep/a.ts",
        line: 4,
        col: Some(5),
    },
    Case {
        tool: "eslint",
        output: "\n@ROOT@/src/deep/a.ts\n  5:9  error  'x' is assigned a value but never used  no-unused-vars\n\n✖ 1 problem (1 error, 0 warnings)\n",
        press: "no-unused-vars",
        file: "src/deep/a.ts",
        line: 5,
        col: Some(9),
    },
    Case {
        tool: "esbuild",
        output: "✘ [ERROR] Could not resolve \"nothing\"\n\n    src/deep/a.ts:6:7:\n      6 │ import \"nothing\"\n        ╵        ~~~~~~~~~\n",
        press: "src/deep/a.ts:6:7",
        file: "src/deep/a.ts",
        line: 6,
        // esbuild counts from 0.
        col: Some(8),
    },
    Case {
        tool: "vite",
        output: "12:00:00 [vite] Internal server error: Unexpected token (7:3)\n  Plugin: vite:oxc\n  File: @ROOT@/src/deep/a.ts:7:3\n",
        press: "File:",
        file: "src/deep/a.ts",
        line: 7,
        // Vite counts from 0.
        col: Some(4),
    },
    Case {
        tool: "node",
        output: "TypeError: boom\n    at run (file://@ROOT@/src/deep/a.ts:8:11)\n    at node:internal/main:1:1\n",
        press: "at run",
        file: "src/deep/a.ts",
        line: 8,
        col: Some(11),
    },
    Case {
        tool: "node-cjs",
        output: "Error: boom\n    at Object.<anonymous> (@ROOT@/src/deep/a.ts:9:13)\n",
        press: "at Object",
        file: "src/deep/a.ts",
        line: 9,
        col: Some(13),
    },
    Case {
        tool: "jest",
        output: " FAIL  src/deep/a.ts\n  ● adds\n\n    expect(received).toBe(expected)\n\n      at Object.toBe (src/deep/a.ts:10:15)\n",
        press: "at Object.toBe",
        file: "src/deep/a.ts",
        line: 10,
        col: Some(15),
    },
    Case {
        tool: "python",
        output: "Traceback (most recent call last):\n  File \"@ROOT@/tool.py\", line 2, in <module>\n    boom()\nNameError: name 'boom' is not defined\n",
        press: "File \"",
        file: "tool.py",
        line: 2,
        col: None,
    },
    Case {
        tool: "rustc",
        output: "error[E0425]: cannot find value `x` in this scope\n --> src/main.rs:3:5\n  |\n3 |     x\n  |     ^ not found in this scope\n",
        press: "--> src/main.rs",
        file: "src/main.rs",
        line: 3,
        col: Some(5),
    },
    Case {
        tool: "gcc",
        output: "main.c:4:3: error: expected ';' before 'return'\n",
        press: "expected",
        file: "main.c",
        line: 4,
        col: Some(3),
    },
    Case {
        tool: "go",
        output: "--- FAIL: TestAdd (0.00s)\n    add_test.go:5: got 3, want 4\nFAIL\n",
        press: "add_test.go:5",
        file: "add_test.go",
        line: 5,
        col: None,
    },
];

fn sources() -> Project {
    let text: String =
        (1..=40).map(|line| format!("const line{line} = 'some text that is long enough';\n")).collect();
    let scripts: Vec<(&str, String)> =
        CASES.iter().map(|case| (case.tool, format!("cat {}.out", case.tool))).collect();
    let scripts: Vec<(&str, &str)> = scripts.iter().map(|(name, script)| (*name, script.as_str())).collect();
    let project = Project::with(&scripts);
    for file in ["src/deep/a.ts", "src/main.rs", "main.c", "add_test.go", "tool.py"] {
        project.write(file, &text);
    }
    for case in CASES {
        let output = case.output.replace("@ROOT@", project.root().to_str().unwrap());
        project.write(&format!("{}.out", case.tool), output);
    }
    project
}

#[test]
fn return_on_each_format_opens_the_place_in_an_editing_window() {
    let project = sources();
    let nvim = Nvim::at(project.root()).size(160, 50).start();
    // Elsewhere: relative paths are those of the process, not of the editor.
    nvim.command(&format!("tcd {}", project.path("src").display()));
    for case in CASES {
        nvim.command("silent! only | enew");
        let editing = nvim.lua("vim.api.nvim_get_current_win()");
        let log = format!("brummer://logs/{}", case.tool);
        nvim.ex(&format!("BrummerRun {}", case.tool));
        nvim.wait_until("the end of the script", |nvim| {
            nvim.events("BrummerProcessExited").last().is_some_and(|event| event["data"]["name"] == case.tool)
                || matches!(nvim.status(case.tool)["state"].as_str(), Some("success" | "failed"))
        });
        nvim.wait_until("its log", |nvim| nvim.buffer() == log);
        let line = nvim.wait_line(&log, case.press);
        nvim.command(&format!("{line}"));
        nvim.keys("<CR>");
        let file = project.path(case.file);
        nvim.wait_until(&format!("the file {} says", case.tool), |nvim| {
            nvim.buffer() == file.to_str().unwrap()
        });
        let (line, col) = nvim.position();
        assert_eq!(line, case.line, "{}", case.tool);
        if let Some(expected) = case.col {
            assert_eq!(col, expected, "{}", case.tool);
        }
        assert_eq!(nvim.lua("vim.api.nvim_get_current_win()"), editing, "{}", case.tool);
        assert!(nvim.shown().contains(&log), "{}: the log stays", case.tool);
        assert_eq!(nvim.lua("vim.bo.buflisted"), true);
    }
}

#[test]
fn the_error_of_the_sample_project_leads_to_its_source() {
    let nvim = Nvim::start(shop());
    nvim.ex("BrummerRun dev");
    nvim.wait_line("brummer://logs/dev", "page reload");
    nvim.keys("gg]e");
    nvim.wait_until("the headline", |nvim| nvim.text_at_cursor().contains("Internal server error"));
    nvim.keys("<CR>");
    nvim.wait_until("the source", |nvim| nvim.buffer().ends_with("src/cart/coupon.js"));
    assert_eq!(nvim.position(), (14, 35));
    assert_eq!(nvim.text_at_cursor(), "  return Math.round((sum * coupon.percent) / 100);");
    nvim.keys("<C-o>");
    nvim.wait_until("the place before", |nvim| {
        !nvim.buffer().ends_with("coupon.js") || nvim.position().0 != 14
    });
}

#[test]
fn places_are_relative_to_the_directory_of_the_process() {
    let project = Project::with(&[("check", "echo top")]);
    project.write("packages/web/src/a.ts", "one\ntwo\nthree\n");
    project.write("src/a.ts", "wrong file\n");
    project.write(
        ".brum.toml",
        "[scripts.web]\ncommand = \"echo 'src/a.ts(3,2): error TS1: here'\"\ncwd = \"packages/web\"\n",
    );
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun web");
    let line = nvim.wait_line("brummer://logs/web", "TS1");
    nvim.wait_until("the log", |nvim| nvim.buffer() == "brummer://logs/web");
    nvim.command(&format!("{line}"));
    nvim.keys("<CR>");
    let file = project.path("packages/web/src/a.ts");
    nvim.wait_until("the package's file", |nvim| nvim.buffer() == file.to_str().unwrap());
    assert_eq!(nvim.position(), (3, 2));
}

fn one_error() -> (Project, &'static str) {
    let project = Project::with(&[("check", "echo 'a.ts(2,3): error TS1: here'; exec sleep 1000")]);
    project.write("a.ts", "one\ntwo\nthree\n");
    (project, "brummer://logs/check")
}

#[test]
fn a_log_that_is_the_only_window_stays_and_gets_a_neighbour() {
    let (project, log) = one_error();
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun check");
    let line = nvim.wait_line(log, "TS1");
    nvim.command("only");
    nvim.command(&format!("{line}"));
    nvim.keys("<CR>");
    nvim.wait_until("the source", |nvim| nvim.buffer().ends_with("/a.ts"));
    assert_eq!(nvim.shown().len(), 2);
    assert!(nvim.shown().contains(&log.to_owned()));
}

#[test]
fn a_window_that_refuses_other_buffers_is_left_alone() {
    let (project, log) = one_error();
    let nvim = Nvim::start(project.root());
    nvim.command("edit notes.txt | set winfixbuf");
    nvim.ex("BrummerRun check");
    let line = nvim.wait_line(log, "TS1");
    nvim.wait_until("the log", |nvim| nvim.buffer() == log);
    nvim.command(&format!("{line}"));
    nvim.keys("<CR>");
    nvim.wait_until("the source", |nvim| nvim.buffer().ends_with("/a.ts"));
    assert!(nvim.shown().iter().any(|name| name.ends_with("/notes.txt")));
    assert!(nvim.shown().contains(&log.to_owned()));
}

#[test]
fn a_changed_buffer_is_not_abandoned() {
    let (project, log) = one_error();
    let nvim = Nvim::start(project.root());
    nvim.command("set nohidden");
    nvim.keys("iunsaved<Esc>");
    nvim.ex("BrummerRun check");
    let line = nvim.wait_line(log, "TS1");
    nvim.wait_until("the log", |nvim| nvim.buffer() == log);
    nvim.command(&format!("{line}"));
    nvim.keys("<CR>");
    nvim.wait_until("the source", |nvim| nvim.buffer().ends_with("/a.ts"));
    nvim.wait_screen("unsaved");
    assert!(nvim.shown().contains(&log.to_owned()));
}

#[test]
fn error_keys_stop_at_the_ends_with_a_message() {
    let project =
        Project::with(&[("check", "printf 'a.ts(1,1): error TS1: x\\na.ts(2,1): error TS2: y\\n'")]);
    project.write("a.ts", "one\ntwo\n");
    let nvim = Nvim::at(project.root()).size(160, 40).start();
    nvim.ex("BrummerRun check");
    nvim.wait_line("brummer://logs/check", "TS2");
    nvim.wait_state("check", &["success"]);
    nvim.keys("gg]e");
    nvim.wait_until("the first error", |nvim| nvim.text_at_cursor().contains("TS1"));
    nvim.keys("]e");
    nvim.wait_until("the second error", |nvim| nvim.text_at_cursor().contains("TS2"));
    nvim.keys("]e");
    nvim.wait_said(&["no further error"]);
    assert!(nvim.text_at_cursor().contains("TS2"));
    nvim.keys("2[e");
    nvim.wait_said(&["no earlier error"]);
    assert!(nvim.text_at_cursor().contains("TS1"));
    assert_eq!(nvim.shown().len(), 2, "nothing is opened");
}

#[test]
fn the_next_error_of_all_processes_opens_its_source() {
    let (project, log) = one_error();
    let nvim = Nvim::start(project.root());
    nvim.ex("BrummerRun check");
    nvim.wait_line(log, "TS1");
    nvim.wait_until("the error", |nvim| nvim.status("check")["errors"] == 1);
    nvim.keys("<C-w>p");
    nvim.ex("Brummer next");
    nvim.wait_until("the source", |nvim| nvim.buffer().ends_with("/a.ts"));
    assert_eq!(nvim.position(), (2, 3));
    let events = nvim.events("BrummerErrorDetected");
    assert!(!events.is_empty());
}

#[test]
fn a_line_without_a_place_says_so() {
    let project = Project::with(&[("dev", "echo nothing to see; exec sleep 1000")]);
    let nvim = Nvim::at(project.root()).size(160, 40).start();
    nvim.ex("BrummerRun dev");
    let line = nvim.wait_line("brummer://logs/dev", "nothing to see");
    nvim.wait_until("the log", |nvim| nvim.buffer() == "brummer://logs/dev");
    nvim.command(&format!("{line}"));
    nvim.keys("<CR>");
    nvim.wait_said(&["brummer:", "place"]);
    assert_eq!(nvim.buffer(), "brummer://logs/dev");
}
