//! What clients may take, and what old ones get.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::doors::{batch, greeted, hears, logged_in, read_message, within};
use super::fake::Fake;
use crate::sandbox::tds::listener::Bounds;
use crate::sandbox::tds::login::tests::login7;
use crate::sandbox::tds::packet::{packets, types};
use crate::sandbox::tds::rpc::tests::written;

async fn ask(socket: &mut TcpStream, sql: &str) -> Vec<u8> {
    socket.write_all(&packets(types::BATCH, 0, 4096, &batch(sql))).await.unwrap();
    read_message(socket).await
}

/// Logs in as a client of that TDS version.
async fn of_version(address: SocketAddr, version: u32) -> (TcpStream, Vec<u8>) {
    let mut socket = greeted(address).await;
    let mut login = login7("drbook", "P@ss wörd", "", 0, &[]);
    login[4..8].copy_from_slice(&version.to_le_bytes());
    socket.write_all(&packets(types::LOGIN, 0, 4096, &login)).await.unwrap();
    let welcome = read_message(&mut socket).await;
    (socket, welcome)
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_client_that_does_not_read_is_given_up_and_its_statement_stops() {
    let fake = Fake::new();
    let stopped = Arc::clone(&fake.stopped);
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let certificate = Arc::new(super::certificate().clone());
    let bounds = Bounds { stalled: Duration::from_millis(100), ..Bounds::default() };
    let serving = crate::sandbox::tds::listener::serve_within(
        bounds,
        socket,
        fake,
        certificate,
        std::future::pending(),
    );
    let client = async {
        let mut deaf = logged_in(address).await;
        deaf.write_all(&packets(types::BATCH, 0, 4096, &batch("endless rows"))).await.unwrap();
        while !stopped.load(std::sync::atomic::Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ask(&mut logged_in(address).await, "two sets").await
    };
    tokio::select! {
        _ = serving => panic!("a server does not stop by itself"),
        answer = timeout(Duration::from_secs(20), client) => assert_eq!(answer.unwrap()[0], 0x81),
    }
}

#[tokio::test]
async fn requests_share_their_memory_and_one_that_finds_none_left_hears_701() {
    within(Bounds { request_bytes: 100_000, ..Bounds::default() }, async |address| {
        let mut small = logged_in(address).await;
        let mut large = logged_in(address).await;
        let _ = large.write_all(&packets(types::BATCH, 0, 4096, &vec![0; 150_000])).await;
        let answer = read_message(&mut large).await;
        assert_eq!(answer[0], 0xAA);
        assert_eq!(answer[3..7], 701i32.to_le_bytes());
        assert_eq!(ask(&mut small, "two sets").await[0], 0x81, "the others go on");
        drop(large);
        let whole = batch(&"-".repeat(40_000));
        for _ in 0..4 {
            small.write_all(&packets(types::BATCH, 0, 4096, &whole)).await.unwrap();
            assert_eq!(read_message(&mut small).await[3..7], 59999i32.to_le_bytes());
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_hears_the_version_it_speaks_and_before_7_3_dates_as_texts() {
    let fake = Fake::new();
    let listener = fake.listen();
    for (asked, told) in [
        (0x7200_0000u32, 0x7209_0002u32),
        (0x7209_0002, 0x7209_0002),
        (0x730A_0003, 0x730A_0003),
        (0x730B_0003, 0x730B_0003),
        (0x7400_0004, 0x7400_0004),
        (0x7500_0000, 0x7400_0004),
    ] {
        let (mut socket, welcome) = of_version(listener.address(), asked).await;
        let ack = [&[1][..], &told.to_be_bytes(), &[20, b'M', 0]].concat();
        assert!(holds(&welcome, &ack), "{asked:08X}: {welcome:02X?}");
        let answer = ask(&mut socket, "types").await;
        let offset: Vec<u8> = "2026-11-20 21:04:05.123".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(holds(&answer, &offset), told == 0x7209_0002, "{asked:08X}");
    }
}

#[tokio::test]
async fn a_refusal_of_tds_7_1_is_as_wide_as_tds_7_1_has_it() {
    let fake = Fake::new();
    let listener = fake.listen();
    let (_, refusal) = of_version(listener.address(), 0x7100_0001).await;
    let error = usize::from(u16::from_le_bytes([refusal[1], refusal[2]]));
    assert_eq!(refusal[..1], [0xAA]);
    assert_eq!(refusal[3 + error..], [0xFD, 2, 0, 0, 0, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_session_is_reset_by_name_as_by_the_bit_of_the_packet() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    let before = ask(&mut socket, "resets").await;
    for name in ["sp_reset_connection", "[sys].[SP_RESET_CONNECTION]"] {
        let call = [&[4, 0, 0, 0][..], &written(name, &[])].concat();
        socket.write_all(&packets(types::RPC, 0, 4096, &call)).await.unwrap();
        assert_eq!(read_message(&mut socket).await, [&[0x79, 0, 0, 0, 0, 0xFE][..], &[0; 12]].concat());
    }
    let after = ask(&mut socket, "resets").await;
    let count = |answer: &[u8]| answer[answer.len() - 13 - 4];
    assert_eq!((count(&before), count(&after)), (0, 2), "{after:02X?}");
}

#[tokio::test]
async fn logins_that_want_more_than_a_name_and_a_password_are_told_what_is_missing() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut federated = login7("drbook", "P@ss wörd", "", 0, &[0x02, 1, 0, 0, 0, 0]);
    let mut changing = login7("drbook", "P@ss wörd", "", 0, &[]);
    changing[27] |= 1;
    let mut german = login7("drbook", "P@ss wörd", "", 0, &[]);
    // the language field borrows the user's name
    german.copy_within(40..44, 64);
    let mut attaching = german.clone();
    attaching.copy_within(40..44, 82);
    attaching[64..68].fill(0);
    for (login, why) in [
        (&mut federated, "federated"),
        (&mut changing, "change of password"),
        (&mut german, "language 'drbook'"),
        (&mut attaching, "attaching"),
    ] {
        let mut socket = greeted(listener.address()).await;
        socket.write_all(&packets(types::LOGIN, 0, 4096, login)).await.unwrap();
        let answer = read_message(&mut socket).await;
        let why: Vec<u8> = why.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(holds(&answer, &why), "{answer:02X?}");
        assert_eq!(hears(&mut socket).await, Some(0));
    }
    assert!(fake.logins.lock().unwrap().is_empty());
}

#[tokio::test]
async fn two_hundred_clients_at_once_are_all_served() {
    let fake = Fake::new();
    let listener = fake.listen();
    let address = listener.address();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..200 {
        asking.spawn(async move {
            let mut socket = logged_in(address).await;
            let answer = ask(&mut socket, "two sets").await;
            let mut rest = [0];
            assert!(timeout(Duration::from_millis(1), socket.read(&mut rest)).await.is_err());
            answer[0]
        });
    }
    let answers = timeout(Duration::from_secs(30), asking.join_all()).await.unwrap();
    assert_eq!(answers, vec![0x81; 200]);
}

#[tokio::test]
async fn savepoints_and_names_of_tm_requests_become_statements() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    let name = [6, b'a', 0, b']', 0, b'b', 0];
    for request in [
        [&[4, 0, 0, 0, 5, 0, 4][..], &name].concat(),
        [&[4, 0, 0, 0, 9, 0][..], &name].concat(),
        [&[4, 0, 0, 0, 8, 0][..], &name, &[0]].concat(),
    ] {
        socket.write_all(&packets(types::TRANSACTION, 0, 4096, &request)).await.unwrap();
        assert_eq!(read_message(&mut socket).await, [&[0xFD][..], &[0; 12]].concat(), "{request:02X?}");
    }
}

#[tokio::test]
async fn a_cell_longer_than_any_chunk_comes_whole_and_in_order() {
    let fake = Fake::new();
    let listener = fake.listen();
    let mut socket = logged_in(listener.address()).await;
    let answer = ask(&mut socket, "wide").await;
    // one column named "w", its value partially length-prefixed
    let cell = &answer[3 + 4 + 2 + 8 + 3 + 1..];
    let wanted: Vec<u8> = (0..100_000u32).flat_map(|n| ((n % 26) as u16 + 97).to_le_bytes()).collect();
    assert_eq!(cell[..8], 200_000u64.to_le_bytes());
    assert!(cell[12..12 + wanted.len()] == wanted[..]);
    assert_eq!(ask(&mut socket, "two sets").await[0], 0x81);
}
