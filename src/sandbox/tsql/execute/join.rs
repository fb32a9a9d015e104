//! Sources and joins. Equality joins and equality with an outer row go through a hash, not a scan.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::ast::{Comparison, Join};
use super::super::compare::Key;
use super::super::evaluate::{Around, Evaluated, Run, Scope, Tuple};
use super::super::plan::{Bound, Node, Plan, Row, SelectPlan, SourcePlan, Sub};
use crate::sandbox::answer::Message;
use crate::sandbox::value::Value;

/// Rows of a source by the values of some of its columns.
#[derive(Debug)]
pub(in crate::sandbox::tsql) struct Index {
    tuples: Vec<Tuple>,
    by_key: HashMap<Vec<Key>, Vec<usize>>,
}

/// Candidate rows of a SELECT, and the conditions that still must be checked.
pub(super) fn candidates<'p>(
    run: &Run<'_>,
    select: &'p SelectPlan,
    source: &SourcePlan,
    empty: &Tuple,
    around: Around<'_>,
) -> Evaluated<(Vec<Tuple>, Vec<&'p Bound>)> {
    let all: Vec<&Bound> = select.filter.iter().collect();
    if around.is_none() || !stands_alone(source) {
        return Ok((rows(run, source, empty, around)?, all));
    }
    // WHERE own = outer: one hash serves every outer row
    let (equal, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|part| correlated(part).is_some());
    let pairs: Vec<(&Bound, &Bound)> = equal.iter().filter_map(|part| correlated(part)).collect();
    let known = run.indexes.borrow().get(&select.id).cloned();
    let index = if let Some(index) = known {
        index
    } else {
        let tuples = rows(run, source, empty, None)?;
        let mut by_key: HashMap<Vec<Key>, Vec<usize>> = HashMap::new();
        for (at, tuple) in tuples.iter().enumerate() {
            run.go_on()?;
            let scope = Scope { tuple, around: None };
            if let Some(key) = key(run, pairs.iter().map(|p| p.0), &scope)? {
                by_key.entry(key).or_default().push(at);
            }
        }
        let index = Rc::new(Index { tuples, by_key });
        run.indexes.borrow_mut().insert(select.id, index.clone());
        index
    };
    if pairs.is_empty() {
        return Ok((index.tuples.clone(), rest));
    }
    let scope = Scope { tuple: empty, around };
    let found = match key(run, pairs.iter().map(|p| p.1), &scope)? {
        Some(key) => index.by_key.get(&key),
        None => None,
    };
    let tuples = found.into_iter().flatten().map(|at| index.tuples[*at].clone()).collect();
    Ok((tuples, rest))
}

/// `own = outer` as (own, outer).
fn correlated(part: &Bound) -> Option<(&Bound, &Bound)> {
    let Node::Compare(Comparison::Equal, a, b) = &part.node else { return None };
    let plain = |bound: &Bound| {
        let mut plain = true;
        bound.walk(&mut |b| {
            plain &= b.sub().is_none() && !matches!(b.node, Node::Host(..));
            plain
        });
        plain
    };
    let own = |bound: &Bound| {
        let places = bound.places();
        !places.is_empty() && places.iter().all(|p| p.up == 0)
    };
    let outer = |bound: &Bound| bound.places().iter().all(|p| p.up > 0);
    if !plain(a) || !plain(b) {
        return None;
    }
    if own(a) && outer(b) {
        Some((a, b))
    } else if own(b) && outer(a) {
        Some((b, a))
    } else {
        None
    }
}

/// Whether a source gives the same rows whatever is around it.
fn stands_alone(source: &SourcePlan) -> bool {
    let closed = |b: &Bound| b.places().iter().all(|p| p.up == 0);
    match source {
        SourcePlan::Rows { .. } => true,
        SourcePlan::Recursive { anchor, .. } => anchor.outer.is_empty(),
        SourcePlan::Working { .. } => true,
        SourcePlan::Derived { query, .. } => query.outer.is_empty(),
        SourcePlan::Function { arguments, .. } => arguments.iter().all(|a| a.places().is_empty()),
        SourcePlan::Values { rows, .. } => rows.iter().flatten().all(|b| b.places().is_empty()),
        SourcePlan::Join { left, right, keys, rest, .. } => {
            stands_alone(left)
                && stands_alone(right)
                && keys.iter().all(|(a, b)| closed(a) && closed(b))
                && rest.iter().all(closed)
        }
        SourcePlan::Apply { .. } => false,
    }
}

