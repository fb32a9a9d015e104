//! The job that a recovery depends on goes by another name.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("job"),
    put,
    ..Fault::standing(
        "renamed-job",
        "a job renamed by a tidy administrator, so that whoever looks for it by name finds nothing",
        Needs::JOBS,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let j = state.main_job(aim.server).ok_or("there is no job")?;
    let at = state.at;
    let server = &mut state.servers[aim.server];
    let local = server.local(at);
    let job = &mut server.agent.jobs[j];
    job.name = format!("DBA - {}", job.name);
    job.modified = local;
    job.version += 1;
    Ok(())
}
