//! The state of a drill, as views, exports and `decide` read it. Changed by `apply` alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::event::{Act, ActOutcome, By, Closing, Item, Opened, QuestionRef, Second, Settlement, Stage};
use super::inputs::{Captured, Inputs};
use crate::check::{Judgement, Verdict};
use crate::reading::{Cell, Reading, ServerFacts, Trouble};
use crate::runbook::{Mode, Runbook, Step, StepKind, When};

/// A drill: the fold of its events over its runbook.
#[derive(Debug, Clone)]
pub struct Session {
    /// The runbook it walks.
    pub book: Arc<Runbook>,
    /// How it was opened; `None` before the first event.
    pub opened: Option<Arc<Opened>>,
    /// One per step of the runbook, in order.
    pub steps: Vec<StepState>,
    /// Values captured so far.
    pub captured: BTreeMap<String, Captured>,
    /// Answers typed so far: step, field.
    pub typed: BTreeMap<String, BTreeMap<String, Cell>>,
    /// What each server said of itself when it last answered.
    pub facts: BTreeMap<String, ServerFacts>,
    /// Whether each server could be talked to when last asked.
    pub contact: BTreeMap<String, bool>,
    /// Notes in order.
    pub notes: Vec<Note>,
    /// Hand-overs in order: when, from, to, brief.
    pub handovers: Vec<(DateTime<Utc>, String, String, String)>,
    /// When the drill was taken up again, and by whom.
    pub resumes: Vec<(DateTime<Utc>, String)>,
    /// Who works now.
    pub operator: String,
    /// How and when it was closed.
    pub closed: Option<(DateTime<Utc>, Closing, String)>,
    /// The fault that was hidden until then.
    pub reveal: Option<super::event::Reveal>,
    /// Whether any reading came from a server that calls itself simulated.
    pub simulated: bool,
    /// Events folded so far.
    pub events: u64,
    /// Time of the first and of the latest event.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A note.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: By,
    /// About which step.
    pub step: Option<String>,
    /// In words.
    pub text: String,
}

/// A step and all that happened to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepState {
    /// Attempts in order; the last one counts.
    pub attempts: Vec<Attempt>,
    /// Skipped: when, by whom, why.
    pub skipped: Option<(DateTime<Utc>, By, String)>,
    /// Overrides of the last attempt's verdict (or of a step without one).
    pub overrides: Vec<Override>,
    /// Recorded as not applicable.
    pub does_not_apply: bool,
}

/// An override.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// When.
    pub at: DateTime<Utc>,
    /// Who recorded it.
    pub by: By,
    /// Only this server's verdict.
    pub server: Option<String>,
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub name: String,
    /// The verdict that was overridden.
    pub of: Option<Verdict>,
}

/// One attempt at a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// From 1.
    pub number: u16,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When its last verdict came, or it was broken off.
    pub ended: Option<DateTime<Utc>>,
    /// Real milliseconds of the writing process at its end (for the age of rechecks).
    pub ended_mono_ms: u64,
    /// Who began it.
    pub by: By,
    /// The step of no return it rechecks for.
    pub recheck_for: Option<String>,
    /// Where it stands.
    pub progress: Progress,
    /// The latest outcome of every question, by stage.
    pub given: BTreeMap<(Stage, QuestionRef), Given>,
    /// Questions of the round under way.
    pub asked: Vec<QuestionRef>,
    /// The latest judgements.
    pub judgements: Vec<Judgement>,
    /// The latest verdict; final when `progress` is `Over`.
    pub verdict: Option<Verdict>,
    /// The first verdict it got.
    pub first_verdict: Option<Verdict>,
    /// Polls of the latest stage.
    pub polls: u32,
    /// What the started jobs came to, once it is known.
    pub outcome: Option<Verdict>,
    /// The judgements behind `outcome`.
    pub outcome_judgements: Vec<Judgement>,
    /// Whether the servers were read about the uncertain actions.
    pub settle_read: bool,
    /// When the first poll of the stage under way was put.
    pub polled_from: Option<DateTime<Utc>>,
    /// What was typed and who confirmed.
    pub typed: Option<String>,
    /// The second person.
    pub second: Option<Second>,
    /// Steps rechecked for this attempt.
    pub rechecks: Vec<String>,
    /// What was resolved, by server.
    pub resolved: BTreeMap<String, Vec<Item>>,
    /// Actions in order.
    pub acts: Vec<Doing>,
    /// The operator said it is done (outside drbook).
    pub said: Option<String>,
    /// Typed answers.
    pub entered: BTreeMap<String, Cell>,
}

/// What a question got.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The reading, or why there is none. `Ok(None)`: recorded, but its evidence file is not at hand.
    pub outcome: Result<Option<Arc<Reading>>, Trouble>,
}

