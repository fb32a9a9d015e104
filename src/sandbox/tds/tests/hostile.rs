//! Bytes nobody meant: the readers refuse them, they never panic and never run away.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use crate::sandbox::answer::Parameter;
use crate::sandbox::tds::bytes::Reader;
use crate::sandbox::tds::incoming::Incoming;
use crate::sandbox::tds::login::{Login7, tests::login7};
use crate::sandbox::tds::packet::{Inbox, Message, packets};
use crate::sandbox::tds::prelogin::Prelogin;
use crate::sandbox::tds::rpc::tests::written;
use crate::sandbox::tds::session::Request;
use crate::sandbox::tds::{kind, value};

/// A call with one parameter of every type.
fn call() -> Vec<u8> {
    let (columns, rows) = super::fake::types();
    let parameters: Vec<Parameter> = columns
        .into_iter()
        .zip(rows[0].clone())
        .map(|((name, kind), value)| Parameter { name: name.into(), kind, value, output: false })
        .collect();
    [&[4, 0, 0, 0][..], &written("sp_executesql", &parameters)].concat()
}

/// Applies changes `(where, what)` to a valid message.
fn mutated(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8)], cut: prop::sample::Index) -> Vec<u8> {
    for (at, byte) in changes {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    bytes.truncate(cut.index(bytes.len() + 1));
    bytes
}

fn changes() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    vec((any::<prop::sample::Index>(), prop_oneof![any::<u8>(), Just(0), Just(0xFF), Just(0x80)]), 0..6)
}

fn read_everything(body: &[u8]) {
    let _ = Prelogin::read(body).map(|asked| asked.answer((16, 0, 1000)));
    let _ = Login7::read(body);
    for kind in [0x01, 0x02, 0x03, 0x06, 0x07, 0x0E, 0x10, 0x12] {
        let _ = Request::read(&Message { kind, reset: false, body: body.to_vec() });
    }
    let mut reader = Reader::new(body);
    while let Ok(incoming) = Incoming::read(&mut reader) {
        let Ok(found) = incoming.value(&mut reader) else { break };
        // whatever was read can be said again, or is refused
        let mut out = Vec::new();
        kind::put(&mut out, incoming.kind);
        let _ = value::put(&mut out, incoming.kind, &found);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1433),
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes_never_panic_a_reader(body in vec(any::<u8>(), 0..300)) {
        read_everything(&body);
    }

    #[test]
    fn random_packets_are_joined_or_refused(bytes in vec(any::<u8>(), 0..400), step in 1usize..50) {
        let mut inbox = Inbox::new(100);
        for piece in bytes.chunks(step) {
            inbox.unread().extend_from_slice(piece);
            while let Ok(Some(message)) = inbox.next() {
                prop_assert!(message.body.len() <= 100);
            }
        }
    }

    #[test]
    fn a_damaged_call_never_panics(changes in changes(), cut in any::<prop::sample::Index>()) {
        read_everything(&mutated(call(), &changes, cut));
    }

    #[test]
    fn a_damaged_login_never_panics(changes in changes(), cut in any::<prop::sample::Index>()) {
        let login = login7("drbook", "secret", "msdb", 4096, &[0x0A, 1, 0, 0, 0, 1]);
        read_everything(&mutated(login, &changes, cut));
    }

    #[test]
    fn a_damaged_type_never_panics(code in any::<u8>(), rest in vec(any::<u8>(), 0..40)) {
        read_everything(&[&[code][..], &rest].concat());
    }

    #[test]
    fn messages_survive_any_packet_size(body in vec(any::<u8>(), 0..5000), size in 512u16..2000) {
        let mut inbox = Inbox::new(5000);
        inbox.unread().extend(packets(0x01, 0, size, &body));
        prop_assert_eq!(inbox.next(), Ok(Some(Message { kind: 0x01, reset: false, body })));
    }
}
