//! Runs bound queries: sources and joins, filter, groups, windows, order.
//!
//! Does not know names or types, nor what becomes of the rows.

mod fold;
mod join;
mod window;

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::super::answer::Message;
use super::super::value::Value;
use super::ast::SetOperator;
use super::compare::Key;
use super::evaluate::{Around, Evaluated, Run, Scope, Tuple};
use super::plan::{Bound, Grouping, OrderKey, Plan, PlanBody, Row, SelectPlan};

pub(super) use join::Index;

/// A tuple whose slots all wait to be filled.
fn empty_tuple(slots: usize) -> Tuple {
    let empty: Row = Rc::default();
    std::iter::repeat_n(empty, slots).collect()
}

/// All rows of a query.
pub(super) fn plan(run: &Run<'_>, plan: &Plan, around: Around<'_>) -> Evaluated<Vec<Row>> {
    let mut rows = body(run, &plan.body, around)?;
    if !plan.order.is_empty() {
        let collation = run.world.collation;
        rows.sort_by(|a, b| {
            for (at, descending) in &plan.order {
                let order = collation.values(&a[*at], &b[*at]);
                if order.is_ne() {
                    return if *descending { order.reverse() } else { order };
                }
            }
            Ordering::Equal
        });
    }
    if let Some(offset) = &plan.offset {
        let skip = row_number(run, offset, around)?;
        rows = rows.into_iter().skip(skip).collect();
        if let Some(fetch) = &plan.fetch {
            rows.truncate(row_number(run, fetch, around)?);
        }
    }
    Ok(rows)
}

/// Whether a query has any row.
pub(super) fn any(run: &Run<'_>, query: &Plan, around: Around<'_>) -> Evaluated<bool> {
    if let PlanBody::Select(select) = &query.body
        && select.group.is_none()
        && select.top.is_none()
        && query.offset.is_none()
    {
        return Ok(!filtered(run, select, around, 1)?.is_empty());
    }
    Ok(!plan(run, query, around)?.is_empty())
}

fn row_number(run: &Run<'_>, bound: &Bound, around: Around<'_>) -> Evaluated<usize> {
    match run.value(bound, around)? {
        Value::Int(n) if n >= 0 => Ok(usize::try_from(n).unwrap_or(usize::MAX)),
        Value::Int(_) => Err(Message {
            class: 15,
            ..Message::error(10742, "The offset specified in a OFFSET clause may not be negative.")
        }
        .into()),
        _ => Err(Message {
            class: 15,
            ..Message::error(
                1060,
                "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.",
            )
        }
        .into()),
    }
}

fn body(run: &Run<'_>, body: &PlanBody, around: Around<'_>) -> Evaluated<Vec<Row>> {
    match body {
        PlanBody::Select(select) => self::select(run, select, around),
        PlanBody::Set { how, left, right, .. } => {
            let mut left = self::body(run, left, around)?;
            let right = self::body(run, right, around)?;
            let key = |row: &Row| row.iter().map(|v| run.world.collation.key(v)).collect::<Vec<Key>>();
            match how {
                SetOperator::UnionAll => left.extend(right),
                SetOperator::Union => {
                    left.extend(right);
                    let mut seen = HashSet::new();
                    left.retain(|row| seen.insert(key(row)));
                }
                SetOperator::Except | SetOperator::Intersect => {
                    let other: HashSet<_> = right.iter().map(key).collect();
                    let keep = *how == SetOperator::Intersect;
                    let mut seen = HashSet::new();
                    left.retain(|row| {
                        let key = key(row);
                        other.contains(&key) == keep && seen.insert(key)
                    });
                }
            }
            Ok(left)
        }
    }
}

