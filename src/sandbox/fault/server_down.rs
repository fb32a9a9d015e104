//! A server refuses connections, and nothing runs on it.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::{Ending, State};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Door,
    put,
    ..Fault::standing(
        "server-down",
        "a machine or instance that is off; with =SOURCE, the loss of the production server",
        Needs::SERVER,
    )
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    state.servers[aim.server].trouble.refused = true;
    if state.biztalk.connected_to == Some(aim.server) {
        state.biztalk.connected_to = None;
    }
    let at = state.at;
    for j in 0..state.servers[aim.server].agent.jobs.len() {
        state.end_run(aim.server, j, at, &Ending::Failed, "The service stopped.");
    }
    Ok(())
}
