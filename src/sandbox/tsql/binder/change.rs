//! UPDATE and DELETE: which rows of which table, and what they become.

use super::super::ast::{Assignment, Expr, Hint, Source, Target, Top};
use super::super::plan::{Bound, Node, Place, SelectPlan, SourcePlan};
use super::super::state::{Held, invalid_object};
use super::join::conjuncts;
use super::operator::arithmetic;
use super::{Binder, Binding, Clause, coerce};
use crate::sandbox::answer::Message;
use crate::sandbox::host::{Lock, ObjectName};
use crate::sandbox::value::{Column, Type};

/// The table that is changed.
#[derive(Debug, Clone)]
pub(in crate::sandbox::tsql) enum Changed {
    Host(ObjectName),
    /// By its key among the session's tables.
    Temporary(String),
    Variable(String),
}

/// A bound UPDATE or DELETE.
#[derive(Debug)]
pub(in crate::sandbox::tsql) struct ChangePlan {
    /// Its outputs are the new values, in the order of `set`.
    pub(in crate::sandbox::tsql) select: SelectPlan,
    pub(in crate::sandbox::tsql) slot: usize,
    pub(in crate::sandbox::tsql) rows: Held,
    pub(in crate::sandbox::tsql) columns: Vec<Column>,
    /// What each output goes to.
    pub(in crate::sandbox::tsql) set: Vec<Goes>,
    pub(in crate::sandbox::tsql) changed: Changed,
    pub(in crate::sandbox::tsql) shown: String,
}

/// Where a value of SET goes.
#[derive(Debug, Clone)]
pub(in crate::sandbox::tsql) enum Goes {
    Column(usize),
    Variable(String),
}

