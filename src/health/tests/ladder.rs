//! Every edge between the states, by a driven clock.

use super::{
    super::{
        ladder::{ERRORS, Ladder, Moment},
        thresholds::Kind,
    },
    *,
};
use crate::event::{FaultKind, Health::*, Timestamp};

/// A ladder and its clock.
struct Driven {
    ladder: Ladder,
    now: Duration,
}

fn driven() -> Driven {
    Driven { ladder: Ladder::new(Timestamp(0)), now: Duration::from_secs(1000) }
}

// === impl Driven ===

impl Driven {
    fn moment(&self) -> Moment {
        Moment { uptime: self.now, at: Timestamp(self.now.as_millis() as u64) }
    }

    fn after(&mut self, seconds: u64) -> &mut Self {
        self.now += Duration::from_secs(seconds);
        self
    }

    fn error(&mut self) -> Health {
        self.ladder.error(self.moment(), FaultKind::Failure, "writer: it broke");
        self.ladder.state()
    }

    fn errors(&mut self, count: usize) -> Health {
        (0..count).map(|_| self.error()).last().unwrap_or(self.ladder.state())
    }

    fn breach(&mut self, kind: Kind, times: u64) -> Health {
        self.ladder.breach(self.moment(), kind, times);
        self.ladder.state()
    }

    /// Lets 30 s pass and probes, as the task would.
    fn probe(&mut self, answer: Result<(), &str>) -> Health {
        self.after(30);
        assert!(self.due(), "30 s after the last one a probe is due");
        self.answer(answer)
    }

    fn due(&mut self) -> bool {
        self.ladder.probe_due(self.now)
    }

    fn answer(&mut self, answer: Result<(), &str>) -> Health {
        self.ladder.probed(self.moment(), answer.map_err(str::to_owned));
        self.ladder.state()
    }
}

#[test]
fn three_five_and_ten_errors_in_a_minute_are_the_three_steps_down() {
    let mut driven = driven();
    let states: Vec<_> = (0..11).map(|_| driven.after(1).error()).collect();
    let expected =
        [Healthy, Healthy, Degraded, Degraded, Failing, Failing, Failing, Failing, Failing, Failed, Failed];
    assert_eq!(states, expected);
}

#[test]
fn an_error_counts_for_a_minute() {
    let mut driven = driven();
    assert_eq!(driven.errors(2), Healthy);
    assert_eq!(driven.after(60).error(), Healthy, "the two are 60 s old");
    assert_eq!(driven.after(59).error(), Healthy, "two in the minute");
    assert_eq!(driven.error(), Degraded);
    // And steps that were taken stay, however old the errors are.
    assert_eq!(driven.after(600).error(), Degraded);
    assert_eq!(driven.ladder.errors(driven.now), 1);
}

#[test]
fn a_handler_that_does_not_return_degrades_at_once() {
    let mut driven = driven();
    let change =
        driven.ladder.error(driven.moment(), FaultKind::Stuck, "update: handler takes longer than 5s");
    let change = change.expect("a change");
    assert_eq!((change.from, change.to), (Healthy, Degraded));
    assert!(change.reason.contains("1 error in a minute: update: handler"), "{}", change.reason);
}

#[test]
fn three_breaches_of_one_kind_degrade_and_more_do_no_worse() {
    let mut driven = driven();
    assert_eq!(driven.breach(Kind::LockWait, 2), Healthy);
    assert_eq!(driven.breach(Kind::BlockedSend, 2), Healthy, "of another kind");
    assert_eq!(driven.after(60).breach(Kind::LockWait, 2), Healthy, "the first two are 60 s old");
    assert_eq!(driven.breach(Kind::LockWait, 1), Degraded);
    assert!(driven.ladder.reason().is_some_and(|reason| &**reason == "waiting for a lock took over 10 ms"));
    assert_eq!(driven.breach(Kind::LockWait, 1000), Degraded);
    assert_eq!(driven.breach(Kind::Memory, 1000), Degraded);
    // Errors go on from there.
    assert_eq!(driven.errors(5), Failing);
}

#[test]
fn a_failed_probe_while_failing_is_a_failure_and_before_that_it_is_not() {
    let mut driven = driven();
    assert_eq!(driven.errors(3), Degraded);
    assert_eq!(driven.probe(Err("no answer")), Degraded);
    assert_eq!(driven.errors(5), Failing);
    assert_eq!(driven.probe(Ok(())), Failing);
    assert_eq!(driven.probe(Err("no answer")), Failed);
    assert_eq!(driven.ladder.reason().map(|reason| &**reason), Some("a check failed: no answer"));
}

#[test]
fn three_successes_in_a_row_lead_back_from_every_state() {
    for (errors, state) in [(3, Degraded), (5, Failing), (10, Failed)] {
        let mut driven = driven();
        assert_eq!(driven.errors(errors), state);
        assert_eq!(driven.probe(Ok(())), state);
        assert_eq!(driven.probe(Ok(())), state);
        assert_eq!(driven.probe(Ok(())), Healthy, "from {state:?}");
        assert_eq!(driven.ladder.since(), driven.moment().at);
        // Nothing is left of it: it takes as many errors again.
        assert_eq!(driven.errors(2), Healthy);
        assert_eq!(driven.error(), Degraded);
    }
}

