//! `decide`, the only judge of what may happen: a command against the state gives events or a refusal.

mod act;
mod take;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::command::{Command, Refusal};
use super::event::{Event, RoundKey, Settlement, Stage};
use super::session::{ActState, Progress, Session, Standing, StepState};
use crate::check::{Finding, Judgement, Verdict};
use crate::clock::Stamp;
use crate::limits;
use crate::reading::{Cell, Trouble, TroubleCode};
use crate::runbook::{Field, FieldKind, Step, StepKind};

/// What a command leads to, or why it may not be carried out. No events = nothing changes (a poll like the one before).
pub fn decide(session: &Session, command: Command, now: Stamp) -> Result<Vec<Event>, Refusal> {
    match (&command, &session.opened) {
        (Command::Open(_), Some(_)) => return Err(Refusal::Busy),
        (Command::Open(_), None) => {}
        (_, None) => return Err(Refusal::NotOpen),
        (Command::Note { .. }, _) => {}
        _ if session.closed.is_some() => return Err(Refusal::Closed),
        _ => {}
    }
    match command {
        Command::Open(opened) => {
            if !session.book.modes.contains(&opened.mode) {
                return Err(Refusal::WrongMode);
            }
            Ok(vec![Event::Opened(opened)])
        }
        Command::Ask { step } => session.ask(&step),
        Command::Act { step, typed, second } => act::act(session, &step, typed, second),
        Command::Follow { step } => act::follow(session, &step, now),
        Command::Take(taken) => take::take(session, taken, now),
        Command::Say { step, text } => session.say(&step, text),
        Command::Enter { step, values } => session.enter(&step, &values, now.at),
        Command::Settle { act, settlement, reason } => {
            reasoned(&reason)?;
            let (_, state) = session.found(&act.step)?;
            let uncertain = state.attempts.last().is_some_and(|a| {
                a.acts.iter().any(|d| d.act == act && matches!(d.state, ActState::Uncertain(_)))
            });
            if !uncertain {
                return Err(Refusal::NothingThere);
            }
            Ok(vec![Event::Settled { act, settlement, reason }])
        }
        Command::LookAgain { step } => {
            let (_, state) = session.found(&step)?;
            match state.attempts.last() {
                Some(a) if a.progress == Progress::Uncertain => Ok(vec![session.asked_settle(&step)?]),
                _ => Err(Refusal::NothingThere),
            }
        }
        Command::Cancel { step } => {
            let (_, state) = session.found(&step)?;
            let attempt = state.attempts.last().ok_or(Refusal::NothingThere)?;
            match attempt.progress {
                Progress::Asking(Stage::Settle) | Progress::Acting => Err(Refusal::Busy),
                Progress::Uncertain => Err(Refusal::SettleFirst),
                Progress::Over | Progress::Interrupted => Err(Refusal::NothingThere),
                _ => Ok(vec![Event::Interrupted { step, attempt: attempt.number }]),
            }
        }
        Command::Skip { step, reason } => {
            reasoned(&reason)?;
            let (_, state) = session.found(&step)?;
            idle(state)?;
            if session.is_recheck(&step) {
                return Err(Refusal::OnlyOverride);
            }
            Ok(vec![Event::Skipped { step, reason }])
        }
        Command::Override { step, server, reason, name } => {
            session.may_override(&step, server.as_deref(), &reason, &name)?;
            Ok(vec![Event::Overridden { step, server, reason, name }])
        }
        Command::Note { step, text } => {
            reasoned(&text)?;
            if let Some(step) = &step {
                session.found(step)?;
            }
            Ok(vec![Event::Noted { step, text }])
        }
        Command::HandOver { to, brief } => {
            named(&to)?;
            reasoned(&brief)?;
            Ok(vec![Event::HandedOver { from: session.operator.clone(), to, brief }])
        }
        Command::Resume { operator, host, tool } => {
            let mut events = vec![Event::Resumed { operator, host, tool }];
            events.extend(session.broken_off());
            Ok(events)
        }
        Command::Close { closing, text } => session.close(closing, text),
    }
}

/// A reason or text that must not be empty.
fn reasoned(text: &str) -> Result<(), Refusal> {
    bounded(text)?;
    if text.trim().is_empty() { Err(Refusal::ReasonNeeded) } else { Ok(()) }
}

fn named(text: &str) -> Result<(), Refusal> {
    bounded(text)?;
    if text.trim().is_empty() { Err(Refusal::NameNeeded) } else { Ok(()) }
}

