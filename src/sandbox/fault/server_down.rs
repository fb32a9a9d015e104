//! A server refuses connections, and nothing runs on it.

use super::{Fault, Target, When, nothing_before};
use crate::sandbox::world::{Ending, State};

pub(super) const FAULT: Fault = Fault {
    id: "server-down",
    worlds: &["biztalk"],
    when: When::Standing,
    imitates: "a machine or instance that is off; with =SOURCE, the loss of the production server",
    target: Target::FirstDestination,
    before: nothing_before,
    put,
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, server: usize) -> Result<(), String> {
    state.servers[server].trouble.refused = true;
    if state.biztalk.connected_to == Some(server) {
        state.biztalk.connected_to = None;
    }
    let at = state.at;
    for j in 0..state.servers[server].agent.jobs.len() {
        state.end_run(server, j, at, &Ending::Failed, "The service stopped.");
    }
    Ok(())
}
