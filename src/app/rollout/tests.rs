//! The four combinations of the switches for every component: with a double that writes down what it is told, and with the
//! components themselves.

use std::{
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
    time::Duration,
};

use tokio::time::timeout;

use super::*;
use crate::{
    app::Core,
    bus::Filter,
    config::Rollout,
    event::{Event, EventKind, Fault, FaultKind, ProcessId, ProcessInfo, RunId, Timestamp},
    metrics::SynchronizationMetrics,
    sync::Mutex,
};

/// `enable_new_sync` and `fallback_mode`, what starts, and whether a failure changes it. Both off is refused while loading.
const COMBINATIONS: [(bool, bool, Mode, bool); 4] = [
    (true, false, Mode::Current, false),
    (true, true, Mode::Current, true),
    (false, true, Mode::Fallback, false),
    (false, false, Mode::Current, false),
];

const SUPERVISED: [Component; 4] = [Component::Bus, Component::Process, Component::Logs, Component::Model];

/// What a double was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Told {
    Degrade(Health),
    Switch(Mode),
}

/// Stands for the component at this position.
#[derive(Clone)]
struct Double<const COMPONENT: usize> {
    told: Arc<Mutex<Vec<Told>>>,
    mode: Arc<Mutex<Mode>>,
}

// === impl Double ===

impl<const AT: usize> Supervised for Double<AT> {
    const COMPONENT: Component = Component::ALL[AT];

    fn mode(&self) -> Mode {
        *self.mode.lock()
    }

    async fn switch(&self, mode: Mode) {
        tokio::task::yield_now().await;
        *self.mode.lock() = mode;
        self.told.lock().push(Told::Switch(mode));
    }

    fn degrade(&self, health: Health) {
        self.told.lock().push(Told::Degrade(health));
    }

