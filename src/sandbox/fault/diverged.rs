//! One destination stops at a set that the other has passed, and stays there.

use chrono::TimeDelta;

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Progress,
    before,
    put,
    ..Fault::standing(
        "diverged",
        "the share's rights lost for one database's files on one destination: it stops, the other goes on",
        Needs::LAST_SHIPPED,
    )
};

/// How long before the walk the files could no longer be opened.
const SINCE_MINUTES: i64 = 50;

fn before(state: &mut State, aim: &Aim) {
    state.servers[aim.server].trouble.paused_from = Some(state.opened - TimeDelta::minutes(SINCE_MINUTES));
}

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let server = &mut state.servers[aim.server];
    if server.shipping.is_none() {
        return Err(format!("{} is no destination", server.name));
    }
    server.trouble.denied.push(format!("_{}_Log_", aim.database()));
    Ok(())
}
