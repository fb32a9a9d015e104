//! TYPE_INFO and values of parameters that come in (MS-TDS 2.2.5.4 to 2.2.5.6).
//!
//! Does not know what a parameter is for.

use super::bytes::{Fault, Reader, from_utf16};
use super::value::mixed_endian;
use super::{codepage, moment};
use crate::sandbox::value::{Type, Value};

/// The largest magnitude of a decimal, plus one.
const DECIMAL_END: u128 = 10u128.pow(38);

/// How the bytes of a value are read, beside what the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// NULL, no bytes at all.
    Nothing,
    /// Exactly so many bytes.
    Fixed(u8),
    /// One byte of length, 0 = NULL.
    Short,
    /// One byte of length, 0xFF = NULL: the string types of old.
    Old,
    /// Two bytes of length, 0xFFFF = NULL.
    Long,
    /// Partially length-prefixed chunks.
    Chunks,
    /// text, ntext, image: four bytes of length, 0xFFFFFFFF = NULL.
    Huge,
    /// sql_variant.
    Variant,
}

/// What the bytes of a value mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Nothing,
    Bit,
    Integer,
    Float,
    /// High half first, in 1/10000.
    Money,
    Decimal(u8),
    Date,
    Time(u8),
    /// Four or eight bytes since 1900.
    DateTime,
    DateTime2(u8),
    DateTimeOffset(u8),
    Guid,
    Utf16,
    CodePage([u8; 5]),
    Binary,
    Variant,
}

/// A TYPE_INFO as a client sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incoming {
    /// The nearest type the sandbox has: text, ntext and image become what replaced them.
    pub(super) kind: Type,
    form: Form,
    coding: Coding,
}

