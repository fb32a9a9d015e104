//! LOGIN7 (MS-TDS 2.2.6.4) in, the answer to it out.
//!
//! Does not know who may log in.

use super::bytes::{Fault, Reader, clipped, from_utf16};
use super::packet::agreed_bytes;
use super::token::{self, Environment};
use crate::sandbox::answer::{Conversation, Login, Message};

/// TDS 7.2, the oldest whose requests we read.
const OLDEST: u32 = 0x7200_0000;
/// TDS 8: the same messages inside TLS.
const STRICT: u32 = 0x0800_0000;
/// FEDAUTH: a login by token.
const FEDERATED: u8 = 0x02;
/// UTF8_SUPPORT, the one feature acknowledged, as servers from 2019 do. Session recovery (0x01), column
/// encryption (0x04), global transactions (0x05), data classification (0x09), DNS caching (0x0B) and what
/// came later are not: a client takes silence for a server without them.
const UTF8_SUPPORT: u8 = 0x0A;
/// Product version 2019.
const UTF8_SINCE: u8 = 15;

/// The protocols a server answers with, newest first (MS-TDS 2.2.7.14).
const PROTOCOLS: [u32; 4] = [0x7400_0004, 0x730B_0003, 0x730A_0003, 0x7209_0002];

/// A protocol that is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Protocol(u32);

impl Protocol {
    /// TDS 7.4.
    #[cfg(test)]
    pub(super) const NEWEST: Self = Self(PROTOCOLS[0]);

    /// What a server speaks with a client of that version.
    fn agreed(asked: u32) -> Self {
        if asked == STRICT {
            return Self(STRICT);
        }
        Self(PROTOCOLS.into_iter().find(|known| *known <= asked).unwrap_or(PROTOCOLS[3]))
    }

    /// Knows `date`, `time`, `datetime2` and `datetimeoffset`: from 7.3 on.
    pub(super) fn has_dates(self) -> bool {
        self != Self(PROTOCOLS[3])
    }
}

/// A login as it was asked for.
#[derive(Debug)]
pub(super) struct Login7 {
    pub(super) login: Login,
    /// Agreed packet size.
    pub(super) packet_bytes: u16,
    pub(super) protocol: Protocol,
    wants_utf8: bool,
}

impl Login7 {
    pub(super) fn read(body: &[u8]) -> Result<Self, Fault> {
        let mut fixed = Reader::new(body);
        let length = fixed.u32()? as usize;
        let version = fixed.u32()?;
        let packet_bytes = agreed_bytes(fixed.u32()?);
        let _client_version_process_connection = fixed.take(12)?;
        let _options_1 = fixed.u8()?;
        let integrated = fixed.u8()? & 0x80 != 0;
        let read_intent = fixed.u8()? & 0x20 != 0;
        let options_3 = fixed.u8()?;
        if version < OLDEST && version != STRICT {
            return Err(Fault::NotModelled("TDS 7.1 and older; have the client speak TDS 7.4".into()));
        }
        // the record may be shorter than what came, never longer
        let record = body.get(..length).ok_or(Fault::Malformed("a login is shorter than it says"))?;
        if integrated {
            return Err(Fault::NotModelled("a Windows login; use a SQL login".into()));
        }
        let field = |at: usize, unit_bytes: usize| {
            let mut place = Reader::new(record.get(at..).unwrap_or_default());
            let from = usize::from(place.u16()?);
            let bytes = usize::from(place.u16()?) * unit_bytes;
            // an empty field may point anywhere
            if bytes == 0 {
                return Ok(&[][..]);
            }
            record
                .get(from..)
                .and_then(|rest| rest.get(..bytes))
                .ok_or(Fault::Malformed("a login field lies outside the login"))
        };
        let text = |at| field(at, 2).map(from_utf16);
        let protocol = Protocol::agreed(version);
        // the flag means something else, or nothing, before 7.4
        let extended = options_3 & 0x10 != 0 && (version >= PROTOCOLS[0] || version == STRICT);
        if options_3 & 0x01 != 0 {
            return Err(Fault::NotModelled("a change of password at login".into()));
        }
        if !field(82, 2)?.is_empty() {
            return Err(Fault::NotModelled("attaching a database file at login".into()));
        }
        let language = text(64)?;
        if !["", "us_english", "English"].iter().any(|known| known.eq_ignore_ascii_case(&language)) {
            return Err(Fault::NotModelled(format!("the language '{}'", clipped(&language, 128))));
        }
        let login = Login {
            workstation: text(36)?,
            user: text(40)?,
            password: from_utf16(&field(44, 2)?.iter().map(|byte| clear(*byte)).collect::<Vec<u8>>()),
            application: text(48)?,
            database: text(68)?,
            read_intent,
            encrypted: false,
        };
        let pointer = if extended { field(56, 1)? } else { &[] };
        let features = if pointer.is_empty() { Vec::new() } else { features(record, pointer)? };
        if features.contains(&FEDERATED) {
            return Err(Fault::NotModelled("a federated login; use a SQL login".into()));
        }
        Ok(Self { login, packet_bytes, protocol, wants_utf8: features.contains(&UTF8_SUPPORT) })
    }

