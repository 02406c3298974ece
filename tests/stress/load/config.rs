//! Settings are read and given out while they are in use.

use std::{fs, sync::Arc};

use brummer::{
    config::{self, Mode},
    logs::Logs,
    model::Model,
    process::{Manager, Parts},
};

use crate::{
    Scale,
    rig::{self, Rig},
};

/// Reading is one thing of ten that is done; the others give out what was read.
const READS: usize = 10;

pub fn run(scale: &Scale) -> String {
    rig::run(async {
        let root = tempfile::tempdir().unwrap();
        fs::write(
            root.path().join(config::FILE_NAME),
            "[eventbus]\nqueue_sizes = [50, 60, 70]\n[log_store]\nmax_entries = 123\n[process_manager]\nmax_processes = 7\n",
        )
        .unwrap();
        let config = rig::config(Mode::Current);
        let rig = Rig::start(&config);
        let (logs, output) = Logs::start(&config.log_store, Mode::Current, rig.bus.clone(), &rig.resources);
        let parts = Parts { bus: rig.bus.clone(), resources: rig.resources.clone(), output };
        let manager = Manager::start_manager(&config.process_manager, Mode::Current, parts);
        let model = Arc::new(Model::default());
        let declared = rig.resources.alive();
        let peak = rig.peak();
        let operations = scale.operations;
        rig::crowd(scale.tasks, scale.limit, |task| {
            let (bus, resources, root) = (rig.bus.clone(), rig.resources.clone(), root.path().to_owned());
            let (logs, manager, model) = (logs.clone(), manager.clone(), Arc::clone(&model));
            async move {
                let mut config = config::Config::default();
                for operation in 0..operations {
                    if operation.is_multiple_of(READS) {
                        let loaded = config::load(&root, None, &|_| None);
                        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
                        assert_eq!(loaded.config.log_store.max_entries, 123);
                        config = loaded.config;
                    }
                    match operation % 5 {
                        0 => bus.reconfigure(&config.eventbus),
                        1 => logs.reconfigure(&config.log_store),
                        2 => manager.reconfigure(&config.process_manager),
                        3 => resources.reconfigure(&config.resources),
                        _ => model.set_history(config.process_manager.max_process_history),
                    }
                    bus.try_publish(rig::lines(task, operation)).ok();
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
        let most = peak.take();
        assert!(most <= declared, "{most} tasks at once, {declared} are declared");
        drop((logs, manager));
        rig.end().await;
        format!(
            "{} operations, {} of them read the files; tasks {most} of {declared}",
            scale.tasks * scale.operations,
            scale.tasks * scale.operations / READS
        )
    })
}
