//! Two implementations under one face: where an event goes, and how the bus changes from one to the other.
//!
//! The new one takes in first and holds what it gets; then the old one sends publishers there and delivers
//! what it has; then the new one delivers. So the order of a key, and the books, hold across the change.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout, timeout_at};

use super::{
    PublishError, Shared,
    fallback::Next,
    lane::{Lane, Offer},
    letter::Letter,
    queue::Publisher,
    worker::Tally,
};
use crate::{
    config::Mode,
    event::{Component, Event, Fault, FaultKind, Key, Priority},
    sync::{Notify, atomic::Ordering::SeqCst},
};

// === impl Shared ===

impl Shared {
    pub(super) fn mode(&self) -> Mode {
        if self.fallback.load(SeqCst) { Mode::Fallback } else { Mode::Current }
    }

    /// The lane of a key. Process ids are given in sequence, so the remainder spreads them evenly.
    #[inline]
    fn lane(&self, key: Key) -> &Lane {
        let number = match key {
            Key::Process(process) => process.0 as usize,
            Key::Component(component) => component as usize,
        };
        &self.lanes[number % self.lanes.len()]
    }

    #[inline]
    pub(super) fn letter(&self, event: Event) -> Letter {
        // The handlers of this moment are the ones that get it.
        Letter::new(event, self.registry.until())
    }

    /// Where publishers wait for room.
    fn room(&self, mode: Mode, key: Key) -> &Notify {
        match mode {
            Mode::Current => &self.lane(key).room,
            Mode::Fallback => &self.serial.room,
        }
    }

    /// Takes the letter. Gives whether it did: otherwise there is no room, and the publisher may wait.
    #[inline]
    pub(super) fn send(
        &self,
        letter: &mut Option<Letter>,
        priority: Priority,
        key: Key,
        publisher: Publisher,
    ) -> Result<bool, PublishError> {
        let mut mode = self.mode();
        loop {
            match self.offer(mode, letter, priority, key, publisher) {
                Offer::Taken => return Ok(true),
                Offer::Full => return Ok(false),
                // While the bus changes from one to the other, one of the two takes it.
                Offer::Elsewhere => mode = other(mode),
                Offer::Closed => return Err(self.refuse(priority, PublishError::Stopped)),
            }
        }
    }

    #[inline]
    fn offer(
        &self,
        mode: Mode,
        letter: &mut Option<Letter>,
        priority: Priority,
        key: Key,
        publisher: Publisher,
    ) -> Offer {
        let shed = priority == Priority::Low && self.tuning.sheds_low();
        let timing = self.tuning.timing();
        match mode {
            Mode::Current => self.lane(key).offer(letter, publisher, shed, timing),
            Mode::Fallback => {
                if let Some(letter) = letter {
                    letter.accepted = timing.then(std::time::Instant::now);
                }
                let (offer, turn) = self.serial.offer(letter, publisher, shed);
                if let Some(turn) = turn {
                    self.drive(turn);
                }
                offer
            }
        }
    }

    /// Waits for room: High without limit, the others as long as the `block` policy says.
    pub(super) async fn send_when_room(
        &self,
        mut letter: Option<Letter>,
        priority: Priority,
        key: Key,
    ) -> Result<(), PublishError> {
        let mut mode = self.mode();
        let begun = Instant::now();
        self.metrics.bus.publisher_waits.increment();
        let outcome = loop {
            let mut room = pin!(self.room(mode, key).notified());
            // Registered before looking, or room made between the look and the wait would be missed.
            room.as_mut().enable();
            match self.offer(mode, &mut letter, priority, key, Publisher::Outside) {
                Offer::Taken => break Ok(()),
                Offer::Full => {}
                Offer::Elsewhere => {
                    mode = other(mode);
                    continue;
                }
                Offer::Closed => break Err(self.refuse(priority, PublishError::Stopped)),
            }
            let waited = match priority {
                Priority::High => {
                    room.await;
                    Ok(())
                }
                Priority::Medium | Priority::Low => timeout_at(begun + self.limits.block, room).await,
            };
            if waited.is_err() {
                break Err(self.refuse(priority, PublishError::Full));
            }
        };
        let waited = begun.elapsed();
        self.metrics.bus.publisher_wait.record(waited);
        if waited > self.limits.wait {
            self.metrics.bus.publisher_wait_breaches.increment();
        }
        outcome
    }

    pub(super) fn refuse(&self, priority: Priority, why: PublishError) -> PublishError {
        self.metrics.bus.refused[priority.index()].increment();
        why
    }

