//! SQLBatch and TM requests (MS-TDS 2.2.6.7, 2.2.6.9).
//!
//! Does not run anything.

use super::bytes::{Fault, Reader, from_utf16};

/// What a TM request asks; a name may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Transaction {
    Begin(Begin),
    /// `again`: begin the next one at once.
    Commit {
        again: Option<Begin>,
    },
    /// To a savepoint when it is named after one.
    Rollback {
        name: String,
        again: Option<Begin>,
    },
    Save(String),
}

/// A transaction to begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Begin {
    pub(super) name: String,
    /// As SET TRANSACTION ISOLATION LEVEL says it, when it is to change.
    pub(super) isolation: Option<&'static str>,
}

/// What follows ALL_HEADERS; none of the headers matters here.
pub(super) fn after_headers(body: &[u8]) -> Result<Reader<'_>, Fault> {
    let mut reader = Reader::new(body);
    let total = reader.u32()? as usize;
    let rest = total.checked_sub(4).ok_or(Fault::Malformed("ALL_HEADERS is shorter than its own length"))?;
    reader.take(rest)?;
    Ok(reader)
}

/// The text of a batch.
pub(super) fn batch(body: &[u8]) -> Result<String, Fault> {
    let mut rest = after_headers(body)?;
    Ok(from_utf16(rest.take_all()))
}

/// A transaction request.
pub(super) fn transaction(body: &[u8]) -> Result<Transaction, Fault> {
    let mut reader = after_headers(body)?;
    let request = reader.u16()?;
    let again = |reader: &mut Reader<'_>| -> Result<Option<Begin>, Fault> {
        if reader.u8()? & 1 == 0 {
            return Ok(None);
        }
        begin(reader).map(Some)
    };
    match request {
        5 => Ok(Transaction::Begin(begin(&mut reader)?)),
        7 => {
            // the name of what is committed means nothing, as in the statement
            reader.short_name()?;
            Ok(Transaction::Commit { again: again(&mut reader)? })
        }
        8 => Ok(Transaction::Rollback { name: reader.short_name()?, again: again(&mut reader)? }),
        9 => Ok(Transaction::Save(reader.short_name()?)),
        0 | 1 | 6 => Err(Fault::NotModelled("distributed transactions".into())),
        other => Err(Fault::NotModelled(format!("TM request {other}"))),
    }
}

fn begin(reader: &mut Reader<'_>) -> Result<Begin, Fault> {
    let isolation = match reader.u8()? {
        0 => None,
        1 => Some("READ UNCOMMITTED"),
        2 => Some("READ COMMITTED"),
        3 => Some("REPEATABLE READ"),
        4 => Some("SERIALIZABLE"),
        5 => Some("SNAPSHOT"),
        _ => return Err(Fault::Malformed("a transaction has an unknown isolation level")),
    };
    Ok(Begin { name: reader.short_name()?, isolation })
}

impl<'a> Reader<'a> {
    fn take_all(&mut self) -> &'a [u8] {
        let all = self.rest();
        *self = Reader::new(&[]);
        all
    }

    /// A transaction name: its length is in bytes, unlike other names'.
    fn short_name(&mut self) -> Result<String, Fault> {
        let bytes = self.u8()?;
        self.take(bytes.into()).map(from_utf16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::tds::bytes::put_utf16;

    /// ALL_HEADERS with the one header every client sends, the transaction descriptor.
    const HEADERS: [u8; 22] = [22, 0, 0, 0, 18, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];

    #[test]
    fn a_batch_is_the_text_after_the_headers() {
        let mut body = HEADERS.to_vec();
        put_utf16(&mut body, "SELECT N'é'");
        assert_eq!(batch(&body), Ok("SELECT N'é'".into()));
    }

    #[test]
    fn headers_longer_than_the_message_are_refused() {
        assert!(batch(&[0xFF, 0xFF, 0xFF, 0xFF, 1, 2]).is_err());
        assert!(batch(&[3, 0, 0, 0]).is_err());
        assert!(batch(&[]).is_err());
    }

    #[test]
    fn begin_commit_and_rollback_are_read() {
        let read = |tail: &[u8]| transaction(&[&HEADERS[..], tail].concat());
        let plain = Begin { name: String::new(), isolation: Some("READ COMMITTED") };
        assert_eq!(read(&[5, 0, 2, 0]), Ok(Transaction::Begin(plain)));
        let named = Begin { name: "a".into(), isolation: None };
        assert_eq!(read(&[5, 0, 0, 2, b'a', 0]), Ok(Transaction::Begin(named)));
        assert_eq!(read(&[7, 0, 0, 0]), Ok(Transaction::Commit { again: None }));
        let again = Some(Begin { name: String::new(), isolation: Some("READ UNCOMMITTED") });
        assert_eq!(
            read(&[8, 0, 4, b'a', 0, b'b', 0, 1, 1, 0]),
            Ok(Transaction::Rollback { name: "ab".into(), again })
        );
        assert_eq!(read(&[9, 0, 2, b's', 0]), Ok(Transaction::Save("s".into())));
        assert!(matches!(read(&[5, 0, 6, 0]), Err(Fault::Malformed(_))));
        assert!(matches!(read(&[6, 0]), Err(Fault::NotModelled(_))));
        assert!(matches!(read(&[7, 0, 9]), Err(Fault::Malformed(_))));
    }
}
