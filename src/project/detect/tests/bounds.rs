//! Files that are too large, too odd or no files at all: told, never a panic.

use std::fs;

use proptest::prelude::*;

use super::{found, table, tree};
use crate::project::detect::{FAMILIES, LESSER_FILES, LOOKED_FOR, PROJECT_FILES, finder, glob};

/// Every file that is read, one of each kind where only the first counts.
const READ: [&str; 12] = [
    ".cargo/config.toml",
    "Demo.csproj",
    "Demo.sln",
    "Demo.slnx",
    "Properties/launchSettings.json",
    "gradle/libs.versions.toml",
    "src/main/App.java",
    "main.go",
    "app.py",
    "compose.override.yaml",
    "lib/tasks/a.rake",
    "bin/dev",
];

fn names() -> impl Iterator<Item = &'static str> {
    PROJECT_FILES.into_iter().chain(LESSER_FILES).chain(READ)
}

#[test]
fn a_file_that_is_too_large_is_told_and_left_out() {
    for name in names().filter(|name| !name.starts_with("src/") && *name != "main.go") {
        let dir = tree(&[(name, &"x: ".repeat(600_000))]);
        let found = found(dir.path());
        assert!(found.problems.len() <= 1, "{name}: {:?}", found.problems);
        for problem in found.problems {
            assert_eq!(problem.message, "is larger than 1 MiB; it is left out", "{name}");
        }
    }
    let dir = tree(&[("Makefile", &"x:\n".repeat(600_000))]);
    assert_eq!(table(dir.path()), "problem Makefile: is larger than 1 MiB; it is left out\n");
}

#[test]
fn a_family_gives_so_many_scripts_and_no_more() {
    let targets: String = (0..3000).map(|n| format!("t{n}:\n")).collect();
    let dir = tree(&[("Makefile", &targets), ("go.mod", "module x\n")]);
    let found = found(dir.path());
    assert_eq!(found.scripts.len(), finder::MAX_SCRIPTS + 3);
    assert_eq!(found.problems[0].message, "has more than 1000 things to run; the rest is left out");
}

#[test]
fn a_known_file_is_found_in_a_huge_directory() {
    let dir = tree(&[("Makefile", "all:\n\techo\n"), ("justfile", "dev:\n  x\n")]);
    for number in 0..=finder::MAX_ENTRIES {
        fs::write(dir.path().join(format!("{number}")), "").unwrap();
    }
    let found = found(dir.path());
    let names: Vec<_> = found.scripts.iter().map(|script| script.name.as_str()).collect();
    assert_eq!(names, ["just dev", "make all"]);
}

#[test]
fn patterns_look_for_nothing_outside() {
    let dir = tree(&[("in/app/x", ""), ("out/app/x", ""), ("out/x", "")]);
    let root = dir.path().join("in");
    let found = |pattern: &str| {
        let places = glob::expand(&root, pattern).into_iter();
        places.map(|place| place.strip_prefix(dir.path()).unwrap().display().to_string()).collect::<Vec<_>>()
    };
    for pattern in ["../*", "../**/x", "app/../../*/app", "/*", "*/../../out/*"] {
        assert_eq!(found(pattern), [""; 0], "{pattern}");
    }
    assert_eq!(found("../in/*"), ["in/app"]);
    assert_eq!(found("../out"), ["out"]);
}

#[test]
fn every_family_is_named_where_there_is_nothing_to_run() {
    assert_eq!(LOOKED_FOR.len(), FAMILIES.len() + 1);
}

#[test]
fn what_is_no_file_is_passed_over() {
    let directories: Vec<String> = names().map(|name| format!("{name}/")).collect();
    let files: Vec<(&str, &str)> = directories.iter().map(|name| (name.as_str(), "")).collect();
    let dir = tree(&files);
    assert_eq!(found(dir.path()).problems, []);
    // A pipe would make whoever opens it wait for ever.
    let dir = tree(&[]);
    for name in ["Makefile", "Procfile", "justfile"] {
        let made = rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path().join(name),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        );
        made.unwrap();
    }
    assert_eq!(table(dir.path()), "nothing\n");
}

/// Pieces of all the languages, so that more than the first line of a parser is reached.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "\n",
        "\n  ",
        "\n\t",
        ":",
        "=",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "\"",
        "'",
        "'''",
        "\"\"\"",
        "`",
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "\\",
        "\\\n",
        "#",
        "##",
        "//",
        "/*",
        "*/",
        "%",
        "$(",
        "${",
        "${input:",
        "@",
        ",",
        "-",
        "|",
        "&",
        "*",
        "?",
        "!",
        "::",
        ":=",
        "..",
        "./",
        "~",
        "é",
        "😀",
        "a",
        "task",
        "tasks",
        "label",
        "package",
        "name",
        "[package]",
        "[[bin]]",
        "[workspace]",
        "members",
        "use (",
        "include",
        ".PHONY",
        "define",
        "endef",
        "import",
        "mod",
        "[private]",
        "services",
        "scripts",
        "defp aliases do",
        "do",
        "end",
        "desc",
        "namespace",
        "task :x",
        "project",
        "Project(",
        "modules",
        "plugins {",
        "id(",
        "include(\"",
        "tasks.register(\"",
        "type",
        "shell",
        "command",
        "args",
        "dependsOn",
        "dependsOrder",
        "options",
        "0",
        "1.0",
        "true",
        "null",
    ];
    let piece = prop_oneof![
        8 => proptest::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is in the files, the answer is a list, and every line of it is one line.
    #[test]
    fn no_bytes_break_a_parser(texts in proptest::collection::vec(text(), 48)) {
        let dir = tree(&[]);
        for (name, text) in names().zip(&texts) {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        for problem in found(dir.path()).problems {
            prop_assert!(!problem.message.contains('\n'), "{:?}", problem);
        }
    }
}

#[test]
fn deep_nesting_ends_in_a_problem() {
    let deep = ["[", "{a: ", "- ", "(", "<a>", "\"\\", "{"].map(|piece| piece.repeat(50_000 / piece.len()));
    for text in deep {
        for name in names() {
            let dir = tree(&[(name, &text)]);
            drop(found(dir.path()));
        }
    }
}

#[test]
fn more_packages_than_are_listed_are_told_once() {
    let uses: String = (0..1002).map(|n| format!("use ./m{n:04}\n")).collect();
    let dir = tree(&[("go.work", &uses)]);
    for number in 0..1002 {
        let package = dir.path().join(format!("m{number:04}"));
        fs::create_dir(&package).unwrap();
        fs::write(package.join("go.mod"), format!("module example.com/m{number:04}\n")).unwrap();
    }
    let found = found(dir.path());
    let message = "is left out, as further packages are: there are more than 1000";
    let told: Vec<_> = found.problems.iter().filter(|problem| problem.message == message).collect();
    assert_eq!(told.len(), 1, "{:?}", found.problems);
    assert!(told[0].file.ends_with("m1000"), "{:?}", told[0].file);
}
