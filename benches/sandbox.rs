//! Starting the simulated estate, and asking it over TCP.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench prints, and stops where it cannot go on"
)]

mod figures;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use drbook::clock::DrillClock;
use drbook::estate::parse::parse;
use drbook::library::Library;
use drbook::sandbox::{self, Running, Wanted};
use drbook::server::{Pool, targets};
use figures::Figures;
use tokio_util::compat::TokioAsyncWriteCompatExt as _;

fn start(library: &Library, folder: &std::path::Path) -> Running {
    sandbox::start(&Wanted {
        world: library.world("biztalk").unwrap().text.into_owned(),
        folder: folder.to_owned(),
        clock: DrillClock::starting_now(1.0),
        seed: 1,
        password: "Rehearse-2026".into(),
        faults: Vec::new(),
        salt: String::new(),
        port_base: None,
    })
    .unwrap()
}

/// A byte there and back on a bare connection over loopback.
fn round_trips(times: usize) -> Vec<Duration> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut there, _) = listener.accept().unwrap();
        let mut byte = [0];
        while there.read_exact(&mut byte).is_ok() && there.write_all(&byte).is_ok() {}
    });
    let mut here = std::net::TcpStream::connect(address).unwrap();
    here.set_nodelay(true).unwrap();
    let mut byte = [7];
    (0..times)
        .map(|_| {
            let began = Instant::now();
            here.write_all(&byte).unwrap();
            here.read_exact(&mut byte).unwrap();
            began.elapsed()
        })
        .collect()
}

/// One client of its own: connect, log in in clear text, ask, read.
async fn one_client(address: std::net::SocketAddr) -> Duration {
    let mut config = tiberius::Config::new();
    config.authentication(tiberius::AuthMethod::sql_server("sa", "Rehearse-2026"));
    config.encryption(tiberius::EncryptionLevel::NotSupported);
    let began = Instant::now();
    let socket = tokio::net::TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let mut client = Box::pin(tiberius::Client::connect(config, socket.compat_write())).await.unwrap();
    let asked = client.query("SELECT name FROM sys.databases WHERE name = @P1", &[&"msdb"]).await.unwrap();
    assert_eq!(asked.into_first_result().await.unwrap().len(), 1);
    began.elapsed()
}

/// So many clients at once.
async fn crowd(address: std::net::SocketAddr, clients: usize) -> Vec<Duration> {
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..clients {
        asking.spawn(one_client(address));
    }
    asking.join_all().await
}

fn main() {
    let (library, _) = Library::load(None);
    let root = tempfile::tempdir().unwrap();
    let (mut starts, mut again) = (Vec::new(), Vec::new());
    for n in 0..5 {
        let folder = root.path().join(format!("world-{n}"));
        let began = Instant::now();
        drop(start(&library, &folder));
        starts.push(began.elapsed());
        let began = Instant::now();
        drop(sandbox::reopen(&folder).unwrap());
        again.push(began.elapsed());
    }
    let running = start(&library, &root.path().join("world"));
    let (estate, _) = parse(&running.estate_yaml("bench"));
    let estate = estate.unwrap();
    let catalogue = Arc::new(library.catalogue().clone());
    let pool = Pool::new(targets(&estate, &mut |_| None), catalogue, estate.management_database.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let none = BTreeMap::new();
    let ask = |server: &str, query: &str| {
        let began = Instant::now();
        runtime.block_on(pool.ask(server, query, None, &none, 15_000)).unwrap();
        began.elapsed()
    };
    let first = ask("DRSQL1", "server/clock");

    let port = running.served().iter().find(|s| s.name == "DRSQL1").unwrap().port;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let alone = (0..50).map(|_| runtime.block_on(one_client(address))).collect();
    let together = runtime.block_on(crowd(address, 200));

    Figures::of(starts).print("sandbox start (26 h of history made)");
    Figures::of(again).print("sandbox opened again from its folder");
    Figures::of(round_trips(1000)).print("baseline: one byte there and back over loopback");
    Figures::of(vec![first]).print("first question of a server (connect, TLS, login, ask)");
    for (query, times) in [("server/clock", 500), ("biztalk/destination-sets", 300), ("agent/jobs", 300)] {
        let took = (0..times).map(|_| ask("DRSQL1", query)).collect();
        Figures::of(took).print(&format!("{query} on a pooled connection"));
    }
    Figures::of(alone).print("a client alone (connect, login, ask, no TLS)");
    Figures::of(together).print("200 clients at once (connect, login, ask, no TLS)");
}
