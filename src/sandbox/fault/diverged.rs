//! One destination stops at a set that the other has passed, and stays there.

use chrono::TimeDelta;

use super::{Fault, Target, When};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    id: "diverged",
    worlds: &["biztalk"],
    when: When::Standing,
    imitates: "the share's rights lost for one database's files on one destination: it stops, the other goes on",
    target: Target::LastDestination,
    before,
    put,
};

/// How long before the walk the files could no longer be opened.
const SINCE_MINUTES: i64 = 50;

fn before(state: &mut State, server: usize) {
    state.servers[server].trouble.paused_from = Some(state.opened - TimeDelta::minutes(SINCE_MINUTES));
}

fn put(state: &mut State, server: usize) -> Result<(), String> {
    let name = &state.servers[server].name;
    if state.servers[server].shipping.is_none() {
        return Err(format!("fault diverged: {name} is no destination"));
    }
    let database =
        state.largest_shipped(server).ok_or_else(|| format!("fault diverged: {name} restores nothing"))?;
    state.servers[server].trouble.denied = Some(format!("_{database}_Log_"));
    Ok(())
}
