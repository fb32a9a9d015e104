//! The rules of a table: keys, checks, computed columns; and how they are made.

use std::collections::HashSet;

use super::super::ast::{KeyKind, Name, TableChange, TableDefinition};
use super::super::binder::{Binder, Changed};
use super::super::compare::Key;
use super::super::convert::convert;
use super::super::evaluate::{Run, Scope};
use super::super::plan::Row;
use super::super::state::LocalTable;
use super::super::types;
use super::batch::Batch;
use super::change::Changes;
use super::raised::Raised;
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Column, Type, Value};

fn plain(definition: &TableDefinition) -> Vec<Column> {
    definition
        .columns
        .iter()
        .map(|c| Column { name: c.name.clone(), kind: c.kind, nullable: c.nullable })
        .collect()
}

/// A name for a constraint that was given none.
fn made_up(prefix: &str, table: &str, n: usize) -> String {
    let short: String = table.chars().take(9).collect();
    let hash = table
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64 ^ n as u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    format!("{prefix}__{short:_<9}__{hash:016X}")
}

impl Batch<'_> {
    /// Checks a definition and fills in what it leaves out.
    pub(super) fn completed(
        &self,
        name: &str,
        mut table: TableDefinition,
    ) -> Result<TableDefinition, Raised> {
        let same = |a: &str, b: &str| self.with_world(|w| w.same_name(a, b));
        for (at, column) in table.columns.iter().enumerate() {
            if table.columns[..at].iter().any(|c| same(&c.name, &column.name)) {
                let text = format!(
                    "Column names in each table must be unique. Column name '{}' in table '{name}' is specified more than once.",
                    column.name
                );
                return Err(Message::error(2705, text).into());
            }
        }
        if table.columns.iter().filter(|c| c.identity.is_some()).count() > 1 {
            let text = format!(
                "Multiple identity columns specified for table '{name}'. Only one identity column per table is allowed."
            );
            return Err(Message::error(2744, text).into());
        }
        for (n, key) in table.keys.iter_mut().enumerate() {
            for column in &mut key.columns {
                let Some(own) = table.columns.iter_mut().find(|c| same(&c.name, column)) else {
                    let text = format!("Column name '{column}' does not exist in the target table or view.");
                    return Err(Message::error(1911, text).into());
                };
                column.clone_from(&own.name);
                if key.kind == KeyKind::Primary {
                    own.nullable = false;
                }
            }
            if key.name.is_empty() {
                let prefix = if key.kind == KeyKind::Primary { "PK" } else { "UQ" };
                key.name = made_up(prefix, name, n);
            }
        }
        for (n, check) in table.checks.iter_mut().enumerate() {
            if check.0.is_empty() {
                check.0 = made_up("CK", name, n);
            }
        }
        let columns = plain(&table);
        for at in 0..table.columns.len() {
            if let Some(value) = table.columns[at].computed.clone() {
                let bound = self
                    .with_world(|world| Binder::new(world).over_row(&columns, &value))
                    .map_err(|m| self.unbound(m))?;
                table.columns[at].kind = bound.kind;
            }
        }
        let columns = plain(&table);
        for (_, check) in &table.checks {
            self.with_world(|world| Binder::new(world).over_row(&columns, check))
                .map_err(|m| self.unbound(m))?;
        }
        Ok(table)
    }

    /// Fills the computed columns of a row.
    pub(super) fn compute(&self, definition: &TableDefinition, row: &mut [Value]) -> Result<(), Raised> {
        if definition.columns.iter().all(|c| c.computed.is_none()) {
            return Ok(());
        }
        let columns = plain(definition);
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        for (at, column) in definition.columns.iter().enumerate() {
            let Some(value) = &column.computed else { continue };
            let made = self.with_world(|world| {
                let bound = Binder::new(world).over_row(&columns, value).map_err(|m| self.unbound(m))?;
                let tuple = vec![std::rc::Rc::new(row.to_vec())];
                let value =
                    Run::new(world, &stopped).value(&bound, Some(&Scope { tuple: &tuple, around: None }))?;
                Ok::<_, Raised>(convert(value, bound.kind, column.kind, 0)?)
            })?;
            row[at] = made;
        }
        Ok(())
    }

    /// 547, 2601, 2627: rows that would break a rule.
    pub(super) fn keep_rules(
        &mut self,
        changed: &Changed,
        changes: &Changes,
        rows: &[Row],
        shown: &str,
        verb: &str,
    ) -> Result<(), Raised> {
        let definition = self.definition(changed)?;
        let new: Vec<&Vec<Value>> =
            changes.updates.iter().map(|(_, row)| row).chain(&changes.inserts).collect();
        if new.is_empty() {
            return Ok(());
        }
        self.keep_checks(changed, &definition, &new, shown, verb)?;
        let collation = self.session.collation();
        let only_inserts = changes.updates.is_empty() && changes.deletes.is_empty();
        for (n, key) in definition.keys.iter().enumerate() {
            let places: Vec<usize> = key
                .columns
                .iter()
                .filter_map(|c| definition.columns.iter().position(|own| own.name == *c))
                .collect();
            let of =
                |row: &Vec<Value>| -> Vec<Key> { places.iter().map(|p| collation.key(&row[*p])).collect() };
            let mut seen: HashSet<Vec<Key>> = if only_inserts {
                let known =
                    self.own_table_mut(changed).and_then(|t| t.index.get_mut(n)).and_then(Option::take);
                match (known, self.own_table(changed)) {
                    (Some(known), _) => known,
                    (None, Some(table)) => table.table.rows.iter().map(of).collect(),
                    (None, None) => self.host_rows(changed)?.iter().map(of).collect(),
                }
            } else {
                let touched: HashSet<usize> = changes
                    .updates
                    .iter()
                    .map(|(at, _)| *at)
                    .chain(changes.deletes.iter().copied())
                    .collect();
                let kept = rows.iter().enumerate().filter(|(at, _)| !touched.contains(at));
                kept.map(|(_, row)| of(row)).collect()
            };
            let mut added = Vec::new();
            for row in &new {
                let value = of(row);
                if seen.insert(value.clone()) {
                    added.push(value);
                    continue;
                }
                for value in &added {
                    seen.remove(value);
                }
                let values: Vec<String> =
                    places.iter().map(|p| shown_key(&row[*p], definition.columns[*p].kind)).collect();
                let table = match changed {
                    Changed::Host(object) => format!("{}.{}", object.schema, object.name),
                    _ => format!("dbo.{}", shown.rsplit('.').next().unwrap_or(shown)),
                };
                let values = values.join(", ");
                let message = match key.kind {
                    KeyKind::Index => Message {
                        class: 14,
                        ..Message::error(
                            2601,
                            format!(
                                "Cannot insert duplicate key row in object '{table}' with unique index '{}'. The duplicate key value is ({values}).",
                                key.name
                            ),
                        )
                    },
                    kind => Message {
                        class: 14,
                        ..Message::error(
                            2627,
                            format!(
                                "Violation of {} constraint '{}'. Cannot insert duplicate key in object '{table}'. The duplicate key value is ({values}).",
                                if kind == KeyKind::Primary { "PRIMARY KEY" } else { "UNIQUE KEY" },
                                key.name
                            ),
                        )
                    },
                };
                return Err(message.into());
            }
            if only_inserts && let Some(slot) = self.own_table_mut(changed).and_then(|t| t.index.get_mut(n)) {
                *slot = Some(seen);
            }
        }
        Ok(())
    }

    fn host_rows(&self, changed: &Changed) -> Result<Vec<Vec<Value>>, Raised> {
        let Changed::Host(object) = changed else { return Ok(Vec::new()) };
        let table = self.session.host.table(&self.session.context, object)?;
        Ok(table.map(|t| t.rows).unwrap_or_default())
    }

    fn keep_checks(
        &self,
        changed: &Changed,
        definition: &TableDefinition,
        new: &[&Vec<Value>],
        shown: &str,
        verb: &str,
    ) -> Result<(), Raised> {
        let columns = plain(definition);
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        for (name, check) in &definition.checks {
            let broken = self.with_world(|world| {
                let bound = Binder::new(world).over_row(&columns, check).map_err(|m| self.unbound(m))?;
                let run = Run::new(world, &stopped);
                for row in new {
                    let tuple = vec![std::rc::Rc::new((*row).clone())];
                    let value = run.value(&bound, Some(&Scope { tuple: &tuple, around: None }))?;
                    if value == Value::Bit(false) {
                        return Ok::<_, Raised>(true);
                    }
                }
                Ok(false)
            })?;
            if broken {
                let (database, table) = match changed {
                    Changed::Host(o) => (o.database.clone(), format!("{}.{}", o.schema, o.name)),
                    _ => ("tempdb".to_owned(), format!("dbo.{}", shown.rsplit('.').next().unwrap_or(shown))),
                };
                let text = format!(
                    "The {verb} statement conflicted with the CHECK constraint \"{name}\". The conflict occurred in database \"{database}\", table \"{table}\"."
                );
                return Err(Message { state: 0, ..Message::error(547, text) }.into());
            }
        }
        Ok(())
    }

    /// CREATE INDEX: only a unique one shows.
    pub(super) fn create_index(
        &mut self,
        name: &str,
        table: &Name,
        unique: bool,
        columns: &[String],
    ) -> Result<(), Raised> {
        let target = super::super::ast::Target::Named(table.clone(), self.line);
        let changed = self.changed(&target)?;
        if let Changed::Host(_) = changed {
            return Err(Message::not_modelled("CREATE INDEX on a permanent table").into());
        }
        let Some(own) = self.own_table(&changed) else {
            let text = format!(
                "Cannot find the object \"{}\" because it does not exist or you do not have permissions.",
                table.join(".")
            );
            return Err(Message::error(1088, text).into());
        };
        let mut definition = own.definition.clone();
        if definition.keys.iter().any(|k| k.name.eq_ignore_ascii_case(name)) {
            let text = format!(
                "The operation failed because an index or statistics with name '{name}' already exists on table '{}'.",
                table.join(".")
            );
            return Err(Message::error(1913, text).into());
        }
        let kind = KeyKind::Index;
        definition.keys.push(super::super::ast::KeyDefinition {
            name: name.to_owned(),
            kind,
            columns: columns.to_vec(),
        });
        let shown = table.last().cloned().unwrap_or_default();
        let mut definition = self.completed(&shown, definition)?;
        if !unique {
            definition.keys.pop();
            return Ok(());
        }
        let collation = self.session.collation();
        let Some(key) = definition.keys.last().cloned() else { return Ok(()) };
        let places: Vec<usize> =
            key.columns.iter().filter_map(|c| definition.columns.iter().position(|o| o.name == *c)).collect();
        if let Some(own) = self.own_table_mut(&changed) {
            let mut seen: HashSet<Vec<Key>> = HashSet::new();
            for row in &own.table.rows {
                if !seen.insert(places.iter().map(|p| collation.key(&row[*p])).collect()) {
                    let values: Vec<String> =
                        places.iter().map(|p| shown_key(&row[*p], definition.columns[*p].kind)).collect();
                    let text = format!(
                        "The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for the object name 'dbo.{shown}' and the index name '{name}'. The duplicate key value is ({}).",
                        values.join(", ")
                    );
                    return Err(Message::error(1505, text).into());
                }
            }
            own.definition = definition;
            own.forget_index();
        }
        Ok(())
    }

    pub(super) fn drop_index(&mut self, name: &str, table: &Name, if_exists: bool) -> Result<(), Raised> {
        let target = super::super::ast::Target::Named(table.clone(), self.line);
        let changed = self.changed(&target)?;
        if let Changed::Host(_) = changed {
            return Err(Message::not_modelled("DROP INDEX on a permanent table").into());
        }
        if let Some(own) = self.own_table_mut(&changed) {
            own.definition.keys.retain(|k| !k.name.eq_ignore_ascii_case(name));
            own.forget_index();
            return Ok(());
        }
        if if_exists {
            return Ok(());
        }
        let text = format!(
            "Cannot drop the index '{}.{name}', because it does not exist or you do not have permission.",
            table.join(".")
        );
        Err(Message { class: 11, state: 7, ..Message::error(3701, text) }.into())
    }

    /// ALTER TABLE of a table of the session.
    pub(super) fn alter_table(&mut self, name: &Name, change: &TableChange) -> Result<(), Raised> {
        let target = super::super::ast::Target::Named(name.clone(), self.line);
        let changed = self.changed(&target)?;
        if let Changed::Host(object) = &changed {
            let there = self.with_world(|world| world.columns(object))?;
            if there.is_some() {
                return Err(Message::not_modelled("ALTER TABLE of a permanent table").into());
            }
        }
        let shown = name.last().cloned().unwrap_or_default();
        let Some(own) = self.own_table(&changed).cloned() else {
            let text = format!(
                "Cannot find the object \"{shown}\" because it does not exist or you do not have permissions."
            );
            return Err(Message::error(4902, text).into());
        };
        let altered = self.altered(&shown, own, change)?;
        if let Some(slot) = self.own_table_mut(&changed) {
            *slot = altered;
        }
        self.forget();
        Ok(())
    }

    /// A table with one change made to it.
    pub(super) fn altered(
        &mut self,
        shown: &str,
        mut own: LocalTable,
        change: &TableChange,
    ) -> Result<LocalTable, Raised> {
        let place = |own: &LocalTable, column: &str| {
            own.definition.columns.iter().position(|c| c.name.eq_ignore_ascii_case(column)).ok_or_else(|| {
                let text = format!(
                    "ALTER TABLE DROP COLUMN failed because column '{column}' does not exist in table '{shown}'."
                );
                Raised::from(Message::error(4924, text))
            })
        };
        match change {
            TableChange::Nothing => {}
            TableChange::Add(more) => {
                let mut definition = own.definition.clone();
                definition.columns.extend(more.columns.iter().cloned());
                definition.keys.extend(more.keys.iter().cloned());
                definition.checks.extend(more.checks.iter().cloned());
                let definition = self.completed(shown, definition)?;
                let added = definition.columns[own.definition.columns.len()..].to_vec();
                for column in &added {
                    if !column.nullable
                        && column.default.is_none()
                        && column.identity.is_none()
                        && column.computed.is_none()
                        && !own.table.rows.is_empty()
                    {
                        let text = format!(
                            "ALTER TABLE only allows columns to be added that can contain nulls, or have a DEFAULT definition specified, or the column being added is an identity or timestamp column, or alternatively if none of the previous conditions are satisfied the table must be empty to allow addition of this column. Column '{}' cannot be added to non-empty table '{shown}' because it does not satisfy these conditions.",
                            column.name
                        );
                        return Err(Message::error(4901, text).into());
                    }
                }
                let mut rows = std::mem::take(&mut own.table.rows);
                let mut next = added.iter().find_map(|c| c.identity).map_or(own.next_identity, |i| i.0);
                for row in &mut rows {
                    for column in &added {
                        let value = match (&column.identity, &column.default) {
                            (Some((_, step)), _) => {
                                let value = Value::Int(next);
                                next += step;
                                convert(value, Type::BigInt, column.kind, 0)?
                            }
                            (None, Some(default)) if !column.nullable => {
                                self.evaluate(default, Some(column.kind))?
                            }
                            _ => Value::Null,
                        };
                        row.push(value);
                    }
                    self.compute(&definition, row)?;
                }
                let mut fresh = LocalTable::new(definition);
                fresh.next_identity = next;
                fresh.table.rows = rows;
                own = fresh;
            }
            TableChange::DropColumns(names) => {
                for name in names {
                    let at = place(&own, name)?;
                    let real = own.definition.columns[at].name.clone();
                    if let Some(key) = own.definition.keys.iter().find(|k| k.columns.contains(&real)) {
                        let first = format!("The object '{}' is dependent on column '{real}'.", key.name);
                        let second = format!(
                            "ALTER TABLE DROP COLUMN {real} failed because one or more objects access this column."
                        );
                        let mut raised = Raised::from(Message::error(4922, second));
                        raised.messages.insert(0, Message::error(5074, first));
                        return Err(raised);
                    }
                    own.definition.columns.remove(at);
                    own.table.columns.remove(at);
                    for row in &mut own.table.rows {
                        row.remove(at);
                    }
                }
                own.forget_index();
            }
            TableChange::DropConstraints(names) => {
                for name in names {
                    let before = own.definition.keys.len() + own.definition.checks.len();
                    own.definition.keys.retain(|k| !k.name.eq_ignore_ascii_case(name));
                    own.definition.checks.retain(|c| !c.0.eq_ignore_ascii_case(name));
                    if before == own.definition.keys.len() + own.definition.checks.len() {
                        let text = format!("'{name}' is not a constraint.");
                        return Err(Message::error(3728, text).into());
                    }
                }
                own.forget_index();
            }
            TableChange::AlterColumn(new) => {
                let at = place(&own, &new.name)?;
                let old = own.definition.columns[at].kind;
                for row in &mut own.table.rows {
                    let value = std::mem::replace(&mut row[at], Value::Null);
                    row[at] = self.fitted(value, old, new, shown)?;
                    if row[at] == Value::Null && !new.nullable {
                        let text = format!(
                            "Cannot insert the value NULL into column '{}', table 'tempdb.dbo.{shown}'; column does not allow nulls. UPDATE fails.",
                            new.name
                        );
                        return Err(Message { state: 2, ..Message::error(515, text) }.into());
                    }
                }
                own.definition.columns[at].kind = new.kind;
                own.definition.columns[at].nullable = new.nullable;
                own.table.columns[at].kind = new.kind;
                own.table.columns[at].nullable = new.nullable;
                own.forget_index();
            }
        }
        Ok(own)
    }
}

