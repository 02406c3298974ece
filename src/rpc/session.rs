//! One editor, from its hello to its end.

use std::io;

use async_trait::async_trait;
use nvim_rs::{Handler, Neovim};
use rmpv::Value;
use tokio::sync::mpsc;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt, TokioAsyncWriteCompatExt};

use super::{
    Handles, Stdio, calls,
    flush::{self, ToFlush},
    frame::Reply,
    others,
    protocol::{Call, Hello, HelloAnswer, PROTOCOL},
    stdio::Writer,
};
use crate::{
    event::Component,
    resource::{self, Sender, Task, Waiting},
};

/// Messages from the editor that wait to be looked at. Full: nvim-rs's own queue grows meanwhile, by what a
/// user can type.
const INBOX: usize = 64;

/// Messages that wait for the flush task. Full: the sender waits for the next frame.
const TO_FLUSH: usize = 256;

pub(super) type Editor = Neovim<Compat<Writer>>;

/// What the handler hands over.
enum Inbound {
    Hello(Value),
    Call { id: u64, method: String, params: Value },
}

/// A task that ends with the session.
struct Ending<T>(Task<T>);

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Forwards and does nothing else: nvim-rs reads on only when this returns.
#[derive(Clone)]
struct Forward(Sender<Inbound>);

#[async_trait]
impl Handler for Forward {
    type Writer = Compat<Writer>;

    async fn handle_notify(&self, name: String, arguments: Vec<Value>, _editor: Neovim<Self::Writer>) {
        let mut arguments = arguments.into_iter();
        let inbound =
            match name.as_str() {
                "hello" => arguments.next().map(Inbound::Hello),
                "call" => match (arguments.next(), arguments.next(), arguments.next()) {
                    (Some(id), Some(method), params) => {
                        id.as_u64().zip(method.as_str().map(str::to_owned)).map(|(id, method)| {
                            Inbound::Call { id, method, params: params.unwrap_or(Value::Map(Vec::new())) }
                        })
                    }
                    _ => None,
                },
                _ => None,
            };
        match inbound {
            Some(inbound) => {
                // The session is over when nobody receives.
                drop(self.0.send(inbound).await);
            }
            None => tracing::warn!(name, "A notification was not understood."),
        }
    }
}

/// Serves an editor until it says `bye` or its channel closes. Dropping the future ends the session.
pub async fn serve(stdio: Stdio, handles: Handles) -> io::Result<()> {
    let (reader, writer) = stdio.open()?;
    let session = handles.resources.owner(Component::Rpc, "session");
    let handles = Handles { resources: session.resources(), ..handles };
    let (forward, mut inbox) =
        resource::channel(&handles.resources, Component::Rpc, "editor messages", INBOX, Waiting::Measured);
    let (editor, io) = Neovim::new(reader.compat(), writer.compat_write(), Forward(forward));
    let mut io = Ending(handles.resources.spawn(Component::Rpc, "session", io));
    tokio::select! {
        ended = &mut io.0 => {
            if let Some(Err(error)) = ended {
                tracing::info!(%error, "The editor's channel closed.");
            }
            Ok(())
        }
        () = converse(editor, &mut inbox, handles) => Ok(()),
    }
}

/// The handshake, then calls.
async fn converse(editor: Editor, inbox: &mut mpsc::Receiver<Inbound>, handles: Handles) {
    loop {
        match inbox.recv().await {
            Some(Inbound::Hello(hello)) => {
                if !greet(&editor, hello).await {
                    return;
                }
                break;
            }
            Some(Inbound::Call { method, .. }) => tracing::warn!(method, "A call came before the handshake."),
            None => return,
        }
    }
    let (to_flush, mailbox) = resource::channel(
        &handles.resources,
        Component::Rpc,
        "messages to flush",
        TO_FLUSH,
        Waiting::Measured,
    );
    let flush = flush::Flush::new(editor, handles.clone());
    let mut flush = Ending(handles.resources.spawn(Component::Rpc, "flush", flush.run(mailbox)));
    let found = others::tell_leftovers(handles.clone(), to_flush.clone());
    drop(handles.resources.spawn(Component::Rpc, "left-overs", found));
    let calls = calls::Calls::new(handles, to_flush);
    loop {
        let inbound = tokio::select! {
            inbound = inbox.recv() => inbound,
            // Without frames the editor would wait for ever; that the channel closes it hears.
            _ = &mut flush.0 => return,
        };
        let Some(inbound) = inbound else { return };
        match inbound {
            Inbound::Hello(_) => tracing::warn!("A second hello was ignored."),
            Inbound::Call { id, method, params } => match Call::decode(&method, params) {
                Ok(Call::Bye) => break,
                Ok(call) => calls.take(id, call).await,
                Err(err) => {
                    tracing::warn!(%err, "A call was not understood.");
                    calls.send(ToFlush::Reply(Reply { id, ok: None, err: Some(err) })).await;
                }
            },
        }
    }
}

/// Answers a hello; false when the numbers differ or the editor is gone.
async fn greet(editor: &Editor, hello: Value) -> bool {
    let spoken = rmpv::ext::from_value::<Hello>(hello).map(|hello| hello.protocol);
    let answer =
        HelloAnswer { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION"), pid: std::process::id() };
    let json = serde_json::to_string(&answer).unwrap_or_default();
    let answered =
        editor.exec_lua("return require('brummer.host').on_hello(...)", vec![Value::from(json)]).await;
    if let Err(error) = &answered {
        tracing::warn!(%error, "The editor did not take the answer to its hello.");
    }
    match spoken {
        Ok(PROTOCOL) => answered.is_ok(),
        Ok(protocol) => {
            tracing::warn!(protocol, "The editor speaks another protocol.");
            false
        }
        Err(error) => {
            tracing::warn!(%error, "A hello was not understood.");
            false
        }
    }
}
