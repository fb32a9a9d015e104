//! The listening socket of one simulated server, and its door.
//!
//! While the door is refused there is no listening socket and every connection is cut, as when the instance
//! is stopped. While it is silent, connections are accepted and nothing is said on old or new ones.
//! Does not know what is said on a connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::budget::Budget;
use super::certificate::Certificate;
use super::connection::{Host, attend};
use crate::limits;
use crate::sandbox::answer::{Door, Server};

/// How often the door is looked at.
const DOOR_PERIOD: Duration = Duration::from_millis(50);
/// Connections the system may hold before they are accepted.
const BACKLOG: u32 = 1024;

/// A simulated server being served; dropping it stops it.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

impl Listener {
    /// Serves `server` on a bound socket, on the tokio runtime this is called in (with I/O and time).
    pub fn start(
        socket: std::net::TcpListener,
        server: Arc<dyn Server>,
        certificate: Arc<Certificate>,
    ) -> io::Result<Self> {
        let address = socket.local_addr()?;
        socket.set_nonblocking(true)?;
        let socket = TcpListener::from_std(socket)?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(socket, server, certificate, async {
            let _ = stopped.await;
        }));
        Ok(Self { address, stop: Some(stop), task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the socket and every connection, and waits for that.
    pub async fn stop(mut self) -> io::Result<()> {
        drop(self.stop.take());
        match (&mut self.task).await {
            Ok(outcome) => outcome,
            Err(lost) => Err(io::Error::other(lost)),
        }
    }
}

/// Serves `server` on `listener` until `stop` is ready; then every connection is closed and running
/// statements are told to stop.
///
/// Over [`limits::SANDBOX_CONNECTIONS`] connections, new ones are closed at once.
pub async fn serve(
    listener: TcpListener,
    server: Arc<dyn Server>,
    certificate: Arc<Certificate>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_within(Bounds::default(), listener, server, certificate, stop).await
}

/// What one listener allows its clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Connections at once.
    pub(super) connections: usize,
    /// From the connection to the end of its login.
    pub(super) patience: Duration,
    /// A client may read nothing of an answer for so long.
    pub(super) stalled: Duration,
    /// Bytes of requests at once.
    pub(super) request_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: limits::SANDBOX_CONNECTIONS,
            patience: Duration::from_secs(limits::SANDBOX_LOGIN_SECONDS),
            stalled: Duration::from_secs(limits::SANDBOX_STALLED_SECONDS),
            request_bytes: limits::SANDBOX_REQUESTS_BYTES,
        }
    }
}

pub(super) async fn serve_within(
    bounds: Bounds,
    listener: TcpListener,
    server: Arc<dyn Server>,
    certificate: Arc<Certificate>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let mut listener = Some(listener);
    let asked = Arc::clone(&server);
    let first = tokio::task::spawn_blocking(move || (asked.door(), asked.cuts()));
    let (door, mut cuts) = first.await.map_err(io::Error::other)?;
    let (told, seen) = watch::channel(door);
    let (cut, cutting) = watch::channel(cuts);
    let watching = StopOnDrop(tokio::spawn(watch_door(Arc::clone(&server), told, cut)));
    let places = Arc::new(Semaphore::new(bounds.connections));
    let budget = Budget::new(bounds.request_bytes);
    let mut connections = JoinSet::new();
    let mut look = tokio::time::interval(DOOR_PERIOD);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            _ = look.tick() => {
                if std::mem::replace(&mut cuts, *cutting.borrow()) != cuts {
                    connections.abort_all();
                }
                if *seen.borrow() == Door::Refused {
                    listener = None;
                    connections.abort_all();
                } else if listener.is_none() {
                    // taken by somebody else: tried again at the next look
                    listener = bind(address).ok();
                }
                while connections.try_join_next().is_some() {}
            }
            accepted = accept(listener.as_ref()) => {
                // a connection that died in the queue, or no file handles left: the next one may do
                let Ok(socket) = accepted else {
                    tokio::time::sleep(DOOR_PERIOD).await;
                    continue;
                };
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let host = Host {
                    server: Arc::clone(&server),
                    certificate: Arc::clone(&certificate),
                    door: seen.clone(),
                    bounds,
                    budget: budget.clone(),
                };
                connections.spawn(async move {
                    let _over = attend(socket, host).await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    drop(watching);
    connections.shutdown().await;
    Ok(())
}

/// Looks at the door again and again, where it may block: a world at work must not keep sockets waiting.
async fn watch_door(server: Arc<dyn Server>, told: watch::Sender<Door>, cut: watch::Sender<u64>) {
    loop {
        let asked = Arc::clone(&server);
        let ask = move || (asked.door(), asked.cuts());
        let Ok((now, cuts)) = tokio::task::spawn_blocking(ask).await else { return };
        cut.send_if_modified(|before| std::mem::replace(before, cuts) != cuts);
        told.send_if_modified(|before| std::mem::replace(before, now) != now);
        tokio::time::sleep(DOOR_PERIOD).await;
    }
}

/// A task that ends with whoever started it.
struct StopOnDrop(JoinHandle<()>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The next connection; never when there is no socket to listen on.
async fn accept(listener: Option<&TcpListener>) -> io::Result<tokio::net::TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(socket, _)| socket),
        None => std::future::pending().await,
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Windows lets others take a port so marked; elsewhere it only passes over closed connections
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
