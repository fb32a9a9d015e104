//! The estate as data: everything that is saved.
//!
//! Does not know what happens to it, nor who asks.

mod condition;
mod history;
mod more;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use condition::{in_restore, no_such_database};
pub(crate) use history::{History, Layout, Marked, Rest, Restored, Set};
pub(crate) use more::{BadPage, More, Suspect};

use super::agent::Agent;
use super::errorlog::ErrorLog;
use super::files::{Files, Recording};
use super::ids::{Dice, Guid, Lsn};
use super::ledger::Ledger;
use super::locks::Locks;
pub(crate) use super::log::Record;
use super::log::{Open, Tran};
use super::stored::Stored;
use super::transaction::Transactions;
use crate::clock::DrillClock;

/// The whole world.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) world: String,
    pub(crate) seed: u64,
    pub(crate) dice: Dice,
    pub(crate) clock: DrillClock,
    /// Milliseconds by which the clock was stepped on.
    #[serde(default)]
    pub(crate) ahead_ms: i64,
    /// Its speed was set while the world was served: this clock is then the one that counts.
    #[serde(default)]
    pub(crate) by_hand: bool,
    /// Everything up to here has happened.
    pub(crate) at: DateTime<Utc>,
    /// When the walk began: history lies before.
    pub(crate) opened: DateTime<Utc>,
    pub(crate) servers: Vec<Server>,
    /// Every backup set some server knows of.
    pub(crate) sets: Ledger<Set>,
    /// Where each stands among them.
    #[serde(skip)]
    pub(crate) set_of: HashMap<Guid, usize>,
    /// What sets share: the database they are of.
    pub(crate) layouts: Vec<Layout>,
    pub(crate) biztalk: Computers,
    /// Units of work that somebody coordinates.
    #[serde(default)]
    pub(crate) units: Vec<super::dtc::Unit>,
    /// Faults in force: id and server.
    pub(crate) faults: Vec<(String, String)>,
    /// Availability groups and mirroring.
    #[serde(default)]
    pub(crate) ha: super::ha::Ha,
    /// What is still to happen by the world file.
    #[serde(default)]
    pub(crate) plays: Vec<super::play::Play>,
    /// Faults that still wait for their moment.
    #[serde(default)]
    pub(crate) pending: Vec<super::trigger::Pending>,
    #[serde(skip)]
    pub(crate) files: Files,
    /// Files written while history is made, so that they need not be read back.
    #[serde(skip)]
    pub(crate) fresh: Option<HashMap<String, Arc<Vec<Recording>>>>,
    #[serde(skip)]
    pub(crate) sessions: Vec<Session>,
    /// Something was changed since the last save.
    #[serde(skip)]
    pub(crate) dirty: bool,
}

/// One instance of SQL Server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) name: String,
    /// Major, minor, build, revision.
    pub(crate) version: (u8, u8, u16, u16),
    pub(crate) edition: String,
    pub(crate) update_level: String,
    pub(crate) offset_minutes: i16,
    pub(crate) case_sensitive: bool,
    pub(crate) collation: String,
    pub(crate) role: Role,
    pub(crate) started: DateTime<Utc>,
    pub(crate) agent_account: String,
    pub(crate) engine_account: String,
    pub(crate) logins: Vec<Login>,
    pub(crate) linked: Vec<Linked>,
    /// Configuration options in use that are not as the product has them.
    pub(crate) options: BTreeMap<String, i64>,
    /// What sp_configure was told and is not in use yet.
    #[serde(default)]
    pub(crate) configured: BTreeMap<String, i64>,
    #[serde(default)]
    pub(crate) error_log: ErrorLog,
    pub(crate) volumes: Vec<Volume>,
    pub(crate) databases: Vec<Database>,
    pub(crate) msdb: History,
    pub(crate) agent: Agent,
    /// Of a destination: what it ships and from where.
    pub(crate) shipping: Option<Shipping>,
    pub(crate) trouble: Trouble,
    pub(crate) next_object_id: i32,
    /// Transactions that have not ended.
    #[serde(default)]
    pub(crate) transactions: Transactions,
    #[serde(skip)]
    pub(crate) locks: Locks,
    #[serde(default)]
    pub(crate) dtc: super::dtc::Dtc,
    #[serde(default)]
    pub(crate) certificates: Vec<Certificate>,
    /// Logical backup devices: name and path.
    #[serde(default)]
    pub(crate) backup_devices: Vec<(String, String)>,
    /// Megabytes a drill second that a backup or restore moves; None = as the sandbox has it.
    #[serde(default)]
    pub(crate) throughput: Option<i64>,
    /// msdb's suspect_pages.
    #[serde(default)]
    pub(crate) suspect_pages: Vec<Suspect>,
}

