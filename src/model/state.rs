//! The view state and how events change it. Pure.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::Arc,
};

use super::{Ended, HAPPENINGS, Happening, Revision, Row, View, What};
use crate::{
    config::Mode,
    event::{Event, Health, Pressure, ProcessId, RunId, State, Timestamp},
};

/// See the module above.
pub(super) struct ViewState {
    mode: Mode,
    health: Health,
    pressure: Pressure,
    /// Ended runs to remember while memory is not short.
    max_history: usize,
    revision: u64,
    rows: BTreeMap<ProcessId, Versioned>,
    happenings: VecDeque<Happening>,
    happened: u64,
    /// Oldest first; the oldest is forgotten when there is no room.
    history: VecDeque<(ProcessId, Ended)>,
}

struct Versioned {
    row: Row,
    /// The revision of its last change.
    revision: u64,
}

// === impl ViewState ===

impl ViewState {
    pub(super) fn new(mode: Mode, history: usize) -> Self {
        Self {
            mode,
            health: Health::Healthy,
            pressure: Pressure::Normal,
            max_history: history.max(1),
            revision: 0,
            rows: BTreeMap::new(),
            happenings: VecDeque::new(),
            happened: 0,
            history: VecDeque::new(),
        }
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    pub(super) fn switch(&mut self, mode: Mode) {
        self.mode = mode;
    }

    pub(super) fn health(&self) -> Health {
        self.health
    }

    pub(super) fn degrade(&mut self, health: Health) {
        self.health = health;
    }

    pub(super) fn set_history(&mut self, history: usize) {
        self.max_history = history.max(1);
        self.forget();
    }

    pub(super) fn set_pressure(&mut self, pressure: Pressure) {
        self.pressure = pressure;
        self.forget();
    }

    /// Forgets what is over the present bounds, and gives its memory back.
    fn forget(&mut self) {
        let (happenings, history) = (self.bound(HAPPENINGS), self.bound(self.max_history));
        self.happenings.drain(..self.happenings.len().saturating_sub(happenings));
        self.history.drain(..self.history.len().saturating_sub(history));
        self.happenings.shrink_to(happenings);
        self.history.shrink_to(history);
    }

    /// How much of `limit` may be kept now.
    fn bound(&self, limit: usize) -> usize {
        if self.pressure == Pressure::Critical { (limit / 2).max(1) } else { limit }
    }

    /// Whether patches can be made of what is here: no row would be left out of them, and numbers ascend.
    pub(super) fn check(&self) -> Result<(), String> {
        let known = self.rows.values().all(|row| (1..=self.revision).contains(&row.revision));
        let ordered = self.happenings.iter().is_sorted_by(|one, next| one.number < next.number);
        match (known, ordered) {
            (true, true) => Ok(()),
            (false, _) => Err("a row would not be shown".to_owned()),
            (true, false) => Err("happenings are out of order".to_owned()),
        }
    }

    /// Whether anything changed.
    pub(super) fn apply(&mut self, event: &Event) -> bool {
        let next = self.revision + 1;
        let changed = match event {
            Event::ProcessPending { process, run, info, .. } => {
                let before = self.rows.get(process).map(|known| &known.row);
                let row = Row {
                    id: *process,
                    info: info.clone(),
                    state: State::Pending,
                    run: *run,
                    runs: before.map_or(0, |row| row.runs) + 1,
                    pid: None,
                    exit: None,
                    reason: None,
                    started_at: None,
                    ended_at: None,
                    last: before.map(|row| row.last).unwrap_or_default(),
                    errors: 0,
                    first_error: None,
                    urls: Arc::default(),
                    detail: Arc::default(),
                    usage: None,
                };
                self.rows.insert(*process, Versioned { row, revision: next });
                true
            }
            Event::ProcessStarted { process, run, pid, after, at } => {
                let changed = self.change(*process, next, |row| {
                    row.state = State::Running;
                    row.pid = Some(*pid);
                    row.started_at = Some(*at);
                    row.last = row.last.max(*after);
                });
                changed && self.happen(*process, *run, *at, What::Started)
            }
            Event::ProcessDetail { process, run, detail, .. } => self.change(*process, next, |row| {
                if row.run == *run {
                    row.detail.clone_from(detail);
                }
            }),
            Event::UsageSampled { usage, .. } => {
                let mut changed = false;
                for (process, usage) in usage.iter() {
                    changed |= self.change(*process, next, |row| {
                        if row.state == State::Running {
                            row.usage = Some(usage.clone());
                        }
                    });
                }
                changed
            }
            Event::ProcessExited { process, run, state, exit, last, reason, at } => {
                let changed = self.change(*process, next, |row| {
                    row.usage = None;
                    // A run that ended while it was pending waits for nothing more.
                    if row.detail.waiting.is_some() {
                        Arc::make_mut(&mut row.detail).waiting = None;
                    }
                    row.state = *state;
                    row.exit = Some(*exit);
                    row.reason.clone_from(reason);
                    row.ended_at = Some(*at);
                    row.last = row.last.max(*last);
                });
                let row = self.rows.get(process).map(|known| &known.row);
                let took =
                    row.and_then(|row| Some(at.0.saturating_sub(row.started_at?.0))).unwrap_or_default();
                let message = row.and_then(|row| row.first_error.clone());
                if let Some(number) = row.map(|row| row.runs) {
                    if self.history.len() >= self.bound(self.max_history) {
                        self.history.pop_front();
                    }
                    self.history.push_back((*process, Ended { number, state: *state, exit: *exit, took }));
                }
                let (state, exit, reason, last) = (*state, *exit, reason.clone(), *last);
                let what = What::Exited { state, exit, reason, took, message, last };
                changed && self.happen(*process, *run, *at, what)
            }
            Event::LinesArrived { process, last, .. } => self.change(*process, next, |row| {
                row.last = row.last.max(*last);
            }),
            Event::ErrorDetected { process, run, seq, count, message, at } => {
                let changed = self.change(*process, next, |row| {
                    // A straggler of an old run says nothing about the present one.
                    if row.run != *run {
                        return;
                    }
                    row.errors = *count;
                    if row.first_error.is_none() {
                        row.first_error = Some(message.clone());
                    }
                });
                if changed && self.health < Health::Failing {
                    // One is enough for whoever has not looked yet: the row has the count.
                    self.happenings
                        .retain(|old| old.process != *process || !matches!(old.what, What::Error { .. }));
                    let what = What::Error { seq: *seq, message: message.clone(), count: *count };
                    self.happen(*process, *run, *at, what);
                }
                changed
            }
            Event::UrlDetected { process, run, urls, at } => {
                let known = self.rows.get(process).filter(|known| known.row.run == *run);
                // An event has all of the run, so that one that overtakes another loses nothing.
                let new =
                    urls.get(known.map_or(urls.len(), |known| known.row.urls.len())..).unwrap_or_default();
                let changed = !new.is_empty() && self.change(*process, next, |row| row.urls.clone_from(urls));
                for url in new {
                    self.happen(*process, *run, *at, What::Url(url.clone()));
                }
                changed
            }
            Event::Fault(_) | Event::HealthChanged { .. } | Event::MemorySampled { .. } => false,
        };
        self.stamp(changed)
    }

    /// Counts a change.
    fn stamp(&mut self, changed: bool) -> bool {
        self.revision += u64::from(changed);
        changed
    }

    /// What changed since `since`; in fallback mode every row, when anything did.
    pub(super) fn view(&self, since: Revision, heard: u64) -> View {
        let whole = self.mode == Mode::Fallback && self.revision > since.0;
        let wanted = self.rows.values().filter(|known| whole || known.revision > since.0);
        let rows = wanted.map(|known| known.row.clone());
        let new = self.happenings.partition_point(|happening| happening.number <= heard);
        let happenings = self.happenings.range(new..).cloned().collect();
        View { revision: Revision(self.revision), rows: rows.collect(), happenings }
    }

    pub(super) fn find(&self, root: Option<&Path>, label: &str) -> Option<ProcessId> {
        let is_it = |row: &&Row| root.is_none_or(|root| row.info.root == root) && row.info.label() == label;
        self.rows.values().map(|known| &known.row).find(is_it).map(|row| row.id)
    }

    pub(super) fn row(&self, process: ProcessId) -> Option<Row> {
        self.rows.get(&process).map(|known| known.row.clone())
    }

    pub(super) fn ended(&self, process: ProcessId, number: u32) -> Option<Ended> {
        let of = |(id, ended): &&(ProcessId, Ended)| *id == process && ended.number == number;
        self.history.iter().rev().find(of).map(|(_, ended)| *ended)
    }

    fn change(&mut self, process: ProcessId, revision: u64, change: impl FnOnce(&mut Row)) -> bool {
        let Some(known) = self.rows.get_mut(&process) else { return false };
        let before = known.row.clone();
        change(&mut known.row);
        if known.row == before {
            return false;
        }
        known.revision = revision;
        true
    }

    fn happen(&mut self, process: ProcessId, run: RunId, at: Timestamp, what: What) -> bool {
        if self.happenings.len() >= self.bound(HAPPENINGS) {
            self.happenings.pop_front();
        }
        self.happened += 1;
        let (number, start) = (self.happened, self.rows.get(&process).map_or(0, |known| known.row.runs));
        self.happenings.push_back(Happening { number, process, run, start, at, what });
        true
    }
}
