//! What the T-SQL evaluator asks of the world: one simulated server of it.
//!
//! Every call takes the session's context; the world decides by it what is visible.
//! The evaluator works on snapshots: it binds against columns, then asks in one call for the rows of everything a
//! statement reads, only with the columns it uses; a change goes back in one call.

use std::sync::Arc;

pub mod availability;
pub mod security;

use chrono::{DateTime, Utc};

use super::answer::{Login, Message, Sink};
use super::value::{Column, Table, Value};

/// Who is asking, from where.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// `@@SPID`.
    pub session_id: i16,
    /// `SUSER_SNAME()`.
    pub login: String,
    /// `APP_NAME()`.
    pub application: String,
    /// `HOST_NAME()`.
    pub workstation: String,
    /// The session's current database.
    pub database: String,
    /// Whether the login may do everything.
    pub sysadmin: bool,
    /// The login said `ApplicationIntent=ReadOnly`.
    pub read_intent: bool,
}

/// A name as written, resolved to three parts: `database` is the session's own when not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// First part.
    pub database: String,
    /// Lower-case `sys`, `dbo`, …; `dbo` when not written (the world also finds `sys` views for it as SQL Server does).
    pub schema: String,
    /// Last part.
    pub name: String,
}

/// A table or view whose rows are wanted, with the places of the columns that are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// As [`Host::columns`] was asked.
    pub name: ObjectName,
    /// Places in what [`Host::columns`] answered; in the order the rows shall have.
    pub wanted: Vec<usize>,
    /// How the table is locked while, or longer than, it is read.
    pub lock: Lock,
    /// Does not wait for the lock, whatever the session's patience.
    pub at_once: bool,
}

/// How a read locks a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Lock {
    /// NOLOCK: sees what others have not committed.
    None,
    /// While it is read.
    #[default]
    Shared,
    /// Against writers until the transaction ends.
    Held,
    /// Against everybody until the statement ends, and until the transaction does when it changed something.
    Exclusive,
    /// Against everybody until the transaction ends.
    Claimed,
}

/// How long a call waits for the locks of others.
#[derive(Clone, Copy)]
pub struct Patience<'a> {
    /// Whether the client still wants the answer.
    pub stopped: &'a dyn Fn() -> bool,
    /// SET LOCK_TIMEOUT in milliseconds; negative = for ever.
    pub lock_timeout: i64,
    /// SET DEADLOCK_PRIORITY
    pub priority: i64,
}

impl Patience<'static> {
    /// Waits for nobody.
    pub const NONE: Self = Self { stopped: &|| false, lock_timeout: 0, priority: 0 };
}

impl std::fmt::Debug for Patience<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Patience").field("lock_timeout", &self.lock_timeout).finish_non_exhaustive()
    }
}

/// The rows of a [`Scan`].
#[derive(Debug, Clone)]
pub enum Scanned {
    /// Made for the asker: only the wanted columns, in the wanted order.
    Made(Vec<Vec<Value>>),
    /// A stored table as it is now, whole and shared: the asker takes the columns it wants.
    Stored(Arc<Table>),
}

impl Scanned {
    /// The rows with the wanted columns in the wanted order.
    pub fn into_rows(self, wanted: &[usize]) -> Vec<Vec<Value>> {
        match self {
            Self::Made(rows) => rows,
            Self::Stored(table) => {
                let pick = |row: &Vec<Value>| wanted.iter().map(|n| row[*n].clone()).collect();
                table.rows.iter().map(pick).collect()
            }
        }
    }
}

/// A change to a stored table, in terms of the snapshot the evaluator was given.
#[derive(Debug, Clone)]
pub enum Change {
    /// Whole rows in column order.
    Insert(Vec<Vec<Value>>),
    /// (row index in the snapshot, whole new row).
    Update(Vec<(usize, Vec<Value>)>),
    /// Row indices in the snapshot.
    Delete(Vec<usize>),
}

/// How a transaction begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Begin {
    /// As written.
    pub name: Option<String>,
    /// `BEGIN DISTRIBUTED TRANSACTION`.
    pub distributed: bool,
}

