//! What looks like production is production, whatever the estate file says. In a drill the tool acts only on servers that
//! `looks-like-production` has cleared; a runbook that never asks could not act at all.
//!
//! ```yaml
//! modes: [drill]
//! …
//!   do: …            # and no step judges `looks-like-production`
//! ```

use super::super::{Judge, Mode, StepKind};
use super::site::Site;
use super::{Rule, Spot};

/// The analysis that clears servers for a drill.
const CLEARS: &str = "looks-like-production";

pub(super) const RULE: Rule = Rule {
    name: "drill-acts-without-production-check",
    reason: "in a drill nothing may be done to a server that looks like production",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let book = site.book;
    let acts = book.steps.iter().find(|s| matches!(s.kind, StepKind::Do(_)));
    let clears = site
        .all_proofs()
        .iter()
        .any(|(_, p)| matches!(&p.proof.judge, Judge::Analysis { name, .. } if name == CLEARS));
    match acts {
        Some(step) if book.modes.contains(&Mode::Drill) && !clears => {
            let message =
                format!("step `{}` acts in a drill, and no step looks for signs of production", step.id);
            let help = format!(
                "add a check with `judge: {{ analysis: {CLEARS} }}` before it, or take `drill` out of `modes`"
            );
            vec![Spot::error(site.step_key(step, "do"), message, help)]
        }
        _ => Vec::new(),
    }
}
