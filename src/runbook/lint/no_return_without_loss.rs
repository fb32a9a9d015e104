//! Before a step of no return the operator is shown what becomes impossible; a guard that does not say it asks for a
//! signature under an empty page.
//!
//! ```yaml
//! guard: { no_return: true, recheck: [level], type: server }     # and no `loses:`
//! ```

use super::site::Site;
use super::{Rule, Spot};

pub(super) const RULE: Rule = Rule {
    name: "no-return-without-loss",
    reason: "before a step of no return the operator is shown what becomes impossible",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let silent =
        |s: &&super::super::Step| s.guard.as_ref().is_some_and(|g| g.no_return && g.loses.is_empty());
    site.book
        .steps
        .iter()
        .filter(silent)
        .map(|step| {
            let message = format!("step `{}` has no way back and does not say what is lost", step.id);
            Spot::warning(site.step_key(step, "guard"), message, "add `loses: …` to the guard")
        })
        .collect()
}
