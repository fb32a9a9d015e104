//! Techniques BizTalk does not support for its databases: mirroring, SQL Server's own log shipping (checks C42, C53).

use crate::analysis::rows::{Sheet, capped, same, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `it`: `sql/unsupported`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/unsupported",
    version: 1,
    purpose: "no database of the group is mirrored or shipped by SQL Server itself",
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
            let columns = ["database_name", "mirroring_role_desc", "ships_log", "receives_log", "snapshots"];
            let sheet = match Sheet::of(answer, &columns) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let Some(scope) = case.scope_of(&answer.server) else {
                return unknown(&answer.server, Finding::new("scope-unknown"));
            };
            let (mut verdict, mut findings) = (Verdict::Pass, Vec::new());
            for database in &scope {
                let Some(row) = sheet.rows().find(|r| same(r.word("database_name"), database)) else {
                    verdict = verdict.worse(Verdict::Unknown);
                    findings.push(Finding::new("not-in-answer").with("name", database.as_str()));
                    continue;
                };
                let shipped = |column: &str| row.number(column) != Some(0);
                for (bad, worse, code) in [
                    (row.text("mirroring_role_desc").is_some(), Verdict::Fail, "database-mirrored"),
                    (shipped("ships_log") || shipped("receives_log"), Verdict::Fail, "natively-shipped"),
                    (shipped("snapshots"), Verdict::Warn, "database-snapshots"),
                ] {
                    if bad {
                        verdict = verdict.worse(worse);
                        findings.push(Finding::new(code).with("database", database.as_str()));
                    }
                }
            }
            let mut findings = capped(findings);
            findings.insert(0, Finding::new("databases-examined").with("count", scope.len() as i64));
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
