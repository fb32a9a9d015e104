//! Packets (MS-TDS 2.2.3): joining what comes into messages, cutting what goes into packets.
//!
//! Does no I/O and does not know what a message says.

use super::bytes::Fault;

/// Bytes of a packet header.
pub(super) const HEADER_BYTES: usize = 8;
/// Packet size before and unless something else is agreed.
pub(super) const DEFAULT_BYTES: u16 = 4096;

/// Packet types.
pub(super) mod types {
    pub(in super::super) const BATCH: u8 = 0x01;
    pub(in super::super) const RPC: u8 = 0x03;
    pub(in super::super) const ANSWER: u8 = 0x04;
    pub(in super::super) const ATTENTION: u8 = 0x06;
    pub(in super::super) const TRANSACTION: u8 = 0x0E;
    pub(in super::super) const LOGIN: u8 = 0x10;
    pub(in super::super) const PRELOGIN: u8 = 0x12;
}

const END_OF_MESSAGE: u8 = 0x01;
const IGNORE: u8 = 0x02;
const RESET: u8 = 0x08 | 0x10;

/// The packet size that answers a wish: 0 leaves the choice to the server.
pub(super) fn agreed_bytes(wish: u32) -> u16 {
    match wish {
        0 => DEFAULT_BYTES,
        wish => wish.clamp(512, 32767) as u16,
    }
}

/// A whole message from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// Type of its packets.
    pub(super) kind: u8,
    /// RESETCONNECTION was asked for.
    pub(super) reset: bool,
    pub(super) body: Vec<u8>,
}

/// Joins packets into messages; survives being interrupted between any two bytes.
#[derive(Debug)]
pub(super) struct Inbox {
    /// Bytes read and not yet looked at.
    unread: Vec<u8>,
    /// The message under way, `kind` and payload so far.
    started: Option<Message>,
    bytes_max: usize,
}

impl Inbox {
    /// Takes messages of up to `bytes_max` bytes of payload.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { unread: Vec::new(), started: None, bytes_max }
    }

    /// Where bytes from the socket are appended.
    pub(super) fn unread(&mut self) -> &mut Vec<u8> {
        &mut self.unread
    }

    /// Bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.unread.len() + self.started.as_ref().map_or(0, |message| message.body.len())
    }

    /// The next whole message, if it is here.
    pub(super) fn next(&mut self) -> Result<Option<Message>, Fault> {
        let mut used = 0;
        let found = loop {
            match self.packet(used)? {
                None => break None,
                Some((length, message)) => {
                    used += length;
                    if message.is_some() {
                        break message;
                    }
                }
            }
        };
        self.unread.drain(..used);
        Ok(found)
    }

    /// Takes in the packet at `at`: its length, and the message it ends.
    fn packet(&mut self, at: usize) -> Result<Option<(usize, Option<Message>)>, Fault> {
        let Some(&[kind, status, high, low, ..]) = self.unread[at..].first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < HEADER_BYTES {
            return Err(Fault::Malformed("a packet is shorter than its header"));
        }
        if length > 0x8000 {
            return Err(Fault::Malformed("a packet is longer than any packet size"));
        }
        let Some(payload) = self.unread.get(at + HEADER_BYTES..at + length) else { return Ok(None) };
        if kind == types::ATTENTION {
            // whatever was being sent is given up with it
            self.started = None;
            return Ok(Some((length, Some(Message { kind, reset: false, body: Vec::new() }))));
        }
        let started = self.started.get_or_insert_with(|| Message {
            kind,
            reset: status & RESET != 0,
            body: Vec::new(),
        });
        if started.kind != kind {
            return Err(Fault::Malformed("a message changes its type between packets"));
        }
        if started.body.len() + payload.len() > self.bytes_max {
            return Err(Fault::Malformed("a message is longer than the sandbox reads"));
        }
        started.body.extend_from_slice(payload);
        if status & END_OF_MESSAGE == 0 {
            return Ok(Some((length, None)));
        }
        let whole = self.started.take().filter(|_| status & IGNORE == 0);
        Ok(Some((length, whole)))
    }
}

/// Cuts one message into packets as its payload becomes known.
#[derive(Debug)]
pub(super) struct Outbox {
    kind: u8,
    session: u16,
    payload_max: usize,
    number: u8,
    waiting: Vec<u8>,
}

impl Outbox {
    /// A message of packets of up to `bytes` bytes each, header included.
    pub(super) fn new(kind: u8, session: u16, bytes: u16) -> Self {
        let payload_max = usize::from(bytes.max(512)) - HEADER_BYTES;
        Self { kind, session, payload_max, number: 0, waiting: Vec::new() }
    }

    /// Takes payload; the packets it fills, never the last one.
    pub(super) fn push(&mut self, payload: &[u8]) -> Vec<u8> {
        self.waiting.extend_from_slice(payload);
        let mut out = Vec::new();
        let mut used = 0;
        while self.waiting.len() - used > self.payload_max {
            let number = self.next_number();
            let part = &self.waiting[used..used + self.payload_max];
            put_packet(&mut out, self.kind, 0, self.session, number, part);
            used += self.payload_max;
        }
        self.waiting.drain(..used);
        out
    }

    /// What waits, as a packet that is not the last, so that the client sees it now.
    pub(super) fn flush(&mut self) -> Vec<u8> {
        self.last_packet(0)
    }

