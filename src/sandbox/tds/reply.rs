//! The order of tokens in an answer: after a batch, and after a procedure call.
//!
//! Batch: `COLMETADATA ROW* DONE`, each DONE but the last saying that more follows.
//! Call: `COLMETADATA ROW* DONEINPROC`, then `RETURNSTATUS [RETURNVALUE] DONEPROC`.
//! Does no I/O and does not know who runs the statement.

use super::token;
use crate::sandbox::answer::{Message, Parameter, Part};
use crate::sandbox::value::{Column, Type, Value};

/// From this class on an error ends the connection.
const FATAL_CLASS: u8 = 20;
/// Most columns of a result set.
const COLUMNS_MAX: usize = 4096;

/// What is being answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape<'a> {
    Batch,
    /// A call with these parameters; `more` when another call of the same message follows.
    Call {
        parameters: &'a [Parameter],
        more: bool,
    },
}

/// The part cannot be sent; an error was, in its stead, and the answer is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// A DONE that waits to know whether it is the last.
#[derive(Debug, Clone, Copy)]
struct Held {
    token: u8,
    status: u16,
    command: u16,
    rows: u64,
}

/// An answer as it grows.
#[derive(Debug)]
pub(super) struct Reply<'a> {
    server: &'a str,
    shape: Shape<'a>,
    out: Vec<u8>,
    /// The result set being sent.
    open: Option<Vec<Column>>,
    held: Option<Held>,
    /// An error came since the last DONE.
    failed: bool,
    /// Number of the last error of the whole answer.
    error: Option<i32>,
    status: Option<i32>,
    outputs: Vec<(String, Type, Value)>,
    fatal: bool,
    broken: bool,
}

impl<'a> Reply<'a> {
    pub(super) fn new(server: &'a str, shape: Shape<'a>) -> Self {
        Self {
            server,
            shape,
            out: Vec::new(),
            open: None,
            held: None,
            failed: false,
            error: None,
            status: None,
            outputs: Vec::new(),
            fatal: false,
            broken: false,
        }
    }

    /// Bytes that wait to be taken.
    pub(super) fn waiting(&self) -> usize {
        self.out.len()
    }

    /// Whole tokens so far.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// An error was sent after which a server hangs up.
    pub(super) fn is_fatal(&self) -> bool {
        self.fatal
    }

    /// Adds one part.
    pub(super) fn put(&mut self, part: Part) -> Result<(), Broken> {
        if self.broken {
            return self.put_environment(&part);
        }
        match part {
            Part::Columns(columns) => self.begin_set(columns),
            Part::Row(values) => self.row(&values),
            Part::Done { rows } => {
                self.end_statement(rows);
                Ok(())
            }
            Part::Info(message) => {
                self.release();
                token::info(&mut self.out, &message, self.server);
                Ok(())
            }
            Part::Error(message) => {
                self.error(&message);
                Ok(())
            }
            Part::Status(status) => {
                match self.shape {
                    Shape::Call { .. } => self.status = Some(status),
                    Shape::Batch => {
                        self.release();
                        token::return_status(&mut self.out, status);
                        self.status = Some(status);
                    }
                }
                Ok(())
            }
            Part::Output { name, kind, value } => {
                self.outputs.push((name, kind, value));
                Ok(())
            }
            change => self.put_environment(&change),
        }
    }

    /// Adds a part only if it changes what the client must know of its session.
    pub(super) fn put_environment(&mut self, part: &Part) -> Result<(), Broken> {
        if matches!(part, Part::Database { .. } | Part::Begun(_) | Part::Ended { .. }) {
            self.release();
        }
        match part {
            Part::Database { old, new } => {
                token::environment(&mut self.out, token::Environment::Database, new, old);
            }
            Part::Begun(id) => token::begun(&mut self.out, *id),
            Part::Ended { id, committed } => token::ended(&mut self.out, *id, *committed),
            _ => {}
        }
        if self.broken { Err(Broken) } else { Ok(()) }
    }

    /// Ends the answer.
    pub(super) fn finish(&mut self) {
        match self.shape {
            Shape::Batch => self.finish_batch(),
            Shape::Call { parameters, more } => self.finish_call(parameters, more),
        }
    }

