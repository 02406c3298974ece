//! Patterns over directories made for them.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn patterns(written: &[&str]) -> Patterns {
    let written: Vec<_> = written.iter().enumerate().map(|(i, text)| ((*text).to_owned(), i + 1)).collect();
    let (patterns, bad) = Patterns::new(&written);
    assert_eq!(bad, []);
    patterns
}

/// Directories in which there is a file called `p`.
fn tree(directories: &[&str]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for directory in directories {
        fs::create_dir_all(dir.path().join(directory)).unwrap();
        fs::write(dir.path().join(directory).join("p"), "").unwrap();
    }
    dir
}

fn expand(dir: &TempDir, written: &[&str]) -> (Vec<String>, Vec<String>) {
    let patterns = patterns(written);
    let found = patterns.expand(dir.path(), &|directory| directory.join("p").is_file());
    let shown = found.directories.iter().map(|directory| {
        let relative = directory.strip_prefix(dir.path()).unwrap();
        assert!(patterns.fit(relative), "{relative:?} is found and does not fit");
        relative.display().to_string()
    });
    (shown.collect(), found.empty.into_iter().map(|(text, _)| text).collect())
}

const TREE: [&str; 14] = [
    "",
    "apps/web",
    "apps/web/node_modules/x",
    "apps/api",
    "apps/.hidden",
    "packages/ui",
    "packages/ui/test/fixture",
    "packages/deep/er/most",
    "packages/node_modules/y",
    "node_modules/z",
    "tools",
    "weird name#ü",
    "a[b]",
    ".config/c",
];

#[test]
fn patterns_lead_where_the_package_managers_go() {
    let dir = tree(&TREE);
    let found = |written: &[&str]| expand(&dir, written).0.join(" ");
    assert_eq!(found(&["apps/*"]), "apps/api apps/web");
    assert_eq!(found(&["./apps/*/", "/tools/"]), "apps/api apps/web tools");
    assert_eq!(found(&["packages/**"]), "packages/deep/er/most packages/ui packages/ui/test/fixture");
    assert_eq!(found(&["packages/**", "!**/test/**"]), "packages/deep/er/most packages/ui");
    assert_eq!(found(&["!apps/api", "apps/*"]), "apps/web");
    assert_eq!(found(&["apps/*", "!apps/*", "apps/api"]), "apps/api");
    assert_eq!(found(&["{apps,packages}/{w*,ui}"]), "apps/web packages/ui");
    assert_eq!(found(&["apps\\w?b", "weird name#ü"]), "apps/web weird name#ü");
    assert_eq!(found(&["apps/.h*", ".config/*"]), ".config/c apps/.hidden");
    assert_eq!(found(&["**"]).matches("node_modules").count(), 0);
    assert_eq!(found(&["apps/*/node_modules/*", "node_modules/*"]), "");
    assert_eq!(found(&["packages/../apps/web"]), "apps/web");
    assert_eq!(found(&["[a-b]pps/api/package.json"]), "apps/api");
}

#[test]
fn what_leads_to_nothing_is_told() {
    let dir = tree(&TREE);
    assert_eq!(expand(&dir, &["lib/*", "apps/web", "!x", "apps/{x,y}"]).1, ["lib/*", "apps/{x,y}"]);
    let (_, bad) = Patterns::new(&[("a/[b".to_owned(), 3), ("packages/!(x)".to_owned(), 4)]);
    assert_eq!(bad.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4]);
    let outside = |text: &str| Patterns::new(&[(text.to_owned(), 1)]).1.len();
    assert_eq!([outside("../*"), outside("a/../../**"), outside("*/../../x*")], [1; 3]);
    assert_eq!([outside("../shared"), outside("a/../b*")], [0; 2], "one directory may be named");
    let literal = Patterns::literal(&[("a[b]".to_owned(), 1)]);
    assert_eq!(literal.expand(dir.path(), &|found| found.join("p").is_file()).directories.len(), 1);
}

#[test]
fn a_link_to_a_directory_above_ends() {
    let dir = tree(&["a/b"]);
    std::os::unix::fs::symlink(dir.path(), dir.path().join("a/loop")).unwrap();
    assert_eq!(expand(&dir, &["**"]).0, ["a/b"]);
}

proptest! {
    #[test]
    fn any_text_is_a_pattern_or_told(text in "[a-c*?!{},/.\\[\\]()@\\\\]{0,24}") {
        let dir = tree(&["a/b", "c"]);
        let (patterns, bad) = Patterns::new(&[(text, 1)]);
        prop_assert!(bad.len() < 2);
        let found = patterns.expand(dir.path(), &|found| found.join("p").is_file());
        prop_assert!(found.directories.len() <= 2);
        patterns.fit(Path::new("a/b"));
    }
}
