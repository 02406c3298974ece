//! brummer runs a project's dev scripts for Neovim, keeps what they print, and finds the source line
//! behind every error.
//!
//! The order of the `mod` lines below is the layering: a module may name only those above it. A test
//! (`tests/it/tidy.rs`) reads this file and fails on an edge that points down.
//!
//! ```text
//!  .brum.toml ─► config ─► resource ─► bus ◄────────── events (facts, past tense) ──────────┐
//!                                       │                                                   │
//!  child ─► process ──OutputBatch (bounded, lossless)──► logs ─────────────────────────────┤
//!                                       ▼                                                   │
//!                                     model ─► rpc ─ frame ─► Lua ─► buffer                 │
//!  keys ─► actions ─► rpcnotify ─► dispatch ─► handle.method() ─► reply in a frame          │
//! ```

// Of the tests, builds for model checking have the models alone: the others would use a checker's locks outside a model.
#![cfg_attr(
    any(feature = "loom", feature = "shuttle"),
    allow(dead_code, reason = "what only other tests use")
)]

#[cfg(all(feature = "loom", feature = "shuttle"))]
compile_error!("the features loom and shuttle exclude each other: each replaces the locks");

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
#[path = "../tests/fuzz/corpus.rs"]
mod fuzz;

pub mod sync;

pub mod config;
pub mod event;
pub mod metrics;
pub mod resource;

pub mod bus;

pub mod health;

pub mod project;

pub mod guard;

pub mod process;

pub mod locate;

pub mod history;

pub mod logs;

pub mod search;

pub mod model;

#[cfg(feature = "editor")]
pub mod peer;

#[cfg(feature = "editor")]
pub mod rpc;

pub mod app;
