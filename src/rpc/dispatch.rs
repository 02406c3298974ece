//! From a call to the handle that does it. An error is one line, worded for the user.

use std::{
    collections::HashMap,
    future::ready,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

use serde_json::{Value, json};

use super::{
    Handles, describe, line, others, previous,
    protocol::{Call, Directory, ErrorsOf, Keys, Line, LineOf, Resize, Run},
    write,
};
use crate::{
    config::{self, Change, Config, Loaded, Reloaded, Source},
    event::{Component, ProcessId, ProcessInfo, Seq},
    locate::{self, Finding, Location, Place, Resolver, Scanner, Severity},
    logs::Headline,
    process::{Asked, ProcessError, Size, Started},
    project::{self, Step},
};

/// Lines before and after the one asked about that are looked at, for formats that spread over several.
pub(super) const CONTEXT: (usize, usize) = (200, 60);

/// Headlines told at once.
const HEADLINES: usize = 500;

/// Carries out a call and returns its value, in which absent things are absent keys.
pub(super) async fn call(handles: &Handles, call: Call) -> Result<Value, String> {
    carry_out(handles, call).await.map(without_nulls)
}

async fn carry_out(handles: &Handles, call: Call) -> Result<Value, String> {
    match call {
        Call::Scripts(directory) => scripts(handles, directory).await,
        Call::Locate(line) => locate(handles, line).await,
        Call::Errors(errors) => list_errors(handles, errors).await,
        Call::Explain(line) => explain(handles, line).await,
        Call::Line(asked) => line::line(handles, asked).await,
        Call::UrlsOf(asked) => line::urls_of(handles, asked).await,
        Call::Place(asked) => line::place(handles, asked).await,
        Call::Previous(asked) => previous::previous(handles, asked).await,
        Call::Config(directory) => settings(handles, directory).await,
        Call::Reload => reload(handles).await,
        Call::Health => Ok((handles.health)()),
        Call::Describe(entry) => describe::describe(handles, ProcessId(entry.id)).await,
        Call::Show(show) => others::show(handles, show).await,
        Call::Leftovers => others::leftovers(handles).await.map(|found| json!(found)),
        Call::EndLeftovers(asked) => others::end_leftovers(handles, asked.runs).await,
        Call::Write(asked) => write::write(handles, asked).await,
        // Commands are begun, and the session takes the others itself.
        Call::Run(_)
        | Call::Stop(_)
        | Call::StopAll(_)
        | Call::Restart(_)
        | Call::Watch(_)
        | Call::Unwatch(_)
        | Call::Search(_)
        | Call::Unsearch(_)
        | Call::Load(_)
        | Call::WatchHealth(_)
        | Call::UnwatchHealth(_)
        | Call::Send(_)
        | Call::Input(_)
        | Call::Resize(_)
        | Call::Attach(_)
        | Call::Detach(_)
        | Call::Bye => Ok(json!({})),
    }
}

/// What is left of a command when the next one may follow: the wait for its end, which a process can draw out.
pub(super) type Rest = Pin<Box<dyn Future<Output = Result<Value, String>> + Send>>;

/// Whether a call starts or ends something, or changes what that goes by: these are begun in the order they came.
pub(super) fn is_command(call: &Call) -> bool {
    let of_a_process = matches!(call, Call::Run(_) | Call::Stop(_) | Call::StopAll(_) | Call::Restart(_));
    of_a_process || matches!(call, Call::Send(_) | Call::Input(_) | Call::Resize(_) | Call::Reload)
}

/// Carries a command out as far as others have to wait for it.
pub(super) async fn begin(handles: &Handles, command: Call) -> Result<Rest, String> {
    let manager = &handles.manager;
    Ok(match command {
        Call::Run(run) => begin_run(handles, run).await?,
        Call::StopAll(project) => stop_all(handles, project.root),
        Call::Stop(entry) => Box::pin(done(manager.begin_stop(ProcessId(entry.id)).await)),
        Call::Restart(entry) => begin_restart(handles, ProcessId(entry.id)).await?,
        Call::Send(Line { id, text, eof }) => told(manager.send(ProcessId(id), text.as_deref(), eof)),
        Call::Input(Keys { id, bytes }) => told(manager.input(ProcessId(id), &bytes.0)),
        Call::Resize(Resize { id, cols, rows }) => {
            told(manager.resize(ProcessId(id), Size { cols: cols.max(1), rows: rows.max(1) }))
        }
        // Settings hold before the next command.
        other => Box::pin(ready(call(handles, other).await)),
    })
}

/// The answer to a command that is carried out at once.
fn told(done: Result<(), ProcessError>) -> Rest {
    Box::pin(ready(done.map(|()| json!({})).map_err(said)))
}

/// Ends all that runs of a project, or all, and what it left running.
fn stop_all(handles: &Handles, root: Option<String>) -> Rest {
    let root = root.map(PathBuf::from);
    let manager = handles.manager.clone();
    Box::pin(async move { manager.stop_all(root).await.map(|()| json!({})).map_err(said) })
}

/// The answer to a command that has none but its end.
async fn done<T>(asked: Result<Asked<T>, ProcessError>) -> Result<Value, String> {
    asked.map_err(said)?.done().await.map_err(said)?;
    Ok(json!({}))
}

async fn scripts(handles: &Handles, directory: Directory) -> Result<Value, String> {
    let home = handles.home.clone();
    blocking(handles, "scripts", move || {
        let root = root_of(&directory);
        let (config, mut problems) = read_config(&root, home.as_deref());
        let project = project::load(&root, &config).seen_from(Path::new(&directory.dir));
        problems.extend(project.problems.iter().map(|problem| problem.within(&root)));
        let mut value = project.to_json();
        value["problems"] = problems.into();
        Ok(value)
    })
    .await?
}

async fn begin_run(handles: &Handles, run: Run) -> Result<Rest, String> {
    let (home, another) = (handles.home.clone(), run.another);
    let (steps, problems) = blocking(handles, "run", move || prepare(&run, home.as_deref())).await??;
    let infos = steps.iter().map(|step| &step.info);
    let claims = match others::claim(handles, infos, another).await {
        Ok(claims) => claims,
        Err(elsewhere) => return Ok(Box::pin(ready(Ok(elsewhere)))),
    };
    let mut asked = Vec::new();
    let first: Vec<_> = steps.iter().filter(|step| !step.asked).map(|step| step.info.clone()).collect();
    for Step { info, .. } in steps.into_iter().filter(|step| step.asked) {
        let label = info.label();
        let start = handles.manager.begin_start_claimed(first.clone(), info, claims.clone());
        asked.push((label, start.await.map_err(said)?));
    }
    Ok(Box::pin(async move {
        let mut started = Vec::new();
        for (name, asked) in asked {
            let (id, word) = match asked.done().await.map_err(said)? {
                Started::New(process, _) => (process.0, "started"),
                Started::Running(process) => (process.0, "running"),
            };
            started.push(json!({ "id": id, "name": name, "state": word }));
        }
        Ok(json!({ "started": started, "problems": problems }))
    }))
}

/// What is to be started, all of it or nothing.
fn prepare(run: &Run, home: Option<&Path>) -> Result<(Vec<Step>, Vec<String>), String> {
    let root = PathBuf::from(&run.root);
    let (config, mut problems) = read_config(&root, home);
    if let Some(command) = &run.command {
        let info = project::command_line(&root, command, &config).map_err(said)?;
        return Ok((vec![Step { info, asked: true }], problems));
    }
    let from = Path::new(run.dir.as_ref().unwrap_or(&run.root));
    let project = project::load(&root, &config).seen_from(from);
    let steps = project.plan(&run.names, &run.args, &project::PathLookup::from_env()).map_err(said)?;
    if steps.is_empty() {
        return Err("nothing to run: name a script".to_owned());
    }
    problems.extend(project.problems.iter().map(|problem| problem.within(&root)));
    Ok((steps, problems))
}

/// A restart reads the project again: what was changed in its files counts.
async fn begin_restart(handles: &Handles, process: ProcessId) -> Result<Rest, String> {
    let info = handles.manager.info(process).ok_or("no such process")?;
    let home = handles.home.clone();
    let again = blocking(handles, "restart", move || again(&info, home.as_deref())).await??;
    Ok(Box::pin(done(handles.manager.begin_restart_as(process, again).await)))
}

/// What is started for a run that is asked for again, itself last; nothing where it is no script and no command line.
fn again(info: &ProcessInfo, home: Option<&Path>) -> Result<Vec<ProcessInfo>, String> {
    let (config, _) = read_config(&info.root, home);
    let found =
        project::load(&info.root, &config).again(info, &project::PathLookup::from_env()).map_err(said)?;
    if found.is_empty() && info.package.is_none() && info.script == info.name {
        return Ok(vec![project::command_line(&info.root, &info.script, &config).map_err(said)?]);
    }
    Ok(found)
}

async fn locate(handles: &Handles, line: LineOf) -> Result<Value, String> {
    let (info, seq, lines) = neighbourhood(handles, &line).await?;
    blocking(handles, "locate", move || location(&lines, seq, &Resolver::new(&info.cwd, &info.root))).await?
}

/// Where a line points, given its neighbours.
pub(super) fn location(lines: &[(Seq, String)], seq: Seq, resolver: &Resolver) -> Result<Value, String> {
    let finding = finding_at(lines, seq).ok_or("this line names no place")?;
    let place = finding.place.as_ref().ok_or("this line names no place")?;
    let location = resolver.resolve(place).map_err(said)?;
    Ok(json!({
        "file": location.file,
        "line": location.line,
        "col": location.col,
        "message": finding.message,
        "rule": finding.rule,
    }))
}

async fn explain(handles: &Handles, line: LineOf) -> Result<Value, String> {
    let (info, seq, lines) = neighbourhood(handles, &line).await?;
    let told = blocking(handles, "explain", move || {
        let lines: Vec<_> = lines.iter().map(|(seq, text)| (*seq, text.as_str())).collect();
        locate::explain(&lines, seq, &Resolver::new(&info.cwd, &info.root))
    });
    Ok(json!({ "lines": told.await? }))
}

/// A line's process and the lines around it, from memory or else from this session's history.
pub(super) async fn neighbourhood(
    handles: &Handles,
    line: &LineOf,
) -> Result<(Arc<ProcessInfo>, Seq, Vec<(Seq, String)>), String> {
    let (process, seq) = (ProcessId(line.id), Seq(line.seq));
    let info = handles.model.row(process).ok_or("no such process")?.info;
    let slice = handles.logs.around(process, seq, CONTEXT.0, CONTEXT.1).await.map_err(said)?;
    let lines: Vec<_> =
        slice.lines().map(|(seq, _, text)| (seq, String::from_utf8_lossy(text).into_owned())).collect();
    if !lines.iter().any(|(kept, _)| *kept == seq) {
        return Ok((info, seq, line::recorded_of(handles, line).await?.around));
    }
    Ok((info, seq, lines))
}

/// What the scanner says of one line, given its neighbours.
pub(super) fn finding_at(lines: &[(Seq, String)], seq: Seq) -> Option<Finding> {
    let mut scanner = Scanner::new();
    let mut found = Vec::new();
    for (number, text) in lines {
        scanner.line(*number, text, &mut found);
    }
    scanner.finish(&mut found);
    // The last word on a line counts, and one with a place before one without.
    let mut about = found.into_iter().filter(|finding| finding.seq == seq);
    let first = about.next()?;
    Some(
        about
            .fold(first, |best, next| if next.place.is_some() || best.place.is_none() { next } else { best }),
    )
}

async fn list_errors(handles: &Handles, asked: ErrorsOf) -> Result<Value, String> {
    let headlines = handles.logs.headlines().await.map_err(said)?;
    let wanted: Vec<(Headline, Arc<ProcessInfo>)> = headlines
        .into_iter()
        .filter(|headline| asked.id.is_none_or(|id| headline.process.0 == id))
        .filter_map(|headline| Some((handles.manager.info(headline.process)?, headline)))
        .filter(|(info, _)| asked.root.as_deref().is_none_or(|root| info.root == Path::new(root)))
        .map(|(info, headline)| (headline, info))
        .take(HEADLINES)
        .collect();
    let errors = blocking(handles, "errors", move || {
        let mut resolvers = HashMap::new();
        let rows: Vec<_> = wanted
            .iter()
            .map(|(headline, info)| {
                let resolver =
                    resolvers.entry(headline.process).or_insert_with(|| Resolver::new(&info.cwd, &info.root));
                error_row(headline, info, resolver)
            })
            .collect();
        rows
    });
    Ok(json!({ "errors": errors.await? }))
}

fn error_row(headline: &Headline, info: &ProcessInfo, resolver: &Resolver) -> Value {
    let at: Option<Location> = headline.place.as_ref().and_then(|place: &Place| resolver.resolve(place).ok());
    json!({
        "error": headline.id,
        "id": headline.process.0,
        "name": info.label(),
        "run": headline.number,
        "seq": headline.seq.0,
        "file": at.as_ref().map(|at| &at.file),
        "line": at.as_ref().map(|at| at.line),
        "col": at.as_ref().and_then(|at| at.col),
        "severity": match headline.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        },
        "message": headline.message.as_ref(),
        "rule": headline.rule,
    })
}

