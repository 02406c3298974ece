//! Rows of the process list on their way to the editor. One in which nothing moved but the count of lines is told of four
//! times a second: a flood moves it all the time, and nobody reads it faster.

use std::collections::BTreeMap;

use tokio::time::{Duration, Instant};

use super::frame::ProcRow;

/// How long a row that only counts waits.
const COUNTS: Duration = Duration::from_millis(250);

/// See the module. Bounded by the rows of the model.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// What the editor was told last, and when.
    sent: BTreeMap<u32, (ProcRow, Instant)>,
    /// What it has not been told yet.
    held: BTreeMap<u32, ProcRow>,
}

// === impl Rows ===

impl Rows {
    /// Takes rows that changed, and gives those that are to be sent now.
    pub(super) fn pass(&mut self, changed: Vec<ProcRow>, now: Instant) -> Vec<ProcRow> {
        let mut rows = Vec::new();
        for row in changed {
            let waits = self
                .sent
                .get(&row.id)
                .is_some_and(|(sent, at)| now < *at + COUNTS && only_counts(sent, &row));
            if waits {
                self.held.insert(row.id, row);
            } else {
                self.held.remove(&row.id);
                self.sent.insert(row.id, (row.clone(), now));
                rows.push(row);
            }
        }
        let due = |id: &u32| self.sent.get(id).is_none_or(|(_, at)| now >= *at + COUNTS);
        let ids: Vec<u32> = self.held.keys().copied().filter(due).collect();
        for row in ids.into_iter().filter_map(|id| self.held.remove(&id)) {
            self.sent.insert(row.id, (row.clone(), now));
            rows.push(row);
        }
        rows
    }

    /// When one that waits is to be sent.
    pub(super) fn due(&self) -> Option<Instant> {
        self.held.keys().filter_map(|id| Some(self.sent.get(id)?.1 + COUNTS)).min()
    }

    /// The editor has to be told everything again.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Whether nothing but the count of lines differs.
fn only_counts(sent: &ProcRow, row: &ProcRow) -> bool {
    sent.lines != row.lines && ProcRow { lines: row.lines, ..sent.clone() } == *row
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;
    use crate::event::State;

    fn row(lines: u64, errors: u32) -> ProcRow {
        ProcRow {
            id: 1,
            name: "dev".to_owned(),
            root: "/p".to_owned(),
            cwd: "/p".to_owned(),
            state: State::Running,
            run: 1,
            command: "npm run dev".to_owned(),
            script: "vite".to_owned(),
            pid: None,
            exit_code: None,
            signal: None,
            reason: None,
            started_at: None,
            ended_at: None,
            lines,
            errors,
            package: None,
            waiting: None,
            ready: None,
            not_ready: None,
            left: Vec::new(),
            terminal: false,
            full_screen: false,
            prompt: None,
            elsewhere: None,
            detach: false,
            cpu: None,
            memory: None,
            ports: Vec::new(),
            urls: Vec::new(),
        }
    }

    #[test]
    fn counts_are_told_four_times_a_second_and_the_rest_at_once() {
        let (mut rows, start) = (Rows::default(), Instant::now());
        let mut told = 0;
        for at in 0..1000 {
            let now = start + Duration::from_millis(at);
            told += rows.pass(vec![row(at, 0)], now).len();
        }
        assert_eq!(told, 4);
        assert_eq!(rows.due(), Some(start + Duration::from_millis(1000)));
        let now = start + Duration::from_millis(999);
        assert_eq!(rows.pass(vec![row(999, 1)], now), [row(999, 1)], "an error does not wait");
        assert_eq!(rows.due(), None);
    }

    #[test]
    fn the_last_count_is_told_though_nothing_else_comes() {
        let (mut rows, start) = (Rows::default(), Instant::now());
        assert_eq!(rows.pass(vec![row(1, 0)], start).len(), 1);
        assert!(rows.pass(vec![row(2, 0)], start).is_empty());
        let due = rows.due().expect("one waits");
        assert_eq!(rows.pass(Vec::new(), due), [row(2, 0)]);
        assert_eq!(rows.due(), None);
    }

    #[test]
    fn what_is_forgotten_is_told_again() {
        let (mut rows, start) = (Rows::default(), Instant::now());
        assert_eq!(rows.pass(vec![row(1, 0)], start).len(), 1);
        rows.forget();
        assert_eq!(rows.pass(vec![row(2, 0)], start), [row(2, 0)]);
    }
}
