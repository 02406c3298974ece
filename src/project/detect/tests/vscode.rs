//! `.vscode/tasks.json`.

use expect_test::{Expect, expect};

use super::{check, found, tree};

fn tasks(text: &str, expected: Expect) {
    check(&[(".vscode/tasks.json", text)], expected);
}

#[test]
fn shells_programs_and_scripts() {
    let text = r#"{
  // See https://go.microsoft.com/fwlink/?LinkId=733558
  "version": "2.0.0",
  "windows": { "options": { "cwd": "C:\\" } },
  "tasks": [
    { "label": "build", "type": "shell", "command": "make all && echo \"done\"", "group": { "kind": "build", "isDefault": true } },
    { "label": "plain group", "type": "shell", "command": "echo", "args": ["a b", "$HOME", "'x y'", "c\\ d"], "group": "test" },
    {
      "label": "quoted",
      "type": "shell",
      "command": { "value": "my tool", "quoting": "escape" },
      "args": [{ "value": "it's", "quoting": "strong" }, { "value": "$HOME \"x\"", "quoting": "weak" }, { "value": "a b", "quoting": "escape" }],
    },
    { "label": "program", "type": "process", "command": "node", "args": ["my server.js", "--port", "3000"], "detail": "The server" },
    { "type": "npm", "script": "dev", "path": "web/" },
    { "label": "clippy", "type": "cargo", "command": "clippy", "args": ["--all-targets"] },
    { "label": "gulp it", "type": "gulp", "task": "x" },
    { "label": "none", "type": "shell" },
    { "taskName": "old name", "command": "x", "presentation": { "reveal": "never" } },
    { "label": "bash", "type": "shell", "command": "shopt", "options": { "shell": { "executable": "bash", "args": ["-lc"] } } },
    { "label": "hidden", "type": "shell", "command": "x", "hide": true },
    { "label": "build", "type": "shell", "command": "twice" },
    { "label": "  " }, { "type": "shell" }, 5
  ]
}"#;
    tasks(
        text,
        expect![[r#"
             75 vscode build = make all && echo "done"  .vscode/tasks.json:6  (build, bare build)
             70 vscode plain group = echo 'a b' $HOME 'x y' c\ d  .vscode/tasks.json:7  (test, bare plain group)
             70 vscode quoted = my\ tool 'it'\''s' "$HOME \"x\"" a\ b  .vscode/tasks.json:9  (bare quoted)
             70 vscode program = node 'my server.js' --port 3000  .vscode/tasks.json:14  (bare program, "The server")
             70 vscode npm: dev - web = npm run dev  .vscode/tasks.json:15  (bare npm: dev - web, in web)
             70 vscode clippy = cargo clippy --all-targets  .vscode/tasks.json:16  (bare clippy)
             70 vscode gulp it =   .vscode/tasks.json:17  (bare gulp it, refused: tasks of type gulp are run by an extension of VS Code)
             70 vscode none =   .vscode/tasks.json:18  (bare none, refused: it has no command)
             70 vscode old name = x  .vscode/tasks.json:19  (bare old name)
             70 vscode bash = shopt  .vscode/tasks.json:20  (bare bash)
             70 vscode hidden = x  .vscode/tasks.json:21  (bare hidden, hidden)
        "#]],
    );
}

#[test]
fn variables() {
    let text = r#"{ "version": "2.0.0",
  "inputs": [{ "id": "port", "type": "promptString", "description": "Which port?" }],
  "tasks": [
    { "label": "known", "type": "shell", "command": "cd ${workspaceFolderBasename}${/}x ${env:BRUMMER_NOT_SET_ANYWHERE}end ${unclosed" },
    { "label": "setting", "type": "shell", "command": "${config:my.tool} ${config:my.count}" },
    { "label": "no setting", "type": "shell", "command": "${config:gone}" },
    { "label": "file", "type": "process", "command": "python3", "args": ["${file}"] },
    { "label": "input", "type": "shell", "command": "serve ${input:port}" },
    { "label": "cwd", "type": "shell", "command": "x", "options": { "cwd": "${workspaceFolder}/sub", "env": { "A": "${workspaceFolder}", "N": 1 } } }
  ] }"#;
    let dir = tree(&[
        (".vscode/tasks.json", text),
        (".vscode/settings.json", "{ // mine\n \"my.tool\": \"ruff\", \"my.count\": 3 }"),
    ]);
    let scripts = found(dir.path()).scripts;
    let name = dir.path().file_name().unwrap().to_str().unwrap();
    let shown: String = scripts
        .iter()
        .map(|script| {
            format!("{}: {} | {}\n", script.name, script.command, script.refused.clone().unwrap_or_default())
        })
        .collect();
    expect![[r#"
        vscode known: cd NAME/x end ${unclosed | 
        vscode setting: ruff 3 | 
        vscode no setting: ${config:gone} | .vscode/settings.json does not set gone
        vscode file: python3 | only VS Code knows ${file}; write its command into .brum.toml to run it here
        vscode input: serve ${input:port} | it needs the input "port" (Which port?); write its command into .brum.toml to run it here
        vscode cwd: x | 
    "#]].assert_eq(&shown.replace(name, "NAME"));
    let last = scripts.last().unwrap();
    assert_eq!(last.cwd, dir.path().join("sub"));
    let env: Vec<_> =
        last.env.iter().map(|variable| (variable.name.as_str(), variable.value.as_str())).collect();
    assert_eq!(env, [("A", dir.path().to_str().unwrap()), ("N", "1")]);
    assert_eq!(last.env[0].source.within(dir.path()), ".vscode/tasks.json:9");
}

#[test]
fn the_section_for_this_system_is_laid_over() {
    let text = r#"{ "version": "2.0.0",
  "options": { "env": { "A": "file", "B": "file" } },
  "linux": { "options": { "env": { "A": "system" } } },
  "osx": { "options": { "env": { "A": "system" } } },
  "tasks": [{
    "label": "x", "type": "shell", "command": "general", "args": ["1"],
    "linux": { "command": "here", "options": { "env": { "C": "near" } } },
    "osx": { "command": "here", "options": { "env": { "C": "near" } } },
    "windows": { "command": "there" }
  }] }"#;
    let dir = tree(&[(".vscode/tasks.json", text)]);
    let scripts = found(dir.path()).scripts;
    assert_eq!(scripts[0].command, "here 1");
    let mut env = std::collections::BTreeMap::new();
    for variable in &scripts[0].env {
        env.insert(variable.name.as_str(), variable.value.as_str());
    }
    assert_eq!(env.into_iter().collect::<Vec<_>>(), [("A", "system"), ("B", "file"), ("C", "near")]);
}

#[test]
fn dependencies_and_readiness() {
    let text = r#"{ "version": "2.0.0", "tasks": [
  { "label": "clean", "type": "shell", "command": "rm -rf out" },
  { "label": "compile", "type": "shell", "command": "tsc", "dependsOn": "clean" },
  { "label": "watch", "type": "shell", "command": "tsc -w", "isBackground": true, "problemMatcher": ["$eslint-stylish", "$tsc-watch"] },
  { "label": "serve", "type": "shell", "command": "serve", "isBackground": true,
    "problemMatcher": { "pattern": { "regexp": "x" }, "background": { "beginsPattern": "start", "endsPattern": { "regexp": "^ready in \\d+" } } } },
  { "label": "pack", "type": "shell", "command": "webpack -w", "isBackground": true, "problemMatcher": "$ts-webpack-watch" },
  { "label": "based", "type": "shell", "command": "tsc -w", "isBackground": true,
    "problemMatcher": [{ "base": "$tsc-watch", "fileLocation": "relative" }] },
  { "label": "odd", "type": "shell", "command": "y", "isBackground": true,
    "problemMatcher": { "background": { "beginsPattern": "s", "endsPattern": "(?=x)" } } },
  { "label": "parallel", "dependsOn": ["watch", "compile", "serve"] },
  { "label": "ordered", "dependsOrder": "sequence", "dependsOn": ["watch", "compile", { "type": "npm", "script": "dev" }, "serve"] },
  { "label": "broken", "type": "shell", "command": "z", "dependsOn": ["gone"] }
] }"#;
    let dir = tree(&[(".vscode/tasks.json", text)]);
    let found = found(dir.path());
    let mut shown = String::new();
    for script in &found.scripts {
        shown += &format!("{}{}", script.name, if script.hidden { " (hidden)" } else { "" });
        for after in &script.options.after {
            shown += &format!(", after {} {:?}", after.script, after.condition);
        }
        if let Some(ready) = &script.options.ready {
            shown += &format!(", {:?}", ready.probe);
        }
        shown.push('\n');
    }
    shown += &found.problems.iter().map(|problem| problem.within(dir.path()) + "\n").collect::<String>();
    expect![[r#"
        vscode clean
        vscode compile, after vscode clean Some(ExitedOk)
        vscode watch, Log("(?:Compilation complete|Found \\d+ errors?)\\. Watching for file changes\\.")
        vscode serve, Log("^ready in \\d+")
        vscode pack, Log("[Cc]ompiled (?:.*?successfully|with .*?(?:error|warning))|[Cc]ompil(?:ation|er) .*?finished")
        vscode based, Log("(?:Compilation complete|Found \\d+ errors?)\\. Watching for file changes\\.")
        vscode odd
        vscode parallel, after vscode watch None, after vscode compile Some(ExitedOk), after vscode serve None
        vscode ordered, after vscode watch None, after vscode compile Some(ExitedOk), after dev None, after vscode serve None
        vscode broken
        .vscode/tasks.json:11: endsPattern cannot be used: it is ready as soon as it runs
        .vscode/tasks.json:14: dependsOn: there is no task "gone"
    "#]].assert_eq(&shown);
}

#[test]
fn files_that_cannot_be_used() {
    tasks(
        "{\n  \"version\": \"2.0.0\",\n  \"tasks\": [\n    { \"label\": \"a\"\n      \"type\": \"shell\" }\n  ]\n}",
        expect![[r#"
            problem .vscode/tasks.json:4: expected comma: correct the JSON there
        "#]],
    );
    tasks(
        "{\n  \"version\": \"0.1.0\",\n  \"command\": \"tsc\" }",
        expect![[r#"
        problem .vscode/tasks.json:2: only tasks of version 2.0.0 are read
    "#]],
    );
    tasks(
        "{ \"tasks\": {} }",
        expect![[r#"
            problem .vscode/tasks.json:1: tasks must be a list
        "#]],
    );
    tasks(
        "[]",
        expect![[r#"
            problem .vscode/tasks.json:1: must be an object: { "version": "2.0.0", "tasks": [] }
        "#]],
    );
}
