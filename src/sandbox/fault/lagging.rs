//! A destination is several sets behind and slow to catch up.

use chrono::TimeDelta;

use super::{Fault, Target, When};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    id: "lagging",
    worlds: &["biztalk"],
    when: When::Standing,
    imitates: "a destination with slow disks after an outage of its restore job",
    target: Target::LastDestination,
    before,
    put,
};

/// How long before the walk restores stopped.
const BEHIND_MINUTES: i64 = 96;
/// Drill milliseconds per log: a set takes about six minutes, so it gains on a set every fifteen.
const RESTORE_MS: i64 = 40_000;

fn before(state: &mut State, server: usize) {
    let from = state.opened - TimeDelta::minutes(BEHIND_MINUTES);
    state.servers[server].trouble.paused_from = Some(from);
}

fn put(state: &mut State, server: usize) -> Result<(), String> {
    if state.servers[server].shipping.is_none() {
        return Err(format!("fault lagging: {} is no destination", state.servers[server].name));
    }
    state.servers[server].trouble.restore_ms = Some(RESTORE_MS);
    Ok(())
}
