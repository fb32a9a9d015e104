//! What happens by itself: once a minute logs grow and copies follow, and servers that are gone are noticed.

use chrono::{DateTime, TimeDelta, Utc};

use crate::sandbox::world::state::{Database, State};

impl State {
    /// The beat of high availability.
    pub(crate) fn beat_of_ha(&mut self, now: DateTime<Utc>) {
        let coarse = self.fresh.is_some() && now < self.opened - TimeDelta::minutes(70);
        self.ship(now);
        for (s, name) in self.first_copies() {
            let busy = self.biztalk_works_on(s) || !self.is_biztalk(s, &name);
            if self.reachable(s)
                && let Some(d) = self.servers[s].database_index(&name)
            {
                let db = &mut self.servers[s].databases[d];
                db.work(now, busy, &mut self.dice);
            }
        }
        self.ship(now);
        self.watch(now);
        let lost = self.ha.groups.iter().any(|g| g.lost.is_some())
            || self.ha.mirrors.iter().any(|m| m.lost.is_some());
        let pause = if coarse {
            TimeDelta::minutes(15)
        } else if lost {
            TimeDelta::seconds(10)
        } else {
            TimeDelta::minutes(1)
        };
        self.ha.next_beat = Some(now + pause);
    }

    /// Server and name of every database that others follow.
    fn first_copies(&self) -> Vec<(usize, String)> {
        let groups = self
            .ha
            .groups
            .iter()
            .filter_map(|g| Some((g.primary_server()?, g)))
            .flat_map(|(s, g)| g.databases.iter().map(move |m| (s, m.name.clone())));
        let mirrors = self.ha.mirrors.iter().map(|m| (m.principal, m.database.clone()));
        groups.chain(mirrors).collect()
    }

    fn is_biztalk(&self, s: usize, name: &str) -> bool {
        self.servers[s].database(name).is_some_and(|d: &Database| !d.role.is_empty())
    }
}
