//! One expectation before one reading: row by row, with a finding for each row that does not hold.
//!
//! Does not weigh (`otherwise`) and does not cap; that is done for all expectations together.

use chrono::TimeDelta;

use super::super::{Finding, Verdict};
use super::compare::{Number, same};
use super::{Bound, FINDINGS, Setting, What};
use crate::reading::{Cell, Reading};

/// A time further in the server's future than this is not trusted.
const FUTURE: TimeDelta = TimeDelta::minutes(5);

/// One expectation before one reading.
pub(super) struct Bench<'a> {
    pub(super) reading: &'a Reading,
    pub(super) setting: &'a Setting,
    pub(super) found: Vec<Finding>,
    pub(super) dropped: usize,
}

impl<'a> Bench<'a> {
    pub(super) fn judge(&mut self, what: &What, index: usize) -> Verdict {
        match what {
            What::Every { column, one_of } => self.rows(column, |bench, row, cell| {
                if one_of.iter().any(|v| !v.is_null() && same(cell, v)) {
                    return Verdict::Pass;
                }
                bench.off("not-equal", row, column, cell, Some(Cell::text(listed(one_of))));
                Verdict::Fail
            }),
            What::None { column, one_of } => self.rows(column, |bench, row, cell| {
                if one_of.iter().any(|v| same(cell, v)) {
                    bench.off("refused-value", row, column, cell, None);
                    return Verdict::Fail;
                }
                // A thing that is missing is a row of NULLs: not refused, and not known to be good.
                if cell.is_null() {
                    bench.off("absent", row, column, cell, None);
                    return Verdict::Unknown;
                }
                Verdict::Pass
            }),
            What::Within { column, min, max } => self.within(column, min.as_ref(), max.as_ref()),
            What::Age { column, max } => self.age(column, max),
            What::Present { column } => self.rows(column, |bench, row, cell| {
                let empty = match cell {
                    Cell::Null => true,
                    Cell::Text(text) => text.trim().is_empty(),
                    Cell::Binary { hex } => hex.is_empty(),
                    _ => false,
                };
                if !empty {
                    return Verdict::Pass;
                }
                bench.off("absent", row, column, cell, None);
                Verdict::Fail
            }),
            What::SameAcross { column } => {
                let mut first: Option<&Cell> = None;
                self.rows(column, |bench, row, cell| {
                    if cell.is_null() {
                        bench.off("absent", row, column, cell, None);
                        return Verdict::Fail;
                    }
                    let known = *first.get_or_insert(cell);
                    if same(known, cell) {
                        return Verdict::Pass;
                    }
                    bench.off("differs", row, column, cell, Some(known.clone()));
                    Verdict::Fail
                })
            }
            What::Increasing { column } => self.increasing(column),
            What::Covers { column, .. } => self.covers(column, index),
            What::Rows { min, max } => {
                let count = self.reading.row_count;
                if min.is_none_or(|m| m <= count) && max.is_none_or(|m| count <= m) {
                    return Verdict::Pass;
                }
                let mut finding = Finding::new("row-count").with("actual", number(count));
                for (name, bound) in [("min", min), ("max", max)] {
                    if let Some(bound) = bound {
                        finding = finding.with(name, number(*bound));
                    }
                }
                self.note(finding);
                Verdict::Fail
            }
        }
    }