/// An action of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Doing {
    /// Which.
    pub act: Act,
    /// What.
    pub item: Item,
    /// When it was intended.
    pub intended: DateTime<Utc>,
    /// Whether it was intended in an attempt before this one and only its outcome is proved here.
    pub carried: bool,
    /// Whether it is a job that appeared and is held (R1).
    pub hold: bool,
    /// What became of it.
    pub state: ActState,
}

/// See [`Doing`].
#[derive(Debug, Clone, PartialEq)]
pub enum ActState {
    /// Under way.
    Intended,
    /// The server answered.
    Acted(ActOutcome),
    /// Nobody knows.
    Uncertain(Trouble),
    /// Nobody knew; then the servers were read.
    Settled(Settlement),
}

impl ActState {
    /// Whether it took effect, as far as is known.
    pub fn happened(&self) -> bool {
        matches!(self, Self::Acted(ActOutcome::Done) | Self::Settled(Settlement::Happened))
    }
    /// Whether it is known not to have taken effect.
    pub fn did_not_happen(&self) -> bool {
        matches!(self, Self::Acted(ActOutcome::Failed(_)) | Self::Settled(Settlement::DidNotHappen))
    }
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Questions of a stage are out (first poll).
    Asking(Stage),
    /// Judged at least once, asked again.
    Polling(Stage),
    /// Rechecks are out.
    Guarding,
    /// It is known what will be acted on.
    Resolved,
    /// Actions are under way.
    Acting,
    /// All actions are known to have happened or not; the outcome or proof comes next.
    Acted,
    /// An action is uncertain.
    Uncertain,
    /// Said to be done; the proof comes next.
    Said,
    /// Broken off without a final verdict.
    Interrupted,
    /// Judged for good.
    Over,
}

/// How a step stands, for views and gates. Derived, never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Steps it needs have not opened.
    Locked(Vec<String>),
    /// May be started.
    Ready,
    /// Its condition does not hold.
    DoesNotApply,
    /// Something is under way.
    Running(Progress),
    /// An action is uncertain and must be settled.
    Uncertain,
    /// Broken off; may be started again.
    Interrupted,
    /// Has its verdict.
    Judged(Verdict),
    /// Overridden.
    Overridden,
    /// Skipped.
    Skipped,
}

impl Standing {
    /// Whether steps that need this one may start.
    pub fn opens(&self) -> bool {
        match self {
            Self::Judged(verdict) => verdict.opens(),
            Self::DoesNotApply | Self::Overridden => true,
            _ => false,
        }
    }
    /// Whether nothing more is expected of the step.
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Judged(_) | Self::DoesNotApply | Self::Overridden | Self::Skipped)
    }
}

impl Session {
    /// A drill that has not begun.
    pub fn new(book: Arc<Runbook>) -> Self {
        Self {
            steps: vec![StepState::default(); book.steps.len()],
            book,
            opened: None,
            captured: BTreeMap::new(),
            typed: BTreeMap::new(),
            facts: BTreeMap::new(),
            contact: BTreeMap::new(),
            notes: Vec::new(),
            handovers: Vec::new(),
            resumes: Vec::new(),
            operator: String::new(),
            closed: None,
            reveal: None,
            simulated: false,
            events: 0,
            span: None,
        }
    }

    /// The judging inputs; empty before the drill is open.
    pub fn inputs(&self) -> &Inputs {
        static NONE: std::sync::LazyLock<Inputs> = std::sync::LazyLock::new(Inputs::default);
        self.opened.as_ref().map_or(&NONE, |o| &o.inputs)
    }

    /// The mode.
    pub fn mode(&self) -> Option<Mode> {
        self.opened.as_ref().map(|o| o.mode)
    }

    /// A step's place in the runbook.
    pub fn index(&self, step: &str) -> Option<usize> {
        self.book.steps.iter().position(|s| s.id == step)
    }

    /// A step and its state.
    pub fn step(&self, step: &str) -> Option<(&Step, &StepState)> {
        let at = self.index(step)?;
        Some((&self.book.steps[at], &self.steps[at]))
    }

    /// How the step at `index` stands.
    pub fn standing(&self, index: usize) -> Standing {
        let (step, state) = (&self.book.steps[index], &self.steps[index]);
        if let Some(attempt) = state.attempts.last() {
            match attempt.progress {
                Progress::Uncertain => return Standing::Uncertain,
                Progress::Interrupted | Progress::Over => {}
                running => return Standing::Running(running),
            }
        }
        if state.skipped.is_some() {
            return Standing::Skipped;
        }
        if state.overrides.iter().any(|o| o.server.is_none()) {
            return Standing::Overridden;
        }
        if let Some(attempt) = state.attempts.last() {
            return match (attempt.progress, state.effective_verdict()) {
                (Progress::Over, Some((verdict, true))) if verdict.opens() => Standing::Overridden,
                (Progress::Over, Some((verdict, _))) => Standing::Judged(verdict),
                _ => Standing::Interrupted,
            };
        }
        let missing = self.missing(step);
        if !missing.is_empty() {
            return Standing::Locked(missing);
        }
        match step.when.as_ref().map(|w| self.holds(w)) {
            Some(Some(false)) => Standing::DoesNotApply,
            _ => Standing::Ready,
        }
    }

