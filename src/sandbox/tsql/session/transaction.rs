//! Transactions as a session counts them: names, nesting, savepoints of its own tables, and what they refuse.
//!
//! Does not undo anything in databases: the host does that from its log.

use std::collections::HashMap;

use super::super::ast::{Body, Expr, Transaction, What};
use super::super::plan::Fault;
use super::super::state::LocalTable;
use super::Session;
use super::batch::Batch;
use super::raised::Raised;
use crate::sandbox::answer::{Message, Part, Sink};
use crate::sandbox::host::{Begin, Change, ObjectName, Patience};
use crate::sandbox::value::{Type, Value};

/// The transaction a session is in.
#[derive(Debug)]
pub(super) struct Open {
    id: u64,
    name: Option<String>,
    /// Temporary tables as they were; `None` = there was none.
    temporary: HashMap<String, Option<LocalTable>>,
    /// Savepoints by name, with the temporary tables there were.
    savepoints: Vec<(String, HashMap<String, LocalTable>)>,
    distributed: bool,
}

/// 3930
pub(super) fn uncommittable() -> Message {
    Message::error(
        3930,
        "The current transaction cannot be committed and cannot support operations that write to the log file. Roll back the transaction.",
    )
}

/// Whether a statement writes to the log.
pub(super) const fn writes(what: &What) -> bool {
    matches!(
        what,
        What::Insert { .. }
            | What::Update { .. }
            | What::Delete { .. }
            | What::Merge { .. }
            | What::AlterTable { .. }
            | What::Truncate(_)
            | What::CreateTable { .. }
            | What::DropTable { .. }
    )
}

/// Whether a statement begins a transaction under IMPLICIT_TRANSACTIONS.
pub(super) fn begins(what: &What) -> bool {
    let reads = |body: &Body| match body {
        Body::Select(select) => select.from.is_some() || select.into.is_some(),
        Body::Set { .. } => true,
    };
    match what {
        What::Select(query) => reads(&query.body),
        other => writes(other),
    }
}

impl Session {
    pub(super) fn begin_transaction(&mut self, begin: &Begin, sink: &mut dyn Sink) -> Result<(), Fault> {
        if self.globals.doomed {
            return Err(uncommittable().into());
        }
        if self.transaction.is_none() {
            let id = self.host.begin(&self.context, begin)?;
            self.transaction = Some(Open {
                id,
                name: begin.name.clone(),
                temporary: HashMap::new(),
                savepoints: Vec::new(),
                distributed: begin.distributed,
            });
            sink.put(Part::Begun(id))?;
        } else if begin.distributed {
            self.host.begin(&self.context, begin)?;
            if let Some(open) = &mut self.transaction {
                open.distributed = true;
            }
        }
        self.globals.transactions += 1;
        if self.globals.transactions > 1 {
            self.host.nested(&self.context, self.globals.transactions);
        }
        Ok(())
    }

    pub(super) fn commit_transaction(&mut self, sink: &mut dyn Sink) -> Result<(), Fault> {
        if self.globals.transactions == 0 {
            let text = "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.";
            return Err(Message::error(3902, text).into());
        }
        if self.globals.doomed {
            return Err(uncommittable().into());
        }
        if self.globals.transactions == 1
            && let Some(open) = &self.transaction
        {
            let id = open.id;
            let committed = self.host.commit(&self.context);
            self.transaction = None;
            self.globals.transactions = 0;
            sink.put(Part::Ended { id, committed: committed.is_ok() })?;
            return Ok(committed?);
        }
        self.globals.transactions -= 1;
        if self.globals.transactions > 0 {
            self.host.nested(&self.context, self.globals.transactions);
        }
        Ok(())
    }

    /// ROLLBACK; with a name to the savepoint of that name, or all of it by the outermost one's name.
    pub(super) fn roll_back(&mut self, name: Option<&str>, sink: &mut dyn Sink) -> Result<(), Fault> {
        let Some(open) = &self.transaction else {
            let text = "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.";
            return Err(Message::error(3903, text).into());
        };
        if let Some(name) = name {
            if let Some(n) = open.savepoints.iter().rposition(|(s, _)| s == name) {
                return self.roll_back_to(n, name);
            }
            if open.name.as_deref() != Some(name) {
                let text =
                    format!("Cannot roll back {name}. No transaction or savepoint of that name was found.");
                return Err(Message::error(6401, text).into());
            }
        }
        self.roll_back_all(sink)
    }

    /// Undoes what came behind the n-th savepoint, which stays.
    fn roll_back_to(&mut self, n: usize, name: &str) -> Result<(), Fault> {
        if self.globals.doomed {
            let text = "The current transaction cannot be committed and cannot be rolled back to a savepoint. Roll back the entire transaction.";
            return Err(Message::error(3931, text).into());
        }
        self.host.roll_back_to(&self.context, name)?;
        if let Some(open) = &mut self.transaction {
            open.savepoints.truncate(n + 1);
            self.temporary.clone_from(&open.savepoints[n].1);
        }
        Ok(())
    }

