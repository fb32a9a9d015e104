//! Somebody who sits in a database all day and reads.
//!
//! Comes back when the world is opened again, as reports do. Does not know who put him there.

use super::logship::SECONDARIES;
use super::state::{Session, State};
use super::stored::{bit, text};

/// Sessions of readers on one server begin here; those of clients count up from 51.
const FIRST_ID: i16 = 20_000;

impl State {
    /// Restores of a log-shipping secondary do not disconnect who reads there.
    pub(crate) fn keep_readers(&mut self, s: usize, database: &str) {
        let at = self.at;
        let key = [("secondary_database", text(database))];
        self.set_shipping(s, SECONDARIES, at, &key, &[("disconnect_users", bit(false))]);
    }

    /// Lets every reader in.
    pub(crate) fn seat_readers(&mut self) {
        for s in 0..self.servers.len() {
            for (n, database) in self.servers[s].trouble.readers.clone().into_iter().enumerate() {
                let id = FIRST_ID + n as i16;
                if self.sessions.iter().any(|x| x.server == s && x.id == id) {
                    continue;
                }
                self.sessions.push(Session {
                    server: s,
                    id,
                    login: "sa".into(),
                    application: "Report Server".into(),
                    workstation: "REPORTS1".into(),
                    home: database.clone(),
                    database,
                    since: self.at,
                    encrypted: false,
                    command: None,
                    text: None,
                    last_start: self.at,
                    last_end: Some(self.at),
                    doing: None,
                    killed: false,
                });
            }
        }
    }
}
