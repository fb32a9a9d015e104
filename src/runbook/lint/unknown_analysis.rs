//! An analysis that is not there, answers under other names than it reads, or an expectation it never says: each makes
//! the step Unknown for ever.
//!
//! ```yaml
//! judge: { analysis: biztalk/destination-stat, expect: FROZEN-LEVEL }
//! ```

use super::super::Judge;
use super::site::{Site, at};
use super::{Rule, Spot};
use crate::text::nearest;

pub(super) const RULE: Rule = Rule {
    name: "unknown-analysis",
    reason: "an analysis that is not there, or reads other answers, leaves the step Unknown for ever",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for (_, proven) in site.all_proofs() {
        let Judge::Analysis { name, expect, .. } = &proven.proof.judge else { continue };
        let judge = at(&proven.path, "judge");
        let Some(analysis) = site.analysis(name) else {
            let known = || site.analyses.iter().map(|a| a.name);
            let help = nearest(name, known()).map_or_else(
                || format!("there are: {}", known().collect::<Vec<_>>().join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            spots.push(Spot::error(at(&judge, "analysis"), format!("no analysis is called `{name}`"), help));
            continue;
        };
        let reads = || analysis.needs.iter().chain(analysis.uses).copied();
        let listed = reads().collect::<Vec<_>>().join("`, `");
        let asks: Vec<&str> = proven.proof.asks.iter().map(|a| a.name.as_str()).collect();
        for ask in &asks {
            if !reads().any(|r| r == *ask) {
                let help = match nearest(ask, reads()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("name the questions under `ask:` as the analysis reads them: `{listed}`"),
                };
                let single = proven.proof.asks.len() == 1 && *ask == "it";
                let path = if single { proven.path.clone() } else { at(&at(&proven.path, "ask"), *ask) };
                spots.push(Spot::error(path, format!("`{name}` does not read `{ask}`"), help));
            }
        }
        for need in analysis.needs.iter().filter(|n| !asks.contains(*n)) {
            let message = format!("`{name}` needs an answer called `{need}`");
            spots.push(Spot::error(
                at(&judge, "analysis"),
                message,
                format!("add it under `ask:`; it reads `{listed}`"),
            ));
        }
        if let Some(expect) = expect
            && !analysis.expects.contains(&expect.as_str())
        {
            let help = match nearest(expect, analysis.expects.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if analysis.expects.is_empty() => "it takes no `expect`; leave it out".to_owned(),
                None => format!("it says `{}`", analysis.expects.join("`, `")),
            };
            spots.push(Spot::error(at(&judge, "expect"), format!("`{name}` never says `{expect}`"), help));
        }
    }
    spots
}
