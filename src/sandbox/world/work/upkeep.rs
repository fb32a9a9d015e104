//! The backup procedure of servers with `upkeep`: every user database in turn, then old files are deleted.
//!
//! Does not know schedules; a database that cannot be backed up fails the step once all have had their turn.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Beat, Next, argument, arguments};
use crate::sandbox::answer::Message;
use crate::sandbox::world::backup::BackupAsk;
use crate::sandbox::world::state::{DbState, Model, State};

/// The estate's own procedure.
pub(crate) const PROCEDURE: &str = "UpkeepBackup";

impl State {
    pub(super) fn upkeep(&mut self, s: usize, command: &str, beat: Beat, now: DateTime<Utc>) -> Next {
        let asked = arguments(command, PROCEDURE);
        let log = argument(&asked, "@Kind", 0).is_some_and(|k| k.eq_ignore_ascii_case("LOG"));
        let Some(folder) = argument(&asked, "@Folder", 1).map(str::to_owned) else {
            let text = format!(
                "Procedure or function '{PROCEDURE}' expects parameter '@Folder', which was not supplied."
            );
            return Next::Failed(vec![Message::error(201, text)]);
        };
        let hours: i64 = argument(&asked, "@KeepHours", 2).and_then(|h| h.parse().ok()).unwrap_or(48);
        let (index, failed) = match beat {
            Beat::Upkeep { index, failed } => (index, failed),
            _ => (0, Vec::new()),
        };
        self.upkeep_from(s, log, &folder, hours.clamp(1, 1000), index, failed, now)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one step")]
    fn upkeep_from(
        &mut self,
        s: usize,
        log: bool,
        folder: &str,
        hours: i64,
        index: usize,
        mut failed: Vec<String>,
        now: DateTime<Utc>,
    ) -> Next {
        let server = &self.servers[s];
        let wanted = |d: &&crate::sandbox::world::state::Database| {
            d.id > 4 && d.state == DbState::Online && (!log || d.model != Model::Simple)
        };
        let Some(name) = server.databases.iter().filter(wanted).nth(index).map(|d| d.name.clone()) else {
            self.delete_old(s, folder, hours, now);
            if failed.is_empty() {
                return Next::Done(String::new());
            }
            let text = format!("Backups failed of: {}.", failed.join(", "));
            return Next::Failed(vec![Message::error(50000, text)]);
        };
        let stamp = server.local(now).format("%Y%m%d_%H%M%S");
        let (kind, suffix) = if log { ("LOG", "trn") } else { ("FULL", "bak") };
        let ask = BackupAsk {
            log,
            path: format!("{folder}\\{name}_{kind}_{stamp}.{suffix}"),
            checksum: Some(true),
            user: server.agent_account.clone(),
            unkept: self.fresh.is_some() && now < self.opened - TimeDelta::hours(hours),
            ..BackupAsk::default()
        };
        let took = if log { 400 } else { 2300 };
        // A log without a full before it has nothing to begin with; the day's full mends that.
        match self.backup(s, &name, &ask, now, now + TimeDelta::milliseconds(took)) {
            Ok(_) => {}
            Err(why) if why.iter().any(|m| m.number == 4214) => {}
            Err(_) => failed.push(name.clone()),
        }
        let doing = format!("BACKUP {}", if log { "LOG" } else { "DATABASE" });
        Next::Later { ms: took, beat: Beat::Upkeep { index: index + 1, failed }, doing: Some((doing, name)) }
    }

    /// Deletes the files of old sets in a folder; msdb goes on remembering them.
    fn delete_old(&mut self, s: usize, folder: &str, hours: i64, now: DateTime<Utc>) {
        if self.fresh.is_some() {
            // What is old by the time the walk begins was never written.
            return;
        }
        let limit = self.servers[s].local(now) - TimeDelta::hours(hours);
        let server = &self.servers[s];
        let old = server.msdb.backups.iter().rev().map(|n| &self.sets[*n]);
        for set in old.take_while(|set| set.finish > limit - TimeDelta::hours(hours.max(48))) {
            let inside = set.path.rsplit_once('\\').is_some_and(|(f, _)| f.eq_ignore_ascii_case(folder));
            if set.finish < limit
                && inside
                && let Ok(real) = self.files.place(server.machine(), &set.path)
            {
                // Gone already, or held by somebody: the next run tries again.
                let _ = std::fs::remove_file(real);
            }
        }
    }
}
