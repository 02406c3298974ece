//! Which starts a start brings with it, what each of them waits for, and in which order things end.

use std::{collections::HashMap, path::Path, sync::Arc};

use super::{Again, Entry, Owner, ProcessError, Started, Waiting};
use crate::{
    config::{After, Condition, RunOptions},
    event::{ProcessId, ProcessInfo, RunId},
    process::{
        Claims,
        dependencies::{Dependency, start_order, stop_tiers},
    },
};

/// What was given with a start, by label: it takes the place of what the entries say.
type Given = HashMap<String, ProcessInfo>;

impl Owner {
    /// Starts `info` and, before it, whatever it comes after that is not up. `first` says what that is where nothing is
    /// known of it yet.
    pub(super) fn start(
        &mut self,
        first: Vec<ProcessInfo>,
        info: ProcessInfo,
        claims: &Claims,
    ) -> Result<(Started, Option<Waiting>), ProcessError> {
        #[cfg(test)]
        crate::process::planted::panic_at(&info, "manager");
        let (root, label) = (info.root.clone(), info.label());
        if let Some((process, entry)) = self.find(&root, &label)
            && !entry.may_start()
        {
            entry.hurry();
            return Ok((Started::Running(process), None));
        }
        let mut given: Given = first
            .into_iter()
            .chain([info])
            .filter(|info| info.root == root)
            .map(|info| (info.label(), info))
            .collect();
        let order = self.start_order(&root, &label, &given)?;
        self.check_room(&root, &order)?;
        let mut last = Err(ProcessError::Inside);
        for label in order {
            let known = self.find(&root, &label).map(|(process, _)| process);
            let claim = claims.take(&root.to_string_lossy(), &label);
            last = Ok(match (known, given.remove(&label)) {
                (Some(process), info) => {
                    let (run, waiting) = self.run_again(process, info.map(Arc::new), claim)?;
                    (Started::New(process, run), Some(waiting))
                }
                (None, Some(info)) => (self.start_new(info, claim)?, None),
                // Refused when the order was made.
                (None, None) => continue,
            });
        }
        last
    }

    /// Stops what runs and starts it again, after what it comes after has been brought up.
    pub(super) fn restart(
        &mut self,
        process: ProcessId,
        given: Vec<ProcessInfo>,
    ) -> Result<(RunId, Waiting), ProcessError> {
        self.mirrors.check(process)?;
        let entry = self.entries.get(&process).ok_or(ProcessError::Unknown(process))?;
        let (root, label) = (entry.info.root.clone(), entry.info.label());
        let given = given.into_iter().filter(|info| info.root == root);
        let mut given: Given = given.map(|info| (info.label(), info)).collect();
        let order = self.start_order(&root, &label, &given)?;
        self.check_room(&root, &order)?;
        // Both or none: a stop without its start would not be a restart.
        entry.check(2, 1)?;
        if !entry.is_idle() {
            entry.stop();
        }
        for before in order.iter().filter(|before| **before != label) {
            let known = self.find(&root, before).map(|(process, _)| process);
            match (known, given.remove(before)) {
                (Some(before), info) => drop(self.run_again(before, info.map(Arc::new), None)?),
                (None, Some(info)) => drop(self.start_new(info, None)?),
                // Refused when the order was made.
                (None, None) => {}
            }
        }
        self.run_again(process, given.remove(&label).map(Arc::new), None)
    }

    /// A policy asks for another run, unless something else was asked for since the last one ended.
    pub(super) fn again(&mut self, again: &Again) {
        let &Again { process, run, restart } = again;
        let Some(entry) = self.entries.get(&process) else { return };
        if entry.run != run || entry.stopping {
            return;
        }
        let (root, label) = (entry.info.root.clone(), entry.info.label());
        // Nobody hears an answer, so the run itself says that there is no room for it.
        let refused = self.check_room(&root, &[label]).err().map(|error| error.to_string().into());
        let run = self.next_run();
        self.resources.metrics().process.restarts.increment();
        if let Err(error) = self.hand_start(process, run, (Some(restart), None), refused) {
            tracing::error!(process = process.0, %error, "A restart was lost.");
        }
    }

