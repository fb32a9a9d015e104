//! Variables, PRINT, RAISERROR, THROW, WAITFOR, USE, and other statements that read no table.

use std::time::Duration;

use super::super::ast::{Declaration, Expr, Name, Operator, What};
use super::super::convert::convert;
use super::super::state::{Caught, LocalTable};
use super::batch::Batch;
use super::message;
use super::raised::{Ends, Raised};
use crate::sandbox::answer::{Message, Part, Stopped};
use crate::sandbox::value::{Type, Value};

impl Batch<'_> {
    pub(super) fn declare(&mut self, list: &[Declaration]) -> Result<(), Raised> {
        for declaration in list {
            match declaration {
                Declaration::Scalar { name, kind, value } => {
                    let key = name.to_lowercase();
                    let value = match value {
                        Some(value) => self.evaluate(value, Some(*kind))?,
                        // in a loop a variable keeps its value
                        None => self.variables.scalars.get(&key).map_or(Value::Null, |(_, v)| v.clone()),
                    };
                    self.variables.scalars.insert(key, (*kind, value));
                }
                Declaration::Table { name, definition } => {
                    let key = name.to_lowercase();
                    if !self.variables.tables.contains_key(&key) {
                        let definition = self.completed(name, definition.clone())?;
                        self.variables.tables.insert(key, LocalTable::new(definition));
                    }
                }
                Declaration::Cursor { name } => {
                    self.variables.cursors.entry(name.to_lowercase()).or_insert(None);
                }
            }
        }
        Ok(())
    }

    pub(super) fn set_variable(
        &mut self,
        name: &str,
        operator: Option<Operator>,
        value: &Expr,
    ) -> Result<(), Raised> {
        let key = name.to_lowercase();
        let Some((kind, _)) = self.variables.scalars.get(&key) else {
            return Err(self.unbound(vec![undeclared(name)]));
        };
        let kind = *kind;
        let value = match operator {
            None => self.evaluate(value, Some(kind))?,
            Some(operator) => {
                let whole = Expr::Binary(
                    operator,
                    Box::new(Expr::Variable(name.to_owned())),
                    Box::new(value.clone()),
                );
                self.evaluate(&whole, Some(kind))?
            }
        };
        self.variables.scalars.insert(key, (kind, value));
        Ok(())
    }

    /// Statements without rows.
    pub(super) fn simple(&mut self, what: &What) -> Result<(), Raised> {
        match what {
            What::Print(value) => self.print(value),
            What::RaiseError { message, severity, state, arguments, log } => {
                self.raise_error(message, severity, state, arguments, *log)
            }
            What::Throw(given) => self.throw(given.as_ref()),
            What::WaitFor { until, value } => self.wait(*until, value),
            What::SetOption(option) => self.set_option(option),
            What::Use(database) => self.use_database(database),
            What::Transaction(transaction) => self.transaction(transaction),
            What::Command(command) => self.command(command),
            What::CreateTable { name, definition } => {
                let shown = name.last().cloned().unwrap_or_default();
                let definition = self.completed(&shown, definition.clone())?;
                self.create_table(name, LocalTable::new(definition))
            }
            What::CreateModule { name, how, module } => self.create_module(name, *how, module),
            What::DropModules { kind, names, if_exists } => self.drop_modules(*kind, names, *if_exists),
            What::CreateIndex { name, table, unique, columns } => {
                self.create_index(name, table, *unique, columns)
            }
            What::DropIndex { name, table, if_exists } => self.drop_index(name, table, *if_exists),
            What::AlterTable { name, change } => self.alter_table(name, change),
            What::DeclareCursor { name, cursor } => self.declare_cursor(name, cursor),
            What::SetCursor { variable, to } => self.set_cursor(variable, to),
            What::OpenCursor(name) => self.open_cursor(name),
            What::CloseCursor(name) => self.close_cursor(name),
            What::Deallocate(name) => self.deallocate(name),
            What::DropTable { names, if_exists } => self.drop_tables(names, *if_exists),
            _ => Err(Message::not_modelled("this statement").into()),
        }
    }

    fn print(&mut self, value: &Expr) -> Result<(), Raised> {
        let text = match self.evaluate(value, Some(Type::NVarChar(None)))? {
            Value::Text(text) => text,
            // NULL prints as nothing
            _ => String::new(),
        };
        let text = text.chars().take(4000).collect::<String>();
        self.info(Message { number: 0, state: 1, class: 0, text, procedure: String::new(), line: 1 })?;
        Ok(())
    }

    fn raise_error(
        &mut self,
        given: &Expr,
        severity: &Expr,
        state: &Expr,
        arguments: &[Expr],
        log: bool,
    ) -> Result<(), Raised> {
        let line = self.line;
        let int = |value: Value| match value {
            Value::Int(n) => n,
            _ => 0,
        };
        let class = int(self.evaluate(severity, Some(Type::BigInt))?).clamp(0, 25) as u8;
        let state = int(self.evaluate(state, Some(Type::BigInt))?);
        // negative states become 1
        let state = if state < 0 { 1 } else { state.min(255) as u8 };
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.evaluate_with(|b| b.value(argument), None)?.0);
        }
        let (number, text) = match self.evaluate_with(|b| b.value(given), None)?.0 {
            Value::Text(text) => (50000, text),
            Value::Int(n) if n < 13000 => {
                let text = format!(
                    "Error {n}, severity {class}, state {state} was raised, but no message with that error number was found in sys.messages. If error is larger than 50000, make sure the user-defined message is added using sp_addmessage."
                );
                return Err(Message::error(18054, text).into());
            }
            Value::Int(n) => return Err(Message::not_modelled(format!("RAISERROR of message {n}")).into()),
            _ => (50000, String::new()),
        };
        let text = message::format(&text, &values)?;
        let message = Message { number, state, class, text, procedure: String::new(), line };
        if class <= 10 {
            self.info(Message { number: if class == 0 { 50000 } else { number }, ..message })?;
            return Ok(());
        }
        if class >= 19 && !log || log && !self.session.context.sysadmin {
            let text = if class >= 19 && !log {
                "Error severity levels greater than 18 can only be specified by members of the sysadmin role, using the WITH LOG option."
            } else {
                "Only System Administrator can specify WITH LOG option for RAISERROR command."
            };
            return Err(Message::error(if log { 2778 } else { 2754 }, text).into());
        }
        // the batch goes on behind RAISERROR, whatever XACT_ABORT says
        if self.tries.is_empty() && class < 20 {
            self.session.globals.error = message.number;
            self.sink.put(Part::Error(message))?;
            self.sink.put(Part::Done { rows: None })?;
            return Ok(());
        }
        Err(message.into())
    }

    fn throw(&mut self, given: Option<&(Expr, Expr, Expr)>) -> Result<(), Raised> {
        let message = match given {
            None => match &self.session.globals.caught {
                Some(Caught(message)) => message.clone(),
                None => {
                    return Err(Message {
                        class: 15,
                        ..Message::error(
                            10704,
                            "To rethrow an error, a THROW statement must be used inside a CATCH block. Insert the THROW statement inside a CATCH block, or add error parameters to the THROW statement.",
                        )
                    }
                    .into());
                }
            },
            Some((number, text, state)) => {
                let number = match self.evaluate(number, Some(Type::Int))? {
                    Value::Int(n) if n >= 50000 => n as i32,
                    other => {
                        let shown = if let Value::Int(n) = other { n } else { 0 };
                        let text = format!(
                            "Error number {shown} in the THROW statement is outside the valid range. Specify an error number in the valid range of 50000 to 2147483647."
                        );
                        return Err(Message::error(35100, text).into());
                    }
                };
                let text = match self.evaluate(text, Some(Type::NVarChar(Some(2048))))? {
                    Value::Text(text) => text,
                    _ => String::new(),
                };
                let state = match self.evaluate(state, Some(Type::Int))? {
                    Value::Int(n) => n.clamp(0, 255) as u8,
                    _ => 1,
                };
                Message { state, ..Message::error(number, text) }
            }
        };
        let mut raised = Raised::from(message);
        raised.ends = Ends::Batch;
        Err(raised)
    }

    fn wait(&mut self, until: bool, value: &Expr) -> Result<(), Raised> {
        let (value, kind) = self.evaluate_with(|b| b.value(value), None)?;
        let bad = || Message {
            class: 15,
            ..Message::error(148, "Incorrect time syntax in time string used with WAITFOR.".to_owned())
        };
        let Value::Time(time) = convert(value, kind, Type::Time { scale: 3 }, 0).map_err(|_| bad())? else {
            return Err(bad().into());
        };
        let span = if until {
            let offset = chrono::TimeDelta::minutes(i64::from(self.session.host.utc_offset_minutes()));
            let ahead = time - (self.session.host.now() + offset).time();
            if ahead < chrono::TimeDelta::zero() { ahead + chrono::TimeDelta::days(1) } else { ahead }
        } else {
            time - chrono::NaiveTime::MIN
        };
        let mut left = span.num_milliseconds().max(0) as u64;
        if self.session.host.pass(left) {
            left = 0;
        }
        while left > 0 {
            if self.sink.stopped() {
                return Err(Stopped.into());
            }
            if self.session.host.killed(&self.session.context) {
                let text = "Cannot continue the execution because the session is in the kill state.";
                return Err(Message { class: 21, ..Message::error(596, text) }.into());
            }
            let slice = left.min(20);
            std::thread::sleep(Duration::from_millis(slice));
            left -= slice;
        }
        self.forget();
        Ok(())
    }

    pub(super) fn use_database(&mut self, database: &str) -> Result<(), Raised> {
        self.session.host.enter(&self.session.context, database)?;
        let old = std::mem::replace(&mut self.session.context.database, database.to_owned());
        self.session.host.activity(&self.session.context, None);
        self.forget();
        self.sink.put(Part::Database { old, new: database.to_owned() })?;
        self.info(Message {
            number: 5701,
            state: 1,
            class: 0,
            text: format!("Changed database context to '{database}'."),
            procedure: String::new(),
            line: 1,
        })?;
        Ok(())
    }

    pub(super) fn create_table(&mut self, name: &Name, table: LocalTable) -> Result<(), Raised> {
        let Some(last) = name.last() else { return Ok(()) };
        if last.starts_with("##") {
            return Err(Message::not_modelled("global temporary tables").into());
        }
        if !last.starts_with('#') {
            let definition = table.definition.clone();
            let rows = table.table.rows;
            self.create_permanent(name, &definition)?;
            if !rows.is_empty() {
                let object = self.with_world(|world| world.object(name))?;
                self.write(&object, crate::sandbox::host::Change::Insert(rows))?;
            }
            return Ok(());
        }
        let key = last.to_lowercase();
        if self.session.temporary.contains_key(&key) {
            let text = format!("There is already an object named '{last}' in the database.");
            return Err(Message::error(2714, text).into());
        }
        self.session.keep_table(&key);
        self.session.temporary.insert(key, table);
        Ok(())
    }

    fn drop_tables(&mut self, names: &[Name], if_exists: bool) -> Result<(), Raised> {
        for name in names {
            let Some(last) = name.last() else { continue };
            if !last.starts_with('#') {
                let kind = crate::sandbox::host::ModuleKind::Table;
                self.drop_modules(kind, std::slice::from_ref(name), if_exists)?;
                continue;
            }
            let key = last.to_lowercase();
            self.session.keep_table(&key);
            if self.session.temporary.remove(&key).is_none() && !if_exists {
                let text = format!(
                    "Cannot drop the table '{last}', because it does not exist or you do not have permission."
                );
                return Err(Message { class: 11, state: 5, ..Message::error(3701, text) }.into());
            }
        }
        Ok(())
    }
}

/// 137
pub(super) fn undeclared(name: &str) -> Message {
    Message { class: 15, ..Message::error(137, format!("Must declare the scalar variable \"{name}\".")) }
}
