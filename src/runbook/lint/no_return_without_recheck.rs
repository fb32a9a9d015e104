//! Between the check and the step of no return lies time in which things change: what it rests on is asked again just
//! before, or it rests on the past.
//!
//! ```yaml
//! guard: { no_return: true, type: server }     # and no `recheck:`
//! ```

use super::site::Site;
use super::{Rule, Spot};

pub(super) const RULE: Rule = Rule {
    name: "no-return-without-recheck",
    reason: "what a step of no return rests on must be asked again just before it",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let blind =
        |s: &&super::super::Step| s.guard.as_ref().is_some_and(|g| g.no_return && g.recheck.is_empty());
    site.book
        .steps
        .iter()
        .filter(blind)
        .map(|step| {
            let message = format!("step `{}` has no way back and rechecks nothing", step.id);
            let help = "add `recheck: [..]` with the checks it rests on";
            Spot::error(site.step_key(step, "guard"), message, help)
        })
        .collect()
}
