//! SQL Server Agent does not run on a server.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::{Ending, State};

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::standing(
        "agent-stopped",
        "an agent service set to manual that nobody started after the last patch",
        Needs::JOBS,
    )
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let at = state.at;
    for j in 0..state.servers[aim.server].agent.jobs.len() {
        state.end_run(aim.server, j, at, &Ending::Failed, "The service stopped.");
    }
    state.servers[aim.server].agent.stopped = true;
    Ok(())
}
