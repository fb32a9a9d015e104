//! What a running statement tells its client, part by part.
//!
//! Does not know TDS tokens; `tds` turns parts into bytes.

use super::value::{Column, Type, Value};

/// A message with a number, as in `sys.messages`: an error from class 11 up, information below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// As in `sys.messages`; 50000 and up are made by people.
    pub number: i32,
    /// Tells causes of one number apart.
    pub state: u8,
    /// Severity, 0 to 25.
    pub class: u8,
    /// In English.
    pub text: String,
    /// Empty outside procedures.
    pub procedure: String,
    /// Line within the batch, 1-based; 0 when unknown.
    pub line: i32,
}

impl Message {
    /// An error of class 16, state 1.
    pub fn error(number: i32, text: impl Into<String>) -> Self {
        Self { number, state: 1, class: 16, text: text.into(), procedure: String::new(), line: 1 }
    }
    /// The refusal of everything the sandbox does not model: 59999 `not modelled: <what>`.
    pub fn not_modelled(what: impl std::fmt::Display) -> Self {
        Self::error(59999, format!("not modelled: {what}"))
    }
}

/// One part of an answer, in the order it is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A result set begins.
    Columns(Vec<Column>),
    /// One of its rows.
    Row(Vec<Value>),
    /// A statement ended; `rows` when it has a count (not under NOCOUNT).
    Done {
        /// Rows returned or changed.
        rows: Option<u64>,
    },
    /// INFO token (PRINT, RAISERROR up to 10, 5701, 3211 …).
    Info(Message),
    /// ERROR token.
    Error(Message),
    /// The session's database changed, old and new name.
    Database {
        /// Where it was.
        old: String,
        /// Where it is now.
        new: String,
    },
    /// A transaction began, with its 8-byte id.
    Begun(u64),
    /// A transaction ended.
    Ended {
        /// Its id.
        id: u64,
        /// Or else rolled back.
        committed: bool,
    },
    /// A procedure's return status.
    Status(i32),
    /// An output parameter.
    Output {
        /// With its `@`.
        name: String,
        /// Its declared type.
        kind: Type,
        /// What it holds at the end.
        value: Value,
    },
}

/// The client is gone or has sent an attention: stop working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// Takes the parts of an answer.
pub trait Sink {
    /// Hands one part over; `Err` when nobody wants the rest.
    fn put(&mut self, part: Part) -> Result<(), Stopped>;
    /// Whether an attention came; asked at least once per row and statement.
    fn stopped(&self) -> bool;
}

/// A sink that keeps everything; for tests and for procedures that capture a result.
#[derive(Debug, Default)]
pub struct Kept(pub Vec<Part>);

impl Sink for Kept {
    fn put(&mut self, part: Part) -> Result<(), Stopped> {
        self.0.push(part);
        Ok(())
    }
    fn stopped(&self) -> bool {
        false
    }
}

/// Who logs in, as LOGIN7 says it.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// SQL login.
    pub user: String,
    /// In clear text, as LOGIN7 lets it be read.
    pub password: String,
    /// Initial database; empty = the login's default (master).
    pub database: String,
    /// `APP_NAME()`.
    pub application: String,
    /// `HOST_NAME()`.
    pub workstation: String,
    /// `ApplicationIntent=ReadOnly`.
    pub read_intent: bool,
    /// Everything after the login is encrypted, too.
    pub encrypted: bool,
}

/// How a server behaves before a login is even read (faults act here).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Door {
    /// Answers.
    #[default]
    Open,
    /// Connections are refused.
    Refused,
    /// Connections are accepted and nothing is ever said.
    Silent,
}

/// One simulated server, as the wire sees it. Implemented by `tsql`'s session layer over a [`super::host::Host`].
pub trait Server: Send + Sync + 'static {
    /// `SERVERPROPERTY('ServerName')`.
    fn name(&self) -> String;
    /// Product version: major, minor, build (for PRELOGIN and LOGINACK).
    fn version(&self) -> (u8, u8, u16);
    /// What happens at the door now; may change while running.
    fn door(&self) -> Door;
    /// How often all connections were cut; when it changes, those that are open are cut.
    fn cuts(&self) -> u64 {
        0
    }
    /// Lets a login in, or says why not (18456 class 14; 4060 then 18456).
    fn login(&self, login: &Login) -> Result<Box<dyn Conversation>, Vec<Message>>;
}

/// A parameter of an RPC.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// With its `@`; empty when positional.
    pub name: String,
    /// Its declared type.
    pub kind: Type,
    /// What it is given.
    pub value: Value,
    /// Whether its value at the end is wanted back.
    pub output: bool,
}

/// One session. Calls block and may take long; the wire runs them off its I/O threads.
pub trait Conversation: Send {
    /// `@@SPID`.
    fn session_id(&self) -> i16;
    /// The database the session is in.
    fn database(&self) -> String;
    /// Runs a SQL batch.
    fn batch(&mut self, sql: &str, sink: &mut dyn Sink);
    /// Calls a procedure by name (`sp_executesql` for ProcID 10, and so on).
    fn rpc(&mut self, procedure: &str, parameters: &[Parameter], sink: &mut dyn Sink);
    /// TM request: begin.
    fn begin(&mut self, sink: &mut dyn Sink);
    /// TM request: commit.
    fn commit(&mut self, sink: &mut dyn Sink);
    /// TM request: rollback.
    fn rollback(&mut self, sink: &mut dyn Sink);
    /// RESETCONNECTION: back to a fresh session state.
    fn reset(&mut self);
}
