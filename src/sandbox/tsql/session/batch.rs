//! One batch: its statements in order, what an error ends, TRY and CATCH.
//!
//! Does not bind or compute; each kind of statement has its file beside this one.

use std::cell::Cell;

use super::super::super::answer::{Message, Part, Sink, Stopped};
use super::super::ast::{Statement, What};
use super::super::evaluate::Run;
use super::super::parser;
use super::super::plan::Bound;
use super::super::state::{Caught, Seen, Snapshots, Variables, World};
use super::super::{ast, binder::Binder};
use super::Session;
use super::raised::{Ends, Raised, compile_error};
use crate::sandbox::value::Value;

/// Where the statement after this one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    /// RETURN, with the status.
    Return(i32),
    /// GOTO, with the number of its label among those of the scope.
    Goto(usize),
}

pub(super) type Stepped = Result<Flow, Raised>;

/// A batch, a procedure's text or dynamic SQL while it runs.
pub(super) struct Batch<'s> {
    pub(super) session: &'s mut Session,
    pub(super) sink: &'s mut dyn Sink,
    pub(super) variables: Variables,
    pub(super) snapshots: Snapshots,
    /// Depth of scopes; 0 = the batch itself.
    pub(super) depth: usize,
    /// The scope depth of every TRY around.
    pub(super) tries: Vec<usize>,
    /// An error of binding came from the host, not from the text.
    pub(super) host_failed: Cell<bool>,
    /// Of the statement at hand.
    pub(super) line: i32,
    /// Cursors of this scope by name.
    pub(super) cursors: std::collections::HashMap<String, u64>,
    /// Labels of this scope, in lower case.
    pub(super) labels: Vec<String>,
    /// The text of a CREATE that is the whole batch.
    pub(super) source: String,
    /// The procedure that runs, for its errors.
    pub(super) procedure: String,
}

impl Session {
    pub(super) fn run_batch(&mut self, sql: &str, sink: &mut dyn Sink) {
        let mut batch = Batch::new(self, sink, Variables::default(), 0);
        let _ = batch.text(sql);
    }
}

impl<'s> Batch<'s> {
    pub(super) fn new(
        session: &'s mut Session,
        sink: &'s mut dyn Sink,
        variables: Variables,
        depth: usize,
    ) -> Self {
        Self {
            session,
            sink,
            variables,
            snapshots: Snapshots::default(),
            depth,
            tries: Vec::new(),
            host_failed: Cell::new(false),
            line: 1,
            cursors: std::collections::HashMap::new(),
            labels: Vec::new(),
            source: String::new(),
            procedure: String::new(),
        }
    }

    /// Parses, checks and runs a text in this scope. Errors that nobody catches have been sent.
    pub(super) fn text(&mut self, sql: &str) -> Stepped {
        if sql.len() > crate::limits::SANDBOX_SQL_BYTES {
            let what = format!("a statement text of more than {} bytes", crate::limits::SANDBOX_SQL_BYTES);
            return self.fail_compile(vec![Message::not_modelled(what)]);
        }
        let version = self.session.host.version().0;
        let parsed = parser::batch(sql, self.session.settings.quoted_identifier, version);
        let statements = match parsed {
            Ok(statements) => statements,
            Err(message) => return self.fail_compile(vec![message]),
        };
        if let [Statement { what: What::CreateModule { .. }, .. }] = &statements[..] {
            sql.clone_into(&mut self.source);
        }
        self.run_all(&statements)
    }

    /// Checks and runs statements in this scope.
    pub(super) fn run_all(&mut self, statements: &[Statement]) -> Stepped {
        if let Err(message) = super::label::check(statements, &mut self.labels) {
            return self.fail_compile(vec![message]);
        }
        if self.session.settings.parse_only && !super::label::sets_parse_only(statements) {
            return Ok(Flow::Next);
        }
        if let Err(messages) = self.check(statements) {
            return self.fail_compile(messages);
        }
        let result = self.list(statements);
        self.end_cursors();
        match result {
            Err(raised) if raised.sent && raised.ends == Ends::Scope => Ok(Flow::Return(0)),
            other => other,
        }
    }

