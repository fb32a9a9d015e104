//! INSERT, UPDATE, DELETE, TRUNCATE: on the host's tables and the session's own.

use std::rc::Rc;

use super::super::ast::{Assignment, Expr, Name, Source, Target, Top};
use super::super::binder::{Binder, ChangePlan, Changed, Goes};
use super::super::evaluate::Run;
use super::super::execute;
use super::super::plan::Row;
use super::super::state::LocalTable;
use super::batch::Batch;
use super::raised::Raised;
use super::transaction::Undo;
use crate::sandbox::answer::Message;
use crate::sandbox::host::Change;
use crate::sandbox::value::Value;

/// Rows by their place, with their new values.
type Touched = Vec<(usize, Vec<Value>)>;

impl Batch<'_> {
    pub(super) fn changed(&self, target: &Target) -> Result<Changed, Message> {
        Ok(match target {
            Target::Variable(name) => Changed::Variable(name.to_lowercase()),
            Target::Named(name, _) => match name.last() {
                Some(last) if last.starts_with('#') => Changed::Temporary(last.to_lowercase()),
                _ => Changed::Host(self.with_world(|world| world.object(name))?),
            },
        })
    }

    pub(super) fn own_table(&self, changed: &Changed) -> Option<&LocalTable> {
        match changed {
            Changed::Temporary(key) => self.session.temporary.get(key),
            Changed::Variable(key) => self.variables.tables.get(key),
            Changed::Host(_) => None,
        }
    }

    pub(super) fn own_table_mut(&mut self, changed: &Changed) -> Option<&mut LocalTable> {
        match changed {
            Changed::Temporary(key) => {
                self.session.keep_table(key);
                self.session.temporary.get_mut(key)
            }
            Changed::Variable(key) => self.variables.tables.get_mut(key),
            Changed::Host(_) => None,
        }
    }

    pub(super) fn update(
        &mut self,
        target: &Target,
        top: Option<&Top>,
        set: &[Assignment],
        from: Option<&Source>,
        filter: Option<&Expr>,
    ) -> Result<u64, Raised> {
        let (plan, touched, rows) = self.touched(target, top, set, from, filter)?;
        let mut changes = Vec::with_capacity(touched.len());
        for (at, values) in touched {
            let mut row = (*rows[at]).clone();
            for (value, goes) in values.into_iter().zip(&plan.set) {
                match goes {
                    Goes::Column(index) => {
                        let column = &plan.columns[*index];
                        if value == Value::Null && !column.nullable {
                            let text = format!(
                                "Cannot insert the value NULL into column '{}', table '{}'; column does not allow nulls. UPDATE fails.",
                                column.name, plan.shown
                            );
                            return Err(Message::error(515, text).into());
                        }
                        row[*index] = value;
                    }
                    Goes::Variable(name) => {
                        if let Some(slot) = self.variables.scalars.get_mut(name) {
                            slot.1 = value;
                        }
                    }
                }
            }
            changes.push((at, row));
        }
        let count = changes.len() as u64;
        if let Changed::Host(object) = &plan.changed {
            let undo = changes.iter().map(|(at, new)| (new.clone(), (*rows[*at]).clone())).collect();
            self.session.host.change(&self.session.context, object, Change::Update(changes))?;
            self.session.remember(Undo::Updated(object.clone(), undo));
            self.forget();
        } else if let Some(table) = self.own_table_mut(&plan.changed) {
            for (at, row) in changes {
                table.table.rows[at] = row;
            }
        }
        self.done(count)?;
        Ok(count)
    }

    fn touched(
        &mut self,
        target: &Target,
        top: Option<&Top>,
        set: &[Assignment],
        from: Option<&Source>,
        filter: Option<&Expr>,
    ) -> Result<(ChangePlan, Touched, Rc<Vec<Row>>), Raised> {
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        self.with_world(|world| {
            let plan =
                Binder::new(world).change(target, set, from, filter, top).map_err(|m| self.unbound(m))?;
            let touched = execute::touched(&Run::new(world, &stopped), &plan)?;
            let rows = world.rows(&plan.rows)?;
            Ok((plan, touched, rows))
        })
    }

    pub(super) fn delete(
        &mut self,
        target: &Target,
        top: Option<&Top>,
        from: Option<&Source>,
        filter: Option<&Expr>,
    ) -> Result<u64, Raised> {
        let (plan, touched, rows) = self.touched(target, top, &[], from, filter)?;
        let mut places: Vec<usize> = touched.into_iter().map(|(at, _)| at).collect();
        places.sort_unstable();
        let count = places.len() as u64;
        if let Changed::Host(object) = &plan.changed {
            let gone = places.iter().map(|at| (*rows[*at]).clone()).collect();
            self.session.host.change(&self.session.context, object, Change::Delete(places))?;
            self.session.remember(Undo::Deleted(object.clone(), gone));
            self.forget();
        } else if let Some(table) = self.own_table_mut(&plan.changed) {
            for at in places.into_iter().rev() {
                table.table.rows.remove(at);
            }
        }
        self.done(count)?;
        Ok(count)
    }

    pub(super) fn truncate(&mut self, name: &Name) -> Result<(), Raised> {
        let key = name.last().map(|n| n.to_lowercase()).unwrap_or_default();
        if !key.starts_with('#') {
            return Err(Message::not_modelled("TRUNCATE TABLE of a permanent table").into());
        }
        match self.own_table_mut(&Changed::Temporary(key)) {
            Some(table) => {
                let fresh = LocalTable::new(std::mem::take(&mut table.definition));
                *table = fresh;
                Ok(())
            }
            None => Err(Message::error(
                4701,
                format!(
                    "Cannot find the object \"{}\" because it does not exist or you do not have permissions.",
                    name.join(".")
                ),
            )
            .into()),
        }
    }
}
