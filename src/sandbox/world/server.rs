//! One server of the world, as the evaluator asks it: the `Host` seam.
//!
//! Does not know SQL. Each call takes the world's lock once, after time has moved on.

mod access;
mod commands;
mod functions;
mod locking;
mod modules;
mod procedures;
mod transactions;
mod views;

pub(crate) use views::AGENT_SESSIONS;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Shared;
use super::columns::{Modelled, system_object};
use super::state::{Session, State};
use crate::clock::mono_ms;
use crate::sandbox::answer::{Door, Login, Message, Sink};
use crate::sandbox::host::{
    Begin, Change, Command, Context, Host, Mood, ObjectName, Outcome, Patience, Scan, Scanned,
};
use crate::sandbox::value::{Column, Table, Value};
use commands::Course;

/// Characters kept of the batch a session sent last.
const SENT: usize = 4000;

/// A server of a world.
pub(crate) struct SimulatedServer {
    shared: Arc<Shared>,
    number: usize,
}

/// A call under way: the world, which server, who asks, and when.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) s: usize,
    pub(crate) who: &'a Context,
    pub(crate) now: DateTime<Utc>,
}

/// What a name in a FROM clause stands for.
enum Object {
    /// A table with rows of its own, by its key.
    Stored(String),
    /// A view of a database, as it is now.
    View(Table),
    /// A system object by its full name.
    System(String),
}

impl SimulatedServer {
    pub(crate) const fn new(shared: Arc<Shared>, number: usize) -> Self {
        Self { shared, number }
    }

    fn call<T>(&self, who: &Context, ask: impl FnOnce(&mut Call<'_>) -> T) -> T {
        self.shared.now(|state, now| ask(&mut Call { state, s: self.number, who, now }))
    }
}

impl Host for SimulatedServer {
    fn name(&self) -> String {
        self.shared.still(|state| state.servers[self.number].name.clone())
    }

    fn version(&self) -> (u8, u8, u16) {
        self.shared.still(|state| {
            let version = state.servers[self.number].version;
            (version.0, version.1, version.2)
        })
    }

    fn banner(&self) -> String {
        self.shared.still(|state| functions::banner(&state.servers[self.number]))
    }

    fn door(&self) -> Door {
        self.shared.still(|state| {
            let now = state.time_by(&*self.shared.clock);
            let server = &state.servers[self.number];
            let trouble = &server.trouble;
            if trouble.refused || server.is_starting(now) {
                Door::Refused
            } else if trouble.silent {
                Door::Silent
            } else {
                Door::Open
            }
        })
    }

    fn mood(&self) -> Mood {
        self.shared.still(|state| {
            let trouble = &state.servers[self.number].trouble;
            Mood { empty_answers: trouble.empty_answers, delay_ms: trouble.delay_ms }
        })
    }

    fn now(&self) -> DateTime<Utc> {
        self.shared.now(|state, now| state.servers[self.number].own_clock(now))
    }

    fn cuts(&self) -> u64 {
        self.shared.still(|state| state.servers[self.number].trouble.cuts)
    }

    fn begins(&self, context: &Context) -> bool {
        self.call(context, |call| {
            let (s, before) = (call.s, call.server().trouble.cuts);
            let went = call.state.happens(s, super::Happening::Statement);
            went.is_ok() && call.server().trouble.cuts == before
        })
    }

    fn pass(&self, ms: u64) -> bool {
        self.shared.pass(ms)
    }

    fn utc_offset_minutes(&self) -> i16 {
        self.shared.still(|state| state.servers[self.number].offset_minutes)
    }

    fn case_sensitive(&self) -> bool {
        self.shared.still(|state| state.servers[self.number].case_sensitive)
    }

    fn login(&self, login: &Login, session_id: i16) -> Result<Context, Vec<Message>> {
        let nobody = Context::default();
        self.call(&nobody, |call| {
            let who = call.log_in(login, session_id)?;
            let (s, now) = (call.s, call.now);
            call.state.happens(s, super::Happening::Connection)?;
            call.state.sessions.retain(|x| x.server != s || x.id != session_id);
            call.state.sessions.push(Session {
                server: s,
                id: session_id,
                login: who.login.clone(),
                application: who.application.clone(),
                workstation: who.workstation.clone(),
                database: who.database.clone(),
                home: who.database.clone(),
                since: now,
                encrypted: login.encrypted,
                command: None,
                text: None,
                last_start: now,
                last_end: None,
                doing: None,
                killed: false,
            });
            Ok(who)
        })
    }

