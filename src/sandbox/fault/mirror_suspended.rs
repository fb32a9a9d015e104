//! A mirroring session is suspended.

use chrono::TimeDelta;

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::answer::Message;
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("mirroring"),
    before,
    strike,
    ..Fault::standing(
        "mirror-suspended",
        "a mirroring session suspended after an error on the mirror: nothing is protected, and nobody noticed",
        Needs::MIRRORED,
    )
};

/// How long before the walk.
const SINCE_MINUTES: i64 = 45;

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - TimeDelta::minutes(SINCE_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

#[allow(clippy::unnecessary_wraps, reason = "every fault may end a statement")]
fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<Message>> {
    let at = state.at;
    state.ship(at);
    if let Some(n) = state.ha.session(aim.server, aim.database()) {
        state.ha.mirrors[n].suspended = true;
    }
    Ok(())
}