    /// The tokens that welcome this login.
    pub(super) fn welcome(&self, name: &str, version: (u8, u8, u16), session: &dyn Conversation) -> Vec<u8> {
        let database = session.database();
        let mut out = Vec::new();
        token::environment(&mut out, Environment::Database, &database, "master");
        let changed = format!("Changed database context to '{database}'.");
        token::info(&mut out, &information(5701, 2, changed), name);
        token::collation(&mut out);
        token::environment(&mut out, Environment::Language, "us_english", "");
        let changed = "Changed language setting to us_english.".into();
        token::info(&mut out, &information(5703, 1, changed), name);
        token::login_ack(&mut out, self.protocol.0, "Microsoft SQL Server", version);
        let size = self.packet_bytes.to_string();
        token::environment(&mut out, Environment::PacketSize, &size, "4096");
        if self.wants_utf8 && version.0 >= UTF8_SINCE {
            token::feature_ack(&mut out, &[(UTF8_SUPPORT, &[1])]);
        }
        token::done(&mut out, token::DONE, 0, 0, 0);
        out
    }
}

/// The tokens that refuse a login.
pub(super) fn refusal(name: &str, messages: &[Message]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        token::error(&mut out, message, name);
    }
    token::done(&mut out, token::DONE, token::ERROR, 0, 0);
    out
}

/// The same for a login of TDS 7.1 and before, whose lines and counts are half as wide.
pub(super) fn old_refusal(name: &str, message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    token::old_error(&mut out, message, name);
    token::old_done(&mut out, token::ERROR);
    out
}

/// Whether a LOGIN7 is of TDS 7.1 and before.
pub(super) fn is_old(body: &[u8]) -> bool {
    let mut fixed = Reader::new(body);
    let version = fixed.u32().and_then(|_| fixed.u32());
    version.is_ok_and(|version| version < OLDEST && version != STRICT)
}

fn information(number: i32, state: u8, text: String) -> Message {
    Message { number, state, class: 0, text, procedure: String::new(), line: 1 }
}

/// One byte of a password: the wire holds it XORed with 0xA5 after its nibbles were swapped.
fn clear(byte: u8) -> u8 {
    (byte ^ 0xA5).rotate_left(4)
}

