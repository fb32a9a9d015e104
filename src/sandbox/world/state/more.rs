//! What a database remembers beside its content and log: options, the sequence of restores it is in, damage.
//!
//! Does not know what sets or reads it.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use super::super::ids::{Guid, Lsn};

/// The rest of a database's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct More {
    /// Options that are not as they are made, by their column in `sys.databases`.
    pub(crate) options: BTreeMap<String, i64>,
    /// WITH STANDBY: the undo file.
    pub(crate) standby: Option<String>,
    /// The set whose restore was broken off; nothing else can follow it.
    pub(crate) interrupted: Option<Guid>,
    /// A restore went on after damage: all that follow must as well.
    pub(crate) salvaged: bool,
    /// Internal version of what was restored, until recovery lifts it.
    pub(crate) version: Option<i32>,
    /// Local time (of the source) of the point the roll-forward has reached.
    pub(crate) reached: Option<NaiveDateTime>,
    /// Local time from which the log has not been backed up.
    pub(crate) log_since: Option<NaiveDateTime>,
    /// Minimally logged changes since the last log backup.
    pub(crate) bulk_logged: bool,
    /// Pages that cannot be read.
    pub(crate) damage: Vec<BadPage>,
    /// Data files are gone or cannot be opened, the log is there.
    pub(crate) files_lost: bool,
    /// The log is gone or cannot be read.
    pub(crate) log_lost: bool,
    /// When CHECKDB last found nothing.
    pub(crate) last_good_check: Option<NaiveDateTime>,
    /// The fork before the present one.
    pub(crate) first_fork: Option<Guid>,
    /// Where the present fork began.
    pub(crate) fork_point: Option<Lsn>,
    /// Its own identity with MS DTC; None = the server's.
    pub(crate) manager: Option<Guid>,
}

/// A damaged page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BadPage {
    pub(crate) file: i32,
    pub(crate) page: i64,
    /// The table it belongs to.
    pub(crate) table: String,
}

/// A row of suspect_pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Suspect {
    pub(crate) database: i32,
    pub(crate) file: i32,
    pub(crate) page: i64,
    /// 2 = bad checksum, 4 = restored, 5 = repaired.
    pub(crate) kind: i32,
    pub(crate) count: i32,
    pub(crate) at: NaiveDateTime,
}

/// SQL Server keeps no more of them.
const SUSPECTS: usize = 1000;

impl super::Server {
    /// Remembers a page that could not be read.
    pub(crate) fn suspect(&mut self, page: Suspect) {
        let all = &mut self.suspect_pages;
        let same = |s: &&mut Suspect| (s.database, s.file, s.page) == (page.database, page.file, page.page);
        if let Some(known) = all.iter_mut().find(same) {
            (known.kind, known.at) = (page.kind, page.at);
            known.count += 1;
        } else if all.len() < SUSPECTS {
            all.push(page);
        }
    }
}