impl Binder<'_> {
    /// Binds an UPDATE or (without assignments) a DELETE.
    pub(in crate::sandbox::tsql) fn change(
        &mut self,
        target: &Target,
        set: &[Assignment],
        from: Option<&Source>,
        filter: Option<&Expr>,
        top: Option<&Top>,
    ) -> Result<ChangePlan, Vec<Message>> {
        let result = self.scoped(|b| b.change_inner(target, set, from, filter, top)).map(|(plan, _)| plan);
        self.finish(result)
    }

    fn change_inner(
        &mut self,
        target: &Target,
        set: &[Assignment],
        from: Option<&Source>,
        filter: Option<&Expr>,
        top: Option<&Top>,
    ) -> Binding<ChangePlan> {
        let (name, line) = match target {
            Target::Named(name, line) => (name.clone(), *line),
            Target::Variable(name) => (vec![name.clone()], 0),
        };
        let own = match target {
            Target::Named(name, line) => {
                Source::Table { name: name.clone(), alias: None, line: *line, hint: Hint::default() }
            }
            Target::Variable(name) => Source::Variable { name: name.clone(), alias: None },
        };
        self.whole = true;
        let source = self.from(from.unwrap_or(&own));
        self.whole = false;
        let source = source?;
        let Some(scope) = self.scopes.last() else { return Err(invalid_object(&name)) };
        let slots: Vec<usize> = (0..scope.sources.len())
            .filter(|slot| {
                let known = &scope.sources[*slot];
                self.is_called(known, &name)
                    || known
                        .name
                        .last()
                        .zip(name.last())
                        .is_some_and(|(a, b)| name.len() > 1 && self.world.same_name(a, b))
            })
            .collect();
        let slot = match slots[..] {
            [slot] => slot,
            [] if from.is_some() && self.errors.is_empty() => {
                // a table that is not in FROM joins with every row of it
                let table = self.world.object(&name).and_then(|o| self.world.columns(&o))?;
                let missing = table.is_none() && name.last().is_some_and(|n| !n.starts_with('#'));
                return Err(if missing {
                    Message { line, ..invalid_object(&name) }
                } else {
                    Message::not_modelled("a changed table that is not in FROM")
                });
            }
            [] => return Err(Message { line, ..invalid_object(&name) }),
            _ => {
                let text = format!("The table '{}' is ambiguous.", name.join("."));
                return Err(Message::error(8154, text));
            }
        };
        let (columns, table_name, shown) = {
            let known = &scope.sources[slot];
            if let Some(host) = &known.host {
                host.lock(Lock::Exclusive);
            }
            (known.columns.clone(), known.name.clone(), known.name.join("."))
        };
        let Some(rows) = leaf(&source, slot) else {
            return Err(Message::not_modelled("changes of derived tables"));
        };
        let changed = match table_name.last() {
            Some(last) if last.starts_with('@') => Changed::Variable(last.to_lowercase()),
            Some(last) if last.starts_with('#') => Changed::Temporary(last.to_lowercase()),
            _ => Changed::Host(self.world.object(&table_name)?),
        };
        let filter = match filter {
            Some(filter) => conjuncts(self.in_clause(Clause::Where, |b| b.expression(filter))?),
            None => Vec::new(),
        };
        let (outputs, goes) = self.in_clause(Clause::Where, |b| b.assignments(set, slot, &columns))?;
        let top = top.map(|t| self.top(t)).transpose()?;
        let slots = self.scopes.last().map_or(2, |s| s.sources.len() + 2);
        let kinds = outputs.iter().map(|o| o.kind).collect();
        let select = SelectPlan {
            id: self.id(),
            source: Some(source),
            slots,
            filter,
            group: None,
            windows: Vec::new(),
            outputs,
            kinds,
            distinct: false,
            top,
            order: Vec::new(),
        };
        Ok(ChangePlan { select, slot, rows, columns, set: goes, changed, shown })
    }

    fn assignments(
        &mut self,
        set: &[Assignment],
        slot: usize,
        columns: &[Column],
    ) -> Binding<(Vec<Bound>, Vec<Goes>)> {
        let mut outputs = Vec::new();
        let mut goes: Vec<Goes> = Vec::new();
        for assignment in set {
            let value = self.expression(&assignment.value)?;
            let (kind, go, old) = if let Some(name) = &assignment.column {
                let last = name.last().cloned().unwrap_or_default();
                let Some(at) = columns.iter().position(|c| self.world.same_name(&c.name, &last)) else {
                    self.errors.push(Message::error(207, format!("Invalid column name '{last}'.")));
                    continue;
                };
                if goes.iter().any(|g| matches!(g, Goes::Column(other) if *other == at)) {
                    let text = format!(
                        "The column name '{last}' is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause. Modify the clause to make sure that a column is updated only once. If this statement updates or inserts columns into a view, column aliasing can conceal the duplication in your code."
                    );
                    return Err(Message { class: 15, ..Message::error(264, text) });
                }
                let place = Place { up: 0, slot, index: at };
                let old = Bound { node: Node::Column(place), kind: columns[at].kind, nullable: true };
                (columns[at].kind, Goes::Column(at), old)
            } else {
                let name = assignment.variable.clone().unwrap_or_default();
                let kind: Type = self.variable_kind(&name)?;
                let key = name.to_lowercase();
                let old = Bound { node: Node::Variable(key.clone()), kind, nullable: true };
                (kind, Goes::Variable(key), old)
            };
            let value = match assignment.operator {
                Some(operator) => arithmetic(operator, old, value)?,
                None => value,
            };
            outputs.push(coerce(value, kind)?);
            goes.push(go);
        }
        Ok((outputs, goes))
    }
}

/// The rows of the leaf that fills a slot.
fn leaf(source: &SourcePlan, slot: usize) -> Option<Held> {
    match source {
        SourcePlan::Rows { slot: own, rows } if *own == slot => Some(rows.clone()),
        SourcePlan::Join { left, right, .. } | SourcePlan::Apply { left, right, .. } => {
            leaf(left, slot).or_else(|| leaf(right, slot))
        }
        _ => None,
    }
}
