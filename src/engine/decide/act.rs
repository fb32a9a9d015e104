//! Actions: confirm, recheck, resolve, intend, act, wait for the outcome, prove.
//!
//! Each link of the chain is a [`super::super::Command::Follow`] that the state calls for by itself.

use std::collections::BTreeMap;

use super::{bounded, named, reasoned};
use crate::check::{Finding, Judgement, Verdict};
use crate::clock::Stamp;
use crate::engine::command::Refusal;
use crate::engine::event::{Act, Event, Item, RoundKey, Second, Stage};
use crate::engine::inputs::Captured;
use crate::engine::session::{Attempt, Progress, Session, Standing};
use crate::limits;
use crate::runbook::{Action, Ask, Do, JobVerb, Mode, Step, StepKind, Typed};

/// Begins an action: the guard's questions to the operator, then the rechecks.
pub(super) fn act(
    session: &Session,
    id: &str,
    typed: Option<String>,
    second: Option<Second>,
) -> Result<Vec<Event>, Refusal> {
    let (step, state) = session.startable(id)?;
    let StepKind::Do(_) = &step.kind else { return Err(Refusal::WrongKind) };
    for server in session.acts_on(step) {
        session.may_act_on(&server, false)?;
    }
    let guard = step.guard.clone().unwrap_or_default();
    if let Some(kind) = guard.typed {
        let wanted = session.must_be_typed(step, kind);
        if !same_names(&wanted, typed.as_deref().unwrap_or_default()) {
            return Err(Refusal::TypeExactly { wanted });
        }
    }
    let mode = session.mode().ok_or(Refusal::NotOpen)?;
    match &second {
        None if guard.second_person.contains(&mode) => return Err(Refusal::NeedsSecondPerson),
        Some(Second::Confirmed { name, identified }) => {
            named(name)?;
            reasoned(identified)?;
            if name.trim().eq_ignore_ascii_case(session.operator.trim()) {
                return Err(Refusal::SamePerson);
            }
        }
        Some(Second::NotAvailable { reason }) => reasoned(reason)?,
        None => {}
    }
    bounded(typed.as_deref().unwrap_or_default())?;
    let mut events =
        vec![Event::Confirmed { step: id.to_owned(), attempt: state.next_attempt(), typed, second }];
    let done = session.already_started(step);
    for check in session.rechecks(id) {
        let (recheck, state) = session.found(&check)?;
        super::idle(state)?;
        if state.next_attempt() > limits::ATTEMPTS {
            return Err(Refusal::TooManyAttempts);
        }
        let key = RoundKey { step: check.clone(), attempt: state.next_attempt(), stage: Stage::Check };
        // Where the action came to a good end before, the check can no longer hold: only the others are asked.
        let mut questions = session.plan(recheck, None, Stage::Check).references();
        questions.retain(|q| !done.contains(&q.server));
        events.push(Event::Asked { key, recheck_for: Some(id.to_owned()), questions });
    }
    Ok(events)
}

/// What follows by itself.
pub(super) fn follow(session: &Session, id: &str, now: Stamp) -> Result<Vec<Event>, Refusal> {
    let (step, state) = session.found(id)?;
    let Some(attempt) = state.attempts.last() else {
        return Ok(vec![Event::DoesNotApply { step: id.to_owned() }]);
    };
    match (attempt.progress, &step.kind) {
        (Progress::Guarding, StepKind::Do(work)) => Ok(session.guarded(step, work, attempt, now)),
        (Progress::Resolved, StepKind::Do(_)) => Ok(session.intend(step, attempt)),
        (Progress::Acted, StepKind::Do(_)) => {
            let stage = if awaits_outcome(step, attempt) { Stage::Outcome } else { Stage::Prove };
            Ok(vec![session.put(step, attempt, stage)])
        }
        (Progress::Said, kind) => {
            let proved = match kind {
                StepKind::Do(Do { prove, .. }) | StepKind::Manual { prove, .. } => !prove.is_empty(),
                _ => false,
            };
            if proved {
                return Ok(vec![session.put(step, attempt, Stage::Prove)]);
            }
            // A person's word is worth a pass only where the runbook asks for nothing more.
            let verdict = if matches!(kind, StepKind::Manual { .. }) { Verdict::Pass } else { Verdict::Warn };
            let key = RoundKey { step: id.to_owned(), attempt: attempt.number, stage: Stage::Prove };
            Ok(vec![judged(key, vec![Judgement::whole(verdict, vec![Finding::new("attested")])])])
        }
        (Progress::Uncertain, _) => Ok(vec![session.asked_settle(id)?]),
        _ => Err(Refusal::Stale),
    }
}

