//! TYPE_INFO of the columns and parameters that are sent (MS-TDS 2.2.5.6).
//!
//! Does not know values. Types go out in their nullable form, which every client reads.

use super::codepage::COLLATION;
use crate::sandbox::value::Type;

/// Type bytes.
pub(super) mod codes {
    pub(in super::super) const GUID: u8 = 0x24;
    pub(in super::super) const INT_N: u8 = 0x26;
    pub(in super::super) const DATE_N: u8 = 0x28;
    pub(in super::super) const TIME_N: u8 = 0x29;
    pub(in super::super) const DATETIME2_N: u8 = 0x2A;
    pub(in super::super) const DATETIMEOFFSET_N: u8 = 0x2B;
    pub(in super::super) const BIT: u8 = 0x32;
    pub(in super::super) const INT_4: u8 = 0x38;
    pub(in super::super) const DATETIME: u8 = 0x3D;
    pub(in super::super) const FLOAT_8: u8 = 0x3E;
    pub(in super::super) const VARIANT: u8 = 0x62;
    pub(in super::super) const BIT_N: u8 = 0x68;
    pub(in super::super) const NUMERIC_N: u8 = 0x6C;
    pub(in super::super) const FLOAT_N: u8 = 0x6D;
    pub(in super::super) const MONEY_N: u8 = 0x6E;
    pub(in super::super) const DATETIME_N: u8 = 0x6F;
    pub(in super::super) const INT_8: u8 = 0x7F;
    pub(in super::super) const VARBINARY: u8 = 0xA5;
    pub(in super::super) const VARCHAR: u8 = 0xA7;
    pub(in super::super) const BINARY: u8 = 0xAD;
    pub(in super::super) const CHAR: u8 = 0xAF;
    pub(in super::super) const NVARCHAR: u8 = 0xE7;
    pub(in super::super) const NCHAR: u8 = 0xEF;
    pub(in super::super) const XML: u8 = 0xF1;
}

/// Most bytes of a value that is not `max`.
pub(super) const SHORT_BYTES: u16 = 8000;
/// A `max` length, and the NULL of a short one.
const MAX: u16 = 0xFFFF;

/// Bytes of a decimal of this precision, its sign included.
pub(super) fn decimal_bytes(precision: u8) -> u8 {
    match precision {
        0..=9 => 5,
        10..=19 => 9,
        20..=28 => 13,
        _ => 17,
    }
}

/// The declared length of a string in bytes; `None` = max, also for what does not fit a short one.
pub(super) fn declared_bytes(length: Option<u16>, unit_bytes: u16) -> Option<u16> {
    let bytes = length?.max(1).checked_mul(unit_bytes)?;
    (bytes <= SHORT_BYTES).then_some(bytes)
}

/// Appends the TYPE_INFO of a type.
pub(super) fn put(out: &mut Vec<u8>, kind: Type) {
    match kind {
        Type::Bit => out.extend([codes::BIT_N, 1]),
        Type::TinyInt => out.extend([codes::INT_N, 1]),
        Type::SmallInt => out.extend([codes::INT_N, 2]),
        Type::Int => out.extend([codes::INT_N, 4]),
        Type::BigInt => out.extend([codes::INT_N, 8]),
        Type::Decimal { precision, scale } => {
            out.extend([codes::NUMERIC_N, decimal_bytes(precision), precision, scale]);
        }
        Type::Money => out.extend([codes::MONEY_N, 8]),
        Type::SmallMoney => out.extend([codes::MONEY_N, 4]),
        Type::Real => out.extend([codes::FLOAT_N, 4]),
        Type::Float => out.extend([codes::FLOAT_N, 8]),
        Type::Date => out.push(codes::DATE_N),
        Type::Time { scale } => out.extend([codes::TIME_N, scale.min(7)]),
        Type::SmallDateTime => out.extend([codes::DATETIME_N, 4]),
        Type::DateTime => out.extend([codes::DATETIME_N, 8]),
        Type::DateTime2 { scale } => out.extend([codes::DATETIME2_N, scale.min(7)]),
        Type::DateTimeOffset { scale } => out.extend([codes::DATETIMEOFFSET_N, scale.min(7)]),
        Type::UniqueIdentifier => out.extend([codes::GUID, 16]),
        Type::Char(length) => put_text(out, codes::CHAR, declared_bytes(Some(length), 1)),
        Type::VarChar(length) => put_text(out, codes::VARCHAR, declared_bytes(length, 1)),
        Type::NChar(length) => put_text(out, codes::NCHAR, declared_bytes(Some(length), 2)),
        Type::NVarChar(length) => put_text(out, codes::NVARCHAR, declared_bytes(length, 2)),
        Type::Binary(length) => put_binary(out, codes::BINARY, declared_bytes(Some(length), 1)),
        Type::VarBinary(length) => put_binary(out, codes::VARBINARY, declared_bytes(length, 1)),
        // without a schema
        Type::Xml => out.extend([codes::XML, 0]),
        Type::Variant => {
            out.push(codes::VARIANT);
            out.extend_from_slice(&8009u32.to_le_bytes());
        }
    }
}

fn put_text(out: &mut Vec<u8>, code: u8, bytes: Option<u16>) {
    put_binary(out, code, bytes);
    out.extend_from_slice(&COLLATION);
}

/// A fixed-length type has no `max` form: a length beyond 8000 bytes goes out as the varying type.
fn put_binary(out: &mut Vec<u8>, code: u8, bytes: Option<u16>) {
    let code = match (code, bytes) {
        (codes::CHAR, None) => codes::VARCHAR,
        (codes::NCHAR, None) => codes::NVARCHAR,
        (codes::BINARY, None) => codes::VARBINARY,
        (code, _) => code,
    };
    out.push(code);
    out.extend_from_slice(&bytes.unwrap_or(MAX).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(kind: Type) -> Vec<u8> {
        let mut out = Vec::new();
        put(&mut out, kind);
        out
    }

    #[test]
    fn an_lsn_is_a_numeric_of_thirteen_bytes() {
        assert_eq!(info(Type::LSN), [0x6C, 13, 25, 0]);
    }

    #[test]
    fn texts_say_their_length_in_bytes_and_their_collation() {
        assert_eq!(info(Type::SYSNAME), [0xE7, 0, 1, 0x09, 0x04, 0xD0, 0x00, 0x34]);
        assert_eq!(info(Type::NVarChar(None))[..3], [0xE7, 0xFF, 0xFF]);
        assert_eq!(info(Type::VarChar(Some(8000)))[..3], [0xA7, 0x40, 0x1F]);
        assert_eq!(info(Type::Char(3))[..3], [0xAF, 3, 0]);
    }

    #[test]
    fn lengths_no_short_type_can_have_become_max() {
        assert_eq!(info(Type::NVarChar(Some(4001)))[..3], [0xE7, 0xFF, 0xFF]);
        assert_eq!(info(Type::NChar(u16::MAX))[..3], [0xE7, 0xFF, 0xFF]);
        assert_eq!(info(Type::VarBinary(Some(0))), [0xA5, 1, 0], "zero is no length");
    }

    #[test]
    fn times_say_their_scale_and_dates_nothing() {
        assert_eq!(info(Type::Date), [0x28]);
        assert_eq!(info(Type::DateTime2 { scale: 7 }), [0x2A, 7]);
        assert_eq!(info(Type::DateTime), [0x6F, 8]);
        assert_eq!(info(Type::SmallDateTime), [0x6F, 4]);
        assert_eq!(info(Type::UniqueIdentifier), [0x24, 16]);
    }
}
