//! The stop clause: a time, a mark, or an LSN written as a mark.
//!
//! Does not roll anything forward.

use chrono::NaiveDateTime;

use super::RestoreAsk;
use super::message::{before_the_time, no_mark_here, stop_passed, stop_too_early};
use crate::sandbox::answer::Message;
use crate::sandbox::world::files::{Body, Recording};
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::log::stop::{at_mark, at_time};
use crate::sandbox::world::state::Model;

/// Where a roll-forward ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop {
    /// Records from here on are not done; None = all are.
    pub(super) place: Option<Lsn>,
    /// The place is not in this set: the database stays restoring.
    pub(super) note: Option<Message>,
    /// Local time of the source that it stands for.
    pub(super) time: Option<NaiveDateTime>,
}

/// `'lsn:15000000040000037'` or `'lsn:0xf:0x4:0x25'` or `'lsn:0000000f:00000004:0025'`.
pub(super) fn lsn_of(mark: &str) -> Option<Result<Lsn, Message>> {
    let (scheme, text) = mark.split_once(':')?;
    if !scheme.trim().eq_ignore_ascii_case("lsn") {
        return None;
    }
    let wrong = || Message::error(4334, "The named mark does not identify a valid LSN.");
    let parts: Vec<&str> = text.trim().split(':').collect();
    let hex = |part: &str| {
        let part = part.trim().trim_start_matches("0x").trim_start_matches("0X");
        i128::from_str_radix(part, 16).ok().filter(|n| (0..1 << 33).contains(n))
    };
    Some(match parts.as_slice() {
        [one] if one.len() <= 25 && !one.is_empty() && one.bytes().all(|b| b.is_ascii_digit()) => {
            one.parse().map(Lsn).map_err(|_| wrong())
        }
        [file, block, slot] => match (hex(file), hex(block), hex(slot)) {
            (Some(f), Some(b), Some(s)) => Ok(Lsn::new(f, b, s)),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    })
}

/// The stop clause over a full or differential backup.
pub(super) fn of_data(ask: &RestoreAsk, recording: &Recording) -> Result<Stop, Message> {
    let set = &recording.set;
    if let Some(mark) = &ask.mark {
        let Some(lsn) = lsn_of(mark) else {
            return Err(Message::error(
                4340,
                "The point-in-time clause of this RESTORE statement is restricted for use by RESTORE LOG statements only. Omit the clause or use a clause that includes a timestamp.",
            ));
        };
        if lsn? < set.last {
            return Err(stop_too_early());
        }
        return Ok(Stop { note: Some(no_mark_here()), ..Stop::default() });
    }
    let Some(time) = ask.stop_at else { return Ok(Stop::default()) };
    if recording.layout.model == Model::Simple {
        return Err(Message::error(
            3145,
            "The STOPAT option is not supported for databases that use the SIMPLE recovery model.",
        ));
    }
    if set.finish > time {
        return Err(stop_too_early());
    }
    let note = Some(before_the_time());
    Ok(Stop { note, ..Stop::default() })
}

/// The stop clause over a log backup, of which the database has everything before `redo`.
pub(super) fn of_log(
    ask: &RestoreAsk,
    recording: &Recording,
    redo: Lsn,
    reached: Option<NaiveDateTime>,
) -> Result<Stop, Message> {
    let set = &recording.set;
    let Ok(Body::Log(records)) = &recording.body else { return Ok(Stop::default()) };
    let offset = chrono::TimeDelta::minutes(recording.layout.offset_minutes.into());
    let asked = ask.mark.is_some() || ask.stop_at.is_some();
    let stop = match (&ask.mark, ask.stop_at) {
        (Some(mark), _) => {
            if let Some(lsn) = lsn_of(mark) {
                at_lsn(lsn?, ask.before, set.first, set.last, redo)?
            } else {
                let after = ask.mark_after.map(|t| (t - offset).and_utc());
                match at_mark(records, redo, mark, after, ask.before) {
                    Some(place) => Stop { place: Some(place), ..Stop::default() },
                    None if at_mark(records, Lsn(0), mark, after, ask.before).is_some() => {
                        return Err(stop_passed());
                    }
                    None => Stop { note: Some(no_mark_here()), ..Stop::default() },
                }
            }
        }
        (None, Some(time)) => {
            if set.rest.since.is_some_and(|since| time < since) {
                return Err(stop_too_early());
            }
            if reached.is_some_and(|r| time < r) {
                return Err(stop_passed());
            }
            if set.finish < time {
                Stop { note: Some(before_the_time()), ..Stop::default() }
            } else {
                Stop {
                    place: at_time(records, redo, (time - offset).and_utc()),
                    time: Some(time),
                    note: None,
                }
            }
        }
        (None, None) => Stop::default(),
    };
    if asked && set.rest.bulk_logged && stop.note.is_none() {
        return Err(Message::error(
            4341,
            "This log backup contains bulk-logged changes. It cannot be used to stop at an arbitrary point in time.",
        ));
    }
    Ok(stop)
}

fn at_lsn(lsn: Lsn, before: bool, first: Lsn, last: Lsn, redo: Lsn) -> Result<Stop, Message> {
    if lsn < first {
        return Err(stop_too_early());
    }
    if lsn < redo {
        return Err(stop_passed());
    }
    if lsn >= last {
        return Ok(Stop { note: Some(no_mark_here()), ..Stop::default() });
    }
    Ok(Stop { place: Some(if before { lsn } else { lsn.next() }), ..Stop::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_lsn_is_read_in_decimal_and_in_hexadecimal_parts() {
        let wanted = Lsn::new(15, 4, 37);
        for text in ["lsn:15000000000400037", "LSN: 0xf:0x4:0x25", "lsn:0000000f:00000004:0025"] {
            assert_eq!(lsn_of(text).unwrap().unwrap(), wanted, "{text}");
        }
        assert!(lsn_of("BTS_2026").is_none());
        for text in ["lsn:", "lsn:12x", "lsn:1:2", "lsn:z:1:1", "lsn:123456789012345678901234567"] {
            assert_eq!(lsn_of(text).unwrap().unwrap_err().number, 4334, "{text}");
        }
    }
}
