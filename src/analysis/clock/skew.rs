//! Clocks that disagree make every age and the recovery point wrong.
//!
//! Servers are compared with each other: their answers came together, while the time at which they are judged may be
//! much later (one silent server holds the round up to its deadline). Source: check C61.

use chrono::{DateTime, Utc};

use crate::analysis::rows::no_answer;
use crate::analysis::rows::unknown;
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `destination` and `source`: `server/clock` or any query. Argument `source_state`. Threshold `clock_skew`.
pub const ANALYSIS: Analysis = Analysis {
    name: "clock/skew",
    version: 1,
    purpose: "the servers' clocks agree",
    needs: &["destination"],
    uses: &["source"],
    expects: &[],
    captures: &[],
    run,
};

fn run(case: &Case<'_>) -> Conclusion {
    let allowed = case.threshold("clock_skew", 60.0);
    let mut judgements = Vec::new();
    let mut clocks: Vec<(&str, DateTime<Utc>)> = Vec::new();
    let asked =
        case.of("source").iter().map(|a| (a, true)).chain(case.of("destination").iter().map(|a| (a, false)));
    for (answer, is_source) in asked {
        if clocks.iter().any(|(s, _)| *s == answer.server) {
            continue;
        }
        match &answer.outcome {
            Ok(reading) => match reading.clock() {
                Some(clock) => clocks.push((&answer.server, clock)),
                None => judgements.push(unknown(&answer.server, Finding::new("clock-unknown"))),
            },
            Err(trouble) if is_source && case.is_lost(answer) => judgements.push(Judgement::of_server(
                Verdict::Warn,
                &answer.server,
                vec![Finding::new("source-declared-dead"), no_answer(trouble)],
            )),
            Err(trouble) => judgements.push(unknown(&answer.server, no_answer(trouble))),
        }
    }
    for (server, clock) in &clocks {
        let furthest = clocks
            .iter()
            .filter(|(other, _)| other != server)
            .map(|(other, theirs)| ((*clock - *theirs).num_milliseconds(), *other))
            .max_by_key(|(ms, _)| ms.abs());
        let (ms, other) = furthest.unwrap_or((0, ""));
        let seconds = ms / 1000;
        let beyond = ms.abs() as f64 / 1000.0;
        let (verdict, code) = if other.is_empty() {
            (Verdict::Pass, "one-clock")
        } else if beyond > allowed * 5.0 {
            (Verdict::Fail, "clock-skew")
        } else if beyond > allowed {
            (Verdict::Warn, "clock-skew")
        } else {
            (Verdict::Pass, "clock-agrees")
        };
        let finding =
            Finding::new(code).with("seconds", seconds).with("other", other).with("allowed", allowed as i64);
        judgements.push(Judgement::of_server(verdict, *server, vec![finding]));
    }
    Conclusion { judgements, ..Conclusion::default() }
}