fn bounded(text: &str) -> Result<(), Refusal> {
    if text.chars().count() > limits::TYPED_CHARACTERS {
        return Err(Refusal::TooLong { most: limits::TYPED_CHARACTERS });
    }
    Ok(())
}

/// Nothing is under way or uncertain.
fn idle(state: &StepState) -> Result<(), Refusal> {
    match state.attempts.last().map(|a| a.progress) {
        None | Some(Progress::Over | Progress::Interrupted) => Ok(()),
        Some(Progress::Uncertain) => Err(Refusal::SettleFirst),
        Some(_) => Err(Refusal::Busy),
    }
}

impl Session {
    fn found(&self, step: &str) -> Result<(&Step, &StepState), Refusal> {
        self.step(step).ok_or_else(|| Refusal::NoSuchStep(step.to_owned()))
    }

    /// A step whose next attempt may begin now.
    fn startable(&self, step: &str) -> Result<(&Step, &StepState), Refusal> {
        let (book, state) = self.found(step)?;
        idle(state)?;
        let missing = self.missing(book);
        if !missing.is_empty() {
            return Err(Refusal::NotReady { missing });
        }
        if book.when.as_ref().is_some_and(|w| self.holds(w) == Some(false)) {
            return Err(Refusal::DoesNotApply);
        }
        if state.next_attempt() > limits::ATTEMPTS {
            return Err(Refusal::TooManyAttempts);
        }
        Ok((book, state))
    }

    fn ask(&self, id: &str) -> Result<Vec<Event>, Refusal> {
        let (step, state) = self.startable(id)?;
        let last = state.attempts.last();
        let stage = match &step.kind {
            StepKind::Check(_) | StepKind::Wait { .. } => Stage::Check,
            StepKind::Manual { prove, .. } if last.is_some_and(|a| a.said.is_some()) && !prove.is_empty() => {
                Stage::Prove
            }
            StepKind::Do(_) => match last {
                Some(a) if act::awaits_outcome(step, a) => Stage::Outcome,
                Some(a) if a.said.is_some() || a.acts.iter().any(|d| !d.hold && d.state.happened()) => {
                    Stage::Prove
                }
                _ => return Err(Refusal::WrongKind),
            },
            _ => return Err(Refusal::WrongKind),
        };
        let key = RoundKey { step: id.to_owned(), attempt: state.next_attempt(), stage };
        let carried = last.filter(|_| stage != Stage::Check);
        let questions = self.plan(step, carried, stage).references();
        Ok(vec![Event::Asked { key, recheck_for: None, questions }])
    }

    fn asked_settle(&self, id: &str) -> Result<Event, Refusal> {
        let (step, state) = self.found(id)?;
        let attempt = state.attempts.last().ok_or(Refusal::NothingThere)?;
        let key = RoundKey { step: id.to_owned(), attempt: attempt.number, stage: Stage::Settle };
        let questions = self.plan(step, Some(attempt), Stage::Settle).references();
        Ok(Event::Asked { key, recheck_for: None, questions })
    }

    fn say(&self, id: &str, text: String) -> Result<Vec<Event>, Refusal> {
        bounded(&text)?;
        let (step, state) = self.startable(id)?;
        match &step.kind {
            StepKind::Manual { .. } | StepKind::Do(_) => {
                Ok(vec![Event::Said { step: id.to_owned(), attempt: state.next_attempt(), text }])
            }
            _ => Err(Refusal::WrongKind),
        }
    }

    fn enter(
        &self,
        id: &str,
        values: &BTreeMap<String, String>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, Refusal> {
        let (step, state) = self.startable(id)?;
        let StepKind::Enter(fields) = &step.kind else { return Err(Refusal::WrongKind) };
        if let Some(unknown) = values.keys().find(|k| !fields.iter().any(|f| f.name == **k)) {
            let wanted = fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Refusal::Field { field: unknown.clone(), wanted });
        }
        let mut entered = BTreeMap::new();
        for field in fields {
            let typed = values.get(&field.name).map_or("", |v| v.trim());
            bounded(typed)?;
            if typed.is_empty() && field.optional {
                continue;
            }
            entered.insert(field.name.clone(), read_field(field, typed, now)?);
        }
        let attempt = state.next_attempt();
        let key = RoundKey { step: id.to_owned(), attempt, stage: Stage::Check };
        Ok(vec![
            Event::Entered { step: id.to_owned(), attempt, values: entered },
            Event::Judged {
                key,
                judgements: vec![Judgement::whole(Verdict::Pass, vec![Finding::new("entered")])],
                verdict: Verdict::Pass,
                polls: 1,
                last: true,
            },
        ])
    }

