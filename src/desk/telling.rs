//! A step in words: what it is for, how it stands and why, what is under way, what to do next.
//!
//! Reads the session and the clock it is given; decides nothing.

mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use super::row::{Row, Tone};
use super::sign::Sign;
use crate::check::{Judgement, Verdict};
use crate::clock::Span;
use crate::engine::{Attempt, By, Progress, QuestionRef, RoundKey, Session, Stage, Standing, StepState};
use crate::locale::{Tongue, fill};
use crate::reading::Trouble;
use crate::runbook::{Repeat, Step, StepKind};
use crate::text::harmless;

pub(super) use work::{action_words, suggested};
use work::{acts, what};

/// What a telling may look at.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The drill.
    pub session: &'a Session,
    /// Drill time.
    pub now: DateTime<Utc>,
    /// Language and phrases.
    pub tongue: Tongue,
    /// Questions of rounds under way that have come back, not yet recorded: rows, or trouble in words.
    pub progress: &'a BTreeMap<(RoundKey, QuestionRef), Result<u64, String>>,
}

/// `9 Every destination is frozen`, or the id when there is no such step.
pub fn step_name(session: &Session, id: &str, tongue: Tongue) -> String {
    match session.step(id) {
        Some((step, _)) => format!("{} {}", step.number, tongue.text(&step.title)),
        None => harmless(id),
    }
}

/// A drill time as `21:04:05Z`.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%H:%M:%SZ").to_string()
}

/// The length between two moments, in whole seconds, as people write it.
fn length(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    Span::seconds((to - from).num_seconds().max(0)).to_string()
}

fn who(by: &By) -> String {
    match by {
        By::Operator(name) => harmless(name),
        By::Drbook => "drbook".into(),
    }
}

/// The step at `index` in rows, without its title.
pub fn tell(scene: &Scene<'_>, index: usize) -> Vec<Row> {
    let Scene { session, tongue, .. } = *scene;
    let (step, state) = (&session.book.steps[index], &session.steps[index]);
    let standing = session.standing(index);
    let labels = &tongue.words.screens.labels;
    let mut rows = vec![status(scene, state, &standing)];
    if let Standing::Locked(missing) = &standing {
        for id in missing {
            let sign = session.index(id).map_or(Sign::Unknown, |at| Sign::of(&session.standing(at)));
            let name = step_name(session, id, tongue);
            rows.push(
                Row::labelled(&labels.waits, format!("{name}: {}", sign.word(tongue.words))).signed(sign),
            );
        }
    }
    if let Some(guard) = step.guard.as_ref().filter(|g| g.no_return) {
        let word = Sign::NoWayBack.word(tongue.words);
        let loses = tongue.text(&guard.loses);
        rows.push(Row::labelled(&labels.loses, format!("{word}  {loses}")).signed(Sign::NoWayBack));
    }
    // What must not be done is read before what is known.
    let first = standing == Standing::Uncertain;
    if first {
        rows.extend(next(session, step, &standing, tongue));
    }
    if let Some(attempt) = state.attempts.last() {
        rows.extend(under_way(scene, step, attempt));
        // What was found on the way to an action says nothing about how it ended.
        if matches!(attempt.progress, Progress::Over | Progress::Interrupted | Progress::Polling(_)) {
            rows.extend(judged(state, attempt, tongue));
        }
        rows.extend(troubles(attempt, tongue));
        rows.extend(acts(session, attempt, tongue));
    }
    if !first {
        rows.extend(next(session, step, &standing, tongue));
    }
    let why = tongue.text(&step.why);
    if !why.is_empty() {
        rows.push(Row::labelled(&labels.why, why));
    }
    rows.extend(what(session, step, tongue));
    rows.extend(decisions(session, step, state, tongue));
    rows
}

