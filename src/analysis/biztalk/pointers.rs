//! Where the BizTalk group points: proved by what the pointers are, not by what they are not (rule R12).
//!
//! Names are compared as whole names; a name that only might be the new server is unknown, never a pass.

use crate::analysis::names::{Likeness, like_any};
use crate::analysis::rows::{Sheet, capped, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::{Inputs, Strategy};

/// Asks `it`: `biztalk/group-pointers`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/pointers",
    version: 1,
    purpose: "every pointer of the group names the server it should",
    needs: &["it"],
    uses: &[],
    expects: &["new", "old"],
    captures: &[],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let new = case.expect != Some("old");
    let (wanted, unwanted) = names(case.inputs, new);
    let judgements = case
        .of("it")
        .iter()
        .map(|answer| {
            if wanted.is_empty() {
                return unknown(&answer.server, Finding::new("no-expected-names"));
            }
            let sheet = match Sheet::of(answer, &["pointer", "server_name"]) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let (mut verdict, mut findings, mut good, mut boxes) = (Verdict::Pass, Vec::new(), 0_i64, 0);
            for row in sheet.rows() {
                // A part of BizTalk that is not configured has no server.
                let Some(name) = row.text("server_name") else { continue };
                boxes += usize::from(row.word("pointer").starts_with("adm_MessageBox"));
                let like = |names: &[String]| like_any(name, names.iter().map(String::as_str));
                let (worse, code) = match (like(&wanted), like(&unwanted)) {
                    (Likeness::Same, _) => {
                        good += 1;
                        continue;
                    }
                    (_, Likeness::Same) if new => (Verdict::Fail, "pointer-old"),
                    (Likeness::Unclear, _) => (Verdict::Unknown, "pointer-unclear"),
                    _ => (Verdict::Fail, "pointer-elsewhere"),
                };
                verdict = verdict.worse(worse);
                findings.push(Finding::new(code).with("pointer", row.word("pointer")).with("name", name));
            }
            if boxes == 0 {
                // Without a MessageBox this is not the management database of a group, or not all was read.
                verdict = verdict.worse(Verdict::Unknown);
                findings.push(Finding::new("no-messagebox-pointer"));
            }
            let mut findings = capped(findings);
            findings.insert(
                0,
                Finding::new("pointers-right").with("count", good).with("name", wanted.join(", ")),
            );
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}

/// The names pointers should have, and those they should not.
fn names(inputs: &Inputs, new: bool) -> (Vec<String>, Vec<String>) {
    let old: Vec<String> = inputs.names.new.keys().cloned().collect();
    let renamed: Vec<String> = inputs.names.new.values().cloned().collect();
    match (inputs.names.strategy, new) {
        (Strategy::UpdateDatabase, true) => (renamed, old),
        (Strategy::UpdateDatabase, false) => (old, renamed),
        // The old name moves with the alias or the cluster: it stays right before and after.
        (Strategy::Alias | Strategy::ClusterName, _) => (old, Vec::new()),
    }
}
