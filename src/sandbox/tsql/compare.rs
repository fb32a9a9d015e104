//! Collation: how values compare, sort and hash.
//!
//! Texts compare without case unless the server is case-sensitive, always with accents, and trailing blanks
//! do not count. Does not know NULL logic; NULLs sort first and equal each other here.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::super::value::Value;
use super::number;

/// How a server compares text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Collation {
    pub(super) case_sensitive: bool,
}

/// Letters behind digits behind everything else, as Windows collations sort; accented letters next to plain ones.
fn weight(c: char) -> (u8, u32, u32) {
    if c.is_ascii_alphabetic() {
        return (2, u32::from(c.to_ascii_uppercase()), 0);
    }
    if c.is_numeric() {
        return (1, u32::from(c), 0);
    }
    if !c.is_alphabetic() {
        return (0, u32::from(c), 0);
    }
    let upper = c.to_uppercase().next().unwrap_or(c);
    let base = match upper {
        'À'..='Å' => 'A',
        'Ç' => 'C',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ñ' => 'N',
        'Ò'..='Ö' | 'Ø' => 'O',
        'Ù'..='Ü' => 'U',
        'Ý' => 'Y',
        other => other,
    };
    (2, u32::from(base), u32::from(upper))
}

fn blank_free(text: &str) -> &str {
    text.trim_end_matches(' ')
}

/// One character without its case.
pub(super) fn fold(c: char) -> char {
    if c.is_ascii() { c.to_ascii_uppercase() } else { c.to_uppercase().next().unwrap_or(c) }
}

impl Collation {
    /// Whether two characters are the same.
    pub(super) fn same_char(self, a: char, b: char) -> bool {
        a == b || (!self.case_sensitive && fold(a) == fold(b))
    }

    /// Orders two texts; `Equal` is what `=` says.
    pub(super) fn texts(self, a: &str, b: &str) -> Ordering {
        let (a, b) = (blank_free(a), blank_free(b));
        if a == b {
            return Ordering::Equal;
        }
        // base letters first, then accents, then case
        let key = |f: fn((u8, u32, u32)) -> (u8, u32)| {
            let mut left = a.chars().map(|c| f(weight(c)));
            let mut right = b.chars().map(|c| f(weight(c)));
            loop {
                match (left.next(), right.next()) {
                    (None, None) => return Ordering::Equal,
                    // a blank sorts before everything, so the shorter text is padded with them
                    (None, Some(y)) => return f(weight(' ')).cmp(&y).then(Ordering::Less),
                    (Some(x), None) => return x.cmp(&f(weight(' '))).then(Ordering::Greater),
                    (Some(x), Some(y)) if x != y => return x.cmp(&y),
                    _ => {}
                }
            }
        };
        let plain = key(|w| (w.0, w.1)).then_with(|| key(|w| (0, w.2)));
        if self.case_sensitive {
            // lower case sorts before upper case
            plain.then_with(|| b.cmp(a))
        } else {
            plain
        }
    }

    /// Orders two values of one type; NULL first.
    #[allow(clippy::many_single_char_names, reason = "pairs of sides in a table")]
    pub(super) fn values(self, a: &Value, b: &Value) -> Ordering {
        match (a, b) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Less,
            (_, Value::Null) => Ordering::Greater,
            (Value::Int(x), Value::Int(y)) => x.cmp(y),
            (Value::Text(x), Value::Text(y)) => self.texts(x, y),
            (Value::Bit(x), Value::Bit(y)) => x.cmp(y),
            (Value::Date(x), Value::Date(y)) => x.cmp(y),
            (Value::Time(x), Value::Time(y)) => x.cmp(y),
            (Value::DateTime(x), Value::DateTime(y)) => x.cmp(y),
            (Value::DateTimeOffset(x, p), Value::DateTimeOffset(y, q)) => utc(*x, *p).cmp(&utc(*y, *q)),
            (Value::Guid(x), Value::Guid(y)) => guid_order(x).cmp(&guid_order(y)),
            (Value::Binary(x), Value::Binary(y)) => binary_free(x).cmp(binary_free(y)),
            (Value::Decimal { digits: x, scale: p }, Value::Decimal { digits: y, scale: q }) => {
                decimals(*x, *p, *y, *q)
            }
            (Value::Float(_), _) | (_, Value::Float(_)) => match (float(a), float(b)) {
                (Some(x), Some(y)) => x.total_cmp(&y),
                _ => rank(a).cmp(&rank(b)),
            },
            _ => match (exact(a), exact(b)) {
                (Some((x, p)), Some((y, q))) => decimals(x, p, y, q),
                _ => rank(a).cmp(&rank(b)),
            },
        }
    }

    /// A hashable stand-in: equal keys exactly where `=` would say so (NULLs equal each other).
    pub(super) fn key(self, value: &Value) -> Key {
        match value {
            Value::Null => Key::Null,
            Value::Text(text) => {
                let text = blank_free(text);
                Key::Text(if self.case_sensitive {
                    text.to_owned()
                } else {
                    text.chars().map(fold).collect()
                })
            }
            Value::Float(n) => Key::Float(if *n == 0.0 { 0 } else { n.to_bits() }),
            Value::Date(d) => Key::Time(d.and_time(chrono::NaiveTime::MIN)),
            Value::Time(t) => Key::Time(chrono::NaiveDate::default().and_time(*t)),
            Value::DateTime(t) => Key::Time(*t),
            Value::DateTimeOffset(t, offset) => Key::Time(utc(*t, *offset)),
            Value::Guid(bytes) => Key::Bytes(bytes.to_vec()),
            Value::Binary(bytes) => Key::Bytes(binary_free(bytes).to_vec()),
            Value::Int(_) | Value::Bit(_) | Value::Decimal { .. } => {
                let (mut digits, mut scale) = exact(value).unwrap_or_default();
                while scale > 0 && digits % 10 == 0 {
                    digits /= 10;
                    scale -= 1;
                }
                Key::Number(digits, scale)
            }
        }
    }
}

