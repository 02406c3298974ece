//! Looks through memory on threads of its own, the newest lines first.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
};

use super::{Found, Look};
use crate::{
    event::{Component, Seq},
    resource::ResourceManager,
};

/// Threads that look at once, for all searches together.
const THREADS: usize = 2;

/// Windows of a search that are looked at, or whose lines wait for those of the one before them.
const AHEAD: usize = 4;

/// The handle.
#[derive(Clone)]
pub struct Searcher {
    resources: ResourceManager,
    room: Arc<Semaphore>,
}

/// Room for windows. Ends a search when nobody waits for it any more.
struct Ahead(Arc<Semaphore>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.close();
    }
}

// === impl Searcher ===

impl Searcher {
    /// One that runs on blocking threads of `resources`.
    pub fn new(resources: ResourceManager) -> Self {
        Self { resources, room: Arc::new(Semaphore::new(THREADS)) }
    }

    /// Looks through all that is kept before a position and gives `each` what passes, window by window, the newest first,
    /// each window's lines in order, until that returns false. Dropping the future ends the work with the window that
    /// is being looked at.
    ///
    /// Returns whether all was looked through.
    pub async fn newest_first(
        &self,
        look: &Arc<Look>,
        before: Seq,
        mut each: impl FnMut(Vec<Found>) -> bool + Send,
    ) -> bool {
        let windows: Arc<Vec<_>> = Arc::new(look.windows(before).collect());
        let ahead = Ahead(Arc::new(Semaphore::new(AHEAD)));
        let next = Arc::new(AtomicUsize::new(0));
        let (tell, mut told) = mpsc::channel(AHEAD);
        for _ in 0..windows.len().min(THREADS) {
            let (look, windows, next) = (Arc::clone(look), Arc::clone(&windows), Arc::clone(&next));
            let (tell, ahead, room) = (tell.clone(), Arc::clone(&ahead.0), Arc::clone(&self.room));
            let (resources, runtime) = (self.resources.clone(), Handle::current());
            let work = move || {
                // Windows are taken in order, so the one that others wait for always has its room.
                while let Ok(taken) = runtime.block_on(ahead.acquire()) {
                    taken.forget();
                    let at = next.fetch_add(1, Relaxed);
                    let Some(window) = windows.get(at) else { return };
                    // Nobody receives when the search is no longer wanted.
                    if tell.blocking_send((at, look.window(window.clone()))).is_err() {
                        return;
                    }
                }
            };
            drop(self.resources.spawn(Component::Logs, "search", async move {
                // The semaphore is never closed.
                let _room = room.acquire_owned().await;
                resources.blocking(Component::Logs, "search", work).await;
            }));
        }
        drop(tell);
        let (mut waiting, mut wanted) = (BTreeMap::new(), 0);
        while let Some((at, found)) = told.recv().await {
            waiting.insert(at, found);
            while let Some(found) = waiting.remove(&wanted) {
                wanted += 1;
                ahead.0.add_permits(1);
                if !each(found) {
                    return false;
                }
            }
        }
        // A window that panicked is a fault already, and what is behind it is not told.
        wanted == windows.len()
    }
}
