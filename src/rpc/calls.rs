//! Carries out calls within a bound and hands their replies to the next frame. What starts and ends processes, and what
//! changes the settings they run by, is begun in the order it was asked for; its end, like a question, is waited for side
//! by side with others.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Handles, dispatch, flush::ToFlush, frame::Reply, protocol::Call};
use crate::{
    event::Component,
    resource::{self, ResourceManager, Sender, Waiting},
};

/// Calls under way at once; one more is refused. It is also the room for those whose turn has not come.
const LIMIT: usize = 256;

/// The session's way to its calls.
pub(super) struct Calls {
    worker: Worker,
    room: Arc<Semaphore>,
    /// Never full: a call is admitted only while there is room.
    commands: Sender<Admitted>,
}

/// A call that has been let in.
struct Admitted {
    id: u64,
    call: Call,
    place: OwnedSemaphorePermit,
}

/// What carries calls out.
#[derive(Clone)]
struct Worker {
    handles: Handles,
    to_flush: Sender<ToFlush>,
}

// === impl Calls ===

impl Calls {
    pub(super) fn new(handles: Handles, to_flush: Sender<ToFlush>) -> Self {
        let (commands, mut admitted) = resource::channel::<Admitted>(
            &handles.resources,
            Component::Rpc,
            "calls in order",
            LIMIT,
            Waiting::Measured,
        );
        let worker = Worker { handles, to_flush };
        let in_order = worker.clone();
        let serve = async move {
            while let Some(Admitted { id, call, place }) = admitted.recv().await {
                in_order.command(id, call, place).await;
            }
        };
        drop(worker.handles.resources.spawn(Component::Rpc, "commands", serve));
        Self { worker, room: Arc::new(Semaphore::new(LIMIT)), commands }
    }

    /// Lets a call in. What concerns the frames goes to their owner in the order it came.
    pub(super) async fn take(&self, id: u64, call: Call) {
        let call = match call {
            Call::Watch(watch) => return self.send(ToFlush::Watch(id, watch)).await,
            Call::Unwatch(buffer) => return self.send(ToFlush::Unwatch(id, buffer.buf)).await,
            Call::Search(search) => return self.send(ToFlush::Search(id, search)).await,
            Call::Unsearch(buffer) => return self.send(ToFlush::Unsearch(id, buffer.buf)).await,
            Call::Load(load) => return self.send(ToFlush::Load(id, load)).await,
            Call::WatchHealth(buffer) => return self.send(ToFlush::WatchHealth(id, buffer.buf)).await,
            Call::UnwatchHealth(buffer) => return self.send(ToFlush::UnwatchHealth(id, buffer.buf)).await,
            Call::Attach(attach) => return self.send(ToFlush::Attach(id, attach)).await,
            Call::Detach(buffer) => return self.send(ToFlush::Detach(id, buffer.buf)).await,
            call => call,
        };
        let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else {
            return self
                .worker
                .reply(id, Err("too many calls under way: try again in a moment".to_owned()))
                .await;
        };
        if dispatch::is_command(&call) {
            // The receiver lives as long as this sender.
            drop(self.commands.send(Admitted { id, call, place }).await);
        } else {
            let worker = self.worker.clone();
            let answer = async move { worker.answer(id, call, place).await };
            drop(self.worker.handles.resources.spawn(Component::Rpc, "answer", answer));
        }
    }

    pub(super) async fn send(&self, message: ToFlush) {
        // Nobody receives when the session is over.
        drop(self.worker.to_flush.send(message).await);
    }
}

/// What a call comes to. It runs as a task of its own, so that a panic becomes a fault and the editor still
/// gets its answer.
pub(super) async fn answered<T: Send + 'static>(
    resources: &ResourceManager,
    call: impl Future<Output = Result<T, String>> + Send + 'static,
) -> Result<T, String> {
    let result = resources.spawn(Component::Rpc, "call", call).await;
    result.unwrap_or_else(|| Err("brummer failed inside this call: see its log file".to_owned()))
}

// === impl Worker ===

impl Worker {
    /// Returns when the next command may follow: its end is waited for besides, because a process that is asked to end,
    /// or that does not answer, takes its time.
    async fn command(&self, id: u64, call: Call, place: OwnedSemaphorePermit) {
        let handles = self.handles.clone();
        let begin = async move { dispatch::begin(&handles, call).await };
        let begun = answered(&self.handles.resources, begin).await;
        let worker = self.clone();
        let wait = async move {
            let _place = place;
            let result = match begun {
                Ok(rest) => answered(&worker.handles.resources, rest).await,
                Err(message) => Err(message),
            };
            worker.reply(id, result).await;
        };
        drop(self.handles.resources.spawn(Component::Rpc, "command", wait));
    }

    async fn answer(&self, id: u64, call: Call, _place: OwnedSemaphorePermit) {
        let handles = self.handles.clone();
        let call = async move { dispatch::call(&handles, call).await };
        self.reply(id, answered(&self.handles.resources, call).await).await;
    }

    async fn reply(&self, id: u64, result: Result<Value, String>) {
        let (ok, err) = match result {
            Ok(value) => (Some(value), None),
            Err(message) => (None, Some(message)),
        };
        // Nobody receives when the session is over.
        drop(self.to_flush.send(ToFlush::Reply(Reply { id, ok, err })).await);
    }
}
