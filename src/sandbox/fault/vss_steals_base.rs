//! A snapshot backup that is not copy-only took the differential base.

use chrono::TimeDelta;

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::answer::Message;
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("differential base"),
    before,
    strike,
    ..Fault::standing(
        "vss-steals-base",
        "a snapshot product that backs the databases up too: differentials go by its full backup, which is on no disk",
        Needs::BACKED_UP,
    )
};

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - TimeDelta::minutes(super::THEFT_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

#[allow(clippy::unnecessary_wraps, reason = "every fault may end a statement")]
fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<Message>> {
    let at = state.at;
    state.snapshot_backup(aim.server, aim.database(), false, "NT AUTHORITY\\SYSTEM", at);
    Ok(())
}
