//! CTEs that read themselves: an anchor, and steps over the rows the round before added.

use std::rc::Rc;

use super::super::ast::{Body, Cte, Join, Query, Select, SetOperator, Source};
use super::super::plan::{Plan, SourcePlan, Sub};
use super::{Binder, Binding, Known, query};
use crate::sandbox::answer::Message;
use crate::sandbox::value::Column;

/// The bound parts of a recursive CTE: its first rows, its steps, the id of its working table.
pub(super) type Parts = (Sub, Vec<Plan>, usize);

fn reads(body: &Body, found: &dyn Fn(&str) -> bool) -> bool {
    match body {
        Body::Select(select) => select.from.as_ref().is_some_and(|s| source_reads(s, found)),
        Body::Set { left, right, .. } => reads(left, found) || reads(right, found),
    }
}

fn source_reads(source: &Source, found: &dyn Fn(&str) -> bool) -> bool {
    match source {
        Source::Table { name, .. } => name.len() == 1 && found(&name[0]),
        Source::Derived { query, .. } => reads(&query.body, found),
        Source::Pivot { source, .. } | Source::Unpivot { source, .. } => source_reads(source, found),
        Source::Join { left, right, .. } | Source::Apply { left, right, .. } => {
            source_reads(left, found) || source_reads(right, found)
        }
        _ => false,
    }
}

/// The members of a chain of UNION ALLs, in order.
fn members<'b>(body: &'b Body, out: &mut Vec<&'b Body>) {
    match body {
        Body::Set { how: SetOperator::UnionAll, left, right } => {
            members(left, out);
            members(right, out);
        }
        other => out.push(other),
    }
}

impl Binder<'_> {
    /// Whether a CTE's query reads the CTE itself.
    pub(super) fn mentions(&self, query: &Query, name: &str) -> bool {
        reads(&query.body, &|n| self.world.same_name(n, name))
    }

    pub(super) fn recursive(&mut self, cte: &Cte, _: Option<&String>) -> Binding<(Parts, Vec<Column>)> {
        let name = &cte.name;
        let own = |n: &str| self.world.same_name(n, name);
        let mut all = Vec::new();
        members(&cte.query.body, &mut all);
        let (steps, anchors): (Vec<&Body>, Vec<&Body>) = all.into_iter().partition(|b| reads(b, &own));
        let split = matches!(cte.query.body, Body::Set { how: SetOperator::UnionAll, .. });
        if !split || steps.iter().any(|s| matches!(s, Body::Set { .. })) {
            let text = format!(
                "Recursive common table expression '{name}' does not contain a top-level UNION ALL operator."
            );
            return Err(Message::error(252, text));
        }
        let Some(anchor) = anchors.into_iter().cloned().reduce(|left, right| Body::Set {
            how: SetOperator::UnionAll,
            left: Box::new(left),
            right: Box::new(right),
        }) else {
            let text = format!("No anchor member was specified for recursive query \"{name}\".");
            return Err(Message::error(246, text));
        };
        for step in &steps {
            if let Body::Select(select) = step {
                refuse(select, name)?;
            }
        }
        let steps: Vec<Body> = steps.into_iter().cloned().collect();
        let whole = |body| Query {
            ctes: Vec::new(),
            body,
            order: Vec::new(),
            offset: None,
            fetch: None,
            shape: None,
            recursion: None,
        };
        let (first, mut columns) = self.derived(&whole(anchor), name, &cte.columns)?;
        for column in &mut columns {
            column.nullable = true;
        }
        let id = self.id();
        self.working.push((name.clone(), columns.clone(), id));
        let plans = steps
            .into_iter()
            .map(|step| {
                let plan = self.query(&whole(step), query::Place::Derived)?;
                if plan.columns.len() != columns.len() {
                    return Err(Message::error(
                        205,
                        "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.",
                    ));
                }
                for (own, wanted) in plan.columns.iter().zip(&columns) {
                    if own.kind != wanted.kind {
                        let text = format!(
                            "Types don't match between the anchor and the recursive part in column \"{}\" of recursive query \"{name}\".",
                            wanted.name
                        );
                        return Err(Message::error(240, text));
                    }
                }
                Ok(plan)
            })
            .collect::<Binding<Vec<_>>>();
        self.working.pop();
        Ok(((first, plans?, id), columns))
    }

    pub(super) fn known_recursive(
        &mut self,
        (anchor, steps, id): Parts,
        columns: Vec<Column>,
        name: &str,
        alias: Option<&String>,
    ) -> Binding<SourcePlan> {
        let reads_host = anchor.plan.reads_host || steps.iter().any(|s| s.reads_host);
        if let Some(scope) = self.scope() {
            scope.reads_host |= reads_host;
        }
        let width = columns.len();
        let slot = self.add(Known {
            shown: alias.map_or(name, String::as_str).to_owned(),
            alias: alias.cloned(),
            name: vec![name.to_owned()],
            columns,
            host: None,
        })?;
        let (steps, most) = (Rc::new(steps), self.recursion);
        Ok(SourcePlan::Recursive { slot, width, anchor, steps, id, name: name.to_owned(), most })
    }
}

/// What may not stand in the recursive part.
fn refuse(select: &Select, name: &str) -> Binding<()> {
    let outer = |source: &Source| {
        let mut stack = vec![source];
        while let Some(at) = stack.pop() {
            if let Source::Join { how, left, right, .. } = at {
                if matches!(how, Join::Left | Join::Right | Join::Full) {
                    return true;
                }
                stack.extend([&**left, &**right]);
            }
        }
        false
    };
    let (number, what) = if select.distinct {
        (460, "DISTINCT operator is")
    } else if select.top.is_some() {
        (461, "The TOP or OFFSET operator is")
    } else if !select.group.is_empty() || select.having.is_some() {
        (467, "GROUP BY, HAVING, or aggregate functions are")
    } else if select.from.as_ref().is_some_and(outer) {
        (462, "Outer join is")
    } else {
        return Ok(());
    };
    let text =
        format!("{what} not allowed in the recursive part of a recursive common table expression '{name}'.");
    Err(Message::error(number, text))
}
