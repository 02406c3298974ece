//! The history is full: the oldest goes, what is kept has no gap, a higher bound holds at once; and many write at the same
//! time.

use std::{collections::HashMap, path::Path, sync::Arc};

use brummer::{
    config::{LogStoreConfig, Mode},
    event::{ProcessId, ProcessInfo, RunId, Timestamp},
    history::{History, Query, Reader},
    logs::Logs,
    process::OutputBatch,
};
use tokio::sync::{mpsc, oneshot};

use super::rings;
use crate::{
    Scale,
    rig::{self, Rig, config},
};

/// Lines of a batch where the number of bytes counts.
const BATCH: usize = 100;

/// Lines of a batch where the number of batches does.
const FEW: usize = 2;

/// Writes batches of lines of 100 bytes as one run of a process of the project in `dir`, and waits until they are recorded.
async fn fill(
    output: mpsc::Sender<OutputBatch>,
    dir: Arc<Path>,
    process: usize,
    first: usize,
    (batches, lines): (usize, usize),
) {
    let (ack, answer) = oneshot::channel();
    let info = ProcessInfo { root: dir.to_path_buf(), ..rig::shell(&format!("p{process}"), "true") };
    let (id, run) = (rig::id(process), RunId(process as u64));
    let info = Some(Arc::new(info));
    let begin = OutputBatch::Begin { process: id, run, number: 1, at: Timestamp(1), info, ack };
    output.send(begin).await.unwrap();
    answer.await.unwrap();
    for batch in 0..batches {
        let from = first + batch * lines;
        let text: String = (from..from + lines).map(|number| format!("{number:099}\n")).collect();
        output.send(rings::batch(process, text.into_bytes())).await.unwrap();
    }
    let (ack, answer) = oneshot::channel();
    output.send(rings::end(process, ack)).await.unwrap();
    answer.await.unwrap();
}

/// The numbers of the lines of each process, as they are read; they are also what the lines say.
fn read(dir: &Path) -> HashMap<ProcessId, Vec<u64>> {
    let reader = Reader::open(&dir.join("history"), dir).unwrap();
    let mut numbers: HashMap<_, Vec<u64>> = HashMap::new();
    for record in reader.records(Query::default()) {
        let record = record.unwrap();
        let of = numbers.entry(record.process).or_default();
        for (seq, text) in record.lines() {
            assert_eq!(String::from_utf8_lossy(text).parse::<u64>().unwrap(), seq.0);
            of.push(seq.0);
        }
    }
    numbers
}

fn size(dir: &Path) -> u64 {
    let reader = Reader::open(&dir.join("history"), dir).unwrap();
    reader.sessions().iter().map(|session| session.bytes).sum()
}

pub fn full(mode: Mode) -> String {
    const MOST: u64 = 8 << 20;
    const BATCHES: usize = 2500;
    rig::run(async {
        let mut config = config(mode);
        config.log_store.history_max_mb = 8;
        let rig = Rig::start(&config);
        let dir = tempfile::tempdir().unwrap();
        let dir: Arc<Path> = dir.path().canonicalize().unwrap().into();
        let (history, recorder) =
            History::start(&config.log_store, Some(dir.join("history")), &rig.resources);
        let (logs, output) =
            Logs::start_recorded(&config.log_store, mode, rig.bus.clone(), &rig.resources, recorder);
        fill(output.clone(), Arc::clone(&dir), 1, 1, (BATCHES, BATCH)).await;
        let (lines, kept) = ((BATCHES * BATCH) as u64, read(&dir).remove(&rig::id(1)).unwrap());
        let bytes = size(&dir);
        assert!(bytes <= MOST, "{bytes} bytes");
        assert!((kept[0]..=lines).eq(kept.iter().copied()), "no gap, and the newest is there");
        let first = rig.metrics.snapshot().history;
        assert_eq!((first.lines, first.unrecorded, first.kept_bytes), (lines, 0, bytes), "{first:?}");
        assert!(first.removed > 0 && kept[0] > 1);
        // With more room nothing more goes.
        history.reconfigure(&LogStoreConfig { history_max_mb: 256, ..config.log_store.clone() });
        fill(output.clone(), Arc::clone(&dir), 1, BATCHES * BATCH + 1, (BATCHES, BATCH)).await;
        let more = &read(&dir)[&rig::id(1)];
        assert!((more[0]..=2 * lines).eq(more.iter().copied()));
        assert_eq!((more[0], rig.metrics.snapshot().history.removed), (kept[0], first.removed));
        drop((logs, output, history));
        std::fs::remove_dir_all(&*dir).unwrap();
        rig.end().await;
        format!(
            "{lines} lines, {} kept in {bytes} bytes, {MOST} may be; {} files removed",
            kept.len(),
            first.removed
        )
    })
}

/// Many processes at once, each of which finds all of its lines.
pub fn load(scale: &Scale, mode: Mode) -> String {
    let (tasks, batches, limit) = (scale.tasks, scale.operations, scale.limit);
    rig::run(async move {
        let config = config(mode);
        let rig = Rig::start(&config);
        let dir = tempfile::tempdir().unwrap();
        let dir: Arc<Path> = dir.path().canonicalize().unwrap().into();
        let (history, recorder) =
            History::start(&config.log_store, Some(dir.join("history")), &rig.resources);
        let (logs, output) =
            Logs::start_recorded(&config.log_store, mode, rig.bus.clone(), &rig.resources, recorder);
        let (to, at) = (output.clone(), Arc::clone(&dir));
        rig::crowd(tasks, limit, move |task| fill(to.clone(), Arc::clone(&at), task, 1, (batches, FEW)))
            .await;
        let lines = batches * FEW;
        let read = read(&dir);
        for task in 0..tasks {
            assert!((1..=lines as u64).eq(read[&rig::id(task)].iter().copied()), "process {task}");
        }
        let counted = rig.metrics.snapshot().history;
        assert_eq!((counted.lines, counted.unrecorded), ((tasks * lines) as u64, 0), "{counted:?}");
        drop((logs, output, history));
        std::fs::remove_dir_all(&*dir).unwrap();
        rig.end().await;
        format!("{} lines of {tasks} processes in {} files", tasks * lines, counted.files)
    })
}
