//! The way to a server up to an open TCP connection, phase by phase; and a socket that counts what it hears.
//!
//! Does not know TDS. Deadlines here are real time and apply to each phase alone.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::probe::{Phase, PhaseName};
use crate::limits;
use crate::reading::{Trouble, TroubleCode};

/// Pause before the next address is tried beside the ones under way.
const STAGGER: Duration = Duration::from_millis(100);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 16;

pub(super) fn deadline() -> Duration {
    Duration::from_millis(limits::CONNECT_DEADLINE_MS)
}

/// Real milliseconds since `since`.
pub(super) fn ms(since: Instant) -> u64 {
    since.elapsed().as_millis() as u64
}

/// Runs one phase and notes it.
pub(super) async fn phase<T>(
    name: PhaseName,
    phases: &mut Vec<Phase>,
    work: impl Future<Output = Result<(T, String), Trouble>>,
) -> Result<T, Trouble> {
    let since = Instant::now();
    let outcome = work.await;
    let took_ms = ms(since);
    match outcome {
        Ok((value, said)) => {
            phases.push(Phase { name, took_ms, outcome: Ok(said) });
            Ok(value)
        }
        Err(mut trouble) => {
            trouble.took_ms = took_ms;
            phases.push(Phase { name, took_ms, outcome: Err(trouble.clone()) });
            Err(trouble)
        }
    }
}

/// Every address of a name.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
    let Ok(found) = timeout(deadline(), tokio::net::lookup_host((host, port))).await else {
        return Err(Trouble::new(
            TroubleCode::Timeout,
            format!(
                "looking up the name {host}: no answer within {}; check the name service, or write the address",
                seconds(deadline())
            ),
        ));
    };
    let unknown = |why: String| {
        Trouble::new(
            TroubleCode::NameUnknown,
            format!("looking up the name {host}: {why}; check the host in the estate, or write the address"),
        )
    };
    let all: Vec<SocketAddr> = found.map_err(|e| unknown(e.to_string()))?.take(ADDRESSES).collect();
    if all.is_empty() { Err(unknown("it has no address".into())) } else { Ok(all) }
}

/// The first of the addresses to accept a connection; the others are tried beside it with a small stagger.
pub(super) async fn connect(addresses: &[SocketAddr], endpoint: &str) -> Result<TcpStream, Trouble> {
    let racing = async {
        let mut waiting = addresses.iter().copied();
        let mut under_way = JoinSet::new();
        let mut worst: Option<io::Error> = None;
        let mut all_tried = false;
        loop {
            if !all_tried {
                match waiting.next() {
                    Some(address) => {
                        under_way.spawn(open(address));
                    }
                    None => all_tried = true,
                }
            }
            tokio::select! {
                done = under_way.join_next() => match done {
                    Some(Ok(Ok(stream))) => return Ok(stream),
                    // a refusal says more than a missing route
                    Some(Ok(Err(_)))
                        if worst.as_ref().is_some_and(|w| w.kind() == io::ErrorKind::ConnectionRefused) => {}
                    Some(Ok(Err(e))) => worst = Some(e),
                    Some(Err(e)) => worst = Some(io::Error::other(e.to_string())),
                    None if all_tried => {
                        return Err(worst.unwrap_or_else(|| io::Error::other("no address to try")));
                    }
                    None => {}
                },
                () = tokio::time::sleep(STAGGER), if !all_tried => {}
            }
        }
    };
    match timeout(deadline(), racing).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionRefused => Err(Trouble::new(
            TroubleCode::Refused,
            format!(
                "connecting to {endpoint} (TCP): {e}; check that SQL Server runs, listens on TCP and on this port"
            ),
        )),
        Ok(Err(e)) => Err(Trouble::new(
            TroubleCode::Unreachable,
            format!("connecting to {endpoint} (TCP): {e}; check the address, the route and the firewall"),
        )),
        Err(_) => Err(Trouble::new(
            TroubleCode::Unreachable,
            format!(
                "connecting to {endpoint} (TCP): no answer within {}; check that the computer is up, the route and the firewall",
                seconds(deadline())
            ),
        )),
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    // an action waits without a deadline of its own: a vanished server must be noticed some day
    socket.set_keepalive(true)?;
    socket.connect(address).await
}