impl Incoming {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let made = |kind, form, coding| Ok(Self { kind, form, coding });
        let money = |small| if small { Type::SmallMoney } else { Type::Money };
        let wrong = Err(Fault::Malformed("a type has a length it cannot have"));
        match reader.u8()? {
            0x1F => made(Type::NVarChar(Some(1)), Form::Nothing, Coding::Nothing),
            0x30 => made(Type::TinyInt, Form::Fixed(1), Coding::Integer),
            0x32 => made(Type::Bit, Form::Fixed(1), Coding::Bit),
            0x34 => made(Type::SmallInt, Form::Fixed(2), Coding::Integer),
            0x38 => made(Type::Int, Form::Fixed(4), Coding::Integer),
            0x7F => made(Type::BigInt, Form::Fixed(8), Coding::Integer),
            0x3A => made(Type::SmallDateTime, Form::Fixed(4), Coding::DateTime),
            0x3D => made(Type::DateTime, Form::Fixed(8), Coding::DateTime),
            0x3B => made(Type::Real, Form::Fixed(4), Coding::Float),
            0x3E => made(Type::Float, Form::Fixed(8), Coding::Float),
            0x7A => made(money(true), Form::Fixed(4), Coding::Money),
            0x3C => made(money(false), Form::Fixed(8), Coding::Money),
            0x24 => match reader.u8()? {
                0 | 16 => made(Type::UniqueIdentifier, Form::Short, Coding::Guid),
                _ => wrong,
            },
            0x26 => match reader.u8()? {
                1 => made(Type::TinyInt, Form::Short, Coding::Integer),
                2 => made(Type::SmallInt, Form::Short, Coding::Integer),
                0 | 4 => made(Type::Int, Form::Short, Coding::Integer),
                8 => made(Type::BigInt, Form::Short, Coding::Integer),
                _ => wrong,
            },
            0x68 => match reader.u8()? {
                0 | 1 => made(Type::Bit, Form::Short, Coding::Bit),
                _ => wrong,
            },
            0x6D => match reader.u8()? {
                4 => made(Type::Real, Form::Short, Coding::Float),
                0 | 8 => made(Type::Float, Form::Short, Coding::Float),
                _ => wrong,
            },
            0x6E => match reader.u8()? {
                4 => made(money(true), Form::Short, Coding::Money),
                0 | 8 => made(money(false), Form::Short, Coding::Money),
                _ => wrong,
            },
            0x6F => match reader.u8()? {
                4 => made(Type::SmallDateTime, Form::Short, Coding::DateTime),
                0 | 8 => made(Type::DateTime, Form::Short, Coding::DateTime),
                _ => wrong,
            },
            0x37 | 0x3F | 0x6A | 0x6C => {
                let _bytes = reader.u8()?;
                let (precision, scale) = (reader.u8()?, reader.u8()?);
                if precision == 0 || precision > 38 || scale > precision {
                    return wrong;
                }
                made(Type::Decimal { precision, scale }, Form::Short, Coding::Decimal(scale))
            }
            0x28 => made(Type::Date, Form::Short, Coding::Date),
            0x29 => {
                let scale = time_scale(reader)?;
                made(Type::Time { scale }, Form::Short, Coding::Time(scale))
            }
            0x2A => {
                let scale = time_scale(reader)?;
                made(Type::DateTime2 { scale }, Form::Short, Coding::DateTime2(scale))
            }
            0x2B => {
                let scale = time_scale(reader)?;
                made(Type::DateTimeOffset { scale }, Form::Short, Coding::DateTimeOffset(scale))
            }
            0x2F => Self::old_text(reader, Type::Char),
            0x27 => Self::old_text(reader, |length| Type::VarChar(Some(length))),
            0x2D => made(Type::Binary(old_length(reader)?), Form::Old, Coding::Binary),
            0x25 => made(Type::VarBinary(Some(old_length(reader)?)), Form::Old, Coding::Binary),
            0xAF => Self::text(reader, |length| length.map_or(Type::VarChar(None), Type::Char)),
            0xA7 => Self::text(reader, Type::VarChar),
            0xEF => Self::unicode(reader, |length| length.map_or(Type::NVarChar(None), Type::NChar)),
            0xE7 => Self::unicode(reader, Type::NVarChar),
            0xAD => Self::binary(reader, |length| length.map_or(Type::VarBinary(None), Type::Binary)),
            0xA5 => Self::binary(reader, Type::VarBinary),
            0x23 => {
                reader.take(4)?;
                made(Type::VarChar(None), Form::Huge, Coding::CodePage(reader.array()?))
            }
            0x63 => {
                reader.take(9)?;
                made(Type::NVarChar(None), Form::Huge, Coding::Utf16)
            }
            0x22 => {
                reader.take(4)?;
                made(Type::VarBinary(None), Form::Huge, Coding::Binary)
            }
            0xF1 => {
                if reader.u8()? != 0 {
                    return Err(Fault::NotModelled("an XML parameter with a schema".into()));
                }
                made(Type::Xml, Form::Chunks, Coding::Utf16)
            }
            0x62 => {
                reader.take(4)?;
                made(Type::Variant, Form::Variant, Coding::Variant)
            }
            0xF0 => Err(Fault::NotModelled("a CLR-typed parameter".into())),
            0xF3 => Err(Fault::NotModelled("a table-valued parameter".into())),
            _ => Err(Fault::Malformed("a parameter has an unknown type")),
        }
    }

    fn text(reader: &mut Reader<'_>, kind: impl Fn(Option<u16>) -> Type) -> Result<Self, Fault> {
        let (length, form) = declared(reader)?;
        Ok(Self { kind: kind(length), form, coding: Coding::CodePage(reader.array()?) })
    }

    fn unicode(reader: &mut Reader<'_>, kind: impl Fn(Option<u16>) -> Type) -> Result<Self, Fault> {
        let (bytes, form) = declared(reader)?;
        let _collation: [u8; 5] = reader.array()?;
        Ok(Self { kind: kind(bytes.map(|bytes| (bytes / 2).max(1))), form, coding: Coding::Utf16 })
    }

    fn binary(reader: &mut Reader<'_>, kind: impl Fn(Option<u16>) -> Type) -> Result<Self, Fault> {
        let (length, form) = declared(reader)?;
        Ok(Self { kind: kind(length), form, coding: Coding::Binary })
    }

    fn old_text(reader: &mut Reader<'_>, kind: impl Fn(u16) -> Type) -> Result<Self, Fault> {
        let kind = kind(old_length(reader)?);
        Ok(Self { kind, form: Form::Old, coding: Coding::CodePage(codepage::COLLATION) })
    }

    /// A value of this type.
    pub(super) fn value(&self, reader: &mut Reader<'_>) -> Result<Value, Fault> {
        let bytes = match self.form {
            Form::Nothing => None,
            Form::Fixed(count) => Some(reader.take(count.into())?),
            Form::Short => match reader.u8()? {
                0 => None,
                count => Some(reader.take(count.into())?),
            },
            Form::Old => match reader.u8()? {
                0xFF => None,
                count => Some(reader.take(count.into())?),
            },
            Form::Long => match reader.u16()? {
                0xFFFF => None,
                count => Some(reader.take(count.into())?),
            },
            Form::Huge => match reader.u32()? {
                0xFFFF_FFFF => None,
                count => Some(reader.take(count as usize)?),
            },
            Form::Chunks => {
                return Ok(match chunks(reader)? {
                    None => Value::Null,
                    Some(bytes) => self.coding.decode(&bytes)?,
                });
            }
            Form::Variant => match reader.u32()? {
                0 => None,
                count => return variant(reader.take(count as usize)?),
            },
        };
        bytes.map_or(Ok(Value::Null), |bytes| self.coding.decode(bytes))
    }
}

