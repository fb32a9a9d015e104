//! A check may be asked at any time, again and again, on production too: its query must not change anything.
//!
//! ```yaml
//! check: { on: source, query: agent/disable-job, … }     # its header says `writes`
//! ```

use super::site::{Site, Use, at};
use super::{Rule, Spot};

pub(super) const RULE: Rule = Rule {
    name: "writes-query-in-check",
    reason: "a question may be asked at any time, again and again: its query must not change anything",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for asked in site.asked().iter().filter(|a| a.used != Use::Act) {
        if site.query(&asked.ask.query).is_some_and(|q| !q.reads_only) {
            let message = format!("`{}` writes, and a question must only read", asked.ask.query);
            let help = "name a query whose header says `reads only`, or make it a `do:`";
            spots.push(Spot::error(at(&asked.path, "query"), message, help));
        }
    }
    spots
}