fn status(scene: &Scene<'_>, state: &StepState, standing: &Standing) -> Row {
    let Scene { tongue, now, .. } = *scene;
    let t = &tongue.words.screens.tells;
    let sign = Sign::of(standing);
    let mut text = sign.word(tongue.words).to_owned();
    if let Some(attempt) = state.attempts.last() {
        let extra = match (attempt.ended, attempt.progress) {
            (Some(at), Progress::Over | Progress::Interrupted) => fill(&t.attempt_ended, |name| match name {
                "number" => Some(attempt.number.to_string()),
                "time" => Some(time(at)),
                _ => Some(who(&attempt.by)),
            }),
            _ => fill(&t.attempt_running, |name| match name {
                "number" => Some(attempt.number.to_string()),
                "what" => Some(progress_words(attempt.progress, tongue)),
                _ => Some(length(attempt.started, now)),
            }),
        };
        text = format!("{text}  {extra}");
        if attempt.polls > 1 {
            text.push_str(", ");
            text.push_str(&fill(&t.polls, |_| Some(attempt.polls.to_string())));
        }
        if let (Some(first), Some(last)) = (state.first_verdict(), attempt.verdict)
            && first != last
        {
            let word = Sign::of_verdict(first).word(tongue.words);
            text.push_str(", ");
            text.push_str(&fill(&t.first_verdict, |_| Some(word.to_owned())));
        }
    }
    Row::labelled(&tongue.words.screens.labels.stands, text).signed(sign)
}

fn progress_words(progress: Progress, tongue: Tongue) -> String {
    let t = &tongue.words.screens.tells;
    match progress {
        Progress::Asking(Stage::Resolve) => &t.resolving,
        Progress::Asking(Stage::Outcome) | Progress::Polling(Stage::Outcome) => &t.waiting_for_job,
        Progress::Asking(Stage::Prove) | Progress::Polling(Stage::Prove) | Progress::Said => &t.proving,
        Progress::Asking(Stage::Settle) | Progress::Polling(Stage::Settle) | Progress::Uncertain => {
            &t.settling
        }
        Progress::Asking(_) => &t.asking,
        Progress::Polling(_) => &t.polling,
        Progress::Guarding => &t.guarding,
        Progress::Resolved | Progress::Acting => &t.acting,
        Progress::Acted => &t.acted,
        Progress::Interrupted | Progress::Over => &t.over,
    }
    .clone()
}

/// Questions that are out, and when they are put again.
fn under_way(scene: &Scene<'_>, step: &Step, attempt: &Attempt) -> Vec<Row> {
    let Scene { tongue, now, .. } = *scene;
    let t = &tongue.words.screens.tells;
    let labels = &tongue.words.screens.labels;
    let mut rows = Vec::new();
    if attempt.progress == Progress::Guarding {
        let names: Vec<String> =
            attempt.rechecks.iter().map(|id| step_name(scene.session, id, tongue)).collect();
        if !names.is_empty() {
            rows.push(
                Row::labelled(&labels.asked, fill(&t.rechecks, |_| Some(names.join(", ")))).toned(Tone::Busy),
            );
        }
        return rows;
    }
    let stage = match attempt.progress {
        Progress::Asking(stage) | Progress::Polling(stage) => stage,
        Progress::Uncertain if !attempt.settle_read => Stage::Settle,
        _ => return rows,
    };
    let came = progress_of(scene, step, attempt, stage);
    let answered = came.iter().filter(|(_, o)| o.is_some()).count();
    let between_polls = matches!(attempt.progress, Progress::Polling(_)) && answered == 0;
    if !came.is_empty() && answered < came.len() && !between_polls {
        let text =
            fill(&t.answered, |name| Some(if name == "all" { came.len() } else { answered }.to_string()));
        rows.push(Row::labelled(&labels.asked, text).toned(Tone::Busy));
    }
    let waiting: BTreeSet<&str> =
        came.iter().filter(|(_, o)| o.is_none()).map(|(q, _)| q.server.as_str()).collect();
    if !waiting.is_empty() && answered > 0 {
        let names: Vec<String> = waiting.iter().map(|s| harmless(s)).collect();
        rows.push(Row::plain(fill(&t.no_answer_yet, |_| Some(names.join(", ")))).signed(Sign::Running));
    }
    for (question, outcome) in &came {
        if let Some(Err(words)) = outcome {
            rows.push(
                Row::plain(format!("{}  {}", harmless(&question.server), harmless(words)))
                    .signed(Sign::Unknown),
            );
        }
    }
    if let (Some(Repeat { every, during }), Some(from)) = (step.repeat, attempt.polled_from) {
        let until = from + during.delta();
        // Polls begin at a steady rhythm; one that is half answered is under way.
        let gone = (now - from).num_milliseconds().max(0) / every.ms.max(1) + 1;
        let due = (from + TimeDelta::milliseconds(every.ms.saturating_mul(gone))).min(until);
        let asking = answered < came.len() && !between_polls;
        let text = fill(if due > now && !asking { &t.next_poll } else { &t.poll_now }, |name| match name {
            "in" => Some(length(now, due)),
            "left" => Some(length(now, until)),
            _ => Some(time(until)),
        });
        rows.push(Row::labelled(&labels.next, text).toned(Tone::Busy));
    } else if let (StepKind::Wait { pause: Some(pause), .. }, Stage::Check) = (&step.kind, stage) {
        let until = attempt.started + pause.delta();
        let text =
            fill(&t.pause_left, |name| Some(if name == "left" { length(now, until) } else { time(until) }));
        rows.push(Row::labelled(&labels.next, text).toned(Tone::Busy));
    }
    rows
}