fn time_scale(reader: &mut Reader<'_>) -> Result<u8, Fault> {
    match reader.u8()? {
        scale @ 0..=7 => Ok(scale),
        _ => Err(Fault::Malformed("a time has a scale over 7")),
    }
}

fn old_length(reader: &mut Reader<'_>) -> Result<u16, Fault> {
    Ok(u16::from(reader.u8()?).max(1))
}

/// The declared length in bytes and how values come with it.
fn declared(reader: &mut Reader<'_>) -> Result<(Option<u16>, Form), Fault> {
    Ok(match reader.u16()? {
        0xFFFF => (None, Form::Chunks),
        length => (Some(length.max(1)), Form::Long),
    })
}

/// A partially length-prefixed value; its total length may be unknown, so only the chunks count.
fn chunks(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, Fault> {
    if reader.u64()? == u64::MAX {
        return Ok(None);
    }
    let mut whole = Vec::new();
    loop {
        match reader.u32()? {
            0 => return Ok(Some(whole)),
            count => whole.extend_from_slice(reader.take(count as usize)?),
        }
    }
}

/// Base type, its properties, and the bare value in what remains.
fn variant(bytes: &[u8]) -> Result<Value, Fault> {
    let mut reader = Reader::new(bytes);
    let code = reader.u8()?;
    let count = reader.u8()?;
    let mut properties = Reader::new(reader.take(count.into())?);
    let coding = match code {
        0x30 | 0x34 | 0x38 | 0x7F => Coding::Integer,
        0x32 => Coding::Bit,
        0x3A | 0x3D => Coding::DateTime,
        0x3B | 0x3E => Coding::Float,
        0x3C | 0x7A => Coding::Money,
        0x24 => Coding::Guid,
        0x28 => Coding::Date,
        0x29 => Coding::Time(time_scale(&mut properties)?),
        0x2A => Coding::DateTime2(time_scale(&mut properties)?),
        0x2B => Coding::DateTimeOffset(time_scale(&mut properties)?),
        0x6A | 0x6C => {
            properties.u8()?;
            Coding::Decimal(properties.u8()?)
        }
        0xA7 | 0xAF => Coding::CodePage(properties.array()?),
        0xE7 | 0xEF => Coding::Utf16,
        0xA5 | 0xAD => Coding::Binary,
        _ => return Err(Fault::Malformed("a variant has an unknown base type")),
    };
    coding.decode(reader.rest())
}

impl Coding {
    /// The value in `bytes`, all of them.
    fn decode(self, bytes: &[u8]) -> Result<Value, Fault> {
        let wrong = || Fault::Malformed("a value has a length its type cannot have");
        Ok(match self {
            Self::Nothing => Value::Null,
            Self::Bit => match bytes {
                [bit] => Value::Bit(*bit != 0),
                _ => return Err(wrong()),
            },
            Self::Integer => Value::Int(match *bytes {
                [a] => a.into(),
                [a, b] => i16::from_le_bytes([a, b]).into(),
                [a, b, c, d] => i32::from_le_bytes([a, b, c, d]).into(),
                _ => i64::from_le_bytes(bytes.try_into().map_err(|_| wrong())?),
            }),
            Self::Float => Value::Float(match *bytes {
                [a, b, c, d] => f32::from_le_bytes([a, b, c, d]).into(),
                _ => f64::from_le_bytes(bytes.try_into().map_err(|_| wrong())?),
            }),
            Self::Money => {
                let digits = match <[u8; 4]>::try_from(bytes) {
                    Ok(small) => i32::from_le_bytes(small).into(),
                    Err(_) => {
                        u64::from_le_bytes(bytes.try_into().map_err(|_| wrong())?).rotate_left(32) as i64
                    }
                };
                Value::Decimal { digits: digits.into(), scale: 4 }
            }
            Self::Decimal(scale) => {
                let (sign, magnitude) = bytes.split_first().ok_or_else(wrong)?;
                if magnitude.len() > 16 || scale > 38 {
                    return Err(wrong());
                }
                let mut wide = [0; 16];
                wide[..magnitude.len()].copy_from_slice(magnitude);
                let magnitude = u128::from_le_bytes(wide);
                if magnitude >= DECIMAL_END {
                    return Err(Fault::Malformed("a decimal has more than 38 digits"));
                }
                let digits = if *sign == 0 { -(magnitude as i128) } else { magnitude as i128 };
                Value::Decimal { digits, scale }
            }
            Self::Date if bytes.len() == 3 => Value::Date(moment::read_date(bytes)?),
            Self::Time(scale) if bytes.len() == moment::time_bytes(scale) => {
                Value::Time(moment::read_time(bytes, scale)?)
            }
            Self::DateTime2(scale) if bytes.len() == moment::time_bytes(scale) + 3 => {
                Value::DateTime(moment::read_datetime2(bytes, scale)?)
            }
            Self::DateTimeOffset(scale) if bytes.len() == moment::time_bytes(scale) + 5 => {
                let (local, minutes) = moment::read_datetimeoffset(bytes, scale)?;
                Value::DateTimeOffset(local, minutes)
            }
            Self::DateTime => Value::DateTime(match <[u8; 4]>::try_from(bytes) {
                Ok(small) => moment::read_smalldatetime(small)?,
                Err(_) => moment::read_datetime(bytes.try_into().map_err(|_| wrong())?)?,
            }),
            Self::Guid => Value::Guid(mixed_endian(bytes.try_into().map_err(|_| wrong())?)),
            Self::Utf16 => Value::Text(from_utf16(bytes)),
            Self::CodePage(collation) => Value::Text(codepage::decode(bytes, collation)),
            Self::Binary => Value::Binary(bytes.to_vec()),
            Self::Date | Self::Time(_) | Self::DateTime2(_) | Self::DateTimeOffset(_) | Self::Variant => {
                return Err(wrong());
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::tds::{kind, value};

    fn read(bytes: &[u8]) -> Result<(Type, Value), Fault> {
        let mut reader = Reader::new(bytes);
        let incoming = Incoming::read(&mut reader)?;
        let value = incoming.value(&mut reader)?;
        assert!(reader.is_empty(), "bytes are left over");
        Ok((incoming.kind, value))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let at: chrono::NaiveDateTime = "2026-11-20T21:04:05.123".parse().unwrap();
        let cases = [
            (Type::Bit, Value::Bit(true)),
            (Type::TinyInt, Value::Int(255)),
            (Type::SmallInt, Value::Int(-300)),
            (Type::Int, Value::Int(-70_000)),
            (Type::BigInt, Value::Int(i64::MIN)),
            (Type::LSN, Value::Decimal { digits: 9_999_999_999_999_999_999_999_999, scale: 0 }),
            (Type::Decimal { precision: 38, scale: 2 }, Value::Decimal { digits: -1, scale: 2 }),
            (Type::Real, Value::Float(1.5)),
            (Type::Float, Value::Float(-0.1)),
            (Type::Date, Value::Date(at.date())),
            (Type::Time { scale: 3 }, Value::Time(at.time())),
            (Type::DateTime, Value::DateTime(at)),
            (Type::SmallDateTime, Value::DateTime("2026-11-20T21:04:00".parse().unwrap())),
            (Type::DateTime2 { scale: 7 }, Value::DateTime(at)),
            (Type::DateTimeOffset { scale: 4 }, Value::DateTimeOffset(at, -330)),
            (Type::UniqueIdentifier, Value::Guid(std::array::from_fn(|n| n as u8))),
            (Type::Char(2), Value::Text("é€".into())),
            (Type::VarChar(Some(9)), Value::Text("é".into())),
            (Type::VarChar(None), Value::Text("é".repeat(9000))),
            (Type::NChar(1), Value::Text("台".into())),
            (Type::NVarChar(Some(4)), Value::Text("台北".into())),
            (Type::NVarChar(None), Value::Text("台".repeat(9000))),
            (Type::Binary(1), Value::Binary(vec![1])),
            (Type::VarBinary(Some(3)), Value::Binary(vec![1, 2])),
            (Type::VarBinary(None), Value::Binary(vec![])),
            (Type::Variant, Value::Int(5)),
            (Type::Variant, Value::Int(5_000_000_000)),
            (Type::Variant, Value::Bit(false)),
            (Type::Variant, Value::Text("RTM".into())),
            (Type::Variant, Value::DateTime(at)),
            (Type::Variant, Value::Decimal { digits: -15, scale: 1 }),
            (Type::Variant, Value::Binary(vec![4])),
            (Type::Variant, Value::Guid([1; 16])),
            (Type::Variant, Value::DateTimeOffset(at, 60)),
        ];
        for (kind, given) in cases {
            for value in [given, Value::Null] {
                let mut bytes = Vec::new();
                kind::put(&mut bytes, kind);
                value::put(&mut bytes, kind, &value).unwrap();
                assert_eq!(read(&bytes), Ok((kind, value)));
            }
        }
    }

    #[test]
    fn a_max_text_of_unknown_length_is_read_chunk_by_chunk() {
        let mut bytes = vec![0xE7, 0xFF, 0xFF, 9, 4, 0xD0, 0, 0x34];
        bytes.extend(0xFFFF_FFFF_FFFF_FFFEu64.to_le_bytes());
        bytes.extend([2, 0, 0, 0, b'a', 0, 4, 0, 0, 0, b'b', 0, b'c', 0, 0, 0, 0, 0]);
        assert_eq!(read(&bytes), Ok((Type::NVarChar(None), Value::Text("abc".into()))));
    }

    #[test]
    fn fixed_and_old_types_are_read() {
        assert_eq!(read(&[0x38, 7, 0, 0, 0]), Ok((Type::Int, Value::Int(7))));
        assert_eq!(read(&[0x32, 1]), Ok((Type::Bit, Value::Bit(true))));
        assert_eq!(read(&[0x27, 30, 2, b'h', b'i']), Ok((Type::VarChar(Some(30)), Value::Text("hi".into()))));
        assert_eq!(read(&[0x1F]), Ok((Type::NVarChar(Some(1)), Value::Null)));
        let text = [0x23, 9, 0, 0, 0, 9, 4, 0xD0, 0, 0x34, 1, 0, 0, 0, b'x'];
        assert_eq!(read(&text), Ok((Type::VarChar(None), Value::Text("x".into()))));
    }

    #[test]
    fn money_comes_high_half_first() {
        let one = Value::Decimal { digits: 10_000, scale: 4 };
        let kind = Type::Money;
        assert_eq!(read(&[0x6E, 8, 8, 0, 0, 0, 0, 0x10, 0x27, 0, 0]), Ok((kind, one)));
        let minus = Value::Decimal { digits: -1, scale: 4 };
        let kind = Type::SmallMoney;
        assert_eq!(read(&[0x6E, 4, 4, 0xFF, 0xFF, 0xFF, 0xFF]), Ok((kind, minus)));
    }

    #[test]
    fn lengths_a_type_cannot_have_are_refused() {
        for bytes in [
            &[0x26, 3, 3, 1, 1, 1][..],
            &[0x26, 4, 3, 1, 1, 1],
            &[0x6A, 17, 39, 0, 1, 1],
            &[0x6A, 17, 5, 6, 1, 1],
            &[0x29, 8, 1, 1],
            &[0x28, 4, 1, 1, 1, 1],
            &[0x24, 16, 3, 1, 1, 1],
            &[0xFA],
            &[0x62, 0, 0, 0, 0, 1, 0, 0, 0, 0x38],
        ] {
            assert!(matches!(read(bytes), Err(Fault::Malformed(_))), "{bytes:02X?}");
        }
        let wide = [&[0x6A, 17, 38, 0, 17, 1][..], &[0xFF; 16]].concat();
        assert!(matches!(read(&wide), Err(Fault::Malformed(_))));
    }

    #[test]
    fn table_valued_and_clr_parameters_are_named_as_not_modelled() {
        assert!(matches!(read(&[0xF3]), Err(Fault::NotModelled(_))));
        assert!(matches!(read(&[0xF0]), Err(Fault::NotModelled(_))));
    }
}
