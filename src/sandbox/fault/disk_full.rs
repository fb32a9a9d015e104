//! There is no space left where the backups are written.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::standing(
        "disk-full",
        "a backup share that filled up because nothing cleared old files: every backup fails, sets stay partial",
        Needs::BACKUP_JOB,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let folder = state.backup_folder(aim.server)?;
    for server in &mut state.servers {
        server.trouble.full.push(folder.clone());
    }
    Ok(())
}
