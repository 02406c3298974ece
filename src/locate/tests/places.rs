//! From a place to a file, and what the command line prints.

use crate::{
    event::Seq,
    locate::{Column, Place, Resolver, Role, Unit, explain, quickfix_line, report},
};
use std::fs;

fn place(file: &str, line: u32, col: Option<(u32, u8, Unit)>) -> Place {
    let col = col.map(|(value, base, unit)| Column { value, base, unit });
    Place { file: file.to_owned(), line: Some(line), col, span: (0, 0) }
}

fn project() -> (tempfile::TempDir, Resolver) {
    let dir = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(dir.path()).unwrap();
    fs::create_dir_all(root.join("pkg/src/with space")).unwrap();
    fs::write(root.join("pkg/src/a.ts"), "const a = 1;\nconst título = \"año\"; x\n\tx = 𝒳 + y;\n").unwrap();
    fs::write(root.join("pkg/src/with space/b.ts"), "b\n").unwrap();
    fs::write(root.join("top.ts"), "t\n").unwrap();
    (dir, Resolver::new(root.join("pkg"), &root))
}

#[test]
fn files_are_found_from_the_working_directory_and_from_the_root() {
    let (dir, resolver) = project();
    let root = fs::canonicalize(dir.path()).unwrap();
    let at = |file: &str| resolver.resolve(&place(file, 1, None)).map(|location| location.file);
    assert_eq!(at("src/a.ts").unwrap(), root.join("pkg/src/a.ts"));
    assert_eq!(at("./src/with space/../a.ts").unwrap(), root.join("pkg/src/a.ts"));
    assert_eq!(at("top.ts").unwrap(), root.join("top.ts"));
    assert_eq!(at("../top.ts").unwrap(), root.join("top.ts"));
    assert_eq!(at(root.join("top.ts").to_str().unwrap()).unwrap(), root.join("top.ts"));
    assert_eq!(at("src").unwrap_err().to_string(), "src is a directory");
    let gone = at("src/gone.ts").unwrap_err().to_string();
    let want =
        format!("src/gone.ts does not exist (looked in {}, {})", root.join("pkg").display(), root.display());
    assert_eq!(gone, want);
}

#[test]
fn a_path_from_an_unknown_folder_is_found_when_only_one_file_ends_with_it() {
    let (dir, resolver) = project();
    let root = fs::canonicalize(dir.path()).unwrap();
    fs::create_dir_all(root.join("x/node_modules/y")).unwrap();
    fs::create_dir_all(root.join("x/queue")).unwrap();
    for file in ["x/queue/q_test.go", "x/one.go", "x/queue/one.go", "x/node_modules/y/hidden.go"] {
        fs::write(root.join(file), "q\n").unwrap();
    }
    let at = |file: &str| resolver.resolve(&place(file, 1, None)).map(|location| location.file);
    assert_eq!(at("q_test.go").unwrap(), root.join("x/queue/q_test.go"));
    assert_eq!(at("./queue/one.go").unwrap(), root.join("x/queue/one.go"));
    let both = format!("one.go could be {0}/x/one.go, {0}/x/queue/one.go", root.display());
    assert_eq!(at("one.go").unwrap_err().to_string(), both);
    assert!(at("hidden.go").is_err());
    assert!(at("ueue/one.go").is_err(), "whole parts only");
}

#[test]
fn columns_become_bytes() {
    let (_dir, resolver) = project();
    let col = |line: u32, value: u32, base: u8, unit: Unit| {
        resolver.resolve(&place("src/a.ts", line, Some((value, base, unit)))).unwrap().col
    };
    assert_eq!(col(1, 7, 1, Unit::Utf16), Some(7));
    assert_eq!(col(1, 6, 0, Unit::Bytes), Some(7));
    assert_eq!(col(1, 0, 1, Unit::Chars), None, "a 0 of a tool that counts from 1 is no column");
    assert_eq!(col(2, 9, 1, Unit::Utf16), Some(10), "í is two bytes");
    assert_eq!(col(3, 6, 1, Unit::Utf16), Some(6));
    assert_eq!(col(3, 8, 1, Unit::Utf16), Some(10), "a surrogate pair is two units and four bytes");
    assert_eq!(col(3, 7, 1, Unit::Chars), Some(10));
    assert_eq!(col(3, 9, 1, Unit::Display), None, "nobody knows how wide the tab was");
    assert_eq!(col(1, 900, 1, Unit::Chars), Some(13), "past the end is the end");
    assert_eq!(col(99, 4, 1, Unit::Chars), Some(4), "a line past the end is the editor's to clamp");
}

#[test]
fn a_report_has_one_record_for_each_line_that_leads_somewhere() {
    let (_dir, resolver) = project();
    let log = [
        "src/a.ts(2,9): error TS1: no",
        "src/gone.ts(1,1): error TS1: no",
        "nothing",
        "../top.ts:1:1: warning: w",
    ];
    let records = report(log, &resolver);
    let json: Vec<_> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    assert_eq!(
        json[0],
        r#"{"line_no":1,"file":"src/a.ts","line":2,"col":10,"severity":"error","message":"TS1: no","rule":"tsc","group":1}"#
    );
    assert_eq!(records.len(), 2);
    assert_eq!(records[1].line_no, 4);
    assert!(
        records[1].file.ends_with("/top.ts") && records[1].file.starts_with('/'),
        "outside: {}",
        records[1].file
    );
    assert_eq!(quickfix_line(&records[0]), "src/a.ts:2:10: error: TS1: no");
}

#[test]
fn a_title_is_reported_with_the_place_of_its_frame() {
    let (_dir, resolver) = project();
    let records = report(["TypeError: x", "    at f (src/a.ts:2:9)"], &resolver);
    let lines: Vec<_> = records.iter().map(|record| (record.line_no, record.line, record.headline)).collect();
    assert_eq!(lines, [(1, 2, true), (2, 2, false)]);
    assert_eq!(records[0].group, records[1].group);
}

#[test]
fn explain_says_which_rule_and_why() {
    let (_dir, resolver) = project();
    let lines = [(Seq(4), "[web] src/a.ts(2,9): error TS1: no"), (Seq(5), "[web] x http://localhost:3000/")];
    let told = explain(&lines, Seq(4), &resolver).join("\n");
    for part in [
        "set aside: `[web]`",
        "rule `tsc`: an error, group 1",
        "place: `src/a.ts(2,9`",
        "file `src/a.ts`, line 2, column 9 (UTF-16 units from 1)",
        "line 2, byte column 10",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    assert!(explain(&lines, Seq(5), &resolver).join("\n").contains("no rule has this line"));
    assert_eq!(explain(&lines, Seq(9), &resolver), ["line 9 is not among the lines kept"]);
    let lines = [(Seq(1), "TypeError: x"), (Seq(2), "    at f (src/a.ts:2:9)")];
    assert!(explain(&lines, Seq(1), &resolver).contains(&"decided by line 2".to_owned()));
    assert_eq!(super::findings("TypeError: x\n    at f (src/a.ts:2:9)")[0].role, Role::Headline);
}