    fn logout(&self, context: &Context) {
        self.call(context, |call| {
            let s = call.s;
            call.roll_back(context.session_id);
            call.state.sessions.retain(|x| x.server != s || x.id != context.session_id);
        });
    }

    fn activity(&self, context: &Context, command: Option<&str>) {
        self.call(context, |call| {
            let (s, now) = (call.s, call.now);
            let session =
                call.state.sessions.iter_mut().find(|x| x.server == s && x.id == context.session_id);
            if let Some(session) = session {
                session.database.clone_from(&context.database);
                if let Some(command) = command {
                    session.command = Some(command.chars().take(32).collect());
                    session.last_start = now;
                } else {
                    session.command = None;
                    session.last_end = Some(now);
                }
            }
        });
    }

    fn sent(&self, context: &Context, sql: &str) {
        self.shared.now(|state, _| {
            let s = self.number;
            let session = state.sessions.iter_mut().find(|x| x.server == s && x.id == context.session_id);
            if let Some(session) = session {
                session.text = Some(sql.chars().take(SENT).collect());
            }
        });
    }

    fn enter(&self, context: &Context, database: &str) -> Outcome<()> {
        self.call(context, |call| call.enter(database).map(|_| ()))
    }

    fn columns(&self, context: &Context, name: &ObjectName) -> Outcome<Option<Vec<Column>>> {
        self.call(context, |call| call.columns(name))
    }

    fn scan(&self, context: &Context, scans: &[Scan], patience: Patience<'_>) -> Outcome<Vec<Scanned>> {
        self.scan_patiently(context, scans, patience)
    }

    fn begin(&self, context: &Context, begin: &Begin) -> Outcome<u64> {
        self.call(context, |call| call.begin(begin))
    }

    fn mark(&self, context: &Context, name: &str, description: &str) -> Outcome<bool> {
        self.call(context, |call| Ok(call.mark(name, description)))
    }

    fn nested(&self, context: &Context, depth: i32) {
        self.call(context, |call| {
            let session = call.who.session_id;
            let all = &mut call.server_mut().transactions.all;
            if let Some(transaction) = all.iter_mut().find(|t| t.session == Some(session)) {
                transaction.depth = depth.into();
            }
        });
    }

    fn save(&self, context: &Context, name: &str) -> Outcome<()> {
        self.call(context, |call| {
            call.save(name);
            Ok(())
        })
    }

    fn roll_back_to(&self, context: &Context, name: &str) -> Outcome<bool> {
        self.call(context, |call| Ok(call.roll_back_to(name)))
    }

    fn commit(&self, context: &Context) -> Outcome<()> {
        self.call(context, |call| call.commit(context.session_id))
    }

    fn roll_back(&self, context: &Context) -> Outcome<()> {
        self.call(context, |call| {
            call.roll_back(context.session_id);
            Ok(())
        })
    }

    fn change(
        &self,
        context: &Context,
        name: &ObjectName,
        change: Change,
        patience: Patience<'_>,
    ) -> Outcome<u64> {
        self.change_patiently(context, name, change, patience)
    }

    fn end_statement(&self, context: &Context) {
        self.call(context, |call| {
            let session = call.who.session_id;
            call.server_mut().locks.end_statement(session);
        });
    }

    fn killed(&self, context: &Context) -> bool {
        self.shared.still(|state| {
            let own = |x: &Session| x.server == self.number && x.id == context.session_id;
            state.sessions.iter().any(|x| own(x) && x.killed)
        })
    }

    fn module(&self, context: &Context, name: &ObjectName) -> Outcome<Option<crate::sandbox::host::Module>> {
        self.call(context, |call| call.module(name))
    }

    fn define(
        &self,
        context: &Context,
        name: &ObjectName,
        what: crate::sandbox::host::Define,
    ) -> Outcome<()> {
        self.call(context, |call| call.define(name, what))
    }

    fn linked(&self, context: &Context, name: &str) -> Outcome<Option<(Arc<dyn Host>, Context)>> {
        let found = self.call(context, |call| call.linked(name))?;
        Ok(found.map(|(number, context)| {
            let host: Arc<dyn Host> = Arc::new(Self::new(Arc::clone(&self.shared), number));
            (host, context)
        }))
    }

