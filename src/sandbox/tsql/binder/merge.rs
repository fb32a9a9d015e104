//! MERGE: source and target joined, and what each WHEN does.

use std::rc::Rc;

use super::super::ast::{Hint, Join, Merge, MergeThen, MergeWhen, Source, Target};
use super::super::plan::{Bound, SourcePlan};
use super::super::state::{Held, invalid_object};
use super::change::{Goes, OutputPlan, Tells, leaf};
use super::join::{conjuncts, equal_pair};
use super::{Binder, Binding, Clause, KnownCte, coerce};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Column, Type};

/// A bound MERGE.
#[derive(Debug)]
pub(in crate::sandbox::tsql) struct MergePlan {
    /// Source LEFT JOIN target.
    pub(in crate::sandbox::tsql) joined: SourcePlan,
    pub(in crate::sandbox::tsql) slots: usize,
    pub(in crate::sandbox::tsql) target_slot: usize,
    pub(in crate::sandbox::tsql) rows: Held,
    pub(in crate::sandbox::tsql) columns: Vec<Column>,
    pub(in crate::sandbox::tsql) shown: String,
    pub(in crate::sandbox::tsql) clauses: Vec<Action>,
    pub(in crate::sandbox::tsql) output: Option<OutputPlan>,
    /// Of the source's leaves, to fill with NULLs.
    pub(in crate::sandbox::tsql) source_leaves: Vec<(usize, usize)>,
}

/// A bound WHEN.
#[derive(Debug)]
pub(in crate::sandbox::tsql) struct Action {
    pub(in crate::sandbox::tsql) when: MergeWhen,
    pub(in crate::sandbox::tsql) condition: Option<Bound>,
    pub(in crate::sandbox::tsql) then: Then,
}

/// What it does.
#[derive(Debug)]
pub(in crate::sandbox::tsql) enum Then {
    Update(Vec<Bound>, Vec<Goes>),
    Delete,
    /// Columns and values; a value that is `None` = DEFAULT.
    Insert(Vec<usize>, Vec<Option<Bound>>),
}

impl Binder<'_> {
    pub(in crate::sandbox::tsql) fn merge(
        &mut self,
        merge: &Merge,
        identity: Option<usize>,
    ) -> Result<MergePlan, Vec<Message>> {
        let before = self.ctes.len();
        for cte in &merge.ctes {
            let sees = self.ctes.len();
            self.ctes.push(KnownCte { cte: Rc::new(cte.clone()), sees });
        }
        self.whole = true;
        let result = self.scoped(|b| b.merge_inner(merge, identity)).map(|(plan, _)| plan);
        self.whole = false;
        self.ctes.truncate(before);
        self.finish(result)
    }

    fn merge_inner(&mut self, merge: &Merge, identity: Option<usize>) -> Binding<MergePlan> {
        self.hide();
        let source = self.source(&merge.source)?;
        let middle = self.count();
        self.hide();
        let (target, name) = match &merge.target {
            Target::Named(name, line) => (
                Source::Table {
                    name: name.clone(),
                    alias: merge.alias.clone(),
                    line: *line,
                    hint: Hint::default(),
                },
                name.clone(),
            ),
            Target::Variable(name) => {
                (Source::Variable { name: name.clone(), alias: merge.alias.clone() }, vec![name.clone()])
            }
        };
        let target = self.source(&target)?;
        self.show(0);
        let (Some(rows), Some(known)) =
            (leaf(&target, middle), self.scopes.last().and_then(|s| s.sources.get(middle)))
        else {
            return Err(Message::not_modelled("MERGE into other than a table"));
        };
        if let Some(host) = &known.host {
            host.lock(crate::sandbox::host::Lock::Exclusive);
        }
        let columns = known.columns.clone();
        if name.is_empty() {
            return Err(invalid_object(&name));
        }
        let condition = self.in_clause(Clause::On, |b| b.expression(&merge.on))?;
        let (mut keys, mut rest) = (Vec::new(), Vec::new());
        for part in conjuncts(condition) {
            match equal_pair(part, 0..middle, middle..middle + 1) {
                Ok(pair) => keys.push(pair),
                Err(other) => rest.push(*other),
            }
        }
        let mut source_leaves = Vec::new();
        source.leaves(&mut source_leaves);
        let mut clauses = Vec::new();
        for clause in &merge.clauses {
            // each side is seen where it has a row
            let visible = match clause.when {
                MergeWhen::Matched => 0..middle + 1,
                MergeWhen::NotMatched => 0..middle,
                MergeWhen::NotMatchedBySource => middle..middle + 1,
            };
            if let Some(scope) = self.scope() {
                scope.visible = visible;
            }
            let condition = match &clause.condition {
                Some(c) => Some(self.in_clause(Clause::Where, |b| b.expression(c))?),
                None => None,
            };
            let then = match &clause.then {
                MergeThen::Delete => Then::Delete,
                MergeThen::Update(set) => {
                    let (outputs, goes) =
                        self.in_clause(Clause::Where, |b| b.assignments(set, middle, &columns))?;
                    Then::Update(outputs, goes)
                }
                MergeThen::Insert(names, values) => {
                    let (places, bound) = self.merge_values(names, values.as_deref(), &columns, identity)?;
                    Then::Insert(places, bound)
                }
            };
            clauses.push(Action { when: clause.when, condition, then });
        }
        self.show(0);
        let tells = Tells { inserted: true, deleted: true, action: true };
        let output = merge.output.as_ref().map(|o| self.output(o, &columns, tells)).transpose()?;
        let joined =
            SourcePlan::Join { how: Join::Left, left: Box::new(source), right: Box::new(target), keys, rest };
        let slots = self.count() + 2;
        Ok(MergePlan {
            joined,
            slots,
            target_slot: middle,
            rows,
            columns,
            shown: name.join("."),
            clauses,
            output,
            source_leaves,
        })
    }

    fn merge_values(
        &mut self,
        names: &[String],
        values: Option<&[Option<super::super::ast::Expr>]>,
        columns: &[Column],
        identity: Option<usize>,
    ) -> Binding<(Vec<usize>, Vec<Option<Bound>>)> {
        let Some(values) = values else { return Ok((Vec::new(), Vec::new())) };
        let mut places = Vec::new();
        for name in names {
            let found = columns.iter().position(|c| self.world.same_name(&c.name, name));
            places.push(found.ok_or_else(|| Message::error(207, format!("Invalid column name '{name}'.")))?);
        }
        if names.is_empty() {
            places = (0..columns.len()).filter(|at| Some(*at) != identity).collect();
        }
        if places.len() != values.len() {
            let (number, which) = if places.len() > values.len() { (109, "more") } else { (110, "fewer") };
            let text = format!(
                "There are {which} columns in the INSERT statement than values specified in the VALUES clause. The number of values in the VALUES clause must match the number of columns specified in the INSERT statement."
            );
            return Err(Message { class: 15, ..Message::error(number, text) });
        }
        let mut bound = Vec::new();
        for (value, place) in values.iter().zip(&places) {
            bound.push(match value {
                None => None,
                Some(value) => {
                    let wide = match columns[*place].kind {
                        Type::Char(_) | Type::VarChar(Some(_)) => Type::VarChar(None),
                        Type::NChar(_) | Type::NVarChar(Some(_)) => Type::NVarChar(None),
                        other => other,
                    };
                    let value = self.in_clause(Clause::Where, |b| b.expression(value))?;
                    Some(coerce(value, wide)?)
                }
            });
        }
        Ok((places, bound))
    }
}
