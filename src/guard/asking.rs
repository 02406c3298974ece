//! Asking everybody in a tree to end, at one moment.
//!
//! Who is there when a tree is asked has to be asked, also who is just being started; who is started by a program that has
//! been asked must not be, for it may be what cleans up. Start times are too coarse to tell the two apart. So the tree is
//! held first: once nobody moves, everybody is found, and whoever comes later was started by somebody who had been asked.

use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use super::processes::{self, Process};

/// How long a tree may take to stand still. Who starts others faster than they can be held is asked as far as it is known.
const PATIENCE: Duration = Duration::from_millis(50);

/// Between two looks.
const PAUSE: Duration = Duration::from_micros(200);

/// Looks in a row that must find everybody held: who changes parents during one is not seen in it.
const CALM: u32 = 2;

/// Sends a signal to everybody whom `look` finds, parents before their children, and has them go on.
pub(super) fn ask(look: impl Fn() -> Vec<Process>, signal: Signal) {
    let members = hold(look);
    for process in &members {
        processes::signal(process, signal);
    }
    // A group at one stroke, so that none in it can act on the end of another first, nor be told that it has lost its session
    // while it is held. Parents last: theirs are not seen held.
    let mut groups = HashSet::new();
    for process in members.iter().rev() {
        if let Some(group) = Pid::from_raw(process.group).filter(|_| groups.insert(process.group)) {
            kill_process_group(group, Signal::CONT).ok();
        }
    }
    // Who was not held in time may be in another group by now.
    for process in members.iter().rev() {
        processes::signal(process, Signal::CONT);
    }
}

/// Stops everybody, until nobody new is found.
fn hold(look: impl Fn() -> Vec<Process>) -> Vec<Process> {
    let until = Instant::now() + PATIENCE;
    let mut held = HashSet::new();
    // Of another user: neither held nor asked.
    let mut out_of_reach = HashSet::new();
    let mut calm = 0;
    loop {
        let members = look();
        let mut moves = false;
        for process in &members {
            let who = (process.pid, process.started);
            if out_of_reach.contains(&who) {
                continue;
            }
            if !held.contains(&who) {
                let is_held = processes::signal(process, Signal::STOP);
                if is_held { &mut held } else { &mut out_of_reach }.insert(who);
                moves = true;
            } else if process.threads != 1 && !process.still {
                // Another thread of it may be about to start somebody. One alone starts nobody with a signal waiting for it.
                moves = true;
            }
        }
        calm = if moves { 0 } else { calm + 1 };
        if calm == CALM || Instant::now() > until {
            return members;
        }
        if moves {
            thread::sleep(PAUSE);
        }
    }
}
