//! The pass over a whole batch before its first statement runs.
//!
//! SQL Server compiles a batch first: a wrong column of a table that exists stops all of it, a table that does
//! not exist (yet) only its statement, when its turn comes.

use super::super::ast::{
    Declaration, Executed, Expr, InsertFrom, SetOption, Statement, Target, Transaction, What,
};
use super::super::binder::{Asked, Binder};
use super::super::state::LocalTable;
use super::batch::Batch;
use super::raised::compile_error;
use crate::sandbox::answer::Message;
use crate::sandbox::value::Value;

impl Batch<'_> {
    /// Errors that keep the whole batch from running.
    pub(super) fn check(&mut self, statements: &[Statement]) -> Result<(), Vec<Message>> {
        if let [one] = statements
            && matches!(one.what, What::Select(_))
        {
            // nothing would run before it: its own binding says the same
            return Ok(());
        }
        self.check_every(statements)
    }

    /// The same, of a procedure's body: nothing of it runs now.
    pub(super) fn check_every(&mut self, statements: &[Statement]) -> Result<(), Vec<Message>> {
        let real = self.variables.clone();
        let database = self.session.context.database.clone();
        let result = statements.iter().try_for_each(|s| self.check_one(s));
        self.variables = real;
        self.session.context.database = database;
        self.host_failed.set(false);
        result
    }

    fn deferred(&self, statement: &Statement, result: Result<(), Vec<Message>>) -> Result<(), Vec<Message>> {
        let host_failed = self.host_failed.replace(false);
        let Err(mut messages) = result else { return Ok(()) };
        // a missing object, what the host refused and what is not modelled wait for their turn
        if host_failed || messages.iter().any(|m| m.number == 208 || !compile_error(m.number)) {
            return Ok(());
        }
        for message in &mut messages {
            if message.line <= 1 {
                message.line = statement.line;
            }
        }
        Err(messages)
    }

    fn value(&self, statement: &Statement, value: &Expr) -> Result<(), Vec<Message>> {
        let result = self.with_world(|world| Binder::new(world).value(value).map(|_| ()));
        self.deferred(statement, result)
    }

    fn check_all(&mut self, list: &[Statement]) -> Result<(), Vec<Message>> {
        list.iter().try_for_each(|s| self.check_one(s))
    }

    pub(super) fn check_one(&mut self, statement: &Statement) -> Result<(), Vec<Message>> {
        match &statement.what {
            What::Select(query) => {
                let result = self.with_world(|world| Binder::new(world).statement(query).map(|_| ()));
                self.deferred(statement, result)
            }
            What::Insert(insert) => {
                if let InsertFrom::Query(query) = &insert.from {
                    let result = self.with_world(|world| Binder::new(world).statement(query).map(|_| ()));
                    self.deferred(statement, result)?;
                }
                let result =
                    self.check_insert(&insert.target, &insert.columns, &insert.from).map_err(|m| vec![m]);
                self.deferred(statement, result)
            }
            What::Update(update) => {
                let asked = Asked {
                    ctes: &update.ctes,
                    target: &update.target,
                    set: &update.set,
                    from: update.from.as_ref(),
                    filter: update.filter.as_ref(),
                    top: None,
                    output: update.output.as_ref(),
                };
                let result = self.with_world(|world| Binder::new(world).change(&asked).map(|_| ()));
                self.deferred(statement, result)
            }
            What::Delete(delete) => {
                let asked = Asked {
                    ctes: &delete.ctes,
                    target: &delete.target,
                    set: &[],
                    from: delete.from.as_ref(),
                    filter: delete.filter.as_ref(),
                    top: None,
                    output: delete.output.as_ref(),
                };
                let result = self.with_world(|world| Binder::new(world).change(&asked).map(|_| ()));
                self.deferred(statement, result)
            }
            What::Merge(merge) => {
                let result = self.with_world(|world| Binder::new(world).merge(merge, None).map(|_| ()));
                match result {
                    // how many columns an INSERT has is known when the table is
                    Err(messages) if messages.iter().all(|m| m.number == 109 || m.number == 110) => Ok(()),
                    result => self.deferred(statement, result),
                }
            }
            What::DeclareCursor { cursor, .. } => {
                let result = self.with_world(|world| Binder::new(world).statement(&cursor.query).map(|_| ()));
                self.deferred(statement, result)
            }
            What::Declare(list) => self.check_declare(statement, list),
            What::SetVariable { name, value, .. } => {
                self.known(statement, name)?;
                self.value(statement, value)
            }
            What::SetOption(SetOption::Value(_, value))
            | What::Print(value)
            | What::Return(Some(value))
            | What::WaitFor { value, .. } => self.value(statement, value),
            What::If { condition, then, otherwise } => {
                self.value(statement, condition)?;
                self.check_one(then)?;
                otherwise.as_ref().map_or(Ok(()), |o| self.check_one(o))
            }
            What::While { condition, body } => {
                self.value(statement, condition)?;
                self.check_one(body)
            }
            What::Block(list) => self.check_all(list),
            What::Try { body, catch } => {
                self.check_all(body)?;
                self.check_all(catch)
            }
            What::RaiseError { message, severity, state, arguments, .. } => [message, severity, state]
                .into_iter()
                .chain(arguments)
                .try_for_each(|v| self.value(statement, v)),
            What::Execute(execute) => {
                if let Some(status) = &execute.status {
                    self.known(statement, status)?;
                }
                match &execute.what {
                    Executed::Text(text) => self.value(statement, text),
                    Executed::Procedure { arguments, .. } | Executed::Named { arguments, .. } => arguments
                        .iter()
                        .filter_map(|a| a.value.as_ref())
                        .try_for_each(|v| self.value(statement, v)),
                }
            }
            What::Use(database) => {
                // takes effect while compiling, too
                if self.session.host.enter(&self.session.context, database).is_ok() {
                    self.session.context.database.clone_from(database);
                }
                Ok(())
            }
            What::Transaction(
                Transaction::Begin { name: Some(name), .. } | Transaction::Rollback { name: Some(name) },
            ) => self.value(statement, name),
            _ => Ok(()),
        }
    }

    fn known(&self, statement: &Statement, name: &str) -> Result<(), Vec<Message>> {
        if self.variables.scalars.contains_key(&name.to_lowercase()) {
            return Ok(());
        }
        Err(vec![Message { line: statement.line, ..super::control::undeclared(name) }])
    }

    fn check_declare(&mut self, statement: &Statement, list: &[Declaration]) -> Result<(), Vec<Message>> {
        for declaration in list {
            let (Declaration::Scalar { name, .. }
            | Declaration::Table { name, .. }
            | Declaration::Cursor { name }) = declaration;
            let key = name.to_lowercase();
            if self.variables.scalars.contains_key(&key)
                || self.variables.tables.contains_key(&key)
                || self.variables.cursors.contains_key(&key)
            {
                let text = format!(
                    "The variable name '{name}' has already been declared. Variable names must be unique within a query batch or stored procedure."
                );
                return Err(vec![Message { class: 15, line: statement.line, ..Message::error(134, text) }]);
            }
            match declaration {
                Declaration::Scalar { kind, value, .. } => {
                    if let Some(value) = value {
                        self.value(statement, value)?;
                    }
                    self.variables.scalars.insert(key, (*kind, Value::Null));
                }
                Declaration::Table { definition, .. } => {
                    let shown = name.clone();
                    let definition = self.completed(&shown, definition.clone()).map_err(|r| r.messages)?;
                    self.variables.tables.insert(key, LocalTable::new(definition));
                }
                Declaration::Cursor { .. } => {
                    self.variables.cursors.insert(key, None);
                }
            }
        }
        Ok(())
    }

    fn check_insert(&self, target: &Target, columns: &[String], from: &InsertFrom) -> Result<(), Message> {
        let table = self.target_definition(target)?;
        let given = self.identity_given(&self.changed(target)?);
        self.insert_columns(&table.columns, columns, given, "").or_else(|m| {
            // whether IDENTITY_INSERT is on is known when its turn comes
            if m.number == 544 { Ok(Vec::new()) } else { Err(m) }
        })?;
        let count = if columns.is_empty() { None } else { Some(columns.len()) };
        if let (InsertFrom::Values(rows), Some(count)) = (from, count) {
            for row in rows {
                super::insert::check_counts(count, row.len())?;
            }
        }
        Ok(())
    }
}
