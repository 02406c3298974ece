//! What another host runs is not started beside it unless somebody says so.

use jiff::{Timestamp as Instant, tz::TimeZone};

use crate::{
    process::{Claims, Elsewhere, Records},
    project::Step,
};

/// The right to start these steps.
///
/// # Errors
/// What other hosts run or start of them, and what to do, worded for the user.
pub(super) fn claim(records: Option<&Records>, steps: &[Step], another: bool) -> Result<Claims, String> {
    let Some(records) = records else { return Ok(Claims::default()) };
    let wanted = steps.iter().map(|step| (step.info.root.to_string_lossy().into_owned(), step.info.label()));
    records.claim(wanted.collect(), another).map_err(|there| said(&there, &TimeZone::system()))
}

fn said(there: &[Elsewhere], zone: &TimeZone) -> String {
    let one = |run: &Elsewhere| {
        let at = i64::try_from(run.since.0).ok().and_then(|at| Instant::from_millisecond(at).ok());
        let since = at.map(|at| at.to_zoned(zone.clone()).strftime(", since %H:%M").to_string());
        format!("{} runs already (pid {}{})", run.name, run.host.pid, since.unwrap_or_default())
    };
    let all: Vec<_> = there.iter().map(one).collect();
    format!("{}: stop it there, or start another with `brummer run --another`", all.join(", "))
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;
    use crate::{event::Timestamp, process::Identity};

    #[test]
    fn what_runs_elsewhere_is_said_with_what_to_do() {
        let run = |name: &str, pid, since| {
            let (name, host) = (name.to_owned(), Identity { pid, start: 1 });
            Elsewhere { name, root: "/code/app".to_owned(), host, since: Timestamp(since) }
        };
        assert_eq!(
            said(&[run("api", 4711, 36_120_000), run("dev", 4712, 0)], &TimeZone::UTC),
            "api runs already (pid 4711, since 10:02), dev runs already (pid 4712, since 00:00): \
             stop it there, or start another with `brummer run --another`"
        );
    }
}