/// A certificate in master, for backup encryption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Certificate {
    pub(crate) name: String,
    pub(crate) thumbprint: Vec<u8>,
    pub(crate) from: NaiveDateTime,
    pub(crate) until: NaiveDateTime,
    pub(crate) private_key: bool,
    /// BACKUP CERTIFICATE was run.
    pub(crate) saved: Option<NaiveDateTime>,
}

/// What a server is in the estate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Source,
    Destination,
    Other,
}

/// A server principal. Without a password it cannot log in over SQL authentication.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) sid: Vec<u8>,
    /// `S` SQL login, `U` Windows login, `G` Windows group, `R` server role.
    pub(crate) kind: char,
    pub(crate) password: Option<String>,
    pub(crate) disabled: bool,
    pub(crate) sysadmin: bool,
    /// Server permissions, in capitals.
    pub(crate) grants: Vec<String>,
    /// Server permissions denied, in capitals.
    #[serde(default)]
    pub(crate) denies: Vec<String>,
    /// Server roles it is in, besides sysadmin.
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    /// Its default database; master when none was given.
    #[serde(default)]
    pub(crate) database: Option<String>,
    pub(crate) created: NaiveDateTime,
}

impl Login {
    /// Whether it is in a fixed server role.
    pub(crate) fn is_in(&self, role: &str) -> bool {
        if role.eq_ignore_ascii_case("sysadmin") {
            return self.sysadmin;
        }
        self.roles.iter().any(|r| r.eq_ignore_ascii_case(role))
    }
}

/// A linked server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Linked {
    pub(crate) name: String,
    pub(crate) data_source: String,
    pub(crate) rpc_out: bool,
    pub(crate) created: NaiveDateTime,
}

/// A disk volume: mount point, size and what is free before backups.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) mount: String,
    pub(crate) total_bytes: i64,
    pub(crate) free_bytes: i64,
}

/// What faults do to a server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "as many yes-or-no facts as there are")]
pub(crate) struct Trouble {
    pub(crate) refused: bool,
    pub(crate) silent: bool,
    pub(crate) delay_ms: u64,
    pub(crate) empty_answers: bool,
    pub(crate) wrong_password: bool,
    /// The restore job takes this long per log (drill milliseconds).
    pub(crate) restore_ms: Option<i64>,
    /// Nothing was restored in the time before the walk, from here on.
    pub(crate) paused_from: Option<DateTime<Utc>>,
    /// Files whose names contain one of these cannot be opened from here (OS error 5).
    pub(crate) denied: Vec<String>,
    /// Files whose paths begin with one of these cannot be written: the disk is full (OS error 112).
    pub(crate) full: Vec<String>,
    /// What goes wrong with jobs.
    pub(crate) jobs: Vec<super::trouble::JobTrouble>,
    /// A backup that cannot be written, for a time.
    pub(crate) unwritten: Option<super::trouble::Unwritten>,
    /// Milliseconds by which the server's clock is ahead (behind, when negative).
    pub(crate) skew_ms: i64,
    /// The machine is starting again until then.
    pub(crate) down_until: Option<DateTime<Utc>>,
    /// Databases in which somebody reads all day.
    #[serde(default)]
    pub(crate) readers: Vec<String>,
    /// How often all its connections were cut.
    pub(crate) cuts: u64,
    /// Restore To Mark fails when it comes to this database (0-based).
    pub(crate) mark_fails_at: Option<usize>,
}

/// The state column of sys.databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DbState {
    Online,
    Restoring,
    Recovering,
    RecoveryPending,
    Suspect,
    Emergency,
    Offline,
}

/// The recovery model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Model {
    Full,
    BulkLogged,
    Simple,
}

