//! Aggregates: COUNT, SUM, AVG, MIN, MAX, STRING_AGG. NULLs do not count.

use std::collections::HashSet;

use super::super::compare::{Key, exact};
use super::super::convert::integer_range;
use super::super::evaluate::{Around, Evaluated, Run};
use super::super::number;
use super::super::plan::{Aggregate, Fold};
use super::super::types;
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

/// What has been folded so far.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    count: i64,
    exact: i128,
    scale: u8,
    approximate: f64,
    best: Option<Value>,
    texts: Vec<(Vec<Value>, String)>,
    separator: String,
    seen: HashSet<Key>,
    overflow: bool,
    values: Vec<f64>,
}

impl State {
    pub(super) fn new(_: &Aggregate) -> Self {
        Self::default()
    }

    /// Takes one row in.
    pub(super) fn add(&mut self, run: &Run<'_>, aggregate: &Aggregate, scope: Around<'_>) -> Evaluated<()> {
        let Some(bound) = &aggregate.value else {
            self.count += 1;
            return Ok(());
        };
        let value = run.value(bound, scope)?;
        if value == Value::Null {
            return Ok(());
        }
        if aggregate.distinct && !self.seen.insert(run.world.collation.key(&value)) {
            return Ok(());
        }
        self.count += 1;
        match aggregate.fold {
            Fold::Count => {}
            Fold::Spread { .. } => {
                if let Value::Float(n) = super::super::convert::convert(
                    value,
                    aggregate.value.as_ref().map_or(Type::Float, |v| v.kind),
                    Type::Float,
                    0,
                )? {
                    self.values.push(n);
                }
            }
            Fold::Sum | Fold::Average => {
                if let Value::Float(n) = value {
                    self.approximate += n;
                } else if let Some((digits, scale)) = exact(&value) {
                    self.scale = self.scale.max(scale);
                    match self.exact.checked_add(digits) {
                        Some(sum) => self.exact = sum,
                        None => self.overflow = true,
                    }
                }
            }
            Fold::Min | Fold::Max => {
                let collation = run.world.collation;
                let better = self.best.as_ref().is_none_or(|best| {
                    let order = collation.values(&value, best);
                    if aggregate.fold == Fold::Min { order.is_lt() } else { order.is_gt() }
                });
                if better {
                    self.best = Some(value);
                }
            }
            Fold::Join => {
                let keys =
                    aggregate.order.iter().map(|(b, _)| run.value(b, scope)).collect::<Evaluated<_>>()?;
                if let (Some(separator), Value::Text(text)) = (&aggregate.separator, value) {
                    if let Value::Text(separator) = run.value(separator, scope)? {
                        self.separator = separator;
                    }
                    self.texts.push((keys, text));
                }
            }
        }
        Ok(())
    }

    /// The aggregate of all rows taken in.
    pub(super) fn result(mut self, run: &Run<'_>, aggregate: &Aggregate) -> Evaluated<Value> {
        let kind = aggregate.kind;
        let overflow = || {
            Message::error(
                8115,
                format!(
                    "Arithmetic overflow error converting expression to data type {}.",
                    types::name(kind)
                ),
            )
        };
        if aggregate.fold == Fold::Count {
            return if integer_range(kind).contains(&self.count) {
                Ok(Value::Int(self.count))
            } else {
                Err(overflow().into())
            };
        }
        if self.count == 0 {
            return Ok(Value::Null);
        }
        Ok(match aggregate.fold {
            Fold::Min | Fold::Max => self.best.unwrap_or(Value::Null),
            Fold::Spread { all, root } => {
                let n = self.values.len() as f64;
                if !all && self.values.len() < 2 {
                    return Ok(Value::Null);
                }
                let mean = self.values.iter().sum::<f64>() / n;
                let squares: f64 = self.values.iter().map(|v| (v - mean) * (v - mean)).sum();
                let variance = squares / if all { n } else { n - 1.0 };
                Value::Float(if root { variance.sqrt() } else { variance })
            }
            Fold::Join => {
                let descending: Vec<bool> = aggregate.order.iter().map(|(_, d)| *d).collect();
                super::sort(run, &mut self.texts, |t| &t.0, &descending);
                let texts: Vec<String> = self.texts.into_iter().map(|t| t.1).collect();
                Value::Text(texts.join(&self.separator))
            }
            fold => {
                if self.overflow {
                    return Err(overflow().into());
                }
                match kind {
                    Type::Float => Value::Float(if fold == Fold::Average {
                        self.approximate / self.count as f64
                    } else {
                        self.approximate
                    }),
                    Type::Decimal { precision, scale } => {
                        let digits = if fold == Fold::Average {
                            number::divide(self.exact, self.scale, i128::from(self.count), 0, scale)
                        } else {
                            number::rescale(self.exact, self.scale, scale)
                        };
                        let digits = digits.filter(|d| number::within(*d, precision)).ok_or_else(overflow)?;
                        Value::Decimal { digits, scale }
                    }
                    Type::Money => {
                        let sum = number::rescale(self.exact, self.scale, 4).ok_or_else(overflow)?;
                        let digits = if fold == Fold::Average { sum / i128::from(self.count) } else { sum };
                        Value::Decimal { digits, scale: 4 }
                    }
                    _ => {
                        let sum = i64::try_from(self.exact).ok().filter(|n| integer_range(kind).contains(n));
                        let sum = sum.ok_or_else(overflow)?;
                        Value::Int(if fold == Fold::Average { sum / self.count } else { sum })
                    }
                }
            }
        })
    }
}
