//! Every database of the backup view is in the newest complete full set and in the newest complete log set (check C11).

use crate::analysis::rows::{Sheet, capped, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `it`: `biztalk/coverage`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/coverage",
    version: 1,
    purpose: "every database of the group is in the newest complete full and log set",
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
            let columns = ["database_name", "newest_full", "in_full", "newest_log", "in_log"];
            let sheet = match Sheet::of(answer, &columns) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let first = sheet.first();
            let mut findings = Vec::new();
            for (column, code) in [("newest_full", "no-complete-full"), ("newest_log", "no-complete-log")] {
                if first.number(column).is_none() {
                    findings.push(Finding::new(code));
                }
            }
            let mut sso = false;
            let mut count = 0_i64;
            for row in sheet.rows() {
                count += 1;
                let database = row.word("database_name");
                sso |= database.to_lowercase().contains("sso");
                for (column, set, code) in
                    [("in_full", "newest_full", "not-in-full"), ("in_log", "newest_log", "not-in-log")]
                {
                    if row.number(set).is_some() && row.flag(column) != Some(true) {
                        let finding = Finding::new(code).with("database", database);
                        findings.push(finding.with("set", row.cell(set).clone()));
                    }
                }
            }
            let mut verdict = if findings.is_empty() { Verdict::Pass } else { Verdict::Fail };
            if !sso {
                verdict = verdict.worse(Verdict::Warn);
                findings.push(Finding::new("no-sso-database"));
            }
            let mut findings = capped(findings);
            findings.insert(0, Finding::new("databases-examined").with("count", count));
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
