//! What a child finds in its environment besides the host's own.

use crate::event::RunId;

/// The variable that marks everything a run started: `HOSTPID-RUN`.
pub(super) const RUN_VARIABLE: &str = "BRUMMER_RUN";

/// Colours although the output is a pipe, and Python's lines at once. Tools read the first two by
/// convention (<https://force-color.org>, <https://bixense.com/clicolors>).
const FORCED: [(&str, &str); 3] = [("FORCE_COLOR", "1"), ("CLICOLOR_FORCE", "1"), ("PYTHONUNBUFFERED", "1")];

/// The value of [`RUN_VARIABLE`] for a run of this host.
pub(super) fn mark(run: RunId) -> String {
    format!("{}-{}", std::process::id(), run.0)
}

/// The variables to set for a run. What the user has set stays; with `NO_COLOR` set no colour is forced.
pub(super) fn additions(
    run: RunId,
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
        additions(RunId(7), &own, &set).into_iter().map(|(k, v)| format!("{k}={v}")).collect()
    }

    #[test]
    fn forces_colour_unless_the_user_said_otherwise() {
        let run = format!("BRUMMER_RUN={}-7", std::process::id());
        assert_eq!(names(&[], &[]), ["FORCE_COLOR=1", "CLICOLOR_FORCE=1", "PYTHONUNBUFFERED=1", &run]);
        assert_eq!(names(&[], &["NO_COLOR"]), ["PYTHONUNBUFFERED=1", &run]);
        assert_eq!(names(&[("NO_COLOR", "1")], &[]), ["PYTHONUNBUFFERED=1", "NO_COLOR=1", &run]);
        assert_eq!(
            names(&[("FORCE_COLOR", "3")], &["PYTHONUNBUFFERED"]),
            ["CLICOLOR_FORCE=1", "FORCE_COLOR=3", &run]
        );
    }
}
