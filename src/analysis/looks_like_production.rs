//! What looks like production is production, whatever the estate file says (rule R6).
//!
//! Signs: people or programs at work in databases of the scope that are online, or a backup job that succeeded within
//! its period. Programs that administrators use do not count. A server that could not be asked gets no entry in
//! `production-signs`, and the engine takes a missing entry as a reason to refuse.

use std::collections::BTreeMap;

use crate::analysis::rows::{Sheet, capped, same, unknown};
use crate::analysis::{Analysis, Answer, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Captured;

/// Asks `databases`: `sql/database-states`, `sessions`: `sql/sessions`, `backups`: `biztalk/backup-job-outcome`.
pub const ANALYSIS: Analysis = Analysis {
    name: "looks-like-production",
    version: 1,
    purpose: "whether a server does the work of production, from what runs on it",
    needs: &["databases", "sessions", "backups"],
    uses: &[],
    expects: &["standby", "production"],
    captures: &["production-signs"],
    run,
};

/// Programs of administrators and of the agent: their sessions are no sign of production.
const TOOLS: [&str; 9] = [
    "drbook",
    "sqlagent",
    "microsoft sql server management studio",
    "azuredatastudio",
    "sqlcmd",
    "sqlps",
    "sql server profiler",
    "dbatools",
    "microsoft sql server data tools",
];

fn run(case: &Case<'_>) -> Conclusion {
    let mut conclusion = Conclusion::default();
    let mut all = BTreeMap::new();
    for databases in case.of("databases") {
        let server = &databases.server;
        match signs(case, databases) {
            Ok(signs) => {
                let wanted = case.expect.unwrap_or("standby");
                let (verdict, code) = match (wanted, signs.is_empty()) {
                    ("production", true) => (Verdict::Warn, "no-sign-of-production"),
                    ("production", false) => (Verdict::Pass, "works-as-production"),
                    (_, true) => (Verdict::Pass, "no-sign-of-production"),
                    (_, false) => (Verdict::Fail, "looks-like-production"),
                };
                all.insert(server.clone(), signs.iter().map(ToString::to_string).collect());
                let mut findings = vec![Finding::new(code)];
                findings.extend(signs.into_iter().map(|s| s.finding));
                conclusion.judgements.push(Judgement::of_server(verdict, server, capped(findings)));
            }
            Err(finding) => conclusion.judgements.push(unknown(server, finding)),
        }
    }
    if !all.is_empty() {
        conclusion.captures.insert("production-signs".into(), Captured::PerServer(all));
    }
    conclusion
}

struct Sign {
    finding: Finding,
}

impl std::fmt::Display for Sign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.finding.code)?;
        self.finding.data.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

fn signs(case: &Case<'_>, databases: &Answer) -> Result<Vec<Sign>, Finding> {
    let server = &databases.server;
    let not_asked = || Finding::new("not-asked");
    let sheet = Sheet::of(databases, &["database_name", "state_desc", "is_system"])?;
    let scope = case.scope_of(server);
    let mut online = Vec::new();
    for row in sheet.rows() {
        let (name, state) = (row.word("database_name"), row.word("state_desc"));
        let ours =
            scope.as_ref().map_or(row.flag("is_system") != Some(true), |s| s.iter().any(|d| same(d, name)));
        if ours && state == "ONLINE" && row.flag("is_in_standby") != Some(true) {
            online.push(name);
        }
    }
    let mut signs = Vec::new();
    let sessions = case.at("sessions", server).ok_or_else(not_asked)?;
    for row in Sheet::of(sessions, &["database_name", "program_name", "host_name", "sees_all"])?.rows() {
        if row.flag("sees_all") != Some(true) {
            return Err(Finding::new("sessions-hidden"));
        }
        let (program, database) = (row.word("program_name"), row.word("database_name"));
        let lower = program.to_lowercase();
        if online.iter().any(|d| same(d, database)) && !TOOLS.iter().any(|t| lower.starts_with(t)) {
            signs.push(Sign {
                finding: Finding::new("session-at-work")
                    .with("database", database)
                    .with("program", program)
                    .with("computer", row.word("host_name")),
            });
        }
    }
    let backups = case.at("backups", server).ok_or_else(not_asked)?;
    for row in Sheet::of(backups, &["job_name", "last_success_age_seconds", "interval_seconds"])?.rows() {
        let Some(age) = row.number("last_success_age_seconds") else { continue };
        let period = row.number("interval_seconds").unwrap_or(900).max(900) * 4;
        if age <= period {
            let finding = Finding::new("backup-job-succeeded")
                .with("name", row.word("job_name"))
                .with("minutes", age / 60);
            signs.push(Sign { finding });
        }
    }
    if case.inputs.servers.get(server).is_some_and(|s| s.environment == "production") {
        signs.push(Sign { finding: Finding::new("declared-production") });
    }
    Ok(signs)
}
