//! The calls for which no safe form exists: fork and exec with everything between them, and signal handlers. All that is
//! `unsafe` in the program is here.

#![allow(unsafe_code, reason = "see the module")]

use std::{
    ffi::{CString, c_char, c_int},
    os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
    ptr,
    sync::atomic::{AtomicI32, Ordering},
};

use rustix::io::Errno;

use super::message::Step;

/// What happens between fork and exec, prepared before: in between nothing may be allocated.
pub(super) struct Plan {
    /// Where the program may be; the first that can be run is.
    pub(super) programs: Vec<CString>,
    pub(super) argv: Vec<CString>,
    pub(super) env: Vec<CString>,
    pub(super) cwd: CString,
    /// Becomes standard input; a terminal becomes all three, and the controlling one.
    pub(super) input: OwnedFd,
    pub(super) terminal: bool,
    /// It dies with the guard.
    pub(super) bound: bool,
    pub(super) nofile: Option<(u64, u64)>,
}

/// The null-terminated lists that `execve` takes.
struct Raw {
    argv: Vec<*const c_char>,
    env: Vec<*const c_char>,
}

/// Where the handler writes; −1 until [`catch`].
static WAKE: AtomicI32 = AtomicI32::new(-1);

/// The highest signal number there is on any system we run on.
const SIGNALS: c_int = 64;

/// Runs a plan in a child of its own group or session. Returns once its program runs.
pub(super) fn start(plan: &Plan) -> Result<i32, (Errno, Step)> {
    let list = |texts: &[CString]| -> Vec<*const c_char> {
        texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
    };
    let raw = Raw { argv: list(&plan.argv), env: list(&plan.env) };
    let (told, tell) = pipe().map_err(|errno| (errno, Step::Fork))?;
    // SAFETY: sigset_t is plain data, and both sets are initialised before they are read. Between fork and exec the child
    // runs `in_child` alone, which calls only what POSIX allows there; this program has one thread.
    let pid = unsafe {
        let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        // The child must not run our handlers: they would write to our pipe.
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let guard = libc::getpid();
        let pid = libc::fork();
        if pid == 0 {
            in_child(plan, &raw, guard, tell.as_raw_fd());
        }
        let failed = errno();
        libc::sigprocmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
        if pid < 0 {
            return Err((failed, Step::Fork));
        }
        pid
    };
    drop(tell);
    let mut said = [0_u8; 5];
    let mut length = 0;
    while length < said.len() {
        match rustix::io::read(&told, &mut said[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(Errno::INTR) => {}
            Err(error) => return Err((error, Step::Fork)),
        }
    }
    let [a, b, c, d, step] = said;
    match (length, Step::from_byte(step)) {
        // The pipe closed when the program was run.
        (0, _) => Ok(pid),
        (5, Ok(step)) => Err((Errno::from_raw_os_error(i32::from_le_bytes([a, b, c, d])), step)),
        _ => Err((Errno::IO, Step::Program)),
    }
}

/// Never returns.
///
/// # Safety
/// Only in the child of a fork, with `raw` from `plan`.
unsafe fn in_child(plan: &Plan, raw: &Raw, guard: libc::pid_t, tell: RawFd) -> ! {
    // SAFETY: every call below is async-signal-safe or a plain system call, and every pointer is to memory that was
    // prepared before the fork and is whole.
    unsafe {
        let fail = |step: Step| -> ! {
            let [a, b, c, d] = errno().raw_os_error().to_le_bytes();
            let said = [a, b, c, d, step.as_byte()];
            libc::write(tell, said.as_ptr().cast(), said.len());
            libc::_exit(127)
        };
        if plan.bound && !die_with_parent(guard) {
            libc::_exit(127);
        }
        let input = plan.input.as_raw_fd();
        if plan.terminal {
            libc::setsid();
            #[allow(clippy::cast_lossless, clippy::useless_conversion, reason = "its type is the system's")]
            if libc::ioctl(input, libc::TIOCSCTTY.into(), 0) < 0 {
                fail(Step::Terminal);
            }
            libc::dup2(input, 1);
            libc::dup2(input, 2);
        } else {
            libc::setpgid(0, 0);
        }
        libc::dup2(input, 0);
        for signal in 1..=SIGNALS {
            libc::signal(signal, libc::SIG_DFL);
        }
        reset_reserved_signals();
        if let Some((soft, hard)) = plan.nofile {
            let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
            libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
        if libc::chdir(plan.cwd.as_ptr()) < 0 {
            fail(Step::Directory);
        }
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        let mut denied = false;
        for program in &plan.programs {
            libc::execve(program.as_ptr(), raw.argv.as_ptr(), raw.env.as_ptr());
            match errno() {
                Errno::ACCESS => denied = true,
                Errno::NOENT | Errno::NOTDIR => {}
                _ => fail(Step::Program),
            }
        }
        if denied {
            set_errno(libc::EACCES);
        }
        fail(Step::Program)
    }
}

/// The two that the C library keeps for itself and refuses to change; ignored somewhere above, they would stay so.
///
/// # Safety
/// Only where no thread of the C library needs them: between fork and exec.
#[cfg(target_os = "linux")]
unsafe fn reset_reserved_signals() {
    // The kernel's form of a disposition, no longer than this anywhere: the default, no flags, no mask.
    let default = [0_u64; 4];
    for signal in [32, 33] {
        // SAFETY: the kernel reads no more than the array has.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), ptr::null::<u64>(), 8) };
    }
}

/// There are none here.
///
/// # Safety
/// None.
#[cfg(not(target_os = "linux"))]
unsafe fn reset_reserved_signals() {}

/// Has the kernel kill this process when the guard is gone; false when it is gone already.
///
/// # Safety
/// None; `prctl` with these arguments touches no memory.
#[cfg(target_os = "linux")]
unsafe fn die_with_parent(guard: libc::pid_t) -> bool {
    // SAFETY: see above.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::getppid() == guard
    }
}

/// There is no such thing here.
///
/// # Safety
/// None.
#[cfg(not(target_os = "linux"))]
unsafe fn die_with_parent(guard: libc::pid_t) -> bool {
    // SAFETY: it only asks.
    unsafe { libc::getppid() == guard }
}

/// Has every signal of the first list written to a pipe, one byte each, and returns its reading end; those of the second do
/// nothing. Signals are caught and not ignored, because what is ignored stays so in a child.
pub(super) fn catch(told: &[c_int], harmless: &[c_int]) -> Result<OwnedFd, Errno> {
    let (read, write) = pipe()?;
    for end in [&read, &write] {
        rustix::io::ioctl_fionbio(end, true)?;
    }
    WAKE.store(write.as_raw_fd(), Ordering::Relaxed);
    // It is to live as long as the handlers, that is as the program.
    std::mem::forget(write);
    told.iter().for_each(|&signal| handle(signal, on_signal));
    harmless.iter().for_each(|&signal| handle(signal, on_nothing));
    Ok(read)
}

fn handle(signal: c_int, handler: extern "C" fn(c_int)) {
    // SAFETY: sigaction is plain data that is filled in before it is used; both handlers are async-signal-safe.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as libc::sighandler_t;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, ptr::null_mut());
    }
}

