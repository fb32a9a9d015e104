//! A replica commits asynchronously, and is minutes behind.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("replica"),
    before,
    ..Fault::standing(
        "async-replica",
        "a replica set to asynchronous commit because it slowed the others down: a failover to it loses minutes of work",
        Needs::REPLICA,
    )
};

/// How far behind it is.
const BEHIND_MS: i64 = 4 * 60_000;

fn before(state: &mut State, aim: &Aim) {
    for group in &mut state.ha.groups {
        for replica in group.replicas.iter_mut().filter(|r| r.server == aim.server) {
            replica.synchronous = false;
            replica.automatic = false;
            replica.lag_ms = BEHIND_MS;
        }
    }
}