    /// What the newest run of a process waits for.
    pub(super) fn dependencies(&self, info: &ProcessInfo) -> Vec<Dependency> {
        let mut dependencies = Vec::new();
        for After { script, condition } in &info.options.after {
            let Some((_, entry)) = self.find(&info.root, script) else { continue };
            let ready = entry.info.options.ready.clone();
            let condition =
                condition.unwrap_or(if ready.is_some() { Condition::Ready } else { Condition::Started });
            if !entry.has_done_its_part(condition) {
                let (label, since, standing) = (script.clone(), entry.run, entry.standing.clone());
                dependencies.push(Dependency { label, condition, ready, since, standing });
            }
        }
        dependencies
    }

    /// The entries of a root, or of all: those of one tier end together, the newest first, and nothing before what comes
    /// after it.
    pub(super) fn tiers(&self, root: Option<&Path>) -> Vec<Vec<ProcessId>> {
        let of_root = |entry: &Entry| root.is_none_or(|root| entry.info.root == root);
        let mut all: Vec<_> = self.entries.iter().filter(|(_, entry)| of_root(entry)).collect();
        all.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.run));
        let labels: Vec<_> = all.iter().map(|(_, entry)| (&entry.info, entry.info.label())).collect();
        let numbers: Vec<usize> = (0..all.len()).collect();
        let comes_after = |one: usize, other: usize| {
            let ((one, _), (other, label)) = (&labels[one], &labels[other]);
            one.root == other.root && one.options.after.iter().any(|after| after.script == *label)
        };
        let tiers = stop_tiers(&numbers, comes_after).into_iter();
        tiers.map(|tier| tier.into_iter().map(|number| *all[number].0).collect()).collect()
    }

    fn find(&self, root: &Path, label: &str) -> Option<(ProcessId, &Entry)> {
        // The key owns its parts; a search by borrowed ones would need a type of its own.
        let process = *self.by_name.get(&(root.to_owned(), label.to_owned()))?;
        Some((process, self.entries.get(&process)?))
    }

    /// What has to be started for `label`, in order, itself last.
    fn start_order(&self, root: &Path, label: &str, given: &Given) -> Result<Vec<String>, ProcessError> {
        let options = |label: &str| -> Option<&RunOptions> {
            let known = || self.find(root, label).map(|(_, entry)| &entry.info.options);
            given.get(label).map(|info| &info.options).or_else(known)
        };
        let after = |label: &str| options(label).map(|options| options.after.as_slice()).unwrap_or_default();
        let all = |label: &str| after(label).iter().map(|after| after.script.clone()).collect();
        let known = start_order(label, &all).map_err(ProcessError::Cycle)?;
        if let Some(missing) = known.into_iter().find(|label| options(label).is_none()) {
            return Err(ProcessError::NoDependency { name: label.to_owned(), missing });
        }
        let is_down = |after: &&After| {
            let entry = self.find(root, &after.script).map(|(_, entry)| entry);
            entry.is_none_or(|entry| {
                entry.may_start() && !after.condition.is_some_and(|what| entry.has_done_its_part(what))
            })
        };
        let down =
            |label: &str| after(label).iter().filter(is_down).map(|after| after.script.clone()).collect();
        start_order(label, &down).map_err(ProcessError::Cycle)
    }

    /// Whether all these may run, besides what runs already.
    fn check_room(&self, root: &Path, starting: &[String]) -> Result<(), ProcessError> {
        let starts = |entry: &Entry| entry.info.root == root && starting.contains(&entry.info.label());
        let busy = self.entries.values().filter(|entry| !entry.is_idle() && !starts(entry)).count();
        if busy + starting.len() > self.settings.values().max_processes {
            return Err(ProcessError::TooMany(busy));
        }
        Ok(())
    }
}

// === impl Entry ===

impl Entry {
    /// A start makes a new run of it: it is over, or a stop is under way behind which a start may queue.
    fn may_start(&self) -> bool {
        self.is_idle() || self.stopping
    }

    /// It was only to end with 0, has done so, does not run again just now, and once is enough.
    fn has_done_its_part(&self, condition: Condition) -> bool {
        let was_to_end = condition == Condition::ExitedOk && !self.info.options.each_time;
        was_to_end && self.is_idle() && self.standing.borrow().succeeded
    }
}
