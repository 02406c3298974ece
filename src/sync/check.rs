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
pub(crate) fn explore(model: impl Fn() + Send + Sync + 'static) {
    run(model, 3);
}

/// The same for a model of so many steps that it has to do with fewer interruptions.
pub(crate) fn explore_large(model: impl Fn() + Send + Sync + 'static) {
    run(model, 2);
}

#[cfg(feature = "loom")]
fn run(model: impl Fn() + Send + Sync + 'static, interruptions: usize) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(interruptions + usize::from(is_slow()));
    builder.max_branches = 20_000;
    builder.check(model);
}

/// The same orders each time, so that a failure is there again. With a fault planted there may be many more
/// of them: the first that fails is the last.
#[cfg(feature = "shuttle")]
fn run(model: impl Fn() + Send + Sync + 'static, _interruptions: usize) {
    let is_planted = std::env::var_os(PLANTED).is_some();
    let orders = if is_planted || is_slow() { 20_000 } else { 2_000 };
    let orders = shuttle::scheduler::RandomScheduler::new_from_seed(1, orders);
    shuttle::Runner::new(orders, shuttle::Config::default()).run(model);
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