/// The questions of the round under way, with what has come so far.
pub fn progress_of<'a>(
    scene: &Scene<'a>,
    step: &Step,
    attempt: &'a Attempt,
    stage: Stage,
) -> Vec<(&'a QuestionRef, Option<&'a Result<u64, String>>)> {
    let key = RoundKey { step: step.id.clone(), attempt: attempt.number, stage };
    attempt
        .asked
        .iter()
        .map(|question| (question, scene.progress.get(&(key.clone(), question.clone()))))
        .collect()
}

/// Green judgements by rank and server: the verdict, and the databases it is about.
type Green<'a> = BTreeMap<(u8, Option<&'a str>), (Verdict, BTreeSet<&'a str>)>;

/// The judgements: what is not green one by one, worst first; what is green, a line per server.
fn judged(state: &StepState, attempt: &Attempt, tongue: Tongue) -> Vec<Row> {
    let t = &tongue.words.screens.tells;
    let label = &tongue.words.screens.labels.found;
    let mut rows: Vec<Row> = Vec::new();
    let mut rest: Vec<&Judgement> = attempt.judgements.iter().filter(|j| is_worth_a_line(j)).collect();
    rest.sort_by_key(|j| std::cmp::Reverse(j.verdict.rank()));
    for judgement in rest {
        let sign = Sign::of_verdict(judgement.verdict);
        let mut text = place(judgement.server.as_deref(), judgement.database.as_deref());
        if !text.is_empty() {
            text.push_str("  ");
        }
        text.push_str(sign.word(tongue.words));
        let waived = judgement.server.is_some()
            && state.overrides.iter().any(|o| o.server.is_some() && o.server == judgement.server);
        if waived {
            let _ = write!(text, " ({})", Sign::Overridden.word(tongue.words));
        }
        let mut said = judgement.findings.iter().map(|f| match trouble_of(attempt, judgement, &f.code) {
            Some(trouble) => tongue.words.trouble(trouble),
            None => tongue.words.finding(f),
        });
        if let Some(first) = said.next() {
            text.push_str("  ");
            text.push_str(&first);
        }
        rows.push(Row::labelled(if rows.is_empty() { label } else { "" }, text).signed(sign));
        rows.extend(said.map(|more| Row::plain(format!("  {more}")).toned(sign.tone())));
    }
    let mut green: Green<'_> = BTreeMap::new();
    for judgement in attempt.judgements.iter().filter(|j| !is_worth_a_line(j)) {
        let key = (5 - judgement.verdict.rank(), judgement.server.as_deref());
        let entry = green.entry(key).or_insert((judgement.verdict, BTreeSet::new()));
        entry.1.extend(judgement.database.as_deref());
    }
    for ((_, server), (verdict, databases)) in green {
        let sign = Sign::of_verdict(verdict);
        let mut text = place(server, None);
        if !text.is_empty() {
            text.push_str("  ");
        }
        text.push_str(sign.word(tongue.words));
        match databases.len() {
            0 => {}
            1 => {
                let _ = write!(text, "  {}", harmless(databases.iter().next().copied().unwrap_or_default()));
            }
            many => {
                let _ = write!(text, "  {}", fill(&t.databases, |_| Some(many.to_string())));
            }
        }
        rows.push(Row::labelled(if rows.is_empty() { label } else { "" }, text).signed(sign));
    }
    rows
}

/// The trouble behind a finding that says there was no answer; it says more than the finding.
fn trouble_of<'a>(attempt: &'a Attempt, judgement: &Judgement, code: &str) -> Option<&'a Trouble> {
    if code != NO_ANSWER {
        return None;
    }
    let server = judgement.server.as_deref()?;
    attempt.given.iter().find_map(|((_, question), given)| {
        let same = question.server == server
            && (judgement.database.is_none() || judgement.database == question.database);
        given.outcome.as_ref().err().filter(|_| same)
    })
}

