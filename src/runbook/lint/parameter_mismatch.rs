//! Parameters travel by name: one that is missing makes the server refuse the question, one that is misspelt is missing
//! and superfluous at once.
//!
//! ```yaml
//! { on: source, query: biztalk/source-sets, with: { sinse: '2026-01-01' } }     # declares @since
//! ```

use super::site::{Site, at};
use super::{Rule, Spot};
use crate::text::nearest;

pub(super) const RULE: Rule = Rule {
    name: "parameter-mismatch",
    reason: "the server refuses a question with a missing or an unknown parameter",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for asked in site.asked() {
        let Some(query) = site.query(&asked.ask.query) else { continue };
        let declared: Vec<&str> = query.parameters.iter().map(|p| p.name.as_str()).collect();
        let given = &asked.ask.with;
        let with = at(&asked.path, "with");
        for name in given.keys() {
            if !declared.iter().any(|d| d.eq_ignore_ascii_case(name)) {
                let help = match nearest(name, declared.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if declared.is_empty() => "it takes none".to_owned(),
                    None => format!("it takes `{}`", declared.join("`, `")),
                };
                let message = format!("`{}` has no parameter `{name}`", query.name);
                spots.push(Spot::error(at(&with, name.as_str()), message, help).on_key());
            }
        }
        for parameter in &query.parameters {
            if !given.keys().any(|g| g.eq_ignore_ascii_case(&parameter.name)) {
                let message = format!("`{}` wants `{}` ({})", query.name, parameter.name, parameter.kind);
                let help = format!("add `with: {{ {}: .. }}`", parameter.name);
                spots.push(Spot::error(at(&asked.path, "query"), message, help));
            }
        }
    }
    spots
}