/// The name of a table as messages tell it.
pub(super) fn full_name(changed: &Changed, shown: &str) -> String {
    match changed {
        Changed::Host(object) => format!("{}.{}.{}", object.database, object.schema, object.name),
        Changed::Temporary(_) => format!("tempdb.dbo.{}", shown.rsplit('.').next().unwrap_or(shown)),
        Changed::Variable(_) => shown.to_owned(),
    }
}

/// A type as CREATE TABLE writes it.
pub(super) fn type_text(kind: Type) -> String {
    let max = |n: Option<u16>| n.map_or_else(|| "max".to_owned(), |n| n.to_string());
    let name = types::name(kind).trim_end_matches("(max)");
    match kind {
        Type::Decimal { precision, scale } => format!("decimal({precision}, {scale})"),
        Type::Time { scale } | Type::DateTime2 { scale } | Type::DateTimeOffset { scale } => {
            format!("{name}({scale})")
        }
        Type::Char(n) | Type::NChar(n) | Type::Binary(n) => format!("{name}({n})"),
        Type::VarChar(n) | Type::NVarChar(n) | Type::VarBinary(n) => format!("{name}({})", max(n)),
        _ => name.to_owned(),
    }
}

/// A key's value as its violation tells it.
fn shown_key(value: &Value, kind: Type) -> String {
    if *value == Value::Null {
        return "<NULL>".to_owned();
    }
    match convert(value.clone(), kind, Type::NVarChar(None), 121) {
        Ok(Value::Text(text)) => text,
        _ => match convert(value.clone(), kind, Type::NVarChar(None), 0) {
            Ok(Value::Text(text)) => text,
            _ => String::new(),
        },
    }
}
