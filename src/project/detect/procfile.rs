//! `Procfile.dev` and `Procfile`: lines `name: command`, the former's first.

use super::{finder::Finder, verb::Verb};
use crate::project::{Runner, Script};

const FILES: [(&str, u8); 2] = [("Procfile.dev", 98), ("Procfile", 96)];

pub(super) fn find(finder: &mut Finder<'_>) {
    for (name, priority) in FILES {
        if !finder.has(name) {
            continue;
        }
        let file = finder.root.join(name);
        let text = finder.text(&file).unwrap_or_default();
        for (index, line) in text.lines().enumerate() {
            let Some((process, command)) = entry(line) else { continue };
            // `release` runs once, after a deployment.
            let (verb, priority) =
                if process == "release" { (Verb::Other, 60) } else { (Verb::Serve, priority) };
            let script = Script::new(format!("procfile {process}"), command, finder.root, &file, index + 1);
            let script = Script {
                kind: "procfile",
                priority,
                bare: Some(process.to_owned()),
                runner: runner(command),
                ..script
            };
            finder.push(verb.mark(script));
        }
    }
}

fn entry(line: &str) -> Option<(&str, &str)> {
    let (name, command) = line.split_once(':')?;
    let command = command.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (!name.is_empty() && name.bytes().all(plain) && !command.is_empty()).then_some((name, command))
}

/// Procfiles may rely on a port being given, as their tools do, from 5000 on.
fn runner(command: &str) -> Runner {
    if !command.contains("$PORT") && !command.contains("${PORT") {
        return Runner::Shell;
    }
    let line = format!("export PORT=\"${{PORT:-5000}}\"; {command}");
    Runner::Argv(["/bin/sh", "-c", &line].map(str::to_owned).to_vec())
}
