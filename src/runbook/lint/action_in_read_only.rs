//! A runbook that promises to change nothing must not act: people start it on production on the strength of that word.
//!
//! ```yaml
//! read_only: true
//! …
//!   do: { on: destination, sql: { query: agent/disable-job } }   # acts
//! ```

use super::super::StepKind;
use super::site::Site;
use super::{Rule, Spot};

pub(super) const RULE: Rule = Rule {
    name: "action-in-read-only",
    reason: "people start a read-only runbook on production on the strength of that word",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let acts = |s: &&super::super::Step| site.book.read_only && matches!(s.kind, StepKind::Do(_));
    site.book
        .steps
        .iter()
        .filter(acts)
        .map(|step| {
            let message = format!("step `{}` acts, and the runbook says `read_only: true`", step.id);
            let help = "make it a `manual:` step of another runbook, or take `read_only` out";
            Spot::error(site.step_key(step, "do"), message, help)
        })
        .collect()
}
