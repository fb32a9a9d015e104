//! A server does not reach another one over its linked server.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    before,
    strike,
    ..Fault::standing(
        "linked-server-down",
        "a linked server whose alias points to a name that no longer resolves",
        Needs::LINKED,
    )
};

/// Since when, before the walk.
const SINCE_MINUTES: i64 = 25;

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - chrono::TimeDelta::minutes(SINCE_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

#[allow(clippy::unnecessary_wraps, reason = "every fault may end a statement")]
fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<crate::sandbox::answer::Message>> {
    for linked in &mut state.servers[aim.server].linked {
        linked.data_source = format!("{}-OLD", linked.data_source);
    }
    Ok(())
}
