//! A destination is several sets behind and slow to catch up.

use chrono::TimeDelta;

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Progress,
    before,
    put,
    ..Fault::standing(
        "lagging",
        "a destination with slow disks after an outage of its restore job",
        Needs::LAST_DESTINATION,
    )
};

/// How long before the walk restores stopped.
const BEHIND_MINUTES: i64 = 96;
/// Drill milliseconds per log: a set takes about six minutes, so it gains on a set every fifteen.
const RESTORE_MS: i64 = 40_000;

fn before(state: &mut State, aim: &Aim) {
    let from = state.opened - TimeDelta::minutes(BEHIND_MINUTES);
    state.servers[aim.server].trouble.paused_from = Some(from);
}

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    if state.servers[aim.server].shipping.is_none() {
        return Err(format!("{} is no destination", state.servers[aim.server].name));
    }
    state.servers[aim.server].trouble.restore_ms = Some(RESTORE_MS);
    Ok(())
}
