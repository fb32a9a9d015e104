//! Database mirroring sessions: ALTER DATABASE … SET PARTNER and SET WITNESS, and failover with a witness.
//!
//! Does not know endpoints beyond the server they belong to.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Copy, Mirror};
use crate::sandbox::answer::Message;
use crate::sandbox::host::availability::PartnerAction;
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::state::{DbState, Model, Redo, State, no_such_database};

fn error(number: i32, text: String) -> Message {
    Message::error(number, text)
}

/// 1416
fn not_mirrored(database: &str) -> Message {
    error(1416, format!("Database \"{database}\" is not configured for database mirroring."))
}

/// 1470
fn principal_only(database: &str) -> Message {
    error(
        1470,
        format!(
            "The alter database for this partner config values may only be initiated on the current principal server for database \"{database}\"."
        ),
    )
}

impl State {
    /// Carries out what stands after SET PARTNER or SET WITNESS.
    pub(crate) fn partner(
        &mut self,
        s: usize,
        database: &str,
        action: &PartnerAction,
        now: DateTime<Utc>,
    ) -> Result<(), Message> {
        let db = self.servers[s].database(database).ok_or_else(|| no_such_database(database))?;
        let name = db.name.clone();
        self.ship(now);
        self.dirty = true;
        if let PartnerAction::Address(address) = action {
            return self.make_partners(s, &name, address, now);
        }
        let n = self.ha.session(s, &name).ok_or_else(|| not_mirrored(&name))?;
        let mirror = &self.ha.mirrors[n];
        let principal = mirror.principal == s;
        let joined = self.hears(mirror.principal, mirror.mirror);
        match action {
            PartnerAction::Failover => {
                if !principal {
                    return Err(principal_only(&name));
                }
                if !mirror.safe {
                    return Err(error(
                        1477,
                        format!(
                            "The database mirroring safety level must be FULL to manually failover database \"{name}\". Set safety level to FULL and retry."
                        ),
                    ));
                }
                if !joined {
                    return Err(error(
                        1447,
                        format!(
                            "ALTER DATABASE \"{name}\" command cannot be executed until both partner server instances are up, running, and connected. Start the partner and reissue the command."
                        ),
                    ));
                }
                if mirror.suspended || !mirror.copy.level_with_what_it_saw() {
                    return Err(error(
                        1422,
                        format!(
                            "The mirror server instance is not caught up to the recent changes to database \"{name}\". Unable to fail over."
                        ),
                    ));
                }
                self.swap_partners(n, false, now);
            }
            PartnerAction::Force => {
                if principal || joined {
                    return Err(error(
                        1455,
                        format!(
                            "The database mirroring service cannot be forced for database \"{name}\" because the database is not in the correct state to become the principal database."
                        ),
                    ));
                }
                self.swap_partners(n, true, now);
            }
            PartnerAction::Off => self.end_mirroring(n),
            PartnerAction::Suspend => self.ha.mirrors[n].suspended = true,
            PartnerAction::Resume => {
                if !joined {
                    return Err(error(
                        1447,
                        format!(
                            "ALTER DATABASE \"{name}\" command cannot be executed until both partner server instances are up, running, and connected. Start the partner and reissue the command."
                        ),
                    ));
                }
                self.ha.mirrors[n].suspended = false;
                self.ship(now);
            }
            PartnerAction::Safety(full) => {
                if !principal {
                    return Err(principal_only(&name));
                }
                let mirror = &mut self.ha.mirrors[n];
                if mirror.safe != *full {
                    mirror.safe = *full;
                    mirror.safety_sequence += 1;
                }
            }
            PartnerAction::Timeout(seconds) => {
                if !principal {
                    return Err(principal_only(&name));
                }
                if *seconds > 32_767 {
                    return Err(error(
                        1476,
                        format!(
                            "Database mirroring timeout value {seconds} exceeds the maximum value 32767."
                        ),
                    ));
                }
                // Shorter ones are taken as the shortest there is.
                self.ha.mirrors[n].timeout = (*seconds).max(5);
            }
            PartnerAction::Witness(address) => self.set_witness(n, &name, address)?,
            PartnerAction::NoWitness => {
                if self.ha.mirrors[n].witness.take().is_none() {
                    return Err(error(
                        1439,
                        format!("There is currently no witness associated with database \"{name}\"."),
                    ));
                }
            }
            PartnerAction::Address(_) => {}
        }
        Ok(())
    }