/// Not the other: a broken pipe that is told of by a pipe could break that.
extern "C" fn on_nothing(_signal: c_int) {}

extern "C" fn on_signal(signal: c_int) {
    let byte = u8::try_from(signal).unwrap_or(0);
    // SAFETY: write is async-signal-safe, and the byte lives on this stack. A full pipe has woken the reader already.
    unsafe {
        let before = errno();
        libc::write(WAKE.load(Ordering::Relaxed), (&raw const byte).cast(), 1);
        set_errno(before.raw_os_error());
    }
}

/// Closes every descriptor but the first three. To be called before any other is opened.
pub(super) fn close_inherited() {
    #[cfg(target_os = "linux")]
    // SAFETY: nothing that runs owns a descriptor yet.
    if unsafe { libc::syscall(libc::SYS_close_range, 3, c_int::MAX, 0) } == 0 {
        return;
    }
    for fd in 3..1024 {
        // SAFETY: as above.
        unsafe { libc::close(fd) };
    }
}

/// A standard descriptor of this process.
pub(super) fn standard(fd: RawFd) -> BorrowedFd<'static> {
    // SAFETY: 0, 1 and 2 are open from the start and are replaced, never closed.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// Puts a file in the place of a standard descriptor.
pub(super) fn replace(fd: RawFd, by: &OwnedFd) {
    // SAFETY: the three belong to nobody else in this process.
    unsafe { libc::dup2(by.as_raw_fd(), fd) };
}

/// A pipe whose ends are closed by exec: reading end, writing end.
fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (read, write) = rustix::pipe::pipe()?;
    for end in [&read, &write] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok((read, write))
}

fn errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

fn set_errno(value: c_int) {
    #[cfg(target_os = "linux")]
    // SAFETY: the address is this thread's own.
    unsafe {
        *libc::__errno_location() = value;
    }
    #[cfg(not(target_os = "linux"))]
    // SAFETY: as above.
    unsafe {
        *libc::__error() = value;
    }
}

/// Every process of the machine.
#[cfg(target_os = "macos")]
pub(super) fn processes() -> Vec<super::Process> {
    let mut pids = vec![0_i32; 1 << 14];
    let size = c_int::try_from(pids.len() * size_of::<i32>()).unwrap_or(0);
    // SAFETY: the buffer has this size.
    let count = unsafe { libc::proc_listallpids(pids.as_mut_ptr().cast(), size) };
    pids.truncate(usize::try_from(count).unwrap_or(0));
    pids.into_iter().filter_map(process).collect()
}

#[cfg(target_os = "macos")]
fn process(pid: i32) -> Option<super::Process> {
    let size = c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the struct is plain data of this size, and is read only when the call filled all of it.
    let (filled, info) = unsafe {
        let mut info: libc::proc_bsdinfo = std::mem::zeroed();
        let filled = libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, (&raw mut info).cast(), size);
        (filled, info)
    };
    let number = |number: u32| i32::try_from(number).ok();
    let name: Vec<u8> = info.pbi_comm.iter().map(|&c| c.cast_unsigned()).take_while(|&c| c != 0).collect();
    (filled == size).then_some(())?;
    Some(super::Process {
        pid,
        parent: number(info.pbi_ppid)?,
        group: number(info.pbi_pgid)?,
        session: 0,
        zombie: info.pbi_status == libc::SZOMB,
        still: info.pbi_status == libc::SSTOP,
        threads: 0,
        started: info.pbi_start_tvsec * 1_000_000 + info.pbi_start_tvusec,
        name: String::from_utf8_lossy(&name).into_owned(),
    })
}

/// A test of the library has no `main` of its own that could become a guard: this runs before it.
#[cfg(test)]
#[used]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
static BEFORE_MAIN: extern "C" fn() = {
    extern "C" fn become_guard() {
        if super::main_if_asked().is_some() {
            std::process::exit(0);
        }
    }
    become_guard
};
