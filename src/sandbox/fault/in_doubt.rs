//! A prepared transaction whose coordinator is gone.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::host::Change;
use crate::sandbox::world::{Coordinator, State};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("in-doubt transaction"),
    put,
    ..Fault::standing(
        "in-doubt-transaction",
        "an application server that died between prepare and commit: its locks stay behind, held by session -2",
        Needs::WRITTEN,
    )
};

/// Tables that BizTalk's jobs write to: the fault is about the application's own.
const JOBS_OWN: [&str; 4] = ["adm_backup", "marklog", "tdds_", "bts_"];

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let uow = state.dice.guid();
    let at = state.at;
    let database = state.servers[aim.server].database(aim.database());
    let mut tables = database.into_iter().flat_map(|d| &d.content.tables);
    let fits = |(key, table): &(&String, &crate::sandbox::world::Stored)| {
        !table.table.rows.is_empty() && !JOBS_OWN.iter().any(|own| key.starts_with(own))
    };
    let Some((key, table)) = tables.find(fits) else {
        return Err(format!("{} has no table with rows of its own", aim.database()));
    };
    // A row that becomes what it is: whatever is decided, nothing is lost.
    let change = Change::Update(vec![(0, table.table.rows[0].clone())]);
    let change = (aim.database().to_owned(), key.clone(), change);
    state.leave_in_doubt(aim.server, uow, Coordinator::Gone, true, vec![change], at);
    Ok(())
}
