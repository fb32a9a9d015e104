//! A server's service account may not read the folder of the backup files.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Progress,
    put,
    ..Fault::standing(
        "share-denied",
        "rights on the backup share lost: a changed group, an expired account, an inheritance switched off",
        Needs::DESTINATION,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let folder = state.backup_folder(aim.server)?;
    state.servers[aim.server].trouble.denied.push(folder);
    Ok(())
}
