//! Window functions, filled into their slot after grouping.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::ast::Frame;
use super::super::compare::Key;
use super::super::evaluate::{Around, Evaluated, Run, Scope, Tuple};
use super::super::plan::{Aggregate, Ranking, SelectPlan, Window};
use super::fold::State;
use super::ordering;
use crate::sandbox::answer::Message;
use crate::sandbox::value::Value;

/// Computes every window of a SELECT.
pub(super) fn fill(
    run: &Run<'_>,
    select: &SelectPlan,
    tuples: &mut [Tuple],
    around: Around<'_>,
) -> Evaluated<()> {
    let slot = select.slots - 1;
    let mut results = vec![Vec::with_capacity(select.windows.len()); tuples.len()];
    for window in &select.windows {
        let values = one(run, window, tuples, around)?;
        for (row, value) in results.iter_mut().zip(values) {
            row.push(value);
        }
    }
    for (tuple, values) in tuples.iter_mut().zip(results) {
        tuple[slot] = Rc::new(values);
    }
    Ok(())
}

/// The rows of one partition in window order, with their sort keys.
struct Partition {
    rows: Vec<(usize, Vec<Value>)>,
}

fn one(run: &Run<'_>, window: &Window, tuples: &[Tuple], around: Around<'_>) -> Evaluated<Vec<Value>> {
    let mut places: HashMap<Vec<Key>, usize> = HashMap::new();
    let mut partitions: Vec<Partition> = Vec::new();
    for (at, tuple) in tuples.iter().enumerate() {
        run.go_on()?;
        let scope = Scope { tuple, around };
        let mut key = Vec::with_capacity(window.partition.len());
        for bound in &window.partition {
            key.push(run.world.collation.key(&run.value(bound, Some(&scope))?));
        }
        let order =
            window.order.iter().map(|(b, _)| run.value(b, Some(&scope))).collect::<Evaluated<Vec<_>>>()?;
        let place = *places.entry(key).or_insert_with(|| {
            partitions.push(Partition { rows: Vec::new() });
            partitions.len() - 1
        });
        partitions[place].rows.push((at, order));
    }
    let descending: Vec<bool> = window.order.iter().map(|(_, d)| *d).collect();
    let mut out = vec![Value::Null; tuples.len()];
    for partition in &mut partitions {
        super::sort(run, &mut partition.rows, |r| &r.1, &descending);
        let rows = &partition.rows;
        let peer = |a: usize, b: usize| ordering(run, &rows[a].1, &rows[b].1, &descending).is_eq();
        ranked(run, window, tuples, around, rows, &peer, &mut out)?;
    }
    Ok(out)
}

type Rows = [(usize, Vec<Value>)];

