//! Steps, attempts and judgements of a drill, and its timeline.

use super::document::{Action, Attempt, DatabaseFinding, Finding, Judgement, Moment, Override, Skip, Step};
use super::evidence::ByAttempt;
use super::fill::{key_of, seconds};
use super::{Export, phrases};
use crate::check;
use crate::clock::iso;
use crate::engine::summary::StepFigures;
use crate::engine::{self, Event, Second, Stamped, Summary};
use crate::runbook::StepKind;

pub(super) fn steps(export: &Export<'_>, summary: &Summary, evidence: &ByAttempt) -> Vec<Step> {
    let session = export.session;
    let rows = session.book.steps.iter().zip(&session.steps).zip(&summary.steps);
    rows.map(|((step, state), figures)| one(export, step, state, figures, evidence)).collect()
}

fn one(
    export: &Export<'_>,
    step: &crate::runbook::Step,
    state: &engine::StepState,
    figures: &StepFigures,
    evidence: &ByAttempt,
) -> Step {
    let phase = export.session.book.phases.get(step.phase);
    Step {
        number: step.number,
        id: step.id.clone(),
        title: step.title.get(export.language).to_owned(),
        why: step.why.get(export.language).to_owned(),
        phase: phase.map(|p| p.id.clone()).unwrap_or_default(),
        kind: match step.kind {
            StepKind::Check(_) => "check",
            StepKind::Do(_) => "do",
            StepKind::Manual { .. } => "manual",
            StepKind::Enter(_) => "enter",
            StepKind::Wait { .. } => "wait",
        },
        status: phrases::standing(&figures.standing),
        verdict: figures.verdict.map(check::Verdict::key),
        first_verdict: figures.first_verdict.map(check::Verdict::key),
        attested: figures.attested,
        planned_s: figures.planned.map(seconds),
        actual_s: figures.actual.map(seconds),
        over_plan_s: figures.over_plan().map(seconds),
        started_at: figures.started.map(iso),
        ended_at: figures.ended.map(iso),
        skip: state.skipped.as_ref().map(|(at, by, reason)| Skip {
            at: iso(*at),
            by: by.name().to_owned(),
            reason: reason.clone(),
        }),
        overrides: state
            .overrides
            .iter()
            .map(|o| Override {
                at: iso(o.at),
                by: o.by.name().to_owned(),
                name: o.name.clone(),
                reason: o.reason.clone(),
                server: o.server.clone(),
                of: o.of.map(check::Verdict::key),
            })
            .collect(),
        attempts: state.attempts.iter().map(|a| attempt(export, &step.id, a, evidence)).collect(),
    }
}

fn attempt(export: &Export<'_>, step: &str, attempt: &engine::Attempt, evidence: &ByAttempt) -> Attempt {
    Attempt {
        n: attempt.number,
        started_at: iso(attempt.started),
        ended_at: attempt.ended.map(iso),
        operator: attempt.by.name().to_owned(),
        recheck_for: attempt.recheck_for.clone(),
        verdict: attempt.verdict.map(check::Verdict::key),
        first_verdict: attempt.first_verdict.map(check::Verdict::key),
        polls: attempt.polls,
        judgements: attempt.judgements.iter().map(|j| judgement(export, j)).collect(),
        actions: attempt.acts.iter().map(action).collect(),
        typed: attempt.typed.clone(),
        second_person: attempt.second.as_ref().map(|second| match second {
            Second::Confirmed { name, identified } => format!("{name} ({identified})"),
            Second::NotAvailable { reason } => format!("not available: {reason}"),
        }),
        said: attempt.said.clone(),
        entered: attempt.entered.iter().map(|(k, v)| (k.clone(), v.to_string())).collect(),
        evidence: evidence.get(&(step.to_owned(), attempt.number)).cloned().unwrap_or_default(),
    }
}

fn judgement(export: &Export<'_>, judgement: &check::Judgement) -> Judgement {
    Judgement {
        verdict: judgement.verdict.key(),
        server: judgement.server.clone(),
        database: judgement.database.clone(),
        findings: findings(export, judgement),
    }
}

fn findings(export: &Export<'_>, judgement: &check::Judgement) -> Vec<Finding> {
    let one = |f: &check::Finding| Finding { code: f.code.clone(), text: (export.words)(f) };
    judgement.findings.iter().map(one).collect()
}