    fn save_transaction(&mut self, name: String) -> Result<(), Message> {
        let Some(open) = &mut self.transaction else {
            let text = "Cannot issue SAVE TRANSACTION when there is no active transaction.";
            return Err(Message::error(628, text));
        };
        if open.distributed {
            let text = "Cannot use SAVE TRANSACTION within a distributed transaction.";
            return Err(Message::error(627, text));
        }
        if self.globals.doomed {
            return Err(uncommittable());
        }
        self.host.save(&self.context, &name)?;
        open.savepoints.push((name, self.temporary.clone()));
        Ok(())
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
        let undone = self.host.roll_back(&self.context);
        sink.put(Part::Ended { id: open.id, committed: false })?;
        Ok(undone?)
    }

    /// How long it waits for locks.
    pub(super) fn patience_for_locks<'a>(&self, stopped: &'a dyn Fn() -> bool) -> Patience<'a> {
        let priority = self.settings.deadlock_priority;
        Patience { stopped, lock_timeout: self.globals.lock_timeout, priority }
    }

    /// Remembers a temporary table before its first change.
    pub(super) fn keep_table(&mut self, key: &str) {
        let now = self.temporary.get(key).cloned();
        if let Some(open) = &mut self.transaction {
            open.temporary.entry(key.to_owned()).or_insert(now);
        }
    }

    /// Under IMPLICIT_TRANSACTIONS a statement on tables begins one.
    pub(super) fn begin_implicitly(&mut self, sink: &mut dyn Sink) -> Result<(), Fault> {
        if self.settings.implicit && self.transaction.is_none() {
            self.begin_transaction(&Begin::default(), sink)?;
        }
        Ok(())
    }

    /// What the end of a request does with a transaction that can only be rolled back.
    pub(super) fn end_request(&mut self, sink: &mut dyn Sink) {
        if !self.globals.doomed {
            return;
        }
        let text =
            "Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.";
        let _ = sink.put(Part::Error(Message::error(3998, text)));
        let _ = self.roll_back_all(sink);
        let _ = sink.put(Part::Done { rows: None });
    }
}

impl Batch<'_> {
    pub(super) fn transaction(&mut self, what: &Transaction) -> Result<(), Raised> {
        match what {
            Transaction::Begin { mark, name, distributed } => {
                let name = self.transaction_name(name.as_ref())?;
                // under IMPLICIT_TRANSACTIONS this is the second
                self.session.begin_implicitly(self.sink)?;
                let begin = Begin { name: name.clone(), distributed: *distributed };
                self.session.begin_transaction(&begin, self.sink)?;
                if let (Some(mark), Some(name)) = (mark, name) {
                    self.mark(&name, mark.description.as_ref())?;
                }
                Ok(())
            }
            Transaction::Commit => Ok(self.session.commit_transaction(self.sink)?),
            Transaction::Rollback { name } => {
                let name = self.transaction_name(name.as_ref())?;
                self.session.roll_back(name.as_deref(), self.sink)?;
                self.forget();
                Ok(())
            }
            Transaction::Save { name } => {
                let name = self.transaction_name(Some(name))?.unwrap_or_default();
                Ok(self.session.save_transaction(name)?)
            }
        }
    }

    fn mark(&mut self, name: &str, description: Option<&Expr>) -> Result<(), Raised> {
        let description = match description {
            Some(text) => self.evaluate(text, Some(Type::NVarChar(Some(255))))?,
            None => Value::Null,
        };
        let description = if let Value::Text(text) = description { text } else { String::new() };
        if !self.session.host.mark(&self.session.context, name, &description)? {
            let text =
                "The WITH MARK option only applies to the first BEGIN TRAN WITH MARK. The option is ignored.";
            self.info(Message { class: 0, ..Message::error(3920, text) })?;
        }
        Ok(())
    }

    /// A name as written has at most 32 characters; of a variable's value the first 32 count.
    fn transaction_name(&self, name: Option<&Expr>) -> Result<Option<String>, Raised> {
        let Some(name) = name else { return Ok(None) };
        let written = matches!(name, Expr::Literal(..));
        match self.evaluate(name, Some(Type::NVarChar(Some(4000))))? {
            Value::Text(text) if written && text.chars().count() > 32 => {
                let start: String = text.chars().take(32).collect();
                let text =
                    format!("The identifier that starts with '{start}' is too long. Maximum length is 32.");
                Err(Message { class: 15, state: 4, ..Message::error(103, text) }.into())
            }
            Value::Text(text) => Ok(Some(text.chars().take(32).collect())),
            _ => Ok(None),
        }
    }

    /// Refuses to write in a transaction that can only be rolled back.
    pub(super) fn may_write(&self) -> Result<(), Message> {
        if self.session.globals.doomed { Err(uncommittable()) } else { Ok(()) }
    }

    /// Hands a change to the host.
    pub(super) fn write(&mut self, object: &ObjectName, change: Change) -> Result<u64, Raised> {
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        let patience = self.session.patience_for_locks(&stopped);
        let count = self.session.host.change(&self.session.context, object, change, patience)?;
        self.forget();
        Ok(count)
    }

    /// Whether a scope that was executed left as many transactions as it found: 266.
    pub(super) fn balanced(&self, before: i32) -> Result<(), Message> {
        let now = self.session.globals.transactions;
        if now == before {
            return Ok(());
        }
        let text = format!(
            "Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT statements. Previous count = {before}, current count = {now}."
        );
        Err(Message { state: 2, ..Message::error(266, text) })
    }
}
