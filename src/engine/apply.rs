//! `apply`, the only mutator: folds one event into the session.
//!
//! Trusts the order of events (`decide` made them, or the record was verified); an event about a step that the
//! runbook does not have is ignored rather than a reason to stop.

use std::sync::Arc;

use super::event::{Act, By, Event, Kept, QuestionRef, RoundKey, Stage, Stamped};
use super::session::{ActState, Attempt, Doing, Given, Note, Override, Progress, Session, Standing};
use crate::check::{Finding, Judgement, Verdict};
use crate::reading::Trouble;
use crate::runbook::StepKind;

impl Attempt {
    /// A new attempt that has only begun.
    fn begun(number: u16, stamped: &Stamped, progress: Progress) -> Self {
        Self {
            number,
            started: stamped.at,
            ended: None,
            ended_mono_ms: 0,
            by: stamped.by.clone(),
            recheck_for: None,
            progress,
            given: std::collections::BTreeMap::new(),
            asked: Vec::new(),
            judgements: Vec::new(),
            verdict: None,
            first_verdict: None,
            polls: 0,
            outcome: None,
            outcome_judgements: Vec::new(),
            settle_read: false,
            polled_from: None,
            typed: None,
            second: None,
            rechecks: Vec::new(),
            resolved: std::collections::BTreeMap::new(),
            acts: Vec::new(),
            said: None,
            entered: std::collections::BTreeMap::new(),
        }
    }

    fn end(&mut self, stamped: &Stamped, progress: Progress) {
        self.progress = progress;
        self.ended = Some(stamped.at);
        self.ended_mono_ms = stamped.mono_ms;
    }

    /// Where the attempt stands once the states of its own actions are looked at.
    fn progress_of_acts(&self) -> Progress {
        let own = || self.acts.iter().filter(|d| !d.hold);
        if own().any(|d| matches!(d.state, ActState::Uncertain(_))) {
            Progress::Uncertain
        } else if own().any(|d| d.state == ActState::Intended) {
            Progress::Acting
        } else {
            Progress::Acted
        }
    }
}

