//! Files that are missing, malformed or not what they should be.

use super::*;

#[test]
fn a_syntax_error_costs_its_file_only_and_names_the_line() {
    let tree = Tree::new(&[("home", "mcp_port = 1001"), ("code/app", "no_mcp = true\n\nproxy_port = = 3\n")]);
    expect![[r#"
        code/app/.brum.toml:3: extra `=`, expected nothing; the file is not used
    "#]]
    .assert_eq(&tree.problems());
    let loaded = tree.load();
    assert_eq!((loaded.config.mcp_port, loaded.config.no_mcp), (1001, false));
    assert_eq!(loaded.files.len(), 2, "a broken file is still one that was read");
    check(
        "[a\nb = 1",
        &expect![[r#"
            .brum.toml:1: unclosed table, expected `]`; the file is not used
        "#]],
    );
    check(
        "no_mcp = true\nno_mcp = false",
        &expect![[r#"
            .brum.toml:2: duplicate key; the file is not used
        "#]],
    );
    check(
        "proxy_url = \"http://\nno_mcp = true",
        &expect![[r#"
            .brum.toml:1: invalid basic string, expected `"`; the file is not used
        "#]],
    );
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let tree = Tree::new(&[("home", ""), ("code", "\u{feff}mcp_port = 1001\r\nproxy_prot = 2\r\n")]);
    fs::create_dir(tree.dir.path().join("code/app").join(FILE_NAME)).unwrap();
    fs::write(tree.dir.path().join("home").join(FILE_NAME), b"# fine\nproxy_url = '\xff'\n").unwrap();
    expect![[r#"
        home/.brum.toml:2: is not UTF-8; the file is not used
        code/.brum.toml:2: proxy_prot: unknown key (did you mean `proxy_port`?)
        code/app/.brum.toml: is not a regular file; the file is not used
    "#]]
    .assert_eq(&tree.problems());
    assert_eq!(tree.load().config.mcp_port, 1001, "a byte order mark does not hide the first key");

    let big = Tree::new(&[("code/app", &"# padding\n".repeat(120_000))]);
    assert!(big.problems().contains("is larger than 1 MiB"), "{}", big.problems());
    let sealed = Tree::new(&[("code/app", "mcp_port = 1001")]);
    let file = sealed.dir.path().join("code/app").join(FILE_NAME);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser reads it all the same.
    if fs::read(&file).is_err() {
        assert!(sealed.problems().contains("cannot be read: permission denied"), "{}", sealed.problems());
    }
}
