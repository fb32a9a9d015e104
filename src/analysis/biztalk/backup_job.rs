//! The Backup BizTalk Server job exists, may run, has a schedule, and its last run succeeded (checks C02, C03, C08, C18).

use crate::analysis::rows::{Sheet, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `it`: `biztalk/backup-job-outcome`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/backup-job",
    version: 1,
    purpose: "the backup job is there, enabled, scheduled, and last ended well",
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
                ["job_id", "job_name", "enabled", "running", "run_status", "age_seconds", "schedules"];
            let sheet = match Sheet::of(answer, &columns) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let row = sheet.first();
            if row.text("job_id").is_none() {
                return Judgement::of_server(
                    Verdict::Fail,
                    &answer.server,
                    vec![Finding::new("backup-job-missing")],
                );
            }
            if sheet.rows().count() > 1 {
                let finding = Finding::new("not-exactly-one").with("count", sheet.rows().count() as i64);
                return unknown(&answer.server, finding);
            }
            let name = row.word("job_name");
            let (mut verdict, mut findings) = (Verdict::Pass, Vec::new());
            let mut add = |worse: Verdict, finding: Finding| {
                verdict = verdict.worse(worse);
                findings.push(finding.with("name", name));
            };
            match row.flag("enabled") {
                Some(true) => {}
                Some(false) => add(Verdict::Fail, Finding::new("backup-job-disabled")),
                None => add(Verdict::Unknown, Finding::new("job-state-unknown")),
            }
            let interval = row.number("interval_seconds").unwrap_or(900).max(60);
            if row.number("schedules").unwrap_or(0) == 0 {
                add(Verdict::Fail, Finding::new("backup-job-unscheduled"));
            } else if interval > 3600 {
                add(Verdict::Warn, Finding::new("backup-job-seldom").with("minutes", interval / 60));
            }
            let age = row.number("age_seconds").unwrap_or_default();
            let code = match row.number("run_status") {
                Some(1) => (Verdict::Pass, "backup-job-ended-well"),
                Some(0) => (Verdict::Fail, "backup-job-failed"),
                Some(_) => (Verdict::Warn, "backup-job-cancelled"),
                None => (Verdict::Unknown, "job-never-ran"),
            };
            let message = row.word("message").chars().take(400).collect::<String>();
            add(code.0, Finding::new(code.1).with("minutes", age / 60).with("message", message));
            if let (Some(true), Some(seconds)) = (row.flag("running"), row.number("running_seconds")) {
                let worse = match seconds {
                    s if s > interval * 4 => Verdict::Fail,
                    s if s > interval => Verdict::Warn,
                    _ => Verdict::Pass,
                };
                add(worse, Finding::new("backup-job-running").with("minutes", seconds / 60));
            }
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
