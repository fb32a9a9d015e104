//! An answer in words: what was expected, what was found, who answered when, the exact SQL. Rows are read where they are.

use super::expected::expected;
use super::row::{Row, Tone};
use super::sign::Sign;
use super::telling::{place, time};
use crate::check::Judgement;
use crate::engine::{Attempt, Given, QuestionRef, Session, Stage};
use crate::locale::{Tongue, fill};
use crate::reading::{Reading, Source};
use crate::runbook::{Action, Ask, Proof, Step, StepKind};
use crate::sql::Catalogue;
use crate::text::harmless;

/// One question of an attempt and what it got.
#[derive(Debug, Clone, Copy)]
pub struct Exhibit<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    /// Its stage.
    pub stage: Stage,
    /// The question.
    pub question: &'a QuestionRef,
    /// What came.
    pub given: &'a Given,
    /// The name of its query, when the runbook says it.
    pub query: Option<&'a str>,
    /// What was to be proved.
    pub proof: Option<&'a Proof>,
}

impl<'a> Exhibit<'a> {
    /// The reading, when there is one at hand.
    pub fn reading(&self) -> Option<&'a Reading> {
        self.given.outcome.as_ref().ok()?.as_deref()
    }
    /// Judgements about its server (and database), or about the whole question.
    pub fn judgements(&self) -> impl Iterator<Item = &'a Judgement> + use<'a> {
        let question = self.question;
        self.attempt.judgements.iter().filter(move |j| {
            j.server.as_ref().is_none_or(|s| *s == question.server)
                && (j.database.is_none() || question.database.is_none() || j.database == question.database)
        })
    }
    /// `DRSQL1 BizTalkMgmtDb  biztalk/sets`.
    pub fn name(&self) -> String {
        let place = place(Some(&self.question.server), self.question.database.as_deref());
        format!("{place}  {}", self.query.unwrap_or(&self.question.ask))
    }
}

/// Every question of an attempt of the step (from 0) that got something, in order.
pub fn exhibits(session: &Session, index: usize, attempt: usize) -> Vec<Exhibit<'_>> {
    let (step, state) = (&session.book.steps[index], &session.steps[index]);
    let Some(attempt) = state.attempts.get(attempt) else { return Vec::new() };
    attempt
        .given
        .iter()
        .map(|((stage, question), given)| {
            let proof = proofs(step, *stage).get(question.proof);
            let ask = ask_of(step, *stage, question, proof);
            let fallback = matches!(stage, Stage::Outcome | Stage::Settle).then_some("agent/job-outcome");
            Exhibit {
                attempt,
                stage: *stage,
                question,
                given,
                query: ask.map(|a| a.query.as_str()).or(fallback),
                proof,
            }
        })
        .collect()
}

fn proofs(step: &Step, stage: Stage) -> &[Proof] {
    match (&step.kind, stage) {
        (StepKind::Check(proofs), Stage::Check) | (StepKind::Wait { until: proofs, .. }, _) => proofs,
        (StepKind::Do(work), Stage::Prove) => &work.prove,
        (StepKind::Manual { prove, .. }, Stage::Prove) => prove,
        _ => &[],
    }
}

fn ask_of<'a>(
    step: &'a Step,
    stage: Stage,
    question: &QuestionRef,
    proof: Option<&'a Proof>,
) -> Option<&'a Ask> {
    if let StepKind::Do(work) = &step.kind {
        if question.ask == "hold" {
            return work.hold.as_ref();
        }
        if stage == Stage::Resolve {
            return Some(match &work.action {
                Action::Sql(ask) => ask,
                Action::Job { resolve, .. } => resolve,
            });
        }
    }
    let asks = &proof?.asks;
    asks.iter().find(|a| a.name == question.ask).or_else(|| (asks.len() == 1).then(|| &asks[0]))
}

/// The exact text that was sent: by its hash when it ran, else by its name.
pub fn sql_of<'a>(exhibit: &Exhibit<'_>, catalogue: &'a Catalogue) -> Option<&'a str> {
    let hash = exhibit.reading().and_then(|r| r.query_sha256.as_deref());
    if let Some(hash) = hash {
        let ran = catalogue.iter().flat_map(|q| &q.variants).find(|v| v.sha256 == hash);
        if let Some(variant) = ran {
            return Some(&variant.text);
        }
    }
    catalogue.get(exhibit.query?)?.variants.last().map(|v| v.text.as_str())
}

