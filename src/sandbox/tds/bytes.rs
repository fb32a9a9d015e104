//! Reading and writing little-endian fields with every length checked.
//!
//! Does not know what the fields mean.

/// What came is not TDS as we know it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The bytes contradict themselves or end too early; the connection cannot go on.
    #[error("{0}")]
    Malformed(&'static str),
    /// Well-formed, but nothing the sandbox models.
    #[error("{0}")]
    NotModelled(String),
}

/// A cursor over bytes from outside; no read can go past the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything not yet read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (head, rest) =
            self.rest.split_at_checked(count).ok_or(Fault::Malformed("the message ends inside a field"))?;
        self.rest = rest;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (head, rest) =
            self.rest.split_first_chunk::<N>().ok_or(Fault::Malformed("the message ends inside a field"))?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        Ok(u8::from_le_bytes(self.array()?))
    }
    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    /// `count` UTF-16 units.
    pub(super) fn utf16(&mut self, count: usize) -> Result<String, Fault> {
        Ok(from_utf16(self.take(count * 2)?))
    }

    /// `B_VARCHAR`: one byte of length in units, then the units.
    pub(super) fn short_text(&mut self) -> Result<String, Fault> {
        let count = self.u8()?;
        self.utf16(count.into())
    }
}

/// Text from UTF-16LE; a lone surrogate becomes U+FFFD, an odd last byte is dropped.
pub(super) fn from_utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16_lossy(&units)
}

/// Appends text as UTF-16LE.
pub(super) fn put_utf16(out: &mut Vec<u8>, text: &str) {
    for unit in text.encode_utf16() {
        out.extend_from_slice(&unit.to_le_bytes());
    }
}

/// The first `units` UTF-16 units of a text, not cutting a pair in two.
pub(super) fn clipped(text: &str, units: usize) -> &str {
    let mut used = 0;
    for (at, character) in text.char_indices() {
        used += character.len_utf16();
        if used > units {
            return &text[..at];
        }
    }
    text
}

/// `B_VARCHAR`, clipped at 255 units.
pub(super) fn put_short_text(out: &mut Vec<u8>, text: &str) {
    let text = clipped(text, 255);
    out.push(text.encode_utf16().count() as u8);
    put_utf16(out, text);
}

/// `US_VARCHAR`, clipped at `units`.
pub(super) fn put_long_text(out: &mut Vec<u8>, text: &str, units: u16) {
    let text = clipped(text, units.into());
    out.extend_from_slice(&(text.encode_utf16().count() as u16).to_le_bytes());
    put_utf16(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_never_reads_past_the_end() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.u16(), Ok(0x0201));
        assert!(matches!(reader.u16(), Err(Fault::Malformed(_))));
        assert_eq!(reader.u8(), Ok(3), "a failed read takes nothing");
        assert!(reader.is_empty());
    }

    #[test]
    fn clipping_counts_utf16_units_and_keeps_pairs_whole() {
        assert_eq!(clipped("a😀b", 2), "a");
        assert_eq!(clipped("a😀b", 3), "a😀");
        assert_eq!(clipped("ab", 9), "ab");
    }

    #[test]
    fn short_text_survives_the_round_trip() {
        let mut out = Vec::new();
        put_short_text(&mut out, "Zürich 台");
        assert_eq!(Reader::new(&out).short_text(), Ok("Zürich 台".into()));
    }
}