    fn fail_compile(&mut self, messages: Vec<Message>) -> Stepped {
        let raised =
            Raised { messages, ends: Ends::Scope, sent: false, stopped: false, compile: Some(self.depth) };
        match self.settle(raised) {
            Err(raised) if raised.sent && raised.ends == Ends::Scope => Ok(Flow::Return(0)),
            other => other,
        }
    }

    pub(super) fn list(&mut self, statements: &[Statement]) -> Stepped {
        let mut at = 0;
        while let Some(statement) = statements.get(at) {
            at += 1;
            match self.statement(statement)? {
                Flow::Next => {}
                Flow::Goto(label) => {
                    let name = &self.labels[label];
                    let here = |s: &Statement| matches!(&s.what, What::Label(l) if l.to_lowercase() == *name);
                    match statements.iter().position(here) {
                        Some(place) => {
                            if self.sink.stopped() {
                                return Err(Stopped.into());
                            }
                            at = place;
                        }
                        None => return Ok(Flow::Goto(label)),
                    }
                }
                other => return Ok(other),
            }
        }
        Ok(Flow::Next)
    }

    /// One statement: its errors end what they end.
    pub(super) fn statement(&mut self, statement: &Statement) -> Stepped {
        if self.sink.stopped() {
            return Err(Stopped.into());
        }
        self.line = statement.line;
        let ran = self.run(statement);
        if matches!(statement.what, What::Insert { .. } | What::Update { .. } | What::Delete { .. }) {
            self.session.host.end_statement(&self.session.context);
        }
        match ran {
            Ok(flow) => Ok(flow),
            Err(raised) if raised.sent => Err(raised),
            Err(mut raised) => {
                for message in &mut raised.messages {
                    if message.procedure.is_empty() {
                        message.procedure.clone_from(&self.procedure);
                    }
                    // expressions do not know their line: the statement's
                    if message.line <= 1 {
                        message.line = statement.line;
                    }
                }
                self.settle(raised)
            }
        }
    }

    /// An error: up to a TRY that catches it, or to the client.
    fn settle(&mut self, mut raised: Raised) -> Stepped {
        let last = raised.messages.last().cloned();
        if let Some(message) = &last {
            self.session.globals.error = message.number;
            self.session.globals.row_count = 0;
        }
        let fatal = raised.messages.iter().any(|m| m.class >= 20);
        let catchable = self.tries.iter().any(|depth| raised.compile.is_none_or(|at| *depth < at));
        if self.session.settings.xact_abort && raised.compile.is_none() && raised.ends == Ends::Statement {
            raised.ends = Ends::Batch;
        }
        if catchable && !fatal {
            if raised.ends == Ends::Batch && self.session.globals.transactions > 0 {
                self.session.globals.doomed = true;
            }
            return Err(raised);
        }
        let ends_statement = raised.messages.iter().any(|m| terminates(m.number));
        for message in raised.messages.drain(..) {
            self.sink.put(Part::Error(message))?;
        }
        if ends_statement && raised.ends == Ends::Statement {
            let text = "The statement has been terminated.".to_owned();
            self.info(Message {
                number: 3621,
                state: 0,
                class: 0,
                text,
                procedure: String::new(),
                line: self.line,
            })?;
        }
        self.sink.put(Part::Done { rows: None })?;
        raised.sent = true;
        if raised.ends == Ends::Statement {
            return Ok(Flow::Next);
        }
        if raised.ends == Ends::Batch && self.session.globals.transactions > 0 {
            self.session.roll_back_all(self.sink).map_err(Raised::from)?;
        }
        Err(raised)
    }

