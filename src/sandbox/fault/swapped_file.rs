//! Under the name of one database's held-back log stands the backup of another database.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::File,
    put,
    ..Fault::standing(
        "swapped-file",
        "two files mixed up when backups were copied or renamed by hand",
        Needs::SHIPPED,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let file = state.held_back_file(aim.server, aim.database())?;
    let shipped = state.shipped(aim.server);
    let other = shipped
        .iter()
        .filter(|d| !d.eq_ignore_ascii_case(aim.database()))
        .find_map(|d| state.held_back_file(aim.server, d).ok())
        .ok_or_else(|| format!("{} ships no other database to swap with", state.servers[aim.server].name))?;
    std::fs::copy(&other, &file).map(|_| ()).map_err(|e| format!("{}: {e}", file.display()))
}
