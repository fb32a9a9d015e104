//! What may be done with a step now, and why not. The engine has the last word; this spares people the refusal.

use crate::engine::{Command, Progress, Session, Standing};
use crate::locale::{Tongue, fill};
use crate::runbook::StepKind;

use super::form::Purpose;
use super::telling::step_name;

/// Something that may be done with a step, or with the drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Ask, act, type or say: what the step is for.
    Run,
    /// Act again, where proving again is what [`Deed::Run`] does.
    ActAgain,
    /// Stop asking.
    Stop,
    /// The action was done outside drbook; only prove it.
    Outside,
    /// Settle an uncertain action.
    Settle,
    /// Read the servers about it again.
    LookAgain,
    /// Skip it.
    Skip,
    /// Override its verdict.
    Override,
    /// See its evidence.
    Evidence,
    /// Write a note.
    Note,
    /// Hand over.
    HandOver,
    /// Close the drill.
    Close,
}

impl Deed {
    /// All, in the order they are offered.
    pub const ALL: [Self; 12] = [
        Self::Settle,
        Self::LookAgain,
        Self::Run,
        Self::ActAgain,
        Self::Outside,
        Self::Stop,
        Self::Evidence,
        Self::Note,
        Self::Skip,
        Self::Override,
        Self::HandOver,
        Self::Close,
    ];
}

/// Why something may not be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNot {
    /// The record stopped taking events.
    Broken,
    /// The drill is closed.
    Closed,
    /// Steps it waits for.
    Locked(Vec<String>),
    /// It is under way.
    Busy,
    /// Nothing is under way.
    NotBusy,
    /// Its condition does not hold.
    DoesNotApply,
    /// An uncertain action must be settled first.
    SettleFirst,
    /// Nothing is uncertain.
    NothingUncertain,
    /// Only actions can be done outside.
    NotAnAction,
    /// It was never acted on.
    NotActed,
    /// It is green: nothing to override.
    NothingToOverride,
    /// A recheck of a step of no return; override it instead.
    OnlyOverride,
    /// Already skipped, overridden or green.
    NothingToSkip,
    /// Nothing has been asked.
    NoEvidence,
}

impl WhyNot {
    /// In words, with what to do.
    pub fn say(&self, session: &Session, tongue: Tongue) -> String {
        let w = &tongue.words.screens.why_not;
        match self {
            Self::Broken => w.broken.clone(),
            Self::Closed => w.closed.clone(),
            Self::Locked(missing) => {
                let names: Vec<String> = missing.iter().map(|id| step_name(session, id, tongue)).collect();
                fill(&w.locked, |_| Some(names.join(", ")))
            }
            Self::Busy => w.busy.clone(),
            Self::NotBusy => w.not_busy.clone(),
            Self::DoesNotApply => w.does_not_apply.clone(),
            Self::SettleFirst => w.settle_first.clone(),
            Self::NothingUncertain => w.nothing_uncertain.clone(),
            Self::NotAnAction => w.not_an_action.clone(),
            Self::NotActed => w.not_acted.clone(),
            Self::NothingToOverride => w.nothing_to_override.clone(),
            Self::OnlyOverride => w.only_override.clone(),
            Self::NothingToSkip => w.nothing_to_skip.clone(),
            Self::NoEvidence => w.no_evidence.clone(),
        }
    }
}

/// What running a step means.
#[derive(Debug, Clone, PartialEq)]
pub enum Running {
    /// Nothing needs to be asked of the operator.
    At(Command),
    /// This is asked first.
    Form(Purpose),
}

