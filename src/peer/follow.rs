//! A log of another host shown here.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::timeout,
};

use super::{
    SHOWN, Shared, Shows,
    message::{self, Ask, Request, Tail, Told, VERSION},
    wire::{self, Lines},
};
use crate::{
    config::RunOptions,
    event::{Component, Exit, ProcessId, ProcessInfo, State, Timestamp},
    process::{Mirror, Stream},
};

/// Lines to begin with.
const LINES: usize = 10_000;

/// Bytes of a message: what is read of the store at a time, with an escape for every byte.
const MESSAGE: usize = 8 << 20;

/// How long the other host may take for its first message.
const ANSWER: Duration = Duration::from_secs(5);

/// A connection that tells a log.
struct Connection {
    messages: Lines<OwnedReadHalf>,
    /// The other host ends its telling when this is closed.
    _open: OwnedWriteHalf,
}

/// Takes the place of a log among those shown, until dropped.
struct Place {
    shared: Arc<Shared>,
    shows: Shows,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.shown.lock().remove(&self.shows);
    }
}

/// See [`Peers::show`](super::Peers::show).
pub(super) async fn show(shared: Arc<Shared>, shows: Shows) -> Result<ProcessId, String> {
    let known = shared.shown.lock().get(&shows).copied();
    if let Some(process) = known {
        return Ok(process);
    }
    let pid = shows.host.pid;
    let connected = timeout(ANSWER, connect(&shared, &shows)).await;
    let (mut told, first) = connected
        .unwrap_or_else(|_| Err("it does not answer".to_owned()))
        .map_err(|why| format!("the editor with pid {pid} cannot show {}: {why}", shows.name))?;
    let mirror = begin(&shared, &shows, first).await?.ok_or_else(|| {
        format!("the editor with pid {pid} cannot show {}: it says something else", shows.name)
    })?;
    let process = mirror.process();
    {
        let mut shown = shared.shown.lock();
        if shown.len() >= SHOWN {
            return Err(format!("{SHOWN} logs of other editors are shown already"));
        }
        shown.insert(shows.clone(), process);
    }
    let place = Place { shared: Arc::clone(&shared), shows };
    let follow = async move { follow(&place, &mut told, mirror).await };
    drop(shared.parts.resources.spawn(Component::Rpc, "log of another host", follow));
    Ok(process)
}

/// The first message, or why there is none.
async fn connect(shared: &Shared, shows: &Shows) -> Result<(Connection, Told), String> {
    let path = shared.parts.records.socket(shows.host);
    let stream = UnixStream::connect(&path).await.map_err(|error| error.to_string())?;
    if !wire::is_ours(&stream) {
        return Err("it is another user's".to_owned());
    }
    let (from, mut to) = stream.into_split();
    let tail = Tail { root: shows.root.clone(), name: shows.name.clone(), lines: LINES, follow: true };
    let request = Request { version: VERSION, ask: Ask::Tail(tail) };
    wire::send(&mut to, &request).await.map_err(|error| error.to_string())?;
    let mut messages = Lines::new(from, MESSAGE);
    match messages.next().await {
        Ok(Some(Told::Refused { why })) => Err(why),
        Ok(Some(first)) => Ok((Connection { messages, _open: to }, first)),
        Ok(None) => Err("it has ended".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A run as the other host tells of it; `None` when this does not begin one.
async fn begin(shared: &Shared, shows: &Shows, told: Told) -> Result<Option<Mirror>, String> {
    let Told::Begin { pid, at, cwd, argv, script } = told else { return Ok(None) };
    let host = shows.host.pid;
    let info = ProcessInfo {
        name: format!("{} @{host}", shows.name),
        package: None,
        root: PathBuf::from(&shows.root),
        cwd: PathBuf::from(cwd),
        argv,
        args: Vec::new(),
        script,
        env: Vec::new(),
        options: RunOptions::default(),
    };
    let mirror = shared.parts.manager.mirror(info, host).await.map_err(|error| error.to_string())?;
    mirror.begin(pid, Timestamp(at)).await;
    Ok(Some(mirror))
}

/// Shows what is told until the other host ends, or this one.
async fn follow(place: &Place, told: &mut Connection, mirror: Mirror) {
    let Place { shared, shows } = place;
    let shutdown = shared.parts.resources.shutdown();
    let mut mirror = Some(mirror);
    loop {
        let message = tokio::select! {
            message = told.messages.next() => message,
            () = shutdown.begun() => return,
        };
        let message = match message {
            Ok(Some(message)) => message,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, pid = shows.host.pid, "What another host said was not understood.");
                break;
            }
        };
        match (message, &mirror) {
            (Told::Lines { at, err, text, cut }, Some(mirror)) => {
                let stream = if err { Stream::Err } else { Stream::Out };
                mirror.lines(stream, Timestamp(at), joined(&text), cut).await;
            }
            (Told::Missed { lines }, Some(mirror)) => {
                let said = format!("[brummer: {lines} lines came too fast to be shown here]");
                mirror.lines(Stream::Err, Timestamp::now(), joined(&[said]), Vec::new()).await;
            }
            (Told::Exit { state, code, signal, reason, at }, Some(_)) => {
                if let Some(mirror) = mirror.take() {
                    let (state, exit) = (message::ended(&state), message::exit(code, signal));
                    mirror.end(state, exit, reason.map(Into::into), Timestamp(at)).await;
                }
            }
            (begins @ Told::Begin { .. }, None) => match begin(shared, shows, begins).await {
                Ok(next) => mirror = next,
                Err(error) => return tracing::warn!(%error, "A run of another host is not shown."),
            },
            // A newer host may have more to say.
            _ => {}
        }
    }
    if let Some(mirror) = mirror {
        let reason = format!("the editor with pid {} has ended", shows.host.pid);
        mirror.end(State::Stopped, Exit::NotStarted, Some(reason.into()), Timestamp::now()).await;
    }
}

/// Whole lines as bytes. A newline in a line would make it two.
fn joined(lines: &[String]) -> Vec<u8> {
    let mut text = Vec::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        text.extend(line.bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }));
        text.push(b'\n');
    }
    text
}
