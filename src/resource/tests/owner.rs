//! Tasks that outlive their owner.

use tokio::time::advance;

use super::*;

#[tokio::test(start_paused = true)]
async fn tasks_alive_a_second_after_their_owner_are_leaked_and_named() {
    let (manager, _faults, metrics) = manager(1);
    let stay =
        |resources: &ResourceManager| resources.spawn(Component::Rpc, "stays", std::future::pending::<()>());
    let of_program = stay(&manager);
    let (session, other) =
        (manager.owner(Component::Rpc, "session"), manager.owner(Component::Process, "run"));
    let (one, two, ends) =
        (stay(&session.resources()), stay(&session.resources()), stay(&session.resources()));
    let accounted = stay(&other.resources());
    // What an owner's manager hands down is the owner's too.
    let handed = session.resources().clone();
    drop(session);
    ends.abort();
    assert_eq!(ends.await, None);
    advance(Duration::from_millis(999)).await;
    assert_eq!((manager.leaked(), metrics.resource.tasks_leaked.read()), (vec![], 0), "it may still end");
    advance(Duration::from_millis(1)).await;
    assert_eq!(manager.leaked(), [(Component::Rpc, "session", 2)]);
    let late = stay(&handed);
    assert_eq!((manager.leaked()[0].2, metrics.resource.tasks_leaked.read()), (3, 3));
    drop(handed);
    for task in [one, two, late] {
        task.abort();
        assert_eq!(task.await, None);
    }
    assert_eq!((manager.leaked(), metrics.resource.tasks_leaked.read()), (vec![], 0));
    for task in [of_program, accounted] {
        assert!(!task.is_finished());
    }
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_after_the_drain_is_leaked_by_the_program() {
    let (manager, _faults, _metrics) = manager(1);
    drop(manager.spawn(Component::Logs, "rude", std::future::pending::<()>()));
    advance(Duration::from_secs(9)).await;
    assert_eq!(manager.leaked(), []);
    assert_eq!(manager.drained(Duration::from_secs(1)).await, 1);
    assert_eq!(manager.leaked(), [(Component::App, "program", 1)]);
}
