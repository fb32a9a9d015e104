//! Every file a destination still needs is there, seen with the destination's own service account (checks C31, V11).
//!
//! Existence is not content: a file that is there can still be damaged or locked. Files behind a URL cannot be seen this way.

use std::collections::BTreeSet;

use crate::analysis::rows::{Sheet, capped, same, unknown};
use crate::analysis::{Analysis, Answer, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Captured;

/// Asks `it`: `biztalk/files-needed` or `biztalk/files-kept`. Uses the captured `scope` and `mark.set`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/files-readable",
    version: 1,
    purpose: "every backup file that is still needed is where the destination will look for it",
    needs: &["it"],
    uses: &[],
    expects: &["held-back"],
    captures: &[],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let judgements = case.of("it").iter().map(|a| server(case, a)).collect();
    Conclusion { judgements, ..Conclusion::default() }
}

fn server(case: &Case<'_>, answer: &Answer) -> Judgement {
    let server = &answer.server;
    let sheet =
        match Sheet::of(answer, &["set_id", "database_name", "complete", "path", "is_url", "file_exists"]) {
            Ok(sheet) => sheet,
            Err(finding) => return unknown(server, finding),
        };
    let Some(scope) = case.scope_of(server) else { return unknown(server, Finding::new("scope-unknown")) };
    let (mut verdict, mut findings) = (Verdict::Pass, Vec::new());
    let (mut seen, mut files) = (BTreeSet::new(), 0_i64);
    let ours = |name: &str| scope.iter().any(|d| same(d, name));
    for row in sheet.rows().filter(|r| ours(r.word("database_name"))) {
        let (database, set) = (row.word("database_name"), row.number("set_id").unwrap_or_default());
        // An incomplete set is never restored; destination-state judges it.
        if row.flag("complete") != Some(true) {
            continue;
        }
        files += 1;
        seen.insert((set, database.to_lowercase()));
        let (worse, code) = match (row.flag("file_exists"), row.flag("is_url")) {
            (Some(true), _) => (Verdict::Pass, ""),
            (Some(false), _) => (Verdict::Fail, "file-missing"),
            (None, Some(true)) => (Verdict::Unknown, "file-behind-url"),
            (None, _) => (Verdict::Unknown, "file-not-seen"),
        };
        verdict = verdict.worse(worse);
        if !code.is_empty() {
            let path = row.word("path");
            findings.push(Finding::new(code).with("database", database).with("set", set).with("path", path));
        }
        if row.flag("overridden") == Some(true) {
            verdict = verdict.worse(Verdict::Warn);
            findings.push(
                Finding::new("location-overridden").with("database", database).with("path", row.word("path")),
            );
        }
    }
    // The set that must be whole: the frozen one when it is known, else the newest one there is.
    let frozen = match (case.expect, case.captured.get("mark.set")) {
        (Some("held-back"), Some(Captured::One(cell))) => cell.as_i128().and_then(|n| i64::try_from(n).ok()),
        (Some("held-back"), _) => return unknown(server, Finding::new("no-frozen-set")),
        _ => seen.iter().map(|(set, _)| *set).max(),
    };
    match frozen {
        None => return unknown(server, Finding::new("nothing-examined")),
        Some(set) => {
            for database in scope.iter().filter(|d| !seen.contains(&(set, d.to_lowercase()))) {
                verdict = verdict.worse(Verdict::Unknown);
                findings.push(
                    Finding::new("file-not-listed").with("database", database.as_str()).with("set", set),
                );
            }
        }
    }
    let mut findings = capped(findings);
    findings.insert(0, Finding::new("files-examined").with("count", files));
    Judgement::of_server(verdict, server, findings)
}