    /// Judges each row by its cell in the column; Unknown when there is no such column, or no row.
    fn rows(&mut self, column: &str, mut each: impl FnMut(&mut Self, usize, &'a Cell) -> Verdict) -> Verdict {
        let reading = self.reading;
        let Some(at) = self.column(column) else { return Verdict::Unknown };
        let mut verdict = Verdict::Pass;
        for (row, cells) in reading.rows.iter().enumerate() {
            let Some(cell) = cells.get(at) else { return Verdict::Unknown };
            verdict = verdict.worse(each(self, row, cell));
        }
        verdict
    }

    /// The position of a column that stands there once, in a reading that has rows.
    fn column(&mut self, name: &str) -> Option<usize> {
        let mut all =
            self.reading.columns.iter().enumerate().filter(|(_, c)| c.name.eq_ignore_ascii_case(name));
        let code = match (all.next(), all.next()) {
            (None, _) => "column-missing",
            (Some(_), Some(_)) => "column-ambiguous",
            (Some((at, _)), None) if !self.reading.rows.is_empty() => return Some(at),
            _ => "nothing-examined",
        };
        self.note(Finding::new(code).with("column", name));
        None
    }

    fn note(&mut self, finding: Finding) {
        if self.found.len() < FINDINGS {
            self.found.push(finding);
        } else {
            self.dropped += 1;
        }
    }

    fn off(&mut self, code: &str, row: usize, column: &str, actual: &Cell, expected: Option<Cell>) {
        let mut finding = Finding::new(code)
            .with("row", number(row as u64 + 1))
            .with("column", column)
            .with("actual", actual.clone());
        if let Some(expected) = expected {
            finding = finding.with("expected", expected);
        }
        self.note(finding);
    }

    /// A bound as a number; spans in seconds.
    fn bound(&mut self, bound: &Bound) -> Option<f64> {
        let value = match bound {
            Bound::Number(n) => Some(*n),
            Bound::Span(span) => Some(span.ms as f64 / 1000.0),
            Bound::Threshold { threshold } => self.setting.thresholds.get(threshold).copied(),
        };
        let value = value.filter(|v| v.is_finite());
        if value.is_none() {
            let name = if let Bound::Threshold { threshold } = bound { threshold.as_str() } else { "" };
            self.note(Finding::new("threshold-missing").with("threshold", name));
        }
        value
    }

    fn within(&mut self, column: &str, min: Option<&Bound>, max: Option<&Bound>) -> Verdict {
        let mut limits = [None, None];
        for (limit, bound) in limits.iter_mut().zip([min, max]) {
            if let Some(bound) = bound {
                let Some(value) = self.bound(bound) else { return Verdict::Unknown };
                *limit = Some(value);
            }
        }
        let [least, most] = limits.map(|limit| limit.and_then(Number::of_f64));
        self.between(column, least.as_ref(), most.as_ref())
    }

    fn between(&mut self, column: &str, least: Option<&Number>, most: Option<&Number>) -> Verdict {
        let expected = format!(
            "{}..{}",
            least.map_or(String::new(), Number::to_string),
            most.map_or(String::new(), Number::to_string)
        );
        if least.is_none() && most.is_none() {
            self.note(Finding::new("no-bounds").with("column", column));
            return Verdict::Unknown;
        }
        self.rows(column, |bench, row, cell| {
            if cell.is_null() {
                bench.off("absent", row, column, cell, Some(Cell::text(expected.as_str())));
                return Verdict::Fail;
            }
            let Some(value) = Number::of(cell) else {
                bench.off("not-a-number", row, column, cell, None);
                return Verdict::Unknown;
            };
            if least.is_none_or(|l| *l <= value) && most.is_none_or(|m| value <= *m) {
                return Verdict::Pass;
            }
            bench.off("out-of-bounds", row, column, cell, Some(Cell::text(expected.as_str())));
            Verdict::Fail
        })
    }

    fn age(&mut self, column: &str, max: &Bound) -> Verdict {
        let Some(seconds) = self.bound(max) else { return Verdict::Unknown };
        let Some(server) = &self.reading.server else {
            self.note(Finding::new("no-clock").with("column", column));
            return Verdict::Unknown;
        };
        let oldest = (seconds * 1000.0).floor() as i64;
        let (clock, offset) = (server.clock, server.offset_minutes);
        self.rows(column, |bench, row, cell| {
            if cell.is_null() {
                bench.off("absent", row, column, cell, None);
                return Verdict::Fail;
            }
            let moment = match cell {
                Cell::Time { time, offset: None } => {
                    Cell::Time { time: *time, offset: Some(offset) }.as_utc()
                }
                other => other.as_utc(),
            };
            let Some(moment) = moment else {
                bench.off("not-a-time", row, column, cell, None);
                return Verdict::Unknown;
            };
            let age = clock.signed_duration_since(moment);
            if -age > FUTURE {
                bench.off("from-the-future", row, column, cell, Some(Cell::utc(clock)));
                return Verdict::Unknown;
            }
            if age.num_milliseconds() <= oldest {
                return Verdict::Pass;
            }
            let finding = Finding::new("too-old")
                .with("row", number(row as u64 + 1))
                .with("column", column)
                .with("actual", cell.clone())
                .with("age_seconds", age.num_seconds())
                .with("max_seconds", oldest / 1000);
            bench.note(finding);
            Verdict::Fail
        })
    }

    fn increasing(&mut self, column: &str) -> Verdict {
        let mut before: Option<(Number, &Cell)> = None;
        self.rows(column, |bench, row, cell| {
            if cell.is_null() {
                bench.off("absent", row, column, cell, None);
                return Verdict::Fail;
            }
            let Some(value) = Number::of(cell).or_else(|| Number::of_moment(cell)) else {
                bench.off("not-a-number", row, column, cell, None);
                return Verdict::Unknown;
            };
            let grows = before.as_ref().is_none_or(|(last, _)| *last < value);
            if !grows {
                let last = before.as_ref().map(|(_, c)| (*c).clone());
                bench.off("not-increasing", row, column, cell, last);
            }
            before = Some((value, cell));
            if grows { Verdict::Pass } else { Verdict::Fail }
        })
    }

    fn covers(&mut self, column: &str, index: usize) -> Verdict {
        let wanted = self.setting.covers.get(&index).map_or(&[][..], Vec::as_slice);
        if wanted.is_empty() {
            self.note(Finding::new("nothing-expected").with("column", column));
            return Verdict::Unknown;
        }
        let reading = self.reading;
        let Some(at) = self.column(column) else { return Verdict::Unknown };
        let mut verdict = Verdict::Pass;
        for value in wanted {
            let there = reading.rows.iter().filter_map(|r| r.get(at)).any(|c| !c.is_null() && same(c, value));
            if !there {
                self.note(Finding::new("not-covered").with("column", column).with("expected", value.clone()));
                verdict = Verdict::Fail;
            }
        }
        verdict
    }
}

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn listed(values: &[Cell]) -> String {
    values.iter().map(Cell::to_string).collect::<Vec<_>>().join(" | ")
}