    fn rowset(&self, context: &Context, name: &ObjectName, arguments: &[Value]) -> Outcome<Option<Table>> {
        self.call(context, |call| call.rowset(name, arguments))
    }

    fn scalar(&self, context: &Context, name: &str, arguments: &[Value]) -> Outcome<Option<Value>> {
        self.call(context, |call| call.scalar(name, arguments))
    }

    fn procedure(
        &self,
        context: &Context,
        name: &ObjectName,
        arguments: &[(Option<String>, Value)],
        sink: &mut dyn Sink,
    ) -> Outcome<Option<i32>> {
        // Answers are gathered under the lock and sent without it: a slow reader holds nobody up.
        let mut parts = crate::sandbox::answer::Kept::default();
        let outcome = self.call(context, |call| call.procedure(name, arguments, &mut parts));
        forward(parts, sink);
        outcome
    }

    fn command(&self, context: &Context, command: &Command, sink: &mut dyn Sink) -> Result<(), Vec<Message>> {
        let since = mono_ms();
        let mut urgent = None;
        loop {
            let mut parts = crate::sandbox::answer::Kept::default();
            let asked = urgent.as_ref().unwrap_or(command);
            let course = self.call(context, |call| call.command(asked, &mut parts));
            forward(parts, sink);
            match course? {
                Course::Done => return Ok(()),
                Course::Takes(work) => {
                    return commands::long::see_through(&self.shared, self.number, context, &work, sink);
                }
                Course::Blocked => {
                    if sink.stopped() || self.killed(context) || !self.shared.pause(15) {
                        return Err(Vec::new());
                    }
                    let drill_ms = mono_ms().saturating_sub(since) as f64 * self.shared.speed();
                    urgent = commands::without_patience(command, drill_ms);
                }
            }
        }
    }
}

fn forward(parts: crate::sandbox::answer::Kept, sink: &mut dyn Sink) {
    for part in parts.0 {
        if sink.stopped() || sink.put(part).is_err() {
            return;
        }
    }
}

/// Whether a name without `sys` before it is one of the system tables of old.
fn of_old(name: &str, master: bool) -> bool {
    match name {
        "sysobjects" | "syscolumns" | "sysusers" | "systypes" | "sysfiles" | "sysindexes"
        | "sysindexkeys" | "syscomments" | "sysdepends" | "syspermissions" | "sysprotects"
        | "sysforeignkeys" | "sysreferences" | "sysfilegroups" | "sysmembers" => true,
        "sysprocesses" | "syslockinfo" | "sysdatabases" | "sysaltfiles" | "syslogins" | "sysconfigures"
        | "syscurconfigs" | "sysservers" | "syslanguages" | "sysmessages" | "sysdevices" | "syscharsets"
        | "sysperfinfo" | "sysremotelogins" | "sysoledbusers" | "sysopentapes" | "syscacheobjects"
        | "syslocks" => master,
        _ => false,
    }
}

impl Call<'_> {
    pub(crate) fn server(&self) -> &super::state::Server {
        &self.state.servers[self.s]
    }
    pub(crate) fn server_mut(&mut self) -> &mut super::state::Server {
        &mut self.state.servers[self.s]
    }

    /// What a name stands for, once it is sure that it may be read.
    fn object(&mut self, name: &ObjectName) -> Outcome<Option<(usize, Object)>> {
        let d = self.enter(&name.database)?;
        let lower = name.name.to_lowercase();
        if name.schema == "dbo" {
            let content = &self.server().databases[d].content;
            if content.tables.contains_key(&lower) {
                self.may_read(d, &name.name)?;
                return Ok(Some((d, Object::Stored(lower))));
            }
            if content.views.iter().any(|(v, _)| v.eq_ignore_ascii_case(&name.name)) {
                self.may_read(d, &name.name)?;
                return Ok(views::user_view(self, d, &lower).map(|table| (d, Object::View(table))));
            }
        }
        let full = match name.schema.as_str() {
            "sys" => format!("sys.{lower}"),
            "information_schema" => format!("information_schema.{lower}"),
            // The old system tables answer to dbo as well: some everywhere, the server's in master.
            "dbo" if of_old(&lower, name.database.eq_ignore_ascii_case("master")) => format!("sys.{lower}"),
            "dbo" if name.database.eq_ignore_ascii_case("msdb") => format!("msdb.dbo.{lower}"),
            _ => return Ok(None),
        };
        let year = self.server().year();
        let Some(object) = system_object(&full, year) else { return Ok(None) };
        self.may_see(&full)?;
        match object.modelled {
            Modelled::Filled if super::columns::is_function(&full) => Ok(None),
            Modelled::Filled | Modelled::Empty => Ok(Some((d, Object::System(full)))),
            Modelled::Not => Err(Message::not_modelled(full)),
        }
    }

