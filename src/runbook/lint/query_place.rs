//! A query knows the tables of one database: asked elsewhere it finds nothing, or something else of the same name.
//!
//! ```yaml
//! { on: source, query: biztalk/source-sets, in: msdb }     # its header says `in: management`
//! ```

use super::super::Place as Asked;
use super::site::{Site, at};
use super::{Rule, Spot};
use crate::sql::Place;

pub(super) const RULE: Rule = Rule {
    name: "query-place",
    reason: "a query asked in another database finds nothing, or something else of the same name",
    run,
};

fn run(site: &Site<'_>) -> Vec<Spot> {
    let mut spots = Vec::new();
    for asked in site.asked() {
        let (Some(query), Some(place)) = (site.query(&asked.ask.query), &asked.ask.place) else { continue };
        let (fits, says) = match (&query.place, place) {
            (Place::Any, _) => continue,
            (Place::Master, place) => (*place == Asked::Master, "master"),
            (Place::Msdb, place) => (*place == Asked::Msdb, "msdb"),
            (Place::Management, place) => (*place == Asked::Management, "management"),
            (Place::Named(name), Asked::Named(asked)) => (name.eq_ignore_ascii_case(asked), name.as_str()),
            (Place::Named(name), _) => (false, name.as_str()),
        };
        if !fits {
            let message = format!("`{}` runs in {says}", query.name);
            let help = "leave `in` out: the header of the query says where it runs";
            spots.push(Spot::error(at(&asked.path, "in"), message, help));
        }
    }
    spots
}