fn action(doing: &engine::Doing) -> Action {
    let (state, trouble) = phrases::act_state(&doing.state);
    Action {
        server: doing.act.server.clone(),
        name: doing.item.name.clone(),
        query: doing.item.query.clone(),
        database: doing.item.database.clone(),
        with: doing.item.with.iter().map(|(k, v)| (k.clone(), v.to_string())).collect(),
        intended_at: iso(doing.intended),
        state,
        trouble,
        carried: doing.carried,
    }
}

/// What was judged about single databases, by the last attempt of each step.
pub(super) fn databases(export: &Export<'_>) -> Vec<DatabaseFinding> {
    let session = export.session;
    let rows = session.book.steps.iter().zip(&session.steps);
    rows.filter_map(|(step, state)| Some((step, state.attempts.last()?)))
        .flat_map(|(step, attempt)| attempt.judgements.iter().map(move |j| (step, j)))
        .filter_map(|(step, judgement)| {
            Some(DatabaseFinding {
                step: step.id.clone(),
                server: judgement.server.clone(),
                database: judgement.database.clone()?,
                verdict: judgement.verdict.key(),
                findings: findings(export, judgement),
            })
        })
        .collect()
}

/// What happened when: everything but single answers, seals and intentions.
pub(super) fn timeline(export: &Export<'_>) -> Vec<Moment> {
    let Some(first) = export.events.first().map(|s| s.at) else { return Vec::new() };
    let mut all = Vec::new();
    for stamped in export.events {
        let Some((step, text)) = words(stamped) else { continue };
        all.push(Moment {
            at: iso(stamped.at),
            after_s: seconds(crate::clock::Span::from_delta(stamped.at - first)),
            line: stamped.seq,
            by: stamped.by.name().to_owned(),
            step,
            text,
        });
    }
    all
}

fn words(stamped: &Stamped) -> Option<(Option<String>, String)> {
    let at = |step: &String, text: String| Some((Some(step.clone()), text));
    let of = |act: &engine::Act| match act.item.as_str() {
        "" => act.server.clone(),
        item => format!("{item} on {}", act.server),
    };
    match &stamped.event {
        Event::Opened(opened) => Some((None, format!("the drill was opened by {}", opened.operator))),
        Event::Asked { key, questions, recheck_for } => {
            let why = recheck_for.as_ref().map_or(String::new(), |s| format!(", recheck for {s}"));
            let (stage, n) = (key_of(&key.stage), questions.len());
            at(&key.step, format!("attempt {}: {stage}, {n} questions put{why}", key.attempt))
        }
        Event::Judged { key, verdict, polls, last, .. } => {
            let more = if *last { String::new() } else { ", asked again".to_owned() };
            let polls = if *polls > 1 { format!(" after {polls} polls") } else { String::new() };
            let (stage, verdict) = (key_of(&key.stage), verdict.key());
            at(&key.step, format!("attempt {}: {stage} judged {verdict}{polls}{more}", key.attempt))
        }
        Event::Entered { step, values, .. } => {
            let typed: Vec<String> = values.iter().map(|(k, v)| format!("{k} = {v}")).collect();
            at(step, format!("typed in: {}", typed.join(", ")))
        }
        Event::Confirmed { step, .. } => at(step, "the action was confirmed".to_owned()),
        Event::Acted { act, outcome } => {
            let how = match outcome {
                engine::ActOutcome::Done => "done",
                engine::ActOutcome::Failed(_) => "refused",
            };
            at(&act.step, format!("{how}: {}", of(act)))
        }
        Event::Said { step, text, .. } if text.is_empty() => at(step, "said to be done".to_owned()),
        Event::Said { step, text, .. } => at(step, format!("said to be done: {text}")),
        Event::DoesNotApply { step } => at(step, "does not apply".to_owned()),
        Event::Noted { step, text } => Some((step.clone(), format!("note: {text}"))),
        Event::HandedOver { from, to, .. } => Some((None, format!("{from} handed over to {to}"))),
        Event::Closed { closing, text, reveal } => {
            let how = match closing {
                engine::Closing::Completed => "completed",
                engine::Closing::Aborted => "aborted",
            };
            let why = if text.is_empty() { String::new() } else { format!(": {text}") };
            let fault =
                reveal.as_ref().map_or(String::new(), |r| format!("; the hidden fault was {}", r.fault));
            Some((None, format!("the drill was closed, {how}{why}{fault}")))
        }
        Event::Captured { step, name, value } => {
            let value = match value {
                engine::Captured::One(cell) => cell.to_string(),
                engine::Captured::List(all) => all.join(", "),
                engine::Captured::PerServer(map) => format!("for {} servers", map.len()),
            };
            at(step, format!("captured {name} = {}", crate::text::fit(&value, 200, false)))
        }
        _ => None,
    }
}