    /// Runs a statement; errors have not been sent.
    fn run(&mut self, statement: &Statement) -> Stepped {
        if self.session.settings.no_exec && !matches!(statement.what, What::SetOption(_)) {
            return Ok(Flow::Next);
        }
        if let Some(command) = command_word(&statement.what) {
            self.session.host.activity(&self.session.context, Some(command));
        }
        if super::transaction::writes(&statement.what) {
            self.may_write()?;
        }
        if super::transaction::begins(&statement.what) {
            self.session.begin_implicitly(self.sink)?;
        }
        let mut row_count = None;
        let flow = match &statement.what {
            What::If { condition, then, otherwise } => {
                return match (self.condition(condition)?, otherwise) {
                    (true, _) => self.statement(then),
                    (false, Some(otherwise)) => self.statement(otherwise),
                    (false, None) => Ok(Flow::Next),
                };
            }
            What::While { condition, body } => return self.repeat(condition, body),
            What::Block(list) => return self.list(list),
            What::Try { body, catch } => return self.guarded(body, catch),
            What::Break => Flow::Break,
            What::Continue => Flow::Continue,
            What::Return(value) => {
                let status = match value {
                    Some(value) => match self.evaluate(value, Some(crate::sandbox::value::Type::Int))? {
                        Value::Int(n) => n as i32,
                        _ => 0,
                    },
                    None => 0,
                };
                Flow::Return(status)
            }
            What::Select(query) => {
                row_count = Some(self.select(query)?);
                Flow::Next
            }
            What::Insert(insert) => {
                row_count = Some(self.insert(insert)?);
                Flow::Next
            }
            What::Update(update) => {
                row_count = Some(self.update(update)?);
                Flow::Next
            }
            What::Delete(delete) => {
                row_count = Some(self.delete(delete)?);
                Flow::Next
            }
            What::Merge(merge) => {
                row_count = Some(self.merge(merge)?);
                Flow::Next
            }
            What::Label(_) => return Ok(Flow::Next),
            What::Goto(label) => {
                let label = label.to_lowercase();
                let place = self.labels.iter().position(|l| *l == label);
                return Ok(place.map_or(Flow::Next, Flow::Goto));
            }
            What::Fetch { cursor, where_to, into } => {
                row_count = Some(self.fetch(cursor, where_to, into.as_deref())?);
                Flow::Next
            }
            What::Truncate(name) => {
                self.truncate(name)?;
                row_count = Some(0);
                Flow::Next
            }
            What::Execute(execute) => {
                self.execute(execute)?;
                self.forget();
                return Ok(Flow::Next);
            }
            What::SetVariable { name, operator, value } => {
                self.set_variable(name, *operator, value)?;
                row_count = Some(1);
                Flow::Next
            }
            What::Declare(list) => {
                self.declare(list)?;
                return Ok(Flow::Next);
            }
            What::RaiseError { .. } => {
                self.simple(&statement.what)?;
                self.session.globals.row_count = 0;
                return Ok(Flow::Next);
            }
            other => {
                self.simple(other)?;
                row_count = Some(0);
                Flow::Next
            }
        };
        if let Some(rows) = row_count {
            self.session.globals.row_count = rows as i64;
        }
        self.session.globals.error = 0;
        Ok(flow)
    }

