//! What the state owes: errands for the outside, and commands that follow by themselves.
//!
//! Functions of the state alone: replaying a record owes nothing that is not still under way.

use super::command::Command;
use super::errand::{Again, Errand, Round};
use super::event::{Act, RoundKey, Settlement, Stage};
use super::session::{ActState, Attempt, Progress, Session, Standing};
use crate::clock::Span;
use crate::reading::Cell;
use crate::runbook::{Action, Do, JobVerb, Repeat, Step, StepKind};

/// How often a started job's outcome is asked for when the step does not say.
const OUTCOME_EVERY: Span = Span::seconds(5);

impl Session {
    /// Outside work that should be under way now.
    pub fn owed(&self) -> Vec<Errand> {
        if self.closed.is_some() {
            return Vec::new();
        }
        let mut owed = Vec::new();
        for (step, state) in self.book.steps.iter().zip(&self.steps) {
            let Some(attempt) = state.attempts.last() else { continue };
            for doing in attempt.acts.iter().filter(|d| !d.carried && d.state == ActState::Intended) {
                owed.push(Errand::Act { act: doing.act.clone(), item: doing.item.clone() });
            }
            let (Progress::Asking(stage) | Progress::Polling(stage)) = attempt.progress else { continue };
            let key = RoundKey { step: step.id.clone(), attempt: attempt.number, stage };
            if let StepKind::Wait { pause: Some(pause), until } = &step.kind
                && until.is_empty()
            {
                owed.push(Errand::Alarm { key, at: attempt.started + pause.delta() });
                continue;
            }
            let mut questions = self.plan(step, Some(attempt), stage).questions;
            questions.retain(|q| attempt.asked.contains(&q.reference));
            owed.push(Errand::Ask(Round { key, questions, again: again(step, attempt, stage) }));
        }
        owed
    }

    /// The command that follows by itself from the state as it is, if any.
    pub fn follows(&self) -> Option<Command> {
        if self.closed.is_some() || self.opened.is_none() {
            return None;
        }
        let due = |(i, step): &(usize, &Step)| {
            let state = &self.steps[*i];
            let Some(attempt) = state.attempts.last() else {
                return !state.does_not_apply
                    && state.skipped.is_none()
                    && state.overrides.is_empty()
                    && self.standing(*i) == Standing::DoesNotApply;
            };
            match attempt.progress {
                Progress::Guarding => self.rechecks_are_over(step, attempt),
                Progress::Resolved | Progress::Acted | Progress::Said => true,
                Progress::Uncertain => !attempt.settle_read,
                _ => false,
            }
        };
        let step = self.book.steps.iter().enumerate().find(due)?.1.id.clone();
        Some(Command::Follow { step })
    }

    /// The attempt by which a check was asked again for a step of no return.
    pub(super) fn recheck_attempt(&self, check: &str, of: &str, since: &Attempt) -> Option<&Attempt> {
        let last = self.step(check)?.1.attempts.last()?;
        (last.recheck_for.as_deref() == Some(of) && last.started >= since.started).then_some(last)
    }

    fn rechecks_are_over(&self, step: &Step, attempt: &Attempt) -> bool {
        attempt.rechecks.iter().all(|check| {
            self.recheck_attempt(check, &step.id, attempt)
                .is_none_or(|a| matches!(a.progress, Progress::Over | Progress::Interrupted))
        })
    }

    /// How an uncertain action looks from the servers' own state; `None` when it does not say.
    pub fn suggestion(&self, act: &Act) -> Option<Settlement> {
        let (step, state) = self.step(&act.step)?;
        let attempt = state.attempts.iter().find(|a| a.number == act.attempt)?;
        let StepKind::Do(Do { action: Action::Job { verb, .. }, .. }) = &step.kind else { return None };
        let ask = format!("outcome/{}", act.item);
        let given = attempt
            .given
            .iter()
            .find(|((stage, q), _)| *stage == Stage::Settle && q.ask == ask && q.server == act.server)?
            .1;
        let reading = given.outcome.as_ref().ok()?.as_ref()?;
        let yes = |column| reading.cell(0, column).and_then(Cell::as_bool);
        let settled = |happened| if happened { Settlement::Happened } else { Settlement::DidNotHappen };
        match verb {
            JobVerb::Disable => yes("enabled").map(|enabled| settled(!enabled)),
            JobVerb::Enable => yes("enabled").map(settled),
            JobVerb::Start => {
                let ran = !reading.cell(0, "run_status")?.is_null();
                Some(settled(ran || yes("running")? || yes("queued")?))
            }
        }
    }
}

/// How a stage is repeated; `None` = asked once.
pub(super) fn again(step: &Step, attempt: &Attempt, stage: Stage) -> Option<Again> {
    let from = attempt.polled_from?;
    let of = |r: Repeat| Again { every: r.every, until: from + r.during.delta() };
    match stage {
        Stage::Check if attempt.recheck_for.is_none() => step.repeat.map(of),
        Stage::Prove => step.repeat.map(of),
        Stage::Outcome => match &step.kind {
            StepKind::Do(Do { action: Action::Job { wait: Some(during), .. }, .. }) => {
                let every = step.repeat.map_or(OUTCOME_EVERY, |r| r.every.min(OUTCOME_EVERY));
                Some(of(Repeat { every, during: *during }))
            }
            _ => None,
        },
        _ => None,
    }
}
