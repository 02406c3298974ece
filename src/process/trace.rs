//! The living processes of runs whose guard is gone: those that carry a run's mark in their environment, the recorded
//! leader, and what descends from these. Never by name or port.
//!
//! One look at `/proc`, of this user's processes alone. *Lost:* what has cleaned its environment and is no longer anybody's
//! child. This program and what it descends from are never among them: an editor may have been started from a script.

use std::{
    collections::{HashMap, HashSet},
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
};

use super::{
    environment::RUN_VARIABLE,
    identity::{Identity, Stat},
    record::{Record, own_user},
};

/// What one look found, by mark.
pub(super) type Kin = HashMap<String, Vec<Living>>;

/// A process of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Living {
    pub(super) who: Identity,
    pub(super) name: String,
    /// The settings let it live on.
    pub(super) exempt: bool,
}

/// The living processes of each of these runs.
pub(super) fn kin(records: &[&Record]) -> Kin {
    if records.is_empty() {
        return Kin::new();
    }
    let processes = processes();
    let own = line_of(std::process::id(), &processes);
    let mut members: HashMap<u32, &Record> = HashMap::new();
    for stat in processes.values().filter(|stat| !own.contains(&stat.who.pid)) {
        let mark = mark_of(stat);
        let is_its = |record: &&&Record| mark.as_ref() == Some(&record.mark) || record.leader == stat.who;
        if let Some(record) = records.iter().find(is_its) {
            members.insert(stat.who.pid, record);
        }
    }
    // Children come after their parents in no order, so as long as one is found there may be more.
    loop {
        let children: Vec<_> = processes
            .values()
            .filter(|stat| !members.contains_key(&stat.who.pid) && !own.contains(&stat.who.pid))
            .filter_map(|stat| {
                let parent =
                    processes.get(&stat.parent).filter(|parent| parent.who.start <= stat.who.start)?;
                Some((stat.who.pid, *members.get(&parent.who.pid)?))
            })
            .collect();
        if children.is_empty() {
            break;
        }
        members.extend(children);
    }
    let mut found = Kin::new();
    for (&pid, record) in &members {
        // A process that took over a number during the look has not been looked at.
        let Some(stat) = processes.get(&pid).filter(|stat| stat.who.lives()) else { continue };
        // With all below it, as its guard would have it.
        let above = line_of(pid, &processes);
        let members = above.iter().filter(|above| members.contains_key(above));
        let exempt = members.filter_map(|pid| processes.get(pid)).any(|stat| is_exempt(stat, &record.leave));
        let living = Living { who: stat.who, name: stat.name.clone(), exempt };
        found.entry(record.mark.clone()).or_default().push(living);
    }
    found.values_mut().for_each(|living| living.sort_by_key(|living| living.who));
    found
}

/// This user's processes, by number.
fn processes() -> HashMap<u32, Stat> {
    let user = own_user();
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        (entry.metadata().ok()?.uid() == user).then_some(pid)
    });
    numbers.filter_map(Stat::of).map(|stat| (stat.who.pid, stat)).collect()
}

/// A process and what it descends from.
fn line_of(pid: u32, processes: &HashMap<u32, Stat>) -> HashSet<u32> {
    let mut line = HashSet::new();
    let mut next = Some(pid);
    while let Some(pid) = next.filter(|pid| line.insert(*pid)) {
        next = processes.get(&pid).map(|stat| stat.parent);
    }
    line
}

/// The run that started it, as its environment says.
fn mark_of(stat: &Stat) -> Option<String> {
    let environment = fs::read(format!("/proc/{}/environ", stat.who.pid)).ok()?;
    let mark = environment
        .split(|byte| *byte == 0)
        .find_map(|pair| pair.strip_prefix(RUN_VARIABLE.as_bytes())?.strip_prefix(b"="))?;
    // The environment is that of the process whose number it was when it was read.
    stat.who.lives().then(|| String::from_utf8_lossy(mark).into_owned())
}

/// Whether the settings name it: as it calls itself, or its program's file.
fn is_exempt(stat: &Stat, leave: &[String]) -> bool {
    if leave.is_empty() {
        return false;
    }
    let program = fs::read_link(format!("/proc/{}/exe", stat.who.pid)).unwrap_or_default();
    let file = program.file_name().map(Path::new).and_then(Path::to_str);
    leave.iter().any(|name| *name == stat.name || Some(name.as_str()) == file)
}
