//! Expectations of a runbook in words.

use crate::check::Verdict;
use crate::check::expect::{Bound, Expectation, What};
use crate::locale::{Tongue, fill};
use crate::reading::Cell;
use crate::runbook::{Judge, Value};

/// What a proof expects, one sentence per expectation.
pub(super) fn expected(judge: &Judge, tongue: Tongue) -> Vec<String> {
    let w = &tongue.words.screens.expectations;
    match judge {
        Judge::Expect(all) => all.iter().map(|e| expectation(e, tongue)).collect(),
        Judge::Analysis { name, expect, .. } => {
            let purpose = crate::analysis::find(name).map_or("", |a| a.purpose);
            let phrase = if expect.is_some() { &w.analysis_expects } else { &w.analysis };
            vec![fill(phrase, |key| match key {
                "name" => Some(name.clone()),
                "purpose" => Some(purpose.to_owned()),
                _ => expect.clone(),
            })]
        }
    }
}

fn expectation(e: &Expectation, tongue: Tongue) -> String {
    let w = &tongue.words.screens.expectations;
    let said = |phrase: &str, column: &str, values: String| {
        fill(phrase, |key| Some(if key == "column" { column.to_owned() } else { values.clone() }))
    };
    let text = match &e.what {
        What::Every { column, one_of } => said(&w.every, column, cells(one_of)),
        What::None { column, one_of } => said(&w.none, column, cells(one_of)),
        What::Within { column, min, max } => {
            let values = match (min, max) {
                (Some(min), Some(max)) => format!("{} .. {}", bound(min), bound(max)),
                (Some(min), None) => format!(">= {}", bound(min)),
                (None, Some(max)) => format!("<= {}", bound(max)),
                (None, None) => String::new(),
            };
            said(&w.within, column, values)
        }
        What::Age { column, max } => said(&w.age, column, bound(max)),
        What::Present { column } => said(&w.present, column, String::new()),
        What::SameAcross { column } => said(&w.same_across, column, String::new()),
        What::Increasing { column } => said(&w.increasing, column, String::new()),
        What::Covers { column, values } => said(&w.covers, column, value(values)),
        What::Rows { min, max } => {
            let values = match (min, max) {
                (Some(min), Some(max)) if min == max => min.to_string(),
                (Some(min), Some(max)) => format!("{min} .. {max}"),
                (Some(min), None) => format!(">= {min}"),
                (None, Some(max)) => format!("<= {max}"),
                (None, None) => String::new(),
            };
            said(&w.rows, "", values)
        }
    };
    if e.otherwise == Verdict::Warn { format!("{text} {}", w.otherwise_warn) } else { text }
}

fn cells(all: &[Cell]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

fn bound(bound: &Bound) -> String {
    match bound {
        Bound::Threshold { threshold } => threshold.clone(),
        Bound::Span(span) => span.to_string(),
        Bound::Number(number) => number.to_string(),
    }
}

fn value(value: &Value) -> String {
    match value {
        Value::Literal(cell) => cell.to_string(),
        Value::Answer(step, field) => format!("{step}.{field}"),
        Value::Captured(name) | Value::Threshold(name) | Value::Resolved(name) | Value::Estate(name) => {
            name.clone()
        }
    }
}
