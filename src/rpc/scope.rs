//! Which logs a search, a view or a buffer means: what of them is in memory, and what in histories.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use super::Handles;
use crate::{
    event::ProcessId,
    history::Order,
    logs::Which,
    search::{Filter, Look, Past},
};

/// Which logs are meant.
pub(super) struct Scope {
    pub(super) which: Which,
    /// The projects whose histories belong to it.
    pub(super) roots: Vec<PathBuf>,
    /// What a process of the histories has to be called.
    pub(super) name: Option<String>,
    /// What the processes are called.
    pub(super) labels: HashMap<ProcessId, Arc<str>>,
}

// === impl Scope ===

impl Scope {
    /// The log of a process, or those of a project, or all.
    ///
    /// # Errors
    /// There is no such log.
    pub(super) fn of(handles: &Handles, root: Option<&str>, name: Option<&str>) -> Result<Self, String> {
        let root = root.map(PathBuf::from);
        let rows = handles.model.view(crate::model::Revision::default(), u64::MAX).rows;
        let of_root = rows.into_iter().filter(|row| root.as_ref().is_none_or(|root| row.info.root == *root));
        let infos: Vec<_> = of_root.map(|row| (row.id, row.info)).collect();
        let process = name.and_then(|name| handles.model.find(root.as_deref(), name));
        if let (Some(name), None, None) = (name, process, handles.history.base()) {
            return Err(format!("there is no log of {name}: it has not been run"));
        }
        let mut roots: Vec<_> = root.into_iter().collect();
        if roots.is_empty() {
            roots.extend(infos.iter().map(|(_, info)| info.root.clone()));
            roots.sort();
            roots.dedup();
        }
        let labels = infos.iter().map(|(id, info)| (*id, Arc::from(info.label())));
        let labels = labels.filter(|(id, _)| name.is_none() || process == Some(*id)).collect();
        // A log of which there is only history has no lines in the merged one either: no label lets them pass.
        let which = process.map_or(Which::Merged, Which::Process);
        Ok(Self { which, roots, name: name.map(str::to_owned), labels })
    }

    /// What of this is kept, to be looked through.
    pub(super) async fn look(&self, handles: &Handles, filter: Filter) -> Result<Look, String> {
        let snapshot = handles.logs.snapshot(self.which).await.map_err(|stopped| stopped.to_string())?;
        // In fallback mode there are none, and a line's own word counts.
        let headlines =
            if filter.asks_level() { handles.logs.headlines().await.unwrap_or_default() } else { Vec::new() };
        Ok(Look::new(filter, snapshot, &headlines, |process| self.labels.get(&process).cloned()))
    }

    /// The histories of this, without the lines that `look` has; nothing where none are kept. What `look` has no more is
    /// in them by then.
    ///
    /// # Errors
    /// It is still on its way there.
    pub(super) async fn past(
        &self,
        handles: &Handles,
        look: &Look,
        previous: bool,
        order: Order,
    ) -> Result<Option<Past>, String> {
        let Some(base) = handles.history.base() else { return Ok(None) };
        handles.history.settled().await.map_err(|unsettled| unsettled.to_string())?;
        Ok(Some(Past {
            base: base.to_owned(),
            roots: self.roots.clone(),
            name: self.name.clone(),
            kept: look.snapshot().logs.iter().map(|log| (log.process, log.first)).collect(),
            before: None,
            previous,
            order,
        }))
    }
}
