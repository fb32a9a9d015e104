//! An action is done because a server says so, not because the statement came back: without `prove` a step would be
//! green on the word of the tool alone.
//!
//! ```yaml
//! do: { on: destination, job: { disable: { query: biztalk/history-job } } }    # and nothing looks whether it is
//! ```

use super::super::StepKind;
use super::site::Site;
use super::{Rule, Spot};

pub(super) const RULE: Rule = Rule {
    name: "do-without-prove",
    reason: "an action is done because a server says so, not because the statement came back",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let bare = |kind: &StepKind| matches!(kind, StepKind::Do(work) if work.prove.is_empty());
    site.book
        .steps
        .iter()
        .filter(|s| bare(&s.kind))
        .map(|step| {
            let message = format!("step `{}` acts and does not look whether it worked", step.id);
            let help = "add `prove:` with a query that reads the state again";
            Spot::error(site.step_key(step, "do"), message, help)
        })
        .collect()
}
