//! Comparing cells: numbers exactly, whatever their size; texts without case and trailing blanks.
//!
//! Knows nothing of expectations. A log sequence number has 25 digits: no float is ever between.

use std::cmp::Ordering;
use std::fmt;

use crate::reading::Cell;

/// A decimal number of any size, exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: String,
    /// Digits after the point, without trailing zeros.
    fraction: String,
}

impl Number {
    /// The number of a cell: bits, whole numbers, decimals, floats, and texts that are decimal numbers.
    pub(super) fn of(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Bit(b) => Self::read(if *b { "1" } else { "0" }),
            Cell::Int(i) => Self::read(&i.to_string()),
            Cell::Decimal { dec } => Self::read(dec),
            Cell::Float { float } => Self::of_f64(*float),
            Cell::Text(text) => Self::read(text.trim()),
            _ => None,
        }
    }

    /// The number a float stands for in its shortest form; `None` when it is none.
    pub(super) fn of_f64(value: f64) -> Option<Self> {
        value.is_finite().then(|| Self::read(&value.to_string())).flatten()
    }

    /// A moment as a number, for comparing moments with each other.
    pub(super) fn of_moment(cell: &Cell) -> Option<Self> {
        let Cell::Time { time, .. } = cell else { return None };
        let moment = cell.as_utc().unwrap_or_else(|| time.and_utc());
        Self::read(&format!("{}.{:06}", moment.timestamp(), moment.timestamp_subsec_micros()))
    }

    fn read(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        // There is one zero.
        let negative = negative && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        let longer = self.whole.len().cmp(&other.whole.len());
        longer.then_with(|| self.whole.cmp(&other.whole)).then_with(|| self.fraction.cmp(&other.fraction))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let sign = if self.negative { "-" } else { "" };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{}", self.fraction)
    }
}

/// Whether two cells say the same. NULL says the same as NULL only.
pub(super) fn same(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Null, Cell::Null) => true,
        (Cell::Null, _) | (_, Cell::Null) => false,
        (Cell::Text(a), Cell::Text(b)) => folded(a) == folded(b),
        (Cell::Time { time: a_time, .. }, Cell::Time { time: b_time, .. }) => {
            match (a.as_utc(), b.as_utc()) {
                (Some(a), Some(b)) => a == b,
                (None, None) => a_time == b_time,
                _ => false,
            }
        }
        _ => match (Number::of(a), Number::of(b)) {
            (Some(a), Some(b)) => a == b,
            _ => folded(&a.to_string()) == folded(&b.to_string()),
        },
    }
}

fn folded(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Cell {
        Cell::Decimal { dec: text.to_owned() }
    }

    #[test]
    fn numbers_compare_exactly_at_any_size() {
        let ordered = [
            "-10000000000000000000000001",
            "-2",
            "-1.5",
            "0",
            "0.05",
            "0.5",
            "1",
            "9",
            "10",
            "37000000012300001000000001",
            "37000000012300001000000002",
        ];
        for (n, a) in ordered.iter().enumerate() {
            for (m, b) in ordered.iter().enumerate() {
                assert_eq!(Number::of(&dec(a)).cmp(&Number::of(&dec(b))), n.cmp(&m), "{a} {b}");
            }
        }
        for (a, b) in [("-0", "0"), ("1.50", "1.5"), ("007", "7"), (".5", "0.5"), ("5.", "5")] {
            assert_eq!(Number::of(&dec(a)), Number::of(&dec(b)), "{a} {b}");
        }
        for none in ["", "-", ".", "1e3", "0x1", "1,5", "1.2.3", "NaN"] {
            assert_eq!(Number::of(&Cell::text(none)), None, "{none}");
        }
    }

    #[test]
    fn cells_of_different_kinds_say_the_same_when_they_do() {
        for (a, b) in [
            (Cell::text("ONLINE  "), Cell::text("online")),
            (Cell::Bit(true), Cell::Int(1)),
            (Cell::Int(5), dec("5.00")),
            (Cell::Float { float: 0.1 }, dec("0.1")),
            (Cell::text("12"), Cell::Int(12)),
            (Cell::Guid { guid: "01ab".into() }, Cell::text("01AB")),
        ] {
            assert!(same(&a, &b) && same(&b, &a), "{a:?} {b:?}");
        }
        for (a, b) in [
            (Cell::Null, Cell::Int(0)),
            (Cell::Null, Cell::text("")),
            (Cell::text("01"), Cell::text("1")),
            (Cell::text(" a"), Cell::text("a")),
            (dec("37000000012300001000000001"), dec("37000000012300001000000002")),
            (Cell::text("true"), Cell::Bit(true)),
        ] {
            assert!(!same(&a, &b) && !same(&b, &a), "{a:?} {b:?}");
        }
    }
}
