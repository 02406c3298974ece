//! Ends a program that stands still, and says where.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

/// The exit status of a program that was ended from here: that of `timeout`.
pub const ENDED: i32 = 124;

/// Looks every second, from a thread of its own, which a standstill of the runtime does not reach.
pub struct Watchdog {
    watched: Arc<(Mutex<Watched>, Condvar)>,
    thread: thread::JoinHandle<()>,
}

enum Watched {
    Nothing,
    Program { name: &'static str, until: Instant },
    Over,
}

// === impl Watchdog ===

impl Watchdog {
    pub fn start() -> Self {
        let watched = Arc::new((Mutex::new(Watched::Nothing), Condvar::new()));
        let thread = thread::spawn({
            let watched = Arc::clone(&watched);
            move || look(&watched)
        });
        Self { watched, thread }
    }

    /// From now on this program is the one to end by then.
    pub fn watch(&self, name: &'static str, most: Duration) {
        *self.watched.0.lock() = Watched::Program { name, until: Instant::now() + most };
    }

    pub fn stop(self) {
        *self.watched.0.lock() = Watched::Over;
        self.watched.1.notify_all();
        self.thread.join().expect("the watchdog does not panic");
    }
}

fn look((watched, changed): &(Mutex<Watched>, Condvar)) {
    let mut now = watched.lock();
    loop {
        let late = match &*now {
            Watched::Over => return,
            Watched::Program { name, until } if Instant::now() > *until => Some(*name),
            Watched::Program { .. } | Watched::Nothing => None,
        };
        if let Some(name) = late {
            println!("{name}: ended, because it took too long");
            std::process::exit(ENDED);
        }
        abort_on_deadlock();
        changed.wait_for(&mut now, Duration::from_secs(1));
    }
}

/// Threads that wait for each other's locks never go on: says where each stands, and ends the program.
#[cfg(feature = "deadlock")]
fn abort_on_deadlock() {
    let cycles = parking_lot::deadlock::check_deadlock();
    if cycles.is_empty() {
        return;
    }
    for (number, threads) in cycles.iter().enumerate() {
        println!("deadlock {} of {}", number + 1, cycles.len());
        for thread in threads {
            println!("{:?}:\n{:?}", thread.thread_id(), thread.backtrace());
        }
    }
    std::process::abort();
}

#[cfg(not(feature = "deadlock"))]
fn abort_on_deadlock() {}
