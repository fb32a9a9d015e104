//! Sessions: the server end of a conversation over a [`Host`].
//!
//! Keeps what outlives a batch (temporary tables, options, the transaction); does not know SQL's meaning.

mod batch;
mod call;
mod change;
mod check;
mod command;
mod control;
mod cursor;
mod datatypes;
mod describe;
mod insert;
mod label;
mod message;
mod module;
mod option;
mod output;
mod raised;
mod select;
mod table;
mod transaction;
mod undeclared;

pub(super) use message::format as format_message;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI16, Ordering};

use super::super::answer::{Conversation, Door, Login, Message, Parameter, Part, Server, Sink};
use super::super::host::{Begin, Context, Host};
use super::compare::Collation;
use super::state::{Globals, LocalTable};

/// The first session id of users; those below belong to the server.
const FIRST_SESSION: i16 = 51;

/// One simulated server as the wire sees it.
pub struct Endpoint {
    host: Arc<dyn Host>,
    next: AtomicI16,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.host.name()).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// A server whose world is `host`.
    pub fn new(host: Arc<dyn Host>) -> Self {
        Self { host, next: AtomicI16::new(FIRST_SESSION) }
    }

    /// A conversation of somebody the host let in itself, such as the agent.
    pub(crate) fn converse(&self, context: Context) -> Box<dyn Conversation> {
        Box::new(Session::new(self.host.clone(), context))
    }

    fn next_session(&self) -> i16 {
        let next = |id: i16| Some(if id >= i16::MAX - 1 { FIRST_SESSION } else { id + 1 });
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(FIRST_SESSION)
    }
}

impl Server for Endpoint {
    fn name(&self) -> String {
        self.host.name()
    }
    fn version(&self) -> (u8, u8, u16) {
        self.host.version()
    }
    fn door(&self) -> Door {
        self.host.door()
    }
    fn cuts(&self) -> u64 {
        self.host.cuts()
    }
    fn login(&self, login: &Login) -> Result<Box<dyn Conversation>, Vec<Message>> {
        let mut context = self.host.login(login, self.next_session())?;
        if context.database.is_empty() {
            "master".clone_into(&mut context.database);
        }
        let wanted =
            if login.database.is_empty() { context.database.clone() } else { login.database.clone() };
        if let Err(why) = self.host.enter(&context, &wanted) {
            self.host.logout(&context);
            if why.number == 59999 {
                return Err(vec![why]);
            }
            let refused = |number, class, text| Message { class, ..Message::error(number, text) };
            return Err(vec![
                refused(
                    4060,
                    11,
                    format!("Cannot open database \"{wanted}\" requested by the login. The login failed."),
                ),
                refused(18456, 14, format!("Login failed for user '{}'.", login.user)),
            ]);
        }
        if !login.database.is_empty() {
            context.database = wanted;
        }
        self.host.activity(&context, None);
        Ok(Box::new(Session::new(self.host.clone(), context)))
    }
}

/// SET options of a session.
#[allow(clippy::struct_excessive_bools, reason = "as many switches as there are")]
#[derive(Debug, Clone)]
struct Settings {
    no_count: bool,
    xact_abort: bool,
    /// IMPLICIT_TRANSACTIONS
    implicit: bool,
    quoted_identifier: bool,
    /// SET ROWCOUNT; 0 = all.
    row_count: i64,
    parse_only: bool,
    no_exec: bool,
    fmt_only: bool,
    isolation: super::ast::Isolation,
    deadlock_priority: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            no_count: false,
            xact_abort: false,
            quoted_identifier: true,
            row_count: 0,
            parse_only: false,
            no_exec: false,
            fmt_only: false,
            implicit: false,
            isolation: super::ast::Isolation::default(),
            deadlock_priority: 0,
        }
    }
}

/// A statement kept by `sp_prepare`.
#[derive(Debug, Clone, Default)]
struct Prepared {
    declaration: String,
    text: String,
    /// A procedure kept by `sp_prepexecrpc` instead of a text.
    procedure: Option<String>,
}

/// One session.
pub(super) struct Session {
    host: Arc<dyn Host>,
    context: Context,
    /// The database to go back to at a reset.
    first_database: String,
    settings: Settings,
    globals: Globals,
    temporary: HashMap<String, LocalTable>,
    transaction: Option<transaction::Open>,
    prepared: HashMap<i32, Prepared>,
    next_prepared: i32,
    /// The table IDENTITY_INSERT is on for.
    identity_insert: Option<super::binder::Changed>,
    /// Open and declared cursors.
    cursors: HashMap<u64, cursor::Cursor>,
    /// Cursors by name that outlive the batch.
    global_cursors: HashMap<String, u64>,
    next_cursor: u64,
    /// Temporary procedures, as they were written.
    procedures: HashMap<String, String>,
}

impl Session {
    fn new(host: Arc<dyn Host>, context: Context) -> Self {
        let first_database = context.database.clone();
        Self {
            host,
            context,
            first_database,
            settings: Settings::default(),
            globals: fresh_globals(),
            temporary: HashMap::new(),
            transaction: None,
            prepared: HashMap::new(),
            next_prepared: 1,
            identity_insert: None,
            cursors: HashMap::new(),
            global_cursors: HashMap::new(),
            next_cursor: 1,
            procedures: HashMap::new(),
        }
    }

