//! The socket where other hosts ask.

use std::{io, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use tokio::{
    net::{UnixListener, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use super::{
    CLIENTS, Shared,
    message::{Ask, Listed, Request, Told, VERSION, word},
    tail,
    wire::{self, Lines},
};
use crate::event::Component;

/// Bytes of a request.
const REQUEST: usize = 16 << 10;

/// How long a client may take to say what it wants.
const ASKED: Duration = Duration::from_secs(5);

/// How long is waited after a connection could not be taken: there may be no descriptor free.
const REFUSED: Duration = Duration::from_secs(1);

/// The file of the socket, which goes with its host.
struct Bound<'a>(&'a Path);

impl Drop for Bound<'_> {
    fn drop(&mut self) {
        std::fs::remove_file(self.0).ok();
    }
}

/// Serves until the program is to end.
pub(super) async fn run(shared: Arc<Shared>) {
    let (records, resources) = (&shared.parts.records, &shared.parts.resources);
    let path = records.socket(records.own());
    let listener = match bind(&path) {
        Ok(listener) => listener,
        Err(error) => {
            return tracing::warn!(%error, ?path, "Other editors cannot show the logs of this one.");
        }
    };
    let _bound = Bound(&path);
    let (places, shutdown) = (Arc::new(Semaphore::new(CLIENTS)), resources.shutdown());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.begun() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let place = Arc::clone(&places).try_acquire_owned().ok();
                let client = client(Arc::clone(&shared), stream, place);
                drop(resources.spawn(Component::Rpc, "other host", client));
            }
            Err(error) => {
                tracing::warn!(%error, "A connection of another host was not taken.");
                tokio::select! {
                    () = sleep(REFUSED) => {}
                    () = shutdown.begun() => return,
                }
            }
        }
    }
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    // Of a host with the same number and start on another run of the machine.
    std::fs::remove_file(path).ok();
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves one connection until it ends, on either side.
async fn client(shared: Arc<Shared>, stream: UnixStream, place: Option<OwnedSemaphorePermit>) {
    let shutdown = shared.parts.resources.shutdown();
    tokio::select! {
        answered = answer(&shared, stream, place.is_some()) => {
            if let Err(error) = answered {
                tracing::debug!(%error, "The connection of another host ended.");
            }
        }
        () = shutdown.begun() => {}
    }
}

async fn answer(shared: &Shared, stream: UnixStream, room: bool) -> io::Result<()> {
    if !wire::is_ours(&stream) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let (from, mut to) = stream.into_split();
    let mut requests = Lines::new(from, REQUEST);
    let request: Option<Request> =
        timeout(ASKED, requests.next()).await.map_err(|_| io::ErrorKind::TimedOut)??;
    let Some(Request { version, ask }) = request else { return Ok(()) };
    let refused = |why: String| Told::Refused { why };
    if version != VERSION {
        let why = format!("it runs another version of brummer ({VERSION}, not {version})");
        return wire::send(&mut to, &refused(why)).await;
    }
    if !room {
        return wire::send(&mut to, &refused(format!("{CLIENTS} others look at its logs already"))).await;
    }
    match ask {
        Ask::List => wire::send(&mut to, &list(shared)).await,
        Ask::Tail(ask) => tokio::select! {
            told = tail::tell(shared, &ask, &mut to) => told,
            // Nothing more is asked, so this is its end.
            _ = requests.next::<Request>() => Ok(()),
        },
    }
}

fn list(shared: &Shared) -> Told {
    let rows = shared.parts.model.view(Default::default(), u64::MAX).rows;
    let own = rows.into_iter().filter(|row| row.detail.elsewhere.is_none());
    let runs = own.map(|row| Listed {
        root: row.info.root.to_string_lossy().into_owned(),
        name: row.info.label(),
        state: word(row.state).to_owned(),
        pid: row.pid,
        since: row.started_at.map(|at| at.0),
    });
    Told::List { runs: runs.collect() }
}
