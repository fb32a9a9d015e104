//! The job that a recovery depends on fails at every run.

use chrono::TimeDelta;

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::{HowJobsFail, JobTrouble, State};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("job"),
    before,
    ..Fault::standing(
        "job-failing",
        "a job whose account lost the right to run its procedure, failing unseen every minute",
        Needs::JOBS,
    )
};

/// Since when, before the walk.
const SINCE_MINUTES: i64 = 35;

fn before(state: &mut State, aim: &Aim) {
    let from = state.opened - TimeDelta::minutes(SINCE_MINUTES);
    let Some(j) = state.main_job(aim.server) else { return };
    let server = &mut state.servers[aim.server];
    let job = &server.agent.jobs[j];
    let procedure = job.steps.first().map_or("procedure", |s| {
        let words = s.command.trim_start_matches("exec ").trim_start();
        words.split([' ', ',']).next().unwrap_or(words)
    });
    let database = job.steps.first().map_or("master", |s| s.database.as_str());
    let name = procedure.trim_start_matches("[dbo].").trim_start_matches("dbo.").trim_matches(['[', ']']);
    let text = format!(
        "The EXECUTE permission was denied on the object '{name}', database '{database}', schema 'dbo'."
    );
    let trouble = JobTrouble { job: job.name.clone(), from, how: HowJobsFail::Fails { number: 229, text } };
    server.trouble.jobs.push(trouble);
}
