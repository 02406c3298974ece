//! Health: all tasks report faults and look at the states and the report meanwhile. What is kept stays bounded, and every
//! fault is judged or counted as unread.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use brummer::{
    config::Mode,
    event::{Component, Fault, FaultKind, Health},
    health::{GracefulDegradation, Report},
};

use crate::{
    Scale, planted,
    rig::{self, Rig, config, until},
};

/// Of so many operations one is a fault, and one a whole report.
const EACH: usize = 20;

pub fn run(scale: &Scale) -> String {
    rig::run(async {
        let config = config(Mode::Current);
        let mut rig = Rig::start(&config);
        let faults = rig.take_faults();
        let health = GracefulDegradation::start(&config, &rig.resources, rig.bus.clone(), faults);
        let declared = rig.resources.alive();
        let (peak, reported) = (rig.peak(), Arc::new(AtomicU64::new(0)));
        let operations = scale.operations;
        rig::crowd(scale.tasks, scale.limit, |task| {
            let (resources, health) = (rig.resources.clone(), health.clone());
            let reported = Arc::clone(&reported);
            async move {
                for operation in 0..operations {
                    let component = Component::ALL[(task + operation) % Component::COUNT];
                    match (task + operation) % EACH {
                        0 => {
                            let (place, kind) = ("load", FaultKind::Failure);
                            resources.fault(Fault { component, place, kind, message: "planned".into() });
                            reported.fetch_add(1, Relaxed);
                        }
                        1 => check(&health.report()),
                        _ => assert!(health.state(component) <= Health::Failed),
                    }
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
        let most = peak.take();
        let reported = reported.load(Relaxed) + u64::from(planted::is("lost-fault"));
        let judged = || health.report().components.iter().map(|component| component.faults).sum::<u64>();
        let unread = || rig.metrics.snapshot().resource.faults_unread;
        assert_eq!(rig.metrics.snapshot().resource.faults, reported, "faults reported and counted");
        // One that was judged may be unread too: when the bus could not be told of it.
        until("every fault is judged or unread", || judged() + unread() >= reported).await;
        assert!(judged() <= reported, "{} judged, {reported} reported", judged());
        for component in Component::ALL {
            assert_eq!(health.state(component), Health::Failed, "{component}");
        }
        assert!(most <= declared, "{most} tasks at once, {declared} are declared");
        let told = format!(
            "{reported} faults, {} judged, {} unread; tasks {most} of {declared}",
            judged(),
            unread()
        );
        drop(health);
        rig.end().await;
        told
    })
}

fn check(report: &Report) {
    assert!(report.faults.len() <= 20, "{} faults are kept", report.faults.len());
    assert!(report.components.iter().all(|component| component.errors <= 100), "{report:?}");
}
