//! A value that no analysis of this runbook captures will never be there: the question stays unfilled, the step Unknown,
//! and that shows only in the middle of a drill.
//!
//! ```yaml
//! with: { databases: { captured: scoop } }     # biztalk/scope captures `scope`
//! ```

use super::super::{Judge, Moment, Value, When};
use super::site::{Site, at};
use super::{Rule, Spot};
use crate::text::nearest;
use crate::yaml::Segment;

pub(super) const RULE: Rule = Rule {
    name: "captured-never-captured",
    reason: "a value that nothing captures leaves its question unfilled, in the middle of a drill",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut known: Vec<&str> = Vec::new();
    for (_, proven) in site.all_proofs() {
        if let Judge::Analysis { name, .. } = &proven.proof.judge {
            // What an unknown analysis would capture is not known; that it is unknown is said elsewhere.
            let Some(analysis) = site.analysis(name) else { return Vec::new() };
            known.extend(analysis.captures);
        }
    }
    let mut used: Vec<(&str, Vec<Segment>)> = Vec::new();
    for (_, value, path) in site.values() {
        if let Value::Captured(name) = value {
            used.push((name, path));
        }
    }
    for step in &site.book.steps {
        if let Some(name) = step.when.as_ref().and_then(captured) {
            used.push((name, site.step_key(step, "when")));
        }
    }
    for (key, pair) in [("rto", &site.book.measure.rto), ("rpo", &site.book.measure.rpo)] {
        let path = at(&["measure".into()], key);
        if let Some((from, to)) = pair {
            for (end, moment) in [("from", from), ("to", to)] {
                if let Moment::Captured(name) = moment {
                    used.push((name, at(&path, end)));
                }
            }
        }
    }
    used.into_iter()
        .filter(|(name, _)| !known.contains(name))
        .map(|(name, path)| {
            let help = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "no analysis of this runbook captures anything".to_owned(),
                None => format!("captured here: `{}`", known.join("`, `")),
            };
            Spot::error(path, format!("nothing captures `{name}`"), help)
        })
        .collect()
}

fn captured(when: &When) -> Option<&str> {
    match when {
        When::Captured(name, _) => Some(name),
        When::Not(inner) => captured(inner),
        _ => None,
    }
}
