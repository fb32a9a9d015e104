//! A role that nothing asks still wants a server in every estate; mostly it is a misspelt or forgotten check.
//!
//! ```yaml
//! roles: { source: { sql: many }, witness: { sql: one } }     # and no step asks `witness`
//! ```

use super::super::{RoleKind, StepKind, When};
use super::site::Site;
use super::{Rule, Spot};

pub(super) const RULE: Rule = Rule {
    name: "unused-role",
    reason: "a role that nothing asks is mostly a forgotten check, and wants a server in every estate",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let asked: Vec<&str> = site.asked().iter().map(|a| a.ask.on.as_str()).collect();
    let used = |name: &str| {
        asked.contains(&name)
            || site.book.steps.iter().any(|s| {
                s.when.as_ref().is_some_and(|w| reaches(w, name))
                    || matches!(&s.kind, StepKind::Do(work) if work.on == name)
            })
    };
    // Computers are never asked; their role tells the operator where to work.
    let roles = site.book.roles.iter().filter(|(_, role)| role.kind == RoleKind::Sql);
    roles
        .filter(|(name, _)| !used(name))
        .map(|(name, _)| {
            let path = vec!["roles".into(), name.as_str().into()];
            Spot::warning(path, format!("no step asks role `{name}`"), "take it out, or ask it")
        })
        .collect()
}

fn reaches(when: &When, role: &str) -> bool {
    match when {
        When::Reachable(name) => name == role,
        When::Not(inner) => reaches(inner, role),
        _ => false,
    }
}
