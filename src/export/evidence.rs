//! The evidence of a drill, numbered in the order it was recorded.

use std::collections::BTreeMap;

use super::Export;
use super::document::{CELL_SHOWN, Evidence, ROWS_SHOWN};
use crate::clock::iso;
use crate::engine::{Event, Kept, QuestionRef, RoundKey, Stamped};
use crate::reading::{Reading, Trouble};
use crate::text::fit;

/// Evidence by step and attempt.
pub(super) type ByAttempt = BTreeMap<(String, u16), Vec<String>>;

/// Every answer and every missing one.
pub(super) fn evidence(export: &Export<'_>) -> (Vec<Evidence>, ByAttempt) {
    let mut all = Vec::new();
    let mut by_attempt = ByAttempt::new();
    for stamped in export.events {
        let (key, question, outcome) = match &stamped.event {
            Event::Answered { key, question, reading } => (key, question, Ok(reading)),
            Event::Unanswered { key, question, trouble } => (key, question, Err(trouble)),
            _ => continue,
        };
        let id = format!("E{}", all.len() + 1);
        by_attempt.entry((key.step.clone(), key.attempt)).or_default().push(id.clone());
        all.push(one(export, stamped, id, key, question, outcome));
    }
    (all, by_attempt)
}

fn one(
    export: &Export<'_>,
    stamped: &Stamped,
    id: String,
    key: &RoundKey,
    question: &QuestionRef,
    outcome: Result<&Kept, &Trouble>,
) -> Evidence {
    let mut evidence = Evidence {
        id,
        line: stamped.seq,
        at: iso(stamped.at),
        step: key.step.clone(),
        attempt: key.attempt,
        stage: super::fill::key_of(&key.stage),
        ask: question.ask.clone(),
        server: question.server.clone(),
        database: question.database.clone(),
        source: None,
        called: None,
        version: None,
        simulated: None,
        server_time: None,
        server_offset_minutes: None,
        query: None,
        query_sha256: None,
        took_ms: None,
        row_count: None,
        truncated: false,
        columns: Vec::new(),
        rows: Vec::new(),
        messages: Vec::new(),
        trouble: None,
    };
    match outcome {
        Ok(Kept::Whole(reading)) => fill(&mut evidence, export, reading),
        Ok(Kept::Elsewhere { evidence: file, bytes }) => {
            evidence.trouble = Some(format!("recorded in evidence/{file} ({bytes} bytes), not at hand here"));
        }
        Err(trouble) => {
            evidence.took_ms = Some(trouble.took_ms);
            evidence.trouble = Some(trouble.to_string());
        }
    }
    evidence
}

fn fill(evidence: &mut Evidence, export: &Export<'_>, reading: &Reading) {
    evidence.source = Some(super::fill::key_of(&reading.source));
    if let Some(server) = &reading.server {
        evidence.called = Some(server.name.clone());
        evidence.version = Some(server.version.clone());
        evidence.simulated = Some(server.simulated);
        evidence.server_time = Some(iso(server.clock));
        evidence.server_offset_minutes = Some(server.offset_minutes);
    }
    let queries = export.session.opened.as_ref().map(|o| &o.queries);
    evidence.query = reading.query_sha256.as_ref().and_then(|sum| {
        queries.into_iter().flatten().find(|(_, known)| *known == sum).map(|(name, _)| name.clone())
    });
    evidence.query_sha256.clone_from(&reading.query_sha256);
    evidence.took_ms = Some(reading.took_ms);
    evidence.row_count = Some(reading.row_count);
    evidence.truncated = reading.truncated;
    evidence.columns = reading.columns.iter().map(|c| c.name.clone()).collect();
    let row = |cells: &Vec<crate::reading::Cell>| {
        cells.iter().map(|c| fit(&c.to_string(), CELL_SHOWN, false)).collect()
    };
    evidence.rows = reading.rows.iter().take(ROWS_SHOWN).map(row).collect();
    evidence.messages = reading.messages.iter().take(ROWS_SHOWN).map(|m| fit(m, 1000, false)).collect();
}
