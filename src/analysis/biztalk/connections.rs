//! Whether BizTalk works on a server: sessions in its databases from programs that are no administrator's tools.
//!
//! A login without VIEW SERVER STATE sees only itself, and SQL Server does not say so: that is unknown, never "nobody".

use crate::analysis::rows::{Sheet, capped, same, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `it`: `sql/sessions`. `none`: on no server asked; `present`: on one of them at least. Argument `source_state`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/connections",
    version: 1,
    purpose: "whether BizTalk is connected to the databases of the group",
    needs: &["it"],
    uses: &[],
    expects: &["none", "present"],
    captures: &[],
    run,
};

const TOOLS: [&str; 5] =
    ["drbook", "sqlagent", "microsoft sql server management studio", "sqlcmd", "azuredatastudio"];

fn run(case: &Case<'_>) -> Conclusion {
    let present = case.expect == Some("present");
    let mut judgements = Vec::new();
    let mut connected = false;
    for answer in case.of("it") {
        let sheet = match Sheet::of(
            answer,
            &["database_name", "host_name", "program_name", "sessions", "sees_all"],
        ) {
            Ok(sheet) => sheet,
            Err(finding) => {
                let dead = case.is_lost(answer) && !present;
                let verdict = if dead { Verdict::Warn } else { Verdict::Unknown };
                judgements.push(Judgement::of_server(verdict, &answer.server, vec![finding]));
                continue;
            }
        };
        if sheet.rows().any(|r| r.flag("sees_all") != Some(true)) {
            judgements.push(unknown(&answer.server, Finding::new("sessions-hidden")));
            continue;
        }
        let Some(scope) = case.scope_of(&answer.server) else {
            judgements.push(unknown(&answer.server, Finding::new("scope-unknown")));
            continue;
        };
        let mut findings = Vec::new();
        for row in sheet.rows() {
            let program = row.word("program_name").to_lowercase();
            let ours = scope.iter().any(|d| same(d, row.word("database_name")));
            if ours && !TOOLS.iter().any(|t| program.starts_with(t)) {
                findings.push(
                    Finding::new("session-at-work")
                        .with("database", row.word("database_name"))
                        .with("program", row.word("program_name"))
                        .with("computer", row.word("host_name")),
                );
            }
        }
        connected |= !findings.is_empty();
        let verdict = match (present, findings.is_empty()) {
            (false, false) => Verdict::Fail,
            (true, true) => Verdict::NotApplicable,
            _ => Verdict::Pass,
        };
        if findings.is_empty() {
            findings.push(Finding::new("nobody-connected"));
        }
        judgements.push(Judgement::of_server(verdict, &answer.server, capped(findings)));
    }
    if present && !connected {
        judgements.push(Judgement::whole(Verdict::Fail, vec![Finding::new("biztalk-not-connected")]));
    }
    Conclusion { judgements, ..Conclusion::default() }
}
