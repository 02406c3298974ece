//! What the compiler does not check: layering, file headers and sizes, who may spawn, words that stay out.
//!
//! Nothing here is skipped: a test that compares files fails while one of them does not exist.

use std::{
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

use crate::support::repo;

/// Files over [`LONG`] lines, with the reason. The list may only shrink: an entry that is no longer needed fails too.
const LONG_FILES: &[(&str, &str)] = &[
    ("src/locate/reader.rs", "one state machine over lines"),
    ("src/project/tests.rs", "a table of package files"),
];
const LONG: usize = 400;

fn files(dir: &str, extension: &str) -> Vec<(String, String)> {
    fn walk(dir: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|other| other == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&repo().join(dir), extension, &mut found);
    found.sort();
    let relative = |path: &Path| path.strip_prefix(repo()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (relative(path), fs::read_to_string(path).unwrap())).collect()
}

fn rust() -> Vec<(String, String)> {
    let files = files("src", "rs");
    assert!(files.len() > 10, "the sources are found");
    files
}

/// The lines that are code: number from 1 and text, comments left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
}

fn report(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// `src/bus/queue.rs` belongs to `bus`; `src/lib.rs` and `src/main.rs` to none.
fn room(path: &str) -> Option<&str> {
    let name = path.strip_prefix("src/")?.split(['/', '.']).next()?;
    (!matches!(name, "lib" | "main")).then_some(name)
}

#[test]
fn no_module_names_one_declared_below_it() {
    let lib = fs::read_to_string(repo().join("src/lib.rs")).unwrap();
    let order: Vec<&str> = Regex::new(r"(?m)^(?:pub )?mod (\w+);")
        .unwrap()
        .captures_iter(&lib)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    assert!(order.len() > 8, "{order:?}");
    let rank = |name: &str| order.iter().position(|other| *other == name);
    let path = Regex::new(r"\bcrate::(\w+)").unwrap();
    let group = Regex::new(r"(?s)\buse crate::\{(.*?)\};").unwrap();
    let word = Regex::new(r"(?:^|,)\s*(\w+)").unwrap();
    let braces = Regex::new(r"\{[^{}]*\}").unwrap();
    let mut wrong = Vec::new();
    for (file, text) in rust() {
        let Some(own) = room(&file) else { continue };
        let here = rank(own).unwrap_or_else(|| panic!("{file} belongs to no module of src/lib.rs"));
        let plain: String = code(&text).map(|(_, line)| line.to_owned() + "\n").collect();
        let mut named: Vec<String> = path.captures_iter(&plain).map(|found| found[1].to_owned()).collect();
        for found in group.captures_iter(&plain) {
            let mut inner = found[1].to_owned();
            while braces.is_match(&inner) {
                inner = braces.replace_all(&inner, "").into_owned();
            }
            named.extend(word.captures_iter(&inner).map(|found| found[1].to_owned()));
        }
        named.sort();
        named.dedup();
        wrong.extend(
            named
                .iter()
                .filter(|name| rank(name).is_some_and(|at| at > here))
                .map(|name| format!("{file} names {name}")),
        );
    }
    report("modules that name one below them in src/lib.rs", &wrong);
}

#[test]
fn nothing_reaches_two_levels_up() {
    let found: Vec<String> = rust()
        .iter()
        .flat_map(|(file, text)| {
            code(text)
                .filter(|(_, line)| line.contains("super::super"))
                .map(move |(at, _)| format!("{file}:{at}"))
        })
        .collect();
    report("super::super hides the layering; write crate::", &found);
}

#[test]
fn every_file_says_what_it_is() {
    let mut sources = rust();
    sources.extend(files("tests/it", "rs"));
    sources.extend(files("tests/bench", "rs"));
    sources.extend(files("tests/stress", "rs"));
    sources.extend(files("tests/fuzz", "rs"));
    let found: Vec<String> =
        sources.iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(file, _)| file.clone()).collect();
    report("files without a //! header", &found);
}

#[test]
fn files_stay_short() {
    let mut sources = rust();
    sources.extend(files("lua", "lua"));
    let long: Vec<&String> =
        sources.iter().filter(|(_, text)| text.lines().count() > LONG).map(|(file, _)| file).collect();
    let listed = |file: &str| LONG_FILES.iter().any(|(name, _)| *name == file);
    let new: Vec<String> = long.iter().filter(|file| !listed(file)).map(|file| (*file).clone()).collect();
    report("files over 400 lines: split them, or list them with the reason", &new);
    let short: Vec<String> = LONG_FILES
        .iter()
        .filter(|(name, _)| !long.iter().any(|file| file == name))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    report("no longer over 400 lines: take them off the list", &short);
}