/// The ids of a FeatureExt block; `pointer` holds the offset of the block.
fn features(record: &[u8], pointer: &[u8]) -> Result<Vec<u8>, Fault> {
    let at = Reader::new(pointer).u32()? as usize;
    let block = record.get(at..).ok_or(Fault::Malformed("the login's features lie outside the login"))?;
    let mut reader = Reader::new(block);
    let mut ids = Vec::new();
    loop {
        let id = reader.u8()?;
        if id == 0xFF {
            return Ok(ids);
        }
        ids.push(id);
        let length = reader.u32()? as usize;
        reader.take(length)?;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sandbox::tds::bytes::put_utf16;

    /// A LOGIN7 with the given fields; `features` are whole FeatureExt entries.
    pub(in super::super) fn login7(
        user: &str,
        password: &str,
        database: &str,
        packet: u32,
        features: &[u8],
    ) -> Vec<u8> {
        let mut fixed = vec![0; 94];
        let mut data = Vec::new();
        let mut put = |fixed: &mut Vec<u8>, at: usize, text: &str, hide: bool| {
            let from = (94 + data.len()) as u16;
            fixed[at..at + 2].copy_from_slice(&from.to_le_bytes());
            fixed[at + 2..at + 4].copy_from_slice(&(text.encode_utf16().count() as u16).to_le_bytes());
            let mut bytes = Vec::new();
            put_utf16(&mut bytes, text);
            data.extend(bytes.iter().map(|b| if hide { b.rotate_left(4) ^ 0xA5 } else { *b }));
        };
        put(&mut fixed, 36, "DESK1", false);
        put(&mut fixed, 40, user, false);
        put(&mut fixed, 44, password, true);
        put(&mut fixed, 48, "drbook", false);
        put(&mut fixed, 68, database, false);
        if !features.is_empty() {
            fixed[27] = 0x10;
            let from = 94 + data.len() as u32;
            fixed[56..58].copy_from_slice(&(from as u16).to_le_bytes());
            fixed[58..60].copy_from_slice(&4u16.to_le_bytes());
            data.extend((from + 4).to_le_bytes());
            data.extend(features);
            data.push(0xFF);
        }
        let length = (94 + data.len()) as u32;
        fixed[..4].copy_from_slice(&length.to_le_bytes());
        fixed[4..8].copy_from_slice(&0x7400_0004u32.to_le_bytes());
        fixed[8..12].copy_from_slice(&packet.to_le_bytes());
        fixed.extend(data);
        fixed
    }

    #[test]
    fn a_login_is_read_with_its_password_in_clear() {
        let read = Login7::read(&login7("sa", "P@ss wörd", "msdb", 8000, &[])).unwrap();
        assert_eq!((read.login.user.as_str(), read.login.password.as_str()), ("sa", "P@ss wörd"));
        assert_eq!(read.login.database, "msdb");
        assert_eq!(read.login.application, "drbook");
        assert_eq!(read.login.workstation, "DESK1");
        assert_eq!(read.packet_bytes, 8000);
        assert!(!read.wants_utf8);
    }

    #[test]
    fn the_password_byte_of_the_specification_comes_back() {
        // 'a' is 0x61: nibbles swapped 0x16, XOR 0xA5 gives 0xB3
        assert_eq!(clear(0xB3), b'a');
    }

    #[test]
    fn features_are_read_and_unknown_ones_passed_over() {
        let features = [0x01, 3, 0, 0, 0, 9, 9, 9, 0x0A, 0, 0, 0, 0, 0x10, 1, 0, 0, 0, 7];
        assert!(Login7::read(&login7("sa", "", "", 0, &features)).unwrap().wants_utf8);
        let without = [0x05, 0, 0, 0, 0];
        assert!(!Login7::read(&login7("sa", "", "", 0, &without)).unwrap().wants_utf8);
    }

    #[test]
    fn a_feature_longer_than_the_login_is_refused() {
        let features = [0x01, 0xFF, 0xFF, 0xFF, 0xFF];
        assert!(matches!(Login7::read(&login7("sa", "", "", 0, &features)), Err(Fault::Malformed(_))));
    }

    #[test]
    fn fields_outside_the_login_are_refused() {
        let mut body = login7("sa", "secret", "", 0, &[]);
        body[44..46].copy_from_slice(&0xFFF0u16.to_le_bytes());
        assert!(matches!(Login7::read(&body), Err(Fault::Malformed(_))));
        let whole = login7("sa", "secret", "", 0, &[]);
        for cut in 0..whole.len() {
            assert!(Login7::read(&whole[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn old_clients_and_windows_logins_are_told_what_is_missing() {
        let mut old = login7("sa", "", "", 0, &[]);
        old[4..8].copy_from_slice(&0x7100_0001u32.to_le_bytes());
        assert!(matches!(Login7::read(&old), Err(Fault::NotModelled(why)) if why.contains("TDS 7.4")));
        let mut windows = login7("", "", "", 0, &[]);
        windows[25] = 0x80;
        assert!(matches!(Login7::read(&windows), Err(Fault::NotModelled(why)) if why.contains("SQL login")));
    }
}
