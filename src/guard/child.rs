//! The start of the script: what the order says, made ready for the kernel.

use std::{
    ffi::CString,
    os::{fd::OwnedFd, unix::ffi::OsStringExt},
};

use rustix::io::Errno;

use super::{
    message::{Start, Step},
    sys::{self, Plan},
};

/// Where programs are looked for when the environment does not say.
const DEFAULT_PATH: &[u8] = b"/usr/local/bin:/usr/bin:/bin";

/// Starts the script with this input. Returns its process id.
pub(super) fn start(start: &Start, input: OwnedFd) -> Result<i32, (Errno, Step)> {
    let env =
        environment(std::env::vars_os().map(|(name, value)| (name.into_vec(), value.into_vec())), start);
    let program = start.argv.first().map_or(&[][..], Vec::as_slice);
    let path = env.iter().find(|(name, _)| name == b"PATH").map_or(DEFAULT_PATH, |(_, path)| path.as_slice());
    let texts = |texts: Vec<Vec<u8>>| -> Result<Vec<CString>, (Errno, Step)> {
        // A text with a zero in it cannot be said to the kernel.
        texts.into_iter().map(|text| CString::new(text).map_err(|_| (Errno::INVAL, Step::Program))).collect()
    };
    let assigned = |(name, value): (Vec<u8>, Vec<u8>)| [name, b"=".to_vec(), value].concat();
    let plan = Plan {
        programs: texts(places(program, path))?,
        argv: texts(start.argv.clone())?,
        cwd: CString::new(start.cwd.clone()).map_err(|_| (Errno::INVAL, Step::Directory))?,
        env: texts(env.into_iter().map(assigned).collect())?,
        input,
        terminal: start.terminal,
        bound: !start.detach,
        nofile: start.nofile,
    };
    sys::start(&plan)
}

/// The guard's own environment with the additions, each name once.
fn environment(own: impl Iterator<Item = (Vec<u8>, Vec<u8>)>, start: &Start) -> Vec<(Vec<u8>, Vec<u8>)> {
    let replaced = |name: &[u8]| start.env.iter().any(|(other, _)| other == name);
    let mut env: Vec<_> = own.filter(|(name, _)| !replaced(name)).collect();
    for (at, (name, value)) in start.env.iter().enumerate() {
        if start.env[at + 1..].iter().all(|(later, _)| later != name) {
            env.push((name.clone(), value.clone()));
        }
    }
    env
}

/// Where a program may be, in the order of `PATH`.
fn places(program: &[u8], path: &[u8]) -> Vec<Vec<u8>> {
    if program.contains(&b'/') || program.is_empty() {
        return vec![program.to_vec()];
    }
    let directories = path.split(|&byte| byte == b':');
    // An empty part is the working directory.
    directories
        .map(|dir| if dir.is_empty() { &b"."[..] } else { dir })
        .map(|dir| [dir, b"/", program].concat())
        .collect()
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (Vec<u8>, Vec<u8>) {
        (name.into(), value.into())
    }

    #[test]
    fn a_later_value_of_a_name_is_the_one() {
        let start = Start { env: vec![pair("A", "1"), pair("B", "2"), pair("A", "3")], ..Start::default() };
        let env = environment([pair("A", "0"), pair("C", "4")].into_iter(), &start);
        assert_eq!(env, [pair("C", "4"), pair("B", "2"), pair("A", "3")]);
    }

    #[test]
    fn a_program_with_a_slash_is_not_looked_for() {
        assert_eq!(places(b"./x", b"/bin"), [b"./x"]);
        assert_eq!(places(b"x", b"/bin::/b"), [&b"/bin/x"[..], b"./x", b"/b/x"]);
    }
}
