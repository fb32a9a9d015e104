//! Room on the volumes that hold database files (checks C37, V13): too little is the top cause of broken sets.
//!
//! Knows percentages only; the share's own space is not visible from SQL Server.

use crate::analysis::rows::{Sheet, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::reading::Cell;

/// Asks `it`: `sql/volumes`. Threshold `free_percent` (default 15): below it warns, below a third of it fails.
pub const ANALYSIS: Analysis = Analysis {
    name: "capacity",
    version: 1,
    purpose: "the volumes with database files have room left",
    needs: &["it"],
    uses: &[],
    expects: &[],
    captures: &[],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let least = case.threshold("free_percent", 15.0);
    let judgements = case
        .of("it")
        .iter()
        .map(|answer| {
            let sheet = match Sheet::of(answer, &["volume", "free_percent", "free_mb"]) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let (mut verdict, mut findings) = (Verdict::Pass, Vec::new());
            for row in sheet.rows() {
                let volume = row.word("volume");
                let (worse, code) = match row.cell("free_percent").as_f64() {
                    None => (Verdict::Unknown, "space-unknown"),
                    Some(free) if free < least / 3.0 => (Verdict::Fail, "space-short"),
                    Some(free) if free < least => (Verdict::Warn, "space-short"),
                    Some(_) => (Verdict::Pass, "space-left"),
                };
                verdict = verdict.worse(worse);
                findings.push(
                    Finding::new(code)
                        .with("volume", volume)
                        .with("free_mb", row.cell("free_mb").clone())
                        .with(
                            "percent",
                            row.cell("free_percent").as_f64().map_or(Cell::Null, |p| Cell::Int(p as i64)),
                        ),
                );
            }
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
