//! Memory that is really short: the store is filled until it is, what is to be let go is, and every step is taken back.

use crate::{
    event::{Pressure, ProcessId, RunId, Timestamp},
    metrics::Measure,
    process::Stream,
};

use super::*;

/// Set in the process that runs this one test: the resident set of the others would count too.
const ALONE: &str = "BRUMMER_TEST_ALONE";

const MB: u64 = 1 << 20;

async fn becomes(core: &Core, what: &str, becomes: impl FnMut(&Pressure) -> bool) -> Pressure {
    let mut pressure = core.resources.pressure();
    let wait = tokio::time::timeout(Duration::from_secs(60), pressure.wait_for(becomes)).await;
    *wait.unwrap_or_else(|_| panic!("never: {what}: {:?}", core.health.report().memory)).expect("it runs")
}

async fn until(what: &str, so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[test]
fn filled_to_critical_and_let_go_every_step_is_taken_back() {
    let name = "app::tests::memory::filled_to_critical_and_let_go_every_step_is_taken_back";
    if std::env::var_os(ALONE).is_none() {
        let program = std::env::current_exe().expect("a test is a program");
        let ran = std::process::Command::new(program).args(["--exact", name]).env(ALONE, "1").output();
        let ran = ran.expect("it starts");
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads");
    runtime.block_on(fill_and_let_go());
}

async fn fill_and_let_go() {
    let mut config = Config::default();
    config.resources.monitoring_interval = Duration::from_millis(50);
    config.log_store.max_bytes = 80 << 20;
    config.log_store.max_entries = usize::MAX / 2;
    let core = Core::build(&config);
    let (logs, output) = core.logs(&config);
    let metrics = Arc::clone(core.resources.metrics());
    until("memory is measured", || metrics.resource.memory_resident.read() > 0).await;
    // As much more than the program takes by itself.
    let empty = metrics.resource.memory_resident.read();
    config.resources.memory_limit_mb = (empty / MB + 64) as usize;
    core.memory.reconfigure(&config.resources);
    assert_eq!(*core.resources.pressure().borrow(), Pressure::Normal);

    let block = [&[b'x'; 1023][..], b"\n"].concat().repeat(60);
    while *core.resources.pressure().borrow() != Pressure::Critical {
        let resident = metrics.resource.memory_resident.read();
        let batch = OutputBatch::Lines {
            process: ProcessId(1),
            run: RunId(1),
            stream: Stream::Out,
            at: Timestamp(1),
            text: block.clone(),
            cut: Vec::new(),
            after_exit: false,
        };
        output.send(batch).await.expect("the store takes lines");
        assert!(resident < empty + 80 * MB, "critical before this much is resident");
    }
    // The store halves what it keeps, and that goes back to the system: it needs no more help to be out of the worst.
    let better = becomes(&core, "out of critical", |now| *now < Pressure::Critical).await;
    assert_eq!(better, Pressure::Warning, "one step at a look");
    // A batch on its way comes on top of the half.
    until("half is kept", || metrics.logs.kept_bytes.read() < 48 * MB && metrics.logs.evicted.read() > 0)
        .await;

    config.log_store.max_bytes = MB as usize;
    logs.reconfigure(&config.log_store);
    becomes(&core, "normal", |now| *now == Pressure::Normal).await;
    until("the store may keep all again", || metrics.logs.limit_bytes.read() == MB).await;
    let resident = metrics.resource.memory_resident.read();
    assert!(resident < empty + 32 * MB, "of 60 MB most went back: {resident} of {empty} at first");
    drop((logs, output));
    assert_eq!(core.drain().await, 0);
}
