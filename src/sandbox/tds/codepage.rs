//! Code page 1252, the one of `SQL_Latin1_General_CP1_CI_AS`, and that collation's bytes.
//!
//! Does not know which columns use it.

/// `SQL_Latin1_General_CP1_CI_AS` as five bytes: LCID and flags, sort id.
pub(super) const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];

/// fUTF8 in the first four bytes of a collation.
const UTF8: u32 = 0x0400_0000;

/// 0x80 to 0x9F; the holes map to the C1 controls, as Windows does.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Text in code page 1252; what it does not have becomes `?`, as in the server.
pub(super) fn encode(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| match character as u32 {
            code @ (0..=0x7F | 0xA0..=0xFF) => code as u8,
            _ => HIGH.iter().position(|high| *high == character).map_or(b'?', |at| 0x80 + at as u8),
        })
        .collect()
}

/// Text from bytes under a collation: UTF-8 when it says so, code page 1252 otherwise.
pub(super) fn decode(bytes: &[u8], [a, b, c, d, _]: [u8; 5]) -> String {
    if u32::from_le_bytes([a, b, c, d]) & UTF8 != 0 {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    bytes
        .iter()
        .map(|byte| match byte {
            0x80..=0x9F => HIGH[usize::from(byte - 0x80)],
            _ => char::from(*byte),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_round_trip() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(encode(&decode(&all, COLLATION)), all);
    }

    #[test]
    fn what_the_code_page_lacks_becomes_a_question_mark() {
        assert_eq!(encode("é€台"), [0xE9, 0x80, b'?']);
    }

    #[test]
    fn a_utf8_collation_is_read_as_utf8() {
        assert_eq!(decode("台".as_bytes(), [0x09, 0x04, 0xD0, 0x04, 0]), "台");
        assert_eq!(decode(b"caf\xE9", COLLATION), "café");
    }
}
