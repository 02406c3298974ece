//! What has become of a run, by its record. Pure: who lives is asked of the caller.

use std::time::Duration;

use super::{
    identity::{Identity, Machine},
    record::Found,
};
use crate::event::Timestamp;

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Its host serves it, and its leader lives.
    Runs,
    /// Its host serves it, and only what its leader left lives on.
    Lingers,
    /// Somebody is ending it: its host, which leaves, or its guard alone. By when it will be killed, where that is known.
    Ending(Option<Timestamp>),
    /// It was meant to outlive its host, and did.
    Detached,
    /// Nobody answers for it.
    Abandoned,
    /// It is of a machine that has started again since.
    Past,
    /// It is of a namespace whose numbers mean others here.
    Foreign,
}

impl Standing {
    pub(super) fn of(found: &Found, here: &Machine, lives: impl Fn(Identity) -> bool) -> Self {
        let Found { record, stopped } = found;
        if record.machine.boot != here.boot {
            return Self::Past;
        }
        if record.machine.space != here.space {
            return Self::Foreign;
        }
        let killed_at = |at: Timestamp| {
            let grace = Duration::from_millis(record.grace).as_millis();
            Timestamp(at.0.saturating_add(u64::try_from(grace).unwrap_or(u64::MAX)))
        };
        let ending = Self::Ending(stopped.map(killed_at));
        // Without its editor a host is about to leave, though it may not know it yet.
        let served = lives(record.host) && record.editor.is_none_or(&lives);
        match (served, record.detach) {
            (true, _) if stopped.is_some() => ending,
            (true, _) if lives(record.leader) => Self::Runs,
            (true, _) => Self::Lingers,
            (false, true) if stopped.is_none() => Self::Detached,
            (false, _) if lives(record.host) || lives(record.guard) => ending,
            (false, _) => Self::Abandoned,
        }
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;
    use crate::process::record::Records;

    const HOST: Identity = Identity { pid: 10, start: 1 };
    const EDITOR: Identity = Identity { pid: 11, start: 1 };
    const GUARD: Identity = Identity { pid: 12, start: 1 };
    const LEADER: Identity = Identity { pid: 13, start: 1 };

    fn found(detach: bool, stopped: Option<u64>) -> Found {
        let dir = tempfile::tempdir().expect("a directory");
        let mut record = Records::for_test(dir.path(), HOST).blank("10-1-1".to_owned());
        (record.editor, record.guard, record.leader) = (Some(EDITOR), GUARD, LEADER);
        (record.grace, record.detach) = (3000, detach);
        Found { record, stopped: stopped.map(Timestamp) }
    }

    fn of(found: &Found, alive: &[Identity]) -> Standing {
        Standing::of(found, &Machine::here(), |who| alive.contains(&who))
    }

    #[test]
    fn each_death_has_its_meaning() {
        let run = found(false, None);
        assert_eq!(of(&run, &[HOST, EDITOR, GUARD, LEADER]), Standing::Runs);
        assert_eq!(of(&run, &[HOST, EDITOR, GUARD]), Standing::Lingers);
        assert_eq!(of(&run, &[HOST, GUARD, LEADER]), Standing::Ending(None), "its editor is gone");
        assert_eq!(of(&run, &[GUARD, LEADER]), Standing::Ending(None));
        assert_eq!(of(&run, &[EDITOR, LEADER]), Standing::Abandoned);
        assert_eq!(of(&run, &[]), Standing::Abandoned);
        let stopped = found(false, Some(5000));
        for alive in [&[HOST, EDITOR, GUARD, LEADER][..], &[HOST], &[GUARD]] {
            assert_eq!(of(&stopped, alive), Standing::Ending(Some(Timestamp(8000))), "{alive:?}");
        }
        assert_eq!(of(&stopped, &[LEADER]), Standing::Abandoned);
    }

    #[test]
    fn what_is_detached_is_nobodys_to_end_but_for_a_stop() {
        let run = found(true, None);
        assert_eq!(of(&run, &[HOST, EDITOR, GUARD, LEADER]), Standing::Runs);
        assert_eq!(of(&run, &[HOST, GUARD, LEADER]), Standing::Detached);
        assert_eq!(of(&run, &[GUARD, LEADER]), Standing::Detached);
        assert_eq!(of(&run, &[]), Standing::Detached);
        assert_eq!(of(&found(true, Some(5000)), &[GUARD]), Standing::Ending(Some(Timestamp(8000))));
    }

    #[test]
    fn numbers_mean_nothing_on_another_machine() {
        let mut run = found(false, None);
        run.record.machine.space.push('x');
        assert_eq!(of(&run, &[HOST, EDITOR, GUARD, LEADER]), Standing::Foreign);
        run.record.machine.boot.push('x');
        assert_eq!(of(&run, &[HOST, EDITOR, GUARD, LEADER]), Standing::Past);
    }
}
