//! The age of a number and the bounds of a name cannot be judged: the step would be Unknown every time.
//!
//! ```yaml
//! expect: [ { age: name, max: 30m } ]     # `name` is nvarchar(128)
//! ```

use super::super::Judge;
use super::site::{Site, column_of};
use super::{Rule, Spot};
use crate::check::expect::What;
use crate::reading::Kind;

pub(super) const RULE: Rule = Rule {
    name: "expectation-kind",
    reason: "an expectation that does not fit the column's type is Unknown every time",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for (_, proven) in site.all_proofs() {
        let Judge::Expect(expectations) = &proven.proof.judge else { continue };
        for (n, expectation) in expectations.iter().enumerate() {
            let Some(name) = column_of(&expectation.what) else { continue };
            let queries = proven.proof.asks.iter().filter_map(|a| site.query(&a.query));
            let columns = queries.flat_map(|q| &q.variants).flat_map(|v| &v.columns);
            let unfit = columns
                .filter(|c| c.name.eq_ignore_ascii_case(name))
                .find(|c| !fits(&expectation.what, c.kind));
            if let Some(column) = unfit {
                let (what, help) = match &expectation.what {
                    What::Age { .. } => ("no time", "`age` wants a date or time"),
                    _ => ("no number", "`within` and `increasing` want numbers"),
                };
                let message = format!("column `{name}` is {what}: {}", column.sql_kind);
                spots.push(Spot::error(proven.expectation(n), message, help));
            }
        }
    }
    spots
}

/// Texts may be numbers (log sequence numbers often are); what cannot be is refused.
fn fits(what: &What, kind: Kind) -> bool {
    match what {
        What::Age { .. } => matches!(kind, Kind::Time | Kind::Unknown),
        What::Within { .. } => !matches!(kind, Kind::Time | Kind::Guid | Kind::Binary),
        What::Increasing { .. } => !matches!(kind, Kind::Guid | Kind::Binary),
        _ => true,
    }
}
