//! Every step up and down, the limit of every kind of group, and a monitor that runs.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::{sync::mpsc, time::timeout};

use super::*;
use crate::{metrics::SynchronizationMetrics, resource::FaultReceiver};

const GIB: u64 = 1 << 30;

/// Judges looks at a limit of 100 bytes: `(resident, accounted)` and the pressure that follows.
fn steps(looks: &[(u64, u64, Pressure)]) {
    let mut steps = Steps::default();
    for (at, &(resident, accounted, expected)) in looks.iter().enumerate() {
        let pressure = steps.judge(Look { resident, limit: 100, accounted });
        assert_eq!(pressure, expected, "look {at}: {resident} resident, {accounted} accounted");
    }
}

#[test]
fn each_step_has_its_mark_up_and_a_lower_one_back() {
    use Pressure::{Critical, Normal, Warning};
    steps(&[
        (79, 0, Normal),
        (80, 0, Warning),
        (94, 0, Warning),
        (95, 0, Critical),
        (85, 0, Critical),
        (84, 0, Warning),
        (94, 0, Warning),
        (70, 0, Warning),
        (69, 0, Normal),
        (79, 0, Normal),
    ]);
}

#[test]
fn up_goes_at_once_and_back_one_step_at_a_look() {
    use Pressure::{Critical, Normal, Warning};
    steps(&[(99, 0, Critical), (10, 0, Warning), (10, 0, Normal), (99, 0, Critical)]);
}

#[test]
fn what_components_let_go_counts_although_the_allocator_keeps_it() {
    use Pressure::{Critical, Normal, Warning};
    steps(&[
        (96, 40, Critical),
        // 96 - 10 is not below 85.
        (96, 30, Critical),
        (96, 28, Warning),
        // And not below 70 before 27 of 40 have gone. What stays resident is forgiven.
        (96, 14, Warning),
        (96, 13, Normal),
        (96, 0, Normal),
        (97, 0, Normal),
        // Grown by more than 1 % of the limit: it counts again.
        (98, 0, Critical),
    ]);
}

#[test]
fn forgiven_memory_that_went_back_is_forgotten() {
    use Pressure::{Critical, Normal, Warning};
    steps(&[(96, 40, Critical), (96, 0, Warning), (96, 0, Normal), (60, 0, Normal), (90, 0, Warning)]);
}

#[test]
fn nothing_is_forgiven_under_another_limit() {
    let mut steps = Steps::default();
    let look = |limit, accounted| Look { resident: 96, limit, accounted };
    steps.judge(look(100, 40));
    steps.judge(look(100, 0));
    assert_eq!(steps.judge(look(100, 0)), Pressure::Normal);
    assert_eq!(steps.judge(look(50, 0)), Pressure::Critical, "twice as much as it may be now");
}

#[test]
fn the_peak_is_where_most_was_accounted() {
    use Pressure::{Critical, Warning};
    steps(&[
        (95, 10, Critical),
        (99, 40, Critical),
        // 99 - 15 = 84.
        (99, 25, Warning),
    ]);
}

/// A tree as `/sys/fs/cgroup` and `/proc` show it.
fn tree(group: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Places) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::write(root.join("groups"), group).unwrap();
    fs::write(root.join("meminfo"), "MemFree: 1 kB\nMemTotal:       4194304 kB\nCached: 5 kB\n").unwrap();
    for (file, text) in files {
        let file = root.join("mount").join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    let places =
        Places { groups: root.join("groups"), mount: root.join("mount"), machine: root.join("meminfo") };
    (dir, places)
}

/// Its name, the groups of the process, files of the mount, and what is allowed.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], u64);

