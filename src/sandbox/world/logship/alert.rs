//! What the alert job finds: thresholds that were passed.
//!
//! Reckons in UTC minutes, as the monitor's tables keep them; does not know who is told.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::{MONITOR_PRIMARY, MONITOR_SECONDARY, Record, moment, number, word};
use crate::sandbox::answer::Message;
use crate::sandbox::world::state::State;

/// Whole minutes since a time.
pub(crate) fn minutes_since(then: NaiveDateTime, now: DateTime<Utc>) -> i64 {
    (now.naive_utc() - then).num_seconds().max(0) / 60
}

/// A row of the monitor that is over its threshold.
pub(crate) struct Overdue(pub(crate) Message);

/// Since when a primary has taken no backup; a row without one counts from ever.
fn since(record: &Record, column: &str, now: DateTime<Utc>) -> Option<i64> {
    moment(record, column).map(|then| minutes_since(then, now))
}

/// Whether a primary's row is over its threshold, and by how much.
pub(crate) fn primary_overdue(record: &Record, now: DateTime<Utc>) -> Option<i64> {
    let passed = since(record, "last_backup_date_utc", now)?;
    (passed > number(record, "backup_threshold")).then_some(passed)
}

/// The same of a secondary's: minutes since the last restore.
pub(crate) fn secondary_overdue(record: &Record, now: DateTime<Utc>) -> Option<i64> {
    let threshold = number(record, "restore_threshold");
    let passed = since(record, "last_restored_date_utc", now)?;
    (passed > threshold || number(record, "last_restored_latency") > threshold).then_some(passed)
}

impl State {
    /// The errors that sp_check_log_shipping_monitor_alert raises on a server now.
    pub(crate) fn shipping_alerts(&self, s: usize, now: DateTime<Utc>) -> Vec<Overdue> {
        let on = |r: &Record| number(r, "threshold_alert_enabled") == 1;
        let code = |r: &Record| i32::try_from(number(r, "threshold_alert")).unwrap_or(0);
        let mut all = Vec::new();
        for r in self.shipping_rows(s, MONITOR_PRIMARY, &[]).iter().filter(|r| on(r)) {
            let Some(passed) = primary_overdue(r, now) else { continue };
            all.push(Overdue(Message::error(
                code(r),
                format!(
                    "The log shipping primary database {}.{} has backup threshold of {} minutes and has not performed a backup log operation for {passed} minutes. Check agent log and logshipping monitor information.",
                    word(r, "primary_server"),
                    word(r, "primary_database"),
                    number(r, "backup_threshold")
                ),
            )));
        }
        for r in self.shipping_rows(s, MONITOR_SECONDARY, &[]).iter().filter(|r| on(r)) {
            let Some(passed) = secondary_overdue(r, now) else { continue };
            all.push(Overdue(Message::error(
                code(r),
                format!(
                    "The log shipping secondary database {}.{} has restore threshold of {} minutes and is out of sync. No restore was performed for {passed} minutes. Restored latency is {} minutes. Check agent log and logshipping monitor information.",
                    word(r, "secondary_server"),
                    word(r, "secondary_database"),
                    number(r, "restore_threshold"),
                    number(r, "last_restored_latency")
                ),
            )));
        }
        all
    }
}
