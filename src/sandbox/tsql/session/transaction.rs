//! Transactions: nesting, and undoing what was changed.
//!
//! A rollback puts rows back by their values; when a row has changed meanwhile it refuses instead of guessing.

use std::collections::HashMap;

use super::super::ast::Transaction;
use super::super::plan::Fault;
use super::super::state::LocalTable;
use super::Session;
use super::batch::Batch;
use super::raised::Raised;
use crate::sandbox::answer::{Message, Part, Sink};
use crate::sandbox::host::{Change, ObjectName};
use crate::sandbox::value::{Type, Value};

type Rows = Vec<Vec<Value>>;

/// How to undo one change.
#[derive(Debug)]
pub(super) enum Undo {
    /// Rows to take out again.
    Inserted(ObjectName, Rows),
    /// Rows as they became, and as they were.
    Updated(ObjectName, Vec<(Vec<Value>, Vec<Value>)>),
    /// Rows to put back.
    Deleted(ObjectName, Rows),
}

/// The transaction a session is in.
#[derive(Debug)]
pub(super) struct Open {
    id: u64,
    name: Option<String>,
    undo: Vec<Undo>,
    /// Temporary tables as they were; `None` = there was none.
    temporary: HashMap<String, Option<LocalTable>>,
}

impl Session {
    pub(super) fn begin_transaction(
        &mut self,
        name: Option<String>,
        sink: &mut dyn Sink,
    ) -> Result<(), Fault> {
        self.globals.transactions += 1;
        if self.transaction.is_some() {
            return Ok(());
        }
        let id = self.next_transaction;
        self.next_transaction += 1;
        self.transaction = Some(Open { id, name, undo: Vec::new(), temporary: HashMap::new() });
        sink.put(Part::Begun(id))?;
        Ok(())
    }

    pub(super) fn commit_transaction(&mut self, sink: &mut dyn Sink) -> Result<(), Fault> {
        if self.globals.transactions == 0 {
            let text = "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
            return Err(Message::error(3902, text).into());
        }
        if self.globals.doomed {
            let text = "The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.";
            return Err(Message::error(3930, text).into());
        }
        self.globals.transactions -= 1;
        if self.globals.transactions == 0
            && let Some(open) = self.transaction.take()
        {
            sink.put(Part::Ended { id: open.id, committed: true })?;
        }
        Ok(())
    }

    /// ROLLBACK; with a name only that of the outermost transaction will do.
    pub(super) fn roll_back(&mut self, name: Option<&str>, sink: &mut dyn Sink) -> Result<(), Fault> {
        let Some(open) = &self.transaction else {
            let text = "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.";
            return Err(Message::error(3903, text).into());
        };
        if let Some(name) = name
            && open.name.as_deref() != Some(name)
        {
            let text =
                format!("Cannot roll back {name}. No transaction or savepoint of that name was found.");
            return Err(Message::error(6401, text).into());
        }
        self.roll_back_all(sink)
    }

    /// Ends the transaction, if there is one, undoing its changes.
    pub(super) fn roll_back_all(&mut self, sink: &mut dyn Sink) -> Result<(), Fault> {
        self.globals.transactions = 0;
        self.globals.doomed = false;
        let Some(open) = self.transaction.take() else { return Ok(()) };
        for (name, table) in open.temporary {
            match table {
                Some(table) => self.temporary.insert(name, table),
                None => self.temporary.remove(&name),
            };
        }
        let mut result = Ok(());
        for step in open.undo.into_iter().rev() {
            if let Err(message) = self.undo(step) {
                result = Err(message.into());
            }
        }
        sink.put(Part::Ended { id: open.id, committed: false })?;
        result
    }

    fn undo(&self, step: Undo) -> Result<(), Message> {
        let gone = |name: &ObjectName| {
            Message::not_modelled(format!("rollback over rows of {} that changed meanwhile", name.name))
        };
        let (name, change) = match step {
            Undo::Deleted(name, rows) => (name, Change::Insert(rows)),
            Undo::Inserted(name, rows) => {
                let places = self.places(&name, rows.iter())?.ok_or_else(|| gone(&name))?;
                (name, Change::Delete(places))
            }
            Undo::Updated(name, rows) => {
                let places =
                    self.places(&name, rows.iter().map(|(new, _)| new))?.ok_or_else(|| gone(&name))?;
                let old = rows.into_iter().map(|(_, old)| old);
                (name, Change::Update(places.into_iter().zip(old).collect()))
            }
        };
        self.host.change(&self.context, &name, change).map(|_| ())
    }

    /// Where rows stand now; the newest of equal ones.
    fn places<'r>(
        &self,
        name: &ObjectName,
        rows: impl Iterator<Item = &'r Vec<Value>>,
    ) -> Result<Option<Vec<usize>>, Message> {
        let Some(table) = self.host.table(&self.context, name)? else { return Ok(None) };
        let mut places: Vec<usize> = Vec::new();
        for row in rows {
            let found =
                (0..table.rows.len()).rev().find(|at| table.rows[*at] == *row && !places.contains(at));
            let Some(at) = found else { return Ok(None) };
            places.push(at);
        }
        Ok(Some(places))
    }

    /// Remembers how to undo a change, if there may be a rollback.
    pub(super) fn remember(&mut self, undo: Undo) {
        if let Some(open) = &mut self.transaction {
            open.undo.push(undo);
        }
    }

    /// Remembers a temporary table before its first change.
    pub(super) fn keep_table(&mut self, key: &str) {
        let now = self.temporary.get(key).cloned();
        if let Some(open) = &mut self.transaction {
            open.temporary.entry(key.to_owned()).or_insert(now);
        }
    }
}

impl Batch<'_> {
    pub(super) fn transaction(&mut self, what: &Transaction) -> Result<(), Raised> {
        match what {
            Transaction::Begin { mark: true, .. } => {
                Err(Message::not_modelled("BEGIN TRANSACTION … WITH MARK").into())
            }
            Transaction::Begin { mark: false, name } => {
                let name = self.transaction_name(name.as_ref())?;
                self.session.begin_transaction(name, self.sink)?;
                Ok(())
            }
            Transaction::Commit => Ok(self.session.commit_transaction(self.sink)?),
            Transaction::Rollback { name } => {
                let name = self.transaction_name(name.as_ref())?;
                self.session.roll_back(name.as_deref(), self.sink)?;
                self.forget();
                Ok(())
            }
            Transaction::Save => Err(Message::not_modelled("SAVE TRANSACTION").into()),
        }
    }

    fn transaction_name(&self, name: Option<&super::super::ast::Expr>) -> Result<Option<String>, Raised> {
        let Some(name) = name else { return Ok(None) };
        match self.evaluate(name, Some(Type::NVarChar(Some(4000))))? {
            Value::Text(text) if text.chars().count() > 32 => {
                let start: String = text.chars().take(32).collect();
                let text =
                    format!("The identifier that starts with '{start}' is too long. Maximum length is 32.");
                Err(Message { class: 15, ..Message::error(103, text) }.into())
            }
            Value::Text(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }
}
