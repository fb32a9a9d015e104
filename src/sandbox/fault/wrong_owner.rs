//! A database belongs to somebody it should not belong to.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::standing(
        "wrong-owner",
        "a restore by hand under a personal account, which then owns the database",
        Needs::DATABASE,
    )
};

/// Somebody who has left.
const OWNER: &str = "CONTOSO\\j.doe";

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let server = &mut state.servers[aim.server];
    let why = format!("{} has no database {}", server.name, aim.database());
    let database = server.database_mut(aim.database()).ok_or(why)?;
    OWNER.clone_into(&mut database.owner);
    Ok(())
}