/// A statement about whole databases; the evaluator parses it, the world carries it out.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `RESTORE HEADERONLY | FILELISTONLY | LABELONLY | VERIFYONLY FROM DISK = …`
    RestoreInfo {
        /// Which of them.
        what: RestoreInfo,
        /// Devices, in order.
        disks: Vec<Device>,
        /// WITH.
        options: Vec<DiskOption>,
    },
    /// `RESTORE DATABASE | LOG name [FROM DISK = … [, …]] WITH …`
    Restore {
        /// LOG rather than DATABASE.
        log: bool,
        /// What is restored; it need not be there yet.
        database: String,
        /// Devices, in order; none to recover what was restored.
        disks: Vec<Device>,
        /// WITH.
        options: Vec<DiskOption>,
    },
    /// `BACKUP DATABASE | LOG name TO DISK = … WITH …`
    Backup {
        /// LOG rather than DATABASE.
        log: bool,
        /// What is backed up.
        database: String,
        /// Devices, in order.
        disks: Vec<Device>,
        /// WITH.
        options: Vec<DiskOption>,
    },
    /// `KILL session`
    Kill(i64),
    /// `KILL session WITH STATUSONLY`
    KillStatus(i64),
    /// `KILL 'unit of work' …`
    KillUnit {
        /// As written.
        uow: String,
        /// What stands behind WITH.
        how: KillHow,
    },
    /// `ALTER DATABASE name SET …`, options as written.
    AlterDatabase {
        /// Which database.
        database: String,
        /// What stands after SET.
        set: String,
    },
    /// `ALTER DATABASE name MODIFY …`, `ADD …`, `REMOVE …`
    ChangeDatabase {
        /// Which database.
        database: String,
        /// What changes.
        change: DatabaseChange,
    },
    /// `CREATE DATABASE name …`
    CreateDatabase {
        /// Its name.
        name: String,
        /// Its files as written; those left out are the server's to choose.
        files: Vec<FileSpec>,
        /// COLLATE.
        collation: Option<String>,
    },
    /// `DROP DATABASE name`
    DropDatabase(String),
    /// Principals, permissions, RECONFIGURE.
    Security(security::Security),
    /// Availability groups and mirroring.
    Availability(availability::Availability),
    /// `DROP DATABASE [IF EXISTS] name, …`
    DropDatabases {
        /// In the order written.
        names: Vec<String>,
        /// IF EXISTS.
        if_exists: bool,
    },
    /// `ALTER AUTHORIZATION ON DATABASE::name TO login`
    SetOwner {
        /// Which database.
        database: String,
        /// The login.
        owner: String,
    },
    /// DBCC of another kind than CHECKDB.
    Dbcc {
        /// Its name in capitals.
        what: String,
        /// What stands in brackets.
        arguments: Vec<Value>,
        /// WITH, in capitals.
        options: Vec<String>,
    },
    /// `DBCC CHECKDB (name) WITH …`
    CheckDb {
        /// Which database.
        database: String,
        /// WITH, in capitals.
        options: Vec<String>,
    },
}

/// Where a backup is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    /// `DISK = path`
    Disk(String),
    /// A name of `sys.backup_devices`.
    Logical(String),
}

impl From<&str> for Device {
    fn from(path: &str) -> Self {
        Self::Disk(path.to_owned())
    }
}

impl From<String> for Device {
    fn from(path: String) -> Self {
        Self::Disk(path)
    }
}

/// A change to a database's files or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseChange {
    /// MODIFY NAME
    Rename(String),
    /// ADD FILE, ADD LOG FILE
    AddFiles(Vec<FileSpec>),
    /// REMOVE FILE
    RemoveFile(String),
    /// MODIFY FILE
    ModifyFile(FileSpec),
    /// ADD FILEGROUP
    AddFilegroup(String),
    /// REMOVE FILEGROUP
    RemoveFilegroup(String),
}

/// A file of a database as a statement describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSpec {
    /// NAME, the logical one.
    pub name: String,
    /// NEWNAME
    pub new_name: Option<String>,
    /// FILENAME
    pub path: Option<String>,
    /// SIZE
    pub size_kb: Option<i64>,
    /// MAXSIZE; -1 = UNLIMITED.
    pub max_kb: Option<i64>,
    /// FILEGROWTH in kilobytes, or in percent (`true`).
    pub growth: Option<(i64, bool)>,
    /// Of the log.
    pub log: bool,
    /// None = PRIMARY.
    pub filegroup: Option<String>,
}