#[test]
fn the_tightest_group_around_the_process_counts() {
    let nested = "0::/user.slice/user-1.slice/app.scope\n";
    let cases: &[Case] = &[
        ("no groups", "", &[], 4 * GIB),
        ("no limit anywhere", nested, &[("user.slice/memory.max", "max\n")], 4 * GIB),
        (
            "its own",
            nested,
            &[
                ("user.slice/user-1.slice/app.scope/memory.max", "536870912\n"),
                ("user.slice/memory.max", "max\n"),
            ],
            GIB / 2,
        ),
        (
            "one around it",
            nested,
            &[
                ("user.slice/user-1.slice/app.scope/memory.max", "2147483648\n"),
                ("user.slice/memory.max", "1073741824\n"),
            ],
            GIB,
        ),
        ("not a neighbour's", nested, &[("system.slice/memory.max", "1024\n")], 4 * GIB),
        ("in a container", "0::/../../x\n", &[("memory.max", "268435456\n")], GIB / 4),
        (
            "version 1",
            "3:cpu,cpuacct:/a\n7:memory:/docker/1\n",
            &[("memory/docker/1/memory.limit_in_bytes", "1073741824\n"), ("cpu/a/memory.max", "1\n")],
            GIB,
        ),
        (
            "version 1 without a limit",
            "7:memory:/\n",
            &[("memory/memory.limit_in_bytes", "9223372036854771712\n")],
            4 * GIB,
        ),
        (
            "both versions",
            "7:memory:/a\n0::/b\n",
            &[("memory/a/memory.limit_in_bytes", "1073741824\n"), ("unified/b/memory.max", "536870912\n")],
            GIB / 2,
        ),
        ("more than the machine has", nested, &[("user.slice/memory.max", "99999999999999\n")], 4 * GIB),
        ("nonsense", "x\n0:\n::\n7:memory\n", &[("memory.max", "many\n")], 4 * GIB),
    ];
    for (name, group, files, expected) in cases {
        let (_dir, places) = tree(group, files);
        assert_eq!(limit::allowed(&places), Some(*expected), "{name}");
    }
}

#[test]
fn where_nothing_is_known_nothing_is_allowed_or_forbidden() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = |name: &str| dir.path().join(name);
    let places = Places { groups: nowhere("a"), mount: nowhere("b"), machine: nowhere("c") };
    assert_eq!(limit::allowed(&places), None);
}

#[test]
#[cfg(target_os = "linux")]
fn this_process_has_a_resident_set_and_this_machine_a_limit() {
    let resident = resident().expect("Linux tells it");
    let allowed = limit::allowed(&Places::default()).expect("Linux tells it");
    assert!((1 << 20..allowed).contains(&resident), "{resident} of {allowed}");
}

#[test]
fn a_segment_holds_what_was_written_whatever_its_size() {
    for size in [0, 1, 4096, (16 << 10) - 1, 16 << 10, 1 << 20] {
        let mut segment = Segment::new(size);
        assert!(segment.len() == size && segment.iter().all(|byte| *byte == 0));
        segment.iter_mut().enumerate().for_each(|(at, byte)| *byte = at as u8);
        assert!(segment.len() == size && segment.iter().enumerate().all(|(at, byte)| *byte == at as u8));
    }
}

struct Rig {
    resources: ResourceManager,
    monitor: MemoryMonitor,
    samples: mpsc::Receiver<Sample>,
    resident: Arc<AtomicU64>,
    allowed: Arc<AtomicU64>,
    _faults: FaultReceiver,
}

fn config(limit_mb: usize, interval: Duration) -> ResourcesConfig {
    ResourcesConfig { memory_limit_mb: limit_mb, monitoring_interval: interval, ..ResourcesConfig::default() }
}

/// A monitor of made-up figures that looks every 10 s of a clock that does not wait.
fn rig() -> Rig {
    let metrics = Arc::new(SynchronizationMetrics::default());
    let config = config(100, Duration::from_secs(10));
    let (resources, faults) = ResourceManager::new(&config, metrics);
    let (resident, allowed) = (Arc::new(AtomicU64::new(10 << 20)), Arc::new(AtomicU64::new(u64::MAX)));
    let (told, samples) = mpsc::channel(1000);
    let sources = {
        let (resident, allowed) = (resident.clone(), allowed.clone());
        Sources {
            resident: Box::new(move || Ok(resident.load(Relaxed))),
            allowed: Box::new(move || Some(allowed.load(Relaxed))),
        }
    };
    let sampled = move |sample| {
        told.try_send(sample).ok();
    };
    let monitor = MemoryMonitor::start_with(&config, &resources, sources, sampled);
    Rig { resources, monitor, samples, resident, allowed, _faults: faults }
}

// === impl Rig ===

impl Rig {
    async fn until(&self, pressure: Pressure) {
        let mut watched = self.resources.pressure();
        let wait = watched.wait_for(|now| *now == pressure);
        timeout(Duration::from_secs(60), wait).await.expect("in time").expect("the manager lives");
    }

