//! What each expectation asks of a destination's standing, and of all of them together.
//!
//! Does not know how the state was found.

use super::facts::Facts;
use super::{Source, Standing, State, oldest_not_imported};
use crate::analysis::Case;
use crate::analysis::rows::same;
use crate::check::{Finding, Judgement, Verdict};
use crate::reading::Cell;

/// For every day: ready, with the tolerance that keeps it from crying wolf.
pub(super) fn steady(case: &Case<'_>, facts: &Facts, source: Option<&Source>, s: &mut Standing) -> Verdict {
    let mut verdict = match s.state {
        State::Steady | State::SetArriving => Verdict::Pass,
        State::Lagging => match s.behind {
            Some(0 | 1) if facts.restore.enabled && !facts.restore.failed => Verdict::Pass,
            Some(0..=4) if facts.restore.enabled => Verdict::Warn,
            _ => Verdict::Fail,
        },
        State::Seeding => Verdict::Warn,
        _ => Verdict::Fail,
    };
    for (job, name) in [(&facts.history, "history"), (&facts.restore, "restore")] {
        if !job.enabled {
            verdict = Verdict::Fail;
            s.findings.push(Finding::new("job-disabled").with("job", name));
        } else if job.failed && !job.busy {
            verdict = verdict.worse(Verdict::Warn);
            let finding = Finding::new("job-last-failed").with("job", name);
            s.findings.push(finding.with("message", job.message.as_str()));
        }
    }
    if let (Some(source), Some(newest)) = (source, s.newest) {
        let missing = source.logs.iter().filter(|(id, _)| *id > newest).count() as i64;
        if missing > 0 {
            s.findings.push(Finding::new("not-imported").with("count", missing));
            let fresh = oldest_not_imported(facts, Some(source)).is_some_and(|age| age <= 300);
            verdict = verdict.worse(if missing == 1 && fresh { Verdict::Pass } else { Verdict::Warn });
        }
        if source.newest.is_some_and(|newest_there| newest_there < newest) {
            // Ids on the source below ours: it was restored or reset, and is not the source of these sets any more.
            s.findings.push(Finding::new("source-behind").with("newest", newest));
            verdict = Verdict::Fail;
        }
    }
    if facts.databases.iter().any(|d| d.repaired_holes > 0) && case.expect == Some("STEADY") {
        verdict = verdict.worse(Verdict::Warn);
    }
    verdict
}

/// Before the freeze: nothing left to import or to restore.
pub(super) fn caught_up(
    case: &Case<'_>,
    facts: &Facts,
    source: Option<&Source>,
    s: &mut Standing,
) -> Verdict {
    let ready = matches!(s.state, State::Steady | State::Frozen | State::SetArriving)
        && s.newest.and_then(|n| facts.before(n)) == s.restored
        && s.restored.is_some();
    let mut verdict = if ready { Verdict::Pass } else { Verdict::Fail };
    if let (Some(source), Some(newest)) = (source, s.newest) {
        let missing = source.logs.iter().filter(|(id, _)| *id > newest).count() as i64;
        if missing > 0 {
            s.findings.push(Finding::new("not-imported").with("count", missing));
            verdict = Verdict::Fail;
        }
        if source.newest.is_some_and(|there| there < newest) {
            s.findings.push(Finding::new("source-behind").with("newest", newest));
            verdict = Verdict::Fail;
        }
        if source.writing && source.running {
            s.findings.push(Finding::new("set-being-written"));
            verdict = Verdict::Fail;
        }
    }
    if case.source_is_dead() && source.is_none() {
        verdict = verdict.worse(Verdict::Warn);
    }
    verdict
}

/// Before the way of no return, against the frozen I: both jobs off and idle, all but the held-back set restored.
pub(super) fn frozen(case: &Case<'_>, facts: &Facts, s: &mut Standing) -> Verdict {
    let mut verdict = Verdict::Pass;
    let mut fail = |s: &mut Standing, finding: Finding| {
        verdict = Verdict::Fail;
        s.findings.push(finding);
    };
    for (job, name) in [(&facts.history, "history"), (&facts.restore, "restore")] {
        if job.enabled {
            fail(s, Finding::new("job-enabled").with("job", name));
        }
    }
    for (job, name) in [(&facts.history, "history"), (&facts.restore, "restore"), (&facts.mark, "mark")] {
        if job.busy {
            fail(s, Finding::new("job-busy").with("job", name));
        }
    }
    if s.state != State::Frozen {
        fail(s, Finding::new("not-frozen").with("state", s.state.name()));
    }
    if s.restored.is_none() || s.newest.and_then(|n| facts.before(n)) != s.restored {
        fail(s, Finding::new("not-caught-up").with("behind", s.behind.map_or(Cell::Null, Cell::Int)));
    }
    if s.mark.is_none() {
        fail(s, Finding::new("held-set-without-mark"));
    }
    let partial_ignored = s.findings.iter().any(|f| f.code == "partial-newest-ignored");
    if partial_ignored || case.source_is_dead() { verdict.worse(Verdict::Warn) } else { verdict }
}

/// Whether all destinations stand at the same point.
pub(super) fn together(case: &Case<'_>, all: &[Standing]) -> Judgement {
    let Some((first, rest)) = all.split_first() else {
        return Judgement::whole(Verdict::Unknown, vec![Finding::new("destinations-not-all-read")]);
    };
    let strict = matches!(case.expect, Some("CAUGHT-UP" | "FROZEN-LEVEL" | "MARKED"));
    let like = |a: Option<&String>, b: Option<&String>| match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        (None, None) => true,
        _ => false,
    };
    let mut findings = Vec::new();
    if case.expect == Some("MARKED") {
        if rest.iter().any(|s| !like(s.stop.as_ref(), first.stop.as_ref())) {
            findings.push(Finding::new("marks-differ").with("count", all.len() as i64));
        }
    } else {
        if rest.iter().any(|s| s.restored != first.restored) {
            findings.push(Finding::new("diverged"));
        }
        if strict && rest.iter().any(|s| s.newest != first.newest) {
            findings.push(Finding::new("imported-differ"));
        }
        if strict && rest.iter().any(|s| !like(s.mark.as_ref(), first.mark.as_ref())) {
            findings.push(Finding::new("held-marks-differ"));
        }
    }
    match (findings.is_empty(), strict) {
        (true, _) => {
            Judgement::whole(Verdict::Pass, vec![Finding::new("level").with("servers", all.len() as i64)])
        }
        (false, true) => Judgement::whole(Verdict::Fail, findings),
        (false, false) => Judgement::whole(Verdict::Warn, findings),
    }
}
