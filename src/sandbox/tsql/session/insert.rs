//! INSERT: where its rows come from, and what they must be to fit.

use super::super::ast::{ColumnDefinition, InsertFrom, Query, Target};
use super::super::binder::Changed;
use super::super::convert::{convert, units};
use super::super::state::invalid_object;
use super::super::types;
use super::batch::Batch;
use super::raised::Raised;
use super::transaction::Undo;
use crate::sandbox::answer::{Kept, Message, Part};
use crate::sandbox::host::Change;
use crate::sandbox::value::{Column, Type, Value};

type Rows = Vec<Vec<Value>>;

impl Batch<'_> {
    /// The columns of a table that is written to.
    pub(super) fn target_columns(&self, target: &Target) -> Result<Vec<ColumnDefinition>, Message> {
        let changed = self.changed(target)?;
        if let Some(table) = self.own_table(&changed) {
            return Ok(table.definition.clone());
        }
        let (Changed::Host(object), Target::Named(name, line)) = (&changed, target) else {
            return Err(match target {
                Target::Variable(name) => Message {
                    class: 15,
                    ..Message::error(1087, format!("Must declare the table variable \"{name}\"."))
                },
                Target::Named(name, line) => Message { line: *line, ..invalid_object(name) },
            });
        };
        let columns = self.with_world(|world| world.columns(object))?;
        let columns = columns.ok_or_else(|| Message { line: *line, ..invalid_object(name) })?;
        let plain = |c: &Column| ColumnDefinition {
            name: c.name.clone(),
            kind: c.kind,
            nullable: c.nullable,
            default: None,
            identity: None,
        };
        Ok(columns.iter().map(plain).collect())
    }

    /// The places of an INSERT's columns in its table.
    pub(super) fn insert_columns(
        &self,
        table: &[ColumnDefinition],
        columns: &[String],
    ) -> Result<Vec<usize>, Message> {
        if columns.is_empty() {
            return Ok((0..table.len()).filter(|at| table[*at].identity.is_none()).collect());
        }
        let collation = self.session.collation();
        let mut places = Vec::new();
        for name in columns {
            let same = |c: &ColumnDefinition| {
                if collation.case_sensitive {
                    c.name == *name
                } else {
                    c.name.to_lowercase() == name.to_lowercase()
                }
            };
            let Some(at) = table.iter().position(same) else {
                return Err(Message::error(207, format!("Invalid column name '{name}'.")));
            };
            if places.contains(&at) {
                let text = format!(
                    "The column name '{name}' is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause. Modify the clause to make sure that a column is updated only once. If this statement updates or inserts columns into a view, column aliasing can conceal the duplication in your code."
                );
                return Err(Message { class: 15, ..Message::error(264, text) });
            }
            if table[at].identity.is_some() {
                let text = "Cannot insert explicit value for identity column in table when IDENTITY_INSERT is set to OFF.";
                return Err(Message::error(544, text));
            }
            places.push(at);
        }
        Ok(places)
    }

    pub(super) fn insert(
        &mut self,
        target: &Target,
        columns: &[String],
        from: &InsertFrom,
    ) -> Result<u64, Raised> {
        let changed = self.changed(target)?;
        let definition = self.target_columns(target).map_err(|m| self.unbound(vec![m]))?;
        let places = self.insert_columns(&definition, columns).map_err(|m| self.unbound(vec![m]))?;
        let named = !columns.is_empty();
        let (kinds, rows) = self.new_rows(from, named, &definition, &places)?;
        let shown = match target {
            Target::Named(name, _) => name.join("."),
            Target::Variable(name) => name.clone(),
        };
        let mut whole = Vec::with_capacity(rows.len());
        let mut identity = self.own_table(&changed).map_or(1, |t| t.next_identity);
        for row in rows {
            let mut values = vec![Value::Null; definition.len()];
            for (at, column) in definition.iter().enumerate() {
                if let Some((_, step)) = column.identity {
                    values[at] = convert(Value::Int(identity), Type::BigInt, column.kind, 0)?;
                    self.session.globals.identity = Some(identity);
                    identity += step;
                } else if let Some(given) = places.iter().position(|p| *p == at).filter(|g| *g < row.len()) {
                    values[at] = self.fitted(row[given].clone(), kinds[given], column, &shown)?;
                } else if let Some(default) = &column.default {
                    values[at] = self.evaluate(default, Some(column.kind))?;
                }
                if values[at] == Value::Null && !column.nullable {
                    let text = format!(
                        "Cannot insert the value NULL into column '{}', table '{shown}'; column does not allow nulls. INSERT fails.",
                        column.name
                    );
                    return Err(Message::error(515, text).into());
                }
            }
            whole.push(values);
        }
        let count = whole.len() as u64;
        if let Changed::Host(object) = &changed {
            self.session.host.change(&self.session.context, object, Change::Insert(whole.clone()))?;
            self.session.remember(Undo::Inserted(object.clone(), whole));
            self.forget();
        } else if let Some(table) = self.own_table_mut(&changed) {
            table.next_identity = identity;
            table.table.rows.extend(whole);
        }
        self.done(count)?;
        Ok(count)
    }

    /// A value as it is stored: 8152 or 2628 when it is cut.
    pub(super) fn fitted(
        &self,
        value: Value,
        from: Type,
        column: &ColumnDefinition,
        table: &str,
    ) -> Result<Value, Raised> {
        let most = match column.kind {
            Type::Char(n) | Type::NChar(n) | Type::VarChar(Some(n)) | Type::NVarChar(Some(n)) => {
                Some(usize::from(n))
            }
            Type::Binary(n) | Type::VarBinary(Some(n)) => Some(usize::from(n)),
            _ => None,
        };
        let length = match &value {
            Value::Text(text) => units(text.trim_end_matches(' ')),
            Value::Binary(bytes) => bytes.len(),
            _ => 0,
        };
        if let Some(most) = most.filter(|most| length > *most) {
            let message = if self.session.host.version().0 >= 15 {
                let start: String = match &value {
                    Value::Text(text) => text.chars().take(most).collect(),
                    _ => String::new(),
                };
                let text = format!(
                    "String or binary data would be truncated in table '{table}', column '{}'. Truncated value: '{start}'.",
                    column.name
                );
                Message::error(2628, text)
            } else {
                Message::error(8152, "String or binary data would be truncated.")
            };
            return Err(message.into());
        }
        Ok(convert(value, from, column.kind, 0)?)
    }

    /// The types and rows an INSERT was given.
    pub(super) fn new_rows(
        &mut self,
        from: &InsertFrom,
        named: bool,
        definition: &[ColumnDefinition],
        places: &[usize],
    ) -> Result<(Vec<Type>, Rows), Raised> {
        let (kinds, rows): (Vec<Type>, Rows) = match from {
            InsertFrom::Defaults => return Ok((Vec::new(), vec![Vec::new()])),
            InsertFrom::Values(given) => {
                let mut rows = Vec::new();
                for row in given {
                    if named {
                        check_counts(places.len(), row.len())?;
                    } else if row.len() != places.len() {
                        return Err(self.unbound(vec![mismatch()]));
                    }
                    let mut values = Vec::new();
                    for (value, place) in row.iter().zip(places) {
                        let (value, from) = self.evaluate_with(|b| b.value(value), None)?;
                        let kind = definition[*place].kind;
                        if value != Value::Null {
                            types::check_implicit(from, kind)?;
                        }
                        // texts keep their length so that cutting is noticed
                        let wide = match kind {
                            Type::Char(_) | Type::VarChar(_) => Type::VarChar(None),
                            Type::NChar(_) | Type::NVarChar(_) => Type::NVarChar(None),
                            Type::Binary(_) | Type::VarBinary(_) => Type::VarBinary(None),
                            other => other,
                        };
                        values.push(convert(value, from, wide, 0)?);
                    }
                    rows.push(values);
                }
                (places.iter().map(|p| definition[*p].kind).collect(), rows)
            }
            InsertFrom::Query(query) => self.query_rows(query)?,
            InsertFrom::Execute(execute) => {
                let mut kept = Kept::default();
                self.captured(execute, &mut kept)?;
                let mut kinds = Vec::new();
                let mut rows = Vec::new();
                for part in kept.0 {
                    match part {
                        Part::Columns(columns) => {
                            if columns.len() != places.len() {
                                return Err(self.unbound(vec![mismatch()]));
                            }
                            kinds = columns.iter().map(|c| c.kind).collect();
                        }
                        Part::Row(values) => rows.push(values),
                        part @ (Part::Info(_) | Part::Error(_) | Part::Database { .. }) => {
                            self.sink.put(part)?;
                        }
                        _ => {}
                    }
                }
                return Ok((kinds, rows));
            }
        };
        if kinds.len() != places.len() {
            let message = if named {
                let (number, which) = if kinds.len() < places.len() { (120, "fewer") } else { (121, "more") };
                let text = format!(
                    "The select list for the INSERT statement contains {which} items than the insert list. The number of SELECT values must match the number of INSERT columns."
                );
                Message { class: 15, ..Message::error(number, text) }
            } else {
                mismatch()
            };
            return Err(self.unbound(vec![message]));
        }
        for (kind, place) in kinds.iter().zip(places) {
            types::check_implicit(*kind, definition[*place].kind)?;
        }
        Ok((kinds, rows))
    }

    pub(super) fn query_rows(&mut self, query: &Query) -> Result<(Vec<Type>, Rows), Raised> {
        let (columns, rows, _) = self.query(query)?;
        let kinds = columns.iter().map(|c| c.kind).collect();
        Ok((kinds, rows.iter().map(|row| (**row).clone()).collect()))
    }
}

/// 109, 110
pub(super) fn check_counts(columns: usize, values: usize) -> Result<(), Message> {
    let (number, which) = match columns.cmp(&values) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Greater => (109, "more"),
        std::cmp::Ordering::Less => (110, "fewer"),
    };
    let text = format!(
        "There are {which} columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement."
    );
    Err(Message { class: 15, ..Message::error(number, text) })
}

/// 213
pub(super) fn mismatch() -> Message {
    Message::error(213, "Column name or number of supplied values does not match table definition.")
}