/// `None` when one of the values is NULL.
fn key<'b>(
    run: &Run<'_>,
    bounds: impl Iterator<Item = &'b Bound>,
    scope: &Scope<'_>,
) -> Evaluated<Option<Vec<Key>>> {
    let mut key = Vec::new();
    for bound in bounds {
        match run.value(bound, Some(scope))? {
            Value::Null => return Ok(None),
            value => key.push(run.world.collation.key(&value)),
        }
    }
    Ok(Some(key))
}

/// The rows of a source, each in a copy of `base` with its slots filled.
fn rows(run: &Run<'_>, source: &SourcePlan, base: &Tuple, around: Around<'_>) -> Evaluated<Vec<Tuple>> {
    let place = |slot: usize, rows: &mut dyn Iterator<Item = Row>| -> Vec<Tuple> {
        rows.map(|row| {
            let mut tuple = base.clone();
            tuple[slot] = row;
            tuple
        })
        .collect()
    };
    let scope = Scope { tuple: base, around };
    match source {
        SourcePlan::Rows { slot, rows } => {
            let rows = run.world.rows(rows)?;
            Ok(place(*slot, &mut rows.iter().cloned()))
        }
        SourcePlan::Derived { slot, query, .. } => {
            let rows = run.sub(query, Some(&scope))?;
            Ok(place(*slot, &mut rows.iter().cloned()))
        }
        SourcePlan::Recursive { slot, anchor, steps, id, name, most, .. } => {
            let rows = recursive(run, anchor, steps, *id, name, *most, &scope)?;
            Ok(place(*slot, &mut rows.iter().cloned()))
        }
        SourcePlan::Working { slot, id, .. } => {
            let rows = run.working.borrow().get(id).cloned().unwrap_or_default();
            Ok(place(*slot, &mut rows.iter().cloned()))
        }
        SourcePlan::Values { slot, rows, .. } => {
            let mut made = Vec::with_capacity(rows.len());
            for row in rows {
                let values = row.iter().map(|b| run.value(b, Some(&scope))).collect::<Evaluated<Vec<_>>>()?;
                made.push(Rc::new(values));
            }
            Ok(place(*slot, &mut made.into_iter()))
        }
        SourcePlan::Function { slot, what, arguments, kinds, .. } => {
            let values =
                arguments.iter().map(|a| run.value(a, Some(&scope))).collect::<Evaluated<Vec<_>>>()?;
            let made = super::rowset::rows(run, what, &values, kinds)?;
            Ok(place(*slot, &mut made.into_iter().map(Rc::new)))
        }
        SourcePlan::Apply { outer, left, right } => {
            let mut out = Vec::new();
            for tuple in rows(run, left, base, around)? {
                run.go_on()?;
                let found = rows(run, right, &tuple, around)?;
                if found.is_empty() && *outer {
                    out.push(with_nulls(tuple, right));
                } else {
                    out.extend(found);
                }
                Run::charge(out.len())?;
            }
            Ok(out)
        }
        SourcePlan::Join { how, left, right, keys, rest } => {
            let lefts = rows(run, left, base, around)?;
            let rights = rows(run, right, base, around)?;
            join(run, &Sides { how: *how, left, right, keys, rest }, &lefts, &rights, around)
        }
    }
}

/// All rows of a source that stands alone.
pub(super) fn all(run: &Run<'_>, source: &SourcePlan, empty: &Tuple) -> Evaluated<Vec<Tuple>> {
    rows(run, source, empty, None)
}

