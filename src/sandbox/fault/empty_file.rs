//! The held-back log file of one database is there and holds nothing.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::File,
    put,
    ..Fault::standing(
        "empty-file",
        "a share that ran out of space while a copy was made: the name is there, no byte behind it",
        Needs::SHIPPED,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let file = state.held_back_file(aim.server, aim.database())?;
    std::fs::write(&file, []).map_err(|e| format!("{}: {e}", file.display()))
}
