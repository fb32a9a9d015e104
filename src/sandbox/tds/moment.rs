//! Days and ticks: dates and times as the wire counts them (MS-TDS 2.2.5.5.1.8).
//!
//! Does not know which type of column they belong to.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

use super::bytes::Fault;

const DAY_NANOSECONDS: u64 = 86_400 * 1_000_000_000;
/// Ticks of 1/300 s in a day.
const DAY_TICKS: u32 = 86_400 * 300;
/// 1900-01-01 counted from 0001-01-01.
const DAYS_TO_1900: i32 = 693_595;
/// 9999-12-31 counted from 0001-01-01.
const LAST_DAY: i32 = 3_652_058;

/// A moment that the column's type cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutOfRange;

/// Days since 0001-01-01.
fn day(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 1
}

fn checked_day(day: i32) -> Result<u32, OutOfRange> {
    if (0..=LAST_DAY).contains(&day) { Ok(day as u32) } else { Err(OutOfRange) }
}

/// Nanoseconds since midnight; a leap second counts as the second before it.
fn nanoseconds(time: NaiveTime) -> u64 {
    u64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + u64::from(time.nanosecond() % 1_000_000_000)
}

/// Ticks of 10^-`scale` s since midnight, and the day it was rounded into (0 or 1).
fn ticks(time: NaiveTime, scale: u8) -> (u64, i32) {
    let tick = 10u64.pow(9 - u32::from(scale.min(7)));
    let ticks = (nanoseconds(time) + tick / 2) / tick;
    if ticks * tick == DAY_NANOSECONDS { (0, 1) } else { (ticks, 0) }
}

/// Bytes of a time of this scale.
pub(super) fn time_bytes(scale: u8) -> usize {
    match scale {
        0..=2 => 3,
        3 | 4 => 4,
        _ => 5,
    }
}

/// `date`: three bytes of days.
pub(super) fn date(date: NaiveDate) -> Result<[u8; 3], OutOfRange> {
    let [a, b, c, _] = checked_day(day(date))?.to_le_bytes();
    Ok([a, b, c])
}

/// `time(scale)`; rounding past midnight wraps round, as in the server.
pub(super) fn time(time: NaiveTime, scale: u8) -> Vec<u8> {
    ticks(time, scale).0.to_le_bytes()[..time_bytes(scale)].to_vec()
}

/// `datetime2(scale)`: time, then date.
pub(super) fn datetime2(at: NaiveDateTime, scale: u8) -> Result<Vec<u8>, OutOfRange> {
    let (ticks, carried) = ticks(at.time(), scale);
    let mut out = ticks.to_le_bytes()[..time_bytes(scale)].to_vec();
    out.extend_from_slice(&checked_day(day(at.date()) + carried)?.to_le_bytes()[..3]);
    Ok(out)
}

/// `datetimeoffset(scale)`: UTC as a datetime2, then the offset in minutes.
pub(super) fn datetimeoffset(local: NaiveDateTime, minutes: i16, scale: u8) -> Result<Vec<u8>, OutOfRange> {
    if !(-840..=840).contains(&minutes) {
        return Err(OutOfRange);
    }
    let utc = local.checked_sub_signed(TimeDelta::minutes(minutes.into())).ok_or(OutOfRange)?;
    let mut out = datetime2(utc, scale)?;
    out.extend_from_slice(&minutes.to_le_bytes());
    Ok(out)
}

/// `datetime`: days since 1900 and 1/300 s, from 1753 to 9999.
pub(super) fn datetime(at: NaiveDateTime) -> Result<[u8; 8], OutOfRange> {
    let ticks = ((nanoseconds(at.time()) * 3 + 5_000_000) / 10_000_000) as u32;
    let (ticks, carried) = if ticks == DAY_TICKS { (0, 1) } else { (ticks, 0) };
    let days = day(at.date()) + carried;
    if at.year() < 1753 || days > LAST_DAY {
        return Err(OutOfRange);
    }
    let mut out = [0; 8];
    out[..4].copy_from_slice(&(days - DAYS_TO_1900).to_le_bytes());
    out[4..].copy_from_slice(&ticks.to_le_bytes());
    Ok(out)
}

