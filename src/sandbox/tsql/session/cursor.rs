//! Cursors: rows of a query, walked one at a time.
//!
//! Every cursor is a picture of its rows as they were at OPEN; changes made meanwhile do not show in it.

use super::super::ast::{CursorDefinition, CursorName, Expr, Fetch, Query};
use super::super::state::Variables;
use super::batch::Batch;
use super::raised::Raised;
use crate::sandbox::answer::{Message, Part};
use crate::sandbox::value::{Column, Type, Value};

/// Cursors a session may hold; more are refused.
const MOST: usize = 1000;

/// A declared cursor.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    query: Query,
    /// Variables as they were when it was declared.
    variables: Variables,
    scroll: bool,
    rows: Option<(Vec<Column>, Vec<Vec<Value>>)>,
    /// 0 = before the first row.
    at: i64,
    local: bool,
}

fn shown(name: &CursorName) -> &str {
    match name {
        CursorName::Named { name, .. } | CursorName::Variable(name) => name,
    }
}

/// 16916
fn no_cursor(name: &CursorName) -> Message {
    if let CursorName::Variable(variable) = name {
        let text = format!("The variable '{variable}' does not currently have a cursor allocated to it.");
        return Message::error(16950, text);
    }
    Message::error(16916, format!("A cursor with the name '{}' does not exist.", shown(name)))
}

