//! Faults, probes and news, with a real bus.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use tokio::sync::Notify;

use super::*;
use crate::{
    bus::Filter,
    config::Backpressure,
    event::{Event, EventKind},
    metrics::Measure,
};

type Answers = Arc<Mutex<Vec<Result<(), String>>>>;

/// A part whose probe gives these answers, the last one for ever, and counts.
fn part(component: Component, answers: &Answers) -> (Part, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, answers) = (Arc::clone(&asked), Arc::clone(answers));
    let probe = move || -> Answer {
        count.fetch_add(1, SeqCst);
        let mut answers = answers.lock();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        Box::pin(async move { answer })
    };
    (Part { component, mode: Box::new(|| Mode::Current), probe: Box::new(probe) }, asked)
}

fn answers(answers: &[Result<(), &str>]) -> Answers {
    Arc::new(Mutex::new(answers.iter().map(|answer| answer.map_err(str::to_owned)).collect()))
}

#[tokio::test(start_paused = true)]
async fn faults_degrade_a_component_and_probes_bring_it_back() {
    let rig = rig();
    let (part, asked) = part(Component::Logs, &answers(&[Err("not yet"), Ok(())]));
    rig.health.add(part);
    let mut mailbox = rig.bus.subscribe(
        Filter::of(&[EventKind::HealthChanged]),
        Component::App,
        10,
        Backpressure::DropOldest,
    );
    rig.faults(Component::Logs, 5);
    for (state, probes) in [(Health::Failing, 0), (Health::Failed, 1), (Health::Healthy, 4)] {
        rig.until(Component::Logs, state).await;
        assert_eq!(asked.load(SeqCst), probes, "probes before {state:?}");
        // What nobody has read yet is replaced by what is newer, so steps in between may not be told.
        loop {
            let event = timeout(Duration::from_secs(60), mailbox.recv()).await.expect("it is told");
            let Some(Event::HealthChanged { component, to, reason, .. }) = event else { panic!("{event:?}") };
            assert_eq!((component, reason.is_empty()), (Component::Logs, false));
            if to == state {
                break;
            }
        }
    }
    drop(mailbox);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_component_whose_task_is_gone_has_failed_after_one_panic() {
    let rig = rig();
    let (commands, mailbox) = tokio::sync::mpsc::channel::<()>(1);
    let probe = move || -> Answer {
        let commands = commands.clone();
        Box::pin(async move { commands.send(()).await.map_err(|_| "nobody takes commands".to_owned()) })
    };
    rig.health.add(Part {
        component: Component::Logs,
        mode: Box::new(|| Mode::Current),
        probe: Box::new(probe),
    });
    let (part, asked) = part(Component::Model, &answers(&[Ok(())]));
    rig.health.add(part);
    // One that owned the mailbox is gone with it; the panic of the other ended one piece of work.
    let owner = rig.resources.spawn(Component::Logs, "owner", async move {
        let _mailbox = mailbox;
        panic!("it broke");
    });
    assert_eq!(owner.await, None::<()>);
    rig.resources.recover(Component::Model, "update", || panic!("it broke"));
    rig.until(Component::Logs, Health::Failed).await;
    let asked_once = async {
        while asked.load(SeqCst) == 0 {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(Duration::from_secs(60), asked_once).await.expect("it is asked too");
    assert_eq!(rig.health.state(Component::Model), Health::Healthy);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_or_panics_has_failed_and_holds_up_nothing() {
    for hangs in [true, false] {
        let rig = rig();
        let running = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&running);
        let probe = move || -> Answer {
            assert_eq!(count.fetch_add(1, SeqCst), 0, "one at a time");
            let done = Arc::clone(&count);
            Box::pin(async move {
                let _done = Done(done);
                if hangs {
                    std::future::pending::<()>().await;
                }
                panic!("in the probe");
            })
        };
        rig.health.add(Part {
            component: Component::Process,
            mode: Box::new(|| Mode::Current),
            probe: Box::new(probe),
        });
        rig.faults(Component::Process, 5);
        rig.faults(Component::Model, 3);
        rig.until(Component::Process, Health::Failed).await;
        rig.until(Component::Model, Health::Healthy).await;
        let report = rig.health.report();
        let reason = report.of(Component::Process).reason.clone().unwrap_or_default();
        assert!(reason.contains(if hangs { "no answer within 5s" } else { "panic" }), "{reason}");
        // Also with a probe under way every task ends.
        rig.end().await;
    }

    struct Done(Arc<AtomicUsize>);
    impl Drop for Done {
        fn drop(&mut self) {
            self.0.fetch_sub(1, SeqCst);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_recovers_when_no_error_comes() {
    let rig = rig();
    rig.faults(Component::Locate, 10);
    rig.until(Component::Locate, Health::Failed).await;
    rig.until(Component::Locate, Health::Healthy).await;
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stuck_handler_degrades_its_component_at_once() {
    let rig = rig();
    rig.resources.fault(Fault { kind: FaultKind::Stuck, ..fault(Component::Rpc, "takes longer than 5s") });
    rig.until(Component::Rpc, Health::Degraded).await;
    assert_eq!(rig.health.report().faults[0].kind, "stuck");
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn faults_reach_health_when_the_bus_has_stopped() {
    let rig = rig();
    rig.bus.stop().await;
    rig.faults(Component::Bus, 10);
    rig.until(Component::Bus, Health::Failed).await;
    assert_eq!(rig.health.report().of(Component::Bus).faults, 10);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn faults_reach_health_while_every_handler_of_them_hangs() {
    let rig = rig();
    let (held, free) = (Arc::new(Notify::new()), Arc::new(std::sync::Barrier::new(2)));
    let (entered, leave) = (Arc::clone(&held), Arc::clone(&free));
    let once = AtomicUsize::new(0);
    let handler = rig.bus.on(Filter::of(&[EventKind::Fault]), Component::App, "hangs", move |_| {
        if once.fetch_add(1, SeqCst) == 0 {
            entered.notify_one();
            leave.wait();
        }
    });
    rig.faults(Component::Bus, 1);
    timeout(Duration::from_secs(60), held.notified()).await.expect("the handler is called");
    rig.faults(Component::Bus, 9);
    rig.until_soon(Component::Bus, Health::Failed).await;
    free.wait();
    drop(handler);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_of_faults_and_changes_that_panics_makes_no_loop() {
    let rig = rig();
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    let kinds = Filter::of(&[EventKind::Fault, EventKind::HealthChanged]);
    let handler = rig.bus.on(kinds, Component::App, "always panics", move |_| {
        count.fetch_add(1, SeqCst);
        panic!("again");
    });
    rig.faults(Component::Logs, 10);
    rig.until(Component::Logs, Health::Failed).await;
    rig.until(Component::Logs, Health::Healthy).await;
    let mut states = rig.health.changed();
    let quiet = states.wait_for(|states| *states == [Health::Healthy; Component::COUNT]);
    timeout(Duration::from_secs(6000), quiet).await.expect("it comes to rest").expect("health runs");
    let faults = rig.metrics().resource.faults.read();
    // Ten, and one at most for each change: four of `logs`, and those that these bring about in `app`.
    assert!(faults < 30, "{faults} faults, {} calls", called.load(SeqCst));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(rig.metrics().resource.faults.read(), faults, "no further one in an hour");
    drop(handler);
    rig.end().await;
}

/// Figures come from every room; one that panics must not end who judges.
#[tokio::test(start_paused = true)]
async fn figures_that_panic_are_a_fault_and_no_end() {
    let (metrics, broken) = (SynchronizationMetrics::default(), Arc::new(AtomicBool::new(true)));
    let figure = Arc::clone(&broken);
    metrics.lock.breaches.attach(move || {
        assert!(!figure.load(SeqCst), "no figures");
        0
    });
    let rig = rig_with(metrics);
    rig.until(Component::App, Health::Failing).await;
    broken.store(false, SeqCst);
    rig.until(Component::App, Health::Healthy).await;
    let report = rig.health.report();
    assert_eq!((report.faults[0].place, &*report.faults[0].message), ("health", "no figures"));
    rig.end().await;
}

/// What was done before the first look was done in no time that is known.
#[tokio::test(start_paused = true)]
async fn no_rate_is_told_of_less_than_a_second() {
    let rig = rig();
    rig.metrics().logs.lines.add(50);
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(rig.health.report().rates.lines, 0);
    let report = rig.until_report("a rate", |report| report.rates.lines > 0).await;
    assert_eq!(report.rates.lines, 50);
    rig.end().await;
}
