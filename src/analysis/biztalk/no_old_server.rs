//! No job of the restored server names an old server (checks C66, H06): such a job would work on production.
//!
//! Looks for whole words in the text of job steps. The log-shipping jobs name their source by nature; they must be off.

use crate::analysis::names::{Likeness, like_any, mentions};
use crate::analysis::rows::{Sheet, capped, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Strategy;

/// Asks `it`: `biztalk/job-text`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/no-old-server",
    version: 1,
    purpose: "no job step names an old server",
    needs: &["it"],
    uses: &[],
    expects: &[],
    captures: &[],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let renamed: Vec<&str> = case.inputs.names.new.values().map(String::as_str).collect();
    let stays = |name: &str| like_any(name, renamed.iter().copied()) == Likeness::Same;
    let old: Vec<&str> = case.inputs.names.new.keys().map(String::as_str).filter(|n| !stays(n)).collect();
    let judgements = case
        .of("it")
        .iter()
        .map(|answer| {
            if case.inputs.names.strategy != Strategy::UpdateDatabase {
                let finding = Finding::new("names-stay");
                return Judgement::of_server(Verdict::NotApplicable, &answer.server, vec![finding]);
            }
            if old.is_empty() {
                return unknown(&answer.server, Finding::new("no-expected-names"));
            }
            let sheet = match Sheet::of(answer, &["job_name", "enabled", "step_name", "command"]) {
                Ok(sheet) => sheet,
                Err(finding) => return unknown(&answer.server, finding),
            };
            let (mut verdict, mut findings, mut steps) = (Verdict::Pass, Vec::new(), 0_i64);
            for row in sheet.rows() {
                steps += 1;
                let Some(name) = old.iter().find(|n| mentions(row.word("command"), n)) else { continue };
                let shipping = row.word("job_name").to_lowercase();
                let shipping = shipping.starts_with("bts") && shipping.contains("log shipping");
                let (worse, code) = match (shipping, row.flag("enabled")) {
                    (true, Some(false)) => continue,
                    (true, _) => (Verdict::Fail, "shipping-job-enabled"),
                    (false, Some(false)) => (Verdict::Fail, "job-names-old-server"),
                    (false, _) => (Verdict::Fail, "enabled-job-names-old-server"),
                };
                verdict = verdict.worse(worse);
                findings.push(
                    Finding::new(code)
                        .with("job", row.word("job_name"))
                        .with("step", row.word("step_name"))
                        .with("name", *name),
                );
            }
            let mut findings = capped(findings);
            findings.insert(0, Finding::new("steps-examined").with("count", steps));
            Judgement::of_server(verdict, &answer.server, findings)
        })
        .collect();
    Conclusion { judgements, ..Conclusion::default() }
}
