//! An action whose query only reads does nothing, and is reported as done.
//!
//! ```yaml
//! do: { on: destination, sql: { query: sql/database-states } }     # `reads only`
//! ```

use super::site::{Site, Use, at};
use super::{Rule, Spot};

pub(super) const RULE: Rule =
    Rule { name: "reads-query-in-do", reason: "an action whose query only reads does nothing", run };

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for asked in site.asked().iter().filter(|a| a.used == Use::Act) {
        if site.query(&asked.ask.query).is_some_and(|q| q.reads_only) {
            let message = format!("`{}` only reads, so this action does nothing", asked.ask.query);
            let help = "name a query whose header says `writes`, or make it a `check:`";
            spots.push(Spot::error(at(&asked.path, "query"), message, help));
        }
    }
    spots
}
