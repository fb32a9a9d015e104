//! Judging every recorded verdict again, from the recorded evidence with the recorded inputs and runbook.
//!
//! Does not say whether a difference is an alteration: the program that judges may have changed since.

use std::sync::Arc;

use serde::Serialize;

use crate::check::Verdict;
use crate::engine::{
    Event, Judged, Kept, Opened, Progress, QuestionRef, RoundKey, Session, Stage, Stamped, judge_round,
};
use crate::reading::{Reading, Trouble};
use crate::runbook::{Runbook, StepKind};

/// What judging again came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rejudged {
    /// Recorded verdicts.
    pub verdicts: usize,
    /// Judged again with the same result.
    pub same: usize,
    /// Not judged from answers: attested, typed, waited for, or decided by a guard.
    pub not_from_answers: usize,
    /// Not judged again, because evidence is too large to be put back all at once.
    pub not_at_hand: usize,
    /// Same verdict, other findings.
    pub findings_differ: usize,
    /// Other verdict.
    pub differing: Vec<Difference>,
    /// What judges and has changed since the record was opened, in words; empty = nothing.
    pub changed: Vec<String>,
}

/// A verdict that comes out differently.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The line of the verdict.
    pub line: u64,
    /// Step id.
    pub step: String,
    /// Attempt.
    pub attempt: u16,
    /// Stage.
    pub stage: Stage,
    /// As recorded.
    pub recorded: Verdict,
    /// As judged now.
    pub now: Verdict,
}

impl Difference {
    /// In one sentence.
    pub fn words(&self) -> String {
        format!(
            "line {}: step {}, attempt {}: recorded {}, judged again {}",
            self.line,
            super::line::plain(&self.step),
            self.attempt,
            self.recorded.key(),
            self.now.key()
        )
    }
}

impl Rejudged {
    /// In one sentence.
    pub fn words(&self) -> String {
        let mut parts = vec![format!("{} recorded", self.verdicts), format!("{} the same again", self.same)];
        let mut more = |count: usize, what: &str| {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        };
        more(self.differing.len(), "different");
        more(self.findings_differ, "the same with other findings");
        more(self.not_from_answers, "not judged from answers");
        more(self.not_at_hand, "with evidence too large to judge again here");
        parts.join(", ")
    }
}

/// Answers of a round that are recorded before their verdict.
type Waiting<'a> = Vec<&'a Stamped>;

/// Replays a record and judges every verdict again where it stands.
pub(super) fn rejudge(events: &[Stamped], book: Arc<Runbook>) -> Rejudged {
    let mut session = Session::new(book);
    let mut found = Rejudged::default();
    let mut waiting = Waiting::new();
    for stamped in events {
        match &stamped.event {
            Event::Opened(opened) => found.changed = changed(opened),
            // The round was judged before its answers were folded in; so it is again.
            Event::Answered { .. } | Event::Unanswered { .. } => {
                waiting.push(stamped);
                continue;
            }
            Event::Resolved { .. } if !waiting.is_empty() => {
                waiting.push(stamped);
                continue;
            }
            Event::Judged { .. } => found.judge(&session, stamped, &waiting),
            _ => {}
        }
        waiting.drain(..).for_each(|s| session.apply(s));
        session.apply(stamped);
    }
    found
}

impl Rejudged {
    fn judge(&mut self, session: &Session, stamped: &Stamped, waiting: &Waiting<'_>) {
        let Event::Judged { key, judgements, verdict, .. } = &stamped.event else { return };
        self.verdicts += 1;
        let again = match rests(session, key, *verdict) {
            Rests::Elsewhere => {
                self.not_from_answers += 1;
                return;
            }
            Rests::OnNothing => Judged::default(),
            Rests::OnAnswers => {
                let Some(outcomes) = outcomes(waiting, key) else {
                    self.not_at_hand += 1;
                    return;
                };
                judge_round(session, key, &outcomes.into_iter().collect(), stamped.at)
            }
        };
        if again.verdict() != *verdict {
            self.differing.push(Difference {
                line: stamped.seq,
                step: key.step.clone(),
                attempt: key.attempt,
                stage: key.stage,
                recorded: *verdict,
                now: again.verdict(),
            });
        } else if again.judgements == *judgements {
            self.same += 1;
        } else {
            self.findings_differ += 1;
        }
    }
}

/// Where a verdict comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rests {
    /// On the answers of the round under way.
    OnAnswers,
    /// On something else, rightly: a person's word, typed answers, time that passed, a guard.
    Elsewhere,
    /// On nothing: it lets later steps start, and no question was put.
    OnNothing,
}

fn rests(session: &Session, key: &RoundKey, verdict: Verdict) -> Rests {
    let Some((step, state)) = session.step(&key.step) else { return Rests::OnAnswers };
    let (asks, proves) = match &step.kind {
        StepKind::Enter(_) => (false, false),
        StepKind::Check(proofs) | StepKind::Wait { until: proofs, .. } => (!proofs.is_empty(), true),
        StepKind::Manual { prove, .. } => (!prove.is_empty(), true),
        StepKind::Do(work) => (true, !work.prove.is_empty()),
    };
    if !asks || key.stage == Stage::Settle {
        return Rests::Elsewhere;
    }
    let attempt = state.attempts.iter().rev().find(|a| a.number == key.attempt);
    let asking = attempt.is_some_and(|a| match a.progress {
        Progress::Asking(of) | Progress::Polling(of) => of == key.stage,
        _ => false,
    });
    match asking {
        true => Rests::OnAnswers,
        false if verdict.opens() && proves && key.stage != Stage::Resolve => Rests::OnNothing,
        false => Rests::Elsewhere,
    }
}

type Outcomes = Vec<(QuestionRef, Result<Arc<Reading>, Trouble>)>;

/// The outcomes of a round; `None` when a reading is not at hand.
fn outcomes(waiting: &Waiting<'_>, key: &RoundKey) -> Option<Outcomes> {
    let mut all = Outcomes::new();
    for stamped in waiting {
        match &stamped.event {
            Event::Answered { key: of, question, reading } if of == key => match reading {
                Kept::Whole(reading) => all.push((question.clone(), Ok(reading.clone()))),
                Kept::Elsewhere { .. } => return None,
            },
            Event::Unanswered { key: of, question, trouble } if of == key => {
                all.push((question.clone(), Err(trouble.clone())));
            }
            _ => {}
        }
    }
    Some(all)
}

/// What judges and is not what it was when the record was opened.
fn changed(opened: &Opened) -> Vec<String> {
    let mut all = Vec::new();
    let now = env!("CARGO_PKG_VERSION");
    if opened.tool != now {
        all.push(format!("drbook {} then, {now} now", super::line::plain(&opened.tool)));
    }
    for (name, then) in &opened.analyses {
        let name = super::line::plain(name);
        match crate::analysis::find(&name) {
            Some(analysis) if analysis.version == *then => {}
            Some(analysis) => {
                all.push(format!("analysis {name} version {then} then, {} now", analysis.version));
            }
            None => all.push(format!("analysis {name} version {then} then, none now")),
        }
    }
    all
}
