//! The log chain of each database, from the LSNs of its backups: no gap, no fork, nothing damaged (checks C13, C14).
//!
//! Works on what one server recorded about its own backups. LSNs are compared, never subtracted. Copy-only log backups
//! are no link of the chain. Does not look at files.

use std::collections::BTreeMap;

use crate::analysis::rows::{Row, Sheet, same, unknown};
use crate::analysis::{Analysis, Answer, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::reading::Cell;

/// Asks `it`: `biztalk/backup-chain`.
pub const ANALYSIS: Analysis = Analysis {
    name: "restore/chain",
    version: 1,
    purpose: "the log backups of each database follow each other without a gap or a fork",
    needs: &["it"],
    uses: &[],
    expects: &[],
    captures: &[],
    run,
};

const COLUMNS: [&str; 9] = [
    "database_name",
    "type",
    "is_copy_only",
    "is_damaged",
    "first_lsn",
    "last_lsn",
    "first_recovery_fork_guid",
    "last_recovery_fork_guid",
    "family_guid",
];

fn run(case: &Case<'_>) -> Conclusion {
    let mut judgements = Vec::new();
    for answer in case.of("it") {
        judgements.extend(server(case, answer));
    }
    Conclusion { judgements, ..Conclusion::default() }
}

fn server(case: &Case<'_>, answer: &Answer) -> Vec<Judgement> {
    let server = &answer.server;
    let sheet = match Sheet::of(answer, &COLUMNS) {
        Ok(sheet) => sheet,
        Err(finding) => return vec![unknown(server, finding)],
    };
    let mut by_database: BTreeMap<&str, Vec<Row<'_>>> = BTreeMap::new();
    for row in sheet.rows() {
        by_database.entry(row.word("database_name")).or_default().push(row);
    }
    let Some(scope) = case.scope_of(server) else {
        return vec![unknown(server, Finding::new("scope-unknown"))];
    };
    scope
        .iter()
        .map(|database| {
            let rows =
                by_database.iter().find(|(d, _)| same(d, database)).map_or(&[][..], |(_, r)| r.as_slice());
            let (verdict, findings) = chain(rows);
            Judgement::of_database(verdict, server, database, findings)
        })
        .collect()
}

fn chain(rows: &[Row<'_>]) -> (Verdict, Vec<Finding>) {
    let mut logs = Vec::new();
    let mut findings = Vec::new();
    let mut verdict = Verdict::Pass;
    for row in rows.iter().filter(|r| r.word("type") == "L" && r.flag("is_copy_only") == Some(false)) {
        let (Some(first), Some(last)) = (row.wide("first_lsn"), row.wide("last_lsn")) else {
            return (
                Verdict::Unknown,
                vec![Finding::new("lsn-unreadable").with("file", row.word("file_path"))],
            );
        };
        if row.flag("is_damaged") != Some(false) {
            verdict = Verdict::Fail;
            findings.push(Finding::new("backup-damaged").with("file", row.word("file_path")));
        }
        logs.push((first, last, *row));
    }
    logs.sort_by_key(|(first, last, _)| (*last, *first));
    if logs.len() < 2 {
        return (Verdict::Unknown, vec![Finding::new("too-few-logs").with("count", logs.len() as i64)]);
    }
    for pair in logs.windows(2) {
        let [(_, ended, before), (begins, ends, after)] = pair else { continue };
        if before.word("family_guid") != after.word("family_guid") {
            verdict = Verdict::Fail;
            findings.push(Finding::new("other-database").with("file", after.word("file_path")));
        } else if before.word("last_recovery_fork_guid") != after.word("first_recovery_fork_guid") {
            verdict = Verdict::Fail;
            findings.push(
                Finding::new("chain-forks").with("lsn", lsn(*begins)).with("file", after.word("file_path")),
            );
        } else if begins > ended {
            verdict = Verdict::Fail;
            findings.push(
                Finding::new("chain-gap")
                    .with("from", lsn(*ended))
                    .with("to", lsn(*begins))
                    .with("before", before.word("file_path"))
                    .with("after", after.word("file_path"))
                    .with("taken_by", after.word("user_name"))
                    .with("until", after.cell("finished").clone()),
            );
        } else if begins < ended && ends > ended {
            verdict = verdict.worse(Verdict::Warn);
            findings.push(
                Finding::new("chain-overlaps")
                    .with("lsn", lsn(*begins))
                    .with("file", after.word("file_path")),
            );
        }
    }
    findings.insert(0, Finding::new("logs-examined").with("count", logs.len() as i64));
    (verdict, crate::analysis::rows::capped(findings))
}

fn lsn(value: i128) -> Cell {
    Cell::Decimal { dec: value.to_string() }
}
