//! The one writer: batches in, answers and events out.

use tokio::sync::mpsc;

use super::{
    Question,
    chunk::Facts,
    state::{Appended, Limits, State},
};
use crate::{
    bus::EventBus,
    config::LogStoreConfig,
    event::{Event, ProcessId, RunId, Timestamp},
    process::OutputBatch,
};

/// The writer's loop.
pub(super) struct Writer {
    state: State,
    bus: EventBus,
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(config: &LogStoreConfig, bus: EventBus) -> Self {
        let limits = Limits {
            lines: config.max_entries,
            bytes: config.max_bytes,
            headlines: config.max_error_entries,
        };
        Self { state: State::new(limits), bus }
    }

    /// Serves until every process is gone and nobody can ask any more.
    pub(super) async fn run(
        mut self,
        mut batches: mpsc::Receiver<OutputBatch>,
        mut asked: mpsc::Receiver<Question>,
    ) {
        let (mut writing, mut reading) = (true, true);
        while writing || reading {
            tokio::select! {
                batch = batches.recv(), if writing => match batch {
                    Some(batch) => self.take(batch),
                    None => writing = false,
                },
                question = asked.recv(), if reading => match question {
                    Some(question) => self.answer(question),
                    None => reading = false,
                },
            }
        }
    }

    fn take(&mut self, batch: OutputBatch) {
        // Whoever asked and went away does not want the answer.
        match batch {
            OutputBatch::Begin { process, run, number, at, ack } => {
                ack.send(self.state.begin(process, run, number, at)).ok();
            }
            OutputBatch::Lines { process, run, stream, at, text, cut, after_exit } => {
                let facts = Facts { at, run, stream, after_exit };
                let appended = self.state.append(process, &text, &cut, facts);
                self.tell(process, run, at, appended);
            }
            // The batches before this one are in, and their events are published.
            OutputBatch::End { process, run, ack } => {
                if let Some((seq, message, count)) = self.state.finish(process, run) {
                    let at = Timestamp::now();
                    self.publish(Event::ErrorDetected { process, run, seq, count, message, at });
                }
                ack.send(self.state.last(process)).ok();
            }
        }
    }

    /// Publishing from here never waits: the writer must go on. What the bus sheds of `LinesArrived` the next one
    /// makes good, and the exit names the last line.
    fn tell(&self, process: ProcessId, run: RunId, at: Timestamp, appended: Appended) {
        let Appended { first, last, error, errors } = appended;
        self.publish(Event::LinesArrived { process, first, last });
        if let Some((seq, message)) = error {
            self.publish(Event::ErrorDetected { process, run, seq, count: errors, message, at });
        }
    }

    fn publish(&self, event: Event) {
        let (key, kind) = (event.key(), event.kind());
        if let Err(error) = self.bus.try_publish(event) {
            tracing::debug!(?key, ?kind, %error, "An event was not taken.");
        }
    }

    fn answer(&self, question: Question) {
        match question {
            Question::Read { query, marks_after, answer } => {
                answer.send(self.state.read(&query, marks_after)).ok();
            }
            Question::Around { process, seq, before, after, answer } => {
                answer.send(self.state.around(process, seq, before, after)).ok();
            }
            Question::Headlines { answer } => {
                answer.send(self.state.headlines()).ok();
            }
            Question::Counts { answer } => {
                answer.send(self.state.counts()).ok();
            }
        }
    }
}
