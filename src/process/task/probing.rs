//! Whether a run is ready: looked for while its leader lives, and told.

use std::{future::poll_fn, sync::Arc, task::Poll};

use super::Task;
use crate::{
    event::{ProcessInfo, Readiness},
    process::ready::{self, Pattern},
};

impl Task {
    /// Begins to look, if the script says how. The pattern is for the readers.
    pub(super) async fn begin_probe(&mut self, info: &ProcessInfo) -> Option<Arc<Pattern>> {
        let (pattern, probing) = ready::begin(info.options.ready.as_ref()?);
        if let Some(current) = &mut self.work.current {
            current.probing = Some(probing);
        }
        self.detail(|detail| detail.readiness = Readiness::Waiting).await;
        pattern
    }

    /// It is known now.
    pub(super) async fn probed(&mut self, readiness: Readiness) {
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
        let Some(mut probing) = probing else { return };
        let answer = poll_fn(|context| {
            Poll::Ready(match probing.as_mut().poll(context) {
                Poll::Ready(Readiness::Ready) => Some(Readiness::Ready),
                Poll::Ready(_) | Poll::Pending => None,
            })
        });
        if let Some(readiness) = answer.await {
            self.probed(readiness).await;
        }
    }
}
