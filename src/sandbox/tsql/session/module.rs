//! What users make: permanent tables, views and procedures; and how a procedure of theirs runs.

use super::super::ast::{
    ColumnDefinition, Creation, ModuleBody, ModuleParameter, Name, TableDefinition, What,
};
use super::super::binder::Changed;
use super::super::convert::convert;
use super::super::parser;
use super::super::state::Variables;
use super::batch::{Batch, Flow};
use super::call::{Given, NESTING};
use super::raised::Raised;
use crate::sandbox::answer::{Message, Part};
use crate::sandbox::host::{Define, Module, ModuleKind, ObjectName};
use crate::sandbox::value::{Column, Type, Value};

impl Batch<'_> {
    /// DDL of permanent objects is not in the log, so it cannot be undone.
    fn outside_transaction(&self, what: &str) -> Result<(), Raised> {
        if self.session.globals.transactions > 0 {
            return Err(
                Message::not_modelled(format!("{what} of a permanent object within a transaction")).into()
            );
        }
        Ok(())
    }

    /// CREATE TABLE of a permanent table.
    pub(super) fn create_permanent(
        &mut self,
        name: &Name,
        definition: &TableDefinition,
    ) -> Result<(), Raised> {
        self.outside_transaction("CREATE")?;
        let object = self.with_world(|world| world.object(name))?;
        let columns = definition
            .columns
            .iter()
            .map(|c| Column { name: c.name.clone(), kind: c.kind, nullable: c.nullable })
            .collect();
        let text = self.text_of_table(&object, definition)?;
        self.session.host.define(&self.session.context, &object, Define::Table(columns, text))?;
        self.forget();
        Ok(())
    }

    /// The rules of a table that outlive the session, as a CREATE TABLE that can be read again.
    fn text_of_table(&self, object: &ObjectName, table: &TableDefinition) -> Result<String, Raised> {
        if !table.checks.is_empty() || table.columns.iter().any(|c| c.computed.is_some()) {
            return Err(Message::not_modelled("CHECK and computed columns in a permanent table").into());
        }
        let quoted = |n: &str| format!("[{}]", n.replace(']', "]]"));
        let mut parts = Vec::new();
        for column in &table.columns {
            let mut text = format!("{} {}", quoted(&column.name), super::table::type_text(column.kind));
            if let Some((seed, step)) = column.identity {
                text.push_str(&format!(" IDENTITY({seed}, {step})"));
            }
            text.push_str(if column.nullable { " NULL" } else { " NOT NULL" });
            if let Some(default) = &column.default {
                match self.evaluate_with(|b| b.value(default), None)? {
                    (value, kind) if matches!(default, super::super::ast::Expr::Literal(..)) => {
                        match convert(value, kind, Type::NVarChar(None), 0)? {
                            Value::Text(t) => {
                                text.push_str(&format!(" DEFAULT N'{}'", t.replace('\'', "''")));
                            }
                            _ => text.push_str(" DEFAULT NULL"),
                        }
                    }
                    _ => match default {
                        super::super::ast::Expr::Call(call) if call.arguments.is_empty() => {
                            text.push_str(&format!(" DEFAULT {}()", call.name.join(".")));
                        }
                        _ => return Err(Message::not_modelled("this DEFAULT in a permanent table").into()),
                    },
                }
            }
            parts.push(text);
        }
        for key in &table.keys {
            let word = match key.kind {
                super::super::ast::KeyKind::Primary => "PRIMARY KEY",
                _ => "UNIQUE",
            };
            let columns: Vec<String> = key.columns.iter().map(|c| quoted(c)).collect();
            parts.push(format!("CONSTRAINT {} {word} ({})", quoted(&key.name), columns.join(", ")));
        }
        Ok(format!("CREATE TABLE {} ({})", quoted(&object.name), parts.join(", ")))
    }

    /// The definition of a permanent table that a user made.
    pub(super) fn permanent_definition(
        &self,
        object: &ObjectName,
    ) -> Result<Option<TableDefinition>, Message> {
        let (host, context) = (&self.session.host, &self.session.context);
        let Some(module) = host.module(context, object)? else { return Ok(None) };
        if module.kind != ModuleKind::Table {
            return Ok(None);
        }
        match parser::kept(&module.text, host.version().0)? {
            What::CreateTable { definition, .. } => Ok(Some(definition)),
            _ => Ok(None),
        }
    }

    /// Where the identity of a permanent table goes on: behind its rows.
    pub(super) fn next_identity(
        &self,
        changed: &Changed,
        columns: &[ColumnDefinition],
    ) -> Result<i64, Raised> {
        let Some((at, (seed, step))) =
            columns.iter().enumerate().find_map(|(at, c)| c.identity.map(|i| (at, i)))
        else {
            return Ok(1);
        };
        let Changed::Host(object) = changed else { return Ok(seed) };
        let table = self.session.host.table(&self.session.context, object)?;
        let numbers = table.iter().flat_map(|t| &t.rows).filter_map(|row| match row.get(at) {
            Some(Value::Int(n)) => Some(*n),
            _ => None,
        });
        let last = if step < 0 { numbers.min() } else { numbers.max() };
        Ok(last.map_or(seed, |n| n.saturating_add(step)))
    }

    pub(super) fn create_module(
        &mut self,
        name: &Name,
        how: Creation,
        module: &ModuleBody,
    ) -> Result<(), Raised> {
        let text = self.source.clone();
        let kind = match module {
            ModuleBody::View { .. } => ModuleKind::View,
            ModuleBody::Procedure { .. } => ModuleKind::Procedure,
        };
        if name.last().is_some_and(|n| n.starts_with('#')) {
            if kind == ModuleKind::View {
                let text = "Temporary views are not allowed.";
                return Err(Message::error(4103, text).into());
            }
            let key = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
            let taken = self.session.procedures.contains_key(&key);
            if taken && how == Creation::Create {
                let text = format!("There is already an object named '{}' in the database.", name.join("."));
                return Err(Message { state: 3, ..Message::error(2714, text) }.into());
            }
            if self.session.procedures.len() >= 1000 {
                return Err(Message::not_modelled("more than 1000 temporary procedures").into());
            }
            self.session.procedures.insert(key, text);
            return Ok(());
        }
        self.outside_transaction("CREATE")?;
        let object = self.with_world(|world| world.object(name))?;
        match module {
            ModuleBody::View { columns, query } => {
                let last = name.last().cloned().unwrap_or_default();
                self.with_world(|world| {
                    super::super::binder::Binder::new(world).view(query, &last, columns).map(|_| ())
                })
                .map_err(|m| self.unbound(m))?;
            }
            ModuleBody::Procedure { parameters, body } => {
                let mine = std::mem::replace(&mut self.variables, declared(parameters));
                let result = self.check_every(body);
                self.variables = mine;
                if let Err(mut messages) = result {
                    for message in &mut messages {
                        message.procedure.clone_from(&object.name);
                    }
                    return Err(self.unbound(messages));
                }
            }
        }
        let (host, context) = (self.session.host.clone(), self.session.context.clone());
        let known = host.module(&context, &object)?.filter(|m| m.kind == kind);
        if known.is_none() && how == Creation::Alter {
            return Err(Message {
                state: 6,
                ..Message::error(208, format!("Invalid object name '{}'.", name.join(".")))
            }
            .into());
        }
        host.define(&context, &object, Define::Module(Module { kind, text }, how != Creation::Create))?;
        self.forget();
        Ok(())
    }

    pub(super) fn drop_modules(
        &mut self,
        kind: ModuleKind,
        names: &[Name],
        if_exists: bool,
    ) -> Result<(), Raised> {
        for name in names {
            let key = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
            if key.starts_with('#') && self.session.procedures.remove(&key).is_some() {
                continue;
            }
            self.outside_transaction("DROP")?;
            let object = self.with_world(|world| world.object(name))?;
            match self.session.host.define(&self.session.context, &object, Define::Drop(kind)) {
                Err(message) if if_exists && message.number == 3701 => {}
                result => result?,
            }
        }
        self.forget();
        Ok(())
    }

    /// The procedure of that name that a user made.
    fn user_module(&self, name: &[String]) -> Option<(ObjectName, String)> {
        let object = self.with_world(|world| world.object(&name.to_vec())).ok()?;
        if let Some(text) = self.session.procedures.get(&object.name.to_lowercase()) {
            return Some((object, text.clone()));
        }
        // whether the database can be used is told where the procedure is called
        let found = self.session.host.module(&self.session.context, &object).ok()?;
        found.filter(|m| m.kind == ModuleKind::Procedure).map(|m| (object, m.text))
    }

    /// Runs a procedure that a user made; `None` when there is none of that name.
    fn run_user(
        &mut self,
        name: &[String],
        given: &[Given],
    ) -> Result<Option<(i32, Variables, Vec<ModuleParameter>)>, Raised> {
        let Some((object, text)) = self.user_module(name) else { return Ok(None) };
        let version = self.session.host.version().0;
        let What::CreateModule { module, .. } = parser::kept(&text, version)? else { return Ok(None) };
        let ModuleBody::Procedure { parameters, body } = *module else { return Ok(None) };
        let variables = self.filled(&object.name, &parameters, given)?;
        if self.depth + 1 >= NESTING {
            return Err(Message::error(
                217,
                "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).",
            )
            .into());
        }
        let home = self.session.context.database.clone();
        let settings = self.session.settings.clone();
        let transactions = self.session.globals.transactions;
        let identity = self.session.globals.scope_identity.take();
        let tables: Vec<String> = self.session.temporary.keys().cloned().collect();
        if !object.name.starts_with('#') {
            self.session.context.database.clone_from(&object.database);
        }
        self.session.globals.nest_level += 1;
        let mut batch = Batch::new(&mut *self.session, &mut *self.sink, variables, self.depth + 1);
        batch.tries.clone_from(&self.tries);
        batch.procedure.clone_from(&object.name);
        let result = batch.run_all(&body);
        let variables = std::mem::take(&mut batch.variables);
        self.session.globals.nest_level -= 1;
        self.session.settings = settings;
        self.session.globals.scope_identity = identity;
        self.session.context.database = home;
        // its temporary tables end with it
        self.session.temporary.retain(|key, _| tables.contains(key));
        self.forget();
        let status = match result? {
            Flow::Return(status) => status,
            _ => 0,
        };
        self.balanced(transactions)?;
        Ok(Some((status, variables, parameters)))
    }

    fn filled(
        &self,
        procedure: &str,
        parameters: &[ModuleParameter],
        given: &[Given],
    ) -> Result<Variables, Raised> {
        let mut variables = declared(parameters);
        let mut set = vec![false; parameters.len()];
        for (at, argument) in given.iter().enumerate() {
            let place = match &argument.name {
                Some(name) => parameters.iter().position(|p| p.name.eq_ignore_ascii_case(name)),
                None => Some(at).filter(|at| *at < parameters.len()),
            };
            let Some(place) = place else {
                return Err(match &argument.name {
                    Some(name) => {
                        Message::error(8145, format!("{name} is not a parameter for procedure {procedure}."))
                    }
                    None => Message::error(
                        8144,
                        format!("Procedure or function {procedure} has too many arguments specified."),
                    ),
                }
                .into());
            };
            if argument.default {
                continue;
            }
            let parameter = &parameters[place];
            if argument.output.is_some() && !parameter.output {
                let text = format!(
                    "The formal parameter \"{}\" was not declared as an OUTPUT parameter, but the actual parameter passed in requested output.",
                    parameter.name
                );
                return Err(Message::error(8162, text).into());
            }
            set[place] = true;
            if argument.value != Value::Null {
                super::super::types::check_implicit(argument.kind, parameter.kind)?;
            }
            let value = convert(argument.value.clone(), argument.kind, parameter.kind, 0).map_err(|m| {
                if m.number == 245 {
                    let (from, to) =
                        (super::super::types::name(argument.kind), super::super::types::name(parameter.kind));
                    Message::error(8114, format!("Error converting data type {from} to {to}."))
                } else {
                    m
                }
            })?;
            variables.scalars.insert(parameter.name.to_lowercase(), (parameter.kind, value));
        }
        for (parameter, set) in parameters.iter().zip(set) {
            if set {
                continue;
            }
            if let Some(default) = &parameter.default {
                let value = self.evaluate(default, Some(parameter.kind))?;
                variables.scalars.insert(parameter.name.to_lowercase(), (parameter.kind, value));
            } else {
                let text = format!(
                    "Procedure or function '{procedure}' expects parameter '{}', which was not supplied.",
                    parameter.name
                );
                return Err(Message { state: 4, ..Message::error(201, text) }.into());
            }
        }
        Ok(variables)
    }

    /// EXEC of a procedure that a user made.
    pub(super) fn user_procedure(&mut self, name: &[String], given: &[Given]) -> Result<Option<i32>, Raised> {
        let Some((status, after, parameters)) = self.run_user(name, given)? else { return Ok(None) };
        for (at, argument) in given.iter().enumerate() {
            let parameter = match &argument.name {
                Some(own) => parameters.iter().find(|p| p.name.eq_ignore_ascii_case(own)),
                None => parameters.get(at),
            };
            let (Some(parameter), Some(variable)) = (parameter, &argument.output) else { continue };
            if let (Some((from, value)), Some(slot)) =
                (after.scalars.get(&parameter.name.to_lowercase()), self.variables.scalars.get_mut(variable))
            {
                slot.1 = convert(value.clone(), *from, slot.0, 0)?;
            }
        }
        self.sink.put(Part::Status(status))?;
        self.sink.put(Part::Done { rows: None })?;
        Ok(Some(status))
    }

    /// The same, called by a client.
    pub(super) fn rpc_user_procedure(
        &mut self,
        name: &[String],
        given: &[Given],
    ) -> Result<Option<Flow>, Raised> {
        let Some((status, after, parameters)) = self.run_user(name, given)? else { return Ok(None) };
        self.sink.put(Part::Status(status))?;
        for (at, argument) in given.iter().enumerate().filter(|(_, g)| g.output.is_some()) {
            let parameter = match &argument.name {
                Some(own) => parameters.iter().find(|p| p.name.eq_ignore_ascii_case(own)),
                None => parameters.get(at),
            };
            let Some(parameter) = parameter else { continue };
            let value =
                after.scalars.get(&parameter.name.to_lowercase()).map_or(Value::Null, |(_, v)| v.clone());
            self.sink.put(Part::Output { name: parameter.name.clone(), kind: parameter.kind, value })?;
        }
        Ok(Some(Flow::Next))
    }

    /// `sp_MSforeachdb`: a command in every database that can be used, `?` standing for its name.
    pub(super) fn for_each_database(&mut self, given: &[Given]) -> Result<i32, Raised> {
        let text = |name: &str, place: usize| {
            let named = given.iter().find(|g| g.name.as_ref().is_some_and(|n| n.eq_ignore_ascii_case(name)));
            match named.or_else(|| given.get(place).filter(|g| g.name.is_none())).map(|g| &g.value) {
                Some(Value::Text(text)) => Some(text.clone()),
                _ => None,
            }
        };
        for other in given.iter().filter_map(|g| g.name.as_ref()) {
            if !other.eq_ignore_ascii_case("@command1") && !other.eq_ignore_ascii_case("@replacechar") {
                return Err(Message::not_modelled(format!("sp_MSforeachdb {other}")).into());
            }
        }
        let Some(command) = text("@command1", 0) else {
            let text = "Procedure or function 'sp_MSforeachdb' expects parameter '@command1', which was not supplied.";
            return Err(Message { state: 4, ..Message::error(201, text) }.into());
        };
        let mark = text("@replacechar", 1).unwrap_or_else(|| "?".to_owned());
        let view = ObjectName { database: "master".into(), schema: "sys".into(), name: "databases".into() };
        let (host, context) = (self.session.host.clone(), self.session.context.clone());
        let Some(table) = host.table(&context, &view)? else {
            return Err(Message::not_modelled("sp_MSforeachdb without sys.databases").into());
        };
        let column = table.columns.iter().position(|c| c.name == "name").unwrap_or(0);
        let names: Vec<String> = table
            .rows
            .iter()
            .filter_map(
                |row| if let Some(Value::Text(name)) = row.get(column) { Some(name.clone()) } else { None },
            )
            .collect();
        for name in names {
            if host.enter(&context, &name).is_ok() {
                self.inner(&command.replace(&mark, &name), Variables::default())?;
            }
        }
        self.sink.put(Part::Status(0))?;
        self.sink.put(Part::Done { rows: None })?;
        Ok(0)
    }
}

fn declared(parameters: &[ModuleParameter]) -> Variables {
    let mut variables = Variables::default();
    for parameter in parameters {
        variables.scalars.insert(parameter.name.to_lowercase(), (parameter.kind, Value::Null));
    }
    variables
}