/// What becomes of a unit of work that is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillHow {
    /// Nothing was said.
    Plain,
    /// WITH COMMIT
    Commit,
    /// WITH ROLLBACK
    Rollback,
    /// WITH STATUSONLY: nothing, only how far it is.
    StatusOnly,
}

/// The information statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreInfo {
    /// The backup sets of a medium.
    HeaderOnly,
    /// The files of the database in a set.
    FileListOnly,
    /// The medium itself.
    LabelOnly,
    /// Whether it can be read.
    VerifyOnly,
}

/// One option of WITH: its name in capitals (`STOPATMARK`, `NORECOVERY`), and its value if it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct DiskOption {
    /// In capitals.
    pub name: String,
    /// What stands after it.
    pub value: Option<Value>,
    /// MOVE 'logical' TO 'physical': the second text.
    pub to: Option<String>,
}

/// What a user's CREATE makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ModuleKind {
    /// CREATE TABLE.
    Table,
    /// CREATE VIEW.
    View,
    /// CREATE PROCEDURE.
    Procedure,
}

/// An object as its CREATE was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Module {
    /// What it is.
    pub kind: ModuleKind,
    /// The whole statement.
    pub text: String,
}

/// What becomes of a user's object.
#[derive(Debug, Clone)]
pub enum Define {
    /// A table with its columns.
    Table(Vec<Column>, String),
    /// A view or procedure; whether one of that name is replaced.
    Module(Module, bool),
    /// Away with it.
    Drop(ModuleKind),
}

/// How the server feels just now (faults act here).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mood {
    /// SELECTs over tables come back with no rows.
    pub empty_answers: bool,
    /// Real milliseconds each batch or RPC waits before it starts.
    pub delay_ms: u64,
}

/// A result that can end in an error message.
pub type Outcome<T> = Result<T, Message>;

