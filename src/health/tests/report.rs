//! What the report says of what was judged.

use serde_json::{Value, json};

use super::{
    super::{
        ladder::Moment,
        report::{Given, report},
        thresholds::Kind,
        words,
    },
    *,
};
use crate::event::{Pressure, Timestamp};

fn moment(seconds: u64) -> Moment {
    Moment { uptime: Duration::from_secs(seconds), at: Timestamp(1_000_000 + seconds * 1000) }
}

/// The report at a second, as a user of JSON sees it.
fn told(
    judged: &Judged,
    metrics: &SynchronizationMetrics,
    modes: &[(Component, Mode)],
    seconds: u64,
) -> Value {
    let report = report(&Given {
        uptime: Duration::from_secs(seconds),
        judged,
        snapshot: &metrics.snapshot(),
        modes: modes.iter().copied().collect(),
        pressure: Pressure::Warning,
        room: Room { lanes: [100, 500, 1000], all: 5000 },
    });
    serde_json::to_value(report).expect("plain values")
}

#[test]
fn it_has_the_shape_the_editor_reads() {
    let metrics = SynchronizationMetrics::default();
    let mut judged = Judged::new(moment(0));
    for second in 1..=3 {
        judged.fault(moment(second), &fault(Component::Logs, "it broke"));
    }
    judged.look(moment(4), &metrics.snapshot());
    let modes = [(Component::Logs, Mode::Fallback)];
    let report = told(&judged, &metrics, &modes, 62);
    assert_eq!(report["uptime"], 62_000);
    assert_eq!(report["pid"], std::process::id());
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    let names: Vec<_> =
        report["components"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, Component::ALL.map(Component::name));
    let bus = &report["components"][Component::Bus.index()];
    assert_eq!(
        *bus,
        json!({ "name": "bus", "state": "healthy", "mode": "current", "since": 1_000_000, "errors": 0, "faults": 0, "off": [] })
    );
    let logs = &report["components"][Component::Logs.index()];
    assert_eq!((&logs["state"], &logs["mode"]), (&json!("degraded"), &json!("fallback")));
    assert_eq!((&logs["since"], &logs["errors"], &logs["faults"]), (&json!(1_003_000), &json!(1), &json!(3)));
    assert_eq!(logs["reason"], "3 errors in a minute: place: it broke");
    assert_eq!(logs["off"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        report["faults"],
        json!([{ "at": 1_003_000, "component": "logs", "place": "place", "kind": "failure", "message": "it broke", "count": 3 }])
    );
    assert_eq!(
        report["queues"][1],
        json!({ "name": "events medium", "used": 0, "capacity": 500, "dropped": 0, "blocked": 0 })
    );
    assert_eq!(report["queues"][3]["name"], "mailboxes");
    let budgets: Vec<_> =
        report["budgets"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(budgets, ["short work", "processes", "tasks", "history (MB)"]);
    assert_eq!(report["memory"]["pressure"], "warning");
    assert_eq!(report["memory"]["off"].as_array().map(Vec::len), Some(4));
    let names: Vec<_> =
        report["thresholds"].as_array().unwrap().iter().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["event handling", "lock wait", "blocked send", "leaked tasks", "memory"]);
    assert_eq!(report["rates"], json!({ "events": 0, "lines": 0, "workers_busy": 0.0 }));
}

#[test]
fn what_became_of_processes_is_told_once_it_has_happened() {
    let metrics = SynchronizationMetrics::default();
    let judged = Judged::new(moment(0));
    assert_eq!(told(&judged, &metrics, &[], 1)["counters"], json!([]));
    let process = &metrics.process;
    process.restarts.add(5);
    for once in [&process.given_up, &process.not_ready, &process.killed, &process.guards_lost] {
        once.increment();
    }
    let expected = [("restarts", 5), ("given up", 1), ("not ready", 1), ("killed", 1), ("guards lost", 1)];
    let expected: Vec<_> =
        expected.iter().map(|(name, count)| json!({ "name": name, "count": count })).collect();
    assert_eq!(told(&judged, &metrics, &[], 1)["counters"], json!(expected));
}

#[test]
fn rates_are_of_the_time_between_two_looks() {
    let metrics = SynchronizationMetrics::default();
    let mut judged = Judged::new(moment(10));
    metrics.bus.workers.set(4);
    metrics.bus.delivered.attach(|| [0, 500, 0]);
    metrics.logs.lines.add(3000);
    metrics.bus.worker_busy.add(1_000_000);
    metrics.bus.event_time.record(Duration::from_micros(100));
    judged.look(moment(12), &metrics.snapshot());
    let rates = told(&judged, &metrics, &[], 12)["rates"].clone();
    assert_eq!(
        rates,
        json!({ "events": 250, "lines": 1500, "workers_busy": 0.125, "event_p50_us": 100, "event_p99_us": 100 })
    );
    judged.look(moment(13), &metrics.snapshot());
    let rates = told(&judged, &metrics, &[], 13)["rates"].clone();
    assert_eq!(
        rates,
        json!({ "events": 0, "lines": 0, "workers_busy": 0.0, "event_p50_us": 100, "event_p99_us": 100 })
    );
}

#[test]
fn the_last_twenty_faults_are_told_newest_first_and_equal_ones_joined() {
    let metrics = SynchronizationMetrics::default();
    let mut judged = Judged::new(moment(0));
    for number in 0..30 {
        judged.fault(moment(number), &fault(Component::App, &format!("number {number}")));
    }
    for _ in 0..5 {
        judged.fault(moment(40), &fault(Component::App, "number 12"));
    }
    let long = "é".repeat(5000);
    judged.fault(moment(41), &fault(Component::App, &long));
    let report = told(&judged, &metrics, &[], 41);
    let told: Vec<_> = report["faults"].as_array().unwrap().clone();
    assert_eq!(told.len(), 20);
    assert!(told[0]["message"].as_str().is_some_and(|message| message.chars().count() < 420));
    assert_eq!((&told[1]["message"], &told[1]["count"]), (&json!("number 12"), &json!(6)));
    assert_eq!(told[2]["message"], "number 29");
    assert_eq!(told[19]["message"], "number 11");
    assert_eq!(report["components"][Component::App.index()]["faults"], 36);
}

#[test]
fn what_is_switched_off_is_said_for_every_state_of_every_component() {
    let supervised = [Component::Bus, Component::Process, Component::Logs, Component::Model];
    for component in supervised {
        assert!(words::off(component, Health::Healthy, Mode::Current).is_empty());
        let [degraded, failing, failed] = [Health::Degraded, Health::Failing, Health::Failed]
            .map(|health| words::off(component, health, Mode::Current));
        assert!(!degraded.is_empty() && degraded != failing, "{component}");
        assert_eq!(failing, failed, "{component}: failed adds the fallback");
        let fallback = words::off(component, Health::Failed, Mode::Fallback);
        let besides = matches!(component, Component::Bus | Component::Model);
        assert_eq!(fallback.len(), if besides { failing.len() + 1 } else { 1 }, "{fallback:?}");
        assert_eq!(words::off(component, Health::Healthy, Mode::Fallback).len(), 1);
    }
    assert_eq!(words::off_for_memory(Pressure::Normal).len(), 0);
    assert_eq!(words::off_for_memory(Pressure::Critical).len(), 6);
}

#[test]
fn times_are_short_to_read() {
    let micros = [0, 3, 400, 1000, 9_900, 12_345, 100_000, 12_300_000];
    let told = micros.map(|micros| words::time(Duration::from_micros(micros)));
    assert_eq!(told, ["0 ms", "<0.1 ms", "0.4 ms", "1 ms", "9.9 ms", "12 ms", "100 ms", "12.3 s"]);
    assert_eq!(words::size(512 << 20), "512 MB");
}

#[test]
fn the_words_for_a_breach_have_the_units_of_the_report() {
    let said = Kind::ALL.map(Kind::said).join("; ");
    assert!(said.contains("over 100 ms") && said.contains("over 10 ms"), "{said}");
    assert!(said.contains("over 50 ms") && !said.contains("send"), "{said}");
}
