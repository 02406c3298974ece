//! The queue against a plain list: random pushes, pops and stops, with the fate of each item written down.

use std::collections::HashMap;

use proptest::{prelude::*, test_runner::TestCaseError};

use super::queue::{Item, Publisher, Push, Queue, Slot, WEIGHTS};
use crate::{
    config::Backpressure,
    event::{Component, Key, Priority, ProcessId, RunId},
};

const SHARES: [usize; 3] = [3, 4, 6];

#[derive(Clone, Debug)]
struct Note {
    id: usize,
    key: Key,
    priority: Priority,
    slot: Option<Slot>,
    absorbed: Vec<usize>,
}

#[derive(Clone, Debug)]
enum Step {
    Push { process: u32, priority: Priority, slotted: bool, publisher: Publisher },
    Pop,
    Settle,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Waits,
    InFlight,
    Delivered,
    Policy,
    Coalesced,
    Stop,
    Refused,
}

/// Everything ever pushed, in order, and what has become of it.
#[derive(Default)]
struct Model {
    notes: Vec<(Note, Fate)>,
    /// How many waited when it was pushed, and how many had been popped.
    seen: Vec<(usize, usize)>,
    pops: usize,
}

impl Item for Note {
    fn key(&self) -> Key {
        self.key
    }
    fn priority(&self) -> Priority {
        self.priority
    }
    fn slot(&self) -> Option<Slot> {
        self.slot
    }
    fn absorb(&mut self, older: &Self) {
        self.absorbed.push(older.id);
        self.absorbed.extend(&older.absorbed);
    }
}

impl Model {
    fn waiting(&self) -> impl DoubleEndedIterator<Item = &Note> {
        self.notes.iter().filter(|(_, fate)| *fate == Fate::Waits).map(|(note, _)| note)
    }

    fn waiting_of(&self, priority: Priority) -> usize {
        self.waiting().filter(|note| note.priority == priority).count()
    }

    fn count(&self, priority: Priority, fate: Fate) -> u64 {
        self.notes.iter().filter(|(note, had)| note.priority == priority && *had == fate).count() as u64
    }

    /// What the rules say about a push, from the list alone: the item's fate, and who leaves for it.
    fn expect(
        &self,
        note: &Note,
        publisher: Publisher,
        policy: Backpressure,
    ) -> (Fate, Option<(usize, Fate)>) {
        let mut same = self.waiting().filter(|other| note.slot.is_some() && other.slot == note.slot);
        if let (Some(_first), Some(newest)) = (same.next(), same.next_back()) {
            return (Fate::Waits, Some((newest.id, Fate::Coalesced)));
        }
        let oldest = |p: Priority| {
            let note = self.waiting().find(|other| other.priority == p)?;
            Some((note.id, Fate::Policy))
        };
        let [_, medium, low] = Priority::ALL.map(|p| self.waiting_of(p));
        let lent = if policy == Backpressure::DropLowPriority { medium.saturating_sub(SHARES[1]) } else { 0 };
        let room = match note.priority {
            Priority::High => self.waiting_of(Priority::High) < SHARES[0] || publisher == Publisher::Handler,
            Priority::Medium => medium < SHARES[1],
            Priority::Low => low + lent < SHARES[2],
        };
        let victim = match (note.priority, policy) {
            _ if room => return (Fate::Waits, None),
            (Priority::High, _) | (_, Backpressure::Block) => return (Fate::Refused, None),
            (p, Backpressure::DropOldest) => oldest(p),
            (Priority::Medium, Backpressure::DropLowPriority) => oldest(Priority::Low),
            _ => None,
        };
        (if victim.is_some() { Fate::Waits } else { Fate::Policy }, victim)
    }