/// Rows of the sources that pass the filter; at most `limit`.
fn filtered(run: &Run<'_>, select: &SelectPlan, around: Around<'_>, limit: usize) -> Evaluated<Vec<Tuple>> {
    let empty: Tuple = empty_tuple(select.slots);
    let Some(source) = &select.source else {
        let scope = Scope { tuple: &empty, around };
        for part in &select.filter {
            if !run.holds(part, Some(&scope))? {
                return Ok(Vec::new());
            }
        }
        return Ok(vec![empty]);
    };
    let (tuples, rest) = join::candidates(run, select, source, &empty, around)?;
    if rest.is_empty() {
        return Ok(tuples);
    }
    let mut kept = Vec::new();
    for tuple in tuples {
        run.go_on()?;
        let scope = Scope { tuple: &tuple, around };
        let mut holds = true;
        for part in &rest {
            if !run.holds(part, Some(&scope))? {
                holds = false;
                break;
            }
        }
        if holds {
            kept.push(tuple);
            if kept.len() >= limit {
                break;
            }
        }
    }
    Ok(kept)
}

struct Out {
    row: Vec<Value>,
    keys: Vec<Value>,
}

pub(super) fn select(run: &Run<'_>, select: &SelectPlan, around: Around<'_>) -> Evaluated<Vec<Row>> {
    let mut tuples = filtered(run, select, around, usize::MAX)?;
    if let Some(group) = &select.group {
        tuples = grouped(run, select, group, tuples, around)?;
    }
    if !select.windows.is_empty() {
        window::fill(run, select, &mut tuples, around)?;
    }
    let mut out = Vec::with_capacity(tuples.len());
    let mut seen = HashSet::new();
    // without an order, TOP needs no more rows than it gives
    let enough = match &select.top {
        Some(top) if select.order.is_empty() && !top.percent => Some(top_count(run, select, around, 0)?),
        _ => None,
    };
    for tuple in &tuples {
        if enough.is_some_and(|n| out.len() >= n) {
            break;
        }
        run.go_on()?;
        let scope = Scope { tuple, around };
        let row = select.outputs.iter().map(|o| run.value(o, Some(&scope))).collect::<Evaluated<Vec<_>>>()?;
        if select.distinct && !seen.insert(row.iter().map(|v| run.world.collation.key(v)).collect::<Vec<_>>())
        {
            continue;
        }
        let mut keys = Vec::with_capacity(select.order.len());
        for (key, _) in &select.order {
            keys.push(match key {
                OrderKey::Output(at) => row[*at].clone(),
                OrderKey::Value(value) => run.value(value, Some(&scope))?,
            });
        }
        out.push(Out { row, keys });
    }
    sort(run, &mut out, |o| &o.keys, &select.order.iter().map(|(_, d)| *d).collect::<Vec<_>>());
    if let Some(top) = &select.top {
        let mut count = top_count(run, select, around, out.len())?;
        if top.ties && count > 0 && count < out.len() {
            let last = &out[count - 1].keys;
            let same =
                |o: &Out| o.keys.iter().zip(last).all(|(a, b)| run.world.collation.values(a, b).is_eq());
            count += out[count..].iter().take_while(|o| same(o)).count();
        }
        out.truncate(count);
    }
    Ok(out.into_iter().map(|o| Rc::new(o.row)).collect())
}

fn top_count(run: &Run<'_>, select: &SelectPlan, around: Around<'_>, rows: usize) -> Evaluated<usize> {
    let Some(top) = &select.top else { return Ok(rows) };
    let bad = || {
        Message {
            class: 15,
            ..Message::error(
                1060,
                "The number of rows provided for a TOP or FETCH clauses row count parameter must be an integer.",
            )
        }
        .into()
    };
    let empty: Tuple = empty_tuple(select.slots);
    let scope = Scope { tuple: &empty, around };
    match run.value(&top.count, Some(&scope))? {
        Value::Int(n) if n < 0 => Err(Message {
            class: 15,
            ..Message::error(1014, "A TOP or FETCH clause contains an invalid value.")
        }
        .into()),
        Value::Int(n) => Ok(usize::try_from(n).unwrap_or(usize::MAX)),
        Value::Float(n) if (0.0..=100.0).contains(&n) => Ok((n / 100.0 * rows as f64).ceil() as usize),
        Value::Float(_) => {
            Err(Message { class: 15, ..Message::error(1031, "Percent values must be between 0 and 100.") }
                .into())
        }
        _ => Err(bad()),
    }
}