/// The settings of a project, each with its source, and what is wrong with them.
async fn settings(handles: &Handles, directory: Directory) -> Result<Value, String> {
    let home = handles.home.clone();
    let shown = blocking(handles, "config", move || {
        let root = root_of(&directory);
        let loaded = load(&root, home.as_deref());
        let source = |source: Source| match source {
            Source::Default => None,
            source => Some(source.within(&root)),
        };
        let values: Vec<_> = loaded
            .values()
            .into_iter()
            .map(|shown| {
                let hidden = shown.hidden.then_some(true);
                json!({ "key": shown.key, "value": shown.value, "hidden": hidden, "source": source(shown.source) })
            })
            .collect();
        let mut problems = said_within(&loaded, &root);
        let project = project::load(&root, &loaded.config);
        problems.extend(project.problems.iter().map(|problem| problem.within(&root)));
        json!({ "root": root, "files": loaded.files, "problems": problems, "values": values })
    });
    shown.await
}

/// The host's own settings, read again.
async fn reload(handles: &Handles) -> Result<Value, String> {
    let settings = Arc::clone(&handles.settings);
    let told = blocking(handles, "reload", move || {
        let Reloaded { applied, waiting, loaded } = settings.reload();
        let texts = |changes: &[Change]| changes.iter().map(Change::to_string).collect::<Vec<_>>();
        json!({
            "root": settings.root(),
            "files": loaded.files,
            "applied": texts(&applied),
            "restart": texts(&waiting),
            "problems": said_within(&loaded, settings.root()),
        })
    });
    told.await
}

/// The nearest root above a directory, or the directory itself: its errors say what was looked for.
fn root_of(directory: &Directory) -> PathBuf {
    let path = PathBuf::from(&directory.dir);
    project::find_root(&path).unwrap_or(path)
}

pub(super) fn read_config(root: &Path, home: Option<&Path>) -> (Config, Vec<String>) {
    let loaded = load(root, home);
    let problems = said_within(&loaded, root);
    (loaded.config, problems)
}

fn load(root: &Path, home: Option<&Path>) -> Loaded {
    config::load(root, home, &|name| std::env::var(name).ok())
}

fn said_within(loaded: &Loaded, root: &Path) -> Vec<String> {
    loaded.problems.iter().map(|problem| problem.within(root)).collect()
}

/// Files are looked at on a thread that may wait for them.
pub(super) async fn blocking<T: Send + 'static>(
    handles: &Handles,
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let done = handles.resources.blocking(Component::Rpc, name, work);
    done.await.ok_or_else(|| format!("{name} failed inside brummer: see its log file"))
}

/// Lua would read a null as `vim.NIL`, which is true.
pub(super) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// An error as one line. What a longer one shows besides is for a terminal.
fn said(error: impl std::fmt::Display) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}