    /// Delivers what the fallback holds, until nothing is left or somebody else has taken over.
    pub(super) fn drive(&self, turn: u64) {
        let mut tally = Tally::default();
        let began = tally.begin(self.tuning.timing());
        loop {
            match self.serial.next(turn, || self.registry.table()) {
                Next::Call(step) => {
                    self.hand_over(&step.subscriber, &step.letter, &mut tally);
                    let mine = self.serial.returned(turn, &step);
                    if mine {
                        step.subscriber.passed();
                    } else {
                        step.subscriber.came_back();
                    }
                    self.let_go(step);
                    if !mine {
                        break;
                    }
                }
                Next::Delivered(letter, table) => {
                    tally.delivered(&letter);
                    self.let_go(table);
                }
                Next::Again => {}
                Next::Leave => break,
            }
        }
        tally.end(self, began);
    }
}

/// Changes to `to`; see the module's head. One change at a time.
pub(super) async fn switch(shared: Arc<Shared>, to: Mode) {
    let Ok(_one) = shared.switching.acquire().await else { return };
    if shared.mode() == to || shared.closing.is_begun() {
        return;
    }
    let deadline = Instant::now() + shared.limits.stop;
    match to {
        Mode::Fallback => {
            shared.serial.hold();
            shared.lanes.iter().for_each(Lane::divert);
            shared.fallback.store(true, SeqCst);
            for index in 0..shared.lanes.len() {
                shared.drain_lane(index, deadline).await;
            }
            if let Some(turn) = shared.serial.release() {
                shared.drive(turn);
            }
        }
        Mode::Current => {
            shared.lanes.iter().for_each(Lane::hold);
            shared.serial.divert();
            shared.fallback.store(false, SeqCst);
            shared.drain_serial(deadline).await;
            shared.lanes.iter().for_each(Lane::release);
        }
    }
}

impl Shared {
    /// Waits until a lane is empty. What holds it up past the deadline is a handler that does not return: it
    /// is moved, as by the watchdog, and the lane goes on. There are only so many handlers.
    pub(super) async fn drain_lane(self: &Arc<Self>, index: usize, deadline: Instant) {
        let lane = &self.lanes[index];
        let mut drained = self.patiently(deadline, lane.drained()).await;
        // A stop that gave up has left nothing to wait for.
        while !drained && !self.ended.is_begun() {
            if let Some(batch) = lane.hand() {
                let at = batch.position();
                if self.relieve(index, &batch, at)
                    && let Some(called) = batch.subscriber(at)
                {
                    self.gave_up(called.component, called.place);
                }
            }
            drained = timeout(self.grace(), lane.drained()).await.is_ok();
        }
    }

    /// The same for the fallback, where this task goes on instead.
    async fn drain_serial(self: &Arc<Self>, deadline: Instant) {
        let mut drained = self.patiently(deadline, self.serial.drained()).await;
        while !drained && !self.ended.is_begun() {
            if let Some((call, called)) = self.serial.call().filter(|(_, called)| called.is_handler()) {
                called.behind.fetch_add(1, SeqCst);
                self.relocate(&called);
                match self.serial.replace(call, &called) {
                    Some(turn) => {
                        self.gave_up(called.component, called.place);
                        let goes_on = self.clone();
                        let work = async move { goes_on.aside(|| goes_on.drive(turn)) };
                        drop(self.resources.spawn(Component::Bus, "bus fallback", work));
                    }
                    None => called.came_back(),
                }
            }
            drained = timeout(self.grace(), self.serial.drained()).await.is_ok();
        }
    }

    async fn patiently(&self, deadline: Instant, drained: impl Future<Output = ()>) -> bool {
        let mut drained = pin!(drained);
        tokio::select! {
            drained = timeout_at(deadline, &mut drained) => return drained.is_ok(),
            () = self.closing.begun() => {}
        }
        // The stop needs what is left of its own time.
        timeout(self.grace(), drained).await.is_ok()
    }

    /// How long each further look at what holds up a change may take.
    fn grace(&self) -> Duration {
        (self.limits.stop / 10).max(Duration::from_millis(1))
    }

    fn gave_up(&self, component: Component, place: &str) {
        let message = format!("change went on without a handler that did not return: {component}, {place}");
        let kind = FaultKind::Failure;
        self.resources.fault(Fault {
            component: Component::Bus,
            place: "switch",
            kind,
            message: Arc::from(message),
        });
    }
}

fn other(mode: Mode) -> Mode {
    match mode {
        Mode::Current => Mode::Fallback,
        Mode::Fallback => Mode::Current,
    }
}
