//! What the tests stand on: a driven Neovim, a driven host, projects to run, and a look at the living processes.

// The paths are spelled out because the bench takes this file in from another directory.
#[path = "support/host.rs"]
pub mod host;
#[path = "support/node.rs"]
pub mod node;
#[path = "support/nvim.rs"]
pub mod nvim;
#[path = "support/proc.rs"]
pub mod proc;
#[path = "support/project.rs"]
pub mod project;
#[path = "support/screen.rs"]
pub mod screen;
#[path = "support/wire.rs"]
pub mod wire;

use std::path::{Path, PathBuf};

/// The clone.
pub fn repo() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program under test.
pub fn brummer() -> &'static str {
    env!("CARGO_BIN_EXE_brummer")
}

/// The sample project.
pub fn shop() -> PathBuf {
    repo().join("tests/fixtures/shop")
}

/// Whether the long forms are asked for (`make test-long`).
pub fn slow_tests() -> bool {
    std::env::var_os("RUN_SLOW_TESTS").is_some()
}

/// Environment every child gets: no colours forced or forbidden by the caller, no npm notices, no user configuration.
pub fn clean_env(command: &mut std::process::Command) {
    for name in
        ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "NVIM", "NVIM_LISTEN_ADDRESS", "MYVIMRC", "VIMINIT"]
            .into_iter()
            // Make tells one that it starts of itself.
            .chain(["MAKEFLAGS", "MAKELEVEL", "MFLAGS"])
    {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("BRUMMER_") || name.starts_with("npm_") {
            command.env_remove(name);
        }
    }
    command
        .env("NPM_CONFIG_USERCONFIG", "/dev/null")
        .env("NPM_CONFIG_UPDATE_NOTIFIER", "false")
        .env("NPM_CONFIG_FUND", "false")
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm-256color");
}
