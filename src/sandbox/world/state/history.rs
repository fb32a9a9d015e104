//! What is remembered about backups and restores, and what a backup set says of itself.
//!
//! Does not know the files.

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use super::{DbFile, Model};
use crate::sandbox::world::ids::{Guid, Lsn};
use crate::sandbox::world::ledger::runs;

/// What msdb remembers about backups and restores.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct History {
    /// `backup_set_id` - 1 → index into the world's sets.
    #[serde(with = "runs")]
    pub(crate) backups: Vec<usize>,
    pub(crate) restores: Vec<Restored>,
    pub(crate) marks: Vec<Marked>,
}

/// A row of restorehistory.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Restored {
    pub(crate) at: NaiveDateTime,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) backup_set_id: i64,
    pub(crate) kind: char,
    pub(crate) replace: bool,
    pub(crate) recovery: bool,
    pub(crate) stop_at: Option<NaiveDateTime>,
    pub(crate) mark: Option<String>,
    pub(crate) before: bool,
    /// Where the files went, by number.
    #[serde(default)]
    pub(crate) files: Vec<(i32, String)>,
    #[serde(default)]
    pub(crate) devices: usize,
}

/// A row of logmarkhistory.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Marked {
    pub(crate) database: String,
    pub(crate) mark: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) user: String,
    pub(crate) lsn: Lsn,
    pub(crate) at: NaiveDateTime,
}

/// What a backup set says about its database; the same for many sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout {
    pub(crate) server: String,
    pub(crate) database: String,
    pub(crate) collation: String,
    pub(crate) created: NaiveDateTime,
    pub(crate) compatibility: u8,
    pub(crate) software: (u8, u8, u16),
    pub(crate) database_version: i32,
    pub(crate) offset_minutes: i16,
    pub(crate) model: Model,
    pub(crate) guid: Guid,
    pub(crate) family: Guid,
    pub(crate) role: String,
    pub(crate) files: Vec<DbFile>,
    /// Options that are not as they are made.
    #[serde(default)]
    pub(crate) options: std::collections::BTreeMap<String, i64>,
}

/// A backup set: what its header says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct Set {
    pub(crate) layout: usize,
    pub(crate) uuid: Guid,
    pub(crate) media_uuid: Guid,
    /// `D` full, `I` differential, `L` log.
    pub(crate) kind: char,
    pub(crate) path: String,
    pub(crate) position: i64,
    pub(crate) name: Option<String>,
    pub(crate) user: String,
    pub(crate) first: Lsn,
    pub(crate) last: Lsn,
    pub(crate) checkpoint: Lsn,
    pub(crate) full_checkpoint: Lsn,
    /// Local time of the server.
    pub(crate) start: NaiveDateTime,
    pub(crate) finish: NaiveDateTime,
    pub(crate) size: i64,
    pub(crate) first_fork: Guid,
    pub(crate) last_fork: Guid,
    pub(crate) fork_point: Option<Lsn>,
    pub(crate) base: Option<(Lsn, Guid)>,
    pub(crate) copy_only: bool,
    pub(crate) checksums: bool,
    pub(crate) begins_chain: bool,
    pub(crate) tail: bool,
    /// What fewer sets have to say.
    #[serde(default)]
    pub(crate) rest: Rest,
}

/// What else the header of a set says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct Rest {
    pub(crate) description: Option<String>,
    pub(crate) expires: Option<NaiveDateTime>,
    pub(crate) media_name: Option<String>,
    pub(crate) media_description: Option<String>,
    /// Every stripe with its logical name, in order; empty = the one at `path`.
    pub(crate) devices: Vec<(String, Option<String>)>,
    /// Of a stripe: which, from 1; 0 stands for 1.
    pub(crate) family: u8,
    /// Bytes written, when compressed.
    pub(crate) compressed: Option<i64>,
    /// Algorithm and the certificate's thumbprint.
    pub(crate) encryption: Option<(String, Vec<u8>)>,
    pub(crate) block_size: Option<i64>,
    /// Through the volume shadow copy service: a virtual device, no file.
    pub(crate) snapshot: bool,
    pub(crate) bulk_logged: bool,
    pub(crate) read_only: bool,
    pub(crate) single_user: bool,
    /// Written with CONTINUE_AFTER_ERROR over damage.
    pub(crate) damaged: bool,
    pub(crate) incomplete_metadata: bool,
    /// Of a log: local time at which it begins.
    pub(crate) since: Option<NaiveDateTime>,
    /// Of a log: local time of its newest commit.
    pub(crate) newest: Option<NaiveDateTime>,
    /// Pages that could not be read when it was taken.
    pub(crate) bad_pages: Vec<(i32, i64)>,
}