/// `smalldatetime`: days since 1900 and minutes; 29.999 s and more round up.
pub(super) fn smalldatetime(at: NaiveDateTime) -> Result<[u8; 4], OutOfRange> {
    let minutes = ((nanoseconds(at.time()) + 30_001_000_000) / 60_000_000_000) as u16;
    let (minutes, carried) = if minutes == 1440 { (0, 1) } else { (minutes, 0) };
    let days = u16::try_from(day(at.date()) + carried - DAYS_TO_1900).map_err(|_| OutOfRange)?;
    let [a, b] = days.to_le_bytes();
    let [c, d] = minutes.to_le_bytes();
    Ok([a, b, c, d])
}

fn from_day(days: i64) -> Result<NaiveDate, Fault> {
    let far = Fault::Malformed("a date lies outside the years 1 to 9999");
    let count = u64::try_from(days).map_err(|_| far.clone())?;
    let date =
        NaiveDate::from_num_days_from_ce_opt(1).and_then(|first| first.checked_add_days(Days::new(count)));
    date.filter(|date| date.year() <= 9999).ok_or(far)
}

fn from_nanoseconds(nanoseconds: u64) -> Result<NaiveTime, Fault> {
    u32::try_from(nanoseconds / 1_000_000_000)
        .ok()
        .and_then(|seconds| {
            NaiveTime::from_num_seconds_from_midnight_opt(seconds, (nanoseconds % 1_000_000_000) as u32)
        })
        .ok_or(Fault::Malformed("a time lies past midnight"))
}

/// Little-endian bytes as a number; at most eight are looked at.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

/// A `date` from its three bytes.
pub(super) fn read_date(bytes: &[u8]) -> Result<NaiveDate, Fault> {
    from_day(number(bytes) as i64)
}

/// A `time(scale)`.
pub(super) fn read_time(bytes: &[u8], scale: u8) -> Result<NaiveTime, Fault> {
    let tick = 10u64.pow(9 - u32::from(scale.min(7)));
    from_nanoseconds(number(bytes).saturating_mul(tick))
}

/// A `datetime2(scale)`.
pub(super) fn read_datetime2(bytes: &[u8], scale: u8) -> Result<NaiveDateTime, Fault> {
    let (time, date) = bytes
        .len()
        .checked_sub(3)
        .and_then(|at| bytes.split_at_checked(at))
        .ok_or(Fault::Malformed("a datetime2 is shorter than its date"))?;
    Ok(read_date(date)?.and_time(read_time(time, scale)?))
}

/// A `datetimeoffset(scale)` as local time and offset in minutes.
pub(super) fn read_datetimeoffset(bytes: &[u8], scale: u8) -> Result<(NaiveDateTime, i16), Fault> {
    let (utc, offset) =
        bytes.split_last_chunk::<2>().ok_or(Fault::Malformed("a datetimeoffset has no offset"))?;
    let minutes = i16::from_le_bytes(*offset);
    if !(-840..=840).contains(&minutes) {
        return Err(Fault::Malformed("an offset is over 14 hours"));
    }
    let local = read_datetime2(utc, scale)?
        .checked_add_signed(TimeDelta::minutes(minutes.into()))
        .ok_or(Fault::Malformed("a date lies outside the years 1 to 9999"))?;
    Ok((local, minutes))
}

/// A `datetime` from days since 1900 and 1/300 s, as the milliseconds the server shows.
pub(super) fn read_datetime(bytes: [u8; 8]) -> Result<NaiveDateTime, Fault> {
    let (days, ticks) = (number(&bytes[..4]) as i32, number(&bytes[4..]));
    let milliseconds = (ticks * 10 + 1) / 3;
    let date = from_day(i64::from(days) + i64::from(DAYS_TO_1900))?;
    Ok(date.and_time(from_nanoseconds(milliseconds * 1_000_000)?))
}