    async fn probe(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Settings in which one component has these switches.
fn config(component: Component, enable_new_sync: bool, fallback_mode: bool) -> Config {
    let mut config = Config::default();
    let rollout = match component {
        Component::Bus => &mut config.eventbus.rollout,
        Component::Process => &mut config.process_manager.rollout,
        Component::Logs => &mut config.log_store.rollout,
        _ => &mut config.model.rollout,
    };
    *rollout = Rollout { enable_new_sync, fallback_mode };
    config
}

fn of(rollouts: Rollouts, component: Component) -> RolloutMode {
    match component {
        Component::Bus => rollouts.bus,
        Component::Process => rollouts.process,
        Component::Logs => rollouts.logs,
        _ => rollouts.model,
    }
}

fn faults(resources: &ResourceManager, component: Component, count: usize) {
    for _ in 0..count {
        let (place, message) = ("test", Arc::from("it broke"));
        resources.fault(Fault { component, place, kind: FaultKind::Failure, message });
    }
}

/// Waits until a component is so; minutes of a paused clock.
async fn until(health: &GracefulDegradation, component: Component, state: Health) {
    let mut states = health.changed();
    let wait = states.wait_for(|states| states[component.index()] == state);
    timeout(Duration::from_secs(600), wait).await.expect("in time").expect("health runs");
}

async fn until_so(what: &str, so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[test]
fn each_combination_of_each_component_is_read() {
    for component in SUPERVISED {
        for (new, fallback, start, switches) in COMBINATIONS {
            let rollouts = Rollouts::of(&config(component, new, fallback));
            let rollout = of(rollouts, component);
            assert_eq!(
                (rollout.start(), rollout.switches()),
                (start, switches),
                "{component} {new} {fallback}"
            );
            let others = SUPERVISED.into_iter().filter(|other| *other != component);
            for other in others {
                assert_eq!(of(rollouts, other), RolloutMode::Current, "{component} is not {other}");
            }
        }
    }
}

/// Lets a double of one component get worse step by step and recover.
async fn down_and_back<const AT: usize>() {
    let component = Component::ALL[AT];
    for (new, fallback, start, switches) in COMBINATIONS {
        let config = config(component, new, fallback);
        let rollout = of(Rollouts::of(&config), component);
        let metrics = Arc::new(SynchronizationMetrics::default());
        let (resources, unread) = ResourceManager::new(&config.resources, Arc::clone(&metrics));
        let bus = EventBus::start(&config.eventbus, Mode::Current, &resources, metrics);
        let health = GracefulDegradation::start(&config, &resources, bus.clone(), unread);
        let double = Double::<AT> { told: Arc::default(), mode: Arc::new(Mutex::new(rollout.start())) };
        supervise(&double, rollout, &health, &resources);
        let mut expected = Vec::new();
        for (errors, state) in
            [(3, Health::Degraded), (2, Health::Failing), (5, Health::Failed), (0, Health::Healthy)]
        {
            faults(&resources, component, errors);
            until(&health, component, state).await;
            expected.push(Told::Degrade(state));
            match state {
                Health::Failed if switches => expected.push(Told::Switch(Mode::Fallback)),
                Health::Healthy if switches => expected.push(Told::Switch(Mode::Current)),
                _ => {}
            }
            until_so("it is told", || double.told.lock().len() >= expected.len()).await;
            assert_eq!(*double.told.lock(), expected, "{component} {new} {fallback}");
            let now = if switches && state == Health::Failed { Mode::Fallback } else { start };
            assert_eq!(double.mode(), now, "{component} {new} {fallback} {state:?}");
            assert_eq!(health.report().components[AT].mode, now);
        }
        resources.shutdown().begin();
        bus.stop().await;
        assert_eq!(resources.drained(Duration::from_secs(20)).await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn each_step_is_told_and_a_failure_switches_where_it_may() {
    down_and_back::<{ Component::Bus as usize }>().await;
    down_and_back::<{ Component::Process as usize }>().await;
    down_and_back::<{ Component::Logs as usize }>().await;
    down_and_back::<{ Component::Model as usize }>().await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_hangs_holds_up_neither_the_others_nor_the_end() {
    #[derive(Clone)]
    struct Hangs(Double<{ Component::Bus as usize }>);
    impl Supervised for Hangs {
        const COMPONENT: Component = Component::Bus;
        fn mode(&self) -> Mode {
            self.0.mode()
        }
        async fn switch(&self, _mode: Mode) {
            std::future::pending::<()>().await;
        }
        fn degrade(&self, health: Health) {
            self.0.degrade(health);
        }
        async fn probe(&self) -> Result<(), String> {
            self.0.probe().await
        }
    }
    let core = Core::build(&Config::default());
    let double = Double { told: Arc::default(), mode: Arc::default() };
    let hangs = Hangs(double.clone());
    supervise(&hangs, RolloutMode::CurrentThenFallback, &core.health, &core.resources);
    let other = Double::<{ Component::Logs as usize }> { told: Arc::default(), mode: Arc::default() };
    supervise(&other, RolloutMode::CurrentThenFallback, &core.health, &core.resources);
    faults(&core.resources, Component::Bus, 10);
    until_so("the bus has failed", || double.told.lock().contains(&Told::Degrade(Health::Failed))).await;
    faults(&core.resources, Component::Logs, 10);
    until_so("the logs fall back", || other.mode() == Mode::Fallback).await;
    assert_eq!(core.drain().await, 0);
}

/// A panic in a component's own code must not leave it without anybody who looks after it.
#[tokio::test(start_paused = true)]
async fn a_component_that_panics_when_it_is_told_is_still_followed() {
    #[derive(Clone)]
    struct Panics(Double<{ Component::Logs as usize }>);
    impl Supervised for Panics {
        const COMPONENT: Component = Component::Logs;
        fn mode(&self) -> Mode {
            self.0.mode()
        }
        async fn switch(&self, mode: Mode) {
            self.0.switch(mode).await;
        }
        fn degrade(&self, health: Health) {
            self.0.degrade(health);
            assert_ne!(health, Health::Degraded, "planted");
        }
        async fn probe(&self) -> Result<(), String> {
            self.0.probe().await
        }
    }
    let core = Core::build(&Config::default());
    let double = Double { told: Arc::default(), mode: Arc::default() };
    supervise(&Panics(double.clone()), RolloutMode::CurrentThenFallback, &core.health, &core.resources);
    faults(&core.resources, Component::Logs, 3);
    until_so("it is told", || double.told.lock().contains(&Told::Degrade(Health::Degraded))).await;
    faults(&core.resources, Component::Logs, 10);
    until_so("it falls back", || double.mode() == Mode::Fallback).await;
    until(&core.health, Component::Logs, Health::Healthy).await;
    until_so("it returns", || double.mode() == Mode::Current).await;
    let faults = core.health.report().faults;
    assert!(faults.iter().any(|fault| (fault.place, fault.kind) == ("supervision", "panic")), "{faults:?}");
    assert_eq!(core.drain().await, 0);
}

/// The components themselves: start mode, switch at a failure, return after recovery.
#[tokio::test(start_paused = true)]
async fn the_components_themselves_start_switch_and_return() {
    for component in SUPERVISED {
        for (new, fallback, start, switches) in COMBINATIONS {
            let config = config(component, new, fallback);
            let core = Core::build(&config);
            let (logs, output) = core.logs(&config);
            let manager = core.manager(&config, output);
            let mode = || match component {
                Component::Bus => core.bus.mode(),
                Component::Process => manager.mode(),
                Component::Logs => logs.mode(),
                _ => core.model.mode(),
            };
            let case = format!("{component} {new} {fallback}");
            assert_eq!(mode(), start, "{case}");
            faults(&core.resources, component, 10);
            until(&core.health, component, Health::Failed).await;
            let failed = if switches { Mode::Fallback } else { start };
            until_so(&format!("{case}: {failed:?} at a failure"), || mode() == failed).await;
            assert_eq!(core.health.report().components[component.index()].mode, failed, "{case}");
            until(&core.health, component, Health::Healthy).await;
            until_so(&format!("{case}: {start:?} after recovery"), || mode() == start).await;
            manager.shutdown(Duration::ZERO).await;
            drop((manager, logs));
            assert_eq!(core.drain().await, 0, "{case}");
        }
    }
}

/// Real panics, not faults that a test reports: they come while events flow, and the events go on flowing, in order and
/// once each, through the failure, the fallback and the return.
#[tokio::test(start_paused = true)]
async fn panics_under_load_bring_the_fallback_and_time_without_them_the_current_one_back() {
    const KEYS: u32 = 8;
    let core = Core::build(&config(Component::Bus, true, true));
    let seen: Arc<Mutex<Vec<(ProcessId, RunId)>>> = Arc::default();
    let keeps = Arc::clone(&seen);
    let kinds = Filter::of(&[EventKind::ProcessPending]);
    let _keeper = core.bus.on(kinds, Component::App, "keeps", move |event| {
        if let Event::ProcessPending { process, run, .. } = event {
            keeps.lock().push((*process, *run));
        }
    });
    let left = AtomicUsize::new(10);
    let panics = core.bus.on(kinds, Component::Bus, "panics", move |_| {
        let more = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        assert!(more.is_err(), "planted");
    });
    let (bus, over) = (core.bus.clone(), core.resources.shutdown());
    let load = core.resources.spawn(Component::App, "load", async move {
        let info = Arc::new(ProcessInfo::of_shell("true"));
        let mut published = 0;
        while !over.is_begun() {
            published += 1;
            for key in 1..=KEYS {
                let (process, run, at) = (ProcessId(key), RunId(published), Timestamp(0));
                let event = Event::ProcessPending { process, run, info: Arc::clone(&info), at };
                bus.publish(event).await.expect("the bus runs");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        published
    });
    until_so("the fallback", || core.bus.mode() == Mode::Fallback).await;
    assert_eq!(core.health.state(Component::Bus), Health::Failed);
    until(&core.health, Component::Bus, Health::Healthy).await;
    until_so("the current one", || core.bus.mode() == Mode::Current).await;
    let after = seen.lock().len();
    until_so("events after the return", || seen.lock().len() > after + 100).await;

    core.resources.shutdown().begin();
    let published = load.await.expect("it ends by itself");
    assert_eq!(core.bus.stop().await.left, 0);
    for key in 1..=KEYS {
        let runs: Vec<_> = seen.lock().iter().filter(|(id, _)| id.0 == key).map(|(_, run)| run.0).collect();
        assert_eq!(runs, (1..=published).collect::<Vec<_>>(), "key {key}: each once, in order");
    }
    drop(panics);
    assert_eq!(core.drain().await, 0);
}
