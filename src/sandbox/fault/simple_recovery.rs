//! A database was put into the SIMPLE recovery model: its chain of logs ends.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::{Model, State, Trigger};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Chain,
    before,
    strike,
    ..Fault::standing(
        "simple-recovery",
        "a recovery model changed to get rid of a full log: no log backup can be taken any more",
        Needs::BACKED_UP_ALONE,
    )
};

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - chrono::TimeDelta::minutes(super::THEFT_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

#[allow(clippy::unnecessary_wraps, reason = "every fault may end a statement")]
fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<crate::sandbox::answer::Message>> {
    if let Some(database) = state.servers[aim.server].database_mut(aim.database()) {
        database.model = Model::Simple;
        database.log.backed_up = None;
        database.log.records.clear();
    }
    Ok(())
}
