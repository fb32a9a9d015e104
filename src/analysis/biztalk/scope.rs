//! Which databases belong together, and which server is to restore which of them.
//!
//! The source's own view is the authority for what must be covered; with a dead source the imported history takes its
//! place and says so. A destination is responsible for the databases of those source servers it has ever restored
//! anything of (all of them while it has restored nothing yet), as far as they are in its newest sets. Source: 1.2, C40.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::names::{Likeness, like_any};
use crate::analysis::rows::{Sheet, capped, same, unknown};
use crate::analysis::{Analysis, Answer, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Captured;

/// Asks `destination`: `biztalk/destination-databases`, `source`: `biztalk/scope`. Argument `source_state`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/scope",
    version: 1,
    purpose: "which databases belong to the group, and that every one of them has a destination",
    needs: &["destination"],
    uses: &["source"],
    expects: &[],
    captures: &["scope"],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let mut judgements = Vec::new();
    let mut scope: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut imported = BTreeSet::new();
    for answer in case.of("destination") {
        match shipped(answer) {
            Ok(databases) => {
                let finding = Finding::new("restores").with("count", databases.len() as i64);
                judgements.push(Judgement::of_server(Verdict::Pass, &answer.server, vec![finding]));
                imported.extend(databases.iter().cloned());
                scope.insert(answer.server.clone(), databases);
            }
            Err(finding) => judgements.push(unknown(&answer.server, finding)),
        }
    }
    let complete = scope.len() == case.of("destination").len() && !scope.is_empty();
    let mut expected: Option<Vec<String>> = None;
    for answer in case.of("source") {
        match Sheet::of(answer, &["server_name", "database_name"]) {
            Ok(sheet) => {
                let rows: Vec<(&str, &str)> =
                    sheet.rows().map(|r| (r.word("server_name"), r.word("database_name"))).collect();
                let (verdict, findings) = place(case, answer, &rows, &mut scope);
                judgements.push(Judgement::of_server(verdict, &answer.server, findings));
                expected.get_or_insert_default().extend(rows.iter().map(|(_, d)| (*d).to_owned()));
            }
            Err(finding) => {
                let (verdict, code) = if case.is_lost(answer) {
                    (Verdict::Warn, "scope-from-history")
                } else {
                    (Verdict::Unknown, "source-not-read")
                };
                let findings = vec![Finding::new(code), finding];
                judgements.push(Judgement::of_server(verdict, &answer.server, findings));
            }
        }
    }
    let listed = case.inputs.scope.as_deref().unwrap_or_default();
    let wanted = expected.iter().flatten().chain(listed);
    let uncovered: BTreeSet<&String> = wanted.filter(|d| !imported.iter().any(|i| same(i, d))).collect();
    judgements.push(if !complete {
        Judgement::whole(Verdict::Unknown, vec![Finding::new("destination-not-read")])
    } else if uncovered.is_empty() {
        Judgement::whole(
            Verdict::Pass,
            vec![Finding::new("scope-covered").with("count", imported.len() as i64)],
        )
    } else {
        let each = uncovered.iter().map(|d| Finding::new("database-uncovered").with("database", d.as_str()));
        Judgement::whole(Verdict::Fail, capped(each.collect()))
    });
    let mut conclusion = Conclusion { judgements, ..Conclusion::default() };
    if !scope.is_empty() {
        conclusion.captures.insert("scope".into(), Captured::PerServer(scope));
    }
    conclusion
}

/// The databases a destination restores.
fn shipped(answer: &Answer) -> Result<Vec<String>, Finding> {
    let sheet = Sheet::of(answer, &["server_name", "database_name", "newest_seen", "newest_log_restored"])?;
    let ours = responsible_for(sheet);
    let newest = sheet.rows().filter_map(|r| r.number("newest_seen")).max().unwrap_or_default();
    let recent: Vec<String> = sheet
        .rows()
        .filter(|r| ours.is_empty() || ours.iter().any(|s| same(s, r.word("server_name"))))
        // A database that left the backup job long ago stays in the history; two sets cover one being written.
        .filter(|r| r.number("newest_seen").is_some_and(|n| n + 8 >= newest))
        .map(|r| r.word("database_name").to_owned())
        .collect();
    if recent.is_empty() { Err(Finding::new("nothing-examined")) } else { Ok(recent) }
}

/// The source servers of which something was ever restored here; none while nothing was.
pub(super) fn responsible_for(sheet: Sheet<'_>) -> BTreeSet<&str> {
    sheet
        .rows()
        .filter(|r| r.number("newest_log_restored").is_some() || r.number("newest_full_restored").is_some())
        .map(|r| r.word("server_name"))
        .collect()
}

/// Gives each source server of the estate its databases.
fn place(
    case: &Case<'_>,
    asked: &Answer,
    rows: &[(&str, &str)],
    scope: &mut BTreeMap<String, Vec<String>>,
) -> (Verdict, Vec<Finding>) {
    let mut findings = vec![Finding::new("covers").with("count", rows.len() as i64)];
    let mut verdict = Verdict::Pass;
    let own_name = asked.outcome.as_ref().ok().and_then(|r| r.server.as_ref()).map(|s| s.name.as_str());
    for (server, database) in rows {
        let holder = case.inputs.servers.iter().find(|(name, input)| {
            let own = (**name == asked.server).then_some(own_name).flatten();
            let names = [Some(name.as_str()), input.expect_name.as_deref(), own];
            like_any(server, names.into_iter().flatten()) == Likeness::Same
        });
        if let Some((name, _)) = holder {
            let list = scope.entry(name.clone()).or_default();
            if !list.iter().any(|d| same(d, database)) {
                list.push((*database).to_owned());
            }
        } else {
            verdict = Verdict::Warn;
            findings
                .push(Finding::new("server-not-in-estate").with("name", *server).with("database", *database));
        }
    }
    (verdict, capped(findings))
}
