//! Which files are read, and in what order.

use std::path::{Path, PathBuf, absolute};

use super::FILE_NAME;

/// The files that may exist, the one that counts least first: home, then the directories above `root` from the
/// farthest to the nearest, then `root`. A home above `root` keeps its place among the directories, so that
/// nearer always wins and no file is read twice.
pub(super) fn files(root: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    // Without a current directory there is nothing above a relative root to look at.
    let root = absolute(root).unwrap_or_else(|_| root.to_owned());
    let mut directories: Vec<PathBuf> = root.ancestors().map(Path::to_owned).collect();
    if let Some(home) = home.filter(|home| home.is_absolute()) {
        let same = |directory: &PathBuf| directory == home || same_directory(directory, home);
        if !directories.iter().any(same) {
            directories.push(home.to_owned());
        }
    }
    directories.iter().rev().map(|directory| directory.join(FILE_NAME)).collect()
}

/// Whether both names lead to one directory, links followed.
fn same_directory(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
