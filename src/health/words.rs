//! What the report says in words: what is switched off in which state, times and sizes. The one place these stand.

use std::time::Duration;

use crate::{
    config::Mode,
    event::{Component, Health, Pressure},
};

const TIMES: &str = "times of events are not measured";
const LOW: &str = "events of low priority are dropped";
const BATCHES: &str = "lines are stored in batches twice as large";
const ONE_START: &str = "scripts start one at a time";
const FRAMES: &str = "the editor hears of changes every 33 ms instead of every 16";

/// Characters of a reason, and one for what was cut.
const BRIEF: usize = 99;

/// What a component does without in a state and a mode.
pub(super) fn off(component: Component, state: Health, mode: Mode) -> Vec<&'static str> {
    let mut off = match (component, state) {
        // These two do without it all by themselves.
        (Component::Process | Component::Logs, _) if mode == Mode::Fallback => vec![],
        (_, Health::Healthy) => vec![],
        (Component::Bus, Health::Degraded) => vec![TIMES],
        (Component::Bus, _) => vec![TIMES, LOW],
        (Component::Process, Health::Degraded) => vec!["half as many scripts start at once"],
        (Component::Process, _) => vec![ONE_START],
        (Component::Logs, Health::Degraded) => vec![BATCHES],
        (Component::Logs, _) => vec![BATCHES, "no errors are looked for in new lines"],
        (Component::Model, Health::Degraded) => vec![FRAMES],
        (Component::Model, _) => vec![FRAMES, "errors are counted but not announced"],
        _ => vec![],
    };
    if mode == Mode::Fallback {
        let less = match component {
            Component::Bus => "events are delivered one after the other",
            Component::Process => ONE_START,
            Component::Logs => "lines are kept, and no errors are looked for in them",
            Component::Model => "the editor is sent everything whenever anything changed",
            _ => "a simpler implementation runs",
        };
        off.push(less);
    }
    off
}

/// What all components do without while memory is short.
pub(super) fn off_for_memory(pressure: Pressure) -> Vec<&'static str> {
    let warning = ["memory figures are not published", TIMES, BATCHES, FRAMES];
    let critical = ["logs and history keep half as much", LOW];
    match pressure {
        Pressure::Normal => vec![],
        Pressure::Warning => warning.to_vec(),
        Pressure::Critical => [&warning[..], &critical].concat(),
    }
}

/// The first line, and of a long one its beginning: what a notice has room for.
pub(super) fn brief(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(BRIEF) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// `12 ms`, `0.4 ms`, `12.3 s`; `<0.1 ms` is not nothing.
pub(super) fn time(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        ..0.05 if !time.is_zero() => "<0.1 ms".to_owned(),
        ..10.0 => format!("{} ms", (millis * 10.0).round() / 10.0),
        ..10_000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.1} s", millis / 1e3),
    }
}

/// `512 MB`, of 1,048,576 bytes as in the settings.
pub(super) fn size(bytes: u64) -> String {
    format!("{} MB", bytes >> 20)
}
