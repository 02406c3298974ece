//! Records as files: who may read them, and what is left alone.

use std::{fs, os::unix::fs::PermissionsExt};

use super::*;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("it is there").permissions().mode() & 0o7777
}

fn other() -> Identity {
    Identity { pid: 4_000_000, start: 7 }
}

#[test]
fn a_record_is_written_whole_for_the_user_alone_and_read_by_another_host() {
    let dir = tempfile::tempdir().expect("a directory");
    let (writer, reader) =
        (Records::for_test(dir.path(), other()), Records::for_test(dir.path(), Identity::own()));
    let record = Record { name: "web/dev".to_owned(), ..writer.blank("4000000-7-3".to_owned()) };
    writer.write(&record).expect("it is written");
    let path = writer.path(&record.mark);
    assert_eq!((mode(&path), mode(path.parent().expect("runs")), mode(writer.base())), (0o600, 0o700, 0o700));
    assert_eq!(reader.of_others(), (vec![Found { record: record.clone(), stopped: None }], Vec::new()));
    assert_eq!(writer.of_others(), (Vec::new(), Vec::new()), "its own need no looking for");
    let stop = std::time::UNIX_EPOCH + std::time::Duration::from_millis(12_345);
    File::open(&path).and_then(|file| file.set_modified(stop)).expect("a guard may");
    let found = reader.read(&record.mark).expect("it is read").expect("it is there");
    assert_eq!(found.stopped, Some(Timestamp(12_345)));
    for _ in 0..2 {
        reader.remove(&record.mark);
        assert_eq!(reader.read(&record.mark), Ok(None));
    }
}

#[test]
fn what_cannot_be_read_is_said_and_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let records = Records::for_test(dir.path(), Identity::own());
    let secret = dir.path().join("secret");
    fs::write(&secret, "{}").expect("written");
    std::os::unix::fs::symlink(&secret, records.path("4000000-7-1")).expect("linked");
    fs::write(records.path("4000000-7-2"), "{").expect("written");
    let of_another = records.blank("4000000-7-9".to_owned());
    fs::write(records.path("4000000-7-3"), serde_json::to_vec(&of_another).expect("text")).expect("written");
    let future = Record { version: VERSION + 1, ..records.blank("4000000-7-4".to_owned()) };
    fs::write(records.path("4000000-7-4"), serde_json::to_vec(&future).expect("text")).expect("written");
    fs::write(records.path("4000000-7-5"), vec![b' '; 65 << 10]).expect("written");
    let half = records.base().join("runs/4000000-7-6.part");
    fs::write(&half, "half").expect("written");
    File::open(&half).and_then(|file| file.set_modified(std::time::UNIX_EPOCH)).expect("set");
    let (found, mut unreadable) = records.of_others();
    unreadable.sort();
    let said: Vec<_> =
        unreadable.iter().filter_map(|text| text.split_once(".json: ")).map(|(_, why)| why).collect();
    assert_eq!(found, []);
    assert_eq!(
        (said[0], &said[2..]),
        (
            "a symbolic link",
            &["the record of another run", "of version 2, not 1", "too long for a record"][..]
        )
    );
    assert!((1..6).all(|run| fs::symlink_metadata(records.path(&format!("4000000-7-{run}"))).is_ok()));
    assert!(!half.exists(), "its host is dead");
}

#[test]
fn a_directory_that_is_not_the_users_alone_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::create_dir(dir.path().join("brummer")).expect("made");
    fs::set_permissions(dir.path().join("brummer"), fs::Permissions::from_mode(0o750)).expect("set");
    let error = Records::within(dir.path(), "brummer").expect_err("it is open").to_string();
    assert!(error.contains("/brummer: is open to other users (chmod 700 closes it)"), "{error}");
    std::os::unix::fs::symlink(dir.path(), dir.path().join("link")).expect("linked");
    let error = Records::within(dir.path(), "link").expect_err("it is a link").to_string();
    assert!(error.contains("/link: not a directory"), "{error}");
    fs::write(dir.path().join("file"), "").expect("written");
    let error = Records::within(dir.path(), "file").expect_err("it is a file").to_string();
    assert!(error.contains("/file: not a directory"), "{error}");
}

#[test]
fn a_socket_goes_when_its_host_is_gone_and_nobody_listens() {
    let dir = tempfile::tempdir().expect("a directory");
    let records = Records::for_test(dir.path(), Identity::own());
    let (dead, foreign) = (Identity { pid: 4_000_001, start: 7 }, Identity { pid: 4_000_002, start: 7 });
    let own = records.socket(records.own());
    let listener = |path: &Path| std::os::unix::net::UnixListener::bind(path).expect("bound");
    let _listens = (listener(&records.socket(foreign)), listener(&own));
    drop(listener(&records.socket(dead)));
    records.sweep_sockets();
    let there = |host| records.socket(host).exists();
    assert_eq!((there(dead), there(foreign), own.exists()), (false, true, true));
}

#[test]
fn a_mark_names_its_host() {
    assert_eq!(host_of("12-34-5"), Some(Identity { pid: 12, start: 34 }));
    for wrong in ["", "12", "12-34", "12-x-5", "12-34-x", "-12-34-5"] {
        assert_eq!(host_of(wrong), None, "{wrong}");
    }
}
