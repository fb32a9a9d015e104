//! INSERT: where its rows come from, and what they must be to fit.

use super::super::ast::{ColumnDefinition, Insert, InsertFrom, Output, Query, TableDefinition, Target};
use super::super::binder::{Binder, Changed, OutputPlan};
use super::super::convert::{convert, units};
use super::super::state::invalid_object;
use super::super::types;
use super::batch::Batch;
use super::change::{Changes, Told};
use super::raised::Raised;
use crate::sandbox::answer::{Kept, Message, Part};
use crate::sandbox::value::{Column, Type, Value};

type Rows = Vec<Vec<Value>>;
/// Rows as they were given; a value that is `None` = DEFAULT.
type Given = Vec<Vec<Option<Value>>>;

impl Batch<'_> {
    /// What a table that is written to is made of.
    pub(super) fn definition(&self, changed: &Changed) -> Result<TableDefinition, Message> {
        if let Some(table) = self.own_table(changed) {
            return Ok(table.definition.clone());
        }
        let Changed::Host(object) = changed else { return Ok(TableDefinition::default()) };
        if let Some(definition) = self.permanent_definition(object)? {
            return Ok(definition);
        }
        let columns = self.with_world(|world| world.columns(object))?;
        let columns = columns.ok_or_else(|| {
            Message::error(208, format!("Invalid object name '{}.{}'.", object.schema, object.name))
        })?;
        let plain = |c: &Column| ColumnDefinition {
            name: c.name.clone(),
            kind: c.kind,
            nullable: c.nullable,
            default: None,
            identity: None,
            computed: None,
        };
        Ok(columns.iter().map(plain).collect::<Vec<_>>().into())
    }

    /// The same, of what a statement names.
    pub(super) fn target_definition(&self, target: &Target) -> Result<TableDefinition, Message> {
        let changed = self.changed(target)?;
        match (&changed, target) {
            (Changed::Host(object), Target::Named(name, line)) => {
                let there = self.with_world(|world| world.columns(object))?;
                if there.is_none() {
                    return Err(Message { line: *line, ..invalid_object(name) });
                }
            }
            (_, Target::Variable(name)) if self.own_table(&changed).is_none() => {
                return Err(Message {
                    class: 15,
                    ..Message::error(1087, format!("Must declare the table variable \"{name}\"."))
                });
            }
            (_, Target::Named(name, line)) if self.own_table(&changed).is_none() => {
                return Err(Message { line: *line, ..invalid_object(name) });
            }
            _ => {}
        }
        self.definition(&changed)
    }

    /// The places of an INSERT's columns in its table.
    pub(super) fn insert_columns(
        &self,
        table: &[ColumnDefinition],
        columns: &[String],
        identity_given: bool,
        shown: &str,
    ) -> Result<Vec<usize>, Message> {
        if columns.is_empty() {
            let given = |at: &usize| table[*at].identity.is_none() && table[*at].computed.is_none();
            return Ok((0..table.len()).filter(given).collect());
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
            if table[at].identity.is_some() && !identity_given {
                let text = format!(
                    "Cannot insert explicit value for identity column in table '{}' when IDENTITY_INSERT is set to OFF.",
                    shown.rsplit('.').next().unwrap_or(shown)
                );
                return Err(Message::error(544, text));
            }
            if table[at].computed.is_some() {
                let text = format!(
                    "The column \"{name}\" cannot be modified because it is either a computed column or is the result of a UNION operator."
                );
                return Err(Message::error(271, text));
            }
            places.push(at);
        }
        Ok(places)
    }

    pub(super) fn insert(&mut self, insert: &Insert) -> Result<u64, Raised> {
        let changed = self.changed(&insert.target)?;
        let definition = self.target_definition(&insert.target).map_err(|m| self.unbound(vec![m]))?;
        let shown = shown(&insert.target);
        let given = self.identity_given(&changed);
        let places = self
            .insert_columns(&definition.columns, &insert.columns, given, &shown)
            .map_err(|m| self.unbound(vec![m]))?;
        let named = !insert.columns.is_empty();
        let (kinds, mut rows) = self.new_rows(&insert.from, named, &definition.columns, &places)?;
        if let Some(top) = &insert.top {
            if top.percent {
                return Err(Message::not_modelled("INSERT TOP … PERCENT").into());
            }
            let most = self.evaluate(&top.count, Some(Type::BigInt))?;
            if let Value::Int(n) = most {
                rows.truncate(usize::try_from(n).unwrap_or(0));
            }
        }
        let mut next = match self.own_table(&changed) {
            Some(table) => table.next_identity,
            None => self.next_identity(&changed, &definition.columns)?,
        };
        let mut whole = Vec::with_capacity(rows.len());
        for row in rows {
            if self.sink.stopped() {
                return Err(crate::sandbox::answer::Stopped.into());
            }
            whole.push(self.new_row(&definition, &places, &kinds, &row, &shown, &changed, &mut next)?);
        }
        let count = whole.len() as u64;
        let told: Vec<Told> = if insert.output.is_some() {
            let tell =
                |row: &Vec<Value>| Told { around: None, new: Some(row.clone()), old: None, action: "INSERT" };
            whole.iter().map(tell).collect()
        } else {
            Vec::new()
        };
        let plan = match &insert.output {
            Some(output) => Some(self.insert_output(output, &definition)?),
            None => None,
        };
        // numbers are used up even when the rows are refused
        if let Some(table) = self.own_table_mut(&changed) {
            table.next_identity = next;
        }
        self.carry_out(&changed, Changes { inserts: whole, ..Changes::default() }, &[], &shown, "INSERT")?;
        self.tell(plan.as_ref(), 0, told, insert.output.as_ref())?;
        self.done(count)?;
        Ok(count)
    }

    fn insert_output(&self, output: &Output, definition: &TableDefinition) -> Result<OutputPlan, Raised> {
        let columns: Vec<Column> = definition
            .columns
            .iter()
            .map(|c| Column { name: c.name.clone(), kind: c.kind, nullable: c.nullable })
            .collect();
        self.with_world(|world| Binder::new(world).insert_output(output, &columns))
            .map_err(|m| self.unbound(m))
    }

    /// Whether IDENTITY_INSERT is on for a table.
    pub(super) fn identity_given(&self, changed: &Changed) -> bool {
        self.session.identity_insert.as_ref().is_some_and(|t| t == changed)
    }

    /// A whole row of what was given, with identity, defaults and computed columns.
    #[allow(clippy::too_many_arguments, reason = "a row and everything that makes it")]
    pub(super) fn new_row(
        &mut self,
        definition: &TableDefinition,
        places: &[usize],
        kinds: &[Type],
        row: &[Option<Value>],
        shown: &str,
        changed: &Changed,
        next: &mut i64,
    ) -> Result<Vec<Value>, Raised> {
        let mut values = vec![Value::Null; definition.columns.len()];
        for (at, column) in definition.columns.iter().enumerate() {
            let place = places.iter().position(|p| *p == at).filter(|g| *g < row.len());
            let given = place.map(|g| row[g].clone());
            if let Some((_, step)) = column.identity {
                if let Some(Some(value)) = given {
                    values[at] = convert(value, kinds[place.unwrap_or(0)], column.kind, 0)?;
                    if let Value::Int(n) = values[at] {
                        self.session.globals.identity = Some(n);
                        self.session.globals.scope_identity = Some(n);
                        if step > 0 && n >= *next || step < 0 && n <= *next {
                            *next = n.saturating_add(step);
                        }
                    }
                    continue;
                }
                values[at] = convert(Value::Int(*next), Type::BigInt, column.kind, 0).map_err(|_| {
                    let kind = types::name(column.kind);
                    Message::error(
                        8115,
                        format!("Arithmetic overflow error converting IDENTITY to data type {kind}."),
                    )
                })?;
                self.session.globals.identity = Some(*next);
                self.session.globals.scope_identity = Some(*next);
                *next = next.saturating_add(step);
            } else if let Some(Some(value)) = given {
                values[at] = self.fitted(value, kinds[place.unwrap_or(0)], column, shown)?;
            } else if let Some(default) = &column.default {
                values[at] = self.evaluate(default, Some(column.kind))?;
            }
            if values[at] == Value::Null && !column.nullable && column.computed.is_none() {
                let text = format!(
                    "Cannot insert the value NULL into column '{}', table '{}'; column does not allow nulls. INSERT fails.",
                    column.name,
                    super::table::full_name(changed, shown)
                );
                return Err(Message { state: 2, ..Message::error(515, text) }.into());
            }
        }
        self.compute(definition, &mut values)?;
        Ok(values)
    }

    /// Rows that OUTPUT … INTO puts into a table.
    pub(super) fn put_rows(
        &mut self,
        target: &Target,
        columns: &[String],
        kinds: &[Type],
        rows: Vec<Vec<Value>>,
    ) -> Result<(), Raised> {
        let changed = self.changed(target)?;
        let definition = self.target_definition(target).map_err(|m| self.unbound(vec![m]))?;
        let shown = shown(target);
        let places = self
            .insert_columns(&definition.columns, columns, false, &shown)
            .map_err(|m| self.unbound(vec![m]))?;
        if places.len() != kinds.len() {
            return Err(self.unbound(vec![mismatch()]));
        }
        let mut next = match self.own_table(&changed) {
            Some(table) => table.next_identity,
            None => self.next_identity(&changed, &definition.columns)?,
        };
        let mut whole = Vec::new();
        for row in rows {
            let row: Vec<Option<Value>> = row.into_iter().map(Some).collect();
            whole.push(self.new_row(&definition, &places, kinds, &row, &shown, &changed, &mut next)?);
        }
        if let Some(table) = self.own_table_mut(&changed) {
            table.next_identity = next;
        }
        self.carry_out(&changed, Changes { inserts: whole, ..Changes::default() }, &[], &shown, "INSERT")
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
                    "String or binary data would be truncated in table '{}', column '{}'. Truncated value: '{start}'.",
                    self.long_name(table),
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

    /// A table's name as 2628 tells it.
    fn long_name(&self, table: &str) -> String {
        let last = table.rsplit('.').next().unwrap_or(table);
        if last.starts_with('@') {
            return table.to_owned();
        }
        let database = if last.starts_with('#') { "tempdb" } else { &self.session.context.database };
        format!("{database}.dbo.{last}")
    }

    /// The types and rows an INSERT was given.
    pub(super) fn new_rows(
        &mut self,
        from: &InsertFrom,
        named: bool,
        definition: &[ColumnDefinition],
        places: &[usize],
    ) -> Result<(Vec<Type>, Given), Raised> {
        let (kinds, rows): (Vec<Type>, Given) = match from {
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
                        let Some(value) = value else {
                            values.push(None);
                            continue;
                        };
                        let (value, from) = self.evaluate_with(|b| b.value(value), None)?;
                        let kind = definition[*place].kind;
                        if value != Value::Null {
                            types::check_implicit(from, kind)?;
                        }
                        values.push(Some(convert(value, from, widened(kind), 0)?));
                    }
                    rows.push(values);
                }
                (places.iter().map(|p| widened(definition[*p].kind)).collect(), rows)
            }
            InsertFrom::Query(query) => {
                let (kinds, rows) = self.query_rows(query)?;
                (kinds, rows.into_iter().map(|r| r.into_iter().map(Some).collect()).collect())
            }
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
                        Part::Row(values) => rows.push(values.into_iter().map(Some).collect()),
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

/// The type in which a text keeps its length, so that cutting it is noticed.
pub(super) fn widened(kind: Type) -> Type {
    match kind {
        Type::Char(_) | Type::VarChar(_) => Type::VarChar(None),
        Type::NChar(_) | Type::NVarChar(_) => Type::NVarChar(None),
        Type::Binary(_) | Type::VarBinary(_) => Type::VarBinary(None),
        other => other,
    }
}

/// A target as messages tell it.
fn shown(target: &Target) -> String {
    match target {
        Target::Named(name, _) => name.join("."),
        Target::Variable(name) => name.clone(),
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
