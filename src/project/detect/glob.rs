//! Directories and files that a pattern of a workspace names.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::finder;

/// How many places one pattern may name.
const MAX_FOUND: usize = 1000;
/// How many directories `**` goes down.
const MAX_DEPTH: usize = 8;

/// The places below `root` that `pattern` names, sorted; one without wildcards names itself. `**` passes over what is
/// hidden, `node_modules` and `target`. Nothing is looked for outside `root`, but one place there may be named.
pub(super) fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut places = vec![root.to_owned()];
    if pattern.starts_with('/') {
        return Vec::new();
    }
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if is_wild(part) {
            places.retain(|place| place.starts_with(root));
        }
        places = match part {
            ".." => places.iter().filter_map(|place| place.parent().map(Path::to_owned)).collect(),
            "**" => places.iter().flat_map(|place| below(place)).collect(),
            part if is_wild(part) => {
                let Some(matcher) = matcher(part) else { return Vec::new() };
                let named = places.iter().flat_map(|place| matching(place, &matcher));
                named.take(MAX_FOUND).collect()
            }
            part => places.iter().map(|place| place.join(part)).filter(|place| place.exists()).collect(),
        };
        places.truncate(MAX_FOUND);
    }
    places.sort();
    places.dedup();
    places
}

fn is_wild(part: &str) -> bool {
    part.contains(['*', '?', '[', '{'])
}

fn matcher(part: &str) -> Option<GlobMatcher> {
    Some(GlobBuilder::new(part).literal_separator(true).build().ok()?.compile_matcher())
}

fn matching(place: &Path, matcher: &GlobMatcher) -> Vec<PathBuf> {
    let named = finder::entries(place).into_iter();
    named
        .filter(|name| !name.starts_with('.') && matcher.is_match(name))
        .map(|name| place.join(name))
        .collect()
}

/// `place` and the directories below it.
fn below(place: &Path) -> Vec<PathBuf> {
    let mut found = vec![place.to_owned()];
    let mut level = vec![place.to_owned()];
    for _ in 0..MAX_DEPTH {
        let next = level.iter().flat_map(|place| {
            let names = finder::entries(place).into_iter();
            let names =
                names.filter(|name| !name.starts_with('.') && name != "node_modules" && name != "target");
            // A link may lead back to where it stands.
            names.map(|name| place.join(name)).filter(|path| path.is_dir() && !path.is_symlink())
        });
        level = next.take(MAX_FOUND).collect();
        found.extend(level.iter().cloned());
        if level.is_empty() || found.len() > MAX_FOUND {
            break;
        }
    }
    found
}