    fn may_override(&self, id: &str, server: Option<&str>, reason: &str, name: &str) -> Result<(), Refusal> {
        reasoned(reason)?;
        named(name)?;
        let (_, state) = self.found(id)?;
        idle(state)?;
        let index = self.index(id).unwrap_or_default();
        match self.standing(index) {
            Standing::Interrupted if server.is_none() => Ok(()),
            Standing::Judged(verdict) if !verdict.opens() => match server {
                None => Ok(()),
                Some(server) => state
                    .attempts
                    .last()
                    .filter(|a| a.judgements.iter().any(|j| j.server.as_deref() == Some(server)))
                    .map(|_| ())
                    .ok_or(Refusal::NothingThere),
            },
            _ => Err(Refusal::NothingThere),
        }
    }

    /// What a restart makes of attempts that were under way: intentions become uncertain, the rest is broken off.
    fn broken_off(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (step, state) in self.book.steps.iter().zip(&self.steps) {
            let Some(attempt) = state.attempts.last() else { continue };
            let mut own = false;
            for doing in attempt.acts.iter().filter(|d| d.state == ActState::Intended) {
                own |= !doing.hold;
                let trouble =
                    Trouble::new(TroubleCode::Lost, "drbook stopped between the intention and its outcome");
                events.push(Event::Uncertain { act: doing.act.clone(), trouble });
            }
            own |= attempt.acts.iter().any(|d| !d.hold && matches!(d.state, ActState::Uncertain(_)));
            if !own && !matches!(attempt.progress, Progress::Over | Progress::Interrupted) {
                events.push(Event::Interrupted { step: step.id.clone(), attempt: attempt.number });
            }
        }
        events
    }

    fn close(&self, closing: super::event::Closing, text: String) -> Result<Vec<Event>, Refusal> {
        bounded(&text)?;
        let mut events = Vec::new();
        for (step, state) in self.book.steps.iter().zip(&self.steps) {
            let Some(attempt) = state.attempts.last() else { continue };
            if attempt.acts.iter().any(|d| d.state == ActState::Intended) {
                return Err(Refusal::Busy);
            }
            if !matches!(attempt.progress, Progress::Over | Progress::Interrupted) {
                events.push(Event::Interrupted { step: step.id.clone(), attempt: attempt.number });
            }
        }
        match closing {
            super::event::Closing::Completed => {
                let steps = self.open_steps();
                if !steps.is_empty() {
                    return Err(Refusal::StillOpen { steps });
                }
            }
            super::event::Closing::Aborted => reasoned(&text)?,
        }
        events.push(Event::Closed { closing, text, reveal: None });
        Ok(events)
    }
}

impl StepState {
    /// The number the next attempt gets.
    pub fn next_attempt(&self) -> u16 {
        self.attempts.last().map_or(1, |a| a.number + 1)
    }
}

/// Reads what was typed for a field.
fn read_field(field: &Field, typed: &str, now: DateTime<Utc>) -> Result<Cell, Refusal> {
    let wrong = |wanted: &str| Refusal::Field { field: field.name.clone(), wanted: wanted.to_owned() };
    match &field.kind {
        FieldKind::Text if !typed.is_empty() => Ok(Cell::text(typed)),
        FieldKind::Text => Err(wrong("some text")),
        FieldKind::Person if !typed.is_empty() => Ok(Cell::text(typed)),
        FieldKind::Person => Err(wrong("a person's name")),
        FieldKind::Number => typed.parse().map(Cell::Int).map_err(|_| wrong("a whole number")),
        FieldKind::OneOf(all) => all
            .iter()
            .find(|a| a.eq_ignore_ascii_case(typed))
            .map(|a| Cell::text(&**a))
            .ok_or_else(|| wrong(&format!("one of: {}", all.join(", ")))),
        FieldKind::Time => read_time(typed, now)
            .map(Cell::utc)
            .ok_or_else(|| wrong("a time: now, 2026-11-20 03:04 (UTC), or 2026-11-20T03:04:05+01:00")),
    }
}

fn read_time(typed: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if typed.eq_ignore_ascii_case("now") {
        return Some(now);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(typed) {
        return Some(time.with_timezone(&Utc));
    }
    let typed = typed.trim_end_matches(['Z', 'z']).trim_end_matches(" UTC");
    ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(typed, format).ok())
        .map(|t| t.and_utc())
}

/// How a settlement is recorded when a reading, not a person, made it.
fn settled_by_reading(happened: bool) -> Settlement {
    if happened { Settlement::Happened } else { Settlement::DidNotHappen }
}
