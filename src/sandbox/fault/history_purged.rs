//! What a server remembered of jobs, backups and restores is gone.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::standing(
        "history-purged",
        "a clean-up task set to keep nothing: msdb tells of no backup, restore or job run",
        Needs::SERVER,
    )
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let server = &mut state.servers[aim.server];
    server.msdb.restores.clear();
    server.msdb.backups.clear();
    for job in &mut server.agent.jobs {
        job.history.clear();
    }
    Ok(())
}
