//! Whether a run is ready: looked for while its leader lives, and told.

use std::sync::Arc;

use super::Task;
use crate::{
    event::{ProcessInfo, Readiness},
    process::ready::{self, Pattern, Whose},
};

impl Task {
    /// Begins to look, if the script says how. The pattern is for the readers.
    pub(super) async fn begin_probe(&mut self, info: &ProcessInfo) -> Option<Arc<Pattern>> {
        let guard = self.work.planted.as_ref().map(|planted| planted.tree.guard_pid);
        let whose = guard.map_or(Whose::Anybody, Whose::Tree);
        let (pattern, probing) = ready::begin(info.options.ready.as_ref()?, whose);
        if let Some(current) = &mut self.work.current {
            current.probing = Some(probing);
        }
        self.detail(|detail| detail.readiness = Readiness::Waiting).await;
        pattern
    }

    /// It is known now, though what is late may still come.
    pub(super) async fn probed(&mut self, readiness: Readiness) {
        let was_late = matches!(self.work.detail.readiness, Readiness::Failed(_));
        if was_late && readiness == Readiness::Ready {
            tracing::info!(process = self.process.0, "A process is ready after all.");
        }
        if let Readiness::Failed(why) = &readiness {
            tracing::info!(process = self.process.0, why = &**why, "A process is not ready in time.");
            self.resources.metrics().process.not_ready.increment();
        }
        self.detail(|detail| detail.readiness = readiness).await;
    }

    /// The run has ended and all it printed has been read: its last lines may have said that it is ready. Nothing is
    /// waited for.
    pub(super) async fn probe_once_more(&mut self) {
        let probing = self.work.current.as_mut().and_then(|current| current.probing.take());
        if let Some(mut probing) = probing
            && probing.is_ready().await
        {
            self.probed(Readiness::Ready).await;
        }
    }
}
