//! The volume of a database's files has no space left.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("volume"),
    put,
    ..Fault::standing(
        "volume-full",
        "a data disk without room: databases cannot grow and nothing can be restored beside them",
        Needs::DATABASE,
    )
};

/// What is left: not enough for one more extent of a hundred.
const LEFT: i64 = 4 * 1024 * 1024;

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let server = &mut state.servers[aim.server];
    let name = aim.database().to_owned();
    let file = server
        .database(&name)
        .and_then(|d| d.files.iter().find(|f| !f.is_log))
        .map(|f| f.physical.to_lowercase())
        .ok_or_else(|| format!("{} has no data file of {name}", server.name))?;
    let on = |mount: &str| file.starts_with(&mount.to_lowercase());
    let volume = server
        .volumes
        .iter_mut()
        .filter(|v| on(&v.mount))
        .max_by_key(|v| v.mount.len())
        .ok_or_else(|| format!("no volume holds {file}"))?;
    volume.free_bytes = LEFT;
    Ok(())
}
