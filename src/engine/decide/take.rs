//! Outcomes that come home: rounds of answers, results of actions, alarms.

use std::sync::Arc;

use super::act::resolved;
use super::settled_by_reading;
use crate::check::{Finding, Judgement, Verdict};
use crate::clock::Stamp;
use crate::engine::command::{ActResult, Refusal, Taken};
use crate::engine::event::{Act, ActOutcome, Event, Item, Kept, RoundKey, Stage};
use crate::engine::judge::{Judged, Outcomes, judge_round};
use crate::engine::owed::again;
use crate::engine::session::{ActState, Attempt, Doing, Progress, Session};
use crate::reading::{Trouble, TroubleCode};
use crate::runbook::Step;

pub(super) fn take(session: &Session, taken: Taken, now: Stamp) -> Result<Vec<Event>, Refusal> {
    match taken {
        Taken::Round { key, outcomes, poll } => {
            let outcomes: Outcomes = outcomes.into_iter().map(|(q, o)| (q, o.map(Arc::new))).collect();
            round(session, &key, outcomes, poll, now)
        }
        Taken::Act { act, result } => acted(session, act, result),
        Taken::Alarm { key } => {
            let (_, attempt) = running(session, &key)?;
            let seconds = (now.at - attempt.started).num_seconds();
            let finding = Finding::new("waited").with("seconds", seconds);
            Ok(vec![Event::Judged {
                key,
                judgements: vec![Judgement::whole(Verdict::Pass, vec![finding])],
                verdict: Verdict::Pass,
                polls: 1,
                last: true,
            }])
        }
    }
}

/// The step and attempt a round belongs to, when it is still under way.
fn running<'a>(session: &'a Session, key: &RoundKey) -> Result<(&'a Step, &'a Attempt), Refusal> {
    let (step, state) = session.step(&key.step).ok_or(Refusal::Stale)?;
    let attempt = state.attempts.last().filter(|a| a.number == key.attempt).ok_or(Refusal::Stale)?;
    match attempt.progress {
        Progress::Asking(stage) | Progress::Polling(stage) if stage == key.stage => Ok((step, attempt)),
        _ => Err(Refusal::Stale),
    }
}

fn round(
    session: &Session,
    key: &RoundKey,
    mut outcomes: Outcomes,
    poll: u32,
    now: Stamp,
) -> Result<Vec<Event>, Refusal> {
    let (step, attempt) = running(session, key)?;
    outcomes.retain(|q, _| attempt.asked.contains(q));
    for question in &attempt.asked {
        outcomes
            .entry(question.clone())
            .or_insert_with(|| Err(Trouble::new(TroubleCode::Other, "no outcome came home")));
    }
    let judged = judge_round(session, key, &outcomes, now.at);
    let verdict = judged.verdict();
    let out_of_time = again(step, attempt, key.stage).is_none_or(|a| now.at >= a.until);
    let ripe = if key.stage == Stage::Outcome { !judged.pending } else { verdict.opens() };
    // What a server refused does not heal by asking again.
    let hopeless =
        key.stage == Stage::Prove && attempt.acts.iter().any(|d| !d.hold && d.state.did_not_happen());
    let last = ripe || out_of_time || hopeless;
    let held = holds(step, attempt, &judged, session);
    let is_like_before = matches!(attempt.progress, Progress::Polling(_))
        && attempt.verdict == Some(verdict)
        && attempt.judgements == judged.judgements;
    if is_like_before && !last && held.is_empty() {
        return Ok(Vec::new());
    }
    let mut events = Vec::with_capacity(outcomes.len() + 2);
    for (question, outcome) in outcomes {
        let (key, question) = (key.clone(), question);
        events.push(match outcome {
            Ok(reading) => Event::Answered { key, question, reading: Kept::Whole(reading) },
            Err(trouble) => Event::Unanswered { key, question, trouble },
        });
    }
    if key.stage == Stage::Resolve && verdict.opens() {
        events.extend(resolved(step, attempt, judged.items));
    }
    events.push(Event::Judged {
        key: key.clone(),
        judgements: judged.judgements,
        verdict,
        polls: poll.max(1),
        last,
    });
    events.extend(held);
    if last {
        for (name, value) in judged.captures {
            if session.captured.get(&name) != Some(&value) {
                events.push(Event::Captured { step: step.id.clone(), name, value });
            }
        }
    }
    Ok(events)
}

/// Intentions to disable jobs that appeared, and settlements of earlier such intentions by what the watch saw.
fn holds(step: &Step, attempt: &Attempt, judged: &Judged, session: &Session) -> Vec<Event> {
    let mut events = Vec::new();
    let earlier = || session.step(&step.id).into_iter().flat_map(|(_, s)| &s.attempts).flat_map(|a| &a.acts);
    let is_same = |doing: &Doing, server: &str, id: &str| {
        doing.hold && doing.act.server == server && doing.act.item.split('#').next() == Some(id)
    };
    if judged.held.is_empty() && !judged.pending {
        for doing in earlier().filter(|d| d.hold && matches!(d.state, ActState::Uncertain(_))) {
            events.push(settled(doing, true));
        }
    }
    for (server, item) in &judged.held {
        let before: Vec<&Doing> = earlier().filter(|d| is_same(d, server, &item.id)).collect();
        if before.iter().any(|d| d.state == ActState::Intended) {
            continue;
        }
        events.extend(
            before.iter().filter(|d| matches!(d.state, ActState::Uncertain(_))).map(|d| settled(d, false)),
        );
        let mine = before.iter().filter(|d| d.act.attempt == attempt.number).count();
        let id = if mine == 0 { item.id.clone() } else { format!("{}#{}", item.id, mine + 1) };
        let act =
            Act { step: step.id.clone(), attempt: attempt.number, server: server.clone(), item: id.clone() };
        events.push(Event::Intended { act, item: Item { id, ..item.clone() } });
    }
    events
}

fn settled(doing: &Doing, happened: bool) -> Event {
    Event::Settled {
        act: doing.act.clone(),
        settlement: settled_by_reading(happened),
        reason: "the watch over new jobs read the server".to_owned(),
    }
}

fn acted(session: &Session, act: Act, result: ActResult) -> Result<Vec<Event>, Refusal> {
    let (_, state) = session.step(&act.step).ok_or(Refusal::Stale)?;
    let known = state
        .attempts
        .iter()
        .filter(|a| a.number == act.attempt)
        .flat_map(|a| &a.acts)
        .any(|d| d.act == act && !d.carried && d.state == ActState::Intended);
    if !known {
        return Err(Refusal::Stale);
    }
    Ok(vec![match result {
        ActResult::Done => Event::Acted { act, outcome: ActOutcome::Done },
        ActResult::Failed(trouble) => Event::Acted { act, outcome: ActOutcome::Failed(trouble) },
        ActResult::Uncertain(trouble) => Event::Uncertain { act, trouble },
    }])
}
