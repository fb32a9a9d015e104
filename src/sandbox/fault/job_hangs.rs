//! The job that a recovery depends on started and does not end.

use chrono::TimeDelta;

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::{HowJobsFail, JobTrouble, State};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("job"),
    before,
    ..Fault::standing(
        "job-hangs",
        "a job blocked for good behind a lock or a dead connection: it runs, says nothing, and no later run begins",
        Needs::JOBS,
    )
};

/// Since when, before the walk.
const SINCE_MINUTES: i64 = 50;

fn before(state: &mut State, aim: &Aim) {
    let from = state.opened - TimeDelta::minutes(SINCE_MINUTES);
    let Some(j) = state.main_job(aim.server) else { return };
    let server = &mut state.servers[aim.server];
    let job = server.agent.jobs[j].name.clone();
    server.trouble.jobs.push(JobTrouble { job, from, how: HowJobsFail::Hangs });
}
