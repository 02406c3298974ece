//! A stand-in for tokio's `Notify` that a model checker sees through, with the contract tokio documents:
//!
//! - `notify_one` wakes the task that has waited longest, or keeps one permit for the next that waits.
//! - `notify_waiters` wakes all futures made by then, polled or not, and keeps nothing.
//! - A future waits in line from its first poll or `enable` on. Dropped after `notify_one` chose it and before
//!   it could say so, it hands its permit on.

use std::{
    collections::VecDeque,
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{
    chosen::{Mutex, lock},
    planted,
};

/// Wakes tasks that wait.
#[derive(Default)]
pub struct Notify {
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    permit: bool,
    /// Calls of `notify_waiters` so far.
    rounds: u64,
    waiting: VecDeque<Waiting>,
    /// Those `notify_one` chose, until they notice.
    chosen: Vec<u64>,
    next: u64,
}

struct Waiting {
    id: u64,
    waker: Option<Waker>,
}

/// Ready once notified.
#[must_use = "it waits when polled"]
pub struct Notified<'a> {
    notify: &'a Notify,
    /// Rounds at its making; a later one wakes it.
    round: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    InLine(u64),
    Done,
}

// === impl Notify ===

impl Notify {
    /// Nobody waits, and there is no permit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes one, or keeps a permit.
    pub fn notify_one(&self) {
        let waker = lock(&self.line).choose();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Wakes all that wait now.
    pub fn notify_waiters(&self) {
        let mut line = lock(&self.line);
        line.rounds += 1;
        let woken = mem::take(&mut line.waiting);
        drop(line);
        woken.into_iter().filter_map(|waiting| waiting.waker).for_each(Waker::wake);
    }

    /// A future that is ready once notified.
    pub fn notified(&self) -> Notified<'_> {
        Notified { notify: self, round: lock(&self.line).rounds, state: State::Fresh }
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notify(..)")
    }
}

// === impl Line ===

impl Line {
    fn choose(&mut self) -> Option<Waker> {
        match self.waiting.pop_front() {
            Some(first) => {
                self.chosen.push(first.id);
                first.waker
            }
            None => {
                self.permit = !planted("no permit is kept");
                None
            }
        }
    }

    fn leave(&mut self, id: u64) {
        self.waiting.retain(|waiting| waiting.id != id);
    }

    /// Whether `notify_one` chose it; asked once.
    fn was_chosen(&mut self, id: u64) -> bool {
        let at = self.chosen.iter().position(|chosen| *chosen == id);
        at.map(|at| self.chosen.swap_remove(at)).is_some()
    }
}

// === impl Notified ===

impl Notified<'_> {
    /// Puts it in line without waiting; says whether it is notified already.
    pub fn enable(mut self: Pin<&mut Self>) -> bool {
        if planted("enable does nothing") {
            return false;
        }
        self.look(None)
    }

    fn look(&mut self, waker: Option<&Waker>) -> bool {
        let mut line = lock(&self.notify.line);
        let ready = match self.state {
            State::Done => true,
            State::Fresh if line.rounds != self.round && !planted("a round is missed") => true,
            State::Fresh if mem::take(&mut line.permit) => true,
            State::Fresh => {
                let id = line.next;
                line.next += 1;
                line.waiting.push_back(Waiting { id, waker: waker.cloned() });
                self.state = State::InLine(id);
                false
            }
            State::InLine(id) if line.was_chosen(id) || line.rounds != self.round => {
                line.leave(id);
                true
            }
            State::InLine(id) => {
                for waiting in line.waiting.iter_mut().filter(|waiting| waiting.id == id) {
                    waiting.waker = waker.cloned();
                }
                false
            }
        };
        drop(line);
        if ready {
            self.state = State::Done;
        }
        ready
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.look(Some(cx.waker())) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        let State::InLine(id) = self.state else { return };
        let mut line = lock(&self.notify.line);
        line.leave(id);
        let chosen = line.was_chosen(id) && !planted("nothing is handed on");
        let waker = if chosen { line.choose() } else { None };
        drop(line);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