/// The value below which a fraction of the rows lies; NULLs do not count.
fn percentile(
    run: &Run<'_>,
    fraction: &super::super::plan::Bound,
    between: bool,
    rows: &Rows,
    scope: Around<'_>,
) -> Evaluated<Value> {
    let values: Vec<&Value> = rows.iter().map(|r| &r.1[0]).filter(|v| **v != Value::Null).collect();
    let Value::Float(fraction) = run.value(fraction, scope)? else { return Ok(Value::Null) };
    if !(0.0..=1.0).contains(&fraction) {
        return Err(Message::error(10751, "The percentile value must be between 0.0 and 1.0.").into());
    }
    if values.is_empty() {
        return Ok(Value::Null);
    }
    if !between {
        let at = (fraction * values.len() as f64).ceil().max(1.0) as usize - 1;
        return Ok(values[at.min(values.len() - 1)].clone());
    }
    let place = fraction * (values.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    let (Value::Float(a), Value::Float(b)) = (values[low], values[high]) else { return Ok(Value::Null) };
    Ok(Value::Float(a + (b - a) * (place - place.floor())))
}

fn ranked(
    run: &Run<'_>,
    window: &Window,
    tuples: &[Tuple],
    around: Around<'_>,
    rows: &Rows,
    peer: &dyn Fn(usize, usize) -> bool,
    out: &mut [Value],
) -> Evaluated<()> {
    let at = |index: usize| Scope { tuple: &tuples[rows[index].0], around };
    let (mut rank, mut dense) = (1, 0);
    if let Ranking::Fold(aggregate) = &window.what {
        return folded(run, window, aggregate, tuples, around, rows, peer, out);
    }
    for index in 0..rows.len() {
        if index == 0 || !peer(index - 1, index) {
            rank = index + 1;
            dense += 1;
        }
        let value = match &window.what {
            Ranking::RowNumber => Value::Int(index as i64 + 1),
            Ranking::PercentRank => {
                Value::Float(if rows.len() < 2 { 0.0 } else { (rank - 1) as f64 / (rows.len() - 1) as f64 })
            }
            Ranking::Distribution => {
                let last = (index..rows.len()).take_while(|i| *i == index || peer(*i, index)).last();
                Value::Float((last.unwrap_or(index) + 1) as f64 / rows.len() as f64)
            }
            Ranking::Percentile { fraction, between, .. } => {
                if index > 0 {
                    out[rows[index].0] = out[rows[0].0].clone();
                    continue;
                }
                percentile(run, fraction, *between, rows, Some(&at(0)))?
            }
            Ranking::Rank => Value::Int(rank as i64),
            Ranking::DenseRank => Value::Int(dense),
            Ranking::NTile(buckets) => match run.value(buckets, Some(&at(index)))? {
                Value::Int(n) if n > 0 => {
                    let (n, len) = (usize::try_from(n).unwrap_or(usize::MAX), rows.len());
                    let (size, larger) = (len / n, len % n);
                    let bucket = if index < larger * (size + 1) {
                        index / (size + 1)
                    } else {
                        larger + (index - larger * (size + 1)) / size.max(1)
                    };
                    Value::Int(bucket as i64 + 1)
                }
                _ => {
                    return Err(Message::error(
                        10754,
                        "The function 'NTILE' takes only a positive int or bigint expression as its input.",
                    )
                    .into());
                }
            },
            Ranking::Shift { value, by, back, default } => {
                let by = match run.value(by, Some(&at(index)))? {
                    Value::Int(n) if n >= 0 => n,
                    _ => {
                        return Err(Message::error(
                            8730,
                            "Offset parameter for Lag and Lead functions cannot be a negative value.",
                        )
                        .into());
                    }
                };
                let target = index as i64 + if *back { -by } else { by };
                match usize::try_from(target).ok().filter(|t| *t < rows.len()) {
                    Some(target) => run.value(value, Some(&at(target)))?,
                    None => default.as_ref().map_or(Ok(Value::Null), |d| run.value(d, Some(&at(index))))?,
                }
            }
            Ranking::First(value) | Ranking::Last(value) => {
                let (from, to) = frame(window, index, rows.len(), peer);
                let target = if matches!(window.what, Ranking::First(_)) { from } else { to.wrapping_sub(1) };
                if from < to { run.value(value, Some(&at(target)))? } else { Value::Null }
            }
            Ranking::Fold(_) => Value::Null,
        };
        out[rows[index].0] = value;
    }
    Ok(())
}

/// The rows a window function sees at a row: from, to (exclusive).
fn frame(window: &Window, index: usize, len: usize, peer: &dyn Fn(usize, usize) -> bool) -> (usize, usize) {
    if window.order.is_empty() {
        return (0, len);
    }
    let default = Frame { rows: false, start: None, end: Some(0) };
    let Frame { rows, start, end } = window.frame.unwrap_or(default);
    if rows {
        let shift = |by: i64| (index as i64 + by).clamp(0, len as i64) as usize;
        let from = start.map_or(0, shift);
        let to = end.map_or(len, |by| (index as i64 + by + 1).clamp(0, len as i64) as usize);
        return (from, to.max(from));
    }
    // RANGE knows only unbounded ends and the peers of the current row
    let from = if start.is_some() {
        (0..index).rev().take_while(|i| peer(*i, index)).last().unwrap_or(index)
    } else {
        0
    };
    let to = match end {
        None => len,
        Some(_) => (index + 1..len).take_while(|i| peer(*i, index)).last().map_or(index + 1, |i| i + 1),
    };
    (from, to)
}

#[allow(clippy::too_many_arguments, reason = "one partition with everything it needs")]
fn folded(
    run: &Run<'_>,
    window: &Window,
    aggregate: &Aggregate,
    tuples: &[Tuple],
    around: Around<'_>,
    rows: &Rows,
    peer: &dyn Fn(usize, usize) -> bool,
    out: &mut [Value],
) -> Evaluated<()> {
    let at = |index: usize| Scope { tuple: &tuples[rows[index].0], around };
    let mut state = State::new(aggregate);
    let mut taken = (0, 0);
    let mut last: Option<((usize, usize), Value)> = None;
    for index in 0..rows.len() {
        run.go_on()?;
        let (from, to) = frame(window, index, rows.len(), peer);
        if let Some((known, value)) = &last
            && *known == (from, to)
        {
            out[rows[index].0] = value.clone();
            continue;
        }
        if from != taken.0 || to < taken.1 {
            state = State::new(aggregate);
            taken = (from, from);
        }
        for row in taken.1..to {
            state.add(run, aggregate, Some(&at(row)))?;
        }
        taken.1 = to;
        let value = state.clone().result(run, aggregate)?;
        out[rows[index].0] = value.clone();
        last = Some(((from, to), value));
    }
    Ok(())
}
