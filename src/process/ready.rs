//! How it is known that a run is ready: by a line it prints, a port it listens on, or a URL it answers.
//!
//! The readers look for the line, because nothing may pass between them and the log; port and URL are tried at once and
//! then every [`PAUSE`], until it works, also after the time limit, which is told once. Nothing is spawned: the future
//! belongs to the task of the process and ends with the run. A port counts that is [`Whose::Tree`]: an old server that still
//! listens there is not what was started. A URL may be anybody's, since it may name another machine or a container.

use std::{
    future::poll_fn,
    net::{Ipv4Addr, Ipv6Addr},
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use http_body_util::Empty;
use hyper::{Request, StatusCode, Uri, body::Bytes, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use regex::bytes::Regex;
use tokio::{
    net::TcpStream,
    sync::Notify,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::usage;
use crate::{
    config::{Ready, ReadyProbe},
    event::Readiness,
};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// How long one connection may take. On the loopback interface the answer is there at once, unless too many wait already.
const CONNECT: Duration = Duration::from_secs(1);

/// How long one answer may take: a development server may build the page first.
const ANSWER: Duration = Duration::from_secs(10);

/// A look under way.
pub(super) struct Probing {
    success: Pin<Box<dyn Future<Output = ()> + Send + Sync>>,
    /// When it has taken too long, and what is said then; nothing once it has been said.
    limit: Option<(Instant, Arc<str>)>,
}

/// Whose a port has to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Whose {
    /// Below this guard, or another user's: a container's port is opened by a service of the system. Where that cannot be
    /// told, anybody's.
    Tree(u32),
    /// Nobody has been started.
    Anybody,
}

/// A line that is looked for, by the readers of both pipes.
#[derive(Debug)]
pub(super) struct Pattern {
    regex: Regex,
    found: Notify,
}

/// Begins to look, when the program has been started. The pattern, if there is one, is for the readers.
pub(super) fn begin(ready: &Ready, whose: Whose) -> (Option<Arc<Pattern>>, Probing) {
    let (probe, limit) = (ready.probe.clone(), ready.timeout);
    let at = Instant::now().checked_add(limit);
    let pattern = match &probe {
        ReadyProbe::Log(pattern) => match Regex::new(pattern) {
            Ok(regex) => Some(Arc::new(Pattern { regex, found: Notify::new() })),
            Err(error) => {
                // The settings refuse such a pattern.
                let why = format!("not ready: {}: {error}", words_of(&probe)).into();
                let success = Box::pin(std::future::pending());
                return (None, Probing { success, limit: Some((Instant::now(), why)) });
            }
        },
        ReadyProbe::Port(_) | ReadyProbe::Http(_) => None,
    };
    let limit = at.map(|at| (at, late(limit, &probe).into()));
    let lines = pattern.clone();
    let success = async move {
        match (&probe, &lines) {
            (ReadyProbe::Port(port), _) => until(|| accepts(*port, whose)).await,
            (ReadyProbe::Http(url), _) => until(|| answers(url)).await,
            (ReadyProbe::Log(_), Some(pattern)) => pattern.found.notified().await,
            (ReadyProbe::Log(_), None) => std::future::pending().await,
        }
    };
    (pattern, Probing { success: Box::pin(success), limit })
}

/// What is looked at, for the user.
pub(super) fn words_of(probe: &ReadyProbe) -> String {
    match probe {
        ReadyProbe::Log(pattern) => format!("log /{pattern}/"),
        ReadyProbe::Port(port) => format!("port {port}"),
        ReadyProbe::Http(url) => url.clone(),
    }
}

fn late(limit: Duration, probe: &ReadyProbe) -> String {
    let limit = match limit.as_millis() {
        millis @ ..1000 => format!("{millis} ms"),
        _ => format!("{} s", limit.as_secs_f64()),
    };
    format!("not ready after {limit}: {}", words_of(probe))
}

/// Tries until it works.
async fn until<F: Future<Output = bool>>(works: impl Fn() -> F) {
    while !works().await {
        sleep(PAUSE).await;
    }
}

/// Whether a connection to this port of the loopback interface is accepted, by whom it has to be.
async fn accepts(port: u16, whose: Whose) -> bool {
    connect("localhost", port).await.is_some()
        && match whose {
            // A few short reads of what is in memory, made only once somebody answers.
            Whose::Tree(guard) => usage::listens(guard, port),
            Whose::Anybody => true,
        }
}

/// A name for this machine is not looked up, so that a resolver which knows only one of its two addresses is no matter.
async fn connect(host: &str, port: u16) -> Option<TcpStream> {
    let made = async {
        if host != "localhost" {
            return TcpStream::connect((host, port)).await.ok();
        }
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            Ok(stream) => Some(stream),
            Err(_) => TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.ok(),
        }
    };
    timeout(CONNECT, made).await.ok().flatten()
}

/// Whether a GET of this URL is answered with a status below 400.
async fn answers(url: &str) -> bool {
    let Ok(Some(status)) = timeout(ANSWER, status_of(url)).await else { return false };
    status.as_u16() < 400
}

async fn status_of(url: &str) -> Option<StatusCode> {
    let url: Uri = url.parse().ok()?;
    let host = url.host()?;
    let stream = connect(host.trim_matches(['[', ']']), url.port_u16().unwrap_or(80)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request =
        Request::get(path).header(HOST, url.authority()?.as_str()).body(Empty::<Bytes>::new()).ok()?;
    let mut response = pin!(sender.send_request(request));
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        response = &mut response => response.ok().map(|response| response.status()),
        // The connection is done with the head it has read; who waits for it gets it.
        _ = &mut connection => response.await.ok().map(|response| response.status()),
    }
}

// === impl Probing ===

impl Probing {
    /// That it is ready, after which there is no more to ask; before that, once, that it has not been so in time. Cancel safe.
    pub(super) async fn next(&mut self) -> Readiness {
        let Some((at, why)) = &self.limit else {
            self.success.as_mut().await;
            return Readiness::Ready;
        };
        match timeout_at(*at, self.success.as_mut()).await {
            Ok(()) => Readiness::Ready,
            Err(_) => {
                let why = Arc::clone(why);
                self.limit = None;
                Readiness::Failed(why)
            }
        }
    }

    /// Whether it is ready by now.
    pub(super) async fn is_ready(&mut self) -> bool {
        poll_fn(|context| Poll::Ready(self.success.as_mut().poll(context).is_ready())).await
    }
}

// === impl Pattern ===

impl Pattern {
    /// Whether one of these lines matches.
    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        text.split(|&byte| byte == b'\n').any(|line| self.matches(line))
    }

    /// A line that matches is on its way to the log.
    pub(super) fn found(&self) {
        self.found.notify_one();
    }

    fn matches(&self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.contains(&ESCAPE) {
            return self.regex.is_match(&plain(line));
        }
        self.regex.is_match(line)
    }
}

