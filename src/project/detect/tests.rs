//! One table per family: files in, commands out.

mod bounds;
mod lists;
mod managed;
mod native;
mod project;
mod scripting;
mod vscode;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use expect_test::Expect;
use tempfile::TempDir;

use super::*;

/// A directory with these files; one that begins with `#!` may be executed, a name that ends with `/` is a directory.
pub(super) fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(&path).unwrap();
            continue;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        if text.starts_with("#!") {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    dir
}

pub(super) fn found(root: &Path) -> Detected {
    detect(root, PackageManagerName::Npm, Vec::new())
}

/// What is found, as a table: priority, name, command where it is another, place, what else is known.
pub(super) fn table(root: &Path) -> String {
    let found = found(root);
    let inside = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
    let mut lines = Vec::new();
    for script in &found.scripts {
        let mut line = format!("{} {}", script.priority, script.label());
        if script.command != script.name {
            line += &format!(" = {}", script.command);
        }
        line += &format!("  {}:{}", inside(&script.file), script.line);
        let facts = [
            script.group.clone(),
            script.background.then(|| "background".to_owned()),
            script.bare.as_ref().map(|bare| format!("bare {bare}")),
            (script.cwd != root).then(|| format!("in {}", inside(&script.cwd))),
            script.hidden.then(|| "hidden".to_owned()),
            script.refused.clone().map(|refused| format!("refused: {refused}")),
            script.description.clone().map(|text| format!("{text:?}")),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        if !facts.is_empty() {
            line += &format!("  ({})", facts.join(", "));
        }
        lines.push(line);
    }
    lines.extend(
        found.packages.iter().map(|package| format!("package {} {}", package.name, inside(&package.path))),
    );
    lines.extend(found.problems.iter().map(|problem| format!("problem {}", problem.within(root))));
    if lines.is_empty() { "nothing\n".to_owned() } else { lines.join("\n") + "\n" }
}

/// What is found in these files.
#[expect(clippy::needless_pass_by_value, reason = "as expect_test is used")]
pub(super) fn check(files: &[(&str, &str)], expected: Expect) {
    let dir = tree(files);
    expected.assert_eq(&table(dir.path()));
}
