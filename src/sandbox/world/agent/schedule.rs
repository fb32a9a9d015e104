//! When a schedule makes a job run: every kind that sysschedules has, but the idle one.
//!
//! Reckons in the server's local time; does not know which jobs use it.

use chrono::{Datelike as _, Days, NaiveDate, NaiveDateTime, TimeDelta, Weekday};
use serde::{Deserialize, Serialize};

use crate::sandbox::world::ids::Guid;

/// `active_end_date` of a schedule without end.
pub(crate) const FOREVER: i64 = 99_991_231;
/// A schedule that does not fit any of so many days never runs (some thirty years).
const DAYS: u64 = 11_000;

/// A schedule.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Schedule {
    pub(crate) id: i64,
    pub(crate) uid: Guid,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) owner: String,
    /// 1 once, 4 daily, 8 weekly, 16 monthly, 32 monthly relative, 64 at agent start, 128 idle.
    pub(crate) freq_type: i64,
    pub(crate) freq_interval: i64,
    /// 1 at a time, 2 seconds, 4 minutes, 8 hours.
    pub(crate) subday_type: i64,
    pub(crate) subday_interval: i64,
    /// 1 first, 2 second, 4 third, 8 fourth, 16 last.
    pub(crate) relative: i64,
    /// Weeks or months between.
    pub(crate) recurrence: i64,
    /// yyyymmdd
    pub(crate) start_date: i64,
    pub(crate) end_date: i64,
    /// hhmmss
    pub(crate) start_time: i64,
    pub(crate) end_time: i64,
    pub(crate) created: NaiveDateTime,
    pub(crate) modified: NaiveDateTime,
    pub(crate) version: i64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            id: 0,
            uid: Guid::default(),
            name: String::new(),
            enabled: true,
            owner: "sa".into(),
            freq_type: 4,
            freq_interval: 1,
            subday_type: 1,
            subday_interval: 0,
            relative: 0,
            recurrence: 0,
            start_date: 20_240_503,
            end_date: FOREVER,
            start_time: 0,
            end_time: 235_959,
            created: NaiveDateTime::default(),
            modified: NaiveDateTime::default(),
            version: 1,
        }
    }
}

/// A date from `yyyymmdd`.
pub(crate) fn date(number: i64) -> Option<NaiveDate> {
    let part = |n: i64| u32::try_from(n).ok();
    NaiveDate::from_ymd_opt(
        i32::try_from(number / 10_000).ok()?,
        part(number / 100 % 100)?,
        part(number % 100)?,
    )
}

/// Seconds of the day from `hhmmss`.
const fn seconds(number: i64) -> i64 {
    number / 10_000 * 3600 + number / 100 % 100 * 60 + number % 100
}

impl Schedule {
    /// The next time after `after`, both local.
    pub(crate) fn next(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        if !self.enabled {
            return None;
        }
        let first = date(self.start_date)?;
        let last = date(self.end_date).unwrap_or(NaiveDate::MAX);
        // A window that passes midnight may still be open from the day before.
        let mut day = after.date().checked_sub_days(Days::new(1))?.max(first);
        for _ in 0..DAYS {
            if day > last {
                return None;
            }
            if self.fits(day, first)
                && let Some(at) = self.next_of_day(day, after)
            {
                return Some(at);
            }
            day = day.succ_opt()?;
        }
        None
    }

    /// The first time after `after` of the runs that begin on that day.
    fn next_of_day(&self, day: NaiveDate, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let midnight = day.and_hms_opt(0, 0, 0)?;
        let start = seconds(self.start_time);
        let every = match self.subday_type {
            2 => self.subday_interval,
            4 => self.subday_interval * 60,
            8 => self.subday_interval * 3600,
            _ => 0,
        };
        let passed = (after - midnight).num_seconds();
        let next = if passed < start {
            start
        } else if every > 0 {
            start + ((passed - start) / every + 1) * every
        } else {
            return None;
        };
        let end = seconds(self.end_time);
        let end = match every {
            0 => start,
            _ if end < start => end + 86_400,
            _ => end,
        };
        let at = midnight + TimeDelta::seconds(next);
        (next <= end && at > after).then_some(at)
    }

    /// Whether it runs on a day.
    fn fits(&self, day: NaiveDate, first: NaiveDate) -> bool {
        let every = self.recurrence.max(1);
        let months = |d: NaiveDate| i64::from(d.year()) * 12 + i64::from(d.month0());
        match self.freq_type {
            1 => day == first,
            4 => (day - first).num_days() % self.freq_interval.max(1) == 0,
            8 => {
                let sunday = |d: NaiveDate| d - Days::new(d.weekday().num_days_from_sunday().into());
                self.freq_interval >> day.weekday().num_days_from_sunday() & 1 == 1
                    && (sunday(day) - sunday(first)).num_days() / 7 % every == 0
            }
            16 => i64::from(day.day()) == self.freq_interval && (months(day) - months(first)) % every == 0,
            32 => (months(day) - months(first)) % every == 0 && self.is_relative(day),
            _ => false,
        }
    }