impl Batch<'_> {
    fn cursor_id(&self, name: &CursorName) -> Option<u64> {
        match name {
            CursorName::Variable(variable) => {
                self.variables.cursors.get(&variable.to_lowercase()).copied().flatten()
            }
            CursorName::Named { name, global } => {
                let key = name.to_lowercase();
                let local = if *global { None } else { self.cursors.get(&key) };
                local.or_else(|| self.session.global_cursors.get(&key)).copied()
            }
        }
    }

    fn new_cursor(&mut self, definition: &CursorDefinition, local: bool) -> Result<u64, Raised> {
        if self.session.cursors.len() >= MOST {
            return Err(Message::not_modelled("more than 1000 cursors in a session").into());
        }
        let id = self.session.next_cursor;
        self.session.next_cursor += 1;
        let cursor = Cursor {
            query: definition.query.clone(),
            variables: self.variables.clone(),
            scroll: definition.scroll,
            rows: None,
            at: 0,
            local,
        };
        self.session.cursors.insert(id, cursor);
        Ok(id)
    }

    pub(super) fn declare_cursor(&mut self, name: &str, definition: &CursorDefinition) -> Result<(), Raised> {
        let key = name.to_lowercase();
        let local = definition.local.unwrap_or(false);
        let known = if local {
            self.cursors.contains_key(&key)
        } else {
            self.session.global_cursors.contains_key(&key)
        };
        if known {
            let text = format!("A cursor with the name '{name}' already exists.");
            return Err(Message::error(16915, text).into());
        }
        // its names are looked up now
        self.with_world(|world| {
            super::super::binder::Binder::new(world).statement(&definition.query).map(|_| ())
        })
        .map_err(|m| self.unbound(m))?;
        let id = self.new_cursor(definition, local)?;
        if local {
            self.cursors.insert(key, id);
        } else {
            self.session.global_cursors.insert(key, id);
        }
        self.tell_status();
        Ok(())
    }

    pub(super) fn set_cursor(&mut self, variable: &str, to: &CursorDefinition) -> Result<(), Raised> {
        let key = variable.to_lowercase();
        if !self.variables.cursors.contains_key(&key) {
            return Err(self.unbound(vec![super::control::undeclared(variable)]));
        }
        let id = self.new_cursor(to, true)?;
        self.variables.cursors.insert(key, Some(id));
        self.tell_status();
        Ok(())
    }

    pub(super) fn open_cursor(&mut self, name: &CursorName) -> Result<(), Raised> {
        let id = self.cursor_id(name).ok_or_else(|| no_cursor(name))?;
        let Some(cursor) = self.session.cursors.get(&id).cloned() else { return Err(no_cursor(name).into()) };
        if cursor.rows.is_some() {
            return Err(Message::error(16905, "The cursor is already open.").into());
        }
        // scalars as they were at DECLARE, tables as they are
        let mut variables = self.variables.clone();
        for (key, value) in &cursor.variables.scalars {
            variables.scalars.insert(key.clone(), value.clone());
        }
        let mine = std::mem::replace(&mut self.variables, variables);
        let result = self.query(&cursor.query);
        self.variables = mine;
        let (columns, rows, _) = result?;
        let rows: Vec<Vec<Value>> = rows.iter().map(|r| (**r).clone()).collect();
        self.session.globals.cursor_rows = rows.len() as i64;
        if let Some(cursor) = self.session.cursors.get_mut(&id) {
            cursor.rows = Some((columns, rows));
            cursor.at = 0;
        }
        self.tell_status();
        Ok(())
    }

    pub(super) fn close_cursor(&mut self, name: &CursorName) -> Result<(), Raised> {
        let id = self.cursor_id(name).ok_or_else(|| no_cursor(name))?;
        match self.session.cursors.get_mut(&id) {
            Some(cursor) if cursor.rows.is_some() => {
                cursor.rows = None;
                cursor.at = 0;
                self.tell_status();
                Ok(())
            }
            _ => Err(Message::error(16917, "Cursor is not open.").into()),
        }
    }

    pub(super) fn deallocate(&mut self, name: &CursorName) -> Result<(), Raised> {
        let id = self.cursor_id(name).ok_or_else(|| no_cursor(name))?;
        match name {
            CursorName::Variable(variable) => {
                self.variables.cursors.insert(variable.to_lowercase(), None);
                let named =
                    self.session.global_cursors.values().chain(self.cursors.values()).any(|n| *n == id);
                if !named {
                    self.session.cursors.remove(&id);
                }
            }
            CursorName::Named { name, global } => {
                let key = name.to_lowercase();
                if *global || self.cursors.remove(&key).is_none() {
                    self.session.global_cursors.remove(&key);
                }
                self.session.cursors.remove(&id);
            }
        }
        self.tell_status();
        Ok(())
    }

    pub(super) fn fetch(
        &mut self,
        name: &CursorName,
        where_to: &Fetch,
        into: Option<&[String]>,
    ) -> Result<u64, Raised> {
        let id = self.cursor_id(name).ok_or_else(|| no_cursor(name))?;
        let number = |batch: &Self, value: &Expr| -> Result<i64, Raised> {
            match batch.evaluate(value, Some(Type::BigInt))? {
                Value::Int(n) => Ok(n),
                _ => Ok(0),
            }
        };
        let to = match where_to {
            Fetch::Absolute(value) | Fetch::Relative(value) => number(self, value)?,
            _ => 0,
        };
        let Some(cursor) = self.session.cursors.get_mut(&id) else { return Err(no_cursor(name).into()) };
        let Some((columns, rows)) = &cursor.rows else {
            return Err(Message::error(16917, "Cursor is not open.").into());
        };
        if !cursor.scroll && !matches!(where_to, Fetch::Next) {
            let word = match where_to {
                Fetch::Prior => "prior",
                Fetch::First => "first",
                Fetch::Last => "last",
                Fetch::Absolute(_) => "absolute",
                _ => "relative",
            };
            let text = format!("fetch: The fetch type {word} cannot be used with forward only cursors.");
            return Err(Message::error(16911, text).into());
        }
        if into.is_some_and(|list| list.len() != columns.len()) {
            return Err(Message::error(
                16924,
                "Cursorfetch: The number of variables declared in the INTO list must match that of selected columns.",
            )
            .into());
        }
        let last = rows.len() as i64;
        let at = match where_to {
            Fetch::Next => cursor.at + 1,
            Fetch::Prior => cursor.at - 1,
            Fetch::First => 1,
            Fetch::Last => last,
            Fetch::Absolute(_) if to < 0 => last + 1 + to,
            Fetch::Absolute(_) => to,
            Fetch::Relative(_) => cursor.at.saturating_add(to),
        };
        cursor.at = at.clamp(0, last + 1);
        let row = usize::try_from(at - 1).ok().and_then(|n| rows.get(n)).cloned();
        let columns = columns.clone();
        self.session.globals.fetch_status = if row.is_some() { 0 } else { -1 };
        match (into, row) {
            (Some(names), Some(row)) => {
                for ((variable, value), column) in names.iter().zip(row).zip(&columns) {
                    let key = variable.to_lowercase();
                    let Some((kind, _)) = self.variables.scalars.get(&key) else {
                        return Err(self.unbound(vec![super::control::undeclared(variable)]));
                    };
                    let kind = *kind;
                    let value = super::super::convert::convert(value, column.kind, kind, 0)?;
                    self.variables.scalars.insert(key, (kind, value));
                }
                Ok(1)
            }
            (Some(_), None) => Ok(0),
            (None, row) => {
                self.sink.put(Part::Columns(columns))?;
                let count = u64::from(row.is_some());
                if let Some(row) = row {
                    self.sink.put(Part::Row(row))?;
                }
                self.done(count)?;
                Ok(count)
            }
        }
    }

    /// What CURSOR_STATUS tells.
    fn tell_status(&mut self) {
        let mut all = std::collections::HashMap::new();
        let status = |id: &u64| match self.session.cursors.get(id).map(|c| &c.rows) {
            Some(Some((_, rows))) if rows.is_empty() => 0,
            Some(Some(_)) => 1,
            Some(None) => -1,
            None => -3,
        };
        for (name, id) in &self.session.global_cursors {
            all.insert((true, name.clone()), status(id));
        }
        for (name, id) in &self.cursors {
            all.insert((false, name.clone()), status(id));
        }
        for (name, id) in &self.variables.cursors {
            all.insert((false, name.clone()), id.as_ref().map_or(-2, status));
        }
        self.session.globals.cursors = all;
    }

    /// Local cursors end with their scope.
    pub(super) fn end_cursors(&mut self) {
        let ids: Vec<u64> = self
            .cursors
            .drain()
            .map(|(_, id)| id)
            .chain(self.variables.cursors.values().flatten().copied())
            .collect();
        for id in ids {
            if self.session.cursors.get(&id).is_some_and(|c| c.local) {
                self.session.cursors.remove(&id);
            }
        }
    }
}
