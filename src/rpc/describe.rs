//! All that is known of one process: where it is defined, how it is run, what its tree is. Asked for by a key, so it may
//! read files and look at processes.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use super::{
    Handles,
    dispatch::{blocking, read_config},
};
use crate::{
    config::{Condition, Config, ReadyProbe, RestartPolicy, RestartWhen, RunOptions, StopSignal},
    event::{ProcessId, ProcessInfo},
    process::Member,
    project,
};

/// Answers `describe`.
pub(super) async fn describe(handles: &Handles, process: ProcessId) -> Result<Value, String> {
    let info = handles.manager.info(process).ok_or("no such process")?;
    let (manager, home) = (handles.manager.clone(), handles.home.clone());
    blocking(handles, "describe", move || {
        let (config, _) = read_config(&info.root, home.as_deref());
        let members = manager.members(process);
        value(&info, &config, &members)
    })
    .await
}

fn value(info: &ProcessInfo, config: &Config, members: &[Member]) -> Value {
    let mut value = json!({
        "argv": info.argv,
        "options": options(&info.options, config.process_manager.stop_grace),
        "processes": members
            .iter()
            .map(|member| json!({ "pid": member.pid, "depth": member.depth, "command": member.command }))
            .collect::<Vec<_>>(),
    });
    // It may have been renamed or taken out since it was started.
    let project = project::load(&info.root, config);
    let label = info.label();
    let script = project.scripts.iter().find(|script| script.label() == label);
    if let Some(script) = script {
        value["kind"] = script.kind.into();
        value["file"] = json!(script.file);
        value["line"] = script.line.into();
        let source = |variable: &project::Variable| json!({ "name": variable.name, "source": variable.source.within(Path::new(&info.root)) });
        value["env"] = script.env.iter().map(source).collect::<Vec<_>>().into();
    }
    value
}

/// How it is run, as one would say it; what is as always is left out, but for how it is stopped.
fn options(options: &RunOptions, grace: Duration) -> Vec<Value> {
    let mut said = Vec::new();
    let mut say = |key: &str, value: String| said.push(json!({ "key": key, "value": value }));
    if !options.after.is_empty() {
        let after = options.after.iter().map(|after| match after.condition {
            Some(Condition::Started) => format!("{} (started)", after.script),
            Some(Condition::Ready) => format!("{} (ready)", after.script),
            Some(Condition::ExitedOk) => format!("{} (exited-ok)", after.script),
            None => after.script.clone(),
        });
        say("after", after.collect::<Vec<_>>().join(", "));
    }
    if let Some(ready) = &options.ready {
        let probe = match &ready.probe {
            ReadyProbe::Log(pattern) => format!("a line that matches {pattern}"),
            ReadyProbe::Port(port) => format!("port {port}"),
            ReadyProbe::Http(url) => format!("GET {url}"),
        };
        say("ready", format!("{probe}, within {}", duration(ready.timeout)));
    }
    if let Some(restart) = restart(&options.restart) {
        say("restart", restart);
    }
    let grace = options.stop_grace.unwrap_or(grace);
    say(
        "stop",
        match options.stop_signal {
            StopSignal::Kill => "SIGKILL".to_owned(),
            signal => format!("{}, SIGKILL after {}", name(signal), duration(grace)),
        },
    );
    if options.pty {
        say("terminal", "yes".to_owned());
    }
    if !options.stdin {
        say("input", "none".to_owned());
    }
    if options.detach {
        say("detach", "lives on when the host ends".to_owned());
    }
    if !options.leave.is_empty() {
        say("leave", options.leave.join(", "));
    }
    said
}

fn restart(policy: &RestartPolicy) -> Option<String> {
    let when = match policy.when {
        RestartWhen::Never => return None,
        RestartWhen::OnFailure => "on-failure",
        RestartWhen::Always => "always",
    };
    let often =
        policy.limit.map_or_else(|| "without end".to_owned(), |limit| format!("at most {limit} times"));
    Some(format!("{when}, after {} to {}, {often}", duration(policy.delay), duration(policy.max_delay)))
}

fn name(signal: StopSignal) -> &'static str {
    match signal {
        StopSignal::Term => "SIGTERM",
        StopSignal::Int => "SIGINT",
        StopSignal::Hup => "SIGHUP",
        StopSignal::Quit => "SIGQUIT",
        StopSignal::Usr1 => "SIGUSR1",
        StopSignal::Usr2 => "SIGUSR2",
        StopSignal::Kill => "SIGKILL",
    }
}

fn duration(time: Duration) -> String {
    match time.as_millis() {
        millis if millis % 1000 == 0 => format!("{} s", millis / 1000),
        millis => format!("{millis} ms"),
    }
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::config::{After, Ready};

    #[test]
    fn how_a_script_is_run_is_said_in_words() {
        let said = |options: &RunOptions| {
            let said = super::options(options, Duration::from_secs(5));
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let line = |one: &Value| format!("{}: {}", text(&one["key"]), text(&one["value"]));
            said.iter().map(line).collect::<Vec<String>>().join("\n")
        };
        expect!["stop: SIGTERM, SIGKILL after 5 s"].assert_eq(&said(&RunOptions::default()));
        let after = |script: &str, condition| After { script: script.to_owned(), condition };
        let all = RunOptions {
            pty: true,
            stdin: false,
            stop_signal: StopSignal::Int,
            stop_grace: Some(Duration::from_millis(300)),
            detach: true,
            leave: vec!["sccache".to_owned(), "gradle".to_owned()],
            restart: RestartPolicy { when: RestartWhen::OnFailure, ..RestartPolicy::default() },
            after: vec![after("db", Some(Condition::Ready)), after("migrate", Some(Condition::ExitedOk))],
            each_time: false,
            ready: Some(Ready { probe: ReadyProbe::Port(5173), timeout: Duration::from_secs(60) }),
        };
        expect![[r#"
            after: db (ready), migrate (exited-ok)
            ready: port 5173, within 60 s
            restart: on-failure, after 1 s to 30 s, at most 5 times
            stop: SIGINT, SIGKILL after 300 ms
            terminal: yes
            input: none
            detach: lives on when the host ends
            leave: sccache, gradle"#]]
        .assert_eq(&said(&all));
    }
}
