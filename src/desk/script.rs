//! The T-SQL of a step, for people who want to run it themselves.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::engine::Session;
use crate::reading::Cell;
use crate::runbook::{Action, Ask, JobVerb, Proof, StepKind};
use crate::sql::{Catalogue, Query};

/// What the step at `index` sends, with what is known filled in; `None` when it sends nothing or its texts are not at hand.
pub fn script_of(session: &Session, index: usize, catalogue: &Catalogue) -> Option<String> {
    let mut out = String::new();
    match &session.book.steps[index].kind {
        StepKind::Check(proofs)
        | StepKind::Wait { until: proofs, .. }
        | StepKind::Manual { prove: proofs, .. } => {
            for ask in proofs.iter().flat_map(|p: &Proof| &p.asks) {
                put(&mut out, catalogue, &ask.query, &ask.on, &BTreeMap::new());
            }
        }
        StepKind::Do(work) => {
            let attempt = session.steps[index].attempts.last();
            let resolved = attempt.map(|a| a.resolved.iter()).into_iter().flatten();
            for (server, items) in resolved {
                for item in items {
                    put(&mut out, catalogue, &item.query, server, &item.with);
                }
            }
            if out.is_empty() {
                not_resolved(&mut out, catalogue, &work.action);
            }
        }
        StepKind::Enter(_) => {}
    }
    (!out.is_empty()).then_some(out)
}

/// What is sent before it is known on what.
fn not_resolved(out: &mut String, catalogue: &Catalogue, action: &Action) {
    let none = BTreeMap::new();
    let ask = |out: &mut String, ask: &Ask| put(out, catalogue, &ask.query, &ask.on, &none);
    match action {
        Action::Sql(sql) => ask(out, sql),
        Action::Job { verb, resolve, .. } => {
            ask(out, resolve);
            let query = match verb {
                JobVerb::Disable => "agent/disable-job",
                JobVerb::Enable => "agent/enable-job",
                JobVerb::Start => "agent/start-job",
            };
            put(out, catalogue, query, &resolve.on, &none);
        }
    }
}

fn put(out: &mut String, catalogue: &Catalogue, name: &str, on: &str, with: &BTreeMap<String, Cell>) {
    let Some((query, variant)) = catalogue.get(name).and_then(|q| q.variants.last().map(|v| (q, v))) else {
        return;
    };
    let _ = writeln!(out, "-- {name}, on {on}");
    for declared in declarations(query, with) {
        let _ = writeln!(out, "{declared}");
    }
    out.push_str(variant.text.trim_end());
    out.push_str("\n\n");
}

/// One `DECLARE` per parameter; what is not known is left for the reader, as NULL with a remark.
fn declarations(query: &Query, with: &BTreeMap<String, Cell>) -> Vec<String> {
    query
        .parameters
        .iter()
        .map(|p| match with.get(&p.name) {
            Some(cell) => format!("DECLARE @{} {} = {};", p.name, p.kind, literal(cell)),
            None => format!("DECLARE @{} {} = NULL; -- fill in", p.name, p.kind),
        })
        .collect()
}

fn literal(cell: &Cell) -> String {
    match cell {
        Cell::Null
        | Cell::Bit(_)
        | Cell::Int(_)
        | Cell::Decimal { .. }
        | Cell::Float { .. }
        | Cell::Binary { .. } => cell.to_string(),
        text => format!("N'{}'", text.to_string().replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_text_cannot_end_the_literal() {
        assert_eq!(literal(&Cell::text("O'Brien")), "N'O''Brien'");
        assert_eq!(literal(&Cell::Int(7)), "7");
        assert_eq!(literal(&Cell::Null), "NULL");
    }
}
