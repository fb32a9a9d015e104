//! What the T-SQL evaluator asks of the world: one simulated server of it.
//!
//! Every call takes the session's context; the world decides by it what is visible.
//! The evaluator works on snapshots: it binds against columns, then asks in one call for the rows of everything a
//! statement reads, only with the columns it uses; a change goes back in one call.

use std::sync::Arc;

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

/// A statement about whole databases; the evaluator parses it, the world carries it out.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `RESTORE HEADERONLY | FILELISTONLY | LABELONLY | VERIFYONLY FROM DISK = …`
    RestoreInfo {
        /// Which of them.
        what: RestoreInfo,
        /// Paths, in order.
        disks: Vec<String>,
        /// WITH.
        options: Vec<DiskOption>,
    },
    /// `RESTORE DATABASE | LOG name [FROM DISK = … [, …]] WITH …`
    Restore {
        /// LOG rather than DATABASE.
        log: bool,
        /// What is restored; it need not be there yet.
        database: String,
        /// Paths, in order; none to recover what was restored.
        disks: Vec<String>,
        /// WITH.
        options: Vec<DiskOption>,
    },
    /// `BACKUP DATABASE | LOG name TO DISK = … WITH …`
    Backup {
        /// LOG rather than DATABASE.
        log: bool,
        /// What is backed up.
        database: String,
        /// Paths, in order.
        disks: Vec<String>,
        /// WITH.
        options: Vec<DiskOption>,
    },
    /// `KILL session`
    Kill(i64),
    /// `ALTER DATABASE name SET …`, options as written.
    AlterDatabase {
        /// Which database.
        database: String,
        /// What stands after SET.
        set: String,
    },
    /// `DROP DATABASE name`
    DropDatabase(String),
    /// `DBCC CHECKDB (name) WITH …`
    CheckDb {
        /// Which database.
        database: String,
        /// WITH, in capitals.
        options: Vec<String>,
    },
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
    /// The drill clock, UTC; moves the world on to it.
    fn now(&self) -> DateTime<Utc>;
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
    /// May the session use this database now? 911 no such database, 927 restoring, 916 no right.
    fn enter(&self, context: &Context, database: &str) -> Outcome<()>;
    /// The columns of a table or view; errors of rights come from here.
    fn columns(&self, context: &Context, name: &ObjectName) -> Outcome<Option<Vec<Column>>>;
    /// The rows of some tables and views at one moment, in the order asked.
    fn scan(&self, context: &Context, scans: &[Scan]) -> Outcome<Vec<Scanned>>;
    /// A table or view, whole.
    fn table(&self, context: &Context, name: &ObjectName) -> Outcome<Option<Table>> {
        let Some(columns) = self.columns(context, name)? else { return Ok(None) };
        let wanted: Vec<usize> = (0..columns.len()).collect();
        let scan = Scan { name: name.clone(), wanted: wanted.clone() };
        let rows = self.scan(context, &[scan])?.pop().map(|s| s.into_rows(&wanted));
        Ok(Some(Table { columns, rows: rows.unwrap_or_default() }))
    }
    /// A change to a table that [`Host::scan`] gave.
    fn change(&self, context: &Context, name: &ObjectName, change: Change) -> Outcome<u64>;
    /// A linked server, and who the session is there; 15281, 18456, 7416 … when it cannot be reached.
    fn linked(&self, _context: &Context, name: &str) -> Outcome<Option<(std::sync::Arc<dyn Host>, Context)>> {
        Err(Message::not_modelled(format_args!("linked server {name}")))
    }
    /// A table-valued function, such as `sys.dm_os_file_exists(path)`.
    fn rowset(&self, context: &Context, name: &ObjectName, arguments: &[Value]) -> Outcome<Option<Table>>;
    /// A scalar function that needs the world: `SERVERPROPERTY`, `DB_NAME`, `OBJECT_ID`, `HAS_PERMS_BY_NAME`, `dbo.agent_datetime` …
    /// Name in capitals, two-part names as `DBO.AGENT_DATETIME`.
    fn scalar(&self, context: &Context, name: &str, arguments: &[Value]) -> Outcome<Option<Value>>;
    /// A stored procedure; arguments by name (with `@`) or position (`None`). `Ok(Some(status))` when there is one.
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
