//! The web addresses of a run: what is told of them, and to whom.

use super::{
    contract::{Rig, lines},
    *,
};
use crate::event::{Event, Url};

#[test]
fn addresses_are_told_once_a_run_and_twenty_of_them() {
    let mut state = state(1000, usize::MAX);
    state.begin(P, RunId(1), 1, Timestamp(0));
    let text = "ready\n  Local: http://localhost:5173/\n\x1b]8;;https://x.dev/docs\x1b\\docs\x1b]8;;\x1b\\ http://localhost:5173/\n";
    let urls = state.append(P, text.as_bytes(), &[], facts()).urls.unwrap_or_default();
    let url = |seq, url: &str| Url { seq: Seq(seq), url: url.into() };
    assert_eq!(*urls, [url(2, "http://localhost:5173/"), url(3, "https://x.dev/docs")]);
    assert_eq!(state.append(P, b"again http://localhost:5173/\n", &[], facts()).urls, None);
    let many: String = (0..100).map(|number| format!("http://x.dev/{number}\n")).collect();
    assert_eq!(state.append(P, many.as_bytes(), &[], facts()).urls.map(|urls| urls.len()), Some(20));
    assert_eq!(state.append(P, b"http://y.dev\n", &[], facts()).urls, None);
    state.begin(P, RunId(2), 2, Timestamp(0));
    let next = Facts { run: RunId(2), ..facts() };
    assert_eq!(state.append(P, b"http://y.dev\n", &[], next).urls.map(|urls| urls.len()), Some(1));
}

#[tokio::test]
async fn addresses_come_by_the_bus() {
    let mut rig = Rig::new(Mode::Current, &LogStoreConfig::default());
    rig.begin(P, 1).await;
    rig.pipe.try_send(lines(P, 1, "x\nhttp://a.b/\n")).unwrap();
    rig.pipe.try_send(lines(P, 1, "http://c.d/\n")).unwrap();
    let told = |events: &[Event]| {
        let mut all = events.iter().filter_map(|event| match event {
            Event::UrlDetected { urls, .. } => Some(urls.clone()),
            _ => None,
        });
        all.next_back()
    };
    let events = rig.events_until(|events| told(events).is_some_and(|urls| urls.len() == 2)).await;
    let urls = told(&events).unwrap_or_default();
    assert_eq!(
        urls.iter().map(|url| (url.seq.0, &*url.url)).collect::<Vec<_>>(),
        [(2, "http://a.b/"), (3, "http://c.d/")]
    );
}