    fn collation(&self) -> Collation {
        Collation { case_sensitive: self.host.case_sensitive() }
    }

    /// Whether the session was killed; it says so, and the connection ends with that.
    fn is_killed(&self, sink: &mut dyn Sink) -> bool {
        let killed = self.host.killed(&self.context);
        if killed {
            let text = "Cannot continue the execution because the session is in the kill state.";
            let _ = sink.put(Part::Error(Message { class: 21, ..Message::error(596, text) }));
        }
        killed
    }

    /// Waits as long as the server's mood says; false when the client did not.
    fn patience(&self, sink: &mut dyn Sink) -> bool {
        if !self.host.begins(&self.context) {
            return cut(sink);
        }
        let mut left = self.host.mood().delay_ms;
        while left > 0 && !sink.stopped() {
            let slice = left.min(20);
            std::thread::sleep(std::time::Duration::from_millis(slice));
            left -= slice;
        }
        !sink.stopped()
    }
}

/// The first result of a statement on another server, for OPENQUERY.
pub(super) fn first_result(
    host: Arc<dyn Host>,
    context: Context,
    sql: &str,
) -> Result<super::super::value::Table, Message> {
    let mut session = Session::new(host, context);
    let mut kept = super::super::answer::Kept::default();
    session.run_batch(sql, &mut kept);
    let mut table: Option<super::super::value::Table> = None;
    for part in kept.0 {
        match part {
            Part::Error(message) => return Err(message),
            Part::Columns(_) if table.is_some() => break,
            Part::Columns(columns) => {
                table = Some(super::super::value::Table { columns, rows: Vec::new() });
            }
            Part::Row(row) => {
                if let Some(table) = &mut table {
                    table.rows.push(row);
                }
            }
            _ => {}
        }
    }
    table.ok_or_else(|| {
        let text = format!(
            "Cannot process the object \"{sql}\". The OLE DB provider \"MSOLEDBSQL\" indicates that either the object has no columns or the current user does not have permissions on that object."
        );
        Message::error(7357, text)
    })
}

/// Waits for the wire to cut the connection; a statement that still has a listener is told so.
fn cut(sink: &mut dyn Sink) -> bool {
    for _ in 0..100 {
        if sink.stopped() {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let text = "Cannot continue the execution because the session is in the kill state.";
    let _ = sink.put(Part::Error(Message { class: 21, ..Message::error(596, text) }));
    false
}

fn fresh_globals() -> Globals {
    Globals { lock_timeout: -1, date_first: 7, text_size: 4096, fetch_status: 0, ..Globals::default() }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut nobody = super::super::answer::Kept::default();
        let _ = self.roll_back_all(&mut nobody);
        self.host.logout(&self.context);
    }
}

impl Conversation for Session {
    fn session_id(&self) -> i16 {
        self.context.session_id
    }
    fn database(&self) -> String {
        self.context.database.clone()
    }
    fn batch(&mut self, sql: &str, sink: &mut dyn Sink) {
        self.host.sent(&self.context, sql);
        if !self.is_killed(sink) && self.patience(sink) {
            self.run_batch(sql, sink);
            self.end_request(sink);
        }
        self.host.activity(&self.context, None);
    }
    fn rpc(&mut self, procedure: &str, parameters: &[Parameter], sink: &mut dyn Sink) {
        if !self.is_killed(sink) && self.patience(sink) {
            self.run_rpc(procedure, parameters, sink);
            self.end_request(sink);
        }
        self.host.activity(&self.context, None);
    }
    fn begin(&mut self, sink: &mut dyn Sink) {
        self.report(|session, sink| session.begin_transaction(&Begin::default(), sink), sink);
    }
    fn commit(&mut self, sink: &mut dyn Sink) {
        self.report(Self::commit_transaction, sink);
    }
    fn rollback(&mut self, sink: &mut dyn Sink) {
        self.report(|session, sink| session.roll_back(None, sink), sink);
    }
    fn reset(&mut self) {
        let mut nobody = super::super::answer::Kept::default();
        let _ = self.roll_back_all(&mut nobody);
        self.settings = Settings::default();
        self.globals = fresh_globals();
        self.temporary.clear();
        self.prepared.clear();
        self.identity_insert = None;
        self.cursors.clear();
        self.global_cursors.clear();
        self.procedures.clear();
        self.context.database.clone_from(&self.first_database);
        self.host.activity(&self.context, None);
    }
}

impl Session {
    fn report(
        &mut self,
        act: impl FnOnce(&mut Self, &mut dyn Sink) -> Result<(), super::plan::Fault>,
        sink: &mut dyn Sink,
    ) {
        if self.is_killed(sink) {
            return;
        }
        if let Err(super::plan::Fault::Error(message)) = act(self, sink) {
            let _ = sink.put(Part::Error(message));
        }
    }
}
