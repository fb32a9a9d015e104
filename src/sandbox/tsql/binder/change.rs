//! UPDATE and DELETE: which rows of which table, and what they become.

use std::rc::Rc;

use super::super::ast::{Assignment, Cte, Expr, Hint, Item, Output, Select, Source, Target, Top};
use super::super::plan::{Bound, Node, Place, PlanBody, SelectPlan, SourcePlan};
use super::super::state::{Held, invalid_object};
use super::join::conjuncts;
use super::operator::arithmetic;
use super::{Binder, Binding, Clause, Known, KnownCte, coerce, query};
use crate::sandbox::answer::Message;
use crate::sandbox::host::{Lock, ObjectName};
use crate::sandbox::value::{Column, Type};

/// The table that is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox::tsql) enum Changed {
    Host(ObjectName),
    /// By its key among the session's tables.
    Temporary(String),
    Variable(String),
}

/// OUTPUT, bound: its values, and where the new and the old row stand in a tuple.
#[derive(Debug)]
pub(in crate::sandbox::tsql) struct OutputPlan {
    pub(in crate::sandbox::tsql) outputs: Vec<Bound>,
    pub(in crate::sandbox::tsql) columns: Vec<Column>,
    pub(in crate::sandbox::tsql) inserted: usize,
    pub(in crate::sandbox::tsql) deleted: usize,
    /// Of MERGE: the slot of `$action`.
    pub(in crate::sandbox::tsql) action: Option<usize>,
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
    pub(in crate::sandbox::tsql) output: Option<OutputPlan>,
}

/// Where a value of SET goes.
#[derive(Debug, Clone)]
pub(in crate::sandbox::tsql) enum Goes {
    Column(usize),
    /// DEFAULT
    Default(usize),
    Variable(String),
    /// `@x = column = value`
    Both(usize, String),
}

/// What is asked of an UPDATE or DELETE.
pub(in crate::sandbox::tsql) struct Asked<'q> {
    pub(in crate::sandbox::tsql) ctes: &'q [Cte],
    pub(in crate::sandbox::tsql) target: &'q Target,
    pub(in crate::sandbox::tsql) set: &'q [Assignment],
    pub(in crate::sandbox::tsql) from: Option<&'q Source>,
    pub(in crate::sandbox::tsql) filter: Option<&'q Expr>,
    pub(in crate::sandbox::tsql) top: Option<&'q Top>,
    pub(in crate::sandbox::tsql) output: Option<&'q Output>,
}

/// Which rows OUTPUT can tell of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tells {
    pub(super) inserted: bool,
    pub(super) deleted: bool,
    pub(super) action: bool,
}

