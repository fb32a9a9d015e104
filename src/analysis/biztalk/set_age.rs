//! The newest complete log set and the newest complete full set are fresh (checks C09, C10).
//!
//! Rule R14: a set that is being written is no fault, and a running backup's own duration is allowed for. The stamp in
//! the history is UTC unless the job's steps say local time; when that is not known both readings must be fresh.

use crate::analysis::rows::{Row, Sheet, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Captured;

use super::job_text;

/// Asks `sets`: `biztalk/source-sets`, can use `job`: `biztalk/backup-job-outcome` and `steps`: `biztalk/backup-job`.
/// Thresholds `log_age` (default 30 min) and `full_age` (default 25 h): beyond the first, twice as much fails.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/set-age",
    version: 1,
    purpose: "the newest complete log and full sets are fresh",
    needs: &["sets"],
    uses: &["job", "steps"],
    expects: &[],
    captures: &["newest.set"],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let mut conclusion = Conclusion::default();
    for answer in case.of("sets") {
        let columns = ["set_id", "type", "complete", "age_if_utc_seconds", "age_if_local_seconds"];
        let sheet = match Sheet::of(answer, &columns) {
            Ok(sheet) => sheet,
            Err(finding) => {
                conclusion.judgements.push(unknown(&answer.server, finding));
                continue;
            }
        };
        let local = case
            .at("steps", &answer.server)
            .and_then(|a| Sheet::of(a, &["step_id", "command"]).ok())
            .and_then(|steps| job_text::uses_local_time(steps));
        let running = case
            .at("job", &answer.server)
            .and_then(|a| Sheet::of(a, &["running", "running_seconds"]).ok())
            .and_then(|s| s.rows().filter_map(|r| r.number("running_seconds")).max());
        let (mut verdict, mut findings) = (Verdict::Pass, Vec::new());
        for (kind, threshold, otherwise, codes) in [
            ("lg", "log_age", 1800.0, ["no-complete-log", "log-set-age", "log-set-old"]),
            ("db", "full_age", 90_000.0, ["no-complete-full", "full-set-age", "full-set-old"]),
        ] {
            let newest = sheet
                .rows()
                .filter(|r| r.word("type") == kind && r.flag("complete") == Some(true))
                .max_by_key(|r| r.number("set_id"));
            let Some(row) = newest else {
                verdict = Verdict::Fail;
                findings.push(Finding::new(codes[0]));
                continue;
            };
            let allowed = case.threshold(threshold, otherwise) as i64 + running.unwrap_or(0);
            let Some(age) = age(row, local) else {
                verdict = verdict.worse(Verdict::Unknown);
                findings.push(Finding::new("set-age-unknown").with("set", row.cell("set_id").clone()));
                continue;
            };
            let worse = match age {
                a if a < -120 => Verdict::Unknown,
                a if a <= allowed => Verdict::Pass,
                a if a <= allowed * 2 && kind == "lg" => Verdict::Warn,
                _ => Verdict::Fail,
            };
            verdict = verdict.worse(worse);
            let code = match worse {
                Verdict::Pass => codes[1],
                Verdict::Unknown => "set-from-the-future",
                _ => codes[2],
            };
            findings.push(
                Finding::new(code)
                    .with("set", row.cell("set_id").clone())
                    .with("minutes", age / 60)
                    .with("allowed", allowed / 60),
            );
            if kind == "lg" {
                let set = Captured::One(row.cell("set_id").clone());
                conclusion.captures.insert("newest.set".into(), set);
            }
        }
        conclusion.judgements.push(Judgement::of_server(verdict, &answer.server, findings));
    }
    conclusion
}

/// Seconds; with an unknown time zone the older reading, so that freshness is never assumed.
fn age(row: Row<'_>, local: Option<bool>) -> Option<i64> {
    let (utc, wall) = (row.number("age_if_utc_seconds")?, row.number("age_if_local_seconds")?);
    Some(match local {
        Some(true) => wall,
        Some(false) => utc,
        None => utc.max(wall),
    })
}
