//! The one place that gives work to the runtime.
#![expect(clippy::disallowed_methods, reason = "here tasks are counted and their panics caught")]

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::task::JoinHandle;

use super::{ResourceManager, catch_panic, catch_panic_in};
use crate::event::Component;

/// A running task. Awaiting it gives what it returned, or `None` when it panicked or was aborted. Dropping
/// it leaves the task running.
pub struct Task<T> {
    handle: JoinHandle<Option<T>>,
}

pub(super) fn spawn<F>(
    manager: ResourceManager,
    component: Component,
    place: &'static str,
    work: F,
) -> Task<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let alive = manager.begin_task();
    let handle = tokio::spawn(async move {
        let _alive = alive;
        let mut work = Box::pin(work);
        let outcome = catch_panic_in(work.as_mut()).await;
        let dropped = catch_panic(|| drop(work));
        // What it returned counts even when letting go of its state panicked.
        if let Some(message) = outcome.as_ref().err().or(dropped.as_ref().err()) {
            manager.task_panicked(component, place, message.clone());
        }
        outcome.ok()
    });
    Task { handle }
}

pub(super) fn blocking<T, F>(
    manager: ResourceManager,
    component: Component,
    place: &'static str,
    work: F,
) -> Task<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let alive = manager.begin_task();
    let handle = tokio::spawn(async move {
        let permit = manager.acquire(component).await;
        // The thread keeps both, because it runs on when this task is aborted.
        let thread = tokio::task::spawn_blocking(move || {
            let (_alive, _permit) = (alive, permit);
            catch_panic(work).map_err(|said| manager.task_panicked(component, place, said)).ok()
        });
        thread.await.ok().flatten()
    });
    Task { handle }
}

// === impl Task ===

impl<T> Task<T> {
    /// Ends the task at its next `.await`.
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        Pin::new(&mut self.handle).poll(cx).map(|joined| joined.ok().flatten())
    }
}
