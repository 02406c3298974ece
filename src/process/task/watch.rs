//! What is heard of a tree while it lives, and what comes of it: commands are carried out meanwhile.

use std::mem;

use tokio::time::{Instant, sleep_until};

use super::{Planted, Task};
use crate::{
    event::{Exit, Readiness, Survivor},
    process::{message::Control, tree::News},
};

/// What a task waits for.
pub(super) enum Next {
    /// A command.
    Control(Control),
    /// Something of the tree.
    News(News),
    /// A stop takes longer than it may.
    Late,
    /// It is ready, or has not been so in time.
    Readiness(Readiness),
    /// The manager is gone: the host leaves.
    Left,
}

/// How the life of a leader ended.
pub(super) enum End {
    /// By itself, or because it was asked.
    Exit(Exit),
    /// Its guard was lost, and it with it.
    Lost,
    /// It cannot be ended: it got other rights, or hangs in the kernel.
    GivenUp,
    /// The host leaves; what there is, is left to the guard.
    Left,
}

/// The host leaves before a program runs.
pub(super) struct Left;

impl Task {
    /// What happens next.
    pub(super) async fn next(&mut self) -> Next {
        loop {
            let Self { controls, work, noticed, .. } = self;
            let late_at = work.stopping.late_at();
            let probing = work.current.as_mut().and_then(|current| current.probing.as_mut());
            let readiness = async {
                match probing {
                    Some(probing) => probing.next().await,
                    None => std::future::pending().await,
                }
            };
            let news = async {
                match &mut work.planted {
                    Some(Planted { tree, .. }) => tree.news().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                control = controls.next() => return control.map_or(Next::Left, Next::Control),
                news = news => return Next::News(news),
                readiness = readiness => {
                    if readiness == Readiness::Ready {
                        // It has been asked for the last time, whoever hears the answer.
                        work.current.iter_mut().for_each(|current| current.probing = None);
                    }
                    return Next::Readiness(readiness);
                }
                () = sleep_until(late_at.unwrap_or_else(Instant::now)), if late_at.is_some() => return Next::Late,
                // The sender is in the console, which this task holds.
                Ok(()) = noticed.changed() => {}
            }
            self.notice().await;
        }
    }

    /// Waits until the program runs, and gives its process id, or why it does not.
    pub(super) async fn until_started(&mut self) -> Result<Result<u32, String>, Left> {
        loop {
            match self.next().await {
                Next::News(News::Started(pid)) => return Ok(Ok(pid)),
                Next::News(News::NotStarted(reason)) => {
                    self.work.planted = None;
                    return Ok(Err(reason));
                }
                Next::News(news) if news.is_last() => {
                    self.work.planted = None;
                    return Ok(Err(super::GUARD_LOST.to_owned()));
                }
                Next::News(_) => {}
                Next::Left => {
                    self.work.planted = None;
                    return Err(Left);
                }
                other => {
                    if self.carry_out(other) {
                        return Err(Left);
                    }
                }
            }
        }
    }

    /// Waits for the end of the leader.
    pub(super) async fn until_exit(&mut self) -> End {
        while !self.work.stopping.is_given_up() {
            match self.next().await {
                Next::News(News::Exited(exit)) => return End::Exit(exit),
                Next::News(news) if news.is_last() => {
                    self.work.planted = None;
                    return End::Lost;
                }
                Next::Readiness(readiness) => self.probed(readiness).await,
                Next::Left => {
                    self.work.planted = None;
                    return End::Left;
                }
                other => {
                    if self.carry_out(other) {
                        return End::Left;
                    }
                }
            }
        }
        End::GivenUp
    }

    /// Waits until nothing is left of a tree that is being stopped.
    pub(super) async fn until_empty(&mut self) {
        while self.work.planted.is_some() && !self.work.stopping.is_given_up() {
            match self.next().await {
                Next::News(news) if news.is_last() => self.work.planted = None,
                Next::News(News::Left(left)) => self.left(left).await,
                Next::Left => self.work.planted = None,
                other => drop(self.carry_out(other)),
            }
        }
        self.left_is_over().await;
    }

    /// Ends what a finished run left behind, and answers who waits for that.
    pub(super) async fn end_left(&mut self) {
        if self.work.planted.is_some() {
            self.stop_tree(None);
            self.until_empty().await;
        }
        mem::take(&mut self.work.stopping).done();
    }

    /// News of what a finished run left behind.
    pub(super) async fn hear_of_left(&mut self, news: News) {
        match news {
            News::Left(left) => self.left(left).await,
            news if news.is_last() => {
                self.work.planted = None;
                self.left_is_over().await;
            }
            _ => {}
        }
    }

    /// The host leaves: a tree that is to outlive it is let go. Whether there was one.
    pub(super) fn let_go(&mut self) -> bool {
        let detached = self.work.planted.as_ref().is_some_and(|planted| planted.info.options.detach);
        if detached {
            self.work.planted = None;
        }
        detached
    }

    /// Carries out a command that came while something of this process is alive or dying. True when the host leaves and lets go
    /// of it.
    fn carry_out(&mut self, next: Next) -> bool {
        match next {
            Next::Control(Control::Start(start)) => self.controls.push(start),
            Next::Control(Control::Stop { leaving, ticket }) => {
                self.controls.cancel();
                if leaving && self.let_go() {
                    // Who leaves may not wait for the answer.
                    ticket.send(()).ok();
                    return true;
                }
                self.stop_tree(Some(ticket));
            }
            Next::News(News::Killing) => {
                self.resources.metrics().process.killed.increment();
                self.work.stopping.killing();
            }
            Next::Late => {
                if let Some(Planted { tree, .. }) = &mut self.work.planted {
                    self.work.stopping.late(tree);
                }
            }
            // No probe is under way but while the leader lives.
            Next::Control(Control::Hurry) | Next::News(_) | Next::Readiness(_) | Next::Left => {}
        }
        false
    }

    /// Asks the tree to end as its script says.
    fn stop_tree(&mut self, ticket: Option<tokio::sync::oneshot::Sender<()>>) {
        let usual = self.settings.values().stop_grace;
        if let Some(Planted { tree, info }) = &mut self.work.planted {
            let grace = info.options.stop_grace.unwrap_or(usual);
            self.work.stopping.begin(tree, info.options.stop_signal, grace, ticket);
        } else if let Some(ticket) = ticket {
            self.work.stopping.tell(ticket);
        }
    }

    async fn left(&mut self, left: Vec<Survivor>) {
        let gauge = &self.resources.metrics().process.left;
        match (self.work.detail.left.is_empty(), left.is_empty()) {
            (true, false) => gauge.increment(),
            (false, true) => gauge.decrement(),
            _ => {}
        }
        self.detail(|detail| detail.left = left).await;
    }

    /// Nothing is left but what is spared.
    async fn left_is_over(&mut self) {
        let mut left = self.work.detail.left.clone();
        left.retain(|survivor| survivor.exempt);
        self.left(left).await;
    }
}
