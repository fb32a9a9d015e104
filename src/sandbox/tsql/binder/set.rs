//! UNION, EXCEPT, INTERSECT.

use super::super::ast::{Body, Expr, OrderItem, SetOperator};
use super::super::plan::{Bound, PlanBody};
use super::super::types;
use super::query::{Place, ordinal};
use super::{Binder, Binding, coerce};
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Column, Type, Value};

impl Binder<'_> {
    pub(super) fn set(&mut self, body: &Body) -> Binding<(PlanBody, Vec<Column>, bool)> {
        match body {
            Body::Select(select) => {
                let ((plan, columns), scope) = self.scoped(|b| b.select(select, &[], Place::Subquery))?;
                self.last_outer(&scope.outer);
                Ok((PlanBody::Select(Box::new(plan)), columns, scope.reads_host))
            }
            Body::Set { how, left, right } => {
                let (left, first, a) = self.set(left)?;
                let (right, second, b) = self.set(right)?;
                if first.len() != second.len() {
                    return Err(Message::error(
                        205,
                        "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions in their target lists.",
                    ));
                }
                let mut columns = Vec::new();
                for (at, (x, y)) in first.iter().zip(&second).enumerate() {
                    let kind = match (bare_null(&left, at), bare_null(&right, at)) {
                        (true, false) => y.kind,
                        (false, true) => x.kind,
                        _ => types::common(x.kind, y.kind),
                    };
                    if !bare_null(&left, at) {
                        types::check_implicit(x.kind, kind)?;
                    }
                    if !bare_null(&right, at) {
                        types::check_implicit(y.kind, kind)?;
                    }
                    columns.push(Column { name: x.name.clone(), kind, nullable: x.nullable || y.nullable });
                }
                let kinds: Vec<Type> = columns.iter().map(|c| c.kind).collect();
                let (mut left, mut right) = (left, right);
                retype(&mut left, &kinds)?;
                retype(&mut right, &kinds)?;
                let body = PlanBody::Set { how: *how, left: Box::new(left), right: Box::new(right), kinds };
                if *how == SetOperator::UnionAll {
                    return Ok((body, columns, a || b));
                }
                Ok((body, columns, a || b))
            }
        }
    }

    pub(super) fn set_order(&self, order: &[OrderItem], columns: &[Column]) -> Binding<Vec<(usize, bool)>> {
        order
            .iter()
            .map(|item| match &item.value {
                Expr::Literal(Value::Int(n), Type::Int) => Ok((ordinal(*n, columns.len())?, item.descending)),
                Expr::Column(name, line) => {
                    let found = columns
                        .iter()
                        .position(|c| name.last().is_some_and(|n| self.world.same_name(&c.name, n)));
                    match found {
                        Some(at) if name.len() == 1 => Ok((at, item.descending)),
                        _ => Err(Message {
                            line: *line,
                            ..Message::error(207, format!("Invalid column name '{}'.", name.join(".")))
                        }),
                    }
                }
                _ => Err(Message::error(
                    104,
                    "ORDER BY items must appear in the select list if the statement contains a UNION, INTERSECT or EXCEPT operator.",
                )),
            })
            .collect()
    }
}

pub(super) fn bare_null(body: &PlanBody, at: usize) -> bool {
    match body {
        PlanBody::Select(select) => select.outputs.get(at).is_some_and(Bound::is_bare_null),
        PlanBody::Set { .. } => false,
    }
}

/// Converts every output of a result.
pub(super) fn retype(body: &mut PlanBody, wanted: &[Type]) -> Binding<()> {
    match body {
        PlanBody::Select(select) => {
            for (output, kind) in select.outputs.iter_mut().zip(wanted) {
                let value = std::mem::replace(output, Bound::null());
                *output = coerce(value, *kind)?;
            }
            select.kinds = wanted.to_vec();
            Ok(())
        }
        PlanBody::Set { left, right, kinds, .. } => {
            retype(left, wanted)?;
            retype(right, wanted)?;
            *kinds = wanted.to_vec();
            Ok(())
        }
    }
}
