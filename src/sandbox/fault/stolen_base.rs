//! Somebody took a full backup of one database that is not copy-only: differentials go by it from then on.

use chrono::TimeDelta;

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::answer::Message;
use crate::sandbox::world::{BackupAsk, State, Trigger};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("differential base"),
    before,
    strike,
    ..Fault::standing(
        "stolen-base",
        "a developer's full backup without COPY_ONLY, taken home on a disk: the next differential needs that file",
        Needs::BACKED_UP,
    )
};

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - TimeDelta::minutes(super::THEFT_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<Message>> {
    let path = format!("D:\\Temp\\{}-for-me.bak", aim.database());
    let ask = BackupAsk { path, ..BackupAsk::default() };
    state.foreign_backup(aim.server, aim.database(), ask)
}
