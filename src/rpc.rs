//! The editor session: Neovim on the other end of a channel, with an answer to every call and at most one
//! unanswered frame.
//!
//! *Flows in:* notifications from Lua. *Flows out:* frames. *Bounded:* calls under way, watched buffers, the size of
//! a frame, one frame in flight. While the editor does not answer (a prompt is open, say) nothing piles up
//! here: changes stay in `model` and `logs`, which are bounded, and the next frame tells of the latest. *Lost:* lines a buffer had
//! no time to show, counted in the frame.
//!
//! nvim-rs speaks msgpack-RPC. Its traps are fenced off here: a pending call is never dropped, handlers only
//! forward, and the channel lies on descriptors of its own, away from standard output.

use std::{path::PathBuf, sync::Arc};

use serde_json::Value;

use crate::{
    bus::EventBus, config::Settings, history::History, logs::Logs, model::Model, peer::Peers,
    process::Manager, resource::ResourceManager,
};

mod bytes;
mod calls;
mod describe;
mod dispatch;
mod feed;
mod filtered;
mod flush;
mod frame;
mod health;
mod line;
mod load;
mod log_patch;
mod others;
mod outbox;
mod pace;
mod patch;
mod previous;
mod protocol;
mod recorded;
mod rows;
mod scope;
mod search;
mod sent;
mod session;
mod sieve;
mod stdio;
mod terminals;
#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests;
mod watch;
mod write;

pub use protocol::PROTOCOL;
pub use session::serve;
pub use stdio::Stdio;

/// Tells how the host is, as the calls `health` and `watch_health` answer it.
pub type Report = Arc<dyn Fn() -> Value + Send + Sync>;

/// What a session works on.
#[derive(Clone)]
pub struct Handles {
    /// Starts and ends processes.
    pub manager: Manager,
    /// Answers with lines.
    pub logs: Logs,
    /// What is shown.
    pub model: Arc<Model>,
    /// Spawns the session's tasks.
    pub resources: ResourceManager,
    /// Tells of components that get better or worse.
    pub bus: EventBus,
    /// The host's own settings.
    pub settings: Arc<Settings>,
    /// How the host is.
    pub health: Report,
    /// Other hosts; none where they cannot be known.
    pub peers: Option<Peers>,
    /// Where `~/.brum.toml` is.
    pub home: Option<PathBuf>,
    /// What has been recorded.
    pub history: History,
}
