//! The figures of a drill: times against plan and targets, counts, what departed from the plan, what was not proven.
//!
//! A fold of the session and its events, for reports. Codes and data only: no words, and no judgement of its own beyond
//! R25 and R26: a recovery time counts as measured end to end only when every step up to it was proven, and a recovery
//! point that the drill's own backups flattered is given twice.

use chrono::{DateTime, Utc};

use super::event::{Closing, Stamped};
use super::session::{Progress, Session, Standing, StepState};
use crate::check::Verdict;
use crate::clock::Span;
use crate::runbook::{Step, StepKind};

mod deviations;
mod limits;
mod targets;

pub use deviations::{Departure, Deviation};
pub use limits::Limit;
pub use targets::{Figure, Input, Met, OwnBackup};

/// The figures of a drill.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How it went as a whole.
    pub overall: Overall,
    /// Steps by how they stand.
    pub counts: Counts,
    /// Recovery time.
    pub rto: Figure,
    /// Recovery point.
    pub rpo: Figure,
    /// R25: the recovery point had the failure come just before the first backup that the drill itself started.
    pub rpo_without_own_backups: Option<OwnBackup>,
    /// One per step, in order.
    pub steps: Vec<StepFigures>,
    /// What departed from the plan, in order of time.
    pub deviations: Vec<Deviation>,
    /// What this drill does not prove.
    pub limits: Vec<Limit>,
}

/// How a drill went as a whole; the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overall {
    /// Given up on purpose.
    Aborted,
    /// Some step was proven bad.
    Failed,
    /// Some step could not be proven either way.
    Unknown,
    /// Not closed, or something is still expected of some step.
    Incomplete,
    /// Every step opened, some with a warning, an override or a skip.
    PassedWithFindings,
    /// Every step that applies passed.
    Passed,
}

/// Steps by how they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Counts {
    pub passed: usize,
    pub warned: usize,
    pub failed: usize,
    pub unknown: usize,
    pub not_applicable: usize,
    pub overridden: usize,
    pub skipped: usize,
    /// Locked, ready, running, interrupted or uncertain.
    pub open: usize,
}

/// Figures of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepFigures {
    /// How it stands.
    pub standing: Standing,
    /// The final verdict of its last attempt.
    pub verdict: Option<Verdict>,
    /// The first verdict any attempt got.
    pub first_verdict: Option<Verdict>,
    /// Start of the first attempt.
    pub started: Option<DateTime<Utc>>,
    /// End of the last attempt.
    pub ended: Option<DateTime<Utc>>,
    /// From one to the other.
    pub actual: Option<Span>,
    /// Planned time.
    pub planned: Option<Span>,
    /// Rests on a person's word alone.
    pub attested: bool,
}

impl StepFigures {
    /// Time beyond the plan.
    pub fn over_plan(&self) -> Option<Span> {
        let over = Span { ms: self.actual?.ms - self.planned?.ms };
        (over.ms > 0).then_some(over)
    }
}

impl Summary {
    /// The figures of a drill.
    pub fn of(session: &Session, events: &[Stamped]) -> Self {
        let steps: Vec<StepFigures> = (0..session.steps.len()).map(|i| figures(session, i)).collect();
        let counts = counts(&steps);
        let rto = targets::rto(session, &steps);
        let rpo_without_own_backups = targets::own_backup(session, events);
        let rpo = targets::rpo(session, rpo_without_own_backups.as_ref());
        let mut summary = Self {
            overall: overall(session, &counts),
            counts,
            rto,
            rpo,
            rpo_without_own_backups,
            steps,
            deviations: deviations::deviations(session, events),
            limits: Vec::new(),
        };
        summary.limits = limits::limits(session, &summary);
        summary
    }
}

fn figures(session: &Session, index: usize) -> StepFigures {
    let (step, state) = (&session.book.steps[index], &session.steps[index]);
    let own = || state.attempts.iter().filter(|a| a.recheck_for.is_none());
    let started = own().next().map(|a| a.started);
    let ended = own().next_back().and_then(|a| a.ended);
    let span = |(from, to): (DateTime<Utc>, DateTime<Utc>)| Span::from_delta(to - from);
    StepFigures {
        standing: session.standing(index),
        verdict: state.effective_verdict().map(|(v, _)| v),
        first_verdict: state.first_verdict(),
        started,
        ended,
        actual: started.zip(ended).map(span),
        planned: step.plan,
        attested: attested(step, state),
    }
}

/// Whether nothing but a person's word stands behind the step's last attempt.
fn attested(step: &Step, state: &StepState) -> bool {
    state.attempts.last().is_some_and(|a| {
        let proved = match &step.kind {
            StepKind::Do(work) => !work.prove.is_empty(),
            StepKind::Manual { prove, .. } => !prove.is_empty(),
            _ => true,
        };
        a.progress == Progress::Over && a.said.is_some() && !proved
    })
}

fn counts(steps: &[StepFigures]) -> Counts {
    let mut counts = Counts::default();
    for step in steps {
        *match step.standing {
            Standing::Judged(Verdict::Pass) => &mut counts.passed,
            Standing::Judged(Verdict::Warn) => &mut counts.warned,
            Standing::Judged(Verdict::Fail) => &mut counts.failed,
            Standing::Judged(Verdict::Unknown) => &mut counts.unknown,
            Standing::Judged(Verdict::NotApplicable) | Standing::DoesNotApply => &mut counts.not_applicable,
            Standing::Overridden => &mut counts.overridden,
            Standing::Skipped => &mut counts.skipped,
            _ => &mut counts.open,
        } += 1;
    }
    counts
}

fn overall(session: &Session, counts: &Counts) -> Overall {
    match session.closed.as_ref().map(|(_, closing, _)| *closing) {
        Some(Closing::Aborted) => Overall::Aborted,
        _ if counts.failed > 0 => Overall::Failed,
        _ if counts.unknown > 0 => Overall::Unknown,
        None => Overall::Incomplete,
        Some(_) if counts.open > 0 || counts.passed + counts.warned + counts.overridden == 0 => {
            Overall::Incomplete
        }
        Some(_) if counts.warned + counts.overridden + counts.skipped > 0 => Overall::PassedWithFindings,
        Some(_) => Overall::Passed,
    }
}