    /// Whether the step at `index` lets those start that need it. Looks at no other step, so gates cost the same
    /// however the needs are knotted: what does not apply opens once that is recorded.
    pub fn opens(&self, index: usize) -> bool {
        let (step, state) = (&self.book.steps[index], &self.steps[index]);
        if state.attempts.is_empty() && state.overrides.is_empty() {
            return state.does_not_apply && step.when.as_ref().is_some_and(|w| self.holds(w) == Some(false));
        }
        self.standing(index).opens()
    }

    /// Ids of the steps this one waits for.
    pub fn missing(&self, step: &Step) -> Vec<String> {
        let mut missing: Vec<String> =
            step.needs.iter().filter(|id| self.index(id).is_none_or(|at| !self.opens(at))).cloned().collect();
        if let Some(when) = &step.when
            && self.holds(when).is_none()
            && let Some(id) = when.asks_step()
            && !missing.contains(&id)
        {
            missing.push(id);
        }
        missing
    }

    /// Whether a condition holds; `None` when it cannot be known yet.
    pub fn holds(&self, when: &When) -> Option<bool> {
        match when {
            When::Answer(step, field, wanted) => {
                let cell = self.typed.get(step)?.get(field)?;
                Some(wanted.iter().any(|w| w.eq_ignore_ascii_case(&cell.to_string())))
            }
            When::Captured(name, wanted) => match self.captured.get(name)? {
                Captured::One(cell) => Some(wanted.iter().any(|w| w.eq_ignore_ascii_case(&cell.to_string()))),
                Captured::List(all) => Some(wanted.iter().any(|w| all.contains(w))),
                Captured::PerServer(_) => None,
            },
            When::Reachable(role) => {
                let servers = self.inputs().roles.get(role)?;
                Some(servers.iter().any(|s| self.contact.get(s).copied().unwrap_or(true)))
            }
            When::Not(inner) => self.holds(inner).map(|b| !b),
        }
    }

    /// The worst verdict over all steps that have one, overrides counting as warnings.
    pub fn verdict(&self) -> Verdict {
        Verdict::worst((0..self.steps.len()).filter_map(|i| match self.standing(i) {
            Standing::Judged(v) => Some(v),
            Standing::Overridden | Standing::Skipped => Some(Verdict::Warn),
            Standing::DoesNotApply => Some(Verdict::NotApplicable),
            _ => None,
        }))
    }

    /// Ids of the steps of which something is still expected.
    pub fn open_steps(&self) -> Vec<String> {
        (0..self.steps.len())
            .filter(|i| !self.standing(*i).is_settled())
            .map(|i| self.book.steps[i].id.clone())
            .collect()
    }

    /// Whether some step of no return rechecks this one.
    pub fn is_recheck(&self, step: &str) -> bool {
        self.book
            .steps
            .iter()
            .any(|s| s.guard.as_ref().is_some_and(|g| g.no_return && g.recheck.iter().any(|r| r == step)))
    }

    /// The servers a `do` step acts on, in order.
    pub fn acts_on(&self, step: &Step) -> Vec<String> {
        match &step.kind {
            StepKind::Do(work) => self.inputs().roles.get(&work.on).cloned().unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

impl When {
    /// The step whose answer is asked for.
    fn asks_step(&self) -> Option<String> {
        match self {
            Self::Answer(step, ..) => Some(step.clone()),
            Self::Not(inner) => inner.asks_step(),
            _ => None,
        }
    }
}

impl StepState {
    /// The last attempt's verdict with overridden servers left out; the flag says whether any was.
    pub fn effective_verdict(&self) -> Option<(Verdict, bool)> {
        let attempt = self.attempts.last()?;
        let verdict = attempt.verdict?;
        let waived: Vec<&str> = self.overrides.iter().filter_map(|o| o.server.as_deref()).collect();
        if waived.is_empty() {
            return Some((verdict, false));
        }
        let left = attempt
            .judgements
            .iter()
            .filter(|j| j.server.as_deref().is_none_or(|s| !waived.contains(&s)))
            .map(|j| j.verdict);
        Some((left.reduce(Verdict::worse).unwrap_or(Verdict::Warn), true))
    }

    /// The first verdict any attempt got.
    pub fn first_verdict(&self) -> Option<Verdict> {
        self.attempts.iter().find_map(|a| a.first_verdict)
    }
}
