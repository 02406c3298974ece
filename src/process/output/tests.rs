//! Readers of pipes that are really there. Rests and larger pipes are of Linux alone.

use std::{io::Write, os::fd::OwnedFd, time::Duration};

use tokio::{
    net::unix::pipe,
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

/// A pipe, who reads it, and who writes to it without waiting.
fn pipe(allowed: &Arc<Semaphore>) -> (Pipe, std::io::PipeWriter) {
    let (read, write) = std::io::pipe().expect("a pipe");
    for end in [OwnedFd::from(read.try_clone().expect("a file")), write.try_clone().expect("a file").into()] {
        rustix::io::ioctl_fionbio(&end, true).expect("a pipe");
    }
    let receiver = pipe::Receiver::from_owned_fd(read.into()).expect("a pipe");
    (Pipe::new(receiver, Arc::clone(allowed)), write)
}

async fn read(pipe: &mut Pipe) -> usize {
    let mut buffer = Vec::with_capacity(64 << 10);
    timeout(DEADLINE, pipe.read(&mut buffer)).await.expect("in time").expect("a pipe")
}

/// Fills the pipe and reads it, so many times.
async fn flood(pipe: &mut Pipe, write: &mut std::io::PipeWriter, times: usize) {
    let block = vec![b'x'; 64 << 10];
    for _ in 0..times {
        write.write_all(&block).expect("room");
        assert_eq!(read(pipe).await, block.len());
    }
}

fn size(write: &std::io::PipeWriter) -> usize {
    rustix::pipe::fcntl_getpipe_size(write).expect("a pipe")
}

#[tokio::test]
async fn a_pipe_that_is_often_full_becomes_larger_and_few_at_a_time_do() {
    let allowed = Arc::new(Semaphore::new(1));
    let (mut one, mut to_one) = pipe(&allowed);
    let (mut other, mut to_other) = pipe(&allowed);
    let usual = size(&to_one);
    flood(&mut one, &mut to_one, 31).await;
    assert_eq!(size(&to_one), usual, "a burst is no flood");
    flood(&mut one, &mut to_one, 1).await;
    assert_eq!(size(&to_one), 256 << 10);
    flood(&mut other, &mut to_other, 100).await;
    assert_eq!(size(&to_other), usual, "there is no room for another");
    drop(one);
    flood(&mut other, &mut to_other, 32).await;
    assert_eq!(size(&to_other), 256 << 10, "the room of one that is gone is given to another");
}

#[tokio::test]
async fn a_larger_pipe_gets_its_size_back_when_it_is_calm_also_when_nothing_comes_any_more() {
    let allowed = Arc::new(Semaphore::new(1));
    let (mut pipe, mut write) = pipe(&allowed);
    let usual = size(&write);
    flood(&mut pipe, &mut write, 32).await;
    assert_eq!((size(&write), allowed.available_permits()), (256 << 10, 0));
    let shrunk = async {
        while allowed.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(size(&write), usual);
        (&write).write_all(b"more\n").expect("room");
    };
    let (more, shrunk) = tokio::join!(read(&mut pipe), timeout(DEADLINE, shrunk));
    shrunk.expect("it is given back");
    assert_eq!(more, 5);
}

#[tokio::test]
async fn who_is_woken_for_every_line_rests_and_then_reads_many_at_once() {
    const LINES: usize = 20_000;
    let (read, write) = std::io::pipe().expect("a pipe");
    rustix::io::ioctl_fionbio(&read, true).expect("a pipe");
    let receiver = pipe::Receiver::from_owned_fd(read.into()).expect("a pipe");
    let mut pipe = Pipe::new(receiver, Arc::new(Semaphore::new(0)));
    let script = format!("i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); echo line $i; done");
    let mut command = std::process::Command::new("/bin/sh");
    let mut child = command.args(["-c", &script]).stdout(write).spawn().expect("a shell");
    drop(command);
    let (mut splitter, mut text, mut reads) = (Splitter::default(), Vec::new(), 0);
    while timeout(DEADLINE, pipe.read(splitter.room())).await.expect("in time").expect("a pipe") > 0 {
        text.extend(splitter.take().text);
        reads += 1;
    }
    assert!(child.wait().expect("its end").success());
    let expected: String = (1..=LINES).map(|number| format!("line {number}\n")).collect();
    assert!(text == expected.as_bytes(), "every line, in order");
    // A reader that is woken for each line reads most of them alone.
    assert!(reads < LINES / 4, "{reads} reads");
}

#[tokio::test]
async fn a_rest_that_is_given_up_costs_nothing() {
    let (mut pipe, mut write) = pipe(&Arc::new(Semaphore::new(0)));
    let (mut buffer, mut written, mut given_up) = (Vec::with_capacity(1 << 20), 0, 0);
    let deadline = Instant::now() + DEADLINE;
    while given_up < 5 {
        assert!(Instant::now() < deadline, "it rests");
        written += write.write(b"a line\n").expect("room");
        match timeout(Duration::ZERO, pipe.read(&mut buffer)).await {
            Ok(read) => assert!(read.expect("a pipe") > 0),
            Err(_) => given_up += 1,
        }
    }
    drop(write);
    while timeout(DEADLINE, pipe.read(&mut buffer)).await.expect("in time").expect("a pipe") > 0 {}
    assert_eq!(buffer.len(), written);
    assert!(buffer.chunks(7).all(|line| line == b"a line\n"));
}