impl Session {
    /// Folds one event in.
    pub fn apply(&mut self, stamped: &Stamped) {
        self.events = stamped.seq;
        self.span = Some((self.span.map_or(stamped.at, |(first, _)| first), stamped.at));
        match &stamped.event {
            Event::Opened(opened) => {
                self.operator.clone_from(&opened.operator);
                self.simulated |= opened.sandbox.is_some();
                self.opened = Some(Arc::new((**opened).clone()));
            }
            Event::Asked { key, recheck_for, questions } => {
                self.asked(stamped, key, recheck_for.as_deref(), questions);
            }
            Event::Answered { key, question, reading } => self.answered(stamped, key, question, reading),
            Event::Unanswered { key, question, trouble } => {
                self.contact.insert(question.server.clone(), !trouble.code.is_unreachable());
                self.give(stamped, key, question, Err(trouble.clone()));
            }
            Event::Judged { key, judgements, verdict, polls, last } => {
                self.judged(stamped, key, judgements, *verdict, *polls, *last);
            }
            Event::Captured { name, value, .. } => {
                self.captured.insert(name.clone(), value.clone());
            }
            Event::Entered { step, attempt, values } => {
                let Some(entered) = self.begin(stamped, step, *attempt, Progress::Asking(Stage::Check))
                else {
                    return;
                };
                entered.entered.clone_from(values);
                self.typed.insert(step.clone(), values.clone());
            }
            Event::Confirmed { step, attempt, typed, second } => {
                let rechecks = self.rechecks(step);
                let Some(begun) = self.begin(stamped, step, *attempt, Progress::Guarding) else { return };
                begun.typed.clone_from(typed);
                begun.second.clone_from(second);
                begun.rechecks = rechecks;
            }
            Event::Resolved { step, attempt, server, items } => {
                if let Some(a) = self.attempt_mut(step, *attempt) {
                    a.resolved.insert(server.clone(), items.clone());
                }
            }
            Event::Intended { act, item } => {
                let Some(a) = self.attempt_mut(&act.step, act.attempt) else { return };
                let hold = !matches!(a.progress, Progress::Resolved | Progress::Acting);
                a.acts.push(Doing {
                    act: act.clone(),
                    item: item.clone(),
                    intended: stamped.at,
                    carried: false,
                    hold,
                    state: ActState::Intended,
                });
                if !hold {
                    a.progress = Progress::Acting;
                }
            }
            Event::Acted { act, outcome } => self.act_becomes(act, &ActState::Acted(outcome.clone())),
            Event::Uncertain { act, trouble } => self.act_becomes(act, &ActState::Uncertain(trouble.clone())),
            Event::Settled { act, settlement, .. } => self.act_becomes(act, &ActState::Settled(*settlement)),
            Event::GuardFailed { step, attempt, rechecks } => {
                let Some(a) = self.attempt_mut(step, *attempt) else { return };
                let finding = Finding::new("guard-failed").with("rechecks", rechecks.join(", "));
                a.judgements = vec![Judgement::whole(Verdict::Fail, vec![finding])];
                a.verdict = Some(Verdict::Fail);
                a.first_verdict.get_or_insert(Verdict::Fail);
                a.end(stamped, Progress::Over);
            }
            Event::Said { step, attempt, text } => {
                if let Some(a) = self.begin(stamped, step, *attempt, Progress::Said) {
                    a.said = Some(text.clone());
                }
            }
            Event::Interrupted { step, attempt } => {
                if let Some(a) = self.attempt_mut(step, *attempt) {
                    a.end(stamped, Progress::Interrupted);
                }
            }
            Event::Skipped { step, reason } => {
                if let Some(i) = self.index(step) {
                    self.steps[i].skipped = Some((stamped.at, stamped.by.clone(), reason.clone()));
                }
            }
            Event::DoesNotApply { step } => {
                if let Some(i) = self.index(step) {
                    self.steps[i].does_not_apply = true;
                }
            }
            Event::Overridden { step, server, reason, name } => {
                self.overridden(stamped, step, server.as_ref(), reason, name);
            }
            Event::Noted { step, text } => self.notes.push(Note {
                at: stamped.at,
                by: stamped.by.clone(),
                step: step.clone(),
                text: text.clone(),
            }),
            Event::HandedOver { from, to, brief } => {
                self.handovers.push((stamped.at, from.clone(), to.clone(), brief.clone()));
                self.operator.clone_from(to);
            }
            Event::Resumed { operator, .. } => {
                self.resumes.push((stamped.at, operator.clone()));
                self.operator.clone_from(operator);
                for a in self.steps.iter_mut().filter_map(|s| s.attempts.last_mut()) {
                    if matches!(a.progress, Progress::Asking(Stage::Settle) | Progress::Uncertain) {
                        a.progress = Progress::Uncertain;
                        a.settle_read = false;
                    }
                }
            }
            Event::Closed { closing, text, reveal } => {
                self.closed = Some((stamped.at, *closing, text.clone()));
                self.reveal.clone_from(reveal);
            }
            Event::ClockSteppedBack { .. }
            | Event::TailRecovered { .. }
            | Event::TakenOver { .. }
            | Event::Sealed { .. } => {}
        }
    }

    /// The checks that are asked again before a step acts; what was overridden stays as it stands.
    pub(super) fn rechecks(&self, step: &str) -> Vec<String> {
        let Some(guard) = self.step(step).and_then(|(s, _)| s.guard.as_ref()) else { return Vec::new() };
        guard
            .recheck
            .iter()
            .filter(|id| {
                self.index(id).is_some_and(|i| {
                    matches!(self.book.steps[i].kind, StepKind::Check(_))
                        && !matches!(self.standing(i), Standing::Overridden | Standing::DoesNotApply)
                })
            })
            .cloned()
            .collect()
    }

    pub(super) fn attempt_mut(&mut self, step: &str, number: u16) -> Option<&mut Attempt> {
        let i = self.index(step)?;
        self.steps[i].attempts.iter_mut().rev().find(|a| a.number == number)
    }

    /// Begins an attempt; what was said about the one before no longer stands.
    fn begin(
        &mut self,
        stamped: &Stamped,
        step: &str,
        number: u16,
        progress: Progress,
    ) -> Option<&mut Attempt> {
        let i = self.index(step)?;
        let state = &mut self.steps[i];
        state.skipped = None;
        state.overrides.clear();
        state.does_not_apply = false;
        state.attempts.push(Attempt::begun(number, stamped, progress));
        state.attempts.last_mut()
    }

