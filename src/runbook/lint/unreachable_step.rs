//! A step whose condition can never hold is a step nobody will ever take, whatever the runbook seems to promise; one that
//! waits for an answer that may be left out waits for ever.
//!
//! ```yaml
//! enter: { state: { one_of: [alive, dead] } }
//! …
//! when: { answer: declared.state, equals: died }
//! ```

use super::super::{FieldKind, Step, StepKind, When};
use super::site::Site;
use super::{Rule, Spot};
use crate::text::nearest;

pub(super) const RULE: Rule = Rule {
    name: "unreachable-step",
    reason: "a condition that can never hold hides a step that the runbook seems to promise",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for step in &site.book.steps {
        if let Some(when) = &step.when {
            spots.extend(fault(site, step, when));
        }
    }
    spots
}

fn fault(site: &Site<'_>, step: &Step, when: &When) -> Option<Spot> {
    let (asked, name, wanted) = match when {
        When::Not(inner) => return fault(site, step, inner),
        When::Answer(asked, name, wanted) => (asked, name, wanted),
        When::Captured(..) | When::Reachable(_) => return None,
    };
    let StepKind::Enter(fields) = &site.book.step(asked)?.kind else { return None };
    let field = fields.iter().find(|f| f.name == *name)?;
    let path = site.step_key(step, "when");
    if field.optional {
        let message =
            format!("`{asked}.{name}` may be left empty; step `{}` would then wait for ever", step.id);
        return Some(Spot::error(
            path,
            message,
            "make the field mandatory, or give it a choice such as `none`",
        ));
    }
    let FieldKind::OneOf(choices) = &field.kind else { return None };
    let odd = wanted.iter().find(|w| !choices.iter().any(|c| c.eq_ignore_ascii_case(w)))?;
    let help = nearest(odd, choices.iter().map(String::as_str)).map_or_else(
        || format!("choices are `{}`", choices.join("`, `")),
        |near| format!("did you mean `{near}`?"),
    );
    Some(Spot::error(path, format!("`{asked}.{name}` can never be `{odd}`"), help))
}
