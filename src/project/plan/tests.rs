//! Plans, as text.

use std::fs;

use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::*;

/// A project with these settings; every script runs through the shell.
fn project(settings: &str) -> (TempDir, Project) {
    let dir = TempDir::new().expect("a directory");
    fs::write(dir.path().join(config::FILE_NAME), settings).expect("a file");
    let loaded = config::load(dir.path(), None, &|_| None);
    assert_eq!(loaded.problems, []);
    let project = crate::project::load(dir.path(), &loaded.config);
    (dir, project)
}

/// Scripts `a`, `b`, …, with what each comes after.
fn scripts(after: &[(&str, &str)]) -> String {
    let one =
        |(name, after): &(&str, &str)| format!("[scripts.{name}]\ncommand = 'run {name}'\nafter = {after}\n");
    after.iter().map(one).collect()
}

/// What is started for these words, `+` before what nobody asked for, with the conditions it waits for.
fn plan(settings: &str, words: &str) -> String {
    let (_dir, project) = project(settings);
    let words: Vec<&str> = words.split(' ').collect();
    let args = ["-x".to_owned()];
    let steps = match project.plan(&words, &args, &PathLookup::default()) {
        Ok(steps) => steps,
        Err(error) => return error.to_string(),
    };
    let one = |step: &Step| {
        let mark = if step.asked { "" } else { "+" };
        assert_eq!(step.info.args.is_empty(), !step.asked, "arguments are for what is named");
        let waits = step.info.options.after.iter().map(|after| match after.condition {
            Some(Condition::Started) => format!(" {}:started", after.script),
            Some(Condition::Ready) => format!(" {}:ready", after.script),
            Some(Condition::ExitedOk) => format!(" {}:exited", after.script),
            None => panic!("it is put in"),
        });
        format!("{mark}{}{}", step.info.label(), waits.collect::<String>())
    };
    steps.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[test]
fn what_a_script_comes_after_is_started_before_it() {
    let text = scripts(&[
        ("web", "['api']"),
        ("api", "{ db = 'ready', migrate = 'exited-ok' }"),
        ("migrate", "['db']"),
        ("db", "[]\nready = { port = 5432 }"),
        ("lone", "[]"),
    ]);
    assert_eq!(plan(&text, "web"), "+db, +migrate db:ready, +api db:ready migrate:exited, web api:started");
    assert_eq!(plan(&text, "lone db"), "lone, db");
    assert_eq!(plan(&text, "migrate db"), "db, migrate db:ready", "what is named was asked for");
    assert_eq!(
        plan(&text, "api migrate lone api"),
        "+db, migrate db:ready, api db:ready migrate:exited, lone"
    );
    let both = scripts(&[("a", "{ c = 'exited-ok' }"), ("b", "{ c = 'started' }"), ("c", "[]")]);
    assert_eq!(plan(&both, "a b"), "+c, a c:exited, b c:started");
}

/// The same plans where `one_by_one` of them come after things one by one.
fn ordered(after: &[(&str, &str)], one_by_one: &[&str], words: &[&str]) -> String {
    let (_dir, mut project) = project(&scripts(after));
    for script in &mut project.scripts {
        script.one_by_one = one_by_one.contains(&script.name.as_str());
    }
    let steps = project.plan(words, &[], &PathLookup::default()).expect("a plan");
    let waits = |step: &Step| {
        let after: Vec<_> =
            step.info.options.after.iter().map(|after| format!(" {}", after.script)).collect();
        step.info.label() + &after.concat()
    };
    steps.iter().map(waits).collect::<Vec<_>>().join(", ")
}

#[test]
fn one_by_one_each_is_started_once_and_waits_for_the_one_before() {
    let shared =
        [("all", "['a', 'b', 'c']"), ("a", "[]"), ("b", "['gen']"), ("c", "['b', 'gen']"), ("gen", "[]")];
    assert_eq!(ordered(&shared, &["all"], &["all"]), "a, gen a, b gen a, c b gen a, all a b c");
    assert_eq!(ordered(&shared, &["all"], &["b"]), "gen, b gen", "alone it waits for nothing else");
    // What the first comes after is a later step, too.
    let back = [("all", "['b', 'gen', 'a']"), ("a", "[]"), ("b", "['gen']"), ("gen", "[]")];
    assert_eq!(ordered(&back, &["all"], &["all"]), "gen, b gen, a b gen, all b gen a");
    // One within the other, with a step in common.
    let nested =
        [("all", "['a', 'inner', 'b']"), ("inner", "['c', 'b']"), ("a", "[]"), ("b", "[]"), ("c", "[]")];
    assert_eq!(ordered(&nested, &["all", "inner"], &["all"]), "a, c a, b a c, inner c b a, all a inner b");
    let beside = [("all", "['inner', 'b']"), ("inner", "['c', 'b']"), ("b", "[]"), ("c", "[]")];
    assert_eq!(ordered(&beside, &["inner"], &["all"]), "c, b c, inner c b, all inner b");
}

#[test]
fn a_set_stands_for_its_scripts() {
    let text = scripts(&[("a", "[]"), ("b", "['a']"), ("c", "[]")])
        + "[sets]\nab = ['b', 'a']\nall = ['c', 'ab', 'b']\n";
    assert_eq!(plan(&text, "ab"), "a, b a:started");
    assert_eq!(plan(&text, "all"), "c, a, b a:started");
    assert_eq!(plan(&text, "c ab"), "c, a, b a:started");
}

#[test]
fn the_name_of_a_set_is_the_set_in_every_package() {
    let (dir, mut project) = project(&(scripts(&[("api", "[]")]) + "[sets]\ndev = ['web/dev', 'api']\n"));
    project.scripts.push(Script {
        package: Some("web".to_owned()),
        ..Script::new("dev", "run dev", dir.path(), dir.path().join("web/Procfile"), 1)
    });
    project.here = Some("web".to_owned());
    let labels = |words: &[&str]| -> Vec<String> {
        project.chosen(words).expect("they are there").into_iter().map(Script::label).collect()
    };
    assert_eq!(labels(&["dev"]), ["web/dev", "api"]);
    assert_eq!(labels(&["web/dev"]), ["web/dev"]);
}

/// What is told when it is run, and then of the project.
fn refused(settings: &str, words: &str, expected: &Expect) {
    let (_dir, project) = project(settings);
    let problems: Vec<_> = project.problems.iter().map(|problem| problem.within(&project.root)).collect();
    expected.assert_eq(&format!("{}\n{}\n", plan(settings, words), problems.join("\n")));
}

#[test]
fn what_cannot_be_planned_is_named() {
    refused(
        &scripts(&[("a", "['b']"), ("b", "['c']"), ("c", "['b']"), ("d", "['a']")]),
        "d",
        &expect![[r#"
            .brum.toml:6: each waits for the next, for ever: b → c → b: remove one of these from its after
            .brum.toml:6: each waits for the next, for ever: b → c → b: remove one of these from its after
        "#]],
    );
    refused(
        &scripts(&[("a", "['a']")]),
        "a",
        &expect![[r#"
        .brum.toml:3: each waits for the next, for ever: a → a: remove one of these from its after
        .brum.toml:3: each waits for the next, for ever: a → a: remove one of these from its after
    "#]],
    );
    refused(
        &scripts(&[("api", "['bd']"), ("db", "[]")]),
        "api",
        &expect![[r#"
        .brum.toml:3: api comes after "bd", which is no script (did you mean "db"?)
        .brum.toml:3: api comes after "bd", which is no script (did you mean "db"?)
    "#]],
    );
    let one = scripts(&[("web", "[]")]);
    refused(
        &format!("{one}[sets]\nall = ['web', 'wbe']\n"),
        "all",
        &expect![[r#"
        .brum.toml:5: sets.all: no script "wbe" (did you mean "web"?)
        .brum.toml:5: sets.all: no script "wbe" (did you mean "web"?)
    "#]],
    );
    refused(
        &format!("{one}[sets]\na = ['b']\nb = ['web', 'a']\n"),
        "b",
        &expect![[r#"
            .brum.toml:5: sets hold each other: a → b → a: remove one of them
            .brum.toml:5: sets hold each other: a → b → a: remove one of them
        "#]],
    );
    refused(
        &format!("{one}[sets]\nweb = ['web']\n"),
        "web",
        &expect![[r#"
        web
        .brum.toml:5: sets.web: a script has this name and is run instead: give the set another one
    "#]],
    );
    refused(
        &format!("{one}[sets]\ndev = ['web']\n"),
        "dve",
        &expect![[r#"
        no script "dve" in .brum.toml: did you mean "dev"? (web)

    "#]],
    );
}

#[test]
fn the_list_of_scripts_names_the_sets_that_can_be_run() {
    let (_dir, project) = project(&(scripts(&[("a", "[]")]) + "[sets]\nall = ['a']\na = ['a']\n"));
    assert_eq!(project.to_json()["sets"], serde_json::json!([{ "name": "all", "scripts": ["a"] }]));
}
