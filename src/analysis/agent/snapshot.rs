//! The jobs each destination has before Restore To Mark, kept so that re-created ones are known (rule R1).

use std::collections::BTreeMap;

use crate::analysis::rows::{Sheet, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Captured;

/// Asks `it`: `agent/job-snapshot`.
pub const ANALYSIS: Analysis = Analysis {
    name: "agent/snapshot",
    version: 1,
    purpose: "the list of jobs before the restore is kept, so that jobs that appear can be held",
    needs: &["it"],
    uses: &[],
    expects: &[],
    captures: &["job-snapshot"],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let mut conclusion = Conclusion::default();
    let mut kept = BTreeMap::new();
    for answer in case.of("it") {
        let sheet = match Sheet::of(answer, &["job_id", "name"]) {
            Ok(sheet) => sheet,
            Err(finding) => {
                conclusion.judgements.push(unknown(&answer.server, finding));
                continue;
            }
        };
        let ids: Option<Vec<String>> =
            sheet.rows().map(|r| r.text("job_id").map(str::to_lowercase)).collect();
        match ids {
            Some(ids) => {
                let finding = Finding::new("jobs-kept").with("count", ids.len() as i64);
                conclusion.judgements.push(Judgement::of_server(
                    Verdict::Pass,
                    &answer.server,
                    vec![finding],
                ));
                kept.insert(answer.server.clone(), ids);
            }
            None => conclusion.judgements.push(unknown(&answer.server, Finding::new("job-without-id"))),
        }
    }
    if !kept.is_empty() {
        conclusion.captures.insert("job-snapshot".into(), Captured::PerServer(kept));
    }
    conclusion
}