/// Everything about an exhibit but its rows.
pub fn head_rows(exhibit: &Exhibit<'_>, catalogue: &Catalogue, tongue: Tongue) -> Vec<Row> {
    let w = &tongue.words.screens.evidence;
    let mut rows = Vec::new();
    let expected = exhibit.proof.map(|p| expected(&p.judge, tongue)).unwrap_or_default();
    for (n, text) in expected.into_iter().enumerate() {
        rows.push(Row::labelled(if n == 0 { &w.expected } else { "" }, text));
    }
    let before = rows.len();
    for judgement in exhibit.judgements() {
        let sign = Sign::of_verdict(judgement.verdict);
        let mut text = sign.word(tongue.words).to_owned();
        if let Some(database) = &judgement.database {
            text = format!("{}  {text}", harmless(database));
        }
        for finding in &judgement.findings {
            text.push_str("  ");
            text.push_str(&tongue.words.finding(finding));
        }
        rows.push(Row::labelled(if rows.len() == before { &w.found } else { "" }, text).signed(sign));
    }
    if rows.len() == before {
        rows.push(Row::labelled(&w.found, &w.not_judged).toned(Tone::Dim));
    }
    match &exhibit.given.outcome {
        Err(trouble) => {
            rows.push(Row::labelled(&w.answer, tongue.words.trouble(trouble)).signed(Sign::Unknown));
            rows.push(Row::labelled(&w.asked, time(exhibit.given.at)));
        }
        Ok(None) => rows.push(Row::labelled(&w.answer, &w.elsewhere).toned(Tone::Warn)),
        Ok(Some(reading)) => rows.extend(answered(exhibit, reading, tongue)),
    }
    rows.push(Row::gap());
    match sql_of(exhibit, catalogue) {
        Some(sql) => {
            rows.push(
                Row::plain(format!("{}  {}", w.sql, exhibit.query.unwrap_or_default())).toned(Tone::Strong),
            );
            rows.extend(sql.lines().map(|line| Row::plain(harmless(line)).verbatim().toned(Tone::Dim)));
        }
        None => rows.push(Row::plain(&w.no_sql).toned(Tone::Dim)),
    }
    rows
}

fn answered(exhibit: &Exhibit<'_>, reading: &Reading, tongue: Tongue) -> Vec<Row> {
    let w = &tongue.words.screens.evidence;
    let mut rows = Vec::new();
    if let Some(server) = &reading.server {
        let simulated = if server.simulated { &tongue.words.screens.modes.simulated } else { "" };
        let text = format!("{}  {}  {simulated}", harmless(&server.name), harmless(&server.version));
        rows.push(Row::labelled(&w.server, text.trim_end()));
        let local = server.clock + chrono::TimeDelta::minutes(i64::from(server.offset_minutes));
        let text = fill(&w.clock, |name| match name {
            "utc" => Some(server.clock.format("%Y-%m-%d %H:%M:%SZ").to_string()),
            _ => Some(local.format("%H:%M:%S").to_string()),
        });
        rows.push(Row::labelled(&w.server_clock, text));
    }
    let source = match reading.source {
        Source::Sql => &w.source_sql,
        Source::Command => &w.source_command,
        Source::File => &w.source_file,
        Source::Attested => &w.source_attested,
    };
    let text = fill(&w.took, |name| match name {
        "time" => Some(time(exhibit.given.at)),
        "source" => Some(source.clone()),
        "rows" => Some(reading.row_count.to_string()),
        _ => Some(reading.took_ms.to_string()),
    });
    rows.push(Row::labelled(&w.answer, text));
    if reading.truncated {
        rows.push(Row::plain(&w.truncated).signed(Sign::Unknown));
    }
    for message in &reading.messages {
        rows.push(Row::labelled(&w.message, harmless(message)).toned(Tone::Dim));
    }
    rows
}
