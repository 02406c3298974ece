//! What everybody relies on when waiting on a `Notify`, step by step on one thread. It holds for tokio's and
//! for the stand-in that the checkers see through.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use super::Notify;

fn is_ready(future: Pin<&mut impl Future>) -> bool {
    matches!(future.poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(_))
}

/// All of it.
pub(super) fn holds() {
    one_permit_is_kept();
    who_waits_longest_is_chosen();
    all_that_were_made_are_woken();
    enabling_is_waiting_in_line();
    who_goes_away_hands_on();
}

fn one_permit_is_kept() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    assert!(is_ready(pin!(notify.notified())));
    assert!(!is_ready(pin!(notify.notified())), "two calls with nobody there keep one permit");
    notify.notify_waiters();
    assert!(!is_ready(pin!(notify.notified())), "waking all keeps nothing");
}

fn who_waits_longest_is_chosen() {
    let notify = Notify::new();
    let (mut first, mut second) = (pin!(notify.notified()), pin!(notify.notified()));
    assert!(!is_ready(second.as_mut()) && !is_ready(first.as_mut()));
    notify.notify_one();
    assert!(!is_ready(first.as_mut()) && is_ready(second.as_mut()), "the line begins with the first poll");
    notify.notify_one();
    assert!(is_ready(first.as_mut()));
}

fn all_that_were_made_are_woken() {
    let notify = Notify::new();
    let (made, mut polled) = (pin!(notify.notified()), pin!(notify.notified()));
    assert!(!is_ready(polled.as_mut()));
    notify.notify_waiters();
    let later = pin!(notify.notified());
    assert!(is_ready(made) && is_ready(polled) && !is_ready(later));
}

fn enabling_is_waiting_in_line() {
    let notify = Notify::new();
    let (mut first, mut second) = (pin!(notify.notified()), pin!(notify.notified()));
    assert!(!first.as_mut().enable() && !second.as_mut().enable());
    notify.notify_one();
    notify.notify_one();
    assert!(first.as_mut().enable(), "notified already");
    assert!(is_ready(first) && is_ready(second), "none of the two calls is lost");
}

fn who_goes_away_hands_on() {
    let notify = Notify::new();
    let mut stays = pin!(notify.notified());
    {
        let mut goes = pin!(notify.notified());
        assert!(!is_ready(goes.as_mut()) && !is_ready(stays.as_mut()));
        notify.notify_one();
    }
    assert!(is_ready(stays), "it was chosen in place of the one that went");
    {
        let mut goes = pin!(notify.notified());
        assert!(!is_ready(goes.as_mut()));
        notify.notify_one();
    }
    assert!(is_ready(pin!(notify.notified())), "with nobody in line the permit is kept");
    {
        let mut goes = pin!(notify.notified());
        assert!(!is_ready(goes.as_mut()));
        notify.notify_waiters();
    }
    assert!(!is_ready(pin!(notify.notified())), "what all were given is not handed on");
}
