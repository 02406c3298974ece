//! The tables of scripts.

use super::*;

#[test]
fn scripts_are_joined_across_layers_and_know_their_place() {
    let tree = Tree::new(&[
        ("code", "[scripts.dev]\ncommand = 'vite'\nenv = { A = '1', B = '1' }\n[scripts.x]\ncwd = 'sub'\n"),
        ("code/app", "[scripts.dev]\nenv.B = '2'\n\n[scripts.\"db:up\"]\ncommand = \"docker compose up\"\n"),
    ]);
    let loaded = tree.load();
    assert_eq!(loaded.problems, []);
    let scripts = &loaded.config.scripts;
    let dev = &scripts["dev"];
    assert_eq!(dev.command.as_deref(), Some("vite"));
    assert_eq!(dev.env.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["A=1", "B=2"]);
    assert_eq!(dev.place, Place { file: tree.dir.path().join("code/.brum.toml"), line: 2 });
    assert_eq!(scripts["db:up"].place, Place { file: tree.dir.path().join("code/app/.brum.toml"), line: 5 });
    assert_eq!(scripts["x"].place.line, 4);
    assert_eq!(scripts["x"].cwd_place.as_ref().map(|place| place.line), Some(5));
}

#[test]
fn what_can_be_wrong_with_a_script() {
    check(
        r#"[scripts]
build = "vite build"
lint = 3
[scripts.dev]
comand = "vite"
command = ""
cwd = 3
env = { PORT = 3000, "A=B" = "x", C = [] }
[scripts.""]
"#,
        &expect![[r#"
            .brum.toml:2: scripts.build: must be a table: scripts.build = { command = … }
            .brum.toml:3: scripts.lint: must be a table, not 3
            .brum.toml:5: scripts.dev.comand: unknown key (did you mean `command`?)
            .brum.toml:6: scripts.dev.command: must say what to run
            .brum.toml:7: scripts.dev.cwd: must be a directory in quotes, not 3
            .brum.toml:8: scripts.dev.env.PORT: must be text in quotes: "3000"
            .brum.toml:8: scripts.dev.env."A=B": is not a name a variable can have
            .brum.toml:8: scripts.dev.env.C: must be text in quotes, not a list
            .brum.toml:9: scripts."": a script needs a name
        "#]],
    );
}
