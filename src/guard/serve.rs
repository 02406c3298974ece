//! The guard's life: one loop over its socket, its signals and its children.

use std::{
    fs,
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, Signal, WaitOptions, kill_process, kill_process_group, wait},
};

use super::{
    NAME, asking,
    channel::{Channel, Received},
    child,
    ending::Ending,
    message::{News, Order, Start},
    processes::{self, Process},
    record, sys,
};
use crate::event::{Exit, Survivor};

/// How often what outlived the leader is looked at: nobody tells when a grandchild ends.
const LOOK: Duration = Duration::from_secs(1);

/// How often a tree that is ending is looked at, at first and in the long run.
const ROUND: Duration = Duration::from_millis(5);
const SLOW_ROUND: Duration = Duration::from_millis(500);

/// Nothing is waited for longer: a tool that holds signals back (ThreadSanitizer does) can make the end of a child be seen late.
const LATEST: Duration = Duration::from_secs(5);

/// How often a round kills the children that come meanwhile.
const AT_ONCE: u32 = 100;

/// Signals that ask the guard itself to end: it ends its tree, and then itself.
const ENDING: [i32; 4] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];

/// Signals that must not end it.
const HARMLESS: [i32; 8] = [
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGPIPE,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGTSTP,
    libc::SIGTTIN,
    libc::SIGTTOU,
];

/// A guard with its tree.
struct Guard {
    /// None once the host is gone.
    host: Option<Channel>,
    /// One byte for each signal.
    signals: OwnedFd,
    start: Start,
    leader: i32,
    /// It has not been waited for, so its number is still its own.
    leader_is_there: bool,
    ending: Ending,
    left: Vec<Survivor>,
    look_at: Option<Instant>,
    round: Duration,
    /// The script's output, read when the host does no more.
    taps: Vec<OwnedFd>,
}

/// Lives as a guard. Returns the exit code.
pub(super) fn run() -> u8 {
    sys::close_inherited();
    // It leads no session when it is started as the leader of its group; either way it is out of the host's.
    rustix::process::setsid().ok();
    rustix::process::chdir("/").ok();
    become_reaper();
    let told: Vec<i32> = ENDING.into_iter().chain([libc::SIGCHLD]).collect();
    let signals = sys::catch(&told, &HARMLESS);
    let (Ok(signals), Ok(socket)) = (signals, rustix::io::fcntl_dupfd_cloexec(sys::standard(0), 3)) else {
        return 1;
    };
    let mut host = Channel::new(socket);
    let start = loop {
        match host.order() {
            Ok(Some(Order::Start(start))) => break *start,
            // Nothing is there to be stopped.
            Ok(Some(_)) => {}
            Ok(None) => {
                if let Received::Closed = host.receive() {
                    return 0;
                }
            }
            Err(_) => return 1,
        }
    };
    let mut descriptors = host.descriptors().into_iter();
    let Some(input) = descriptors.next() else { return 1 };
    let begun = child::start(&start, input);
    give_up_output();
    match begun {
        Err((errno, at)) => {
            host.say(&News::NotStarted { errno: errno.raw_os_error(), at });
            record::remove(&start);
            0
        }
        Ok(leader) => {
            host.say(&News::Started { pid: leader.unsigned_abs() });
            Guard {
                host: Some(host),
                signals,
                start,
                leader,
                leader_is_there: true,
                ending: Ending::Not,
                left: Vec::new(),
                look_at: None,
                round: ROUND,
                taps: descriptors.collect(),
            }
            .live();
            0
        }
    }
}

/// What the tree leaves behind becomes a child of this process.
fn become_reaper() {
    #[cfg(target_os = "linux")]
    {
        let name = std::ffi::CString::new(NAME).unwrap_or_default();
        rustix::thread::set_name(&name).ok();
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).ok();
    }
    #[cfg(not(target_os = "linux"))]
    let _: &str = NAME;
}

/// The script has its output now; held here too, its end would never come.
fn give_up_output() {
    if let Ok(nothing) = fs::OpenOptions::new().read(true).write(true).open("/dev/null") {
        let nothing = OwnedFd::from(nothing);
        (0..3).for_each(|fd| sys::replace(fd, &nothing));
    }
}

// === impl Guard ===

impl Guard {
    /// Until nothing is left.
    fn live(mut self) {
        loop {
            let alone = self.reap();
            if alone || self.only_spared_are_left() {
                record::remove(&self.start);
                return self.say(&News::Empty);
            }
            let now = Instant::now();
            if self.ending.is_due(now) {
                self.say(&News::Killing);
                self.round = ROUND;
            }
            match self.ending {
                Ending::Not | Ending::Asked(_) => {}
                Ending::Killing => self.kill(),
            }
            self.wait();
        }
    }

    fn say(&self, news: &News) {
        if let Some(host) = &self.host {
            host.say(news);
        }
    }

