//! PanicRecovery: the one place where a panic ends. It becomes a text, and then a fault, once.
//!
//! What may panic runs inside [`ResourceManager::recover`], or inside a task, which uses it too: handlers of
//! the bus, short blocking work, calls of the editor, the readers of mailboxes.
//!
//! A fault about the handling of faults would be handled too, and so on for ever. So whoever handles one says
//! so by [`ResourceManager::recover_handling_fault`], and what goes wrong on that thread before it returns,
//! however deep inside, is logged and counted and not reported.

use std::{
    any::Any,
    cell::Cell,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    task::Poll,
};

use super::ResourceManager;
use crate::event::{Component, Fault, FaultKind};

thread_local! {
    /// This thread is handling a fault.
    static HANDLING: Cell<bool> = const { Cell::new(false) };
}

/// From its making to its drop this thread handles a fault.
struct Handling {
    before: bool,
}

/// Whether this thread is inside the handling of a fault.
pub(super) fn is_handling_fault() -> bool {
    HANDLING.get()
}

/// Runs `work`; a panic in it comes back as what it said. State that `work` shares is the caller's to keep
/// whole: parking_lot locks are released and not poisoned.
///
/// # Errors
/// What the panic said.
pub fn catch_panic<R>(work: impl FnOnce() -> R) -> Result<R, Arc<str>> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let said = said(payload.as_ref());
        // A payload may be anything, so its drop may panic again.
        if catch_unwind(AssertUnwindSafe(|| drop(payload))).is_err() {
            tracing::error!("What a panic carried panicked when it was dropped.");
        }
        said
    })
}

/// As [`catch_panic`], for work that waits.
///
/// # Errors
/// What the panic said.
pub async fn catch_panic_in<R>(work: impl Future<Output = R>) -> Result<R, Arc<str>> {
    let mut work = pin!(work);
    poll_fn(|cx| match catch_panic(|| work.as_mut().poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(said) => Poll::Ready(Err(said)),
    })
    .await
}

fn said(payload: &(dyn Any + Send)) -> Arc<str> {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        Arc::from(*text)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        Arc::from(text.as_str())
    } else {
        Arc::from("panicked with a value that is not a text")
    }
}

// === impl ResourceManager ===

impl ResourceManager {
    /// Runs `work` and returns what it returned; `None` when it panicked, which is one fault of `component` at
    /// `place`.
    pub fn recover<R>(
        &self,
        component: Component,
        place: &'static str,
        work: impl FnOnce() -> R,
    ) -> Option<R> {
        catch_panic(work).map_err(|said| self.panicked(component, place, said)).ok()
    }

    /// As [`ResourceManager::recover`], for work that waits.
    pub async fn recover_in<R>(
        &self,
        component: Component,
        place: &'static str,
        work: impl Future<Output = R>,
    ) -> Option<R> {
        catch_panic_in(work).await.map_err(|said| self.panicked(component, place, said)).ok()
    }

    /// As [`ResourceManager::recover`], for work that handles a fault: nothing that goes wrong inside it
    /// becomes a further one.
    pub fn recover_handling_fault<R>(
        &self,
        component: Component,
        place: &'static str,
        work: impl FnOnce() -> R,
    ) -> Option<R> {
        let _handling = Handling::begin();
        self.recover(component, place, work)
    }

    /// A task or blocking work ended by a panic.
    pub(super) fn task_panicked(&self, component: Component, place: &'static str, message: Arc<str>) {
        self.inner.metrics.resource.tasks_panicked.increment();
        self.panicked(component, place, message);
    }

    fn panicked(&self, component: Component, place: &'static str, message: Arc<str>) {
        self.fault(Fault { component, place, kind: FaultKind::Panic, message });
    }
}

// === impl Handling ===

impl Handling {
    fn begin() -> Self {
        Self { before: HANDLING.replace(true) }
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        HANDLING.set(self.before);
    }
}
