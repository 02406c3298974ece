//! The one writer: batches in, answers and events out.

use std::sync::Arc;

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{
    Counts, Question,
    facts::Facts,
    settings::{Flush, Settings},
    state::{HeldBack, State},
    unpublished::Unpublished,
};
use crate::{
    bus::EventBus,
    event::{Component, Event, Fault, FaultKind, Pressure, Seq, Timestamp},
    history::{Begin, Lines, Recorder},
    locate::Scanner,
    process::OutputBatch,
    resource::{ResourceManager, catch_panic},
};

/// The writer's loop.
pub(super) struct Writer {
    state: State,
    bus: EventBus,
    resources: ResourceManager,
    settings: watch::Receiver<Settings>,
    pressure: watch::Receiver<Pressure>,
    /// Where what has been stored goes on to.
    recorder: Recorder,
    flush: Flush,
    unpublished: Unpublished,
    /// What the metrics have been told.
    counted: Counts,
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(
        settings: watch::Receiver<Settings>,
        bus: EventBus,
        resources: ResourceManager,
        recorder: Recorder,
    ) -> Self {
        let pressure = resources.pressure();
        let (limits, flush) =
            (settings.borrow().limits(Pressure::Normal), settings.borrow().flush(Pressure::Normal));
        let mut writer = Self {
            state: State::new(limits),
            bus,
            resources,
            settings,
            pressure,
            recorder,
            flush,
            unpublished: Unpublished::default(),
            counted: Counts::default(),
        };
        writer.adjust();
        writer
    }

    /// Serves until every process is gone and nobody can ask any more. Lines that have been stored are told of before
    /// it waits.
    pub(super) async fn run(
        mut self,
        mut batches: mpsc::Receiver<OutputBatch>,
        mut asked: mpsc::Receiver<Question>,
    ) {
        let (mut writing, mut reading) = (true, true);
        while writing || reading {
            // Without room for what has been stored nothing more is taken; questions are answered all the same.
            let room = self.recorder.has_room();
            tokio::select! {
                () = self.recorder.room(), if !room => {}
                batch = batches.recv(), if writing && room => match batch {
                    Some(batch) => self.guarded(|writer| writer.take(batch, !batches.is_empty(), Instant::now())),
                    None => writing = false,
                },
                question = asked.recv(), if reading => match question {
                    Some(question) => self.guarded(|writer| writer.answer(question)),
                    None => reading = false,
                },
                Ok(()) = self.settings.changed() => self.guarded(Self::adjust),
                Ok(()) = self.pressure.changed() => self.guarded(Self::adjust),
            }
        }
    }

    /// A panic costs what was being done; the writer goes on, because without it every process would stop.
    fn guarded(&mut self, work: impl FnOnce(&mut Self)) {
        if let Err(said) = catch_panic(|| work(self)) {
            self.fault(said);
            self.tell_all();
        }
    }

    fn fault(&self, message: Arc<str>) {
        let (component, kind) = (Component::Logs, FaultKind::Panic);
        self.resources.fault(Fault { component, place: "writer", kind, message });
    }

    /// Between two batches: takes over what has changed in the settings and how short memory is. What the old path has
    /// stored is told of before the new one goes on.
    fn adjust(&mut self) {
        self.tell_all();
        let pressure = *self.pressure.borrow_and_update();
        let settings = self.settings.borrow_and_update().clone();
        self.flush = settings.flush(pressure);
        for held_back in self.state.set_classify(settings.classify()) {
            self.tell_held_back(held_back);
        }
        let limits = settings.limits(pressure);
        self.state.set_limits(limits);
        let metrics = &self.resources.metrics().logs;
        metrics.limit_lines.set(limits.lines as u64);
        metrics.limit_bytes.set(limits.bytes as u64);
        self.count();
    }