    fn push(
        &mut self,
        queue: &mut Queue<Note>,
        note: Note,
        publisher: Publisher,
        policy: Backpressure,
    ) -> Result<(), TestCaseError> {
        let (fate, leaves) = self.expect(&note, publisher, policy);
        self.seen.push((self.waiting().count(), self.pops));
        self.notes.push((note.clone(), fate));
        let id = note.id;
        let got = match queue.push(note, publisher) {
            Push::Queued => (Fate::Waits, None),
            Push::Evicted(victim) => (Fate::Waits, Some((victim.id, Fate::Policy))),
            Push::Coalesced(older) => (Fate::Waits, Some((older.id, Fate::Coalesced))),
            Push::Dropped(same) => {
                prop_assert_eq!(same.id, id);
                (Fate::Policy, None)
            }
            Push::Full(same) => {
                prop_assert_eq!(same.id, id);
                (Fate::Refused, None)
            }
        };
        prop_assert_eq!(got, (fate, leaves));
        if let Some((leaves, fate)) = leaves {
            self.notes[leaves].1 = fate;
        }
        Ok(())
    }

    fn pop(&mut self, queue: &mut Queue<Note>) -> Result<(), TestCaseError> {
        let Some(note) = queue.pop() else {
            prop_assert_eq!(self.waiting().count(), 0, "something waits and nothing leaves");
            return Ok(());
        };
        // Order: nothing of its key that was pushed before it still waits.
        let first = self.waiting().find(|other| other.key == note.key).map(|other| other.id);
        prop_assert_eq!(first, Some(note.id), "out of order within its key");
        // No starvation: each round takes one of those that waited before it, at least.
        let round = WEIGHTS.iter().sum::<u32>() as usize;
        let (ahead, popped_then) = self.seen[note.id];
        prop_assert!(self.pops - popped_then <= (ahead + 2) * round, "{} waited too long", note.id);
        // What it stands for is exactly what was coalesced into it.
        for absorbed in &note.absorbed {
            prop_assert_eq!(self.notes[*absorbed].1, Fate::Coalesced);
            prop_assert_eq!(self.notes[*absorbed].0.slot, note.slot);
        }
        self.pops += 1;
        self.notes[note.id].1 = Fate::InFlight;
        Ok(())
    }

    fn settle(&mut self, queue: &mut Queue<Note>) {
        if let Some((note, fate)) = self.notes.iter_mut().find(|(_, fate)| *fate == Fate::InFlight) {
            *fate = Fate::Delivered;
            queue.delivered(one(note.priority));
        }
    }

    fn check(&self, queue: &Queue<Note>, policy: Backpressure) -> Result<(), TestCaseError> {
        for (priority, books) in Priority::ALL.into_iter().zip(queue.account()) {
            let count = |fate| self.count(priority, fate);
            let all = self.notes.iter().filter(|(note, _)| note.priority == priority).count() as u64;
            prop_assert!(books.balances(), "{:?}", books);
            prop_assert_eq!(books.published, all - count(Fate::Refused));
            prop_assert_eq!(books.delivered, count(Fate::Delivered));
            prop_assert_eq!(books.dropped_policy, count(Fate::Policy));
            prop_assert_eq!(books.dropped_stop, count(Fate::Stop));
            prop_assert_eq!(books.coalesced, count(Fate::Coalesced));
            prop_assert_eq!(books.queued, count(Fate::Waits));
            prop_assert_eq!(books.in_flight, count(Fate::InFlight));
        }
        prop_assert_eq!(self.count(Priority::High, Fate::Policy), 0, "High was dropped");
        let [_, medium, low] = Priority::ALL.map(|p| self.waiting_of(p));
        prop_assert!(low <= SHARES[2] && medium + low <= SHARES[1] + SHARES[2], "over its bounds");
        prop_assert!(policy == Backpressure::DropLowPriority || medium <= SHARES[1], "over its share");
        let mut slots = HashMap::new();
        for slot in self.waiting().filter_map(|note| note.slot) {
            let n = slots.entry(slot).or_insert(0);
            *n += 1;
            prop_assert!(*n <= 2, "{:?} takes more than two places", slot);
        }
        Ok(())
    }
}

fn step() -> impl Strategy<Value = Step> {
    let push =
        (0..4_u32, 0..3_usize, any::<bool>(), any::<bool>()).prop_map(|(process, p, slotted, handler)| {
            Step::Push {
                process,
                priority: Priority::ALL[p],
                slotted,
                publisher: if handler { Publisher::Handler } else { Publisher::Outside },
            }
        });
    prop_oneof![6 => push, 4 => Just(Step::Pop), 3 => Just(Step::Settle)]
}

