//! An expectation on a column that the query does not return is Unknown every time; a column of the resolved row that is
//! not there leaves the proof unfilled.
//!
//! ```yaml
//! { on: source, query: sql/database-states, expect: [ { every: state, equals: ONLINE } ] }     # returns `state_desc`
//! ```

use super::super::{Action, Judge, StepKind, Value};
use super::site::{Site, column_of, lacking};
use super::{Rule, Spot};
use crate::sql::Query;
use crate::text::nearest;

pub(super) const RULE: Rule = Rule {
    name: "unknown-column",
    reason: "an expectation on a column that the query does not return is Unknown every time",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for (_, proven) in site.all_proofs() {
        let Judge::Expect(expectations) = &proven.proof.judge else { continue };
        for (n, expectation) in expectations.iter().enumerate() {
            let Some(column) = column_of(&expectation.what) else { continue };
            for query in proven.proof.asks.iter().filter_map(|a| site.query(&a.query)) {
                spots.extend(fault(query, column, proven.expectation(n)));
            }
        }
    }
    for (step, value, path) in site.values() {
        if let (Value::Resolved(column), StepKind::Do(work)) = (value, &step.kind)
            && let Action::Job { resolve, .. } = &work.action
            && let Some(query) = site.query(&resolve.query)
        {
            spots.extend(fault(query, column, path));
        }
    }
    spots
}

fn fault(query: &Query, column: &str, path: Vec<crate::yaml::Segment>) -> Option<Spot> {
    let without = lacking(query, column);
    if without.is_empty() {
        return None;
    }
    let known: Vec<&str> = query.variants.iter().flat_map(|v| &v.columns).map(|c| c.name.as_str()).collect();
    let help = if known.iter().any(|k| k.eq_ignore_ascii_case(column)) {
        format!("the variant {} does not return it", without.join(", "))
    } else {
        nearest(column, known.iter().copied()).map_or_else(
            || format!("it returns `{}`", known.join("`, `")),
            |near| format!("did you mean `{near}`?"),
        )
    };
    Some(Spot::error(path, format!("`{}` returns no column `{column}`", query.name), help))
}