/// A database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Database {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) state: DbState,
    pub(crate) model: Model,
    pub(crate) created: NaiveDateTime,
    pub(crate) compatibility: u8,
    pub(crate) owner: String,
    pub(crate) user_access: u8,
    pub(crate) read_only: bool,
    /// `management`, `messagebox`, `tracking`, … of BizTalk; empty otherwise.
    pub(crate) role: String,
    pub(crate) guid: Guid,
    pub(crate) family: Guid,
    pub(crate) fork: Guid,
    /// The fork before the last recovery and where it happened, until a log backup tells it.
    pub(crate) forked: Option<(Guid, Lsn)>,
    pub(crate) redo: Option<Redo>,
    pub(crate) base: Option<(Lsn, Guid)>,
    pub(crate) files: Vec<DbFile>,
    pub(crate) log: Log,
    pub(crate) content: Content,
    /// Log blocks written per minute while BizTalk runs.
    pub(crate) traffic: i64,
    #[serde(default)]
    pub(crate) more: More,
}

/// Where the next roll-forward of a restoring database must start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Redo {
    pub(crate) start: Lsn,
    pub(crate) fork: Guid,
}

/// What is in a database: travels in backups.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Content {
    /// Keys in lower case.
    pub(crate) tables: BTreeMap<String, Stored>,
    pub(crate) procedures: Vec<(String, i32)>,
    pub(crate) views: Vec<(String, i32)>,
    /// What users' CREATE made, by name in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) modules: BTreeMap<String, crate::sandbox::host::Module>,
    pub(crate) users: Vec<User>,
    /// Transactions that had not ended.
    #[serde(default, skip_serializing_if = "Open::is_empty")]
    pub(crate) open: Open,
}

/// A database principal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: i32,
    pub(crate) name: String,
    pub(crate) sid: Option<Vec<u8>>,
    /// `S` `U` `G` users, `R` role.
    pub(crate) kind: char,
    /// Roles it is in, by name.
    pub(crate) roles: Vec<String>,
    pub(crate) created: NaiveDateTime,
}

/// A file of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DbFile {
    pub(crate) id: i32,
    pub(crate) guid: Guid,
    pub(crate) logical: String,
    pub(crate) physical: String,
    pub(crate) is_log: bool,
    /// 8 KB pages.
    pub(crate) pages: i64,
    #[serde(default)]
    pub(crate) limits: FileLimits,
}

/// What a file was made with beside its size; None = as files are made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileLimits {
    /// -1 = none.
    pub(crate) max_pages: Option<i64>,
    /// Pages, or percent (`true`).
    pub(crate) growth: Option<(i64, bool)>,
    /// None = PRIMARY.
    pub(crate) filegroup: Option<String>,
}

/// The log of a database.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Log {
    /// Where the next record goes.
    pub(crate) end: Lsn,
    /// Start of the next log backup; None = no chain.
    pub(crate) backed_up: Option<Lsn>,
    pub(crate) checkpoint: Lsn,
    /// Checkpoint of the newest full that is not copy-only.
    pub(crate) full_checkpoint: Lsn,
    /// No log backup was taken yet in this chain.
    pub(crate) begins: bool,
    /// Records since the last log backup.
    pub(crate) records: Vec<Record>,
    /// Transactions begun so far.
    #[serde(default)]
    pub(crate) trans: Tran,
    /// When traffic was last added.
    pub(crate) busy_until: Option<DateTime<Utc>>,
}

/// A destination of BizTalk log shipping.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Shipping {
    pub(crate) source_id: String,
    /// The server and database that hold the backup history.
    pub(crate) management_server: String,
    pub(crate) management_database: String,
    /// Only databases of this source; None = all.
    pub(crate) only_from: Option<String>,
    /// Copies of the source's jobs, as kept for Restore To Mark.
    pub(crate) jobs: Vec<super::agent::Job>,
}

/// The BizTalk computers: who runs, and which server they are connected to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Computers {
    #[allow(clippy::struct_field_names, reason = "the plural of what it holds")]
    pub(crate) computers: Vec<Computer>,
    /// Server index while they run: of the management database.
    pub(crate) connected_to: Option<usize>,
    /// The other servers of the group.
    #[serde(default)]
    pub(crate) also: Vec<usize>,
    pub(crate) since: Option<DateTime<Utc>>,
    /// When tracking moves next.
    #[serde(default)]
    pub(crate) next_beat: Option<DateTime<Utc>>,
}

