//! A production database was taken back to an earlier point: its new logs are on another recovery path.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Chain,
    before,
    strike,
    ..Fault::standing(
        "forked",
        "a restore of production to an earlier time which nobody told the standby about: its logs no longer fit",
        Needs::BACKED_UP_ALONE,
    )
};

/// How far production was taken back.
const BACK_BLOCKS: i128 = 1;

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - chrono::TimeDelta::minutes(super::THEFT_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

#[allow(clippy::unnecessary_wraps, reason = "every fault may end a statement")]
fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<crate::sandbox::answer::Message>> {
    let fork = state.dice.guid();
    state.take_back(aim.server, aim.database(), fork, BACK_BLOCKS);
    Ok(())
}
