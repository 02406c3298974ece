//! Groups of stack frames: when they are told, and to whom.

use super::*;

const TRACE: &str = "TypeError: no\n    at f (/p/src/a.js:1:2)\n    at g (/p/node_modules/x/i.js:3:5)\n    at h (/p/src/b.js:9:1)\nafter\n";

#[test]
fn a_group_is_told_once_its_end_is_known() {
    let mut state = state(1000, usize::MAX);
    state.begin(P, facts().run, 1, Timestamp(0));
    let frames = TRACE.find("after").unwrap_or_default();
    state.append(P, &TRACE.as_bytes()[..frames], &[], facts());
    let (slice, told) = state.read(&all(Which::Process(P)), 0);
    assert_eq!((slice.next, slice.groups), (Seq(5), Vec::new()));
    state.append(P, &TRACE.as_bytes()[frames..], &[], facts());
    let query = Query { from: slice.next, ..all(Which::Process(P)) };
    let (slice, told) = state.read(&query, told);
    let group = &slice.groups[0];
    assert_eq!((slice.groups.len(), group.process), (1, P));
    assert_eq!((group.frames.first, group.frames.last, group.frames.count), (Seq(2), Seq(4), 3));
    assert_eq!(
        group.frames.user.as_ref().map(|(seq, place)| (*seq, &*place.file)),
        Some((Seq(2), "/p/src/a.js"))
    );
    let query = Query { from: slice.next, ..query };
    assert_eq!(state.read(&query, told).0.groups, []);
    assert_eq!(
        state.read(&all(Which::Process(P)), told).0.groups.len(),
        1,
        "a window that begins anew gets it"
    );
}

#[test]
fn groups_go_with_their_lines() {
    let mut state = state(10, usize::MAX);
    state.begin(P, facts().run, 1, Timestamp(0));
    state.append(P, TRACE.as_bytes(), &[], facts());
    state.append(P, "x\n".repeat(9).as_bytes(), &[], facts());
    assert_eq!(state.read(&all(Which::Process(P)), 0).0.groups, []);
}
