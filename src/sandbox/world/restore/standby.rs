//! STANDBY: the undo file of a database that is read between two restores.
//!
//! The file holds the transactions that were put aside so that readers see none of them. It is written here,
//! used up and deleted by the next step; without it no further step is possible.

use serde::{Deserialize, Serialize};

use crate::sandbox::answer::Message;
use crate::sandbox::world::files::os_error_text;
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::log::Open;
use crate::sandbox::world::state::{DbState, State};

#[derive(Serialize, Deserialize)]
struct Undo {
    family: Guid,
    open: Open,
    read_only: bool,
}

impl State {
    /// 3170 when an undo file cannot be made there.
    pub(crate) fn check_undo_file(&self, s: usize, path: Option<&str>) -> Result<(), Message> {
        let Some(path) = path else { return Ok(()) };
        let folder = self.no_folder(s, path).is_some();
        let taken = self.servers[s]
            .databases
            .iter()
            .any(|d| d.files.iter().any(|f| f.physical.eq_ignore_ascii_case(path)));
        if folder || taken || path.trim().is_empty() {
            return Err(Message::error(3170, "The STANDBY filename is invalid."));
        }
        Ok(())
    }

    /// Opens a restoring database for readers, what is unfinished in the undo file.
    pub(crate) fn enter_standby(&mut self, s: usize, d: usize, path: &str) {
        let server = &mut self.servers[s];
        let machine = server.machine().to_owned();
        let db = &mut server.databases[d];
        let open = db.content.put_aside();
        let undo = Undo { family: db.family, open, read_only: db.read_only };
        let bytes = serde_json::to_vec(&undo).unwrap_or_default();
        // A file that cannot be written is missed by the next step, as any lost undo file is.
        let _ = self.files.write_plain(&machine, path, &bytes);
        let db = &mut self.servers[s].databases[d];
        db.more.standby = Some(path.to_owned());
        db.state = DbState::Online;
        db.read_only = true;
        self.dirty = true;
    }

    /// What a start of the server finds: a standby database whose undo file is gone cannot be recovered.
    pub(crate) fn look_for_undo_files(&mut self) {
        for s in 0..self.servers.len() {
            for d in 0..self.servers[s].databases.len() {
                let server = &self.servers[s];
                let Some(path) = server.databases[d].more.standby.clone() else { continue };
                if !self.files.exists(server.machine(), &path).0 {
                    self.servers[s].databases[d].state = DbState::RecoveryPending;
                }
            }
        }
    }

    /// Takes up again what the undo file holds, and deletes it.
    pub(crate) fn leave_standby(&mut self, s: usize, d: usize) -> Result<(), Message> {
        let server = &self.servers[s];
        let db = &server.databases[d];
        let Some(path) = db.more.standby.clone() else { return Ok(()) };
        let machine = server.machine().to_owned();
        let bytes = self.files.read_plain(&machine, &path).map_err(|os| Message {
            class: 17,
            ..Message::error(
                3441,
                format!(
                    "During startup of warm standby database '{}' (database ID {}), its standby file ('{path}') was inaccessible to the RESTORE statement. The operating system error was '{os}({})'. Diagnose the operating system error, correct the problem, and retry startup.",
                    db.name,
                    db.id,
                    os_error_text(os)
                ),
            )
        })?;
        let undo = serde_json::from_slice::<Undo>(&bytes).ok().filter(|u| u.family == db.family);
        let Some(undo) = undo else {
            return Err(Message {
                class: 17,
                ..Message::error(
                    3445,
                    format!(
                        "File '{path}' is not a valid undo file for database '{} (database ID {}). Verify the file path, and specify the correct file.",
                        db.name, db.id
                    ),
                )
            });
        };
        self.files.remove(&machine, &path);
        let db = &mut self.servers[s].databases[d];
        db.content.take_up(undo.open);
        db.read_only = undo.read_only;
        db.more.standby = None;
        db.state = DbState::Restoring;
        self.dirty = true;
        Ok(())
    }
}
