//! Two hosts of one directory, both of which live.

use std::process::{Child, Command, Stdio};

use super::*;

/// A process that lives as long as this. Not who started this program: that may be the first process of a container, which
/// is nobody's host.
struct Living(Child);

// === impl Living ===

impl Drop for Living {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).ok();
    }
}

fn hosts(dir: &std::path::Path) -> (Records, Records, Living) {
    // It waits for input that never comes.
    let living = Living(Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat starts"));
    let other = Identity::of(living.0.id()).expect("it lives");
    (Records::for_test(dir, Identity::own()), Records::for_test(dir, other), living)
}

fn wanted(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|name| ("/code/app".to_owned(), (*name).to_owned())).collect()
}

fn files(dir: &std::path::Path) -> usize {
    std::fs::read_dir(dir.join("brummer/runs")).expect("it is there").count()
}

#[test]
fn one_host_holds_a_script_and_the_other_is_told_who() {
    let dir = tempfile::tempdir().expect("a directory");
    let (one, other, _living) = hosts(dir.path());
    let held = one.claim(wanted(&["dev", "api"]), false).expect("nobody has them");
    let told = other.claim(wanted(&["web", "dev"]), false).expect_err("it is being started");
    assert_eq!((told.len(), told[0].name.as_str(), told[0].host), (1, "dev", one.own()));
    assert_eq!(other.elsewhere("/code/app", &["dev".to_owned()]), told);
    assert_eq!(files(dir.path()), 2, "what was got is given up");
    drop(other.claim(wanted(&["web", "dev"]), true).expect("another one may run"));
    drop(one.claim(wanted(&["dev"]), false).expect("it is its own"));
    let dev = held.take("/code/app", "dev").expect("it is among them");
    assert!(held.take("/code/app", "dev").is_none());
    drop(held);
    let api = other.claim(wanted(&["api"]), false).expect("nobody took it");
    drop(dev);
    drop(other.claim(wanted(&["dev"]), false).expect("it was given up"));
    drop(api);
    assert_eq!(files(dir.path()), 0);
}

#[test]
fn what_a_crash_left_holds_nobody_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let (one, other, _living) = hosts(dir.path());
    let gone = Identity { pid: 4_000_000, start: 7 };
    let path = dir.path().join("brummer/runs").join(file_name("/code/app", "dev"));
    let holder = Holder {
        root: "/code/app".to_owned(),
        name: "dev".to_owned(),
        host: gone,
        editor: None,
        at: Timestamp::now(),
    };
    for text in [serde_json::to_string(&holder).expect("text"), "{".to_owned(), String::new()] {
        std::fs::write(&path, text).expect("written");
        assert_eq!(other.starting("/code/app", "dev"), None);
        drop(one.claim(wanted(&["dev"]), false).expect("nobody holds it"));
        assert!(!path.exists());
    }
}

#[test]
fn of_many_at_once_one_gets_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let (one, other, _living) = hosts(dir.path());
    for _ in 0..100 {
        let start = std::sync::Barrier::new(2);
        let claim = |records: &Records| {
            start.wait();
            let claims = records.claim(wanted(&["dev"]), false);
            // Held until both have tried.
            start.wait();
            claims.is_ok()
        };
        let got = thread::scope(|scope| {
            let tries = [&one, &other].map(|records| scope.spawn(|| claim(records)));
            tries.map(|each| each.join().expect("no panic"))
        });
        assert!(got == [true, false] || got == [false, true], "{got:?}");
    }
}
