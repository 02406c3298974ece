//! What a child finds in its environment besides the host's own.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{event::RunId, guard};

/// The variable that marks everything a run started: `HOSTPID-HOSTSTART-RUN`, where the start is in clock ticks since the
/// machine's, so that no later host has the same mark.
pub(super) const RUN_VARIABLE: &str = "BRUMMER_RUN";

/// Colours although the output is a pipe, and Python's lines at once. Tools read the first two by
/// convention (<https://force-color.org>, <https://bixense.com/clicolors>).
const FORCED: [(&str, &str); 3] = [("FORCE_COLOR", "1"), ("CLICOLOR_FORCE", "1"), ("PYTHONUNBUFFERED", "1")];

/// What the terminals of scripts are: that of the editor they may be shown in. The host's own may be another, or none.
const TERM: &str = "xterm-256color";

/// The value of [`RUN_VARIABLE`] for a run of this host.
pub(super) fn mark(run: RunId) -> String {
    static HOST: OnceLock<String> = OnceLock::new();
    let host = HOST.get_or_init(|| {
        let pid = std::process::id();
        let own = i32::try_from(pid).ok().and_then(guard::find);
        format!("{pid}-{}", own.map_or(0, |own| own.started))
    });
    format!("{host}-{}", run.0)
}

/// The limits of open files before [`raise_files`], soft and hard: what children get.
static FILES: OnceLock<(u64, u64)> = OnceLock::new();

/// Lets this program open as many files as it is allowed to: each process takes a few.
pub(super) fn raise_files() {
    let Rlimit { current: Some(soft), maximum: Some(hard) } = getrlimit(Resource::Nofile) else { return };
    if setrlimit(Resource::Nofile, Rlimit { current: Some(hard), maximum: Some(hard) }).is_ok() {
        FILES.get_or_init(|| (soft, hard));
    }
}

/// The limits children are to get; none where they are this program's own.
pub(super) fn original_files() -> Option<(u64, u64)> {
    FILES.get().copied()
}

/// The variables to set for a run. What the user has set stays; with `NO_COLOR` set no colour is forced.
pub(super) fn additions(
    run: RunId,
    terminal: bool,
    own: &[(String, String)],
    inherited: &dyn Fn(&str) -> Option<std::ffi::OsString>,
) -> Vec<(String, String)> {
    let is_set = |name: &str| own.iter().any(|(key, _)| key == name) || inherited(name).is_some();
    let plain = is_set("NO_COLOR");
    let mut additions: Vec<_> = FORCED
        .iter()
        .filter(|(name, _)| !is_set(name) && (!plain || !name.contains("COLOR")))
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    if terminal {
        additions.push(("TERM".to_owned(), TERM.to_owned()));
    }
    additions.extend(own.iter().cloned());
    additions.push((RUN_VARIABLE.to_owned(), mark(run)));
    additions
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    fn names(own: &[(&str, &str)], inherited: &[&str]) -> Vec<String> {
        let own: Vec<_> = own.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let set = |name: &str| inherited.contains(&name).then(|| "x".into());
        additions(RunId(7), false, &own, &set).into_iter().map(|(k, v)| format!("{k}={v}")).collect()
    }

    #[test]
    fn forces_colour_unless_the_user_said_otherwise() {
        let run = format!("BRUMMER_RUN={}", mark(RunId(7)));
        assert!(
            run.starts_with(&format!("BRUMMER_RUN={}-", std::process::id())) && run.ends_with("-7"),
            "{run}"
        );
        assert_eq!(names(&[], &[]), ["FORCE_COLOR=1", "CLICOLOR_FORCE=1", "PYTHONUNBUFFERED=1", &run]);
        assert_eq!(names(&[], &["NO_COLOR"]), ["PYTHONUNBUFFERED=1", &run]);
        assert_eq!(names(&[("NO_COLOR", "1")], &[]), ["PYTHONUNBUFFERED=1", "NO_COLOR=1", &run]);
        assert_eq!(
            names(&[("FORCE_COLOR", "3")], &["PYTHONUNBUFFERED"]),
            ["CLICOLOR_FORCE=1", "FORCE_COLOR=3", &run]
        );
    }
}
