//! Rust and Go.

use expect_test::expect;

use super::check;

#[test]
fn cargo_with_one_binary() {
    let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n";
    check(
        &[("Cargo.toml", manifest), ("src/main.rs", "")],
        expect![[r#"
             95 cargo run  Cargo.toml:1  (run)
             90 cargo build  Cargo.toml:1  (build)
             85 cargo test  Cargo.toml:1  (test)
             80 cargo check  Cargo.toml:1
        "#]],
    );
    check(
        &[("Cargo.toml", manifest), ("src/lib.rs", ""), ("examples/hello.rs", "")],
        expect![[r#"
             82 cargo run --example hello  Cargo.toml:1  (run)
             90 cargo build  Cargo.toml:1  (build)
             85 cargo test  Cargo.toml:1  (test)
             80 cargo check  Cargo.toml:1
        "#]],
    );
    // cargo itself says what is wrong, so the commands are there.
    check(
        &[("Cargo.toml", "[package]\nname = \n")],
        expect![[r#"
            90 cargo build  Cargo.toml:1  (build)
            85 cargo test  Cargo.toml:1  (test)
            80 cargo check  Cargo.toml:1
            problem Cargo.toml:2: string values must be quoted, expected literal string: correct the TOML there
        "#]],
    );
}

#[test]
fn cargo_with_several_binaries() {
    let manifest = r#"
[package]
name = "demo"
default-run = "demo"

[[bin]]
name = "admin"
path = "src/admin.rs"
required-features = ["a", "b"]

[[example]]
name = "listed"
"#;
    let files = [
        ("Cargo.toml", manifest),
        ("src/main.rs", ""),
        ("src/admin.rs", ""),
        ("src/bin/worker.rs", ""),
        ("src/bin/tool/main.rs", ""),
        ("src/bin/tool/other.rs", ""),
        ("src/bin/notes.txt", ""),
        ("examples/listed.rs", ""),
        (".cargo/config.toml", "[alias]\nxtask = \"run -p xtask --\"\nci = [\"clippy\", \"-q\"]\n"),
    ];
    check(
        &files,
        expect![[r#"
             95 cargo run  Cargo.toml:2  (run)
             94 cargo run --bin admin = cargo run --bin admin --features a,b  Cargo.toml:7  (run)
             94 cargo run --bin demo  Cargo.toml:2  (run)
             94 cargo run --bin tool  Cargo.toml:2  (run)
             94 cargo run --bin worker  Cargo.toml:2  (run)
             82 cargo run --example listed  Cargo.toml:12  (run)
             90 cargo build  Cargo.toml:2  (build)
             85 cargo test  Cargo.toml:2  (test)
             80 cargo check  Cargo.toml:2
             80 cargo xtask  .cargo/config.toml:2  (bare xtask, "run -p xtask --")
             80 cargo ci  .cargo/config.toml:3  (bare ci, "clippy -q")
        "#]],
    );
}

#[test]
fn cargo_workspace() {
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\", \"xtask\", \"gone\"]\nexclude = [\"crates/old\"]\n",
        ),
        ("crates/api/Cargo.toml", "[package]\nname = \"acme-api\"\n"),
        ("crates/api/src/main.rs", ""),
        ("crates/api/src/bin/seed.rs", ""),
        ("crates/core/Cargo.toml", "# core\n[package]\nname = \"acme-core\"\n"),
        ("crates/old/Cargo.toml", "[package]\nname = \"old\"\n"),
        ("crates/README.md", ""),
        ("xtask/Cargo.toml", "broken ["),
    ];
    check(
        &files,
        expect![[r#"
            90 cargo build  Cargo.toml:1  (build)
            85 cargo test  Cargo.toml:1  (test)
            80 cargo check  Cargo.toml:1
            94 acme-api/cargo run --bin acme-api = cargo run --bin acme-api -p acme-api  crates/api/Cargo.toml:1  (run)
            94 acme-api/cargo run --bin seed = cargo run --bin seed -p acme-api  crates/api/Cargo.toml:1  (run)
            90 acme-api/cargo build = cargo build -p acme-api  crates/api/Cargo.toml:1  (build)
            85 acme-api/cargo test = cargo test -p acme-api  crates/api/Cargo.toml:1  (test)
            80 acme-api/cargo check = cargo check -p acme-api  crates/api/Cargo.toml:1
            90 acme-core/cargo build = cargo build -p acme-core  crates/core/Cargo.toml:2  (build)
            85 acme-core/cargo test = cargo test -p acme-core  crates/core/Cargo.toml:2  (test)
            80 acme-core/cargo check = cargo check -p acme-core  crates/core/Cargo.toml:2
            package acme-api crates/api
            package acme-core crates/core
            problem xtask/Cargo.toml:1: key with no value, expected `=`: correct the TOML there
        "#]],
    );
    let files = [
        ("Cargo.toml", "[package]\nname = \"root\"\n[workspace]\nmembers = [\"sub\"]\n"),
        ("src/main.rs", ""),
        ("sub/Cargo.toml", "[package]\nname = \"sub\"\n"),
    ];
    check(
        &files,
        expect![[r#"
            95 cargo run  Cargo.toml:1  (run)
            90 cargo build  Cargo.toml:1  (build)
            85 cargo test  Cargo.toml:1  (test)
            80 cargo check  Cargo.toml:1
            84 cargo test --workspace  Cargo.toml:1  (test)
            90 sub/cargo build = cargo build -p sub  sub/Cargo.toml:1  (build)
            85 sub/cargo test = cargo test -p sub  sub/Cargo.toml:1  (test)
            80 sub/cargo check = cargo check -p sub  sub/Cargo.toml:1
            package sub sub
        "#]],
    );
}

#[test]
fn cargo_runs_the_only_binary_of_a_workspace() {
    let runs = |manifest: &str| {
        let dir = super::tree(&[
            ("Cargo.toml", manifest),
            ("cli/Cargo.toml", "[package]\nname = \"cli\"\n"),
            ("cli/src/main.rs", ""),
            ("core/Cargo.toml", "[package]\nname = \"core\"\n"),
            ("core/src/lib.rs", ""),
            ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n"),
            ("xtask/src/main.rs", ""),
        ]);
        super::table(dir.path()).contains("95 cargo run  Cargo.toml:1  (run)")
    };
    assert!(runs("[workspace]\nmembers = [\"cli\", \"core\"]\n"));
    assert!(!runs("[workspace]\nmembers = [\"cli\", \"core\", \"xtask\"]\n"), "cargo would ask which");
    assert!(runs("[workspace]\nmembers = [\"*\"]\ndefault-members = [\"cli\"]\n"));
    assert!(!runs("[workspace]\nmembers = [\"core\"]\n"));
}

#[test]
fn go() {
    let files = [
        ("go.mod", "// the shop\nmodule example.com/shop\n\ngo 1.24\n"),
        ("gen.go", "//go:build ignore\n\npackage main\n"),
        ("main.go", "// Package main serves.\n/* long\n*/ \npackage main // here\n"),
        ("cmd/worker/worker.go", "package main\n"),
        ("cmd/lib/lib.go", "package lib\n"),
        ("cmd/README", ""),
    ];
    check(
        &files,
        expect![[r#"
             95 go run .  main.go:1  (run)
             94 go run ./cmd/worker  cmd/worker/worker.go:1  (run)
             90 go build ./...  go.mod:2  (build)
             85 go test ./...  go.mod:2  (test)
             80 go mod tidy  go.mod:2
        "#]],
    );
    let files = [
        ("go.work", "go 1.24\n\nuse (\n\t./api // the api\n\t./missing\n)\nuse \"./lib\"\n"),
        ("api/go.mod", "module example.com/api\n"),
        ("api/main.go", "package main\n"),
        ("lib/go.mod", "module example.com/lib\n"),
        ("lib/lib_test.go", "package main\n"),
    ];
    check(
        &files,
        expect![[r#"
            95 api/go run .  api/main.go:1  (run, in api)
            90 api/go build ./...  api/go.mod:1  (build, in api)
            85 api/go test ./...  api/go.mod:1  (test, in api)
            80 api/go mod tidy  api/go.mod:1  (in api)
            90 lib/go build ./...  lib/go.mod:1  (build, in lib)
            85 lib/go test ./...  lib/go.mod:1  (test, in lib)
            80 lib/go mod tidy  lib/go.mod:1  (in lib)
            package api api
            package lib lib
        "#]],
    );
}
