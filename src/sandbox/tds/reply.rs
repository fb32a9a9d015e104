//! The order of tokens in an answer: after a batch, and after a procedure call.
//!
//! Batch: `COLMETADATA ROW* DONE`, each DONE but the last saying that more follows.
//! Call: `COLMETADATA ROW* DONEINPROC`, then `RETURNSTATUS [RETURNVALUE] DONEPROC`.
//! Does no I/O and does not know who runs the statement.

use super::login::Protocol;
use super::{older, token};
use crate::sandbox::answer::{Message, Parameter, Part};
use crate::sandbox::value::{Column, Type, Value};

/// From this class on an error ends the connection.
pub(super) const FATAL_CLASS: u8 = 20;
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
    protocol: Protocol,
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
    pub(super) fn new(server: &'a str, protocol: Protocol, shape: Shape<'a>) -> Self {
        Self {
            server,
            protocol,
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

    /// Something could not be sent: nobody wants the rest.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
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

    /// Ends an answer that was given up: a failed statement, no counts, no outputs, nothing more.
    pub(super) fn stop(&mut self) {
        self.release();
        token::done(&mut self.out, token::DONE, token::ERROR, 0, 0);
    }

    fn begin_set(&mut self, columns: Vec<Column>) -> Result<(), Broken> {
        if self.open.is_some() || self.failed {
            self.end_statement(None);
        }
        self.release();
        if columns.is_empty() || columns.len() > COLUMNS_MAX {
            return self.break_off(format!("a result set of {} columns", columns.len()));
        }
        if self.protocol.has_dates() {
            token::columns(&mut self.out, &columns);
        } else {
            let sent: Vec<Column> = columns
                .iter()
                .map(|column| Column { kind: older::kind(column.kind), ..column.clone() })
                .collect();
            token::columns(&mut self.out, &sent);
        }
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
        let sent = if self.protocol.has_dates() {
            token::row(&mut self.out, columns.iter().zip(values).map(|(column, value)| (column.kind, value)))
        } else {
            let values: Vec<_> =
                columns.iter().zip(values).map(|(column, value)| older::value(column.kind, value)).collect();
            let cells =
                columns.iter().zip(&values).map(|(column, value)| (older::kind(column.kind), &**value));
            token::row(&mut self.out, cells)
        };
        match sent {
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
            let sent = if self.protocol.has_dates() {
                token::return_value(&mut self.out, ordinal, &name, kind, &value)
            } else {
                let value = older::value(kind, &value);
                token::return_value(&mut self.out, ordinal, &name, older::kind(kind), &value)
            };
            if let Err(unfit) = sent {
                self.error(&Message::not_modelled(unfit));
            }
        }
        let failed = if self.error.is_some() { token::ERROR } else { 0 };
        let more = if more { token::MORE } else { 0 };
        token::done(&mut self.out, token::DONE_PROCEDURE, failed | more, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tokens of an answer in short: one letter each, a DONE with its status and count.
    fn short(mut bytes: &[u8]) -> String {
        let mut out = Vec::new();
        while let [token, rest @ ..] = bytes {
            let sized = || 2 + usize::from(u16::from_le_bytes([rest[0], rest[1]]));
            let (name, length) = match token {
                // one nullable int column named "n", its value, an output of the same type
                0x81 => ("cols".into(), 2 + 4 + 2 + 2 + 3),
                0xD1 => ("row".into(), 1 + usize::from(rest[0])),
                0xAC => (format!("out{}", rest[0]), 3 + 2 * usize::from(rest[2]) + 1 + 6 + 2 + 5),
                0x79 => (format!("status{}", i32::from_le_bytes([rest[0], rest[1], rest[2], rest[3]])), 4),
                0xAA => ("error".into(), sized()),
                0xAB => ("info".into(), sized()),
                0xE3 => (format!("env{}", rest[2]), sized()),
                0xFD..=0xFF => {
                    let name = ["done", "proc", "inproc"][usize::from(token - 0xFD)];
                    (format!("{name}:{:02x}:{}", rest[0], rest[4]), 12)
                }
                other => panic!("token {other:02X}"),
            };
            out.push(name);
            bytes = &rest[length..];
        }
        out.join(" ")
    }

    fn columns() -> Part {
        Part::Columns(vec![Column::new("n", Type::Int)])
    }
    fn row(n: i64) -> Part {
        Part::Row(vec![Value::Int(n)])
    }
    fn done(rows: Option<u64>) -> Part {
        Part::Done { rows }
    }
    fn error(number: i32) -> Part {
        Part::Error(Message::error(number, "x"))
    }

    fn answer(shape: Shape<'_>, parts: Vec<Part>) -> String {
        let mut reply = Reply::new("S", Protocol::NEWEST, shape);
        for part in parts {
            if reply.put(part).is_err() {
                break;
            }
        }
        reply.finish();
        short(&reply.take())
    }
    fn batch(parts: Vec<Part>) -> String {
        answer(Shape::Batch, parts)
    }
    fn call(parts: Vec<Part>) -> String {
        answer(Shape::Call { parameters: &[], more: false }, parts)
    }

    #[test]
    fn a_batch_of_two_sets_says_more_after_the_first() {
        let parts = vec![columns(), row(1), done(Some(1)), columns(), done(Some(0))];
        assert_eq!(batch(parts), "cols row done:11:1 cols done:10:0");
    }

    #[test]
    fn an_empty_batch_is_done() {
        assert_eq!(batch(vec![]), "done:00:0");
        assert_eq!(batch(vec![done(None)]), "done:00:0");
    }

    #[test]
    fn a_failed_statement_is_done_with_error_whether_it_says_so_or_not() {
        assert_eq!(batch(vec![error(4305), error(3013)]), "error error done:02:0");
        assert_eq!(batch(vec![error(4305), error(3013), done(None)]), "error error done:02:0");
        assert_eq!(batch(vec![columns(), row(1), error(8134)]), "cols row error done:02:0");
    }

    #[test]
    fn an_error_does_not_colour_the_next_statement() {
        let parts = vec![error(208), done(None), columns(), done(Some(0))];
        assert_eq!(batch(parts), "error done:03:0 cols done:10:0");
        let unsaid = vec![error(208), columns(), done(Some(0))];
        assert_eq!(batch(unsaid), "error done:03:0 cols done:10:0");
    }

    #[test]
    fn messages_after_a_statement_come_after_its_done() {
        let info = Part::Info(Message { class: 0, ..Message::error(3014, "x") });
        assert_eq!(batch(vec![columns(), done(Some(0)), info]), "cols done:11:0 info done:00:0");
    }

    #[test]
    fn a_procedure_within_a_batch_returns_its_status() {
        let parts = vec![columns(), done(Some(0)), Part::Status(3), done(None), done(Some(1))];
        assert_eq!(batch(parts), "cols done:11:0 status3 proc:01:0 done:10:1");
        assert_eq!(batch(vec![Part::Status(0)]), "status0 proc:00:0");
    }

    #[test]
    fn a_call_ends_its_statements_in_the_procedure_and_then_itself() {
        let parts = vec![columns(), row(1), done(Some(1)), done(None), done(Some(5))];
        assert_eq!(call(parts), "cols row inproc:11:1 inproc:11:5 status0 proc:00:0");
        assert_eq!(call(vec![]), "status0 proc:00:0");
    }

    #[test]
    fn a_failed_call_says_so_at_every_end() {
        let parts = vec![columns(), row(1), error(8134), done(None)];
        assert_eq!(call(parts), "cols row error inproc:03:0 status8134 proc:02:0");
        assert_eq!(call(vec![error(208)]), "error status208 proc:02:0");
        assert_eq!(
            call(vec![error(208), done(None), Part::Status(-6)]),
            "error inproc:03:0 status-6 proc:02:0"
        );
    }

    #[test]
    fn outputs_come_after_the_status_with_the_place_of_their_parameter() {
        let parameter =
            |name: &str, output| Parameter { name: name.into(), kind: Type::Int, value: Value::Null, output };
        let output = |name: &str| Part::Output { name: name.into(), kind: Type::Int, value: Value::Int(1) };
        let parameters = [parameter("", true), parameter("@a", false), parameter("@B", true)];
        let shape = Shape::Call { parameters: &parameters, more: true };
        let parts = vec![output("@b"), output(""), Part::Status(0)];
        assert_eq!(answer(shape, parts), "status0 out2 out0 proc:01:0");
    }

    #[test]
    fn what_cannot_be_sent_becomes_an_error_and_ends_the_answer() {
        for (part, why) in [(row(1), "a row outside a set"), (Part::Columns(vec![]), "a set without columns")]
        {
            assert_eq!(batch(vec![part, done(None)]), "error done:02:0", "{why}");
        }
        for (values, why) in [
            (vec![], "too few values"),
            (vec![Value::Int(1); 2], "too many values"),
            (vec![Value::Text("x".into())], "no number"),
            (vec![Value::Int(1 << 40)], "too large a number"),
        ] {
            let parts = vec![columns(), row(1), Part::Row(values), row(2), done(Some(3))];
            assert_eq!(batch(parts), "cols row error done:02:0", "{why}");
        }
    }

    #[test]
    fn a_stopped_answer_keeps_only_what_changed_the_session() {
        let mut reply = Reply::new("S", Protocol::NEWEST, Shape::Batch);
        reply.put(Part::Begun(1)).unwrap();
        reply.put(columns()).unwrap();
        let _ = reply.put_environment(&row(1));
        let _ = reply.put_environment(&Part::Ended { id: 1, committed: false });
        reply.stop();
        assert_eq!(short(&reply.take()), "env8 cols env10 done:02:0");
    }

    #[test]
    fn an_error_of_class_20_ends_the_connection() {
        let mut reply = Reply::new("S", Protocol::NEWEST, Shape::Batch);
        reply.put(Part::Error(Message { class: 16, ..Message::error(1, "x") })).unwrap();
        assert!(!reply.is_fatal());
        reply.put(Part::Error(Message { class: 20, ..Message::error(596, "x") })).unwrap();
        assert!(reply.is_fatal());
    }
}