    /// The server of the world that an endpoint's address belongs to: `TCP://name.domain:port`.
    fn at_address(&self, address: &str) -> Option<usize> {
        let rest = address.get(..6).filter(|s| s.eq_ignore_ascii_case("tcp://")).and(address.get(6..))?;
        let host = rest.split([':', '.', '/']).next()?;
        self.servers.iter().position(|x| x.machine().eq_ignore_ascii_case(host))
    }

    fn reached_at(&self, s: usize, address: &str) -> Result<usize, Message> {
        self.at_address(address).filter(|other| self.hears(s, *other)).ok_or_else(|| {
            error(1418, format!("The server network address \"{address}\" can not be reached or does not exist. Check the network address name and that the ports for the local and remote endpoints are operational."))
        })
    }

    /// SET PARTNER = address: first on the mirror, whose copy is being restored, then on the principal.
    fn make_partners(
        &mut self,
        s: usize,
        name: &str,
        address: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Message> {
        if self.ha.session(s, name).is_some() || self.ha.member(s, name).is_some() {
            return Err(error(
                1405,
                format!("The database \"{name}\" is already enabled for database mirroring."),
            ));
        }
        let other = self.reached_at(s, address)?;
        if other == s {
            return Err(error(1452, "The partner server instance name must be distinct from the server instance that manages the database. The ALTER DATABASE SET PARTNER command failed.".into()));
        }
        let Some(db) = self.servers[s].database(name) else { return Err(no_such_database(name)) };
        if db.state == DbState::Restoring {
            // The mirror's half: it waits to be called by the principal.
            self.ha.offers.retain(|(a, n, _)| *a != s || !n.eq_ignore_ascii_case(name));
            self.ha.offers.push((s, name.to_owned(), other));
            return Ok(());
        }
        if db.model != Model::Full {
            return Err(error(
                1465,
                format!(
                    "Database \"{name}\" database is not in full recovery mode on each of the server instances. The full recovery model is required for a database to participate in database mirroring or in an availability group."
                ),
            ));
        }
        let first = (db.family, db.log.backed_up, db.log.end);
        let Some(remote) = self.servers[other].database(name) else {
            return Err(error(
                1448,
                format!(
                    "The remote copy of database \"{name}\" does not exist. Check the database name and reissue the command."
                ),
            ));
        };
        let Some(redo) = remote.redo.filter(|_| remote.state == DbState::Restoring) else {
            return Err(error(
                1419,
                format!(
                    "The remote copy of database \"{name}\" cannot be opened. Check the database name and ensure that it is in the restoring state, and then reissue the command."
                ),
            ));
        };
        if remote.family != first.0 {
            return Err(error(
                1407,
                format!(
                    "The remote copy of database \"{name}\" is not related to the local copy of the database."
                ),
            ));
        }
        let offered =
            |(a, n, b): &(usize, String, usize)| *a == other && *b == s && n.eq_ignore_ascii_case(name);
        if !self.ha.offers.iter().any(offered) {
            return Err(not_mirrored(name));
        }
        if first.1.is_none_or(|b| redo.start < b) || redo.start > first.2 {
            return Err(error(
                1412,
                format!(
                    "The remote copy of database \"{name}\" has not been rolled forward to a point in time that is encompassed in the local copy of the database log."
                ),
            ));
        }
        self.ha.offers.retain(|x| !offered(x));
        let id = self.dice.guid();
        self.ha.mirrors.push(Mirror {
            id,
            database: name.to_owned(),
            principal: s,
            mirror: other,
            witness: None,
            safe: true,
            suspended: false,
            role_sequence: 1,
            safety_sequence: 1,
            timeout: 10,
            failover: redo.start,
            lost: None,
            copy: Copy::level(redo.start, now),
            lag_ms: 0,
        });
        if let Some(remote) = self.servers[other].database_mut(name) {
            remote.redo = None;
        }
        self.ship(now);
        Ok(())
    }

    fn set_witness(&mut self, n: usize, name: &str, address: &str) -> Result<(), Message> {
        let (principal, mirror) = (self.ha.mirrors[n].principal, self.ha.mirrors[n].mirror);
        let witness = self.reached_at(principal, address)?;
        if witness == principal || witness == mirror {
            return Err(error(1429, "The witness server instance name must be distinct from both of the server instances that manage the database. The ALTER DATABASE SET WITNESS command failed.".into()));
        }
        let together = self.hears(principal, mirror) && self.hears(mirror, witness);
        if !together || !self.ha.mirrors[n].copy.level_with_what_it_saw() {
            let _ = name;
            return Err(error(1426, "To issue ALTER DATABASE SET WITNESS, all three server instances must be interconnected, and the mirror database must be caught up. When these conditions are met, reissue the command.".into()));
        }
        self.ha.mirrors[n].witness = Some(witness);
        Ok(())
    }

    /// The mirror becomes the principal, with the log that it has.
    pub(crate) fn swap_partners(&mut self, n: usize, forced: bool, now: DateTime<Utc>) {
        let mirror = &self.ha.mirrors[n];
        let (old, new, name) = (mirror.principal, mirror.mirror, mirror.database.clone());
        let end = self.servers[old].database(&name).map_or(Lsn::default(), |d| d.log.end);
        let level = mirror.copy.hardened >= end && !mirror.copy.diverged;
        let point = mirror.copy.hardened;
        if level
            && let Some(first) = self.servers[old].database(&name).cloned()
            && let Some(second) = self.servers[new].database_mut(&name)
        {
            *second = second.mirror_of(&first);
        }
        self.begin_anew(Some(old), new, &name, point, now);
        if let Some(db) = self.servers[old].database_mut(&name) {
            db.state = DbState::Restoring;
            db.redo = None;
        }
        let mirror = &mut self.ha.mirrors[n];
        (mirror.principal, mirror.mirror) = (new, old);
        mirror.role_sequence += 1;
        mirror.failover = point;
        mirror.lost = None;
        mirror.suspended = forced;
        mirror.copy = Copy { diverged: end > point, ..Copy::level(end.min(point), now) };
        self.move_biztalk(old, new, &[name]);
        self.dirty = true;
    }

    /// The session ends: the principal stays open, the mirror is left restoring.
    fn end_mirroring(&mut self, n: usize) {
        let mirror = self.ha.mirrors.remove(n);
        if let Some(db) = self.servers[mirror.mirror].database_mut(&mirror.database) {
            db.state = DbState::Restoring;
            db.redo = Some(Redo { start: mirror.copy.hardened, fork: db.fork });
        }
    }

    /// Principals that are gone: with a witness that agrees, the mirror takes over by itself.
    pub(super) fn watch_mirrors(&mut self, now: DateTime<Utc>, patience: TimeDelta) {
        for n in 0..self.ha.mirrors.len() {
            let mirror = &self.ha.mirrors[n];
            if self.hears(mirror.principal, mirror.mirror) {
                self.ha.mirrors[n].lost = None;
                continue;
            }
            let witness = mirror
                .witness
                .is_some_and(|w| self.hears(w, mirror.mirror) && !self.hears(w, mirror.principal));
            let fits = mirror.safe && !mirror.suspended && mirror.copy.level_with_what_it_saw() && witness;
            let since = *self.ha.mirrors[n].lost.get_or_insert(now);
            if fits && now >= since + patience {
                self.swap_partners(n, false, now);
            }
        }
    }
}