    /// Takes a batch in; `more` says whether another one waits behind it.
    pub(super) fn take(&mut self, batch: OutputBatch, more: bool, now: Instant) {
        // Whoever asked and went away does not want the answer.
        match batch {
            OutputBatch::Begin { process, run, number, at, info, ack } => {
                self.tell_all();
                if let Some(info) = info {
                    self.recorder.begin(&Begin { process, run, number, at, info });
                }
                ack.send(self.state.begin(process, run, number, at)).ok();
            }
            OutputBatch::Lines { process, run, stream, at, text, cut, after_exit } => {
                let facts = Facts { at, run, stream, after_exit };
                let mut appended = self.state.append(process, &text, &cut, facts);
                self.resources.metrics().logs.unclassified.add(appended.unclassified);
                if let Some(said) = appended.panicked.take() {
                    self.fault(said);
                }
                let first = appended.first;
                let count = u32::try_from(appended.last.0 + 1 - first.0).unwrap_or(u32::MAX);
                self.unpublished.add(process, run, at, appended, now);
                self.count();
                let (text, cut) = (text.as_slice(), cut.as_slice());
                self.recorder.lines(&Lines { process, run, stream, at, first, count, text, cut, after_exit });
            }
            // The batches before this one are in; their events are published before it is answered.
            OutputBatch::End { process, run, ack } => {
                self.tell_all();
                if let Some(held_back) = self.state.finish(process, run) {
                    self.tell_held_back(held_back);
                }
                self.recorder.end(self.state.last(process), ack);
            }
        }
        // A lone line is never late: nothing waits while the pipe is empty.
        let due = if more { self.unpublished.due(self.flush, now) } else { self.unpublished.all() };
        self.publish(due);
    }

    fn tell_all(&mut self) {
        let all = self.unpublished.all();
        self.publish(all);
    }

    fn tell_held_back(&self, held_back: HeldBack) {
        let HeldBack { process, run, error, errors: count, panicked } = held_back;
        if let Some(said) = panicked {
            self.fault(said);
        }
        let at = Timestamp::now();
        let error =
            error.map(|(seq, message)| Event::ErrorDetected { process, run, seq, count, message, at });
        self.publish(error);
    }

    /// Publishing from here never waits: the writer must go on. What the bus sheds of `LinesArrived` the next one
    /// makes good, and the exit names the last line.
    fn publish(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            let (key, kind) = (event.key(), event.kind());
            if let Err(error) = self.bus.try_publish(event) {
                tracing::debug!(?key, ?kind, %error, "An event was not taken.");
            }
        }
    }

    /// Tells the metrics what has come and gone since the last time.
    fn count(&mut self) {
        let (before, now) = (self.counted, self.state.counts());
        let metrics = self.resources.metrics();
        metrics.logs.lines.add(now.lines - before.lines);
        metrics.logs.bytes.add(now.bytes - before.bytes);
        metrics.logs.evicted.add(now.evicted - before.evicted);
        metrics.logs.long.add(now.long - before.long);
        metrics.logs.kept_lines.set(now.kept);
        metrics.logs.kept_bytes.set(self.state.bytes() as u64);
        metrics.resource.memory_accounted[Component::Logs.index()].set(self.state.bytes() as u64);
        self.counted = now;
    }

    fn answer(&mut self, question: Question) {
        match question {
            Question::Read { query, marks_after, answer } => {
                answer.send(self.state.read(&query, marks_after)).ok();
            }
            Question::Around { process, seq, before, after, answer } => {
                answer.send(self.state.around(process, seq, before, after)).ok();
            }
            Question::Snapshot { which, answer } => {
                answer.send(self.state.snapshot(which)).ok();
            }
            Question::Headlines { answer } => {
                answer.send(self.state.headlines()).ok();
            }
            Question::Counts { answer } => {
                answer.send(self.state.counts()).ok();
            }
            Question::Settle { answer } => {
                self.adjust();
                answer.send(()).ok();
            }
            Question::Probe { answer } => {
                answer.send(look_for_an_error()).ok();
            }
        }
    }
}

/// Whether errors are found where there is one.
fn look_for_an_error() -> Result<(), String> {
    let found = catch_panic(|| {
        let (mut scanner, mut found) = (Scanner::new(), Vec::new());
        scanner.line(Seq(1), "src/a.ts(3,7): error TS2322: a line to try", &mut found);
        scanner.finish(&mut found);
        found.len()
    });
    match found {
        Ok(0) => Err("looking for errors finds none".to_owned()),
        Ok(_) => Ok(()),
        Err(said) => Err(format!("looking for errors panics: {said}")),
    }
}
