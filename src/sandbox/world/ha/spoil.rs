//! What people get wrong about an availability group.
//!
//! Does not know faults by name.

use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::state::State;
use crate::sandbox::world::stored::{as_text, text};

impl State {
    /// BizTalk's tables name a replica where the listener should stand.
    pub(crate) fn name_replica_for_listener(&mut self, s: usize) {
        let names: Vec<String> = self
            .ha
            .groups
            .iter()
            .filter(|g| g.primary_server() == Some(s))
            .filter_map(|g| g.listener.as_ref().map(|l| l.name.clone()))
            .collect();
        let replica = self.servers[s].name.clone();
        let copies: Vec<usize> = (0..self.servers.len()).collect();
        for server in copies {
            for db in self.servers[server].databases.iter_mut().filter(|d| d.role == "management") {
                for table in ["adm_group", "adm_messagebox", "adm_otherbackupdatabases"] {
                    let Some(stored) = db.content.tables.get_mut(table) else { continue };
                    for cell in stored.rows_mut().iter_mut().flatten() {
                        if as_text(cell).is_some_and(|c| names.iter().any(|n| n.eq_ignore_ascii_case(c))) {
                            *cell = text(&replica);
                        }
                    }
                }
            }
        }
    }

    /// The steps of a server's jobs lose their guard, and run in the database they work in.
    pub(crate) fn take_guards_off(&mut self, s: usize) {
        for job in &mut self.servers[s].agent.jobs {
            for step in &mut job.steps {
                let Some((asked, inner)) = super::guard::behind_guard(&step.command) else { continue };
                (step.database, step.command) = (asked.to_owned(), inner.trim_end_matches(';').to_owned());
            }
        }
    }

    /// Switches DTC support of a group on or off: its databases get an identity of their own, or lose it.
    pub(crate) fn set_dtc_support(&mut self, g: usize, per_db: bool) {
        if std::mem::replace(&mut self.ha.groups[g].dtc, per_db) == per_db {
            return;
        }
        for m in 0..self.ha.groups[g].databases.len() {
            let manager = per_db.then(|| self.dice.guid());
            self.identify(g, m, manager);
        }
        self.dirty = true;
    }

    /// Gives every copy of a member the same identity with MS DTC, or takes it away.
    pub(super) fn identify(&mut self, g: usize, m: usize, manager: Option<Guid>) {
        let group = &self.ha.groups[g];
        let name = group.databases[m].name.clone();
        let copies = &group.databases[m].copies;
        let servers: Vec<usize> = (0..group.replicas.len())
            .filter(|r| group.primary == Some(*r) || copies[*r].joined)
            .map(|r| group.replicas[r].server)
            .collect();
        for s in servers {
            self.set_resource_manager(s, &name, manager);
        }
    }
}