/// The code of that finding.
const NO_ANSWER: &str = "no-answer";

fn is_worth_a_line(judgement: &Judgement) -> bool {
    !matches!(judgement.verdict, Verdict::Pass | Verdict::NotApplicable) || !judgement.findings.is_empty()
}

/// `DRSQL1 BizTalkMsgBoxDb`, as far as known.
pub(super) fn place(server: Option<&str>, database: Option<&str>) -> String {
    let parts: Vec<String> = [server, database].into_iter().flatten().map(harmless).collect();
    parts.join(" ")
}

/// Questions without an answer that no judgement tells of, each server and reason once.
fn troubles(attempt: &Attempt, tongue: Tongue) -> Vec<Row> {
    let label = &tongue.words.screens.labels.troubles;
    let mut seen = BTreeSet::new();
    let mut rows: Vec<Row> = Vec::new();
    for ((_, question), given) in &attempt.given {
        let Err(trouble) = &given.outcome else { continue };
        let told = attempt.judgements.iter().any(|j| {
            j.server.as_deref() == Some(question.server.as_str())
                && j.findings.iter().any(|f| f.code == NO_ANSWER)
        });
        if told {
            continue;
        }
        let text = format!("{}  {}", harmless(&question.server), tongue.words.trouble(trouble));
        if seen.insert(text.clone()) {
            rows.push(Row::labelled(if rows.is_empty() { label } else { "" }, text).toned(Tone::Unknown));
        }
    }
    rows
}

/// What people decided and wrote about the step.
fn decisions(session: &Session, step: &Step, state: &StepState, tongue: Tongue) -> Vec<Row> {
    let t = &tongue.words.screens.tells;
    let labels = &tongue.words.screens.labels;
    let mut rows = Vec::new();
    if let Some((at, by, reason)) = &state.skipped {
        let text = format!("{} {}: {}", time(*at), who(by), harmless(reason));
        rows.push(Row::labelled(&labels.skipped, text).toned(Tone::Warn));
    }
    for o in &state.overrides {
        let server = o.server.as_deref().map_or(String::new(), |s| format!("{} ", harmless(s)));
        let text = fill(&t.overridden, |name| match name {
            "name" => Some(harmless(&o.name)),
            "time" => Some(time(o.at)),
            "server" => Some(server.clone()),
            _ => Some(harmless(&o.reason)),
        });
        rows.push(Row::labelled(&labels.overridden, text).toned(Tone::Warn));
    }
    if let Some(said) = state.attempts.last().and_then(|a| a.said.as_ref()).filter(|s| !s.is_empty()) {
        rows.push(Row::labelled(&labels.said, harmless(said)));
    }
    for note in session.notes.iter().filter(|n| n.step.as_deref() == Some(step.id.as_str())) {
        rows.push(Row::labelled(
            &labels.note,
            format!("{} {}: {}", time(note.at), who(&note.by), harmless(&note.text)),
        ));
    }
    rows
}

/// What to do now.
fn next(session: &Session, step: &Step, standing: &Standing, tongue: Tongue) -> Vec<Row> {
    let t = &tongue.words.screens.tells;
    let labels = &tongue.words.screens.labels;
    let mut rows = Vec::new();
    let remedy = tongue.text(&step.remedy);
    let red = match standing {
        Standing::Judged(verdict) => !verdict.opens() || *verdict == Verdict::Warn,
        Standing::Uncertain | Standing::Interrupted => true,
        Standing::Running(_) => {
            let verdict = session.step(&step.id).and_then(|(_, s)| s.attempts.last()).and_then(|a| a.verdict);
            verdict.is_some_and(|v| !v.opens())
        }
        _ => false,
    };
    if red && !remedy.is_empty() {
        rows.push(Row::labelled(&labels.remedy, remedy).toned(Tone::Strong));
    }
    let advice = match standing {
        Standing::Judged(Verdict::Fail) => &t.advice_fail,
        Standing::Judged(Verdict::Unknown) => &t.advice_unknown,
        Standing::Uncertain => &t.advice_uncertain,
        Standing::Interrupted => &t.advice_interrupted,
        Standing::Skipped => &t.advice_skipped,
        _ => return rows,
    };
    rows.push(Row::labelled(&labels.next, advice).toned(Tone::Strong));
    rows
}
