//! What real clients sent, byte by byte as recorded, and the same bytes damaged.
//!
//! Each recording is one connection in clear text: prelogin, login as `drbook` knows it, requests. The answers
//! were the sandbox's own at the time, so a client's later bytes fit whatever is answered here.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::doors::logged_in;
use super::fake::Fake;
use crate::sandbox::tds::login::Login7;
use crate::sandbox::tds::packet::{Inbox, Message, types};
use crate::sandbox::tds::prelogin::{Channel, Prelogin};
use crate::sandbox::tds::session::Request;

/// Client and recording.
const RECORDED: [(&str, &str); 5] = [
    ("python-tds", include_str!("../../../../tests/cases/tds/python-tds.hex")),
    ("pymssql", include_str!("../../../../tests/cases/tds/pymssql.hex")),
    ("msodbcsql18", include_str!("../../../../tests/cases/tds/msodbcsql18.hex")),
    ("tedious", include_str!("../../../../tests/cases/tds/tedious.hex")),
    ("freetds", include_str!("../../../../tests/cases/tds/freetds.hex")),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.bytes().filter_map(|c| char::from(c).to_digit(16)).map(|digit| digit as u8).collect();
    digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()
}

/// As many messages as the bytes hold.
fn messages(bytes: &[u8]) -> Vec<Message> {
    let mut inbox = Inbox::new(1 << 20);
    inbox.unread().extend_from_slice(bytes);
    std::iter::from_fn(|| inbox.next().ok().flatten()).collect()
}

/// Reads a message as whatever its type says it is; false when it is refused.
fn read(message: &Message) -> bool {
    match message.kind {
        types::PRELOGIN => Prelogin::read(&message.body).is_ok(),
        types::LOGIN => Login7::read(&message.body).is_ok(),
        types::ATTENTION => true,
        _ => Request::read(message).is_ok(),
    }
}

#[test]
fn every_message_of_every_recording_is_understood() {
    for (client, hex) in RECORDED {
        let sent = messages(&bytes(hex));
        assert!(sent.len() >= 5, "{client}: {} messages", sent.len());
        assert_eq!((sent[0].kind, sent[1].kind), (types::PRELOGIN, types::LOGIN), "{client}");
        assert_eq!(Prelogin::read(&sent[0].body).unwrap().channel(), Channel::Plain, "{client}");
        let login = Login7::read(&sent[1].body).unwrap().login;
        assert_eq!((login.user.as_str(), login.password.as_str()), ("sa", "P@ss wörd"), "{client}");
        for (at, message) in sent.iter().enumerate() {
            assert!(read(message), "{client}, message {at}, type {:02X}", message.kind);
        }
    }
}

/// Sends bytes and reads until the server hangs up; it must, once nothing more comes.
async fn replay(address: std::net::SocketAddr, sent: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).await.unwrap();
    // a server that has hung up already resets what is still being sent
    let _ = socket.write_all(sent).await;
    let _ = socket.shutdown().await;
    let mut answer = Vec::new();
    let reading = socket.read_to_end(&mut answer);
    let _ = timeout(Duration::from_secs(10), reading).await.expect("it hangs up");
    answer
}

#[tokio::test]
async fn every_recording_is_answered_and_every_cut_of_it_ends_in_a_clean_close() {
    let fake = Fake::new();
    let listener = fake.listen();
    for (client, hex) in RECORDED {
        let whole = bytes(hex);
        let answer = replay(listener.address(), &whole).await;
        assert!(answer.len() > 300, "{client}: {} bytes", answer.len());
        for cut in (1..whole.len()).step_by(whole.len() / 40 + 1) {
            replay(listener.address(), &whole[..cut]).await;
        }
    }
    logged_in(listener.address()).await;
}

fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(0), Just(0xFF), Just(0x80)]), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1434),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_damaged_recording_never_panics_a_reader(
        which in 0..RECORDED.len(),
        changes in damage(),
        moved in any::<(prop::sample::Index, prop::sample::Index, u8)>(),
    ) {
        let mut sent = bytes(RECORDED[which].1);
        for (at, byte) in changes {
            let at = at.index(sent.len());
            sent[at] = byte;
        }
        // a piece said twice, or left out
        let (from, to) = (moved.0.index(sent.len()), moved.1.index(sent.len()));
        let piece = from.min(to)..from.max(to).min(from.min(to) + 300);
        if moved.2 % 2 == 0 {
            let again = sent[piece.clone()].to_vec();
            sent.splice(piece.start..piece.start, again);
        } else {
            sent.drain(piece);
        }
        for message in messages(&sent) {
            read(&message);
        }
    }

    #[test]
    fn a_damaged_message_never_panics_any_reader(
        which in 0..RECORDED.len(),
        message in any::<prop::sample::Index>(),
        changes in damage(),
        kind in prop_oneof![Just(0x01u8), Just(0x03), Just(0x0E), Just(0x10), Just(0x12)],
    ) {
        let sent = messages(&bytes(RECORDED[which].1));
        let mut message = message.get(&sent).clone();
        for (at, byte) in changes {
            if !message.body.is_empty() {
                let at = at.index(message.body.len());
                message.body[at] = byte;
            }
        }
        read(&message);
        message.kind = kind;
        read(&message);
    }
}
