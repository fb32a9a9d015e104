//! The engine finds jobs by the columns of the resolving query, and holds jobs by those of the watching one; a query
//! without them resolves nothing when it matters.
//!
//! ```yaml
//! job: { disable: { query: sql/database-states } }     # returns databases, not jobs
//! ```

use super::site::{Site, Use, lacking};
use super::{Rule, Spot};

const RESOLVED: [&str; 6] = ["job_id", "name", "start_step", "enabled", "running", "last_instance_id"];
const HELD: [&str; 4] = ["job_id", "name", "enabled", "known"];

pub(super) const RULE: Rule = Rule {
    name: "job-columns",
    reason: "the engine finds jobs by fixed columns; without them nothing is resolved",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for asked in site.asked() {
        let wanted: &[&str] = match asked.used {
            Use::Resolve => &RESOLVED,
            Use::Hold => &HELD,
            Use::Question | Use::Act => continue,
        };
        let Some(query) = site.query(&asked.ask.query) else { continue };
        let missing: Vec<&str> = wanted.iter().copied().filter(|c| !lacking(query, c).is_empty()).collect();
        if !missing.is_empty() {
            let message = format!("`{}` does not return `{}`", query.name, missing.join("`, `"));
            let help = format!("a query that finds jobs returns `{}`", wanted.join("`, `"));
            spots.push(Spot::error(super::site::at(&asked.path, "query"), message, help));
        }
    }
    spots
}
