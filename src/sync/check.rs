//! How models are run, and how a planted fault has to end one.
//!
//! A model is a small program over the real code: its threads share what it makes, and it states what must
//! hold. loom tries all orders in which the steps of its threads can follow each other, with a bound on how
//! often one may be interrupted, and all values a weakly ordered read may see; shuttle tries many random
//! orders, and so takes larger models. What a library does inside is not modelled.
//!
//! A model that cannot fail proves nothing. So each is run again with a fault planted in the code it checks,
//! in a process of its own, and has to fail with the message that fits.

use std::process::Command;

#[cfg(feature = "loom")]
pub(crate) use loom::{
    future::block_on,
    thread::{JoinHandle, spawn},
};
#[cfg(feature = "shuttle")]
pub(crate) use shuttle::{
    future::block_on,
    thread::{JoinHandle, spawn},
};

pub(crate) use super::checked::PLANTED;

/// What a checker says when all threads wait.
pub(crate) const ALL_WAIT: &str = "deadlock";

/// Explores the orders in which the steps of `model` can be taken. `RUN_SLOW_TESTS=1` explores more.
#[cfg(feature = "loom")]
pub(crate) fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(if is_slow() { 4 } else { 3 });
    builder.max_branches = 20_000;
    builder.check(model);
}

/// Explores orders in which the steps of `model` can be taken. `RUN_SLOW_TESTS=1` explores more.
#[cfg(feature = "shuttle")]
pub(crate) fn explore(model: impl Fn() + Send + Sync + 'static) {
    let orders = if is_slow() { 50_000 } else { 2_000 };
    shuttle::check_random(model, orders);
}

/// Waits until the threads of a model have ended.
pub(crate) fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("it ends without a panic");
    }
}

/// Runs `test` once more with `fault` planted: it has to fail and to say `expected`.
pub(crate) fn must_fail(test: &str, fault: &str, expected: &str) {
    let (_, name) = test.split_once("::").expect("a path that begins with the crate");
    let program = std::env::current_exe().expect("the test program has a path");
    let run = Command::new(program)
        .args([name, "--exact", "--nocapture"])
        .env(PLANTED, fault)
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("the test program starts");
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(said.contains("running 1 test"), "there is no test {name}: {said}");
    assert!(!run.status.success(), "{name} does not see the fault: {fault}");
    assert!(said.contains(expected), "{name} fails for another reason than \"{expected}\": {said}");
}

/// A test that plants a fault into the test beside it.
macro_rules! planted {
    ($($name:ident: $test:ident with $fault:literal says $expected:expr;)*) => {$(
        #[test]
        fn $name() {
            $crate::sync::check::must_fail(concat!(module_path!(), "::", stringify!($test)), $fault, $expected);
        }
    )*};
}
pub(crate) use planted;

fn is_slow() -> bool {
    std::env::var_os("RUN_SLOW_TESTS").is_some_and(|value| value == "1")
}
