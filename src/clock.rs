//! Time as an argument: clocks, stamps, durations written the way people write them.
//!
//! The only module that reads the system clock. It does not know what a drill is.

use std::sync::OnceLock;
use std::time::Instant;

use chrono::{DateTime, SecondsFormat, SubsecRound as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// When something happened: drill time, and milliseconds since this process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Drill time, UTC.
    pub at: DateTime<Utc>,
    /// Real milliseconds since the writing process started; restarts at a resume.
    pub mono_ms: u64,
}

/// A source of drill time.
pub trait Clock: Send + Sync {
    /// The drill's time now.
    fn now(&self) -> DateTime<Utc>;
    /// Real milliseconds since some fixed moment of this process.
    fn mono_ms(&self) -> u64;
    /// How many drill seconds pass in a real one.
    fn speed(&self) -> f64 {
        1.0
    }
    /// Both at once, to the millisecond that records keep.
    fn stamp(&self) -> Stamp {
        Stamp { at: self.now().trunc_subsecs(3), mono_ms: self.mono_ms() }
    }
    /// Real milliseconds until drill time `at` (0 when it has passed).
    fn real_ms_until(&self, at: DateTime<Utc>) -> u64 {
        let drill_ms = (at - self.now()).num_milliseconds().max(0) as f64;
        (drill_ms / self.speed()).ceil() as u64
    }
}

/// The one drill clock: `origin` at real time `since`, running `speed` times as fast from there.
///
/// Drill and sandbox share the three numbers, so they agree on the time without talking,
/// also after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct DrillClock {
    /// Drill time at `since`.
    pub origin: DateTime<Utc>,
    /// Real time at which drill time was `origin`.
    pub since: DateTime<Utc>,
    /// Drill seconds per real second; 1 outside rehearsals.
    pub speed: f64,
}

impl DrillClock {
    /// A clock that starts at the real time and runs `speed` times as fast.
    pub fn starting_now(speed: f64) -> Self {
        let now = system_now();
        Self { origin: now, since: now, speed }
    }

    /// The same from another drill time on.
    #[must_use]
    pub const fn showing(self, origin: DateTime<Utc>) -> Self {
        Self { origin, ..self }
    }

    /// Drill time at a real time.
    pub fn at_real(&self, real: DateTime<Utc>) -> DateTime<Utc> {
        let real_ms = (real - self.since).num_milliseconds() as f64;
        self.origin + TimeDelta::milliseconds((real_ms * self.speed) as i64)
    }
}

impl Clock for DrillClock {
    fn now(&self) -> DateTime<Utc> {
        self.at_real(system_now())
    }
    fn mono_ms(&self) -> u64 {
        mono_ms()
    }
    fn speed(&self) -> f64 {
        self.speed
    }
}

/// A clock for tests: stands still until told.
#[derive(Debug, Default)]
pub struct FixedClock {
    ms: std::sync::atomic::AtomicI64,
}

impl FixedClock {
    /// Standing at `at`.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self { ms: at.timestamp_millis().into() }
    }
    /// Moves on by `ms` milliseconds.
    pub fn advance_ms(&self, ms: i64) {
        self.ms.fetch_add(ms, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.ms.load(std::sync::atomic::Ordering::SeqCst)).unwrap_or_default()
    }
    fn mono_ms(&self) -> u64 {
        self.ms.load(std::sync::atomic::Ordering::SeqCst).max(0) as u64
    }
}

/// The real time now. Outside this module only shells and the sandbox's start ask for it.
pub fn system_now() -> DateTime<Utc> {
    Utc::now()
}

/// This computer's offset from UTC now, minutes.
pub fn local_offset_minutes() -> i32 {
    chrono::Local::now().offset().local_minus_utc() / 60
}

/// Real milliseconds since the first call in this process.
pub fn mono_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64
}

/// `2026-11-20T21:04:05.123Z`, the one form of a time in records and JSON.
pub fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A length of time as people write it: `90s`, `15m`, `4h`, `2d`, `1h30m`, `250ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Milliseconds.
    pub ms: i64,
}

impl Span {
    /// `s` seconds.
    pub const fn seconds(s: i64) -> Self {
        Self { ms: s * 1000 }
    }
    /// `m` minutes.
    pub const fn minutes(m: i64) -> Self {
        Self::seconds(m * 60)
    }
    /// From a chrono difference.
    pub fn from_delta(d: TimeDelta) -> Self {
        Self { ms: d.num_milliseconds() }
    }
    /// As a chrono difference.
    pub fn delta(self) -> TimeDelta {
        TimeDelta::milliseconds(self.ms)
    }
    /// `01:42:10`, hours growing past two digits; a leading `-` when negative.
    pub fn clock_face(self) -> String {
        let s = self.ms.abs() / 1000;
        let sign = if self.ms < 0 { "-" } else { "" };
        format!("{sign}{:02}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
    }
}

impl std::str::FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a length of time; write it like 90s, 15m, 4h, 2d or 1h30m");
        let mut rest = text.trim();
        let mut ms: i64 = 0;
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
            let tail = &rest[digits..];
            let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_lowercase()).len();
            let unit = match &tail[..letters] {
                "ms" => 1,
                "s" => 1000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return Err(wrong()),
            };
            ms = number.checked_mul(unit).and_then(|n| n.checked_add(ms)).ok_or_else(wrong)?;
            rest = &tail[letters..];
        }
        Ok(Self { ms })
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.ms < 0 {
            f.write_str("-")?;
        }
        let mut left = self.ms.abs();
        if left == 0 {
            return f.write_str("0s");
        }
        for (unit, ms) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
            if left >= ms {
                write!(f, "{}{unit}", left / ms)?;
                left %= ms;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "examples": ["15m", "1h30m"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_write_the_way_people_do() {
        for text in ["90s", "15m", "1h30m", "2d", "250ms", "0s"] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span, span.to_string().parse().unwrap(), "{text}");
        }
        assert_eq!("1h30m".parse::<Span>().unwrap(), Span::minutes(90));
        assert_eq!(Span::seconds(90).to_string(), "1m30s");
        for wrong in ["", "15", "m", "1x", "99999999999999999d", "-5m"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn drill_time_runs_at_its_speed() {
        let since = DateTime::from_timestamp_millis(1_000_000).unwrap();
        let clock = DrillClock { origin: since, since, speed: 60.0 };
        assert_eq!(clock.at_real(since + TimeDelta::seconds(2)), since + TimeDelta::minutes(2));
    }
}
