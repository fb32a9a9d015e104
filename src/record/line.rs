//! One line of `events.jsonl`: how it is written, read and hashed.
//!
//! `{"seq":n,"at":"…Z","mono_ms":n,"by":…,"prev":"hex","event":{…}}` and a newline. `prev` is the SHA-256 of the exact
//! bytes of the line before, its newline included; in line 1 it is 64 zeros (what the record is about stands in the
//! `opened` event of that line itself). An event too large for a line stands in an evidence file; the line then says
//! `"event":{"elsewhere":{"evidence":"hex","bytes":n}}`.
//!
//! Does not know files, nor which events may follow which.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::{By, Event};

/// `prev` of line 1.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Whether a text is a SHA-256 in lower-case hex, the only names evidence files have.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A file in `evidence/`, by its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Away {
    /// SHA-256, hex, which is its name.
    pub(super) evidence: String,
    /// Its size.
    pub(super) bytes: u64,
}

/// Stands for an event that is in an evidence file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Elsewhere {
    /// Where.
    pub(super) elsewhere: Away,
}

/// The event of a line, or where it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Body {
    /// In the line.
    Here(Event),
    /// In `evidence/`.
    Away(Away),
}

/// A line as read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) seq: u64,
    pub(super) at: DateTime<Utc>,
    pub(super) mono_ms: u64,
    pub(super) by: By,
    pub(super) prev: String,
    pub(super) body: Body,
}

#[derive(Deserialize)]
struct Read<E> {
    seq: u64,
    at: DateTime<Utc>,
    mono_ms: u64,
    by: By,
    prev: String,
    event: E,
}

impl<E> Read<E> {
    fn line(self, body: impl FnOnce(E) -> Body) -> Line {
        let Self { seq, at, mono_ms, by, prev, event } = self;
        Line { seq, at, mono_ms, by, prev, body: body(event) }
    }
}

#[derive(Serialize)]
struct Write<'a, E> {
    seq: u64,
    at: &'a str,
    mono_ms: u64,
    by: &'a By,
    prev: &'a str,
    event: &'a E,
}

/// What stands around an event in a line to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) seq: u64,
    pub(super) at: DateTime<Utc>,
    pub(super) mono_ms: u64,
    pub(super) by: &'a By,
    pub(super) prev: &'a str,
}

impl Frame<'_> {
    /// The bytes of a line, newline included.
    pub(super) fn write<E: Serialize>(&self, event: &E) -> Result<Vec<u8>, serde_json::Error> {
        let at = crate::clock::iso(self.at);
        let Self { seq, mono_ms, by, prev, .. } = *self;
        let mut bytes = serde_json::to_vec(&Write { seq, at: &at, mono_ms, by, prev, event })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// Reads a line; the bytes may or may not end in its newline.
pub(super) fn read(bytes: &[u8]) -> Result<Line, String> {
    // The common form is tried first, so that its message is the one shown.
    match serde_json::from_slice::<Read<Event>>(bytes) {
        Ok(read) => Ok(read.line(Body::Here)),
        Err(why) => match serde_json::from_slice::<Read<Elsewhere>>(bytes) {
            Ok(read) => Ok(read.line(|e| Body::Away(e.elsewhere))),
            Err(_) => Err(words(&why)),
        },
    }
}

/// The parser's words, which may quote the file, made short and harmless.
pub(super) fn words(why: &serde_json::Error) -> String {
    crate::text::fit(&plain(&why.to_string()), 160, false)
}

/// A text of several lines without control characters.
pub(super) fn plain_lines(text: &str) -> String {
    crate::text::harmless(&text.replace('\t', " "))
}

/// A text on one line without control characters.
pub(super) fn plain(text: &str) -> String {
    crate::text::harmless(&text.replace(['\n', '\t'], " "))
}

/// The version of the file format an `opened` line was written in, however little else of it is understood.
pub(super) fn format_of(bytes: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Outer {
        event: Middle,
    }
    #[derive(Deserialize)]
    struct Middle {
        opened: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        format: u32,
    }
    serde_json::from_slice::<Outer>(bytes).ok().map(|o| o.event.opened.format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        let at = DateTime::from_timestamp_millis(1_763_672_645_123).unwrap();
        let by = By::Operator("Zoë \u{1b}[31m \"quoted\"\n".into());
        let event = Event::Noted { step: None, text: "a\u{0}b\u{2028}c".into() };
        let frame = Frame { seq: 7, at, mono_ms: 9, by: &by, prev: GENESIS };
        let bytes = frame.write(&event).unwrap();
        assert_eq!(bytes.iter().filter(|b| **b == b'\n').count(), 1, "a line has one newline");
        let line = read(&bytes).unwrap();
        assert_eq!((line.seq, line.at, &line.by, line.body), (7, at, &by, Body::Here(event)));
    }

    #[test]
    fn an_event_elsewhere_is_told_apart_from_an_unknown_one() {
        let away = Elsewhere { elsewhere: Away { evidence: GENESIS.into(), bytes: 3 } };
        let frame = Frame { seq: 1, at: DateTime::default(), mono_ms: 0, by: &By::Drbook, prev: GENESIS };
        assert_eq!(read(&frame.write(&away).unwrap()).unwrap().body, Body::Away(away.elsewhere));
        let unknown = frame.write(&serde_json::json!({ "teleported": {} })).unwrap();
        assert!(read(&unknown).unwrap_err().contains("teleported"));
    }

    #[test]
    fn only_lower_case_hex_names_evidence() {
        assert!(is_sha256(GENESIS));
        for wrong in ["", "../../etc/passwd", &GENESIS[1..], &GENESIS.replace('0', "A")] {
            assert!(!is_sha256(wrong), "{wrong}");
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        for bytes in [&b""[..], b"{", b"\xff\xfe", b"null", b"[[[[", b"{\"seq\":1e400}"] {
            assert!(read(bytes).is_err());
            assert_eq!(format_of(bytes), None);
        }
        assert!(read("[".repeat(60_000).as_bytes()).is_err());
    }
}