/// Whether a job was started whose outcome is still to come.
pub(super) fn awaits_outcome(step: &Step, attempt: &Attempt) -> bool {
    let StepKind::Do(Do { action: Action::Job { verb: JobVerb::Start, wait: Some(_), .. }, .. }) = &step.kind
    else {
        return false;
    };
    attempt.outcome.is_none() && attempt.acts.iter().any(|d| !d.hold && d.state.happened())
}

fn judged(key: RoundKey, judgements: Vec<Judgement>) -> Event {
    let verdict = Verdict::worst(judgements.iter().map(|j| j.verdict));
    Event::Judged { key, judgements, verdict, polls: 1, last: true }
}

/// The same names, in any order, separated by blanks or commas, without case.
fn same_names(wanted: &str, typed: &str) -> bool {
    let names = |text: &str| {
        let mut all: Vec<String> = text
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|n| !n.is_empty())
            .map(str::to_lowercase)
            .collect();
        all.sort();
        all
    };
    names(wanted) == names(typed)
}

impl Session {
    /// What must be typed before a guarded step acts.
    pub fn must_be_typed(&self, step: &Step, kind: Typed) -> String {
        match kind {
            Typed::Estate => self.inputs().estate.clone(),
            Typed::Server => {
                let done = self.already_started(step);
                let mut left = self.acts_on(step);
                left.retain(|s| !done.contains(s));
                left.join(" ")
            }
        }
    }

    /// Whether the mode lets drbook act on a server. `strict` = what is not known yet counts as a no.
    fn may_act_on(&self, server: &str, strict: bool) -> Result<(), Refusal> {
        let no = |why: &str| Err(Refusal::MayNotAct { server: server.to_owned(), why: why.to_owned() });
        let facts = self.facts.get(server);
        match self.mode() {
            Some(Mode::Rehearsal) => match facts {
                Some(f) if f.simulated => Ok(()),
                Some(_) => no("not-simulated"),
                None if strict => no("not-known"),
                None => Ok(()),
            },
            Some(Mode::Drill) => {
                if self.inputs().servers.get(server).is_none_or(|s| s.environment == "production") {
                    return no("is-production");
                }
                match self.captured.get("production-signs") {
                    Some(Captured::PerServer(signs)) => match signs.get(server) {
                        Some(signs) if signs.is_empty() => Ok(()),
                        Some(_) => no("looks-like-production"),
                        None => no("not-known"),
                    },
                    _ => no("not-known"),
                }
            }
            Some(Mode::Incident) => Ok(()),
            None => Err(Refusal::NotOpen),
        }
    }

    fn put(&self, step: &Step, attempt: &Attempt, stage: Stage) -> Event {
        let key = RoundKey { step: step.id.clone(), attempt: attempt.number, stage };
        Event::Asked { key, recheck_for: None, questions: self.plan(step, Some(attempt), stage).references() }
    }

