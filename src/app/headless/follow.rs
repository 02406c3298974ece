//! Starts what was asked for and follows it to its end: what it waits for, how often it is started again, how it ended.

use std::{collections::HashMap, io, sync::Arc};

use jiff::tz::TimeZone;

use super::{clock, tell};
use crate::{
    bus::{EventBus, Filter, Mailbox},
    config::{Backpressure, RestartPolicy, RestartWhen},
    event::{Component, Detail, Event, EventKind, Exit, ProcessId, ProcessInfo, Readiness, State, Timestamp},
    process::{Claims, Manager},
    project::Step,
};

/// Everything that was started, by process.
struct Follower {
    followed: HashMap<ProcessId, Followed>,
    /// The first exit code that is not 0, of the last runs of what was asked for.
    code: u8,
    zone: TimeZone,
}

struct Followed {
    label: String,
    /// Somebody asked for it; the others are there for it.
    asked: bool,
    restart: RestartPolicy,
    over: bool,
    /// What was said last, without its figures: a countdown is said once.
    said: String,
}

/// The events to be followed; from here on none is missed. Those told here are High, so they find room.
pub(super) fn subscribe(bus: &EventBus) -> Mailbox {
    let kinds = [EventKind::ProcessPending, EventKind::ProcessDetail, EventKind::ProcessExited];
    bus.subscribe(Filter::of(&kinds), Component::App, 16, Backpressure::DropOldest)
}

/// Starts everything, and returns when all that was asked for is over; what was started for it may go on. The exit code
/// is the first that is not 0.
pub(super) async fn until_over(
    manager: &Manager,
    (steps, claims): (Vec<Step>, Claims),
    mut events: Mailbox,
) -> io::Result<u8> {
    let mut follower = Follower { followed: HashMap::new(), code: 0, zone: TimeZone::system() };
    let (asked, first): (Vec<Step>, Vec<Step>) = steps.into_iter().partition(|step| step.asked);
    let first: Vec<_> = first.into_iter().map(|step| step.info).collect();
    for Step { info, .. } in asked {
        let followed = Followed::new(&info, true);
        let asked = manager.begin_start_claimed(first.clone(), info, claims.clone());
        let asked = asked.await.map_err(io::Error::other)?;
        let process = asked.done().await.map_err(io::Error::other)?.process();
        follower.followed.insert(process, followed);
    }
    // What none of them starts is free.
    drop(claims);
    while !follower.is_over() {
        let Some(event) = events.recv().await else { break };
        follower.follow(&event);
    }
    Ok(follower.code)
}

// === impl Followed ===

impl Followed {
    fn new(info: &ProcessInfo, asked: bool) -> Self {
        let restart = info.options.restart.clone();
        Self { label: info.label(), asked, restart, over: false, said: String::new() }
    }
}

// === impl Follower ===

impl Follower {
    fn is_over(&self) -> bool {
        self.followed.values().all(|followed| followed.over || !followed.asked)
    }

    fn follow(&mut self, event: &Event) {
        match event {
            Event::ProcessPending { process, info, .. } => {
                let followed = self.followed.entry(*process).or_insert_with(|| Followed::new(info, false));
                followed.over = false;
                followed.said.clear();
            }
            Event::ProcessDetail { process, detail, at, .. } => self.tell_of(*process, detail, *at),
            Event::ProcessExited { process, state, exit, reason, .. } => {
                self.ended(*process, *state, *exit, reason.as_ref());
            }
            _ => {}
        }
    }

    fn ended(&mut self, process: ProcessId, state: State, exit: Exit, reason: Option<&Arc<str>>) {
        let Some(followed) = self.followed.get_mut(&process) else { return };
        if let Some(reason) = reason {
            tell(&format!("{}: {reason}", followed.label));
        }
        // Who gives up says why.
        if state != State::Stopped && reason.is_none() && is_restarted(&followed.restart, exit) {
            return;
        }
        followed.over = true;
        if self.code == 0 && followed.asked && state != State::Stopped {
            self.code = exit_code(exit);
        }
    }

    fn tell_of(&mut self, process: ProcessId, detail: &Detail, at: Timestamp) {
        let Some(followed) = self.followed.get_mut(&process) else { return };
        let text: &str = match detail {
            Detail { waiting: Some(waiting), .. } => waiting,
            Detail { readiness: Readiness::Failed(why), .. } => why,
            _ => return,
        };
        let plain: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
        if plain != followed.said {
            say(&clock(at, &self.zone), &followed.label, text);
            followed.said = plain;
        }
    }
}

/// A line of brummer's own about a script, on standard error: standard output has what the scripts print.
fn say(stamp: &str, label: &str, text: &str) {
    use io::Write;
    // Nothing is to be done when standard error is gone.
    drop(writeln!(io::stderr(), "[{stamp}] {label}: {text}"));
}

/// Whether the script is started again after a run that nobody stopped.
fn is_restarted(policy: &RestartPolicy, exit: Exit) -> bool {
    match (policy.when, exit) {
        (RestartWhen::Never, _) | (_, Exit::NotStarted) | (RestartWhen::OnFailure, Exit::Code(0)) => false,
        (RestartWhen::OnFailure | RestartWhen::Always, Exit::Code(_) | Exit::Signal(_)) => true,
    }
}

/// As a shell tells it: 128 and the signal's number for a process that was killed.
fn exit_code(exit: Exit) -> u8 {
    match exit {
        Exit::Code(code) => u8::try_from(code).unwrap_or(1),
        Exit::Signal(signal) => u8::try_from(128 + signal).unwrap_or(255),
        Exit::NotStarted => 127,
    }
}
