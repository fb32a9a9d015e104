//! What people and other products did to the estate: backups outside the plan, production taken back to an earlier time.
//!
//! Does not know faults by name, nor why it was done.

use chrono::TimeDelta;

use super::backup::BackupAsk;
use super::ids::{Guid, Lsn};
use super::state::{Redo, Restored, State};
use crate::sandbox::answer::Message;

/// Who takes backups that nobody planned.
const STRANGER: &str = "CONTOSO\\svc-otherbackup";

impl State {
    /// The folder of the backup files that a server's restores and backups go to.
    pub(crate) fn backup_folder(&self, s: usize) -> Result<String, String> {
        let newest = self.sets.iter().rev().find(|x| x.kind == 'L' && !x.path.eq_ignore_ascii_case("NUL"));
        newest
            .and_then(|set| set.path.rsplit_once('\\'))
            .map(|(folder, _)| folder.to_owned())
            .ok_or_else(|| format!("there is no log backup that {} could read", self.servers[s].name))
    }

    /// A log backup by another product, now: the chain goes on behind it.
    pub(crate) fn take_foreign_log(
        &mut self,
        s: usize,
        database: &str,
        path: &str,
    ) -> Result<(), Vec<Message>> {
        self.foreign_backup(
            s,
            database,
            BackupAsk { log: true, path: path.to_owned(), ..BackupAsk::default() },
        )
    }

    /// A backup by another product, now.
    pub(crate) fn foreign_backup(
        &mut self,
        s: usize,
        database: &str,
        ask: BackupAsk,
    ) -> Result<(), Vec<Message>> {
        if let Some((folder, _)) = ask.path.rsplit_once('\\') {
            // A folder that cannot be made shows as an error of the backup.
            let _ = self.files.make_folder(self.servers[s].machine(), folder);
        }
        let ask =
            BackupAsk { user: STRANGER.to_owned(), name: Some(format!("{database} - other product")), ..ask };
        let now = self.at;
        self.backup(s, database, &ask, now - TimeDelta::seconds(4), now).map(|_| ())
    }

    /// A backup file turns out to be encrypted with a certificate that only the server which wrote it has.
    pub(crate) fn encrypt_as_at_source(&mut self, path: &str, name: &str) -> Result<(), String> {
        let machine = self.servers.first().map_or("", |s| s.machine()).to_owned();
        let unread = || format!("{path} cannot be read");
        let mut sets = self.files.read(&machine, path).map_err(|_| unread())?;
        let source = sets.first().and_then(|r| self.server_index(&r.layout.server)).ok_or_else(unread)?;
        let at = self.servers[source].local(self.opened);
        let mut thumbprint = self.dice.guid().0.to_vec();
        thumbprint.extend_from_slice(&self.dice.guid().0[..4]);
        self.servers[source].certificates.push(super::state::Certificate {
            name: name.to_owned(),
            thumbprint: thumbprint.clone(),
            from: at - TimeDelta::days(90),
            until: at + TimeDelta::days(275),
            private_key: true,
            saved: None,
        });
        for (n, recording) in sets.iter_mut().enumerate() {
            recording.set.rest.encryption = Some(("aes_256".to_owned(), thumbprint.clone()));
            let written = self.files.write(&machine, path, n > 0, recording);
            written.map_err(|_| format!("{path} cannot be written"))?;
        }
        self.dirty = true;
        Ok(())
    }

    /// A database is restored to a moment shortly before its last log backup, and recovered there.
    pub(crate) fn take_back(&mut self, s: usize, database: &str, fork: Guid, blocks: i128) {
        let now = self.at;
        let at = self.servers[s].local(now);
        let before = self.servers[s].msdb.backups.iter().rposition(|n| {
            let set = &self.sets[*n];
            set.kind == 'L' && self.layout(set).database.eq_ignore_ascii_case(database)
        });
        let server = &mut self.servers[s];
        let account = server.agent_account.clone();
        let Some(db) = server.database_mut(database) else { return };
        let end = db.log.backed_up.unwrap_or(db.log.end);
        let point = Lsn(end.0 - blocks * 100_000);
        db.redo = Some(Redo { start: point, fork: db.fork });
        db.open(fork, now);
        db.log.end = end.after(2);
        let database = db.name.clone();
        if let Some(n) = before {
            server.msdb.restores.push(Restored {
                at,
                database,
                user: account,
                backup_set_id: n as i64 + 1,
                kind: 'L',
                replace: false,
                recovery: true,
                stop_at: Some(at - TimeDelta::minutes(15)),
                mark: None,
                before: false,
                ..Restored::default()
            });
        }
        self.dirty = true;
    }
}