    /// The rechecks are over: go on to find what is acted on, or stop.
    fn guarded(&self, step: &Step, work: &Do, attempt: &Attempt, now: Stamp) -> Vec<Event> {
        let stale_after = u64::try_from(limits::RECHECK_AGE_SECONDS * 1000).unwrap_or(0);
        let mut failed: Vec<String> = attempt
            .rechecks
            .iter()
            .filter(|check| {
                let opens = self.index(check).is_some_and(|i| self.standing(i).opens());
                let fresh = self.recheck_attempt(check, &step.id, attempt).is_some_and(|a| {
                    a.progress == Progress::Over && now.mono_ms.saturating_sub(a.ended_mono_ms) <= stale_after
                });
                !(opens && fresh)
            })
            .cloned()
            .collect();
        // What was not asked again must still stand open.
        let guard = step.guard.iter().flat_map(|g| &g.recheck);
        failed.extend(
            guard
                .filter(|id| !attempt.rechecks.contains(id))
                .filter(|id| {
                    !self.index(id).is_some_and(|i| {
                        let standing = self.standing(i);
                        standing.opens() || standing == Standing::DoesNotApply
                    })
                })
                .cloned(),
        );
        if !failed.is_empty() {
            return vec![Event::GuardFailed {
                step: step.id.clone(),
                attempt: attempt.number,
                rechecks: failed,
            }];
        }
        match &work.action {
            Action::Job { .. } => vec![self.put(step, attempt, Stage::Resolve)],
            Action::Sql(ask) => self.resolved_sql(step, work, ask, attempt),
        }
    }

    /// A SQL action needs no question to know what it acts on.
    fn resolved_sql(&self, step: &Step, work: &Do, ask: &Ask, attempt: &Attempt) -> Vec<Event> {
        let key = RoundKey { step: step.id.clone(), attempt: attempt.number, stage: Stage::Resolve };
        let mut items: BTreeMap<String, Vec<Item>> = BTreeMap::new();
        let mut judgements = Vec::new();
        for server in self.acts_on(step) {
            let unknown = |code: &str, message: String| {
                let finding = Finding::new(code).with("message", message);
                Judgement::of_server(Verdict::Unknown, server.clone(), vec![finding])
            };
            let with = match self.fill_all(&ask.with, &server, Some(attempt)) {
                Ok(with) => with,
                Err(trouble) => {
                    judgements.push(unknown("no-answer", trouble.message));
                    continue;
                }
            };
            let databases = self.databases(ask.place.as_ref(), &server);
            if databases.is_empty() {
                judgements.push(unknown("scope-unknown", String::new()));
                continue;
            }
            let of = |database: Option<String>| Item {
                id: database.clone().unwrap_or_default(),
                name: ask.query.clone(),
                query: ask.query.clone(),
                database,
                with: with.clone(),
                baseline: None,
            };
            items.insert(server.clone(), databases.into_iter().map(of).collect());
            judgements.push(Judgement::of_server(Verdict::Pass, server.clone(), Vec::new()));
        }
        if judgements.is_empty() {
            let finding = Finding::new("nothing-to-ask").with("ask", &*work.on);
            judgements.push(Judgement::whole(Verdict::Unknown, vec![finding]));
        }
        let mut events = resolved(step, attempt, items);
        events.push(judged(key, judgements));
        events
    }

    /// It is known what will be acted on: write the intention down, one per server and item.
    fn intend(&self, step: &Step, attempt: &Attempt) -> Vec<Event> {
        let mut forbidden = Vec::new();
        for server in attempt.resolved.keys() {
            if let Err(Refusal::MayNotAct { server, why }) = self.may_act_on(server, true) {
                let finding = Finding::new("may-not-act").with("why", why);
                forbidden.push(Judgement::of_server(Verdict::Fail, server, vec![finding]));
            }
        }
        if !forbidden.is_empty() {
            let key = RoundKey { step: step.id.clone(), attempt: attempt.number, stage: Stage::Prove };
            return vec![judged(key, forbidden)];
        }
        let mut events = Vec::new();
        for (server, items) in &attempt.resolved {
            for item in items {
                let act = Act {
                    step: step.id.clone(),
                    attempt: attempt.number,
                    server: server.clone(),
                    item: item.id.clone(),
                };
                events.push(Event::Intended { act, item: item.clone() });
            }
        }
        if events.is_empty() {
            // Nothing to do (every job is as wanted, or every server came to a good end before): prove it.
            events.push(self.put(step, attempt, Stage::Prove));
        }
        events
    }
}

/// One `Resolved` per server.
pub(super) fn resolved(step: &Step, attempt: &Attempt, items: BTreeMap<String, Vec<Item>>) -> Vec<Event> {
    items
        .into_iter()
        .map(|(server, items)| Event::Resolved {
            step: step.id.clone(),
            attempt: attempt.number,
            server,
            items,
        })
        .collect()
}