impl Binder<'_> {
    /// Binds an UPDATE or (without assignments) a DELETE.
    pub(in crate::sandbox::tsql) fn change(&mut self, asked: &Asked<'_>) -> Result<ChangePlan, Vec<Message>> {
        let sees = self.ctes.len();
        for cte in asked.ctes {
            let sees = self.ctes.len();
            self.ctes.push(KnownCte { cte: Rc::new(cte.clone()), sees });
        }
        self.whole = true;
        let result = self.scoped(|b| b.change_inner(asked)).map(|(plan, _)| plan);
        self.whole = false;
        self.ctes.truncate(sees);
        self.finish(result)
    }

    fn change_inner(&mut self, asked: &Asked<'_>) -> Binding<ChangePlan> {
        let (name, line) = match asked.target {
            Target::Named(name, line) => (name.clone(), *line),
            Target::Variable(name) => (vec![name.clone()], 0),
        };
        let own = match asked.target {
            Target::Named(name, line) => {
                Source::Table { name: name.clone(), alias: None, line: *line, hint: Hint::default() }
            }
            Target::Variable(name) => Source::Variable { name: name.clone(), alias: None },
        };
        let mut source = self.from(asked.from.unwrap_or(&own))?;
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
            [] if asked.from.is_some() && self.errors.is_empty() => {
                // a table named by its own name behind an alias is that table; one that is not in FROM joins with
                // every row of it
                let by_name: Vec<usize> = (0..scope.sources.len())
                    .filter(|slot| {
                        let known = &scope.sources[*slot];
                        known.name.last().zip(name.last()).is_some_and(|(a, b)| self.world.same_name(a, b))
                    })
                    .collect();
                if let [slot] = by_name[..] {
                    slot
                } else {
                    let table = self.world.object(&name).and_then(|o| self.world.columns(&o))?;
                    let missing = table.is_none() && name.last().is_some_and(|n| !n.starts_with('#'));
                    return Err(if missing {
                        Message { line, ..invalid_object(&name) }
                    } else {
                        Message::not_modelled("a changed table that is not in FROM")
                    });
                }
            }
            [] => return Err(Message { line, ..invalid_object(&name) }),
            _ => {
                let text = format!("The table '{}' is ambiguous.", name.join("."));
                return Err(Message::error(8154, text));
            }
        };
        let (columns, table_name) = {
            let known = &scope.sources[slot];
            if let Some(host) = &known.host {
                host.lock(Lock::Exclusive);
            }
            (known.columns.clone(), known.name.clone())
        };
        let mut seen = (columns.clone(), table_name);
        // rows of a CTE over one table are rows of that table
        let mut places: Vec<usize> = (0..columns.len()).collect();
        let rows = if let Some(rows) = leaf(&source, slot) {
            rows
        } else {
            let Some((rows, base, name, through)) = self.tracked(&mut source, slot) else {
                return Err(Message::not_modelled("changes of derived tables"));
            };
            seen = (base, name);
            places = through;
            rows
        };
        let (base, table_name) = seen;
        let shown = table_name.join(".");
        let changed = match table_name.last() {
            Some(last) if last.starts_with('@') => Changed::Variable(last.to_lowercase()),
            Some(last) if last.starts_with('#') => Changed::Temporary(last.to_lowercase()),
            _ => Changed::Host(self.world.object(&table_name)?),
        };
        let filter = match asked.filter {
            Some(filter) => conjuncts(self.in_clause(Clause::Where, |b| b.expression(filter))?),
            None => Vec::new(),
        };
        let (outputs, mut goes) =
            self.in_clause(Clause::Where, |b| b.assignments(asked.set, slot, &columns))?;
        for go in &mut goes {
            if let Goes::Column(at) | Goes::Default(at) | Goes::Both(at, _) = go {
                match places.get(*at).filter(|p| **p != usize::MAX) {
                    Some(place) => *at = *place,
                    None => return Err(not_updatable(&columns[*at].name)),
                }
            }
        }
        let top = asked.top.map(|t| self.top(t)).transpose()?;
        let tells = Tells { inserted: !asked.set.is_empty(), deleted: true, action: false };
        let output = asked.output.map(|o| self.output(o, &base, tells)).transpose()?;
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
            track: None,
        };
        Ok(ChangePlan { select, slot, rows, columns: base, set: goes, changed, shown, output })
    }

    /// A derived source over one table, made to tell which of its rows each row comes from: the table's rows,
    /// columns and name, and for each output the column it is.
    #[allow(clippy::type_complexity, reason = "said in the line above")]
    fn tracked(
        &self,
        source: &mut SourcePlan,
        slot: usize,
    ) -> Option<(Held, Vec<Column>, Vec<String>, Vec<usize>)> {
        let SourcePlan::Derived { query, .. } = find(source, slot)? else { return None };
        let plan = Rc::get_mut(&mut query.plan)?;
        let PlanBody::Select(select) = &mut plan.body else { return None };
        if select.group.is_some() || select.distinct || plan.shape.is_some() {
            return None;
        }
        let SourcePlan::Rows { slot: own, rows } = select.source.as_ref()? else { return None };
        let through = select
            .outputs
            .iter()
            .map(|o| match &o.node {
                Node::Column(p) if p.up == 0 && p.slot == *own => p.index,
                _ => usize::MAX,
            })
            .collect();
        let rows = rows.clone();
        select.track = Some(*own);
        let (columns, name) = self.last_table.clone()?;
        Some((rows, columns, name, through))
    }

    /// OUTPUT over the new and the old row.
    pub(super) fn output(
        &mut self,
        output: &Output,
        columns: &[Column],
        tells: Tells,
    ) -> Binding<OutputPlan> {
        let first = self.count();
        let known = |name: &str, there: bool, columns: Vec<Column>| Known {
            shown: name.to_owned(),
            alias: Some(if there { name.to_owned() } else { format!("$no {name}") }),
            name: Vec::new(),
            columns: if there { columns } else { Vec::new() },
            host: None,
        };
        let plain: Vec<Column> = columns.iter().map(|c| Column { nullable: true, ..c.clone() }).collect();
        if let Some(scope) = self.scope() {
            scope.sources.push(known("inserted", tells.inserted, plain.clone()));
            scope.sources.push(known("deleted", tells.deleted, plain));
            if tells.action {
                let action = vec![Column::new("$action", Type::NVarChar(Some(10)))];
                scope.sources.push(known("$merge", true, action));
            }
        }
        self.show(0);
        let select = Select {
            distinct: false,
            top: None,
            items: output.items.clone(),
            into: None,
            from: None,
            filter: None,
            group: Vec::new(),
            sets: None,
            having: None,
        };
        if output.items.iter().any(|i| matches!(i, Item::Star(q) if q.is_empty())) {
            return Err(Message { class: 15, ..Message::error(102, "Incorrect syntax near '*'.") });
        }
        let (outputs, columns) =
            self.in_clause(Clause::Where, |b| b.items(&select, query::Place::Derived))?;
        let action = tells.action.then_some(first + 2);
        Ok(OutputPlan { outputs, columns, inserted: first, deleted: first + 1, action })
    }

    /// OUTPUT of an INSERT.
    pub(in crate::sandbox::tsql) fn insert_output(
        &mut self,
        output: &Output,
        columns: &[Column],
    ) -> Result<OutputPlan, Vec<Message>> {
        let tells = Tells { inserted: true, deleted: false, action: false };
        let result = self.scoped(|b| b.output(output, columns, tells)).map(|(plan, _)| plan);
        self.finish(result)
    }

    pub(super) fn assignments(
        &mut self,
        set: &[Assignment],
        slot: usize,
        columns: &[Column],
    ) -> Binding<(Vec<Bound>, Vec<Goes>)> {
        let mut outputs = Vec::new();
        let mut goes: Vec<Goes> = Vec::new();
        for assignment in set {
            let value = match &assignment.value {
                Some(value) => self.expression(value)?,
                None => Bound::null(),
            };
            let (kind, go, old) = if let Some(name) = &assignment.column {
                let last = name.last().cloned().unwrap_or_default();
                let Some(at) = columns.iter().position(|c| self.world.same_name(&c.name, &last)) else {
                    self.errors.push(Message::error(207, format!("Invalid column name '{last}'.")));
                    continue;
                };
                let same = |g: &Goes| matches!(g, Goes::Column(other) | Goes::Default(other) | Goes::Both(other, _) if *other == at);
                if goes.iter().any(same) {
                    let text = format!(
                        "The column name '{last}' is specified more than once in the SET clause or column list of an INSERT. A column cannot be assigned more than one value in the same clause. Modify the clause to make sure that a column is updated only once. If this statement updates or inserts columns into a view, column aliasing can conceal the duplication in your code."
                    );
                    return Err(Message { class: 15, ..Message::error(264, text) });
                }
                let place = Place { up: 0, slot, index: at };
                let old = Bound { node: Node::Column(place), kind: columns[at].kind, nullable: true };
                let go = match &assignment.variable {
                    Some(variable) => {
                        self.variable_kind(variable)?;
                        Goes::Both(at, variable.to_lowercase())
                    }
                    None if assignment.value.is_none() => Goes::Default(at),
                    None => Goes::Column(at),
                };
                (columns[at].kind, go, old)
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
            // a text keeps its length, so that cutting it is noticed
            let wide = match kind {
                Type::Char(_) | Type::VarChar(Some(_)) if !matches!(go, Goes::Variable(_)) => {
                    Type::VarChar(None)
                }
                Type::NChar(_) | Type::NVarChar(Some(_)) if !matches!(go, Goes::Variable(_)) => {
                    Type::NVarChar(None)
                }
                other => other,
            };
            outputs.push(coerce(value, wide)?);
            goes.push(go);
        }
        Ok((outputs, goes))
    }

    /// A value over one row of a table: a computed column, a CHECK.
    pub(in crate::sandbox::tsql) fn over_row(
        &mut self,
        columns: &[Column],
        value: &Expr,
    ) -> Result<Bound, Vec<Message>> {
        let result = self
            .scoped(|b| {
                b.add(Known {
                    shown: String::new(),
                    alias: Some("$row".to_owned()),
                    name: Vec::new(),
                    columns: columns.to_vec(),
                    host: None,
                })?;
                b.show(0);
                b.in_clause(Clause::Where, |b| b.expression(value))
            })
            .map(|(bound, _)| bound);
        self.finish(result)
    }
}

/// 4406
fn not_updatable(column: &str) -> Message {
    Message::error(
        4406,
        format!(
            "Update or insert of view or function '{column}' failed because it contains a derived or constant field."
        ),
    )
}

fn find(source: &mut SourcePlan, slot: usize) -> Option<&mut SourcePlan> {
    match source {
        SourcePlan::Derived { slot: own, .. } if *own == slot => Some(source),
        SourcePlan::Join { left, right, .. } | SourcePlan::Apply { left, right, .. } => {
            find(left, slot).or_else(|| find(right, slot))
        }
        _ => None,
    }
}

/// The rows of the leaf that fills a slot.
pub(super) fn leaf(source: &SourcePlan, slot: usize) -> Option<Held> {
    match source {
        SourcePlan::Rows { slot: own, rows } if *own == slot => Some(rows.clone()),
        SourcePlan::Join { left, right, .. } | SourcePlan::Apply { left, right, .. } => {
            leaf(left, slot).or_else(|| leaf(right, slot))
        }
        _ => None,
    }
}