    fn columns(&mut self, name: &ObjectName) -> Outcome<Option<Vec<Column>>> {
        let Some((d, object)) = self.object(name)? else { return Ok(None) };
        Ok(Some(match object {
            Object::Stored(key) => self.stored(d, &key).map(|t| t.columns.clone()).unwrap_or_default(),
            Object::View(table) => table.columns,
            Object::System(full) => super::columns::sheet(&full, self.server().year()).table.columns,
        }))
    }

    /// A table of a secondary database while transactions are open on its primary: readers see what is committed.
    fn stored_on_copy(&self, d: usize, key: &str) -> Option<Arc<Table>> {
        let db = &self.server().databases[d];
        if db.content.open.is_empty() || !self.state.follows(self.s, &db.name) {
            return None;
        }
        let mut content = db.content.clone();
        content.put_aside();
        content.tables.get(key).map(|stored| Arc::clone(&stored.table))
    }

    fn stored(&self, d: usize, key: &str) -> Option<&Arc<Table>> {
        self.server().databases[d].content.tables.get(key).map(|stored| &stored.table)
    }

    /// The rows of some tables and views.
    fn scan(&mut self, scans: &[Scan]) -> Outcome<Vec<Scanned>> {
        let mut all = Vec::with_capacity(scans.len());
        for Scan { name, wanted, .. } in scans {
            let gone = || Message::error(208, format!("Invalid object name '{}'.", name.name));
            let (d, object) = self.object(name)?.ok_or_else(gone)?;
            all.push(match object {
                Object::Stored(key) => {
                    let seen = self.stored_on_copy(d, &key).or_else(|| self.stored(d, &key).map(Arc::clone));
                    Scanned::Stored(seen.unwrap_or_default())
                }
                Object::View(table) => Scanned::Stored(Arc::new(table)),
                Object::System(full) => {
                    let mut sheet = super::columns::sheet(&full, self.server().year());
                    if wanted.iter().any(|n| *n >= sheet.table.columns.len()) {
                        return Err(gone());
                    }
                    sheet = sheet.wanting(wanted);
                    let empty = system_object(&full, self.server().year())
                        .is_some_and(|o| o.modelled == Modelled::Empty);
                    if !empty && !views::fill(self, d, &full, &mut sheet) {
                        return Err(Message::not_modelled(full));
                    }
                    Scanned::Made(sheet.table.rows)
                }
            });
        }
        Ok(all)
    }

    /// Whether the session may change a table: the number of its database.
    fn may_change(&self, name: &ObjectName, change: &Change) -> Outcome<usize> {
        let d = self.enter(&name.database)?;
        let verb = match change {
            Change::Insert(_) => "INSERT",
            Change::Update(_) => "UPDATE",
            Change::Delete(_) => "DELETE",
        };
        if !self.server().databases[d].content.tables.contains_key(&name.name.to_lowercase())
            || name.schema != "dbo"
        {
            return Err(if name.database.eq_ignore_ascii_case("msdb") && name.schema == "dbo" {
                Message::not_modelled(format_args!("{verb} on msdb.dbo.{}", name.name))
            } else {
                Message::error(259, "Ad hoc updates to system catalogs are not allowed.")
            });
        }
        if !self.who.sysadmin {
            return Err(self.denied(verb, &name.name, &name.database));
        }
        if let Some(refused) = self.state.ha_read_only(self.s, &name.database) {
            return Err(refused);
        }
        let db = &self.server().databases[d];
        if db.read_only {
            let text =
                format!("Failed to update database \"{}\" because the database is read-only.", db.name);
            return Err(Message::error(3906, text));
        }
        Ok(d)
    }
}
