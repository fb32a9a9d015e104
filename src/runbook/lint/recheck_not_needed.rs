//! A recheck asks again what was proven before; a check that the step does not need (directly or through others) may
//! never have been made, and nobody has seen what its answer looks like.
//!
//! ```yaml
//! - step: restore
//!   needs: [declared]
//!   guard: { no_return: true, recheck: [level] }      # `level` is nowhere in its needs
//! ```

use super::site::{Site, at};
use super::{Rule, Spot};

pub(super) const RULE: Rule = Rule {
    name: "recheck-not-needed",
    reason: "a recheck asks again what was proven before; the step must need it",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for step in &site.book.steps {
        let Some(guard) = &step.guard else { continue };
        let needed = reach(site, &step.id);
        for (n, id) in guard.recheck.iter().enumerate() {
            if !needed.contains(&id.as_str()) {
                let message = format!("step `{}` rechecks `{id}` and does not need it", step.id);
                let path = at(&at(&site.step_key(step, "guard"), "recheck"), n);
                spots.push(Spot::error(path, message, format!("add `{id}` to its `needs`")));
            }
        }
    }
    spots
}

/// Every step that must have opened before this one.
fn reach<'a>(site: &Site<'a>, from: &str) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    let mut open: Vec<&str> =
        site.book.step(from).map_or(Vec::new(), |s| s.needs.iter().map(String::as_str).collect());
    while let Some(id) = open.pop() {
        if !all.contains(&id) {
            all.push(id);
            open.extend(site.book.step(id).into_iter().flat_map(|s| s.needs.iter().map(String::as_str)));
        }
    }
    all
}
