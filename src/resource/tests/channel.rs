//! Bounded channels and what they tell.

use tokio::{task::yield_now, time::advance};

use super::*;
use crate::metrics::ChannelReading;

fn make(manager: &ResourceManager, waiting: Waiting) -> (Sender<u8>, mpsc::Receiver<u8>) {
    channel(manager, Component::Logs, "questions", 1, waiting)
}

fn reading(manager: &ResourceManager) -> ChannelReading {
    let mut all = manager.metrics().channels.read();
    all.retain(|channel| channel.name != "faults");
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// A send that waits this long.
async fn wait_for_room(
    manager: &ResourceManager,
    sender: &Sender<u8>,
    inbox: &mut mpsc::Receiver<u8>,
    millis: u64,
) {
    sender.send(1).await.expect("somebody receives");
    let second = sender.clone();
    let sends = manager.spawn(Component::App, "sends", async move { second.send(2).await.is_ok() });
    yield_now().await;
    assert_eq!(reading(manager).used, 1);
    advance(Duration::from_millis(millis)).await;
    assert_eq!((inbox.recv().await, sends.await, inbox.recv().await), (Some(1), Some(true), Some(2)));
}

#[tokio::test(start_paused = true)]
async fn a_send_that_waits_is_counted_and_a_long_wait_is_a_breach_where_none_is_expected() {
    for (waiting, breaches) in [(Waiting::Measured, 1), (Waiting::Expected, 0)] {
        let (manager, _faults, _metrics) = manager(1);
        let (sender, mut inbox) = make(&manager, waiting);
        sender.send(0).await.expect("somebody receives");
        assert_eq!(inbox.recv().await, Some(0));
        assert_eq!(reading(&manager).blocked_sends, 0, "there was room");
        wait_for_room(&manager, &sender, &mut inbox, 50).await;
        wait_for_room(&manager, &sender, &mut inbox, 51).await;
        let read = reading(&manager);
        assert_eq!((read.blocked_sends, read.breaches, read.longest_wait), (2, breaches, 51_000));
        assert_eq!((read.name, read.component, read.capacity, read.used), ("questions", "logs", 1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_is_counted_and_sends_nothing() {
    let (manager, _faults, _metrics) = manager(1);
    let (sender, mut inbox) = make(&manager, Waiting::Measured);
    sender.try_send(1).expect("there is room");
    assert!(sender.try_send(2).is_err());
    assert!(tokio::time::timeout(Duration::from_millis(60), sender.send(3)).await.is_err());
    let read = reading(&manager);
    assert_eq!((read.blocked_sends, read.breaches), (1, 1));
    assert_eq!(inbox.recv().await, Some(1));
    inbox.close();
    assert!(sender.send(4).await.is_err() && sender.is_closed());
    assert_eq!(inbox.recv().await, None);
}

#[tokio::test]
async fn channels_of_one_name_are_one_and_the_fullest_shows() {
    let (manager, _faults, _metrics) = manager(1);
    let (first, _first) = channel::<u8>(&manager, Component::Process, "controls", 4, Waiting::Measured);
    let (second, mut inbox) = channel::<u8>(&manager, Component::Process, "controls", 8, Waiting::Measured);
    for _ in 0..3 {
        first.try_send(0).expect("there is room");
    }
    second.try_send(0).expect("there is room");
    assert_eq!((reading(&manager).used, reading(&manager).capacity), (3, 8));
    drop(first);
    assert_eq!(reading(&manager).used, 1, "one that is gone is forgotten");
    drop(second);
    assert_eq!((inbox.recv().await, inbox.recv().await), (Some(0), None), "the metrics keep nothing open");
    assert_eq!(reading(&manager).used, 0);
}
