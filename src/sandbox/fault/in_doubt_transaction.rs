//! A distributed transaction whose coordinator is gone holds its locks, and nobody knows how it ended.

use super::{Aim, Fault, Needs};
use crate::sandbox::host::Change;
use crate::sandbox::world::{Coordinator, State};

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::standing(
        "in-doubt-transaction",
        "an application server lost between the two phases of a commit: session -2 keeps its locks until somebody decides",
        Needs::WRITTEN,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let server = &state.servers[aim.server];
    let database = server
        .database(aim.database())
        .ok_or_else(|| format!("{} has no {}", server.name, aim.database()))?;
    // Not the tables that the backup job itself writes.
    let busy = |name: &str| name == "marklog" || name.starts_with("adm_backup");
    let (table, row) = database
        .content
        .tables
        .iter()
        .filter(|(name, _)| !busy(name))
        .find_map(|(name, stored)| Some((name.clone(), stored.table.rows.first()?.clone())))
        .ok_or_else(|| format!("{} has no row to change", database.name))?;
    let change = (database.name.clone(), table, Change::Update(vec![(0, row)]));
    let (at, uow) = (state.at, state.dice.guid());
    state.leave_in_doubt(aim.server, uow, Coordinator::Gone, true, vec![change], at);
    Ok(())
}