const ESCAPE: u8 = 0x1b;

/// A line without the escape sequences of terminals (ECMA-48): colours and cursor moves (`ESC [ … letter`), titles and
/// links (`ESC ] … BEL` or `ESC \`), and those of one letter.
fn plain(line: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr::memchr(ESCAPE, rest) {
        kept.extend_from_slice(&rest[..at]);
        let sequence = &rest[at + 1..];
        let length = match sequence.first() {
            Some(b'[') => {
                let end = sequence.iter().skip(1).position(|byte| (0x40..=0x7e).contains(byte));
                end.map(|end| end + 2)
            }
            Some(b']' | b'P' | b'X' | b'^' | b'_') => {
                let end = sequence.iter().position(|&byte| byte == 0x07 || byte == ESCAPE);
                end.map(|end| if sequence[end] == ESCAPE { end + 2 } else { end + 1 })
            }
            // One that selects a character set has a letter more.
            Some(b'(' | b')') => Some(2),
            Some(_) => Some(1),
            None => None,
        };
        rest = length.and_then(|length| sequence.get(length..)).unwrap_or_default();
    }
    kept.extend_from_slice(rest);
    kept
}

#[cfg(test)]
#[cfg(not(any(feature = "loom", feature = "shuttle")))]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    fn ready(probe: ReadyProbe, timeout: Duration) -> Ready {
        Ready { probe, timeout }
    }

    fn pattern(text: &str) -> (Arc<Pattern>, Probing) {
        let (pattern, probing) = begin(&ready(ReadyProbe::Log(text.to_owned()), DEADLINE), Whose::Anybody);
        (pattern.expect("it compiles"), probing)
    }

    async fn done(mut probing: Probing) -> Readiness {
        timeout(DEADLINE, probing.next()).await.expect("within the deadline")
    }

    /// Answers every request with the next of these heads, the last one for ever.
    async fn serve(listener: TcpListener, mut heads: Vec<&'static str>) {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut asked = Vec::new();
            let mut byte = [0];
            while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).await.is_ok_and(|read| read > 0) {
                asked.push(byte[0]);
            }
            if asked.is_empty() {
                continue;
            }
            let asked = String::from_utf8_lossy(&asked).to_lowercase();
            assert!(asked.starts_with("get /health?deep=1 http/1.1\r\n"), "{asked}");
            assert!(asked.contains("\r\nhost: localhost:"), "{asked}");
            let head = if heads.len() > 1 { heads.remove(0) } else { heads[0] };
            stream.write_all(head.as_bytes()).await.ok();
        }
    }

    #[tokio::test]
    async fn a_line_is_found_whatever_its_colours() {
        for (wanted, text, found) in [
            ("Local:.*5173", "vite\n  Local: http://localhost:5173/\n", true),
            ("Local: +http", "\x1b[32m➜\x1b[39m  \x1b[1mLocal\x1b[22m:   \x1b[36mhttp://x\n", true),
            ("^ready$", "\x1b]0;title\x07ready\r\n", true),
            ("^ready$", "\x1b]8;;http://x\x1b\\ready\x1b]8;;\x1b\\\x1b(B\x1b[m\n", true),
            ("^ready$", "not\nready yet\n", false),
            ("a.*b", "a\nb\n", false),
            ("cut", "\x1b[12;\n", false),
            ("(?i)LISTENING", "listening\n", true),
        ] {
            let (pattern, mut probing) = pattern(wanted);
            assert_eq!(pattern.is_in(text.as_bytes()), found, "{wanted} in {text:?}");
            if found {
                pattern.found();
            }
            let told = timeout(Duration::ZERO, probing.next()).await;
            assert_eq!(told.ok(), found.then_some(Readiness::Ready), "{wanted} in {text:?}");
        }
    }

    #[tokio::test]
    async fn a_port_is_ready_when_somebody_listens_on_either_address() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address).await else { continue };
            let port = listener.local_addr().expect("an address").port();
            drop(listener);
            let (_, mut probing) = begin(&ready(ReadyProbe::Port(port), DEADLINE), Whose::Anybody);
            assert!(timeout(PAUSE * 2, probing.next()).await.is_err(), "nobody listens");
            let again = address.replace(":0", &format!(":{port}"));
            let _listener = TcpListener::bind(again).await.expect("it is free");
            assert_eq!(done(probing).await, Readiness::Ready);
        }
    }

    #[tokio::test]
    async fn a_url_is_ready_when_it_answers_without_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heads = vec![
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "nonsense\r\n\r\n",
            "",
            "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 5\r\n\r\n",
        ];
        let url = format!("http://localhost:{port}/health?deep=1");
        let (_, probing) = begin(&ready(ReadyProbe::Http(url), DEADLINE), Whose::Anybody);
        let ended = tokio::select! {
            ended = done(probing) => ended,
            () = serve(listener, heads) => unreachable!("it serves for ever"),
        };
        assert_eq!(ended, Readiness::Ready);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_late_is_said_once_and_may_still_become_ready() {
        let limit = Duration::from_secs(60);
        let (pattern, mut probing) = begin(&ready(ReadyProbe::Log("up".to_owned()), limit), Whose::Anybody);
        assert!(matches!(probing.next().await, Readiness::Failed(_)));
        assert!(timeout(limit * 60, probing.next()).await.is_err(), "it is said once");
        pattern.expect("it compiles").found();
        assert_eq!(probing.next().await, Readiness::Ready);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_port_that_an_old_server_still_has_is_nobodys_readiness() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().expect("a program");
        assert!(accepts(port, Whose::Anybody).await);
        // It is this program's, so it is not in the tree of that one; this one's is below its parent.
        assert!(!accepts(port, Whose::Tree(child.id())).await);
        assert!(accepts(port, Whose::Tree(std::os::unix::process::parent_id())).await);
        child.kill().expect("it lives");
        child.wait().expect("its end");
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_succeeds_is_said_after_its_time() {
        let limit = Duration::from_secs(60);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let failed = |what: &str| Readiness::Failed(format!("not ready after 60 s: {what}").into());
        let (pattern, mut probing) = begin(&ready(ReadyProbe::Log("up".to_owned()), limit), Whose::Anybody);
        assert_eq!((probing.next().await, pattern.is_some()), (failed("log /up/"), true));
        let (_, mut probing) = begin(&ready(ReadyProbe::Port(port), limit), Whose::Anybody);
        assert_eq!(probing.next().await, failed(&format!("port {port}")));
        for url in [format!("http://127.0.0.1:{port}/"), "http://[::1]:1/".to_owned(), "no url".to_owned()] {
            let (_, mut probing) = begin(&ready(ReadyProbe::Http(url.clone()), limit), Whose::Anybody);
            assert_eq!(probing.next().await, failed(&url));
        }
        let short = Duration::from_millis(1500);
        let (_, mut probing) = begin(&ready(ReadyProbe::Port(port), short), Whose::Anybody);
        assert_eq!(
            probing.next().await,
            Readiness::Failed(format!("not ready after 1.5 s: port {port}").into())
        );
    }
}
