//! After Restore To Mark: every job that was not there before is disabled and idle (rule R1, check C71).

use crate::analysis::rows::{Sheet, capped, same, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Captured;

/// Asks `it`: `agent/jobs`. Uses the captured `job-snapshot`.
pub const ANALYSIS: Analysis = Analysis {
    name: "agent/jobs-held",
    version: 1,
    purpose: "jobs that appeared with the restore are disabled and do not run",
    needs: &["it"],
    uses: &[],
    expects: &[],
    captures: &[],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let snapshot = match case.captured.get("job-snapshot") {
        Some(Captured::PerServer(map)) => Some(map),
        _ => None,
    };
    let judgements = case
        .of("it")
        .iter()
        .map(|answer| {
            let Some(known) = snapshot.and_then(|m| m.get(&answer.server)) else {
                return unknown(&answer.server, Finding::new("no-snapshot"));
            };
            let sheet = match Sheet::of(answer, &["job_id", "name", "enabled", "running"]) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let (mut verdict, mut findings, mut new) = (Verdict::Pass, Vec::new(), 0_i64);
            for row in sheet.rows().filter(|r| !known.iter().any(|k| same(k, r.word("job_id")))) {
                new += 1;
                let (code, worse) = match (row.flag("enabled"), row.flag("running")) {
                    (Some(false), Some(false)) => continue,
                    (_, Some(true)) => ("new-job-runs", Verdict::Fail),
                    (Some(true), _) => ("job-not-held", Verdict::Fail),
                    _ => ("job-state-unknown", Verdict::Unknown),
                };
                verdict = verdict.worse(worse);
                findings.push(Finding::new(code).with("name", row.word("name")));
            }
            let mut findings = capped(findings);
            findings.insert(0, Finding::new("new-jobs").with("count", new));
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
