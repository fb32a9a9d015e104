//! A query that is not in the catalogue can never be asked. An action on a job also needs the queries by which the
//! engine acts and looks.
//!
//! ```yaml
//! { on: source, query: sql/databse-states, … }
//! ```

use super::super::{Action, JobVerb, StepKind};
use super::site::{Site, at, verb_key};
use super::{Rule, Spot};

pub(super) const RULE: Rule =
    Rule { name: "unknown-query", reason: "a query that is not in the catalogue can never be asked", run };

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for asked in site.asked() {
        let name = &asked.ask.query;
        if site.query(name).is_none() {
            let help = site.catalogue.nearest(name).map_or_else(
                || "add it to your own `sql/` folder".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            spots.push(Spot::error(at(&asked.path, "query"), format!("no query is called `{name}`"), help));
        }
    }
    for step in &site.book.steps {
        let StepKind::Do(work) = &step.kind else { continue };
        let Action::Job { verb, .. } = &work.action else { continue };
        let act = match verb {
            JobVerb::Disable => "agent/disable-job",
            JobVerb::Enable => "agent/enable-job",
            JobVerb::Start => "agent/start-job",
        };
        let hold = work.hold.as_ref().map(|_| "agent/disable-job");
        for name in [Some(act), Some("agent/job-outcome"), hold].into_iter().flatten() {
            if site.query(name).is_none() {
                let path = at(&at(&site.step_key(step, "do"), "job"), verb_key(*verb));
                let message = format!("this action needs the query `{name}`, which the catalogue lacks");
                spots.push(Spot::error(
                    path,
                    message,
                    "it ships with the program: was it taken away by your own folder?",
                ));
            }
        }
    }
    spots
}
