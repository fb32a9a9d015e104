//! Doors, limits and ends of a listener, seen from a bare socket.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fake::Fake;
use crate::sandbox::answer::Door;
use crate::sandbox::tds::bytes::put_utf16;
use crate::sandbox::tds::listener::{Bounds, serve_within};
use crate::sandbox::tds::login::tests::login7;
use crate::sandbox::tds::packet::{packets, types};

/// VERSION and ENCRYPTION not supported.
const PRELOGIN: [u8; 18] = [0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xFF, 9, 0, 0, 0, 0, 0, 2];

pub(super) async fn read_message(socket: &mut TcpStream) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let mut header = [0; 8];
        socket.read_exact(&mut header).await.unwrap();
        let mut payload = vec![0; usize::from(u16::from_be_bytes([header[2], header[3]])) - 8];
        socket.read_exact(&mut payload).await.unwrap();
        body.extend(payload);
        if header[1] & 1 != 0 {
            return body;
        }
    }
}

pub(super) async fn greeted(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(&packets(types::PRELOGIN, 0, 4096, &PRELOGIN)).await.unwrap();
    assert_eq!(read_message(&mut socket).await[0], 0, "a prelogin answer begins with the version");
    socket
}

pub(super) async fn logged_in(address: SocketAddr) -> TcpStream {
    let mut socket = greeted(address).await;
    let login = login7("drbook", "P@ss wörd", "", 0, &[]);
    socket.write_all(&packets(types::LOGIN, 0, 4096, &login)).await.unwrap();
    assert_eq!(read_message(&mut socket).await[0], 0xE3, "a welcome begins with the database");
    socket
}

pub(super) fn batch(sql: &str) -> Vec<u8> {
    let mut body = vec![4, 0, 0, 0];
    put_utf16(&mut body, sql);
    body
}

/// What is left to read: nothing (`Some(0)` or a reset), or silence (`None`).
pub(super) async fn hears(socket: &mut TcpStream) -> Option<usize> {
    let mut bytes = [0; 64];
    match timeout(Duration::from_millis(150), socket.read(&mut bytes)).await {
        Err(_) => None,
        Ok(Err(_)) => Some(0),
        Ok(Ok(count)) => Some(count),
    }
}

