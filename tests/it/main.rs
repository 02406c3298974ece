//! Everything from outside: the real host, a real Neovim driven over RPC with a UI attached, real package managers.
//!
//! Tests wait on conditions (`support::proc::eventually`, `Nvim::wait_until`), never for a time to pass, and assert no
//! duration. What they start carries a marker in its environment, and whatever still lives when a test ends is killed.

// The bans of `.clippy.toml` are about the host's own threads and tasks; a test has no runtime to use instead.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used, clippy::print_stdout)]
#![allow(missing_docs, unreachable_pub)]

mod support;

mod bad_input;
mod bad_projects;
mod cli;
mod commands;
mod dashboard;
mod detect;
mod escape;
mod flood_shown;
#[cfg(target_os = "linux")]
mod floods;
mod guard;
mod history;
mod jump;
mod leave;
mod logs;
mod orphans;
mod processes;
mod readme;
mod run;
mod self_test;
mod settings;
mod terminals;
mod tidy;
mod tools_node;
mod tools_vite;
mod two_editors;
mod views;