    /// Whether a day is the n-th of its kind in its month.
    fn is_relative(&self, day: NaiveDate) -> bool {
        let weekend = |d: NaiveDate| matches!(d.weekday(), Weekday::Sat | Weekday::Sun);
        let kind = |d: NaiveDate| match self.freq_interval {
            n @ 1..=7 => i64::from(d.weekday().num_days_from_sunday()) + 1 == n,
            8 => true,
            9 => !weekend(d),
            10 => weekend(d),
            _ => false,
        };
        if !kind(day) {
            return false;
        }
        let same = |d: &NaiveDate| d.month() == day.month() && d.year() == day.year();
        let others = |next: fn(&NaiveDate) -> Option<NaiveDate>| {
            std::iter::successors(next(&day), next).take_while(same).filter(|d| kind(*d)).count()
        };
        let before = || others(NaiveDate::pred_opt);
        match self.relative {
            1 => before() == 0,
            2 => before() == 1,
            4 => before() == 2,
            8 => before() == 3,
            16 => others(NaiveDate::succ_opt) == 0,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap()
    }

    /// The next runs after a time.
    fn runs(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
        std::iter::successors(schedule.next(t(after)), |at| schedule.next(*at))
            .take(count)
            .map(|at| at.format("%a %m-%d %H:%M:%S").to_string())
            .collect()
    }

    fn schedule(freq_type: i64, freq_interval: i64) -> Schedule {
        Schedule { freq_type, freq_interval, start_date: 20_260_301, ..Schedule::default() }
    }

    #[test]
    fn every_so_often_runs_on_the_raster_of_the_local_day() {
        let quarter = Schedule { subday_type: 4, subday_interval: 15, ..schedule(4, 1) };
        assert_eq!(runs(&quarter, "2026-03-01 10:00:00", 1), ["Sun 03-01 10:15:00"]);
        assert_eq!(
            runs(&quarter, "2026-03-01 23:40:00", 3),
            ["Sun 03-01 23:45:00", "Mon 03-02 00:00:00", "Mon 03-02 00:15:00"]
        );
        let seconds = Schedule { subday_type: 2, subday_interval: 40, ..schedule(4, 1) };
        assert_eq!(runs(&seconds, "2026-03-01 10:00:01", 2), ["Sun 03-01 10:00:40", "Sun 03-01 10:01:20"]);
        let hours = Schedule { subday_type: 8, subday_interval: 6, start_time: 13_000, ..schedule(4, 1) };
        assert_eq!(runs(&hours, "2026-03-01 19:30:00", 2), ["Mon 03-02 01:30:00", "Mon 03-02 07:30:00"]);
        assert_eq!(runs(&Schedule { enabled: false, ..quarter }, "2026-03-01 10:00:00", 1), [""; 0]);
    }

    #[test]
    fn a_window_over_midnight_stays_open_until_the_next_morning() {
        let night = Schedule {
            subday_type: 8,
            subday_interval: 2,
            start_time: 220_000,
            end_time: 30_000,
            ..schedule(4, 1)
        };
        assert_eq!(
            runs(&night, "2026-03-02 21:00:00", 4),
            ["Mon 03-02 22:00:00", "Tue 03-03 00:00:00", "Tue 03-03 02:00:00", "Tue 03-03 22:00:00"]
        );
    }

    #[test]
    fn once_daily_weekly_and_monthly_keep_their_days() {
        let at_two = |s: Schedule| Schedule { start_time: 20_000, ..s };
        assert_eq!(runs(&at_two(schedule(1, 0)), "2026-02-01 00:00:00", 2), ["Sun 03-01 02:00:00"]);
        assert_eq!(
            runs(&at_two(schedule(4, 3)), "2026-03-01 02:00:00", 2),
            ["Wed 03-04 02:00:00", "Sat 03-07 02:00:00"]
        );
        // Monday and Friday, every second week
        let weeks = at_two(Schedule { recurrence: 2, ..schedule(8, 2 + 32) });
        assert_eq!(
            runs(&weeks, "2026-03-01 00:00:00", 4),
            ["Mon 03-02 02:00:00", "Fri 03-06 02:00:00", "Mon 03-16 02:00:00", "Fri 03-20 02:00:00"]
        );
        // the 31st of every month: short months are left out
        let end = at_two(Schedule { recurrence: 1, ..schedule(16, 31) });
        assert_eq!(runs(&end, "2026-03-31 03:00:00", 2), ["Sun 05-31 02:00:00", "Fri 07-31 02:00:00"]);
        let ended = Schedule { end_date: 20_260_303, ..at_two(schedule(4, 1)) };
        assert_eq!(runs(&ended, "2026-03-02 02:00:00", 3), ["Tue 03-03 02:00:00"]);
    }

    #[test]
    fn monthly_relative_counts_days_of_a_kind() {
        let relative = |relative, interval| Schedule {
            relative,
            recurrence: 1,
            start_time: 10_000,
            ..schedule(32, interval)
        };
        let next = |r, i| runs(&relative(r, i), "2026-03-01 02:00:00", 2);
        assert_eq!(next(1, 2), ["Mon 03-02 01:00:00", "Mon 04-06 01:00:00"], "first Monday");
        assert_eq!(next(16, 6), ["Fri 03-27 01:00:00", "Fri 04-24 01:00:00"], "last Friday");
        assert_eq!(next(16, 8), ["Tue 03-31 01:00:00", "Thu 04-30 01:00:00"], "last day");
        assert_eq!(next(2, 9), ["Tue 03-03 01:00:00", "Thu 04-02 01:00:00"], "second weekday");
        assert_eq!(next(4, 10), ["Sun 03-08 01:00:00", "Sat 04-11 01:00:00"], "third weekend day");
    }

    #[test]
    fn schedules_at_agent_start_or_when_idle_have_no_next_time() {
        assert_eq!(schedule(64, 0).next(t("2026-03-01 00:00:00")), None);
        assert_eq!(schedule(128, 0).next(t("2026-03-01 00:00:00")), None);
    }
}
