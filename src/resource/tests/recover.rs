//! A panic is one fault, and a fault about the handling of faults is none.

use super::*;

fn read(faults: &mut FaultReceiver) -> Vec<(&'static str, Arc<str>)> {
    std::iter::from_fn(|| faults.try_recv().ok()).map(|fault| (fault.place, fault.message)).collect()
}

#[tokio::test]
async fn a_recovered_panic_is_one_fault() {
    let (manager, mut faults, metrics) = manager(1);
    assert_eq!(manager.recover(Component::Bus, "handler", || 5), Some(5));
    assert_eq!(manager.recover(Component::Bus, "handler", || panic!("oh")), None::<()>);
    assert_eq!(read(&mut faults), [("handler", Arc::from("oh"))]);
    assert_eq!((metrics.resource.faults.read(), metrics.resource.tasks_panicked.read()), (1, 0));
}

#[tokio::test]
async fn what_goes_wrong_while_a_fault_is_handled_is_counted_and_not_reported() {
    let (manager, mut faults, metrics) = manager(1);
    let outcome = manager.recover_handling_fault(Component::App, "faults", || {
        // Deeper inside, where nobody knows what is being handled.
        manager.recover(Component::Logs, "inner", || panic!("inner"))
    });
    assert_eq!(outcome, Some(None::<()>));
    assert_eq!(manager.recover_handling_fault(Component::App, "faults", || panic!("outer")), None::<()>);
    assert_eq!(read(&mut faults), []);
    assert_eq!((metrics.resource.faults.read(), metrics.resource.faults_unread.read()), (2, 2));
    assert_eq!(manager.recover(Component::App, "after", || panic!("again")), None::<()>);
    assert_eq!(read(&mut faults), [("after", Arc::from("again"))], "it is over with the call");
}

#[tokio::test]
async fn a_panic_whose_payload_panics_is_caught_too() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the payload's drop");
        }
    }
    let (manager, mut faults, _metrics) = manager(1);
    assert_eq!(manager.recover(Component::App, "bomb", || panic::panic_any(Bomb)), None::<()>);
    assert_eq!(read(&mut faults), [("bomb", Arc::from("panicked with a value that is not a text"))]);
}

#[tokio::test]
async fn a_panic_after_a_wait_is_one_fault_too() {
    let (manager, mut faults, _metrics) = manager(1);
    let work = async {
        tokio::task::yield_now().await;
        panic!("later")
    };
    assert_eq!(manager.recover_in(Component::App, "waits", work).await, None::<()>);
    assert_eq!(manager.recover_in(Component::App, "waits", async { 5 }).await, Some(5));
    assert_eq!(read(&mut faults), [("waits", Arc::from("later"))]);
}
