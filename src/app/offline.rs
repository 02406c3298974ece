//! The commands that only look and print: scripts, locate, config, logs.

use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use super::{cli::LocateArguments, home};
use crate::{
    config::{self, Loaded},
    locate::{self, Resolver},
    logs::Cleaner,
    project::{self, Project, Script},
};

mod logs;

pub(super) use logs::logs;

/// How wide a column of a list becomes.
const MAX_COLUMN: usize = 48;

/// The current directory, the project it is in and its configuration, whose problems are told on standard error.
pub(super) fn here() -> Result<(PathBuf, PathBuf, Loaded), String> {
    let here =
        std::env::current_dir().map_err(|error| format!("cannot tell the current directory: {error}"))?;
    let root = project::find_root(&here).unwrap_or_else(|| here.clone());
    let loaded = config::load(&root, home().as_deref(), &|name| std::env::var(name).ok());
    for problem in &loaded.problems {
        tell(&problem.to_string());
    }
    Ok((here, root, loaded))
}

/// `brummer scripts`.
pub(super) fn scripts(json: bool) -> Result<u8, String> {
    let (here, root, loaded) = here()?;
    let project = project::load(&root, &loaded.config).seen_from(&here);
    let nothing = project.require_scripts().map_err(|error| error.to_string());
    // The one that leaves nothing to run is told last.
    let last = nothing.as_ref().err();
    for problem in project.problems.iter().filter(|problem| last != Some(&problem.within(&root))) {
        tell(&problem.to_string());
    }
    nothing?;
    let text = if json { project.to_json().to_string() } else { listing(&project) };
    print(&text)?;
    Ok(0)
}

/// The scripts by package, the likeliest first: what to type, the tool, the command.
fn listing(project: &Project) -> String {
    let scripts: Vec<(String, &Script)> = project.listed().map(|script| (script.label(), script)).collect();
    let width = |column: &dyn Fn(&(String, &Script)) -> usize| {
        // One long name is not to push everything aside.
        scripts.iter().map(column).filter(|width| *width <= MAX_COLUMN).max().unwrap_or_default()
    };
    let (names, kinds) =
        (width(&|(label, _)| label.chars().count()), width(&|(_, script)| script.kind.len()));
    let mut lines = Vec::new();
    let mut package = None;
    for (label, script) in &scripts {
        if script.package.as_ref() != package {
            package = script.package.as_ref();
            let path =
                project.packages.iter().find(|known| Some(&known.name) == package).map(|known| &known.path);
            let path =
                path.map(|path| path.strip_prefix(&project.root).unwrap_or(path).display().to_string());
            lines.push(String::new());
            lines.push(format!("{}:", path.as_ref().or(package).cloned().unwrap_or_default()));
        }
        // A command of several lines is one line here.
        let command = script.command.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.push(format!("{label:names$}  {:kinds$}  {command}", script.kind).trim_end().to_owned());
    }
    lines.join("\n")
}

/// `brummer config`.
pub(super) fn config() -> Result<u8, String> {
    let (.., loaded) = here()?;
    print(&loaded.describe().join("\n"))?;
    Ok(u8::from(!loaded.problems.is_empty()))
}

/// `brummer locate`.
pub(super) fn locate(arguments: &LocateArguments) -> Result<u8, String> {
    let cwd = match &arguments.cwd {
        Some(directory) => {
            directory.canonicalize().map_err(|error| format!("{}: {error}", directory.display()))?
        }
        None => {
            std::env::current_dir().map_err(|error| format!("cannot tell the current directory: {error}"))?
        }
    };
    let bytes = read(arguments.file.as_deref())?;
    let root = project::find_root(&cwd).unwrap_or_else(|| cwd.clone());
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let lines: Vec<_> = text
        .split(|&byte| byte == b'\n')
        .map(|line| String::from_utf8_lossy(&Cleaner::plain(line)).into_owned())
        .collect();
    let records = locate::report(lines.iter().map(String::as_str), &Resolver::new(&cwd, &root));
    let mut out = String::new();
    for record in records {
        if arguments.json {
            out.push_str(&serde_json::to_string(&record).map_err(|error| error.to_string())?);
        } else {
            out.push_str(&locate::quickfix_line(&record));
        }
        out.push('\n');
    }
    print(out.trim_end_matches('\n'))?;
    Ok(0)
}

fn read(file: Option<&Path>) -> Result<Vec<u8>, String> {
    match file {
        Some(path) => fs::read(path).map_err(|error| format!("{}: {error}", path.display())),
        None => {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map_err(|error| format!("standard input: {error}"))?;
            Ok(bytes)
        }
    }
}

/// Prints text and a newline; nothing for no text. A reader that went away is no error.
pub(super) fn print(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        _ => Ok(()),
    }
}

/// Says something on standard error.
pub(super) fn tell(message: &str) {
    // Nothing is to be done when standard error is gone.
    drop(writeln!(io::stderr(), "brummer: {message}"));
}