    /// Waits for every child that has ended. Whether there is none any more.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid.as_raw_nonzero().get() == self.leader => {
                    self.leader_is_there = false;
                    let signal = status.terminating_signal().map(Exit::Signal);
                    let exit = status.exit_status().map(Exit::Code).or(signal);
                    self.say(&News::Exited(exit.unwrap_or(Exit::NotStarted)));
                }
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Looks at what outlived the leader and tells what changed.
    fn only_spared_are_left(&mut self) -> bool {
        let is_due = self.look_at.is_none_or(|at| at <= Instant::now());
        if self.leader_is_there || !is_due || (self.ending != Ending::Not && self.start.leave.is_empty()) {
            return false;
        }
        let (living, spared) = self.living();
        let survivor = |exempt| {
            move |process: &Process| Survivor {
                pid: process.pid.unsigned_abs(),
                name: process.name.clone(),
                exempt,
            }
        };
        let mut left: Vec<_> = living.iter().map(survivor(false)).collect();
        left.extend(spared.iter().map(survivor(true)));
        left.sort_by_key(|survivor| survivor.pid);
        self.look_at = Some(Instant::now() + LOOK);
        if left != self.left {
            self.left = left;
            self.say(&News::Left(self.left.clone()));
        }
        // Without a look at the system nobody is seen; then only having no child is the end.
        // Who changes parents during a look is not seen in it.
        living.is_empty() && !spared.is_empty() && self.living().0.is_empty()
    }

    /// Everything of the tree that lives, and what of it is spared: those of the names given, with all below them.
    fn living(&self) -> (Vec<Process>, Vec<Process>) {
        let own = rustix::process::getpid().as_raw_nonzero().get();
        let living = processes::descendants(own).into_iter().filter(|process| !process.zombie);
        processes::part(living, &self.start.leave, Some(self.leader))
    }

    /// Begins to end the tree, or brings its kill nearer.
    fn stop(&mut self, signal: i32, grace: Duration) {
        if !self.ending.ask(Instant::now(), grace) {
            return;
        }
        record::touch(&self.start);
        self.round = ROUND;
        let Some(signal) = Signal::from_named_raw(signal) else { return self.ending.hurry(Instant::now()) };
        if signal == Signal::KILL {
            return self.ending.hurry(Instant::now());
        }
        asking::ask(|| self.living().0, signal);
    }

    /// One round.
    fn kill(&mut self) {
        if let Some(group) = Pid::from_raw(self.leader)
            && self.leader_is_there
            && self.start.leave.is_empty()
        {
            kill_process_group(group, Signal::KILL).ok();
        }
        for process in self.living().0 {
            processes::signal(&process, Signal::KILL);
        }
        if self.start.leave.is_empty() {
            self.kill_children();
        }
    }

    /// Who starts another and ends, over and over, is gone before a look at all processes is over. It always comes back to this
    /// one, though, whose children are known at once.
    fn kill_children(&mut self) {
        for _ in 0..AT_ONCE {
            for child in processes::own_children() {
                // Not waited for, so the number is its own.
                kill_process(child, Signal::KILL).ok();
            }
            if self.reap() {
                return;
            }
        }
    }

    /// Until something happens or is due.
    fn wait(&mut self) {
        let now = Instant::now();
        let round = (self.ending != Ending::Not).then(|| now + self.round);
        self.round = (self.round * 2).min(SLOW_ROUND);
        let until = [self.ending.due(), self.look_at.filter(|_| !self.leader_is_there), round];
        let until = until.into_iter().flatten().min();
        let until = until.map_or(LATEST, |at| at.saturating_duration_since(now).min(LATEST));
        let timeout = Timespec::try_from(until).ok();
        let host_is_gone = self.host.is_none();
        let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN)];
        fds.extend(self.host.iter().map(|host| PollFd::from_borrowed_fd(host.fd(), PollFlags::IN)));
        fds.extend(self.taps.iter().filter(|_| host_is_gone).map(|tap| PollFd::new(tap, PollFlags::IN)));
        // An error is a signal, which is looked for below.
        let events = poll(&mut fds, timeout.as_ref()).unwrap_or(0);
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        if ready[0] || events == 0 {
            // Somebody ended, or a round is over. What the tree prints is no reason to look at it.
            self.look_at = None;
        }
        if ready[0] {
            self.take_signals();
        }
        if host_is_gone {
            let mut ready = ready[1..].iter();
            self.taps.retain(|tap| !ready.next().is_some_and(|&ready| ready) || drained(tap));
        } else if ready[1] {
            self.take_orders();
        }
    }

    fn take_signals(&mut self) {
        let mut bytes = [0; 64];
        while let Ok(count @ 1..) = rustix::io::read(&self.signals, &mut bytes) {
            if bytes[..count].iter().any(|&byte| ENDING.contains(&i32::from(byte))) {
                self.stop(self.start.signal, self.start.grace);
            }
        }
    }

    fn take_orders(&mut self) {
        let Some(host) = &mut self.host else { return };
        let mut closed = matches!(host.receive(), Received::Closed);
        let mut orders = Vec::new();
        loop {
            match host.order() {
                Ok(Some(order)) => orders.push(order),
                Ok(None) => break,
                Err(_) => {
                    closed = true;
                    break;
                }
            }
        }
        for order in orders {
            match order {
                Order::Start(_) => {}
                Order::Stop { signal, grace } => self.stop(signal, grace),
                Order::Kill => self.ending.hurry(Instant::now()),
            }
        }
        if closed {
            self.host = None;
            if !self.start.detach {
                self.stop(self.start.signal, self.start.grace);
            }
        }
    }
}

/// Reads what is there and throws it away. False at the end.
fn drained(tap: &OwnedFd) -> bool {
    let mut block = [0; 16 << 10];
    match rustix::io::read(tap, &mut block) {
        Ok(0) => false,
        Ok(_) | Err(Errno::INTR | Errno::AGAIN) => true,
        // A terminal whose other end is closed.
        Err(_) => false,
    }
}