/// Whether a deed may be done with the step at `index`.
pub fn allowed(session: &Session, index: usize, deed: Deed, broken: bool) -> Result<(), WhyNot> {
    let step = &session.book.steps[index];
    let state = &session.steps[index];
    let standing = session.standing(index);
    if deed == Deed::Evidence {
        let any = state.attempts.iter().any(|a| !a.given.is_empty());
        return if any { Ok(()) } else { Err(WhyNot::NoEvidence) };
    }
    if broken {
        return Err(WhyNot::Broken);
    }
    if session.closed.is_some() && deed != Deed::Note {
        return Err(WhyNot::Closed);
    }
    let is_do = matches!(step.kind, StepKind::Do(_));
    let may_start = || match &standing {
        Standing::Locked(missing) => Err(WhyNot::Locked(missing.clone())),
        Standing::DoesNotApply => Err(WhyNot::DoesNotApply),
        Standing::Running(_) => Err(WhyNot::Busy),
        Standing::Uncertain => Err(WhyNot::SettleFirst),
        _ => {
            let missing = session.missing(step);
            if missing.is_empty() { Ok(()) } else { Err(WhyNot::Locked(missing)) }
        }
    };
    match deed {
        Deed::ActAgain | Deed::Outside if !is_do => Err(WhyNot::NotAnAction),
        Deed::ActAgain if !has_acted(session, index) => Err(WhyNot::NotActed),
        Deed::Run | Deed::ActAgain | Deed::Outside => may_start(),
        Deed::Stop => match standing {
            Standing::Running(Progress::Acting) => Err(WhyNot::Busy),
            Standing::Running(_) => Ok(()),
            _ => Err(WhyNot::NotBusy),
        },
        Deed::Settle | Deed::LookAgain => match standing {
            Standing::Uncertain => Ok(()),
            _ => Err(WhyNot::NothingUncertain),
        },
        Deed::Skip => match standing {
            Standing::Running(_) => Err(WhyNot::Busy),
            Standing::Uncertain => Err(WhyNot::SettleFirst),
            _ if session.is_recheck(&step.id) => Err(WhyNot::OnlyOverride),
            Standing::Skipped | Standing::Overridden | Standing::DoesNotApply => Err(WhyNot::NothingToSkip),
            Standing::Judged(verdict) if verdict.opens() => Err(WhyNot::NothingToSkip),
            _ => Ok(()),
        },
        Deed::Override => match standing {
            Standing::Running(_) => Err(WhyNot::Busy),
            Standing::Uncertain => Err(WhyNot::SettleFirst),
            Standing::DoesNotApply => Err(WhyNot::DoesNotApply),
            Standing::Interrupted => Ok(()),
            Standing::Judged(verdict) if !verdict.opens() => Ok(()),
            _ => Err(WhyNot::NothingToOverride),
        },
        Deed::Note | Deed::HandOver | Deed::Close | Deed::Evidence => Ok(()),
    }
}

/// Every deed that may be done with the step now, in order.
pub fn deeds(session: &Session, index: usize, broken: bool) -> Vec<Deed> {
    Deed::ALL.into_iter().filter(|deed| allowed(session, index, *deed, broken).is_ok()).collect()
}

/// Whether the last attempt acted, and every action is known to have happened, or was said to be done outside.
fn has_acted(session: &Session, index: usize) -> bool {
    session.steps[index].attempts.last().is_some_and(|a| {
        let mut acts = a.acts.iter().filter(|d| !d.hold).peekable();
        a.said.is_some() || (acts.peek().is_some() && acts.all(|d| d.state.happened()))
    })
}

/// What running the step at `index` means: what was done already is proved again, never repeated by itself.
pub fn run_of(session: &Session, index: usize) -> Running {
    let step = &session.book.steps[index];
    let id = step.id.clone();
    match &step.kind {
        StepKind::Check(_) | StepKind::Wait { .. } => Running::At(Command::Ask { step: id }),
        StepKind::Do(_) if has_acted(session, index) => Running::At(Command::Ask { step: id }),
        StepKind::Manual { prove, .. } if !prove.is_empty() && has_acted(session, index) => {
            Running::At(Command::Ask { step: id })
        }
        StepKind::Do(_) => Running::Form(Purpose::Act(id)),
        StepKind::Manual { .. } => Running::Form(Purpose::Say(id)),
        StepKind::Enter(_) => Running::Form(Purpose::Enter(id)),
    }
}

/// The next step after `from` that waits for somebody, round and round; else one that is under way.
pub fn next_open(session: &Session, from: Option<usize>) -> Option<usize> {
    let count = session.steps.len();
    let start = from.map_or(0, |n| n + 1);
    let order = || (0..count).map(|n| (start + n) % count.max(1));
    let waits = |n: &usize| {
        matches!(session.standing(*n), Standing::Uncertain | Standing::Interrupted | Standing::Ready)
            || matches!(session.standing(*n), Standing::Judged(v) if !v.opens())
    };
    order().find(waits).or_else(|| order().find(|n| matches!(session.standing(*n), Standing::Running(_))))
}
