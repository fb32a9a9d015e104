//! No incomplete set without a complete full and a complete log behind it (checks C12, V08).

use crate::analysis::rows::{Sheet, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `it`: `biztalk/incomplete-sets`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/whole-sets",
    version: 1,
    purpose: "no incomplete backup set breaks the chain",
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
            let columns =
                ["sets_seen", "incomplete", "newest_set", "newest_incomplete", "newest_full", "newest_log"];
            let row = match Sheet::of(answer, &columns) {
                Ok(sheet) => sheet.first(),
                Err(finding) => return unknown(&answer.server, finding),
            };
            let (Some(seen @ 1..), Some(incomplete)) = (row.number("sets_seen"), row.number("incomplete"))
            else {
                return unknown(&answer.server, Finding::new("nothing-examined"));
            };
            let mut findings = vec![Finding::new("sets-examined").with("count", seen)];
            let Some(newest_incomplete) = row.number("newest_incomplete").filter(|_| incomplete > 0) else {
                return Judgement::of_server(Verdict::Pass, &answer.server, findings);
            };
            let repaired = row
                .number("newest_full")
                .is_some_and(|f| f > newest_incomplete && row.number("newest_log").is_some_and(|l| l > f));
            let being_written =
                row.number("newest_set") == Some(newest_incomplete) && row.flag("job_running") == Some(true);
            let (verdict, code) = match (repaired, being_written) {
                (true, _) => (Verdict::Warn, "incomplete-repaired"),
                // The newest one is being written; only an older one would be a fault, and there is no other.
                (_, true) if incomplete == 1 => (Verdict::Pass, "set-being-written"),
                (_, true) => (Verdict::Unknown, "incomplete-behind-newest"),
                _ => (Verdict::Fail, "partial-pending"),
            };
            findings.push(Finding::new(code).with("set", newest_incomplete).with("count", incomplete));
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