#[test]
fn every_planted_fault_is_demanded_by_a_model() {
    // One in the code and one in a model; `\s` because a model may break the line.
    let hook = Regex::new(r#"\bplanted\("([^"]+)"\)"#).unwrap();
    let demand = Regex::new(r#"\bwith\s+"([^"]+)"\s+says\b"#).unwrap();
    let all = |what: &Regex| -> std::collections::BTreeSet<String> {
        rust()
            .iter()
            .flat_map(|(_, text)| {
                what.captures_iter(text).map(|found| found[1].to_owned()).collect::<Vec<_>>()
            })
            .collect()
    };
    let (hooks, demands) = (all(&hook), all(&demand));
    assert!(hooks.len() > 10, "the faults are found: {hooks:?}");
    assert_eq!(hooks, demands);
}

#[test]
fn the_checkers_are_never_switched_on_together() {
    // Built from parts, so that this file may say so.
    let all = ["--all", "features"].join("-");
    let mut found = Vec::new();
    for file in ["Makefile", ".ci/run", "build.lua", "README.md", "Cargo.toml"] {
        found.push((file.to_owned(), fs::read_to_string(repo().join(file)).unwrap()));
    }
    for entry in fs::read_dir(repo().join("tools")).unwrap().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap();
        found.push((entry.path().to_string_lossy().into_owned(), text));
    }
    assert!(found.len() > 9, "the scripts are found");
    let lib = fs::read_to_string(repo().join("src/lib.rs")).unwrap();
    assert!(lib.contains("#[cfg(all(feature = \"loom\", feature = \"shuttle\"))]\ncompile_error!"));
    let wrong: Vec<String> =
        found.into_iter().filter(|(_, text)| text.contains(&all)).map(|(file, _)| file).collect();
    report("all features at once do not build", &wrong);
}

#[test]
fn only_resource_spawns() {
    let spawn = Regex::new(r"\b(tokio::(task::)?spawn(_blocking)?|thread::spawn|thread::Builder)\b").unwrap();
    let found: Vec<String> = rust()
        .iter()
        .filter(|(file, _)| room(file) != Some("resource"))
        .flat_map(|(file, text)| {
            code(text).filter(|(_, line)| spawn.is_match(line)).map(move |(at, _)| format!("{file}:{at}"))
        })
        .collect();
    report("spawned outside src/resource", &found);
}

#[test]
fn only_the_calls_of_the_guard_are_unsafe() {
    let word = Regex::new(r"\bunsafe\b(?:\s*\{|\s+fn|\s+impl|\s+trait|\s+extern)").unwrap();
    let allowed = Regex::new(r"allow\(.*unsafe_code").unwrap();
    let mut found = Vec::new();
    for (file, text) in rust() {
        if file == "src/guard/sys.rs" {
            assert!(word.is_match(&text), "{file} is where it is");
            continue;
        }
        let unsafe_lines = code(&text).filter(|(_, line)| word.is_match(line) || allowed.is_match(line));
        found.extend(unsafe_lines.map(|(at, _)| format!("{file}:{at}")));
    }
    report("unsafe code outside of src/guard/sys.rs", &found);
}

#[test]
fn lua_never_waits_for_the_host() {
    let waits = Regex::new(r"vim\.rpcrequest|vim\.wait\b|\brpcrequest\(|:wait\(").unwrap();
    let sources: Vec<_> = ["lua", "plugin", "ftplugin"].iter().flat_map(|dir| files(dir, "lua")).collect();
    assert!(!sources.is_empty(), "lua/, plugin/ and ftplugin/ hold the front end");
    let found: Vec<String> = sources
        .iter()
        // `:w FILE` waits for a second, as the user expects of it.
        .filter(|(file, _)| file != "lua/brummer/write.lua")
        .flat_map(|(file, text)| {
            let lines = text.lines().enumerate();
            lines
                .filter(|(_, line)| waits.is_match(line.split("--").next().unwrap_or_default()))
                .map(move |(at, _)| format!("{file}:{}", at + 1))
        })
        .collect();
    report("Lua that waits", &found);
}

/// A number found in a file. A missing file or number fails: the three are to agree.
fn number(file: &str, pattern: &str) -> u64 {
    let text = fs::read_to_string(repo().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let found =
        Regex::new(pattern).unwrap().captures(&text).unwrap_or_else(|| panic!("{file} has no {pattern}"));
    found[1].parse().unwrap()
}

#[test]
fn the_protocol_number_is_the_same_on_both_sides() {
    let documented = number("doc/protocol.md", r"Protocol number: \*\*(\d+)\*\*");
    assert_eq!(number("src/rpc/protocol.rs", r"(?i)\bPROTOCOL\w*: \w+ = (\d+);"), documented);
    assert_eq!(number("lua/brummer/rpc.lua", r"(?m)PROTOCOL\w* = (\d+)"), documented);
    assert_eq!(crate::support::host::PROTOCOL, documented);
}

#[test]
fn no_file_names_a_machine() {
    let home = std::env::var("HOME").unwrap_or_default();
    let parents = [repo().to_str(), repo().parent().and_then(Path::to_str), Some(home.as_str())];
    // A directory right below the root is no more telling than `/tmp`.
    let here: Vec<String> = parents
        .into_iter()
        .flatten()
        .filter(|dir| dir.matches('/').count() > 1)
        .map(|dir| format!("{dir}/"))
        .collect();
    // Built from parts, so that this file does not match itself.
    let path =
        Regex::new(&format!(r"(?:^|[^\w/])/(?:{})/(\w[\w.-]*)/", ["home", "Users"].join("|"))).unwrap();
    let samples = ["u", "x", "me", "you", "user", "someone", "runner"];
    let named = |line: &str| {
        here.iter().any(|dir| line.contains(dir.as_str()))
            || path.captures_iter(line).any(|found| !samples.contains(&&found[1]))
    };
    let mut found = Vec::new();
    for (dir, extension) in [
        ("src", "rs"),
        ("lua", "lua"),
        ("plugin", "lua"),
        ("ftplugin", "lua"),
        ("tests/it", "rs"),
        ("tests/lua", "lua"),
        ("tests/bench", "rs"),
        ("tests/stress", "rs"),
        ("tests/fuzz", "rs"),
        ("doc", "md"),
        ("doc", "txt"),
        ("tools", "lua"),
    ] {
        for (file, text) in files(dir, extension) {
            for (at, line) in text.lines().enumerate() {
                if named(line) {
                    found.push(format!("{file}:{}: {}", at + 1, line.trim()));
                }
            }
        }
    }
    report("paths of one machine", &found);
}

#[test]
fn a_test_left_for_later_is_not_hidden() {
    let left = Regex::new(r"#\[ignore|\btodo!\(|\bunimplemented!\(|\bdbg!\(").unwrap();
    let mut sources = rust();
    sources.extend(files("tests/it", "rs").into_iter().filter(|(file, _)| !file.ends_with("/tidy.rs")));
    let found: Vec<String> = sources
        .iter()
        .flat_map(|(file, text)| {
            code(text).filter(|(_, line)| left.is_match(line)).map(move |(at, _)| format!("{file}:{at}"))
        })
        .collect();
    report("left for later", &found);
}

/// The files of rooms other than these that match.
fn outside(rooms: &[&str], pattern: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    rust()
        .iter()
        .filter(|(file, _)| room(file).is_some_and(|name| !rooms.contains(&name)))
        .flat_map(|(file, text)| {
            let hits = code(text).filter(|(_, line)| pattern.is_match(line));
            hits.map(move |(at, line)| format!("{file}:{at}: {}", line.trim()))
        })
        .collect()
}

#[test]
fn only_rpc_knows_msgpack() {
    report("msgpack or nvim-rs outside of rpc", &outside(&["rpc"], r"\b(rmpv|rmp_serde|nvim_rs)\b"));
}

#[test]
fn rollout_switches_are_read_where_the_pieces_are_built() {
    report("rollout switches read outside of app", &outside(&["app", "config"], r"\brollout\b|RolloutMode"));
}

#[test]
fn the_model_holds_no_handles() {
    let handles = Regex::new(
        r"\b(bus|resource|process|logs|project|rpc)::|\b(EventBus|ResourceManager|Manager|Logs)\b",
    )
    .unwrap();
    let found: Vec<String> = rust()
        .iter()
        .filter(|(file, _)| room(file) == Some("model"))
        .flat_map(|(file, text)| {
            code(text).filter(|(_, line)| handles.is_match(line)).map(move |(at, _)| format!("{file}:{at}"))
        })
        .collect();
    report("handles in the model", &found);
}

#[test]
fn nothing_is_unbounded() {
    report("unbounded channels", &outside(&[], r"unbounded|mpsc::channel\(\)"));
}

#[test]
fn the_tests_named_in_the_docs_exist() {
    let read = |file: &str| fs::read_to_string(repo().join(file)).unwrap();
    let map = read("doc/architecture.md") + &read("doc/roadmap.md");
    let named = Regex::new("`([a-z0-9]+(?:_[a-z0-9]+){2,})`").unwrap();
    // Programs of tests/stress have dots in their names, specs are files.
    let programs = Regex::new(r"`((?:load|exhaust|deadlock)(?:\.[a-z-]+)+)`").unwrap();
    let specs = Regex::new(r"`(\w+_spec\.lua)`").unwrap();
    let all =
        |kind: &Regex| -> Vec<String> { kind.captures_iter(&map).map(|found| found[1].to_owned()).collect() };
    let (names, programs, specs) = (all(&named), all(&programs), all(&specs));
    assert!(names.len() > 20 && programs.len() > 5, "the tables are found");
    let stress = files("tests/stress", "rs");
    let mut sources = rust();
    sources.extend(files("tests/it", "rs"));
    sources.extend(stress.iter().cloned());
    let has = |sources: &[(String, String)], text: &str| sources.iter().any(|(_, file)| file.contains(text));
    let tests = names.into_iter().filter(|name| !has(&sources, &format!("fn {name}(")));
    let programs = programs.into_iter().filter(|name| !has(&stress, &format!("(\"{name}\"")));
    let specs = specs.into_iter().filter(|name| !repo().join("tests/lua").join(name).exists());
    let missing: Vec<String> = tests.chain(programs).chain(specs).collect();
    report("tests named in doc/architecture.md or doc/roadmap.md that do not exist", &missing);
}