/// One simulated server as the evaluator sees it. `None` = there is no such thing here.
pub trait Host: Send + Sync + 'static {
    /// `SERVERPROPERTY('ServerName')`.
    fn name(&self) -> String;
    /// Product version: major, minor, build; 11 = 2012 … 16 = 2022, 17 = 2025.
    fn version(&self) -> (u8, u8, u16);
    /// The text of `@@VERSION`: the product line, then that it is simulated.
    fn banner(&self) -> String;
    /// The door of [`super::answer::Server`].
    fn door(&self) -> super::answer::Door;
    /// How it feels.
    fn mood(&self) -> Mood;
    /// How often all connections were cut; when it changes they are cut again.
    fn cuts(&self) -> u64 {
        0
    }
    /// A batch or call of a session begins; `false` = its connection is cut, nobody hears of it.
    fn begins(&self, _context: &Context) -> bool {
        true
    }
    /// The server's clock, UTC; moves the world on to the drill clock.
    fn now(&self) -> DateTime<Utc>;
    /// WAITFOR: true when the world has let that much time pass itself, false when the caller is to wait.
    fn pass(&self, _ms: u64) -> bool {
        false
    }
    /// The server's offset from UTC in minutes.
    fn utc_offset_minutes(&self) -> i16;
    /// Whether text compares with case (server collation).
    fn case_sensitive(&self) -> bool;
    /// Checks a login; `Ok` = the context of the new session.
    fn login(&self, login: &Login, session_id: i16) -> Result<Context, Vec<Message>>;
    /// The session ended.
    fn logout(&self, context: &Context);
    /// The session moved to another database, or runs or ended a statement (for sys.dm_exec_*).
    fn activity(&self, context: &Context, command: Option<&str>);
    /// The session sent this batch (for sys.dm_exec_sql_text, DBCC INPUTBUFFER).
    fn sent(&self, _context: &Context, _sql: &str) {}
    /// May the session use this database now? 911 no such database, 927 restoring, 916 no right.
    fn enter(&self, context: &Context, database: &str) -> Outcome<()>;
    /// The columns of a table or view; errors of rights come from here.
    fn columns(&self, context: &Context, name: &ObjectName) -> Outcome<Option<Vec<Column>>>;
    /// The rows of some tables and views at one moment, in the order asked.
    fn scan(&self, context: &Context, scans: &[Scan], patience: Patience<'_>) -> Outcome<Vec<Scanned>>;
    /// A table or view, whole, whoever has changed it.
    fn table(&self, context: &Context, name: &ObjectName) -> Outcome<Option<Table>> {
        let Some(columns) = self.columns(context, name)? else { return Ok(None) };
        let wanted: Vec<usize> = (0..columns.len()).collect();
        let scan = Scan { name: name.clone(), wanted: wanted.clone(), lock: Lock::None, at_once: true };
        let rows = self.scan(context, &[scan], Patience::NONE)?.pop().map(|s| s.into_rows(&wanted));
        Ok(Some(Table { columns, rows: rows.unwrap_or_default() }))
    }
    /// What a user's CREATE made, as it was written.
    fn module(&self, _context: &Context, _name: &ObjectName) -> Outcome<Option<Module>> {
        Ok(None)
    }
    /// Makes, replaces or drops what a user's CREATE makes.
    fn define(&self, _context: &Context, _name: &ObjectName, _what: Define) -> Outcome<()> {
        Err(Message::not_modelled("CREATE and DROP of permanent objects"))
    }
    /// A linked server, and who the session is there; 15281, 18456, 7416 … when it cannot be reached.
    fn linked(&self, _context: &Context, name: &str) -> Outcome<Option<(std::sync::Arc<dyn Host>, Context)>> {
        Err(Message::not_modelled(format_args!("linked server {name}")))
    }
    /// Begins the session's transaction; its 8-byte descriptor.
    fn begin(&self, context: &Context, begin: &Begin) -> Outcome<u64>;
    /// Gives the session's transaction a mark; false when it has one.
    fn mark(&self, context: &Context, name: &str, description: &str) -> Outcome<bool>;
    /// The session's transaction is nested so deep: its `@@TRANCOUNT`.
    fn nested(&self, _context: &Context, _depth: i32) {}
    /// Sets a savepoint in the session's transaction.
    fn save(&self, context: &Context, name: &str) -> Outcome<()>;
    /// Undoes what came behind the newest savepoint of that name; false when there is none.
    fn roll_back_to(&self, context: &Context, name: &str) -> Outcome<bool>;
    /// Commits the session's transaction, in every database it changed.
    fn commit(&self, context: &Context) -> Outcome<()>;
    /// Undoes the session's transaction, if it has one.
    fn roll_back(&self, context: &Context) -> Outcome<()>;
    /// A change to a table that [`Host::scan`] gave: part of the session's transaction, or one of its own.
    fn change(
        &self,
        context: &Context,
        name: &ObjectName,
        change: Change,
        patience: Patience<'_>,
    ) -> Outcome<u64>;
    /// A statement that changes rows ended: locks that it alone needed go.
    fn end_statement(&self, context: &Context);
    /// Whether the session was killed: it does nothing more but say so.
    fn killed(&self, context: &Context) -> bool;
    /// A table-valued function, such as `sys.dm_os_file_exists(path)`.
    fn rowset(&self, context: &Context, name: &ObjectName, arguments: &[Value]) -> Outcome<Option<Table>>;
    /// A scalar function that needs the world: `SERVERPROPERTY`, `DB_NAME`, `OBJECT_ID`, `HAS_PERMS_BY_NAME`, `dbo.agent_datetime` …
    /// Name in capitals, two-part names as `DBO.AGENT_DATETIME`.
    fn scalar(&self, context: &Context, name: &str, arguments: &[Value]) -> Outcome<Option<Value>>;
    /// A stored procedure; arguments by name (with `@`) or position (`None`). `Ok(Some(status))` when there is one.
    /// Values of output parameters go into the sink as [`super::answer::Part::Output`], named as the argument was
    /// (`@job_id`), or `#` and its place, from 0, where it had no name.
    fn procedure(
        &self,
        context: &Context,
        name: &ObjectName,
        arguments: &[(Option<String>, Value)],
        sink: &mut dyn Sink,
    ) -> Outcome<Option<i32>>;
    /// Carries a command out; errors in the order SQL Server sends them (4305, then 3013).
    fn command(&self, context: &Context, command: &Command, sink: &mut dyn Sink) -> Result<(), Vec<Message>>;
}
