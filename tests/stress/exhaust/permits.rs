//! All permits held; more faults than wait to be read.

use std::time::Duration;

use brummer::{
    config::Mode,
    event::{Component, Fault, FaultKind},
    resource::FAULTS,
};

use crate::{
    Scale, planted,
    rig::{self, Rig, config, until},
};

const PERMITS: usize = 4;

pub fn permits(_scale: &Scale) -> String {
    rig::run(async {
        let mut config = config(Mode::Current);
        config.resources.max_tasks = PERMITS;
        let rig = Rig::start(&config);
        let mut held = Vec::new();
        for _ in 0..PERMITS {
            held.push(rig.resources.try_acquire(Component::Logs).expect("there is one"));
        }
        for refusals in 1..=3 {
            let refused = rig.resources.try_acquire(Component::Rpc).err().expect("all are held");
            assert_eq!((refused.component, refused.limit), (Component::Rpc, PERMITS));
            assert!(refused.to_string().contains("permits"), "{refused}");
            assert_eq!(rig.metrics.snapshot().resource.permits_refused, refusals);
        }
        let waiting = tokio::spawn({
            let resources = rig.resources.clone();
            async move { resources.acquire(Component::Rpc).await.component() }
        });
        let work = rig.resources.blocking(Component::Locate, "work", || 7);
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished() && !work.is_finished(), "nobody gets one that is held");
        assert_eq!(rig.metrics.snapshot().resource.permits_in_use, PERMITS as u64);

        if planted::is("no-recovery") {
            std::mem::forget(std::mem::take(&mut held));
        }
        drop(held);
        let come =
            tokio::time::timeout(Duration::from_secs(10), async { (waiting.await.unwrap(), work.await) });
        assert_eq!(come.await, Ok((Component::Rpc, Some(7))), "who waited for a permit gets it");
        until("permits are given back", || rig.metrics.snapshot().resource.permits_in_use == 0).await;
        let again: Vec<_> = (0..PERMITS).map(|_| rig.resources.try_acquire(Component::Rpc)).collect();
        assert!(again.iter().all(Result::is_ok), "all are free again");
        drop(again);
        rig.end().await;
        format!("{PERMITS} held, 3 refused, 2 waited and came")
    })
}

pub fn faults(_scale: &Scale) -> String {
    const BEYOND: usize = 10;
    rig::run(async {
        let mut rig = Rig::start(&config(Mode::Current));
        let fault = || Fault {
            component: Component::App,
            place: "stress",
            kind: FaultKind::Failure,
            message: "made on purpose".into(),
        };
        for _ in 0..FAULTS + BEYOND {
            rig.resources.fault(fault());
        }
        let told = rig.metrics.snapshot().resource;
        assert_eq!((told.faults, told.faults_unread), ((FAULTS + BEYOND) as u64, BEYOND as u64));
        for _ in 0..FAULTS {
            assert_eq!(rig.faults().try_recv(), Ok(fault()));
        }
        assert!(rig.faults().try_recv().is_err(), "no more wait than there is room for");
        // There is room again, also for a panic.
        rig.resources.spawn(Component::App, "panics", async { panic!("a planned panic") }).await;
        if !planted::is("unread-fault") {
            assert_eq!(rig.faults().recv().await.map(|fault| fault.kind), Some(FaultKind::Panic));
        }
        rig.end().await;
        format!("{FAULTS} waited, {BEYOND} were only counted, and the next one came")
    })
}
