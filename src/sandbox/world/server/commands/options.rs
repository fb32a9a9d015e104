//! The options of BACKUP and RESTORE as asks: dates, names, what excludes what.
//!
//! Does not know the world.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::Options;
use crate::sandbox::answer::Message;
use crate::sandbox::value::Value;

/// A date and time as a literal or variable gives it.
pub(super) fn moment(value: Option<&Value>) -> Result<NaiveDateTime, Message> {
    let wrong =
        || Message::error(241, "Conversion failed when converting date and/or time from character string.");
    let Some(Value::Text(text)) = value else {
        return match value {
            Some(Value::DateTime(t)) => Ok(*t),
            Some(Value::Date(d)) => Ok(d.and_time(chrono::NaiveTime::MIN)),
            _ => Err(wrong()),
        };
    };
    let text = text.trim();
    let full = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y%m%d %H:%M:%S%.f",
        "%Y%m%d %H:%M",
        "%m/%d/%Y %H:%M:%S%.f",
        "%m/%d/%Y %H:%M",
        "%m/%d/%Y %I:%M:%S %p",
        "%m/%d/%Y %I:%M %p",
        "%b %d, %Y %I:%M %p",
        "%b %d, %Y %I:%M:%S %p",
        "%b %d %Y %I:%M%p",
        "%B %d, %Y %I:%M %p",
    ];
    let days = ["%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%b %d, %Y"];
    full.iter()
        .find_map(|f| NaiveDateTime::parse_from_str(text, f).ok())
        .or_else(|| {
            let day = days.iter().find_map(|f| NaiveDate::parse_from_str(text, f).ok())?;
            Some(day.and_time(chrono::NaiveTime::MIN))
        })
        .ok_or_else(wrong)
}

impl Options<'_> {
    /// The moment of an option, if it is there.
    pub(super) fn moment(&self, name: &str) -> Result<Option<NaiveDateTime>, Message> {
        match self.0.iter().find(|o| o.name == name) {
            Some(option) => moment(option.value.as_ref()).map(Some),
            None => Ok(None),
        }
    }

    /// EXPIREDATE or RETAINDAYS.
    pub(super) fn expires(&self, now: NaiveDateTime) -> Result<Option<NaiveDateTime>, Message> {
        if let Some(days) = self.int("RETAINDAYS") {
            return Ok((days > 0).then(|| now + TimeDelta::days(days.min(99_999))));
        }
        self.moment("EXPIREDATE")
    }

    /// An option with its opposite: yes, no, or not said.
    pub(super) fn either(&self, yes: &str, no: &str) -> Option<bool> {
        if self.has(yes) {
            Some(true)
        } else if self.has(no) {
            Some(false)
        } else {
            None
        }
    }
}
