//! The fallback's queue, step by step.

use super::{
    super::{
        fallback::{Next, Serial},
        lane::Offer,
        letter::Letter,
    },
    *,
};

fn serial(queue_sizes: [usize; 3]) -> Serial {
    let config = config(1, queue_sizes, Backpressure::DropOldest);
    Serial::new(1, &Plan::new(&config, 1), config.backpressure, true)
}

fn offer(serial: &Serial, event: Event) -> (Offer, Option<u64>) {
    serial.offer(&mut Some(Letter::new(event, u64::MAX)), Publisher::Outside, false)
}

#[test]
fn a_call_that_has_returned_is_not_left_behind() {
    let (serial, registry) = (serial([8; 3]), Arc::<Registry>::default());
    let sink = Sink::Handler(Box::new(|_| {}));
    let _subscription = registry.add(Filter::all(), Component::App, "test", sink);
    let turn = offer(&serial, lines(1, 1)).1.expect("nobody delivers");
    let next = || serial.next(turn, || registry.table());
    assert!(matches!(next(), Next::Again));
    let Next::Call(step) = next() else { panic!("there is a handler") };
    let (call, called) = serial.call().expect("it goes on");
    assert!(serial.returned(turn, &step));
    assert!(serial.call().is_none(), "it has returned");
    assert_eq!(serial.replace(call, &called), None);
    assert!(matches!(next(), Next::Delivered(..)));
    assert!(matches!(next(), Next::Leave));
    assert_eq!((serial.account()[1].delivered, serial.account()[1].in_flight), (1, 0));
}

#[tokio::test]
async fn room_for_high_is_told_although_the_rest_stays_full() {
    let (serial, registry) = (serial([2, 8, 8]), Arc::<Registry>::default());
    let turn = offer(&serial, exited(1, 1)).1.expect("nobody delivers");
    offer(&serial, exited(1, 2));
    for n in 0..16 {
        offer(&serial, lines(1, n));
    }
    assert_eq!(offer(&serial, exited(1, 3)).0, Offer::Full);
    let mut room = std::pin::pin!(serial.room.notified());
    room.as_mut().enable();
    for n in 0..4 {
        assert!(matches!(serial.next(turn, || registry.table()), Next::Again | Next::Delivered(..)));
        offer(&serial, lines(1, n));
    }
    assert_eq!(timeout(Duration::ZERO, room).await, Ok(()));
}
