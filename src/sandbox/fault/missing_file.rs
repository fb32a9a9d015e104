//! The held-back log file of one database is gone from the share.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::File,
    put,
    ..Fault::standing(
        "missing-file",
        "a clean-up job or virus scanner that removed a backup file before it was restored",
        Needs::SHIPPED,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let file = state.held_back_file(aim.server, aim.database())?;
    std::fs::remove_file(&file).map_err(|e| format!("{}: {e}", file.display()))
}
