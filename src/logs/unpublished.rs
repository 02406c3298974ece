//! Lines that are stored and not told of yet. Pure: the time is passed in.

use std::sync::Arc;

use tokio::time::Instant;

use super::{settings::Flush, state::Appended};
use crate::event::{Event, ProcessId, RunId, Seq, Timestamp, Url};

/// Per process, in the order of their first line. One entry for each process that printed since the pipe was empty.
#[derive(Default)]
pub(super) struct Unpublished(Vec<Pending>);

struct Pending {
    process: ProcessId,
    first: Seq,
    last: Seq,
    /// When the first of them was stored.
    since: Instant,
    error: Option<FirstError>,
    urls: Option<Urls>,
}

struct Urls {
    run: RunId,
    at: Timestamp,
    urls: Arc<[Url]>,
}

struct FirstError {
    run: RunId,
    at: Timestamp,
    seq: Seq,
    message: Arc<str>,
    /// Distinct errors of the run by now.
    count: u32,
}

// === impl Unpublished ===

impl Unpublished {
    /// Lines of one batch. A run's errors are told of before the next run begins, so those of one process are of one
    /// run.
    pub(super) fn add(
        &mut self,
        process: ProcessId,
        run: RunId,
        at: Timestamp,
        appended: Appended,
        now: Instant,
    ) {
        let Appended { first, last, error, errors, urls, .. } = appended;
        let urls = urls.map(|urls| Urls { run, at, urls });
        let error = error.map(|(seq, message)| FirstError { run, at, seq, message, count: errors });
        let Some(known) = self.0.iter_mut().find(|known| known.process == process) else {
            self.0.push(Pending { process, first, last, since: now, error, urls });
            return;
        };
        known.last = last;
        // The newest has those before it.
        known.urls = urls.or(known.urls.take());
        match (&mut known.error, error) {
            (Some(known), Some(error)) => known.count = error.count,
            (known @ None, error) => *known = error,
            (Some(_), None) => {}
        }
    }

    /// The events of the processes whose time has come.
    pub(super) fn due(&mut self, flush: Flush, now: Instant) -> Vec<Event> {
        let due = |pending: &mut Pending| {
            let lines = pending.last.0 + 1 - pending.first.0;
            lines >= flush.lines as u64 || now.saturating_duration_since(pending.since) >= flush.after
        };
        self.0.extract_if(.., due).flat_map(Pending::into_events).collect()
    }

    /// The events of all.
    pub(super) fn all(&mut self) -> Vec<Event> {
        self.0.drain(..).flat_map(Pending::into_events).collect()
    }
}

// === impl Pending ===

impl Pending {
    fn into_events(self) -> impl Iterator<Item = Event> {
        let Self { process, first, last, error, urls, .. } = self;
        let urls = urls.map(|Urls { run, at, urls }| Event::UrlDetected { process, run, urls, at });
        let error = error.map(|FirstError { run, at, seq, message, count }| Event::ErrorDetected {
            process,
            run,
            seq,
            count,
            message,
            at,
        });
        [Event::LinesArrived { process, first, last }].into_iter().chain(error).chain(urls)
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use std::time::Duration;

    use super::*;

    const P: ProcessId = ProcessId(1);
    const Q: ProcessId = ProcessId(2);
    const FLUSH: Flush = Flush { lines: 10, after: Duration::from_millis(50) };

    fn lines(first: u64, last: u64, errors: u32) -> Appended {
        let error = (errors > 0).then(|| (Seq(first), format!("error {errors}").into()));
        Appended {
            first: Seq(first),
            last: Seq(last),
            error,
            errors,
            urls: None,
            unclassified: 0,
            panicked: None,
        }
    }

    fn told(events: &[Event]) -> Vec<String> {
        let told = events.iter().map(|event| match event {
            Event::LinesArrived { process, first, last } => format!("{}: {}..{}", process.0, first.0, last.0),
            Event::ErrorDetected { message, count, .. } => format!("{message} of {count}"),
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    #[test]
    fn a_process_is_told_of_when_it_has_enough_lines() {
        let (mut unpublished, now) = (Unpublished::default(), Instant::now());
        unpublished.add(P, RunId(1), Timestamp(1), lines(1, 4, 0), now);
        unpublished.add(Q, RunId(2), Timestamp(1), lines(1, 2, 0), now);
        unpublished.add(P, RunId(1), Timestamp(1), lines(5, 9, 0), now);
        assert_eq!(told(&unpublished.due(FLUSH, now)), [""; 0]);
        unpublished.add(P, RunId(1), Timestamp(1), lines(10, 10, 0), now);
        assert_eq!(told(&unpublished.due(FLUSH, now)), ["1: 1..10"]);
        assert_eq!(told(&unpublished.all()), ["2: 1..2"]);
    }

    #[test]
    fn its_first_line_waits_no_longer_than_it_may() {
        let (mut unpublished, now) = (Unpublished::default(), Instant::now());
        unpublished.add(P, RunId(1), Timestamp(1), lines(1, 1, 0), now);
        let later = now + Duration::from_millis(49);
        unpublished.add(P, RunId(1), Timestamp(1), lines(2, 2, 0), later);
        unpublished.add(Q, RunId(2), Timestamp(1), lines(1, 1, 0), later);
        assert_eq!(told(&unpublished.due(FLUSH, later)), [""; 0]);
        let at_last = now + Duration::from_millis(50);
        assert_eq!(told(&unpublished.due(FLUSH, at_last)), ["1: 1..2"]);
        assert_eq!(told(&unpublished.due(FLUSH, at_last)), [""; 0], "once");
    }

    #[test]
    fn of_several_errors_the_first_is_named_and_the_newest_count_told() {
        let (mut unpublished, now) = (Unpublished::default(), Instant::now());
        unpublished.add(P, RunId(1), Timestamp(1), lines(1, 1, 0), now);
        unpublished.add(P, RunId(1), Timestamp(1), lines(2, 2, 1), now);
        unpublished.add(P, RunId(1), Timestamp(1), lines(3, 3, 2), now);
        unpublished.add(P, RunId(1), Timestamp(1), lines(4, 4, 0), now);
        assert_eq!(told(&unpublished.all()), ["1: 1..4", "error 1 of 2"]);
    }
}
