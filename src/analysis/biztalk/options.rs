//! Server options BizTalk and its log shipping depend on (checks C33, C34, C41).

use crate::analysis::rows::{Sheet, same, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `it`: `sql/configurations`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/options",
    version: 1,
    purpose: "the server options BizTalk and its log shipping need are set",
    needs: &["it"],
    uses: &[],
    expects: &[],
    captures: &[],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let judgements = case
        .of("it")
        .iter()
        .map(|answer| {
            let sheet = match Sheet::of(answer, &["name", "value"]) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let (mut verdict, mut findings) = (Verdict::Pass, Vec::new());
            for (name, wanted, otherwise) in [
                ("Ad Hoc Distributed Queries", 1, Verdict::Fail),
                ("max degree of parallelism", 1, Verdict::Warn),
                ("remote access", 1, Verdict::Warn),
            ] {
                let value = sheet.rows().find(|r| same(r.word("name"), name)).and_then(|r| r.number("value"));
                let (worse, code) = match value {
                    Some(value) if value == wanted => (Verdict::Pass, "option-set"),
                    Some(_) => (otherwise, "option-differs"),
                    None => (Verdict::Unknown, "option-not-read"),
                };
                verdict = verdict.worse(worse);
                let finding = Finding::new(code).with("name", name).with("expected", wanted);
                findings.push(
                    finding
                        .with("value", value.map_or(crate::reading::Cell::Null, crate::reading::Cell::Int)),
                );
            }
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
