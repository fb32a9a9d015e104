//! Backups that the BizTalk job did not take (rule R10): a log backup by anybody else breaks the chain unseen.
//!
//! Decided by the job's own history (an anti-join of file names), never by name patterns. Older than that history: unknown.

use crate::analysis::rows::{Sheet, capped, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `it`: `biztalk/foreign-backups`.
pub const ANALYSIS: Analysis = Analysis {
    name: "restore/foreign-backups",
    version: 1,
    purpose: "nobody but the backup job takes backups of the BizTalk databases",
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
                ["database_name", "type", "is_copy_only", "is_snapshot", "is_own", "before_history"];
            let sheet = match Sheet::of(answer, &columns) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let (mut verdict, mut findings, mut own) = (Verdict::Pass, Vec::new(), 0_i64);
            for row in sheet.rows() {
                let (worse, code) = match (row.flag("is_own"), row.flag("before_history"), row.word("type")) {
                    (Some(true), ..) => {
                        own += 1;
                        continue;
                    }
                    (None, ..) | (_, None, _) => (Verdict::Unknown, "backup-unclear"),
                    (_, Some(true), _) => (Verdict::Unknown, "backup-before-history"),
                    (.., "L") if row.flag("is_copy_only") == Some(false) => {
                        (Verdict::Fail, "foreign-log-backup")
                    }
                    _ if row.flag("is_snapshot") == Some(true) => (Verdict::Warn, "foreign-snapshot"),
                    _ => (Verdict::Warn, "foreign-backup"),
                };
                verdict = verdict.worse(worse);
                findings.push(
                    Finding::new(code)
                        .with("database", row.word("database_name"))
                        .with("type", row.word("type"))
                        .with("file", row.word("file_path"))
                        .with("user", row.word("user_name"))
                        .with("finished", row.cell("finished").clone()),
                );
            }
            if own == 0 {
                // The job's own files must be among the backups seen, else the comparison itself did not work.
                verdict = verdict.worse(Verdict::Unknown);
                findings.push(Finding::new("no-own-backup"));
            }
            let mut findings = capped(findings);
            findings.insert(0, Finding::new("own-backups").with("count", own));
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