/// A `smalldatetime` from days since 1900 and minutes.
pub(super) fn read_smalldatetime(bytes: [u8; 4]) -> Result<NaiveDateTime, Fault> {
    let (days, minutes) = (number(&bytes[..2]), number(&bytes[2..]));
    let date = from_day(days as i64 + i64::from(DAYS_TO_1900))?;
    Ok(date.and_time(from_nanoseconds(minutes * 60_000_000_000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_date_counts_days_from_the_year_one() {
        assert_eq!(date("0001-01-01".parse().unwrap()), Ok([0, 0, 0]));
        assert_eq!(date("9999-12-31".parse().unwrap()), Ok([0xDA, 0xB9, 0x37]));
        assert_eq!(read_date(&[0xDA, 0xB9, 0x37]), Ok("9999-12-31".parse().unwrap()));
        assert!(read_date(&[0xDB, 0xB9, 0x37]).is_err());
    }

    #[test]
    fn a_datetime_is_rounded_to_the_three_hundredth() {
        let shown = |text: &str| read_datetime(datetime(at(text)).unwrap()).unwrap();
        for (given, kept) in [
            ("2026-11-20T01:02:03.000", "2026-11-20T01:02:03.000"),
            ("2026-11-20T01:02:03.001", "2026-11-20T01:02:03.000"),
            ("2026-11-20T01:02:03.002", "2026-11-20T01:02:03.003"),
            ("2026-11-20T01:02:03.005", "2026-11-20T01:02:03.007"),
            ("2026-11-20T01:02:03.997", "2026-11-20T01:02:03.997"),
            ("2026-11-20T23:59:59.999", "2026-11-21T00:00:00.000"),
            ("1753-01-01T00:00:00", "1753-01-01T00:00:00"),
        ] {
            assert_eq!(shown(given), at(kept), "{given}");
        }
    }

    #[test]
    fn moments_a_type_cannot_hold_are_refused() {
        assert_eq!(datetime(at("1752-12-31T00:00:00")), Err(OutOfRange));
        assert_eq!(datetime(at("9999-12-31T23:59:59.999")), Err(OutOfRange));
        assert_eq!(smalldatetime(at("2079-06-07T00:00:00")), Err(OutOfRange));
        assert_eq!(smalldatetime(at("1899-12-31T00:00:00")), Err(OutOfRange));
        assert_eq!(datetimeoffset(at("0001-01-01T00:00:00"), 60, 7), Err(OutOfRange));
        assert_eq!(datetime2(at("+10000-01-01T00:00:00"), 7), Err(OutOfRange));
    }

    #[test]
    fn a_datetime2_rounds_into_the_next_day_and_a_time_wraps() {
        let late = at("2026-11-20T23:59:59.9999");
        let bytes = datetime2(late, 3).unwrap();
        assert_eq!(read_datetime2(&bytes, 3), Ok(at("2026-11-21T00:00:00")));
        assert_eq!(time(late.time(), 0), [0, 0, 0]);
    }

    #[test]
    fn every_scale_survives_the_round_trip() {
        let given = at("2026-11-20T21:04:05.1234567");
        for scale in 0..=7u8 {
            let bytes = datetime2(given, scale).unwrap();
            assert_eq!(bytes.len(), time_bytes(scale) + 3);
            let back = read_datetime2(&bytes, scale).unwrap();
            let off = (back - given).num_nanoseconds().unwrap().unsigned_abs();
            assert!(off * 2 <= 10u64.pow(9 - u32::from(scale)), "scale {scale}: {back}");
            let bytes = datetimeoffset(given, -330, scale).unwrap();
            assert_eq!(read_datetimeoffset(&bytes, scale), Ok((back, -330)));
        }
    }

    #[test]
    fn a_smalldatetime_rounds_to_the_minute() {
        let bytes = smalldatetime(at("2026-11-20T21:04:29.998")).unwrap();
        assert_eq!(bytes[2..], 1264u16.to_le_bytes());
        let bytes = smalldatetime(at("2026-11-20T21:04:29.999")).unwrap();
        assert_eq!(bytes[2..], 1265u16.to_le_bytes());
        assert_eq!(read_smalldatetime(bytes), Ok(at("2026-11-20T21:05:00")));
    }

    #[test]
    fn times_past_midnight_and_wide_numbers_are_refused() {
        assert!(read_time(&[0xFF; 5], 7).is_err());
        assert!(read_datetime([0, 0, 0, 0, 0, 0x82, 0x8B, 0x01]).is_err(), "the tick after the last");
        assert!(read_datetime([0, 0, 0, 0, 0xFF, 0x81, 0x8B, 0x01]).is_ok(), "the last tick");
        assert!(read_datetime([0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0]).is_err());
        assert!(read_datetime([0, 0, 0, 0x80, 0, 0, 0, 0]).is_err());
        assert!(read_datetime([0xFF; 8]).is_err());
        assert!(read_datetime2(&[1], 7).is_err());
        assert!(read_datetimeoffset(&[], 7).is_err());
        assert!(read_smalldatetime([0, 0, 0xA0, 5]).is_err());
    }
}