    fn asked(&mut self, stamped: &Stamped, key: &RoundKey, recheck_for: Option<&str>, asked: &[QuestionRef]) {
        let Some(i) = self.index(&key.step) else { return };
        let is_new = self.steps[i].attempts.last().is_none_or(|a| a.number != key.attempt);
        if is_new {
            let before = self.steps[i].attempts.last().cloned();
            let carries = matches!(key.stage, Stage::Outcome | Stage::Prove);
            let Some(a) = self.begin(stamped, &key.step, key.attempt, Progress::Asking(key.stage)) else {
                return;
            };
            a.recheck_for = recheck_for.map(str::to_owned);
            if let Some(before) = before.filter(|_| carries) {
                a.said = before.said;
                a.resolved = before.resolved;
                a.outcome = before.outcome.filter(|v| v.opens());
                a.outcome_judgements = before.outcome_judgements;
                a.acts = before
                    .acts
                    .into_iter()
                    .filter(|d| !d.hold)
                    .map(|d| Doing { carried: true, ..d })
                    .collect();
            }
        }
        let Some(a) = self.attempt_mut(&key.step, key.attempt) else { return };
        a.progress = Progress::Asking(key.stage);
        a.asked = asked.to_vec();
        a.polls = 0;
        a.polled_from = Some(stamped.at);
        a.given.retain(|(stage, _), _| *stage != key.stage);
    }

    fn answered(&mut self, stamped: &Stamped, key: &RoundKey, question: &QuestionRef, reading: &Kept) {
        self.contact.insert(question.server.clone(), true);
        let at_hand = reading.reading().cloned();
        if let Some(facts) = at_hand.as_ref().and_then(|r| r.server.clone()) {
            self.simulated |= facts.simulated;
            self.facts.insert(question.server.clone(), facts);
        }
        self.give(stamped, key, question, Ok(at_hand));
    }

    fn give(
        &mut self,
        stamped: &Stamped,
        key: &RoundKey,
        question: &QuestionRef,
        outcome: Result<Option<Arc<crate::reading::Reading>>, Trouble>,
    ) {
        if let Some(a) = self.attempt_mut(&key.step, key.attempt) {
            a.given.insert((key.stage, question.clone()), Given { at: stamped.at, outcome });
        }
    }

    fn judged(
        &mut self,
        stamped: &Stamped,
        key: &RoundKey,
        judgements: &[Judgement],
        verdict: Verdict,
        polls: u32,
        last: bool,
    ) {
        let Some(a) = self.attempt_mut(&key.step, key.attempt) else { return };
        if key.stage == Stage::Settle {
            a.settle_read = true;
            a.progress = Progress::Uncertain;
            return;
        }
        a.judgements = judgements.to_vec();
        a.verdict = Some(verdict);
        a.polls = polls;
        a.first_verdict.get_or_insert(verdict);
        if !last {
            a.progress = Progress::Polling(key.stage);
            return;
        }
        match key.stage {
            Stage::Resolve if verdict.opens() => a.progress = Progress::Resolved,
            Stage::Outcome => {
                a.outcome = Some(verdict);
                a.outcome_judgements = judgements.to_vec();
                if verdict.opens() {
                    a.progress = Progress::Acted;
                } else {
                    a.end(stamped, Progress::Over);
                }
            }
            _ => a.end(stamped, Progress::Over),
        }
        // A stage that only leads on is not the step's first verdict.
        if a.progress != Progress::Over && verdict.opens() {
            a.first_verdict = None;
        }
    }

    fn act_becomes(&mut self, act: &Act, state: &ActState) {
        let Some(a) = self.attempt_mut(&act.step, act.attempt) else { return };
        let mut own = false;
        for doing in a.acts.iter_mut().filter(|d| d.act == *act) {
            doing.state = state.clone();
            own |= !doing.hold;
        }
        if own && !matches!(a.progress, Progress::Over | Progress::Interrupted) {
            a.progress = a.progress_of_acts();
        }
    }

    fn overridden(
        &mut self,
        stamped: &Stamped,
        step: &str,
        server: Option<&String>,
        reason: &str,
        name: &str,
    ) {
        let Some(i) = self.index(step) else { return };
        let of = self.steps[i].attempts.last().and_then(|a| a.verdict);
        self.steps[i].overrides.push(Override {
            at: stamped.at,
            by: stamped.by.clone(),
            server: server.cloned(),
            reason: reason.to_owned(),
            name: name.to_owned(),
            of,
        });
    }
}

impl By {
    /// The name to show.
    pub fn name(&self) -> &str {
        match self {
            Self::Operator(name) => name,
            Self::Drbook => "drbook",
        }
    }
}