fn policy() -> impl Strategy<Value = Backpressure> {
    use Backpressure::{Block, DropLowPriority, DropNewest, DropOldest};
    prop_oneof![Just(DropOldest), Just(DropNewest), Just(DropLowPriority), Just(Block)]
}

fn note(id: usize, process: u32, priority: Priority, slotted: bool) -> Note {
    let slot = Slot::Errors(ProcessId(process), RunId(0));
    let slot = (priority == Priority::High && slotted).then_some(slot);
    Note { id, key: Key::Process(ProcessId(process)), priority, slot, absorbed: Vec::new() }
}

fn one(priority: Priority) -> [u64; 3] {
    let mut counts = [0; 3];
    counts[priority.index()] = 1;
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_a_plain_list_does(
        policy in policy(),
        steps in prop::collection::vec(step(), 0..250),
        stop in any::<bool>(),
    ) {
        let (mut queue, mut model) = (Queue::new(SHARES, policy), Model::default());
        for step in steps {
            match step {
                Step::Push { process, priority, slotted, publisher } => {
                    let note = note(model.notes.len(), process, priority, slotted);
                    model.push(&mut queue, note, publisher, policy)?;
                }
                Step::Pop => model.pop(&mut queue)?,
                Step::Settle => model.settle(&mut queue),
            }
            model.check(&queue, policy)?;
        }
        if stop {
            for note in queue.discard() {
                prop_assert_eq!(model.notes[note.id].1, Fate::Waits);
                model.notes[note.id].1 = Fate::Stop;
            }
            if let Some((note, fate)) = model.notes.iter_mut().find(|(_, fate)| *fate == Fate::InFlight) {
                queue.abandoned(one(note.priority));
                *fate = Fate::Stop;
            }
        } else {
            while model.waiting().next().is_some() {
                model.pop(&mut queue)?;
            }
            // Every High item that was taken is delivered, or a later one of its slot is.
            for (note, fate) in model.notes.iter().filter(|(note, _)| note.priority == Priority::High) {
                let stood_for = || model.notes[note.id..].iter().any(|(later, fate)| {
                    later.slot == note.slot && matches!(fate, Fate::InFlight | Fate::Delivered)
                });
                prop_assert!(*fate != Fate::Coalesced || stood_for(), "{} was lost", note.id);
                prop_assert!(*fate != Fate::Waits);
            }
        }
        model.check(&queue, policy)?;
        prop_assert!(queue.pop().is_none());
    }
}

#[test]
fn all_three_priorities_leave_at_their_weights() {
    let mut queue = Queue::new([100; 3], Backpressure::Block);
    for _ in 0..100 {
        for priority in Priority::ALL {
            // Keys of their own, so that none waits for another's sake.
            let process = priority.index() as u32;
            assert!(matches!(
                queue.push(note(0, process, priority, false), Publisher::Outside),
                Push::Queued
            ));
        }
    }
    let mut left = [0; 3];
    for _ in 0..WEIGHTS.iter().sum::<u32>() * 5 {
        left[queue.pop().expect("three hundred wait").priority.index()] += 1;
    }
    assert_eq!(left, WEIGHTS.map(|weight| weight * 5));
}

#[test]
fn the_first_error_of_a_flood_is_not_pushed_back() {
    let mut queue = Queue::new([100; 3], Backpressure::DropOldest);
    let mut first = None;
    for id in 0..1000 {
        let mut item = note(id, 1, Priority::High, true);
        item.slot = Some(Slot::Faults(Component::App));
        queue.push(item, Publisher::Handler);
        queue.push(note(id, 1, Priority::Medium, false), Publisher::Handler);
        if id == 500 {
            first = queue.pop();
        }
    }
    assert_eq!(first.map(|note| note.id), Some(0));
    let [high, medium, _] = queue.account();
    assert_eq!((high.queued, high.coalesced, medium.queued), (2, 997, 100));
}
