//! Data movement to one database of a secondary replica is suspended, and the primary's log grows.

use chrono::TimeDelta;

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::answer::Message;
use crate::sandbox::world::{State, Trigger, Why};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("data movement"),
    before,
    strike,
    ..Fault::standing(
        "suspended-replica",
        "data movement suspended for some maintenance and never resumed: no failover without loss, and a log that cannot be cut",
        Needs::REPLICATED,
    )
};

/// How long before the walk.
const SINCE_MINUTES: i64 = 50;

fn before(state: &mut State, aim: &Aim) {
    let at = state.opened - TimeDelta::minutes(SINCE_MINUTES);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
}

#[allow(clippy::unnecessary_wraps, reason = "every fault may end a statement")]
fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<Message>> {
    let at = state.at;
    state.ship(at);
    if let Some((g, m)) = state.ha.member(aim.server, aim.database()) {
        let group = &mut state.ha.groups[g];
        if let Some(r) = group.replica_on(aim.server) {
            group.databases[m].copies[r].suspended = Some(Why::User);
        }
    }
    Ok(())
}
