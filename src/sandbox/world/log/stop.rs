//! Where a roll-forward stops: a time, a mark, or a place of the log. Records from the answer on are not done.
//!
//! Does not know the messages for stops that are not found.

use chrono::{DateTime, Utc};

use super::Record;
use crate::sandbox::world::ids::Lsn;

/// STOPAT: before the first commit at or after a time; what began earlier is open then. None = no such commit.
pub(crate) fn at_time(records: &[Record], from: Lsn, time: DateTime<Utc>) -> Option<Lsn> {
    records.iter().find(|r| r.lsn >= from && r.commits() && r.at >= time).map(|r| r.lsn)
}

/// STOPATMARK and STOPBEFOREMARK (`before`): the first mark of that name, at or after a time if one is given.
pub(crate) fn at_mark(
    records: &[Record],
    from: Lsn,
    mark: &str,
    after: Option<DateTime<Utc>>,
    before: bool,
) -> Option<Lsn> {
    let fits =
        |r: &&Record| r.lsn >= from && r.mark().is_some_and(|m| m == mark) && after.is_none_or(|a| r.at >= a);
    records.iter().find(fits).map(|r| if before { r.lsn } else { r.lsn.next() })
}
