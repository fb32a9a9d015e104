//! Subqueries: their rows, kept for as long as they would come out the same.

use std::rc::Rc;

use super::super::compare::Key;
use super::super::execute;
use super::super::plan::{Bound, Members, Sub};
use super::{Around, Evaluated, Rows, Run};
use crate::sandbox::value::Value;

impl Run<'_> {
    /// The rows of a subquery for the row at hand, kept for the next row that gives it the same values.
    pub(in crate::sandbox::tsql) fn sub(&self, sub: &Sub, scope: Around<'_>) -> Evaluated<Rows> {
        let given = self.given(sub, scope);
        let key = (sub.id, given);
        if let Some(rows) = self.results.borrow().get(&key) {
            return Ok(rows.clone());
        }
        let rows: Rows = Rc::new(execute::plan(self, &sub.plan, scope)?);
        self.results.borrow_mut().insert(key, rows.clone());
        Ok(rows)
    }

    /// The values a subquery takes from outside.
    pub(super) fn given(&self, sub: &Sub, scope: Around<'_>) -> Vec<Key> {
        sub.outer
            .iter()
            .map(|place| {
                let value = scope.and_then(|s| s.place(*place));
                self.exact_key(value.unwrap_or(&Value::Null))
            })
            .collect()
    }

    /// Unlike `=`, keeps texts apart that differ in case or blanks.
    pub(super) fn exact_key(&self, value: &Value) -> Key {
        match value {
            Value::Text(text) => Key::Text(text.clone()),
            Value::Binary(bytes) => Key::Bytes(bytes.clone()),
            other => self.world.collation.key(other),
        }
    }

    pub(super) fn exists(&self, sub: &Sub, scope: Around<'_>) -> Evaluated<bool> {
        let key = (sub.id, self.given(sub, scope));
        if let Some(rows) = self.results.borrow().get(&key) {
            return Ok(!rows.is_empty());
        }
        let found = execute::any(self, &sub.plan, scope)?;
        let rows = if found { vec![Rc::new(Vec::new())] } else { Vec::new() };
        self.results.borrow_mut().insert(key, Rc::new(rows));
        Ok(found)
    }

    pub(super) fn in_query(&self, value: &Bound, sub: &Sub, scope: Around<'_>) -> Evaluated<Option<bool>> {
        let value = self.value(value, scope)?;
        let collation = self.world.collation;
        let kept = if sub.outer.is_empty() { self.members.borrow().get(&sub.id).cloned() } else { None };
        let members = if let Some(members) = kept {
            members
        } else {
            let rows = self.sub(sub, scope)?;
            let members = Members::of(collation, rows.iter().filter_map(|row| row.first()));
            let members = Rc::new(members);
            if sub.outer.is_empty() {
                self.members.borrow_mut().insert(sub.id, members.clone());
            }
            members
        };
        Ok(members.holds(collation, &value))
    }
}