    /// The packet that ends the message.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.last_packet(END_OF_MESSAGE)
    }

    fn last_packet(&mut self, status: u8) -> Vec<u8> {
        let mut out = Vec::new();
        if status != 0 || !self.waiting.is_empty() {
            let number = self.next_number();
            put_packet(&mut out, self.kind, status, self.session, number, &self.waiting);
            self.waiting.clear();
        }
        out
    }

    fn next_number(&mut self) -> u8 {
        self.number = self.number.wrapping_add(1);
        self.number
    }
}

/// A message whose payload is whole, as packets.
pub(super) fn packets(kind: u8, session: u16, bytes: u16, payload: &[u8]) -> Vec<u8> {
    let mut outbox = Outbox::new(kind, session, bytes);
    let mut out = outbox.push(payload);
    out.extend(outbox.end());
    out
}

fn put_packet(out: &mut Vec<u8>, kind: u8, status: u8, session: u16, number: u8, payload: &[u8]) {
    let length = (HEADER_BYTES + payload.len()) as u16;
    out.extend_from_slice(&[kind, status]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&session.to_be_bytes());
    out.extend_from_slice(&[number, 0]);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(bytes: &[u8], step: usize) -> Vec<Message> {
        let mut inbox = Inbox::new(1 << 20);
        let mut found = Vec::new();
        for piece in bytes.chunks(step) {
            inbox.unread().extend_from_slice(piece);
            while let Some(message) = inbox.next().unwrap() {
                found.push(message);
            }
        }
        assert!(inbox.unread().is_empty());
        found
    }

    #[test]
    fn a_header_is_type_status_length_session_number_window() {
        assert_eq!(
            packets(types::ANSWER, 0x0133, 4096, &[0xFD]),
            [0x04, 0x01, 0x00, 0x09, 0x01, 0x33, 0x01, 0x00, 0xFD]
        );
    }

    #[test]
    fn a_message_of_exactly_one_packet_is_one_packet() {
        let out = packets(types::ANSWER, 51, 512, &[7; 504]);
        assert_eq!(out.len(), 512);
        assert_eq!(out[1], 1);
    }

    #[test]
    fn a_long_message_is_cut_and_only_its_last_packet_ends_it() {
        let payload: Vec<u8> = (0..1200u16).map(|n| n as u8).collect();
        let out = packets(types::BATCH, 0, 512, &payload);
        assert_eq!(out.len(), 1200 + 3 * HEADER_BYTES);
        assert_eq!([out[1], out[512 + 1], out[1024 + 1]], [0, 0, 1]);
        assert_eq!([out[6], out[512 + 6], out[1024 + 6]], [1, 2, 3]);
        for step in [1, 7, 513, 5000] {
            let whole = Message { kind: types::BATCH, reset: false, body: payload.clone() };
            assert_eq!(read_all(&out, step), [whole], "read {step} bytes at a time");
        }
    }

    #[test]
    fn a_flushed_packet_does_not_end_the_message() {
        let mut outbox = Outbox::new(types::ANSWER, 1, 512);
        assert!(outbox.push(&[1, 2]).is_empty());
        assert_eq!(outbox.flush()[..4], [0x04, 0x00, 0, 10]);
        assert!(outbox.flush().is_empty(), "nothing waits any more");
        assert_eq!(outbox.end()[..4], [0x04, 0x01, 0, 8]);
    }

    #[test]
    fn reset_is_read_from_the_first_packet() {
        let bytes = [0x01, 0x09, 0, 9, 0, 0, 1, 0, 65];
        assert_eq!(read_all(&bytes, 4), [Message { kind: 1, reset: true, body: vec![65] }]);
    }

    #[test]
    fn an_ignored_message_is_dropped_and_the_next_one_read() {
        let mut bytes = vec![0x01, 0x03, 0, 9, 0, 0, 1, 0, 65];
        bytes.extend([0x01, 0x01, 0, 9, 0, 0, 1, 0, 66]);
        assert_eq!(read_all(&bytes, 100), [Message { kind: 1, reset: false, body: vec![66] }]);
    }

    #[test]
    fn an_attention_gives_up_the_message_under_way() {
        let mut bytes = vec![0x01, 0x00, 0, 9, 0, 0, 1, 0, 65];
        bytes.extend([0x06, 0x01, 0, 8, 0, 0, 1, 0]);
        bytes.extend([0x03, 0x01, 0, 9, 0, 0, 1, 0, 66]);
        let kinds: Vec<u8> = read_all(&bytes, 3).iter().map(|message| message.kind).collect();
        assert_eq!(kinds, [types::ATTENTION, types::RPC]);
    }

    #[test]
    fn impossible_lengths_and_changing_types_are_refused() {
        for bytes in [
            vec![0x01, 0x01, 0, 7, 0, 0, 1, 0],
            vec![0x01, 0x01, 0xFF, 0xFF, 0, 0, 1, 0],
            vec![0x01, 0x00, 0, 8, 0, 0, 1, 0, 0x03, 0x01, 0, 8, 0, 0, 2, 0],
        ] {
            let mut inbox = Inbox::new(100);
            inbox.unread().extend(bytes);
            assert!(matches!(inbox.next(), Err(Fault::Malformed(_))));
        }
    }

    #[test]
    fn a_message_over_the_limit_is_refused() {
        let mut inbox = Inbox::new(1000);
        inbox.unread().extend(packets(types::BATCH, 0, 512, &[0; 1001]));
        assert!(matches!(inbox.next(), Err(Fault::Malformed(_))));
    }

    #[test]
    fn packet_sizes_are_agreed_within_bounds() {
        assert_eq!([0, 1, 512, 8000, 99999].map(agreed_bytes), [4096, 512, 512, 8000, 32767]);
    }
}