/// The rows of a recursive CTE, round by round.
fn recursive(
    run: &Run<'_>,
    anchor: &Sub,
    steps: &[Plan],
    id: usize,
    name: &str,
    most: u32,
    scope: &Scope<'_>,
) -> Evaluated<Rc<Vec<Row>>> {
    let key = (id, Vec::new());
    if let Some(known) = run.results.borrow().get(&key) {
        return Ok(known.clone());
    }
    let mut level = run.sub(anchor, Some(scope))?;
    let mut all: Vec<Row> = (*level).clone();
    let mut round = 0u32;
    while !level.is_empty() {
        run.go_on()?;
        // what was kept of the round before is not true of this one
        let inner = Run::new(run.world, run.stopped);
        inner.working.borrow_mut().clone_from(&run.working.borrow());
        inner.working.borrow_mut().insert(id, level);
        let mut next = Vec::new();
        for step in steps {
            next.extend(super::plan(&inner, step, None)?);
        }
        round += 1;
        if most > 0 && round > most && !next.is_empty() {
            let text = format!(
                "The statement terminated. The maximum recursion {most} has been exhausted before statement completion."
            );
            return Err(Message::error(530, text).into());
        }
        Run::charge(all.len() + next.len())?;
        if round > 1_000_000 {
            return Err(Message::not_modelled(format!("a million rounds of '{name}'")).into());
        }
        all.extend(next.iter().cloned());
        level = Rc::new(next);
    }
    let all = Rc::new(all);
    run.results.borrow_mut().insert(key, all.clone());
    Ok(all)
}

struct Sides<'a> {
    how: Join,
    left: &'a SourcePlan,
    right: &'a SourcePlan,
    keys: &'a [(Bound, Bound)],
    rest: &'a [Bound],
}

fn join(
    run: &Run<'_>,
    sides: &Sides<'_>,
    lefts: &[Tuple],
    rights: &[Tuple],
    around: Around<'_>,
) -> Evaluated<Vec<Tuple>> {
    let mut slots = Vec::new();
    sides.right.leaves(&mut slots);
    let mut by_key: HashMap<Vec<Key>, Vec<usize>> = HashMap::new();
    if !sides.keys.is_empty() {
        for (at, tuple) in rights.iter().enumerate() {
            run.go_on()?;
            let scope = Scope { tuple, around };
            if let Some(key) = key(run, sides.keys.iter().map(|k| &k.1), &scope)? {
                by_key.entry(key).or_default().push(at);
            }
        }
    }
    let every: Vec<usize> = if sides.keys.is_empty() { (0..rights.len()).collect() } else { Vec::new() };
    let mut matched = vec![false; rights.len()];
    let mut out = Vec::new();
    for left in lefts {
        run.go_on()?;
        let candidates = if sides.keys.is_empty() {
            &every
        } else {
            let scope = Scope { tuple: left, around };
            match key(run, sides.keys.iter().map(|k| &k.0), &scope)?.and_then(|k| by_key.get(&k)) {
                Some(found) => found,
                None => &Vec::new(),
            }
        };
        let mut any = false;
        for at in candidates {
            let mut tuple = left.clone();
            for (slot, _) in &slots {
                tuple[*slot] = rights[*at][*slot].clone();
            }
            let scope = Scope { tuple: &tuple, around };
            let mut holds = true;
            for part in sides.rest {
                if !run.holds(part, Some(&scope))? {
                    holds = false;
                    break;
                }
            }
            if holds {
                any = true;
                matched[*at] = true;
                out.push(tuple);
                if out.len() % 1024 == 0 {
                    run.go_on()?;
                    Run::charge(out.len())?;
                }
            }
        }
        if !any && matches!(sides.how, Join::Left | Join::Full) {
            out.push(with_nulls(left.clone(), sides.right));
        }
    }
    if matches!(sides.how, Join::Right | Join::Full) {
        for (tuple, _) in rights.iter().zip(&matched).filter(|(_, matched)| !**matched) {
            out.push(with_nulls(tuple.clone(), sides.left));
        }
    }
    Ok(out)
}

/// Fills a source's slots with rows of NULLs.
fn with_nulls(mut tuple: Tuple, source: &SourcePlan) -> Tuple {
    let mut leaves = Vec::new();
    source.leaves(&mut leaves);
    for (slot, width) in leaves {
        tuple[slot] = Rc::new(vec![Value::Null; width]);
    }
    tuple
}
