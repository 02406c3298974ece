//! A run before its program is started: what it waits for one after the other, and how a stop takes it back.

use std::{future::ready, pin::pin, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::Task;
use crate::{
    event::{Component, ProcessInfo},
    process::{
        backoff::Restart,
        dependencies::{self, Dependency, Progress},
        message::{Before, Control},
        old::Old,
        settings::Turn,
    },
    resource::Permit,
};

/// What a run says that may start as soon as another start is done.
const TURN: &str = "waiting for its turn to start";

/// Why a run ends before its program has been started.
pub(super) enum NotStarted {
    /// Somebody asked for it.
    Stopped,
    /// Why, worded for the user.
    Failed(Arc<str>),
}

/// How a wait ended.
enum Waited<T> {
    Done(T),
    Stopped,
    /// The same script was asked for.
    Hurried,
}

impl Task {
    /// Waits until the program may be started: for the delay of a restart, for what has to be up first, then for the turn
    /// and a permit of the program's. Carries out commands meanwhile.
    pub(super) async fn pending(
        &mut self,
        before: Before,
        info: &ProcessInfo,
    ) -> Result<(Turn, Permit), NotStarted> {
        let Before { cancelled, refused, restart, mut after, claim: _ } = before;
        if cancelled {
            return Err(NotStarted::Stopped);
        }
        if let Some(why) = refused {
            return Err(NotStarted::Failed(why));
        }
        match restart {
            Some(restart) => self.delay(restart).await?,
            None => self.work.backoff.reset(),
        }
        self.dependencies(&mut after).await?;
        self.old(info).await?;
        let turn = self.turn().await;
        self.detail(|detail| detail.waiting = None).await;
        turn
    }

    /// Waits until nothing of an old run of the same script is in the way that another host began: what somebody ends is
    /// waited for, what nobody ends is ended. What cannot be ended is not waited for.
    async fn old(&mut self, info: &ProcessInfo) -> Result<(), NotStarted> {
        let Some(records) = self.settings.records().cloned() else { return Ok(()) };
        let mut old = Old::new(records, self.resources.clone(), info);
        loop {
            let what = match self.wait(old.in_the_way()).await {
                Waited::Done(Some(what)) => what,
                Waited::Done(None) => return Ok(()),
                Waited::Hurried => continue,
                Waited::Stopped => return Err(NotStarted::Stopped),
            };
            self.detail(|detail| detail.waiting = Some(what.into())).await;
            match self.wait(old.less()).await {
                Waited::Done(()) | Waited::Hurried => {}
                Waited::Stopped => return Err(NotStarted::Stopped),
            }
        }
    }

    /// Waits as long as the policy says, unless the script is asked for meanwhile.
    async fn delay(&mut self, restart: Restart) -> Result<(), NotStarted> {
        let until = Instant::now() + restart.delay;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.detail(|detail| detail.waiting = Some(restart.waiting(left).into())).await;
            // The text changes with each whole second.
            let part = Duration::from_nanos(left.subsec_nanos().into());
            match self.wait(sleep(if part.is_zero() { Duration::from_secs(1) } else { part })).await {
                Waited::Done(()) => {}
                Waited::Hurried => {
                    self.work.backoff.reset();
                    return Ok(());
                }
                Waited::Stopped => return Err(NotStarted::Stopped),
            }
        }
    }

    /// Waits until everything that has to be up first is so.
    async fn dependencies(&mut self, after: &mut [Dependency]) -> Result<(), NotStarted> {
        loop {
            match dependencies::progress(after) {
                Progress::Met => return Ok(()),
                Progress::Failed(why) => return Err(NotStarted::Failed(why)),
                Progress::Waiting(what) => self.detail(|detail| detail.waiting = Some(what.into())).await,
            }
            if let Waited::Stopped = self.wait(dependencies::changed(after)).await {
                return Err(NotStarted::Stopped);
            }
        }
    }

    /// Waits for the turn to start and for a permit of the program's.
    async fn turn(&mut self) -> Result<(Turn, Permit), NotStarted> {
        let (settings, resources) = (Arc::clone(&self.settings), self.resources.clone());
        let mut turn = pin!(async move {
            let turn = settings.turn().await;
            (turn, resources.acquire(Component::Process).await)
        });
        tokio::select! {
            biased;
            turn = &mut turn => return Ok(turn),
            () = ready(()) => {}
        }
        self.detail(|detail| detail.waiting = Some(TURN.into())).await;
        loop {
            match self.wait(&mut turn).await {
                Waited::Done(turn) => return Ok(turn),
                Waited::Hurried => {}
                Waited::Stopped => return Err(NotStarted::Stopped),
            }
        }
    }

    /// Waits for `what`, carrying out commands meanwhile.
    async fn wait<T>(&mut self, what: impl Future<Output = T>) -> Waited<T> {
        let mut what = pin!(what);
        loop {
            tokio::select! {
                biased;
                done = &mut what => return Waited::Done(done),
                control = self.controls.recv() => match control {
                    Control::Start(start) => self.controls.push(start),
                    Control::Hurry => return Waited::Hurried,
                    Control::Stop { ticket, .. } => {
                        self.controls.cancel();
                        self.work.stopping.tell(ticket);
                        return Waited::Stopped;
                    }
                }
            }
        }
    }
}