/// The TCP port of a named instance, as SQL Browser on UDP 1434 says it.
pub(super) async fn browse(host: &str, instance: &str) -> Result<u16, Trouble> {
    let no = |code, why: String| {
        Trouble::new(
            code,
            format!(
                "asking SQL Browser on {host} (UDP 1434) for instance {instance}: {why}; start SQL Browser, or write the port into the estate"
            ),
        )
    };
    let addresses = resolve(host, 1434).await?;
    let asking = async {
        let mut last = io::Error::other("no address");
        for address in addresses {
            let local: SocketAddr = if address.is_ipv4() {
                (Ipv4Addr::UNSPECIFIED, 0).into()
            } else {
                (Ipv6Addr::UNSPECIFIED, 0).into()
            };
            match ask_browser(local, address, instance).await {
                Ok(answer) => return Ok(answer),
                Err(e) => last = e,
            }
        }
        Err(last)
    };
    let answer = match timeout(deadline(), asking).await {
        Err(_) => {
            return Err(no(TroubleCode::Unreachable, format!("no answer within {}", seconds(deadline()))));
        }
        Ok(Err(e)) => return Err(no(TroubleCode::Unreachable, e.to_string())),
        Ok(Ok(answer)) => answer,
    };
    port_of(&answer).ok_or_else(|| no(TroubleCode::NameUnknown, "the answer names no TCP port".into()))
}

async fn ask_browser(local: SocketAddr, address: SocketAddr, instance: &str) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind(local).await?;
    socket.connect(address).await?;
    let question: Vec<u8> = [&[4u8], instance.as_bytes(), &[0]].concat();
    let mut answer = vec![0; 4096];
    // datagrams get lost; three tries within the deadline
    for _ in 0..3 {
        socket.send(&question).await?;
        if let Ok(got) = timeout(deadline() / 4, socket.recv(&mut answer)).await {
            answer.truncate(got?);
            return Ok(answer);
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "no answer to three questions"))
}

/// `05 len len ServerName;X;InstanceName;Y;…;tcp;1433;;`
fn port_of(answer: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(answer.get(3..)?);
    let mut parts = text.split(';');
    parts.find(|p| p.eq_ignore_ascii_case("tcp"))?;
    parts.next()?.parse().ok().filter(|p| *p > 0)
}

/// `5.0 s`
pub(super) fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}

/// What a socket has heard, and how much more it may hear.
#[derive(Debug)]
pub(super) struct Meter {
    heard: AtomicU64,
    left: AtomicU64,
}

impl Meter {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { heard: AtomicU64::new(0), left: AtomicU64::new(limits::READING_BYTES) })
    }
    /// Bytes since the connection was opened.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }
    /// Whether the answer was larger than is taken.
    pub(super) fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
    /// A new question: its answer may be as large as any.
    pub(super) fn refill(&self) {
        self.left.store(limits::READING_BYTES, Ordering::Relaxed);
    }
}

/// A TCP stream with a [`Meter`]; reading past the meter's end is an error.
#[derive(Debug)]
pub(super) struct Metered {
    stream: TcpStream,
    meter: Arc<Meter>,
}

impl Metered {
    pub(super) fn new(stream: TcpStream, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.meter.is_spent() {
            return Poll::Ready(Err(io::Error::other("the answer is larger than is taken")));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let got = (buffer.filled().len() - before) as u64;
        self.meter.heard.fetch_add(got, Ordering::Relaxed);
        let left = self.meter.left.load(Ordering::Relaxed).saturating_sub(got);
        self.meter.left.store(left, Ordering::Relaxed);
        polled
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_answers_give_the_port_or_nothing() {
        let answer =
            b"\x05\x54\x00ServerName;DRSQL1;InstanceName;BTS;IsClustered;No;Version;15.0.2000.5;tcp;51433;np;\\\\x;;";
        assert_eq!(port_of(answer), Some(51433));
        for wrong in [
            &b""[..],
            b"\x05",
            b"\x05\x00\x00tcp",
            b"\x05\x00\x00tcp;x;;",
            b"\x05\x00\x00tcp;0;;",
            b"\xff\xff\xff\xff\xfe",
        ] {
            assert_eq!(port_of(wrong), None, "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn a_port_where_nothing_listens_is_refused_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let since = Instant::now();
        let trouble = connect(&[address], "db:1").await.unwrap_err();
        assert_eq!(trouble.code, TroubleCode::Refused, "{trouble}");
        assert!(trouble.message.contains("db:1"), "{trouble}");
        assert!(since.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test]
    async fn a_refusing_address_does_not_hide_one_that_answers() {
        let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let stream = connect(&[gone, good], "db:1").await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_named() {
        let trouble = resolve("no-such-host.invalid", 1433).await.unwrap_err();
        assert_eq!(trouble.code, TroubleCode::NameUnknown, "{trouble}");
        assert!(trouble.message.contains("no-such-host.invalid"), "{trouble}");
    }
}