#[test]
fn an_error_in_between_starts_the_count_again() {
    let mut driven = driven();
    assert_eq!(driven.errors(10), Failed);
    driven.probe(Ok(()));
    driven.probe(Ok(()));
    driven.after(1).error();
    driven.now -= Duration::from_secs(1);
    assert_eq!(driven.probe(Ok(())), Failed, "an error came since the last probe");
    assert_eq!(driven.probe(Ok(())), Failed);
    assert_eq!(driven.probe(Ok(())), Failed);
    assert_eq!(driven.probe(Ok(())), Healthy);
}

#[test]
fn a_failed_probe_in_between_starts_the_count_again() {
    let mut driven = driven();
    driven.errors(3);
    for answer in [Ok(()), Ok(()), Err("no"), Ok(()), Ok(())] {
        assert_eq!(driven.probe(answer), Degraded);
    }
    assert_eq!(driven.probe(Ok(())), Healthy);
}

#[test]
fn while_breaches_go_on_no_probe_succeeds() {
    let mut driven = driven();
    assert_eq!(driven.breach(Kind::EventHandling, 3), Degraded);
    for _ in 0..9 {
        assert_eq!(driven.probe(Ok(())), Degraded);
        driven.breach(Kind::EventHandling, 3);
    }
    // The last breaches count for a minute.
    assert_eq!([Ok(()), Ok(()), Ok(()), Ok(())].map(|answer| driven.probe(answer)).last(), Some(&Healthy));
}

#[test]
fn a_probe_is_due_every_thirty_seconds_and_never_a_second_one_beside_it() {
    let mut driven = driven();
    assert!(!driven.due(), "not while healthy");
    driven.errors(10);
    assert!(!driven.after(29).due());
    assert!(driven.after(1).due());
    assert!(!driven.after(3600).due(), "half open: one probe at a time");
    assert_eq!(driven.answer(Ok(())), Failed);
    assert!(driven.due());
    assert_eq!(driven.answer(Ok(())), Failed);
    assert!(!driven.after(29).due());
    assert!(driven.after(1).due());
    assert_eq!(driven.answer(Ok(())), Healthy);
    assert!(!driven.after(60).due(), "healthy: no probe");
}

/// Panics say what they like; a reason goes into a notice.
#[test]
fn a_reason_is_one_short_line() {
    let mut driven = driven();
    let said = format!("update: {}\nand where it was", "é".repeat(5000));
    let change = driven.ladder.error(driven.moment(), FaultKind::Stuck, &said).expect("it degrades");
    assert!(change.reason.starts_with("1 error in a minute: update: éé"), "{}", change.reason);
    assert!(change.reason.ends_with('…') && change.reason.chars().count() <= 100, "{}", change.reason);
    let change = driven.ladder.error(driven.moment(), FaultKind::Stuck, "update: no");
    assert_eq!(change, None, "it is degraded already");
    for kind in Kind::ALL {
        assert!(kind.said().len() <= 45, "{kind:?} leaves room for who and where to look");
    }
}

#[test]
fn a_flood_of_errors_is_remembered_in_bounded_room() {
    let mut driven = driven();
    assert_eq!(driven.errors(10_000), Failed);
    assert_eq!(driven.ladder.errors(driven.now), ERRORS);
}

#[test]
fn a_healthy_component_is_asked_right_after_a_panic_and_has_failed_when_it_does_not_work() {
    let mut driven = driven();
    let panic =
        |driven: &mut Driven| driven.ladder.error(driven.moment(), FaultKind::Panic, "writer: it broke");
    panic(&mut driven);
    assert!(driven.due(), "at once");
    assert!(!driven.due(), "one at a time");
    assert_eq!(driven.answer(Ok(())), Healthy, "it was one piece of work");
    assert!(!driven.after(3600).due(), "and that is all");

    panic(&mut driven);
    assert!(driven.due());
    assert_eq!(driven.answer(Err("the writer does not answer")), Failed);
    assert!(driven.ladder.reason().is_some_and(|reason| reason.contains("the writer does not answer")));
    // From here the way back is the usual one, also when the probes themselves panic.
    panic(&mut driven);
    assert!(!driven.after(29).due());
    driven.after(1);
    let states: Vec<_> = (0..4).map(|_| driven.probe(Ok(()))).collect();
    assert_eq!(states, [Failed, Failed, Failed, Healthy], "the first one sees the panic");
}

#[test]
fn a_panic_that_degrades_is_asked_after_too_and_counts_for_nothing_on_the_way_back() {
    let mut driven = driven();
    for _ in 0..3 {
        driven.ladder.error(driven.moment(), FaultKind::Panic, "writer: it broke");
    }
    assert!(driven.due(), "at once");
    assert_eq!(driven.answer(Ok(())), Degraded);
    assert!(!driven.after(29).due());
    driven.after(1);
    assert!(driven.due());
    assert_eq!(driven.answer(Ok(())), Degraded);
    assert_eq!(driven.probe(Ok(())), Degraded);
    assert_eq!(driven.probe(Ok(())), Healthy);
}
