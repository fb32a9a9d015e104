//! Principal and mirror do not hear each other: the principal runs alone.

use chrono::TimeDelta;

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::answer::Message;
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("mirroring"),
    before,
    strike,
    ..Fault::standing(
        "mirror-disconnected",
        "a firewall rule that closed the mirroring endpoint: the principal runs exposed, and its log is kept for the mirror",
        Needs::MIRRORED,
    )
};

/// How long before the walk.
const SINCE_MINUTES: i64 = 40;

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - TimeDelta::minutes(SINCE_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

#[allow(clippy::unnecessary_wraps, reason = "every fault may end a statement")]
fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<Message>> {
    let at = state.at;
    state.ship(at);
    if let Some(n) = state.ha.session(aim.server, aim.database()) {
        let pair = (state.ha.mirrors[n].principal, state.ha.mirrors[n].mirror);
        state.ha.cut.push(pair);
    }
    Ok(())
}
