//! The folder in which a database's files lie, or would be restored, is not there.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("data folder"),
    put,
    ..Fault::standing(
        "folder-missing",
        "a disk mounted under another letter after a change of storage, so that the folders of the files are gone",
        Needs::DATABASE,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let server = &state.servers[aim.server];
    let name = aim.database();
    let files = server
        .database(name)
        .map(|d| d.files.clone())
        .ok_or_else(|| format!("{} has no database {name}", server.name))?;
    let folder = files
        .iter()
        .find(|f| !f.is_log)
        .and_then(|f| f.physical.rsplit_once('\\'))
        .map(|(folder, _)| folder.to_owned())
        .ok_or_else(|| format!("{name} has no data file"))?;
    let real = state.files.place(server.machine(), &folder).map_err(|_| format!("{folder} is no folder"))?;
    std::fs::remove_dir_all(&real).map_err(|e| format!("{}: {e}", real.display()))
}