/// Sorts by precomputed keys, stable, NULLs first.
fn sort<T>(run: &Run<'_>, rows: &mut [T], keys: impl Fn(&T) -> &Vec<Value>, descending: &[bool]) {
    if descending.is_empty() {
        return;
    }
    rows.sort_by(|a, b| ordering(run, keys(a), keys(b), descending));
}

fn ordering(run: &Run<'_>, a: &[Value], b: &[Value], descending: &[bool]) -> Ordering {
    for ((x, y), descending) in a.iter().zip(b).zip(descending) {
        let order = run.world.collation.values(x, y);
        if order.is_ne() {
            return if *descending { order.reverse() } else { order };
        }
    }
    Ordering::Equal
}

/// One tuple per group: its first row, with the aggregates in their slot.
fn grouped(
    run: &Run<'_>,
    select: &SelectPlan,
    group: &Grouping,
    tuples: Vec<Tuple>,
    around: Around<'_>,
) -> Evaluated<Vec<Tuple>> {
    let slot = select.slots - 2;
    let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
    let mut groups: Vec<(Tuple, Vec<fold::State>)> = Vec::new();
    let fresh = || group.aggregates.iter().map(fold::State::new).collect::<Vec<_>>();
    if group.keys.is_empty() {
        let mut empty: Tuple = empty_tuple(select.slots);
        if let Some(first) = tuples.first() {
            empty.clone_from(first);
        }
        groups.push((empty, fresh()));
    }
    for tuple in tuples {
        run.go_on()?;
        let scope = Scope { tuple: &tuple, around };
        let at = if group.keys.is_empty() {
            0
        } else {
            let mut key = Vec::with_capacity(group.keys.len());
            for bound in &group.keys {
                key.push(run.world.collation.key(&run.value(bound, Some(&scope))?));
            }
            *places.entry(key).or_insert_with(|| {
                groups.push((tuple.clone(), fresh()));
                groups.len() - 1
            })
        };
        for (state, aggregate) in groups[at].1.iter_mut().zip(&group.aggregates) {
            state.add(run, aggregate, Some(&scope))?;
        }
    }
    let mut out = Vec::with_capacity(groups.len());
    for (mut tuple, states) in groups {
        let values = states
            .into_iter()
            .zip(&group.aggregates)
            .map(|(state, aggregate)| state.result(run, aggregate))
            .collect::<Evaluated<Vec<_>>>()?;
        tuple[slot] = Rc::new(values);
        let scope = Scope { tuple: &tuple, around };
        let keep = match &group.having {
            Some(having) => run.holds(having, Some(&scope))?,
            None => true,
        };
        if keep {
            out.push(tuple);
        }
    }
    Ok(out)
}

/// The rows an UPDATE or DELETE touches, each once: its place in the table and its new values.
pub(super) fn touched(
    run: &Run<'_>,
    change: &super::binder::ChangePlan,
) -> Evaluated<Vec<(usize, Vec<Value>)>> {
    let rows = run.world.rows(&change.rows)?;
    let places: HashMap<*const Vec<Value>, usize> =
        rows.iter().enumerate().map(|(at, row)| (Rc::as_ptr(row), at)).collect();
    let tuples = filtered(run, &change.select, None, usize::MAX)?;
    let most = match &change.select.top {
        Some(_) => top_count(run, &change.select, None, tuples.len())?,
        None => usize::MAX,
    };
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for tuple in &tuples {
        if out.len() >= most {
            break;
        }
        let Some(at) = places.get(&Rc::as_ptr(&tuple[change.slot])) else { continue };
        if !seen.insert(*at) {
            continue;
        }
        let scope = Scope { tuple, around: None };
        let values = change
            .select
            .outputs
            .iter()
            .map(|o| run.value(o, Some(&scope)))
            .collect::<Evaluated<Vec<_>>>()?;
        out.push((*at, values));
    }
    Ok(out)
}
