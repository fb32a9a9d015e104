//! The job that a recovery depends on is disabled.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("job"),
    put,
    ..Fault::standing("job-disabled", "a job switched off for maintenance and forgotten", Needs::JOBS)
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let j = state.main_job(aim.server).ok_or("there is no job")?;
    let at = state.at;
    let server = &mut state.servers[aim.server];
    let local = server.local(at);
    let job = &mut server.agent.jobs[j];
    (job.enabled, job.modified) = (false, local);
    job.version += 1;
    Ok(())
}
