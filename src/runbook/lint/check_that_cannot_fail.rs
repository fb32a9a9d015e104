//! A check that is green when nothing was looked at proves nothing: an empty answer also comes from a wrong database,
//! a missing right or a changed view. A query returns what it examined, the fault as a column.
//!
//! ```yaml
//! expect: [ { rows: 0 } ]     # green on every server that cannot even see the table
//! ```

use super::super::Judge;
use super::site::{Proven, Site, column_of};
use super::{Rule, Spot};
use crate::check::expect::What;

pub(super) const RULE: Rule = Rule {
    name: "check-that-cannot-fail",
    reason: "an empty answer also comes from a wrong database or a missing right; it must not be green",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    site.all_proofs().iter().filter_map(|(_, proven)| fault(proven)).collect()
}

fn fault(proven: &Proven<'_>) -> Option<Spot> {
    let Judge::Expect(expectations) = &proven.proof.judge else { return None };
    // With a statement about a column, an empty answer is Unknown by itself.
    if expectations.iter().any(|e| column_of(&e.what).is_some()) {
        return None;
    }
    let needs_rows = |what: &What| matches!(what, What::Rows { min: Some(n), .. } if *n > 0);
    if expectations.iter().any(|e| needs_rows(&e.what)) {
        return None;
    }
    let help = "let the query return one row per thing examined with the fault as a column, and expect something of \
                that column";
    Some(Spot::error(proven.expectation(0), "an empty answer passes this check", help))
}