    /// Ends an answer that was given up: no counts, no outputs, nothing more.
    pub(super) fn stop(&mut self) {
        self.release();
        token::done(&mut self.out, token::DONE, 0, 0, 0);
    }

    fn begin_set(&mut self, columns: Vec<Column>) -> Result<(), Broken> {
        if self.open.is_some() || self.failed {
            self.end_statement(None);
        }
        self.release();
        if columns.is_empty() || columns.len() > COLUMNS_MAX {
            return self.break_off(format!("a result set of {} columns", columns.len()));
        }
        token::columns(&mut self.out, &columns);
        self.open = Some(columns);
        Ok(())
    }

    fn row(&mut self, values: &[Value]) -> Result<(), Broken> {
        let Some(columns) = &self.open else {
            return self.break_off("a row outside a result set".into());
        };
        if columns.len() != values.len() {
            let why = format!("a row of {} values under {} columns", values.len(), columns.len());
            return self.break_off(why);
        }
        match token::row(&mut self.out, columns, values) {
            Ok(()) => Ok(()),
            Err(unfit) => self.break_off(unfit.to_string()),
        }
    }

    fn error(&mut self, message: &Message) {
        self.release();
        token::error(&mut self.out, message, self.server);
        self.failed = true;
        self.error = Some(message.number);
        self.fatal |= message.class >= FATAL_CLASS;
    }

    fn break_off(&mut self, why: String) -> Result<(), Broken> {
        self.error(&Message::not_modelled(why));
        self.broken = true;
        Err(Broken)
    }

    /// A statement ended: its DONE is due.
    fn end_statement(&mut self, rows: Option<u64>) {
        let set = self.open.take().is_some();
        let failed = std::mem::take(&mut self.failed);
        let status = if failed { token::ERROR } else { 0 } | if rows.is_some() { token::COUNT } else { 0 };
        let command = if set { token::SELECT } else { 0 };
        let rows = rows.unwrap_or(0);
        self.release();
        match self.shape {
            Shape::Batch => {
                let token = if self.status.take().is_some() { token::DONE_PROCEDURE } else { token::DONE };
                self.held = Some(Held { token, status, command, rows });
            }
            // statements without result or count say nothing inside a procedure
            Shape::Call { .. } if !set && status == 0 => {}
            Shape::Call { .. } => {
                token::done(&mut self.out, token::DONE_IN_PROCEDURE, status | token::MORE, command, rows);
            }
        }
    }

    /// The DONE that waited is not the last one.
    fn release(&mut self) {
        if let Some(Held { token, status, command, rows }) = self.held.take() {
            token::done(&mut self.out, token, status | token::MORE, command, rows);
        }
    }

    fn finish_batch(&mut self) {
        if self.open.is_some() || self.failed || self.status.is_some() || self.held.is_none() {
            self.end_statement(None);
        }
        if let Some(Held { token, status, command, rows }) = self.held.take() {
            token::done(&mut self.out, token, status, command, rows);
        }
    }

    fn finish_call(&mut self, parameters: &[Parameter], more: bool) {
        if self.open.is_some() {
            self.end_statement(None);
        }
        // a failing procedure returns the number of its error unless it says otherwise
        let status = self.status.take().or(self.error).unwrap_or(0);
        token::return_status(&mut self.out, status);
        let mut unnamed =
            parameters.iter().enumerate().filter(|(_, parameter)| parameter.output).map(|(at, _)| at);
        for (name, kind, value) in std::mem::take(&mut self.outputs) {
            let named = parameters
                .iter()
                .position(|parameter| !name.is_empty() && parameter.name.eq_ignore_ascii_case(&name));
            let ordinal = named.or_else(|| unnamed.next()).unwrap_or(0) as u16;
            if let Err(unfit) = token::return_value(&mut self.out, ordinal, &name, kind, &value) {
                self.error(&Message::not_modelled(unfit));
            }
        }
        let failed = if self.error.is_some() { token::ERROR } else { 0 };
        let more = if more { token::MORE } else { 0 };
        token::done(&mut self.out, token::DONE_PROCEDURE, failed | more, 0, 0);
    }
}
