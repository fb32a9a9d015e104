//! Joins, and the equalities that make them quick.

use super::super::ast::{Comparison, Expr, Join, Source};
use super::super::plan::{Bound, Node, SourcePlan};
use super::{Binder, Binding, Clause};

impl Binder<'_> {
    pub(super) fn join(
        &mut self,
        how: Join,
        left: &Source,
        right: &Source,
        on: Option<&Expr>,
    ) -> Binding<SourcePlan> {
        let first = self.count();
        self.hide();
        let left = Box::new(self.source(left)?);
        let middle = self.count();
        self.hide();
        let right = Box::new(self.source(right)?);
        self.show(first);
        let mut keys = Vec::new();
        let mut rest = Vec::new();
        if let Some(on) = on {
            let condition = self.in_clause(Clause::On, |b| b.expression(on))?;
            for part in conjuncts(condition) {
                match equal_pair(part, first..middle, middle..self.count()) {
                    Ok(pair) => keys.push(pair),
                    Err(other) => rest.push(*other),
                }
            }
        }
        Ok(SourcePlan::Join { how, left, right, keys, rest })
    }
}

/// The parts of a condition that all must hold.
pub(super) fn conjuncts(condition: Bound) -> Vec<Bound> {
    match condition.node {
        Node::And(parts) => parts.into_iter().flat_map(conjuncts).collect(),
        _ => vec![condition],
    }
}

/// Gives an equality of WHERE to the inner join it belongs to; `None` when one took it.
pub(super) fn absorb(source: &mut SourcePlan, part: Bound) -> Option<Bound> {
    let SourcePlan::Join { how: Join::Inner | Join::Cross, left, right, keys, .. } = source else {
        return Some(part);
    };
    let slots = |source: &SourcePlan| {
        let mut leaves = Vec::new();
        source.leaves(&mut leaves);
        let first = leaves.iter().map(|l| l.0).min().unwrap_or(0);
        first..leaves.iter().map(|l| l.0 + 1).max().unwrap_or(0)
    };
    match equal_pair(part, slots(left), slots(right)) {
        Ok(pair) => {
            keys.push(pair);
            None
        }
        Err(part) => absorb(left, *part).and_then(|part| absorb(right, part)),
    }
}

/// `left = right` with each side's columns from one side of the join only.
pub(super) fn equal_pair(
    part: Bound,
    left: std::ops::Range<usize>,
    right: std::ops::Range<usize>,
) -> Result<(Bound, Bound), Box<Bound>> {
    let Node::Compare(Comparison::Equal, a, b) = &part.node else { return Err(Box::new(part)) };
    let side = |bound: &Bound| {
        let places: Vec<_> = bound.places().into_iter().filter(|p| p.up == 0).collect();
        if places.is_empty() {
            return None;
        }
        if places.iter().all(|p| left.contains(&p.slot)) {
            Some(true)
        } else if places.iter().all(|p| right.contains(&p.slot)) {
            Some(false)
        } else {
            None
        }
    };
    match (side(a), side(b)) {
        (Some(true), Some(false)) => Ok(((**a).clone(), (**b).clone())),
        (Some(false), Some(true)) => Ok(((**b).clone(), (**a).clone())),
        _ => Err(Box::new(part)),
    }
}
