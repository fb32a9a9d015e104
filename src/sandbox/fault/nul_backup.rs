//! Somebody backed up the log of one database to NUL: a piece of the chain is nowhere.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Chain,
    before,
    strike,
    ..Fault::standing(
        "nul-backup",
        "a full log emptied in a hurry with BACKUP LOG .. TO DISK = 'NUL'",
        Needs::BACKED_UP,
    )
};

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - chrono::TimeDelta::minutes(super::THEFT_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<crate::sandbox::answer::Message>> {
    state.take_foreign_log(aim.server, aim.database(), "NUL")
}