/// A BizTalk computer and its connections.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Computer {
    pub(crate) name: String,
    pub(crate) login: String,
    /// (program, database role)
    pub(crate) programs: Vec<(String, String)>,
}

/// A connection that is open now; not saved.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) server: usize,
    pub(crate) id: i16,
    pub(crate) login: String,
    pub(crate) application: String,
    pub(crate) workstation: String,
    pub(crate) database: String,
    /// The database it was in first.
    pub(crate) home: String,
    pub(crate) since: DateTime<Utc>,
    pub(crate) encrypted: bool,
    pub(crate) command: Option<String>,
    /// The batch it sent last, cut to what is kept of it.
    pub(crate) text: Option<String>,
    pub(crate) last_start: DateTime<Utc>,
    pub(crate) last_end: Option<DateTime<Utc>>,
    /// A statement that takes time.
    pub(crate) doing: Option<super::agent::Doing>,
    /// KILL came: it does nothing more.
    pub(crate) killed: bool,
}

impl Server {
    /// The product year of the version.
    pub(crate) const fn year(&self) -> u16 {
        match self.version.0 {
            ..=11 => 2012,
            12 => 2014,
            13 => 2016,
            14 => 2017,
            15 => 2019,
            16 => 2022,
            _ => 2025,
        }
    }

    /// The computer's name: what stands before a backslash.
    pub(crate) fn machine(&self) -> &str {
        self.name.split('\\').next().unwrap_or(&self.name)
    }

    /// Local time of a moment, by the server's own clock.
    pub(crate) fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        self.own_clock(at).naive_utc() + TimeDelta::minutes(self.offset_minutes.into())
    }

    /// What the server's clock shows at a moment.
    pub(crate) fn own_clock(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at + TimeDelta::milliseconds(self.trouble.skew_ms)
    }

    /// The moment of a local time.
    pub(crate) fn moment(&self, local: NaiveDateTime) -> DateTime<Utc> {
        let ahead =
            TimeDelta::minutes(self.offset_minutes.into()) + TimeDelta::milliseconds(self.trouble.skew_ms);
        (local - ahead).and_utc()
    }

    /// The OLE DB provider that linked servers of this version are made with.
    pub(crate) const fn provider(&self) -> &'static str {
        if self.version.0 >= 16 { "MSOLEDBSQL" } else { "SQLNCLI" }
    }

    /// The internal version number of its databases.
    pub(crate) const fn database_version(&self) -> i32 {
        match self.version.0 {
            ..=11 => 706,
            12 => 782,
            13 => 852,
            14 => 869,
            15 => 904,
            16 => 957,
            _ => 998,
        }
    }

    /// Whether the service account may not open a file.
    pub(crate) fn denies(&self, path: &str) -> bool {
        let path = path.to_lowercase();
        self.trouble.denied.iter().any(|d| path.contains(&d.to_lowercase()))
    }

    pub(crate) fn database(&self, name: &str) -> Option<&Database> {
        self.databases.iter().find(|d| d.name.eq_ignore_ascii_case(name))
    }
    pub(crate) fn database_mut(&mut self, name: &str) -> Option<&mut Database> {
        self.databases.iter_mut().find(|d| d.name.eq_ignore_ascii_case(name))
    }
    pub(crate) fn database_index(&self, name: &str) -> Option<usize> {
        self.databases.iter().position(|d| d.name.eq_ignore_ascii_case(name))
    }

    /// A table of a database.
    pub(crate) fn table(&self, database: &str, table: &str) -> Option<&Stored> {
        self.database(database)?.content.tables.get(&table.to_lowercase())
    }

    pub(crate) fn next_object_id(&mut self) -> i32 {
        self.next_object_id += 16;
        self.next_object_id
    }
}

impl State {
    /// Whether BizTalk works against databases of a server now.
    pub(crate) fn biztalk_works_on(&self, s: usize) -> bool {
        self.biztalk.connected_to.is_some_and(|home| home == s || self.biztalk.also.contains(&s))
    }

    pub(crate) fn server_index(&self, name: &str) -> Option<usize> {
        self.servers
            .iter()
            .position(|s| s.name.eq_ignore_ascii_case(name))
            .or_else(|| self.listener_server(name))
    }

    /// The header's second half.
    pub(crate) fn layout(&self, set: &Set) -> &Layout {
        &self.layouts[set.layout]
    }
}
