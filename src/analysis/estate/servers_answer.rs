//! Who is who: every server answers, is the one the estate means, runs a version the others can work with.
//!
//! Source: domain checks C35 (versions) and C61; a restore from newer to older is impossible, no matter what else holds.

use std::collections::BTreeMap;

use crate::analysis::names::{Likeness, like_any};
use crate::analysis::rows::{Sheet, unknown};
use crate::analysis::{Analysis, Answer, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};

/// Asks `destination` and, when there is one, `source`: `server/identity`. Argument `source_state`.
pub const ANALYSIS: Analysis = Analysis {
    name: "estate/servers-answer",
    version: 1,
    purpose: "every server answers, is the one the estate means, and runs a version the others can work with",
    needs: &["destination"],
    uses: &["source"],
    expects: &[],
    captures: &[],
    run,
};

struct Seen<'a> {
    server: &'a str,
    name: &'a str,
    version: Vec<u32>,
    is_source: bool,
}

fn run(case: &Case<'_>) -> Conclusion {
    let mut judgements: BTreeMap<&str, Judgement> = BTreeMap::new();
    let mut seen: Vec<Seen<'_>> = Vec::new();
    let asked =
        case.of("source").iter().map(|a| (a, true)).chain(case.of("destination").iter().map(|a| (a, false)));
    for (answer, is_source) in asked {
        let (judgement, found) = one(case, answer, is_source);
        seen.extend(found);
        judgements
            .entry(&answer.server)
            .and_modify(|j| {
                j.verdict = j.verdict.worse(judgement.verdict);
                j.findings.extend(judgement.findings.clone());
            })
            .or_insert(judgement);
    }
    for (n, a) in seen.iter().enumerate() {
        for b in &seen[..n] {
            if a.server != b.server && a.name.eq_ignore_ascii_case(b.name) {
                let finding = Finding::new("same-server").with("name", a.name).with("other", b.server);
                worsen(&mut judgements, a.server, Verdict::Fail, finding);
            }
        }
    }
    let sources: Vec<&Seen<'_>> = seen.iter().filter(|s| s.is_source).collect();
    let standards: Vec<&Seen<'_>> = if sources.is_empty() { seen.iter().take(1).collect() } else { sources };
    for dst in seen.iter().filter(|s| !s.is_source) {
        for standard in &standards {
            if let Some((verdict, code)) = compare(&dst.version, &standard.version, standard.is_source) {
                let finding = Finding::new(code)
                    .with("version", dotted(&dst.version))
                    .with("other", standard.server)
                    .with("other_version", dotted(&standard.version));
                worsen(&mut judgements, dst.server, verdict, finding);
            }
        }
    }
    Conclusion { judgements: judgements.into_values().collect(), ..Conclusion::default() }
}

fn worsen(all: &mut BTreeMap<&str, Judgement>, server: &str, verdict: Verdict, finding: Finding) {
    if let Some(judgement) = all.get_mut(server) {
        judgement.verdict = judgement.verdict.worse(verdict);
        judgement.findings.push(finding);
    }
}

fn one<'a>(case: &Case<'_>, answer: &'a Answer, is_source: bool) -> (Judgement, Option<Seen<'a>>) {
    let sheet = match Sheet::of(answer, &["server_name", "version", "banner"]) {
        Ok(sheet) => sheet,
        Err(finding) if is_source && case.is_lost(answer) => {
            let findings = vec![Finding::new("source-declared-dead"), finding];
            return (Judgement::of_server(Verdict::Warn, &answer.server, findings), None);
        }
        Err(finding) => return (unknown(&answer.server, finding), None),
    };
    let row = sheet.first();
    let (name, version) = (row.word("server_name"), row.word("version"));
    let mut verdict = Verdict::Pass;
    let mut findings = vec![Finding::new("server-is").with("name", name).with("version", version)];
    let mut add = |worse: Verdict, finding: Finding| {
        verdict = verdict.worse(worse);
        findings.push(finding);
    };
    let input = case.inputs.servers.get(&answer.server);
    if let Some(expected) = input.and_then(|i| i.expect_name.as_deref()) {
        match like_any(name, [expected]) {
            Likeness::Same => {}
            Likeness::Different | Likeness::Unclear => {
                add(
                    Verdict::Fail,
                    Finding::new("wrong-server").with("expected", expected).with("name", name),
                );
            }
        }
    }
    let simulated = answer.outcome.as_ref().is_ok_and(|r| r.server.as_ref().is_some_and(|s| s.simulated))
        || row.word("banner").to_lowercase().contains("simulated");
    let sandbox = input.map_or(case.inputs.environment.as_str(), |i| i.environment.as_str()) == "sandbox";
    if sandbox && !simulated {
        add(Verdict::Fail, Finding::new("not-simulated"));
    } else if simulated && !sandbox {
        add(Verdict::Warn, Finding::new("simulated"));
    }
    if is_source && case.source_is_dead() {
        add(Verdict::Warn, Finding::new("source-answers-though-dead"));
    }
    for (column, right) in [
        ("sees_state", "VIEW SERVER STATE"),
        ("sees_definitions", "VIEW ANY DEFINITION"),
        ("sees_msdb", "msdb"),
    ] {
        if row.flag(column) != Some(true) {
            add(
                Verdict::Warn,
                Finding::new("right-missing").with("right", right).with("login", row.word("login_name")),
            );
        }
    }
    let version: Option<Vec<u32>> = version.split('.').map(|p| p.parse().ok()).collect();
    match version.filter(|v| v.len() >= 3) {
        Some(version) => {
            let seen = Seen { server: &answer.server, name, version, is_source };
            (Judgement::of_server(verdict, &answer.server, findings), Some(seen))
        }
        None => (
            unknown(&answer.server, Finding::new("version-unreadable").with("version", row.word("version"))),
            None,
        ),
    }
}

/// How a destination's version stands to another's: older major fails, everything else is worth a warning.
fn compare(dst: &[u32], other: &[u32], other_is_source: bool) -> Option<(Verdict, &'static str)> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match dst[..2].cmp(&other[..2]) {
        Less if other_is_source => Some((Verdict::Fail, "version-older")),
        Less | Greater => Some((Verdict::Warn, "version-differs")),
        Equal if dst[2..] != other[2..] => Some((Verdict::Warn, "build-differs")),
        Equal => None,
    }
}

fn dotted(version: &[u32]) -> String {
    version.iter().map(u32::to_string).collect::<Vec<_>>().join(".")
}