    fn repeat(&mut self, condition: &ast::Expr, body: &Statement) -> Stepped {
        loop {
            self.forget();
            if self.sink.stopped() {
                return Err(Stopped.into());
            }
            if !self.condition(condition)? {
                return Ok(Flow::Next);
            }
            match self.statement(body)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => return Ok(Flow::Next),
                done @ (Flow::Return(_) | Flow::Goto(_)) => return Ok(done),
            }
        }
    }

    fn guarded(&mut self, body: &[Statement], catch: &[Statement]) -> Stepped {
        self.tries.push(self.depth);
        let result = self.list(body);
        self.tries.pop();
        let raised = match result {
            Err(raised) if !raised.sent && !raised.stopped && raised.compile != Some(self.depth) => raised,
            other => return other,
        };
        let Some(message) = raised.messages.into_iter().last() else { return Ok(Flow::Next) };
        self.forget();
        let before = self.session.globals.caught.replace(Caught(message));
        let result = self.list(catch);
        self.session.globals.caught = before;
        result
    }

    /// What has been read may have changed.
    pub(super) fn forget(&mut self) {
        *self.snapshots.borrow_mut() = Seen::default();
    }

    /// Lends the world to bind and run something in.
    pub(super) fn with_world<T>(&self, act: impl FnOnce(&World<'_>) -> T) -> T {
        let session = &*self.session;
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        let world = World {
            isolation: session.settings.isolation,
            patience: session.patience_for_locks(&stopped),
            host: &*session.host,
            context: &session.context,
            collation: session.collation(),
            version: session.host.version().0,
            now: session.host.now(),
            variables: &self.variables,
            temporary: &session.temporary,
            globals: &session.globals,
            snapshots: &self.snapshots,
            host_failed: &self.host_failed,
        };
        act(&world)
    }

    /// Errors of binding, with what they end.
    pub(super) fn unbound(&self, messages: Vec<Message>) -> Raised {
        let scope = messages.iter().any(|m| compile_error(m.number));
        let ends = if scope { Ends::Scope } else { Ends::Statement };
        let compile = scope.then_some(self.depth);
        Raised { messages, ends, sent: false, stopped: false, compile }
    }

    /// The value of an expression outside a query, as `kind` when one is wanted.
    pub(super) fn evaluate(
        &self,
        value: &ast::Expr,
        kind: Option<crate::sandbox::value::Type>,
    ) -> Result<Value, Raised> {
        self.evaluate_with(|binder| binder.value(value), kind).map(|(value, _)| value)
    }

    /// The same, with its type.
    pub(super) fn evaluate_with(
        &self,
        bind: impl FnOnce(&mut Binder<'_>) -> Result<Bound, Vec<Message>>,
        kind: Option<crate::sandbox::value::Type>,
    ) -> Result<(Value, crate::sandbox::value::Type), Raised> {
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        self.with_world(|world| {
            let bound = bind(&mut Binder::new(world)).map_err(|m| self.unbound(m))?;
            let bound = match kind {
                Some(kind) => super::super::binder::coerce(bound, kind)?,
                None => bound,
            };
            let kind = bound.kind;
            let run = Run::new(world, &stopped);
            Ok((run.value(&bound, None)?, kind))
        })
    }

    fn condition(&self, condition: &ast::Expr) -> Result<bool, Raised> {
        let (value, _) = self.evaluate_with(|binder| binder.condition(condition), None)?;
        Ok(value == Value::Bit(true))
    }

    /// The end of a statement that has a row count.
    pub(super) fn done(&mut self, rows: u64) -> Result<(), Stopped> {
        let rows = if self.session.settings.no_count { None } else { Some(rows) };
        self.sink.put(Part::Done { rows })
    }

    pub(super) fn info(&mut self, message: Message) -> Result<(), Stopped> {
        self.sink.put(Part::Info(message))
    }
}

/// Errors of changed rows, which 3621 follows.
fn terminates(number: i32) -> bool {
    matches!(number, 515 | 547 | 2601 | 2627 | 2628 | 8152 | 1505 | 4901 | 8672)
}

/// What sys.dm_exec_requests shows as the command.
fn command_word(what: &What) -> Option<&'static str> {
    Some(match what {
        What::Select(_) => "SELECT",
        What::Insert(_) => "INSERT",
        What::Update(_) => "UPDATE",
        What::Delete(_) => "DELETE",
        What::Merge(_) => "MERGE",
        What::Execute(_) => "EXECUTE",
        What::WaitFor { .. } => "WAITFOR",
        _ => return None,
    })
}
