//! Runs bound queries: sources and joins, filter, groups, windows, order.
//!
//! Does not know names or types, nor what becomes of the rows.

mod fold;
mod join;
mod rowset;
mod window;

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::super::answer::Message;
use super::super::value::Value;
use super::ast::{SetOperator, Shape};
use super::compare::Key;
use super::evaluate::{Around, Evaluated, Run, Scope, Tuple};
use super::plan::{Bound, Grouping, OrderKey, Plan, PlanBody, Row, SelectPlan};
use super::shape;

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
    if let Some(shape) = &plan.shape {
        let text = match &shape.shape {
            Shape::Xml(xml) => shape::xml(xml, &shape.columns, &rows)?,
            Shape::Json(json) => shape::json(json, &shape.columns, &rows)?,
        };
        // without rows a subquery is NULL and a statement has no row
        return Ok(text.into_iter().map(|t| Rc::new(vec![Value::Text(t)])).collect());
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
    /// Of the row it comes from.
    from: usize,
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
    for (from, tuple) in tuples.iter().enumerate() {
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
        out.push(Out { row, keys, from });
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
    let mut rows = Vec::with_capacity(out.len());
    for o in out {
        let row = Rc::new(o.row);
        if let Some(slot) = select.track {
            run.tracked.borrow_mut().insert(Rc::as_ptr(&row), tuples[o.from][slot].clone());
        }
        rows.push(row);
    }
    Ok(rows)
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

/// One tuple per group, of every set there is.
fn grouped(
    run: &Run<'_>,
    select: &SelectPlan,
    group: &Grouping,
    tuples: Vec<Tuple>,
    around: Around<'_>,
) -> Evaluated<Vec<Tuple>> {
    let Some(sets) = &group.sets else {
        let all: Vec<usize> = (0..group.keys.len()).collect();
        return one_set(run, select, group, &all, tuples, around);
    };
    let mut out = Vec::new();
    for set in sets {
        run.go_on()?;
        out.extend(one_set(run, select, group, set, tuples.clone(), around)?);
    }
    Ok(out)
}

/// One tuple per group: its first row, with the aggregates in their slot.
fn one_set(
    run: &Run<'_>,
    select: &SelectPlan,
    group: &Grouping,
    set: &[usize],
    tuples: Vec<Tuple>,
    around: Around<'_>,
) -> Evaluated<Vec<Tuple>> {
    let slot = select.slots - 2;
    let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
    let mut groups: Vec<(Tuple, Vec<fold::State>)> = Vec::new();
    let fresh = || group.aggregates.iter().map(fold::State::new).collect::<Vec<_>>();
    if set.is_empty() {
        let mut empty: Tuple = empty_tuple(select.slots);
        if let Some(first) = tuples.first() {
            empty.clone_from(first);
        }
        groups.push((empty, fresh()));
    }
    for tuple in tuples {
        run.go_on()?;
        let scope = Scope { tuple: &tuple, around };
        let at = if set.is_empty() {
            0
        } else {
            let mut key = Vec::with_capacity(set.len());
            for at in set {
                key.push(run.world.collation.key(&run.value(&group.keys[*at], Some(&scope))?));
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
        let mut values = Vec::new();
        if group.sets.is_some() {
            let scope = Scope { tuple: &tuple, around };
            for (at, key) in group.keys.iter().enumerate() {
                values.push(if set.contains(&at) { run.value(key, Some(&scope))? } else { Value::Null });
            }
            values.extend((0..group.keys.len()).map(|at| Value::Int(i64::from(!set.contains(&at)))));
        }
        let folded = states
            .into_iter()
            .zip(&group.aggregates)
            .map(|(state, aggregate)| state.result(run, aggregate))
            .collect::<Evaluated<Vec<_>>>()?;
        values.extend(folded);
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

/// SELECT @x = … @x …: each row assigns, and the next one sees it. Gives the number of rows.
pub(super) fn assign(run: &Run<'_>, select: &SelectPlan, names: &[String]) -> Evaluated<u64> {
    let mut tuples = filtered(run, select, None, usize::MAX)?;
    if let Some(group) = &select.group {
        tuples = grouped(run, select, group, tuples, None)?;
    }
    if !select.windows.is_empty() {
        window::fill(run, select, &mut tuples, None)?;
    }
    let mut keyed = Vec::with_capacity(tuples.len());
    for tuple in tuples {
        let scope = Scope { tuple: &tuple, around: None };
        let mut keys = Vec::with_capacity(select.order.len());
        for (key, _) in &select.order {
            keys.push(match key {
                OrderKey::Output(at) => run.value(&select.outputs[*at], Some(&scope))?,
                OrderKey::Value(value) => run.value(value, Some(&scope))?,
            });
        }
        keyed.push((keys, tuple));
    }
    sort(run, &mut keyed, |k| &k.0, &select.order.iter().map(|(_, d)| *d).collect::<Vec<_>>());
    if select.top.is_some() {
        keyed.truncate(top_count(run, select, None, keyed.len())?);
    }
    for (_, tuple) in &keyed {
        run.go_on()?;
        let scope = Scope { tuple, around: None };
        for (output, name) in select.outputs.iter().zip(names) {
            let value = run.value(output, Some(&scope))?;
            Run::charge_text(&value)?;
            run.assigned.borrow_mut().insert(name.clone(), value);
        }
    }
    Ok(keyed.len() as u64)
}

/// Rows by their place in the table that is changed, their new values, and everything around them.
pub(super) type Touched = Vec<(usize, Vec<Value>, Tuple)>;

/// The place of a row in its table, also through a CTE.
fn place_of(run: &Run<'_>, places: &HashMap<*const Vec<Value>, usize>, row: &Row) -> Option<usize> {
    let at = Rc::as_ptr(row);
    if let Some(place) = places.get(&at) {
        return Some(*place);
    }
    let tracked = run.tracked.borrow();
    places.get(&Rc::as_ptr(tracked.get(&at)?)).copied()
}

/// The rows an UPDATE or DELETE touches, each once.
pub(super) fn touched(run: &Run<'_>, change: &super::binder::ChangePlan) -> Evaluated<Touched> {
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
    for tuple in tuples {
        if out.len() >= most {
            break;
        }
        run.go_on()?;
        let Some(at) = place_of(run, &places, &tuple[change.slot]) else { continue };
        if !seen.insert(at) {
            continue;
        }
        let scope = Scope { tuple: &tuple, around: None };
        let values = change
            .select
            .outputs
            .iter()
            .map(|o| run.value(o, Some(&scope)))
            .collect::<Evaluated<Vec<_>>>()?;
        // a variable that is set is seen by the next row
        for (goes, value) in change.set.iter().zip(&values) {
            if let super::binder::Goes::Variable(name) | super::binder::Goes::Both(_, name) = goes {
                run.assigned.borrow_mut().insert(name.clone(), value.clone());
            }
        }
        out.push((at, values, tuple));
    }
    Ok(out)
}

/// What MERGE does to one row.
pub(super) enum Merged {
    /// Place and new values by column.
    Update(usize, Vec<Value>, usize),
    Delete(usize),
    /// Columns and values; `None` = DEFAULT.
    Insert(Vec<usize>, Vec<Option<Value>>),
}

/// What MERGE does, row by row, with everything around each.
pub(super) fn merged(run: &Run<'_>, merge: &super::binder::MergePlan) -> Evaluated<Vec<(Merged, Tuple)>> {
    use super::ast::MergeWhen;
    use super::binder::Then;
    let rows = run.world.rows(&merge.rows)?;
    let places: HashMap<*const Vec<Value>, usize> =
        rows.iter().enumerate().map(|(at, row)| (Rc::as_ptr(row), at)).collect();
    let empty = empty_tuple(merge.slots);
    let tuples = join::all(run, &merge.joined, &empty)?;
    let mut met = HashSet::new();
    let mut cases: Vec<(MergeWhen, Option<usize>, Tuple)> = Vec::new();
    for tuple in tuples {
        let place = places.get(&Rc::as_ptr(&tuple[merge.target_slot])).copied();
        match place {
            Some(at) => {
                met.insert(at);
                cases.push((MergeWhen::Matched, Some(at), tuple));
            }
            None => cases.push((MergeWhen::NotMatched, None, tuple)),
        }
    }
    for (at, row) in rows.iter().enumerate() {
        if !met.contains(&at) {
            let mut tuple = empty.clone();
            tuple[merge.target_slot] = row.clone();
            for (slot, width) in &merge.source_leaves {
                tuple[*slot] = Rc::new(vec![Value::Null; *width]);
            }
            cases.push((MergeWhen::NotMatchedBySource, Some(at), tuple));
        }
    }
    let mut done = HashSet::new();
    let mut out = Vec::new();
    for (when, place, tuple) in cases {
        run.go_on()?;
        let scope = Scope { tuple: &tuple, around: None };
        for (number, clause) in merge.clauses.iter().enumerate() {
            if clause.when != when {
                continue;
            }
            if let Some(condition) = &clause.condition
                && !run.holds(condition, Some(&scope))?
            {
                continue;
            }
            if let Some(at) = place
                && !done.insert(at)
            {
                return Err(Message::error(
                    8672,
                    "The MERGE statement attempted to UPDATE or DELETE the same row more than once. This happens when a target row matches more than one source row. A MERGE statement cannot UPDATE/DELETE the same row of the target table multiple times. Refine the ON clause to ensure a target row matches at most one source row, or use the GROUP BY clause to group the source rows.",
                )
                .into());
            }
            let what = match (&clause.then, place) {
                (Then::Delete, Some(at)) => Merged::Delete(at),
                (Then::Update(outputs, _), Some(at)) => {
                    let values =
                        outputs.iter().map(|o| run.value(o, Some(&scope))).collect::<Evaluated<Vec<_>>>()?;
                    Merged::Update(at, values, number)
                }
                (Then::Insert(columns, values), _) => {
                    let values = values
                        .iter()
                        .map(|v| v.as_ref().map(|v| run.value(v, Some(&scope))).transpose())
                        .collect::<Evaluated<Vec<_>>>()?;
                    Merged::Insert(columns.clone(), values)
                }
                _ => continue,
            };
            out.push((what, tuple));
            break;
        }
    }
    Ok(out)
}
