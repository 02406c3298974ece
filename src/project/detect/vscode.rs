//! `.vscode/tasks.json`, version 2.0.0: tasks of type shell, process, npm and cargo, with the section for this system laid
//! over them.
//!
//! `dependsOn` becomes what the task starts after: a task that runs in the background has to be ready, any other to have ended well.
//! With `dependsOrder: sequence` they start one by one. The pattern a background matcher ends with tells when the task is ready. How tasks are presented is left to
//! the editor.

mod quoting;
mod variables;

use std::{collections::HashMap, path::Path, time::Duration};

use regex::Regex;
use variables::Variables;

use super::{
    finder::{self, Finder},
    verb::Verb,
};
use crate::{
    config::{After, Condition, Place, Ready, ReadyProbe, Source},
    project::{
        Runner, Script, Variable,
        document::{Node, Value},
    },
};

const FILE: &str = ".vscode/tasks.json";
const KIND: &str = "vscode";
/// How long a background task has to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(60);
/// What webpack says at the end of a build.
const WEBPACK: &str =
    r"[Cc]ompiled (?:.*?successfully|with .*?(?:error|warning))|[Cc]ompil(?:ation|er) .*?finished";
/// Patterns of the matchers that come with the editor and the usual extensions.
const MATCHERS: [(&str, &str); 4] = [
    ("$tsc-watch", r"(?:Compilation complete|Found \d+ errors?)\. Watching for file changes\."),
    ("$esbuild-watch", r"\[watch\] build finished"),
    ("$ts-webpack-watch", WEBPACK),
    ("$ts-checker-webpack-watch", WEBPACK),
];

#[cfg(target_os = "macos")]
const SYSTEM: &str = "osx";
#[cfg(not(target_os = "macos"))]
const SYSTEM: &str = "linux";

/// A task with what is laid over it, the nearest first.
struct Task<'a> {
    label: String,
    line: usize,
    /// Where its fields are looked for.
    layers: Vec<&'a Node>,
    /// Where its options are looked for: the file's own, too.
    options: Vec<&'a Node>,
}

/// What a task runs.
enum Run {
    Program(Vec<String>),
    Line(String),
    /// Only what it depends on.
    Nothing,
}

pub(super) fn find(finder: &mut Finder<'_>) {
    let file = finder.root.join(FILE);
    let Some(root) = finder.json(&file) else { return };
    let version = root.get("version").and_then(|version| version.node.text());
    if let Some(line) = root.get("version").map(|version| version.line).filter(|_| version != Some("2.0.0")) {
        finder.problem(&file, line, "only tasks of version 2.0.0 are read");
        return;
    }
    if !matches!(root.value, Value::Object(_)) {
        finder.problem(&file, root.line, "must be an object: { \"version\": \"2.0.0\", \"tasks\": [] }");
        return;
    }
    if let Some(tasks) = root.get("tasks").filter(|tasks| tasks.node.list().is_none()) {
        finder.problem(&file, tasks.line, "tasks must be a list");
        return;
    }
    let variables = Variables::read(finder, &root);
    let nodes = root.get("tasks").and_then(|tasks| tasks.node.list()).unwrap_or_default();
    let tasks: Vec<Task<'_>> = nodes.iter().filter_map(|node| Task::read(&root, node)).collect();
    let mut scripts: HashMap<String, Script> = HashMap::new();
    for task in &tasks {
        let script = task.script(finder, &file, &variables);
        scripts.entry(task.label.clone()).or_insert(script);
    }
    let background: HashMap<String, bool> =
        scripts.iter().map(|(label, script)| (label.clone(), script.background)).collect();
    for task in &tasks {
        let Some(script) = scripts.get_mut(&task.label) else { continue };
        script.options.after = task.after(finder, &file, &background);
        script.one_by_one = task.text("dependsOrder") == Some("sequence");
        let script = script.clone();
        finder.push(script);
    }
}

fn name(label: &str) -> String {
    format!("vscode {label}")
}

// === impl Task ===

impl<'a> Task<'a> {
    fn read(root: &'a Node, node: &'a Node) -> Option<Self> {
        let system = |node: &'a Node| node.get(SYSTEM).map(|section| &section.node);
        let layers: Vec<&Node> = system(node).into_iter().chain([node]).collect();
        let options = layers.iter().copied().chain(system(root)).chain([root]);
        let options = options.filter_map(|node| Some(&node.get("options")?.node)).collect();
        let text = |key: &str| node.get(key).and_then(|found| found.node.text());
        let label = text("label").or(text("taskName")).map(str::to_owned);
        let (label, line) = match label {
            Some(label) => {
                (label, node.get("label").or(node.get("taskName")).map_or(node.line, |label| label.line))
            }
            None => (automatic_label(node)?, node.line),
        };
        (!label.trim().is_empty()).then_some(Self { label, line, layers, options })
    }

