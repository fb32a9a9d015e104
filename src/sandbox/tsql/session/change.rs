//! UPDATE, DELETE, MERGE, TRUNCATE: on the host's tables and the session's own.

use std::rc::Rc;

use super::super::ast::{Delete, Merge, Name, Target, Update};
use super::super::binder::{Asked, Binder, Changed, Goes, OutputPlan, Then};
use super::super::convert::convert;
use super::super::evaluate::{Run, Scope, Tuple};
use super::super::execute::{self, Merged};
use super::super::plan::Row;
use super::super::state::LocalTable;
use super::batch::Batch;
use super::raised::Raised;
use crate::sandbox::answer::{Message, Part};
use crate::sandbox::host::Change;
use crate::sandbox::value::{Column, Type, Value};

/// Rows by their place.
type Placed = Vec<(usize, Vec<Value>)>;

/// What becomes of a table in one statement.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) updates: Placed,
    pub(super) deletes: Vec<usize>,
    pub(super) inserts: Vec<Vec<Value>>,
}

/// One changed row for OUTPUT: what is around it, the new row, the old one.
pub(super) struct Told {
    pub(super) around: Option<Tuple>,
    pub(super) new: Option<Vec<Value>>,
    pub(super) old: Option<Row>,
    pub(super) action: &'static str,
}

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

    /// A row with the values of SET put in.
    fn updated(
        &mut self,
        old: &[Value],
        values: Vec<Value>,
        set: &[Goes],
        columns: &[Column],
        changed: &Changed,
        shown: &str,
    ) -> Result<Vec<Value>, Raised> {
        let mut row = old.to_vec();
        let definition = self.definition(changed)?;
        for (value, goes) in values.into_iter().zip(set) {
            let at = match goes {
                Goes::Variable(name) => {
                    if let Some(slot) = self.variables.scalars.get_mut(name) {
                        slot.1 = value;
                    }
                    continue;
                }
                Goes::Column(at) | Goes::Default(at) | Goes::Both(at, _) => *at,
            };
            let own = &definition.columns[at];
            if own.computed.is_some() {
                let text = format!(
                    "The column \"{}\" cannot be modified because it is either a computed column or is the result of a UNION operator.",
                    own.name
                );
                return Err(Message::error(271, text).into());
            }
            if own.identity.is_some() {
                let text = format!("Cannot update identity column '{}'.", own.name);
                return Err(Message::error(8102, text).into());
            }
            let value = if let (Goes::Default(_), Some(default)) = (goes, &own.default) {
                self.evaluate(default, Some(own.kind))?
            } else {
                let wide = super::insert::widened(own.kind);
                self.fitted(value, wide, own, shown)?
            };
            if value == Value::Null && !columns[at].nullable {
                let text = format!(
                    "Cannot insert the value NULL into column '{}', table '{}'; column does not allow nulls. UPDATE fails.",
                    own.name,
                    super::table::full_name(changed, shown)
                );
                return Err(Message { state: 2, ..Message::error(515, text) }.into());
            }
            if let Goes::Both(_, name) = goes
                && let Some(slot) = self.variables.scalars.get_mut(name)
            {
                slot.1 = convert(value.clone(), own.kind, slot.0, 0)?;
            }
            row[at] = value;
        }
        self.compute(&definition, &mut row)?;
        Ok(row)
    }

    pub(super) fn update(&mut self, update: &Update) -> Result<u64, Raised> {
        let asked = Asked {
            ctes: &update.ctes,
            target: &update.target,
            set: &update.set,
            from: update.from.as_ref(),
            filter: update.filter.as_ref(),
            top: update.top.as_ref(),
            output: update.output.as_ref(),
        };
        let (plan, touched, rows) = self.touched(&asked)?;
        let mut changes = Changes::default();
        let mut told = Vec::new();
        for (at, values, around) in touched {
            let new =
                self.updated(&rows[at], values, &plan.set, &plan.columns, &plan.changed, &plan.shown)?;
            if plan.output.is_some() {
                let old = Some(rows[at].clone());
                told.push(Told { around: Some(around), new: Some(new.clone()), old, action: "UPDATE" });
            }
            changes.updates.push((at, new));
        }
        let count = changes.updates.len() as u64;
        self.carry_out(&plan.changed, changes, &rows, &plan.shown, "UPDATE")?;
        self.tell(plan.output.as_ref(), plan.select.slots, told, update.output.as_ref())?;
        self.done(count)?;
        Ok(count)
    }

    #[allow(clippy::type_complexity, reason = "plan, what it touches, and the table as it is")]
    fn touched(
        &mut self,
        asked: &Asked<'_>,
    ) -> Result<(super::super::binder::ChangePlan, execute::Touched, Rc<Vec<Row>>), Raised> {
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        self.with_world(|world| {
            let plan = Binder::new(world).change(asked).map_err(|m| self.unbound(m))?;
            let touched = execute::touched(&Run::new(world, &stopped), &plan)?;
            let rows = world.rows(&plan.rows)?;
            Ok((plan, touched, rows))
        })
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Result<u64, Raised> {
        let asked = Asked {
            ctes: &delete.ctes,
            target: &delete.target,
            set: &[],
            from: delete.from.as_ref(),
            filter: delete.filter.as_ref(),
            top: delete.top.as_ref(),
            output: delete.output.as_ref(),
        };
        let (plan, touched, rows) = self.touched(&asked)?;
        let mut changes = Changes::default();
        let mut told = Vec::new();
        for (at, _, around) in touched {
            if plan.output.is_some() {
                let old = Some(rows[at].clone());
                told.push(Told { around: Some(around), new: None, old, action: "DELETE" });
            }
            changes.deletes.push(at);
        }
        let count = changes.deletes.len() as u64;
        self.carry_out(&plan.changed, changes, &rows, &plan.shown, "DELETE")?;
        self.tell(plan.output.as_ref(), plan.select.slots, told, delete.output.as_ref())?;
        self.done(count)?;
        Ok(count)
    }

    pub(super) fn merge(&mut self, merge: &Merge) -> Result<u64, Raised> {
        let changed = self.changed(&merge.target)?;
        let definition = self.target_definition(&merge.target).map_err(|m| self.unbound(vec![m]))?;
        let identity = definition.columns.iter().position(|c| c.identity.is_some());
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        let (plan, merged, rows) = self.with_world(|world| {
            let plan = Binder::new(world).merge(merge, identity).map_err(|m| self.unbound(m))?;
            let merged = execute::merged(&Run::new(world, &stopped), &plan)?;
            let rows = world.rows(&plan.rows)?;
            Ok::<_, Raised>((plan, merged, rows))
        })?;
        let mut changes = Changes::default();
        let mut told = Vec::new();
        let mut count = 0;
        let mut next = match self.own_table(&changed) {
            Some(table) => table.next_identity,
            None => self.next_identity(&changed, &definition.columns)?,
        };
        for (what, around) in merged {
            count += 1;
            let around = Some(around);
            match what {
                Merged::Delete(at) => {
                    changes.deletes.push(at);
                    let old = Some(rows[at].clone());
                    told.push(Told { around, new: None, old, action: "DELETE" });
                }
                Merged::Update(at, values, clause) => {
                    let Then::Update(_, goes) = &plan.clauses[clause].then else { continue };
                    let new = self.updated(&rows[at], values, goes, &plan.columns, &changed, &plan.shown)?;
                    let old = Some(rows[at].clone());
                    told.push(Told { around, new: Some(new.clone()), old, action: "UPDATE" });
                    changes.updates.push((at, new));
                }
                Merged::Insert(places, values) => {
                    let kinds: Vec<Type> =
                        places.iter().map(|p| super::insert::widened(definition.columns[*p].kind)).collect();
                    let row = self.new_row(
                        &definition,
                        &places,
                        &kinds,
                        &values,
                        &plan.shown,
                        &changed,
                        &mut next,
                    )?;
                    told.push(Told { around, new: Some(row.clone()), old: None, action: "INSERT" });
                    changes.inserts.push(row);
                }
            }
        }
        self.carry_out(&changed, changes, &rows, &plan.shown, "MERGE")?;
        if let Some(table) = self.own_table_mut(&changed) {
            table.next_identity = next;
        }
        self.tell(plan.output.as_ref(), plan.slots, told, merge.output.as_ref())?;
        self.done(count)?;
        Ok(count)
    }

    /// Carries changes out, all or none; rows must keep the table's rules.
    pub(super) fn carry_out(
        &mut self,
        changed: &Changed,
        mut changes: Changes,
        rows: &[Row],
        shown: &str,
        verb: &str,
    ) -> Result<(), Raised> {
        self.keep_rules(changed, &changes, rows, shown, verb)?;
        changes.deletes.sort_unstable();
        if let Changed::Host(object) = changed {
            let Changes { updates, deletes, inserts } = changes;
            if !updates.is_empty() {
                self.write(object, Change::Update(updates))?;
            }
            if !deletes.is_empty() {
                self.write(object, Change::Delete(deletes))?;
            }
            if !inserts.is_empty() {
                self.write(object, Change::Insert(inserts))?;
            }
        } else if let Some(table) = self.own_table_mut(changed) {
            if !changes.updates.is_empty() || !changes.deletes.is_empty() {
                table.forget_index();
            }
            for (at, row) in changes.updates {
                table.table.rows[at] = row;
            }
            if !changes.deletes.is_empty() {
                let gone: std::collections::HashSet<usize> = changes.deletes.into_iter().collect();
                let mut at = 0;
                table.table.rows.retain(|_| {
                    at += 1;
                    !gone.contains(&(at - 1))
                });
            }
            table.table.rows.extend(changes.inserts);
        }
        Ok(())
    }

    /// OUTPUT: to the client, or into a table.
    pub(super) fn tell(
        &mut self,
        plan: Option<&OutputPlan>,
        slots: usize,
        told: Vec<Told>,
        written: Option<&super::super::ast::Output>,
    ) -> Result<(), Raised> {
        let (Some(plan), Some(written)) = (plan, written) else { return Ok(()) };
        let sink = &*self.sink;
        let stopped = || sink.stopped();
        let rows = self.with_world(|world| {
            let run = Run::new(world, &stopped);
            let mut out = Vec::with_capacity(told.len());
            for row in told {
                let width = slots.max(plan.deleted + 4);
                let empty: Row = Rc::default();
                let mut tuple = row.around.unwrap_or_default();
                tuple.resize(width, empty);
                if let Some(new) = row.new {
                    tuple[plan.inserted] = Rc::new(new);
                }
                if let Some(old) = row.old {
                    tuple[plan.deleted] = old;
                }
                if let Some(slot) = plan.action {
                    tuple[slot] = Rc::new(vec![Value::Text(row.action.to_owned())]);
                }
                let scope = Scope { tuple: &tuple, around: None };
                let values =
                    plan.outputs.iter().map(|o| run.value(o, Some(&scope))).collect::<Result<Vec<_>, _>>()?;
                out.push(values);
            }
            Ok::<_, Raised>(out)
        })?;
        match &written.into {
            None => {
                self.sink.put(Part::Columns(plan.columns.clone()))?;
                for row in rows {
                    self.sink.put(Part::Row(row))?;
                }
            }
            Some((target, columns)) => {
                let kinds: Vec<Type> = plan.columns.iter().map(|c| c.kind).collect();
                self.put_rows(target, columns, &kinds, rows)?;
            }
        }
        Ok(())
    }

    pub(super) fn truncate(&mut self, name: &Name) -> Result<(), Raised> {
        let target = Target::Named(name.clone(), self.line);
        let changed = self.changed(&target)?;
        if let Changed::Host(object) = &changed {
            let there = self.session.host.table(&self.session.context, object)?;
            if let Some(table) = there {
                let rows: Vec<Row> = table.rows.into_iter().map(Rc::new).collect();
                let deletes = (0..rows.len()).collect();
                return self.carry_out(
                    &changed,
                    Changes { deletes, ..Changes::default() },
                    &rows,
                    "",
                    "DELETE",
                );
            }
        } else if let Some(table) = self.own_table_mut(&changed) {
            *table = LocalTable::new(std::mem::take(&mut table.definition));
            return Ok(());
        }
        Err(Message {
            state: 1,
            ..Message::error(
                4701,
                format!(
                    "Cannot find the object \"{}\" because it does not exist or you do not have permissions.",
                    name.last().map_or("", String::as_str)
                ),
            )
        }
        .into())
    }
}
