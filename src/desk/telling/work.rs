//! What a step does, what was done in it, and what the servers suggest about what nobody knows.

use super::{Row, Sign, Tone, time};
use crate::engine::{Act, ActOutcome, ActState, Attempt, Session, Settlement};
use crate::locale::{Tongue, fill};
use crate::runbook::{Action, JobVerb, Step, StepKind};
use crate::text::harmless;

/// What the step does, in words.
pub(super) fn what(session: &Session, step: &Step, tongue: Tongue) -> Vec<Row> {
    let labels = &tongue.words.screens.labels;
    let t = &tongue.words.screens.tells;
    match &step.kind {
        StepKind::Do(_) => {
            let servers = session.acts_on(step).join(", ");
            let text = fill(&t.acts_on, |name| match name {
                "action" => Some(action_words(step, tongue)),
                _ => Some(if servers.is_empty() { "?".into() } else { harmless(&servers) }),
            });
            vec![Row::labelled(&labels.does, text)]
        }
        StepKind::Manual { text, prove } => {
            let mut rows = vec![Row::labelled(&labels.does, tongue.text(text))];
            if prove.is_empty() {
                rows.push(Row::plain(&t.attested).toned(Tone::Dim));
            }
            rows
        }
        StepKind::Enter(fields) => fields
            .iter()
            .map(|field| {
                let prompt = tongue.text(&field.prompt);
                let name = if prompt.is_empty() { &field.name } else { &prompt };
                let typed = session.typed.get(&step.id).and_then(|all| all.get(&field.name));
                let value = typed.map_or_else(|| t.not_typed.clone(), |cell| harmless(&cell.to_string()));
                Row::labelled(&labels.asks, format!("{name}: {value}"))
            })
            .collect(),
        StepKind::Wait { pause: Some(pause), .. } => {
            vec![Row::labelled(&labels.does, fill(&t.pauses, |_| Some(pause.to_string())))]
        }
        StepKind::Check(_) | StepKind::Wait { .. } => Vec::new(),
    }
}

/// An action in words: `start the job found by biztalk/mark-job`.
pub(in crate::desk) fn action_words(step: &Step, tongue: Tongue) -> String {
    let t = &tongue.words.screens.tells;
    let StepKind::Do(work) = &step.kind else { return String::new() };
    let (phrase, query) = match &work.action {
        Action::Sql(ask) => (&t.runs_sql, &ask.query),
        Action::Job { verb, resolve, every, .. } => {
            let phrase = match (verb, every) {
                (JobVerb::Disable, false) => &t.disables_job,
                (JobVerb::Disable, true) => &t.disables_jobs,
                (JobVerb::Enable, false) => &t.enables_job,
                (JobVerb::Enable, true) => &t.enables_jobs,
                (JobVerb::Start, _) => &t.starts_job,
            };
            (phrase, &resolve.query)
        }
    };
    fill(phrase, |_| Some(query.clone()))
}

/// What was done, and what became of it.
pub(super) fn acts(session: &Session, attempt: &Attempt, tongue: Tongue) -> Vec<Row> {
    let t = &tongue.words.screens.tells;
    let labels = &tongue.words.screens.labels;
    let mut rows: Vec<Row> = Vec::new();
    for doing in &attempt.acts {
        let state = match &doing.state {
            ActState::Intended => t.act_intended.clone(),
            ActState::Acted(ActOutcome::Done) => t.act_done.clone(),
            ActState::Acted(ActOutcome::Failed(trouble)) => {
                fill(&t.act_failed, |_| Some(tongue.words.trouble(trouble)))
            }
            ActState::Uncertain(trouble) => fill(&t.act_uncertain, |_| Some(tongue.words.trouble(trouble))),
            ActState::Settled(Settlement::Happened) => t.act_settled_happened.clone(),
            ActState::Settled(Settlement::DidNotHappen) => t.act_settled_did_not_happen.clone(),
        };
        let hold = if doing.hold { &t.act_hold } else { "" };
        let name = harmless(&doing.item.name);
        let text =
            format!("{}  {name}{hold}  {}  {state}", harmless(&doing.act.server), time(doing.intended));
        let sign = Sign::of_act(&doing.state);
        rows.push(Row::labelled(if rows.is_empty() { &labels.acts } else { "" }, text).signed(sign));
        if matches!(doing.state, ActState::Uncertain(_)) {
            rows.push(suggested(session, attempt, &doing.act, tongue));
        }
    }
    rows
}

/// What the servers' own words suggest about an uncertain action.
pub(in crate::desk) fn suggested(session: &Session, attempt: &Attempt, act: &Act, tongue: Tongue) -> Row {
    let d = &tongue.words.screens.dialogs;
    match session.suggestion(act) {
        Some(Settlement::Happened) => Row::plain(&d.suggests_happened).signed(Sign::Pass),
        Some(Settlement::DidNotHappen) => Row::plain(&d.suggests_did_not_happen).signed(Sign::Fail),
        None if !attempt.settle_read => Row::plain(&d.suggests_pending).signed(Sign::Running),
        None => Row::plain(&d.suggests_nothing).signed(Sign::Unknown),
    }
}
