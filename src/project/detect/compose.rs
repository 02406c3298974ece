//! Services of docker compose.

use std::{path::PathBuf, time::Duration};

use super::{
    finder::{self, Finder},
    verb::Verb,
};
use crate::{config::RunOptions, project::Script};

const FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
/// Laid over the file of the same name before the dot.
const OVERRIDES: [&str; 4] = [
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
];
/// How many files `include` may lead to.
const MAX_FILES: usize = 50;
/// It gives its containers 10 s to end.
const STOP_GRACE: Duration = Duration::from_secs(15);

pub(super) fn find(finder: &mut Finder<'_>) {
    let Some(file) = finder.first(&FILES) else { return };
    let all = finder.tool("compose", (&file, 1), 78, Verb::Serve, &["docker", "compose", "up"]);
    finder.push(named(all, "compose up".to_owned()));
    let mut waiting = vec![file];
    waiting.splice(0..0, finder.first(&OVERRIDES));
    let mut seen: Vec<PathBuf> = Vec::new();
    while let Some(file) = waiting.pop() {
        if seen.contains(&file) || seen.len() >= MAX_FILES {
            continue;
        }
        seen.push(file.clone());
        let Some(compose) = finder.yaml(&file) else { continue };
        for service in compose.get("services").map(|services| services.node.members()).unwrap_or_default() {
            if service.name.is_empty() || service.name.starts_with('-') {
                continue;
            }
            // A service that is named starts whatever its profiles are.
            let words = ["docker", "compose", "up", &service.name];
            let script = finder.tool("compose", (&file, service.line), 75, Verb::Serve, &words);
            let image = service.node.get("image").and_then(|image| image.node.text());
            let script = Script {
                bare: Some(service.name.clone()),
                description: image.and_then(finder::short),
                ..named(script, format!("compose up {}", service.name))
            };
            finder.push(script);
        }
        let directory = file.parent().unwrap_or(finder.root).to_owned();
        for include in compose.get("include").and_then(|include| include.node.list()).unwrap_or_default() {
            let path = include.text().or_else(|| include.get("path")?.node.text());
            waiting.extend(path.filter(|path| !path.contains('$')).map(|path| directory.join(path)));
        }
    }
}

fn named(script: Script, name: String) -> Script {
    let options = RunOptions { stop_grace: Some(STOP_GRACE), ..RunOptions::default() };
    Script { name, options, ..script }
}
