//! Somebody else took a log backup of one database, and with it a piece of the chain.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Chain,
    before,
    strike,
    ..Fault::standing(
        "stolen-log",
        "another backup product that takes log backups of its own: the next log of the chain begins too late",
        Needs::BACKED_UP,
    )
};

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - chrono::TimeDelta::minutes(super::THEFT_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<crate::sandbox::answer::Message>> {
    let path = format!("D:\\OtherBackup\\{}.trn", aim.database());
    state.take_foreign_log(aim.server, aim.database(), &path)
}
