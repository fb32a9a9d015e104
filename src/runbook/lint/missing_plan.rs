//! Without planned times nobody can say, in the middle of a drill, whether the objective is still within reach.
//!
//! ```yaml
//! - step: frozen-and-level
//!   check: …             # and no `plan: 5m`
//! ```

use super::super::StepKind;
use super::site::Site;
use super::{Rule, Spot};

pub(super) const RULE: Rule = Rule {
    name: "missing-plan",
    reason: "without planned times nobody can say whether the objective is still within reach",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    // A pause plans itself; typing answers is not what takes the time.
    let timed = |kind: &StepKind| !matches!(kind, StepKind::Enter(_) | StepKind::Wait { pause: Some(_), .. });
    site.book
        .steps
        .iter()
        .filter(|s| s.plan.is_none() && timed(&s.kind))
        .map(|step| {
            let message = format!("step `{}` has no planned time", step.id);
            Spot::warning(site.step(step), message, "add `plan: 5m`, or what it took last time")
        })
        .collect()
}