    async fn sample(&mut self) -> Sample {
        timeout(Duration::from_secs(60), self.samples.recv()).await.expect("in time").expect("it looks")
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_monitor_takes_every_step_up_and_every_step_back() {
    let mut rig = rig();
    let sample = rig.sample().await;
    assert_eq!((sample.resident, sample.limit), (10 << 20, 100 << 20));
    for (resident, pressure) in [
        (80 << 20, Pressure::Warning),
        (95 << 20, Pressure::Critical),
        (84 << 20, Pressure::Warning),
        (69 << 20, Pressure::Normal),
        (99 << 20, Pressure::Critical),
    ] {
        rig.resident.store(resident, Relaxed);
        rig.until(pressure).await;
        assert_eq!(rig.resources.metrics().resource.memory_resident.read(), resident);
    }
    while rig.samples.try_recv().is_ok() {}
    rig.resident.store(10 << 20, Relaxed);
    rig.until(Pressure::Warning).await;
    rig.until(Pressure::Normal).await;
    assert_eq!(rig.sample().await.pressure, Pressure::Normal, "telemetry is back");
    assert!(rig.samples.try_recv().is_err(), "and none came while memory was short");
    rig.resources.shutdown().begin();
    assert_eq!(rig.resources.drained(Duration::from_secs(20)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn without_its_handle_it_goes_on_and_ends_with_the_program() {
    let Rig { resources, monitor, resident, samples: _samples, .. } = rig();
    drop(monitor);
    let mut pressure = resources.pressure();
    for (bytes, expected) in [(99 << 20, Pressure::Critical), (80 << 20, Pressure::Warning)] {
        resident.store(bytes, Relaxed);
        let seen = tokio::time::timeout(Duration::from_secs(60), pressure.wait_for(|now| *now == expected));
        assert!(seen.await.is_ok(), "it still looks");
    }
    resources.shutdown().begin();
    assert_eq!(resources.drained(Duration::from_secs(20)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn limit_and_interval_change_while_it_runs() {
    let mut rig = rig();
    rig.resident.store(90 << 20, Relaxed);
    rig.until(Pressure::Warning).await;
    // 90 of 200 MB is little; the change is looked at without waiting for the next tick.
    let before = tokio::time::Instant::now();
    rig.monitor.reconfigure(&config(200, Duration::from_secs(3600)));
    rig.until(Pressure::Normal).await;
    assert!(before.elapsed() < Duration::from_secs(1));
    rig.monitor.reconfigure(&config(200, Duration::from_millis(10)));
    rig.allowed.store(95 << 20, Relaxed);
    // A control group tightened at run time counts too: 90 of 95 MB is 94.7 %.
    rig.until(Pressure::Warning).await;
    assert_eq!(rig.resources.metrics().resource.memory_limit.read(), 95 << 20);
    while rig.samples.try_recv().is_ok() {}
}

/// Its files cannot be read while too many are open, say; that passes.
#[tokio::test(start_paused = true)]
async fn a_look_that_fails_or_panics_is_not_the_last_one() {
    let metrics = Arc::new(SynchronizationMetrics::default());
    let config = config(16, Duration::from_millis(10));
    let (resources, mut faults) = ResourceManager::new(&config, metrics);
    let mut looks = 0;
    let sources = Sources {
        resident: Box::new(move || {
            looks += 1;
            match looks {
                1 => Ok(16 << 20),
                2 => Err(io::Error::from(io::ErrorKind::NotFound)),
                3 => panic!("in the look"),
                _ => Ok(1 << 20),
            }
        }),
        allowed: Box::new(|| None),
    };
    let _monitor = MemoryMonitor::start_with(&config, &resources, sources, |_| {});
    for expected in [Pressure::Critical, Pressure::Normal] {
        let mut pressure = resources.pressure();
        let wait = timeout(Duration::from_secs(60), pressure.wait_for(|now| *now == expected));
        wait.await.expect("it still looks").expect("the manager lives");
    }
    let fault = faults.try_recv().expect("a fault");
    assert_eq!((fault.component, fault.place), (Component::Resource, "memory monitor"));
    resources.shutdown().begin();
    assert_eq!(resources.drained(Duration::from_secs(60)).await, 0);
}
