//! Whether a destination can make an old server act through a linked server (rule R1).
//!
//! Until the pointers are new, a re-created job follows a view that names production. Reading over the link is how history
//! is imported; remote procedure calls are what can do harm.

use crate::analysis::names::{Likeness, like_any};
use crate::analysis::rows::{Sheet, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `it`: `sql/linked-servers`. Argument `source_state`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/linked-back",
    version: 1,
    purpose: "whether jobs on a destination could act on the source over a linked server",
    needs: &["it"],
    uses: &[],
    expects: &[],
    captures: &[],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let mut old: Vec<String> = case.inputs.names.new.keys().cloned().collect();
    for role in ["source", "management"] {
        for server in case.inputs.roles.get(role).into_iter().flatten() {
            old.push(server.clone());
            old.extend(case.inputs.servers.get(server).and_then(|s| s.expect_name.clone()));
        }
    }
    let judgements = case
        .of("it")
        .iter()
        .map(|answer| {
            let sheet = match Sheet::of(answer, &["name", "data_source", "is_linked", "is_rpc_out_enabled"]) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let (mut verdict, mut findings, mut links) = (Verdict::Pass, Vec::new(), 0_i64);
            for row in sheet.rows().filter(|r| r.flag("is_linked") == Some(true)) {
                links += 1;
                let names = [row.word("name"), row.word("data_source")];
                let back = names
                    .iter()
                    .filter(|n| !n.is_empty())
                    .any(|n| like_any(n, old.iter().map(String::as_str)) != Likeness::Different);
                if !back {
                    continue;
                }
                let (worse, code) = match row.flag("is_rpc_out_enabled") {
                    Some(false) => (Verdict::Pass, "link-reads-only"),
                    _ => (Verdict::Warn, "link-can-act"),
                };
                verdict = verdict.worse(worse);
                findings.push(Finding::new(code).with("name", row.word("name")));
            }
            findings.insert(0, Finding::new("links-examined").with("count", links));
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