#[tokio::test]
async fn a_refused_door_refuses_new_connections_and_cuts_old_ones_until_it_opens() {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    let mut old = logged_in(address).await;
    *fake.door.lock().unwrap() = Door::Refused;
    assert_eq!(timeout(Duration::from_secs(5), hears(&mut old)).await, Ok(Some(0)));
    let refused = TcpStream::connect(address).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    *fake.door.lock().unwrap() = Door::Open;
    timeout(Duration::from_secs(5), async {
        while TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("it listens again");
    logged_in(address).await;
}

#[tokio::test]
async fn a_silent_door_accepts_and_says_nothing_to_anybody_until_it_opens() {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    let mut old = logged_in(address).await;
    *fake.door.lock().unwrap() = Door::Silent;
    tokio::time::sleep(Duration::from_millis(130)).await;
    let mut new = TcpStream::connect(address).await.unwrap();
    new.write_all(&packets(types::PRELOGIN, 0, 4096, &PRELOGIN)).await.unwrap();
    old.write_all(&packets(types::BATCH, 0, 4096, &batch("two sets"))).await.unwrap();
    assert_eq!(hears(&mut new).await, None);
    assert_eq!(hears(&mut old).await, None);
    *fake.door.lock().unwrap() = Door::Open;
    assert_eq!(read_message(&mut new).await[0], 0);
    assert_eq!(read_message(&mut old).await[0], 0x81);
}

#[tokio::test]
async fn stopping_closes_the_socket_and_every_connection() {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    let mut idle = logged_in(address).await;
    let mut busy = logged_in(address).await;
    busy.write_all(&packets(types::BATCH, 0, 4096, &batch("endless work"))).await.unwrap();
    let mut half = greeted(address).await;
    timeout(Duration::from_secs(5), listener.stop()).await.unwrap().unwrap();
    assert_eq!(hears(&mut idle).await, Some(0));
    assert_eq!(hears(&mut half).await, Some(0));
    assert!(TcpStream::connect(address).await.is_err());
    while !fake.stopped.load(std::sync::atomic::Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Serves a fresh server within bounds while `client` talks to it.
pub(super) async fn within<T>(bounds: Bounds, client: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let certificate = std::sync::Arc::new(super::certificate().clone());
    let serving = serve_within(bounds, socket, Fake::new(), certificate, std::future::pending());
    tokio::select! {
        _ = serving => panic!("a server does not stop by itself"),
        outcome = timeout(Duration::from_secs(10), client(address)) => outcome.unwrap(),
    }
}

#[tokio::test]
async fn connections_over_the_limit_are_closed_and_places_come_free_again() {
    within(Bounds { connections: 3, ..Bounds::default() }, async |address| {
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(logged_in(address).await);
        }
        let mut over = TcpStream::connect(address).await.unwrap();
        assert_eq!(over.read(&mut [0]).await.unwrap_or(0), 0);
        assert_eq!(hears(&mut held[0]).await, None, "the others stay");
        drop(held);
        tokio::time::sleep(Duration::from_millis(50)).await;
        logged_in(address).await;
    })
    .await;
}

#[tokio::test]
async fn a_stranger_is_turned_away_at_its_first_byte() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = TcpStream::connect(listener.address()).await.unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), socket.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_login_that_does_not_come_is_not_waited_for() {
    within(Bounds { patience: Duration::from_millis(60), ..Bounds::default() }, async |address| {
        let mut through = logged_in(address).await;
        let mut slow = greeted(address).await;
        assert_eq!(slow.read(&mut [0]).await.unwrap_or(0), 0);
        assert_eq!(hears(&mut through).await, None, "who is logged in may be silent");
    })
    .await;
}

#[tokio::test]
async fn a_reset_request_is_acknowledged_before_its_answer() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    let mut request = packets(types::BATCH, 0, 4096, &batch("resets"));
    request[1] |= 0x08;
    socket.write_all(&request).await.unwrap();
    let answer = read_message(&mut socket).await;
    assert_eq!(answer[..6], [0xE3, 3, 0, 18, 0, 0]);
    let row = answer.windows(6).any(|bytes| bytes == [0xD1, 4, 1, 0, 0, 0]);
    assert!(row, "the session was reset once: {answer:02X?}");
}

#[tokio::test]
async fn what_is_not_modelled_is_named_and_the_connection_goes_on() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    let cursor = [4, 0, 0, 0, 0xFF, 0xFF, 2, 0, 0, 0];
    socket.write_all(&packets(types::RPC, 0, 4096, &cursor)).await.unwrap();
    let answer = read_message(&mut socket).await;
    assert_eq!(answer[0], 0xAA);
    assert_eq!(answer[3..7], 59999i32.to_le_bytes());
    assert_eq!(answer[answer.len() - 13..][..3], [0xFE, 2, 0]);
    socket.write_all(&packets(types::BATCH, 0, 4096, &batch("nothing"))).await.unwrap();
    assert_eq!(read_message(&mut socket).await, [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_damaged_request_is_answered_and_ends_the_connection() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    socket.write_all(&packets(types::BATCH, 0, 4096, &[0xFF, 0xFF, 0xFF, 0xFF])).await.unwrap();
    let answer = read_message(&mut socket).await;
    assert_eq!(answer[3..7], 4002i32.to_le_bytes());
    assert_eq!(hears(&mut socket).await, Some(0));
}

#[tokio::test]
async fn an_attention_ends_the_answer_and_is_acknowledged_in_a_message_of_its_own() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    socket.write_all(&packets(types::BATCH, 0, 4096, &batch("endless work"))).await.unwrap();
    let mut progress = [0; 9];
    socket.read_exact(&mut progress).await.unwrap();
    assert_eq!((progress[1], progress[8]), (0, 0xAB), "the message about progress came at once");
    let rest = usize::from(u16::from_be_bytes([progress[2], progress[3]])) - 9;
    socket.read_exact(&mut vec![0; rest]).await.unwrap();
    socket.write_all(&packets(types::ATTENTION, 0, 4096, &[])).await.unwrap();
    assert_eq!(read_message(&mut socket).await, [0xFD, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(read_message(&mut socket).await, [0xFD, 0x20, 0, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(fake.stopped.load(std::sync::atomic::Ordering::SeqCst));
    socket.write_all(&packets(types::BATCH, 0, 4096, &batch("nothing"))).await.unwrap();
    assert_eq!(read_message(&mut socket).await, [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn an_attention_before_the_answer_began_gets_two_messages_as_well() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    socket.write_all(&packets(types::BATCH, 0, 4096, &batch("endless quiet"))).await.unwrap();
    socket.write_all(&packets(types::ATTENTION, 0, 4096, &[])).await.unwrap();
    assert_eq!(read_message(&mut socket).await[..2], [0xFD, 0x02]);
    assert_eq!(read_message(&mut socket).await[..2], [0xFD, 0x20]);
}

#[tokio::test]
async fn an_attention_between_requests_is_only_acknowledged() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    socket.write_all(&packets(types::ATTENTION, 0, 4096, &[])).await.unwrap();
    socket.write_all(&packets(types::BATCH, 0, 4096, &batch("nothing"))).await.unwrap();
    assert_eq!(read_message(&mut socket).await[..2], [0xFD, 0x20]);
    assert_eq!(read_message(&mut socket).await[..2], [0xFD, 0x00]);
}

#[tokio::test]
async fn a_request_while_another_runs_ends_the_connection_and_the_statement() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    socket.write_all(&packets(types::BATCH, 0, 4096, &batch("endless quiet"))).await.unwrap();
    socket.write_all(&packets(types::BATCH, 0, 4096, &batch("nothing"))).await.unwrap();
    assert_eq!(timeout(Duration::from_secs(5), socket.read(&mut [0])).await.unwrap().unwrap_or(0), 0);
    while !fake.stopped.load(std::sync::atomic::Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn a_killed_session_hears_why_and_is_cut() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    socket.write_all(&packets(types::BATCH, 0, 4096, &batch("killed"))).await.unwrap();
    assert_eq!(read_message(&mut socket).await[3..7], 596i32.to_le_bytes());
    assert_eq!(hears(&mut socket).await, Some(0));
}

#[tokio::test]
async fn two_calls_in_one_message_are_answered_one_after_the_other() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    let call = [0xFF, 0xFF, 15, 0, 0, 0];
    let body = [&[4, 0, 0, 0][..], &call, &[0xFF], &call].concat();
    socket.write_all(&packets(types::RPC, 0, 4096, &body)).await.unwrap();
    let ended = |status| [&[0x79, 0, 0, 0, 0, 0xFE, status][..], &[0; 11]].concat();
    assert_eq!(read_message(&mut socket).await, [ended(1), ended(0)].concat());
}

#[tokio::test]
async fn a_welcome_names_the_database_collation_language_version_packet_size_and_features() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = greeted(listener.address()).await;
    let login = login7("drbook", "P@ss wörd", "msdb", 8000, &[0x0A, 0, 0, 0, 0, 0x05, 0, 0, 0, 0]);
    socket.write_all(&packets(types::LOGIN, 0, 4096, &login)).await.unwrap();
    let answer = read_message(&mut socket).await;
    let text = |text: &str| {
        let mut out = vec![text.encode_utf16().count() as u8];
        put_utf16(&mut out, text);
        out
    };
    let mut at = 0;
    // each piece must come after the one before
    for piece in [
        [&[0xE3, 23, 0, 1][..], &text("msdb"), &text("master")].concat(),
        5701i32.to_le_bytes().to_vec(),
        vec![0xE3, 8, 0, 7, 5, 9, 4, 0xD0, 0, 0x34, 0],
        [&[2][..], &text("us_english"), &[0]].concat(),
        5703i32.to_le_bytes().to_vec(),
        [&[0xAD, 50, 0, 1, 0x74, 0, 0, 4][..], &text("Microsoft SQL Server"), &[16, 0, 0x10, 0x45]].concat(),
        [&[0xE3, 19, 0, 4][..], &text("8000"), &text("4096")].concat(),
        vec![0xAE, 0x0A, 1, 0, 0, 0, 1, 0xFF],
        [&[0xFD][..], &[0; 12]].concat(),
    ] {
        let found = answer[at..].windows(piece.len()).position(|bytes| bytes == piece);
        at += found.unwrap_or_else(|| panic!("{piece:02X?} in {answer:02X?}")) + piece.len();
    }
    assert_eq!(at, answer.len());
}

#[tokio::test]
async fn damaged_conversations_leave_the_server_as_it_was() {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    let login = login7("drbook", "P@ss wörd", "", 0, &[0x0A, 0, 0, 0, 0]);
    let whole: Vec<u8> = [
        packets(types::PRELOGIN, 0, 4096, &PRELOGIN),
        packets(types::LOGIN, 0, 512, &login),
        packets(types::BATCH, 0, 512, &batch("two sets")),
        packets(types::TRANSACTION, 0, 4096, &[4, 0, 0, 0, 5, 0, 0, 0]),
    ]
    .concat();
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= [0xFF, 0x01, 0x80, 0x10][at % 4];
        let mut socket = TcpStream::connect(address).await.unwrap();
        // a server that has hung up already resets what is still being sent
        let _ = socket.write_all(&damaged).await;
        let _ = socket.shutdown().await;
        let mut rest = Vec::new();
        let _ = timeout(Duration::from_secs(5), socket.read_to_end(&mut rest)).await.expect("it hangs up");
    }
    logged_in(address).await;
}

#[tokio::test]
async fn old_clients_are_told_why_they_are_refused() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = greeted(listener.address()).await;
    let mut login = login7("drbook", "P@ss wörd", "", 0, &[]);
    login[4..8].copy_from_slice(&0x7100_0001u32.to_le_bytes());
    socket.write_all(&packets(types::LOGIN, 0, 4096, &login)).await.unwrap();
    let answer = read_message(&mut socket).await;
    assert_eq!(answer[3..7], 59999i32.to_le_bytes());
    assert_eq!(hears(&mut socket).await, Some(0));
}
