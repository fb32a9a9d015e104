//! The three log-shipping jobs of a destination: two work every minute, the third never by itself (checks C21 to C24).

use crate::analysis::rows::{Sheet, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `it`: `biztalk/destination-jobs`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/shipping-jobs",
    version: 1,
    purpose: "history and restore jobs run and succeed, and Restore To Mark is on no schedule",
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
            let sheet = match Sheet::of(
                answer,
                &["job", "job_id", "enabled", "running", "run_status", "schedules"],
            ) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let (mut verdict, mut findings) = (Verdict::Pass, Vec::new());
            let message = |kind: &str| {
                let row = sheet.rows().find(|r| r.word("job") == kind);
                row.map(|r| r.word("message").chars().take(400).collect::<String>()).unwrap_or_default()
            };
            let mut add = |worse: Verdict, code: &str, job: &str| {
                verdict = verdict.worse(worse);
                let finding = Finding::new(code).with("job", job);
                let failed = code == "job-last-failed";
                findings.push(if failed { finding.with("message", message(job)) } else { finding });
            };
            for kind in ["history", "restore", "mark"] {
                let mut rows = sheet.rows().filter(|r| r.word("job") == kind);
                let (Some(row), None) = (rows.next(), rows.next()) else {
                    add(Verdict::Unknown, "job-ambiguous", kind);
                    continue;
                };
                if row.text("job_id").is_none() {
                    add(Verdict::Fail, "job-missing", kind);
                    continue;
                }
                if kind == "mark" {
                    if row.flag("running") != Some(false) {
                        add(Verdict::Fail, "job-busy", kind);
                    }
                    match row.number("schedules") {
                        Some(0) => add(Verdict::Pass, "job-unscheduled", kind),
                        Some(_) => add(Verdict::Fail, "mark-job-scheduled", kind),
                        None => add(Verdict::Unknown, "job-state-unknown", kind),
                    }
                    continue;
                }
                match row.flag("enabled") {
                    Some(true) => {}
                    Some(false) => add(Verdict::Fail, "job-disabled", kind),
                    None => add(Verdict::Unknown, "job-state-unknown", kind),
                }
                match (row.number("run_status"), row.flag("running")) {
                    (Some(1), _) => add(Verdict::Pass, "job-last-succeeded", kind),
                    (None, Some(true)) => add(Verdict::Warn, "job-first-run", kind),
                    (None, _) => add(Verdict::Unknown, "job-never-ran", kind),
                    (Some(_), _) => add(Verdict::Fail, "job-last-failed", kind),
                }
            }
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