/// See [`Collation::key`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Null,
    Text(String),
    Number(i128, u8),
    Float(u64),
    Time(chrono::NaiveDateTime),
    Bytes(Vec<u8>),
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Null => 0u8.hash(state),
            Self::Text(text) => text.hash(state),
            Self::Number(digits, scale) => (digits, scale).hash(state),
            Self::Float(bits) => bits.hash(state),
            Self::Time(time) => time.hash(state),
            Self::Bytes(bytes) => bytes.hash(state),
        }
    }
}

/// Trailing zero bytes do not count in comparisons.
fn binary_free(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    &bytes[..end]
}

/// SQL Server compares the last group of a guid first.
fn guid_order(b: &[u8; 16]) -> [u8; 16] {
    [b[10], b[11], b[12], b[13], b[14], b[15], b[8], b[9], b[7], b[6], b[5], b[4], b[3], b[2], b[1], b[0]]
}

/// The moment in UTC.
pub(super) fn utc(local: chrono::NaiveDateTime, offset_minutes: i16) -> chrono::NaiveDateTime {
    local.checked_sub_signed(chrono::TimeDelta::minutes(i64::from(offset_minutes))).unwrap_or(local)
}

fn decimals(x: i128, p: u8, y: i128, q: u8) -> Ordering {
    if p == q {
        return x.cmp(&y);
    }
    let scale = p.max(q);
    match (number::rescale(x, p, scale), number::rescale(y, q, scale)) {
        (Some(x), Some(y)) => x.cmp(&y),
        // the one that overflows at the finer scale is the larger in size
        (None, Some(_)) => x.signum().cmp(&0),
        (Some(_), None) => 0.cmp(&y.signum()),
        (None, None) => (x / number::power(p)).cmp(&(y / number::power(q))),
    }
}

/// Digits and scale of an exact number.
pub(super) fn exact(value: &Value) -> Option<(i128, u8)> {
    match value {
        Value::Int(n) => Some((i128::from(*n), 0)),
        Value::Bit(b) => Some((i128::from(*b), 0)),
        Value::Decimal { digits, scale } => Some((*digits, *scale)),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Float(n) => Some(*n),
        _ => exact(value).map(|(digits, scale)| digits as f64 / 10f64.powi(i32::from(scale))),
    }
}

/// Families of sql_variant values, lowest first.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Binary(_) => 1,
        Value::Text(_) => 2,
        Value::Guid(_) => 3,
        Value::Bit(_) | Value::Int(_) | Value::Decimal { .. } => 4,
        Value::Float(_) => 5,
        Value::Date(_) | Value::Time(_) | Value::DateTime(_) | Value::DateTimeOffset(..) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CI: Collation = Collation { case_sensitive: false };
    const CS: Collation = Collation { case_sensitive: true };

    #[test]
    fn case_and_trailing_blanks_do_not_count_unless_the_server_says_so() {
        assert_eq!(CI.texts("abc  ", "ABC"), Ordering::Equal);
        assert_ne!(CS.texts("abc", "ABC"), Ordering::Equal);
        assert_eq!(CS.texts("abc  ", "abc"), Ordering::Equal);
    }

    #[test]
    fn marks_sort_before_digits_before_letters() {
        let mut words = ["b", "_a", "B1", "1", "é", "f", "e", ""];
        words.sort_by(|a, b| CI.texts(a, b));
        assert_eq!(words, ["", "_a", "1", "b", "B1", "e", "é", "f"]);
    }

    #[test]
    fn decimals_compare_across_scales_beyond_float_precision() {
        let a = Value::Decimal { digits: 30_000_000_019_200_037, scale: 0 };
        let b = Value::Decimal { digits: 30_000_000_019_200_038, scale: 0 };
        assert_eq!(CI.values(&a, &b), Ordering::Less);
        let c = Value::Decimal { digits: 10, scale: 1 };
        assert_eq!(CI.values(&c, &Value::Int(1)), Ordering::Equal);
        assert_eq!(CI.key(&c), CI.key(&Value::Int(1)));
    }
}