    /// A field of the nearest layer that has it.
    fn field(&self, key: &str) -> Option<&'a Node> {
        self.layers.iter().find_map(|layer| layer.get(key)).map(|found| &found.node)
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.field(key).and_then(Node::text)
    }

    fn option(&self, key: &str) -> Option<&'a Node> {
        self.options.iter().find_map(|layer| layer.get(key)).map(|found| &found.node)
    }

    fn is(&self, key: &str) -> bool {
        self.field(key).is_some_and(|node| node.value == Value::Boolean(true))
    }

    fn script(&self, finder: &mut Finder<'_>, file: &Path, variables: &Variables) -> Script {
        let (group, default) = self.group();
        let mut script = Script {
            kind: KIND,
            priority: if default { 75 } else { 70 },
            background: self.is("isBackground"),
            bare: Some(self.label.clone()),
            description: self.text("detail").and_then(finder::short),
            hidden: self.is("hide"),
            ..Script::new(name(&self.label), "", finder.root, file, self.line)
        };
        script.group = group.map(str::to_owned);
        if let Err(reason) = self.fill(&mut script, finder, variables) {
            // What cannot be known is told when somebody runs it; it is shown as it is written.
            if script.command.is_empty() {
                self.text("command").unwrap_or_default().clone_into(&mut script.command);
            }
            script.refused = Some(reason);
        }
        script.options.each_time = !script.background;
        script.options.ready = self.ready(finder, file).filter(|_| script.background);
        script
    }

    /// What it runs, where and with what around it. An error says why that cannot be told.
    fn fill(&self, script: &mut Script, finder: &Finder<'_>, variables: &Variables) -> Result<(), String> {
        match self.run(finder, variables)? {
            Run::Program(argv) => {
                script.command = shell_words::join(&argv);
                script.runner = Runner::Argv(argv);
            }
            Run::Line(line) => {
                script.runner = self.shell(&line, variables)?.unwrap_or(Runner::Shell);
                script.command = line;
            }
            Run::Nothing => {
                script.command = ":".to_owned();
            }
        }
        if self.text("type") == Some("npm") {
            script.cwd = finder.root.join(variables.expand(self.text("path").unwrap_or_default())?);
        }
        if let Some(cwd) = self.option("cwd").and_then(Node::text) {
            script.cwd = finder.root.join(variables.expand(cwd)?);
        }
        // The nearest layer's variables last: the later win.
        for layer in self.options.iter().rev() {
            for variable in layer.get("env").map(|env| env.node.members()).unwrap_or_default() {
                let value = match &variable.node.value {
                    Value::Text(text) => variables.expand(text)?,
                    Value::Number(text) => text.clone(),
                    Value::Boolean(value) => value.to_string(),
                    Value::Null | Value::List(_) | Value::Object(_) => continue,
                };
                let place = Place { file: script.file.clone(), line: variable.line };
                script.env.push(Variable { name: variable.name.clone(), value, source: Source::File(place) });
            }
        }
        Ok(())
    }

    fn run(&self, finder: &Finder<'_>, variables: &Variables) -> Result<Run, String> {
        let kind = self.text("type");
        let args = self.field("args").and_then(Node::list).unwrap_or_default();
        match kind {
            Some("npm") => {
                let script = self.text("script").ok_or("it does not say which script")?;
                let manager = finder.manager.as_str();
                return Ok(Run::Program([manager, "run", script].map(str::to_owned).to_vec()));
            }
            Some("cargo") => {
                let mut argv = vec!["cargo".to_owned()];
                argv.extend(self.text("command").map(|command| variables.expand(command)).transpose()?);
                for arg in args.iter().filter_map(Node::text) {
                    argv.push(variables.expand(arg)?);
                }
                return Ok(Run::Program(argv));
            }
            Some("shell" | "process") | None => {}
            Some(other) => return Err(format!("tasks of type {other} are run by an extension of VS Code")),
        }
        let Some(command) = self.field("command") else {
            return match self.field("dependsOn") {
                Some(_) => Ok(Run::Nothing),
                None => Err("it has no command".to_owned()),
            };
        };
        let expand = |text: &str| variables.expand(text);
        if kind != Some("process") {
            return quoting::line(command, args, &expand).map(Run::Line);
        }
        let mut argv = vec![expand(quoting::value(command))?];
        for arg in args {
            argv.push(expand(quoting::value(arg))?);
        }
        Ok(Run::Program(argv))
    }

    /// The shell it asks for.
    fn shell(&self, line: &str, variables: &Variables) -> Result<Option<Runner>, String> {
        let Some(shell) = self.option("shell") else { return Ok(None) };
        let Some(program) = shell.get("executable").and_then(|program| program.node.text()) else {
            return Ok(None);
        };
        let mut argv = vec![variables.expand(program)?];
        match shell.get("args").and_then(|args| args.node.list()) {
            Some(args) => {
                for arg in args.iter().filter_map(Node::text) {
                    argv.push(variables.expand(arg)?);
                }
            }
            None => argv.push("-c".to_owned()),
        }
        argv.push(line.to_owned());
        Ok(Some(Runner::Argv(argv)))
    }

    /// `"build"`, or `{ "kind": "build", "isDefault": true }`.
    fn group(&self) -> (Option<&'a str>, bool) {
        let Some(group) = self.field("group") else { return (None, false) };
        let field = |key: &str| group.get(key).map(|found| &found.node);
        let kind = group.text().or_else(|| field("kind")?.text()).filter(|kind| *kind != "none");
        let default = field("isDefault").is_some_and(|node| node.value != Value::Boolean(false));
        (kind, default)
    }

    /// The line of its output that says it is ready.
    fn ready(&self, finder: &mut Finder<'_>, file: &Path) -> Option<Ready> {
        let matcher = self.field("problemMatcher")?;
        let matchers = matcher.list().unwrap_or(std::slice::from_ref(matcher));
        for matcher in matchers {
            let base = || matcher.get("base").and_then(|base| base.node.text());
            let named = matcher.text().or_else(base);
            let named = MATCHERS.iter().find(|(name, _)| named == Some(name));
            let own = matcher.get("background").or(matcher.get("watching"));
            let own = own.and_then(|background| background.node.get("endsPattern"));
            let pattern =
                own.and_then(|ends| ends.node.text().or_else(|| ends.node.get("regexp")?.node.text()));
            // Its own takes the place of that of its base.
            let Some(pattern) = pattern.or(named.map(|(_, pattern)| *pattern)) else { continue };
            if Regex::new(pattern).is_ok() {
                return Some(Ready { probe: ReadyProbe::Log(pattern.to_owned()), timeout: READY_TIMEOUT });
            }
            let line = own.map_or(self.line, |own| own.line);
            finder.problem(file, line, "endsPattern cannot be used: it is ready as soon as it runs");
        }
        None
    }

    /// What it starts after. `background` has the tasks of the file.
    fn after(&self, finder: &mut Finder<'_>, file: &Path, background: &HashMap<String, bool>) -> Vec<After> {
        let depends = self.field("dependsOn");
        let list = depends.map(|node| node.list().unwrap_or(std::slice::from_ref(node))).unwrap_or_default();
        let mut all: Vec<After> = Vec::new();
        for node in list {
            let Some(label) = node.text().map(str::to_owned).or_else(|| automatic_label(node)) else {
                continue;
            };
            let (script, runs_on) = match (background.get(&label), label.strip_prefix("npm: ")) {
                (Some(background), _) => (name(&label), *background),
                // VS Code has a task for each script. Whether one runs on is told by its name alone.
                (None, Some(script)) => (script.to_owned(), Verb::of(script) == Verb::Serve),
                (None, None) => {
                    finder.problem(file, node.line, format!("dependsOn: there is no task {label:?}"));
                    continue;
                }
            };
            let condition = (!runs_on).then_some(Condition::ExitedOk);
            // Named twice it is run once.
            if !all.iter().any(|known| known.script == script) {
                all.push(After { script, condition });
            }
        }
        all
    }
}

/// What a task is called that has no label.
fn automatic_label(node: &Node) -> Option<String> {
    let text = |key: &str| node.get(key).and_then(|found| found.node.text());
    let kind = text("type")?;
    let name = text("script").or(text("task")).or(text("command"))?;
    let path = text("path").map(|path| format!(" - {}", path.trim_end_matches('/')));
    Some(format!("{kind}: {name}{}", path.unwrap_or_default()))
}
