//! The state of each destination of BizTalk log shipping, and whether all of them stand at the same point.
//!
//! The state machine of the domain reference, 3.4, under rules R2 (freeze, then compare against the *frozen* newest set),
//! R9 (a set counts as restored only when every database has it), R11 (the worse state wins) and R14 (no crying wolf).
//! Sets are ordered by their id alone (R24); id holes are normal and never counted.
//! I = newest complete log set imported, R = newest log set every database has, P(I) = the complete log set before I,
//! S = newest complete log set on the source. The newest imported set is always held back.

use crate::analysis::rows::{Sheet, capped};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Captured;
use crate::reading::Cell;

mod expected;
mod facts;

use expected::{caught_up, frozen, steady, together};
use facts::{Facts, Lack};

/// Asks `sets`: `biztalk/destination-sets`, `databases`: `biztalk/destination-databases`, `jobs`: `biztalk/destination-jobs`;
/// can use `source`: `biztalk/source-sets` and `backup`: `biztalk/backup-job-outcome`. Argument `source_state`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/destination-state",
    version: 1,
    purpose: "where each destination stands, and whether all stand at the same point",
    needs: &["sets", "databases", "jobs"],
    uses: &["source", "backup"],
    expects: &["STEADY", "CAUGHT-UP", "FROZEN-LEVEL", "MARKED"],
    captures: &["mark.expected", "mark.previous", "mark.set", "restored.set"],
    run,
};

/// In rising order of R11's precedence, the harmless ones last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    NotConfigured,
    Mixed,
    Overshot,
    GapOpen,
    PartialPending,
    Stalled,
    HistoryStale,
    Lagging,
    SetArriving,
    Seeding,
    WaitFull,
    Frozen,
    Steady,
    Marked,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::NotConfigured => "NOT_CONFIGURED",
            Self::Mixed => "MIXED",
            Self::Overshot => "OVERSHOT",
            Self::GapOpen => "GAP_OPEN",
            Self::PartialPending => "PARTIAL_PENDING",
            Self::Stalled => "STALLED",
            Self::HistoryStale => "HISTORY_STALE",
            Self::Lagging => "LAGGING",
            Self::SetArriving => "SET_ARRIVING",
            Self::Seeding => "SEEDING",
            Self::WaitFull => "WAIT_FULL",
            Self::Frozen => "FROZEN",
            Self::Steady => "STEADY",
            Self::Marked => "MARKED",
        }
    }
}

/// What the source says, when it was asked and answered.
#[derive(Debug, Default)]
struct Source {
    /// S.
    newest: Option<i64>,
    /// Complete log sets, oldest first, with the age of each in seconds (the smaller of its readings as UTC or local).
    logs: Vec<(i64, Option<i64>)>,
    /// The newest set is incomplete.
    writing: bool,
    /// The backup job runs now.
    running: bool,
}

/// Why the source's sets are not known.
enum SourceLack {
    NotAsked,
    Dead(Finding),
    Silent(Finding),
}

struct Standing {
    state: State,
    newest: Option<i64>,
    restored: Option<i64>,
    behind: Option<i64>,
    mark: Option<String>,
    previous: Option<String>,
    stop: Option<String>,
    verdict: Verdict,
    findings: Vec<Finding>,
}

fn run(case: &Case<'_>) -> Conclusion {
    let mut conclusion = Conclusion::default();
    let source = read_source(case);
    let mut standings: Vec<Standing> = Vec::new();
    let servers: Vec<&str> = case.of("sets").iter().map(|a| a.server.as_str()).collect();
    for server in &servers {
        match Facts::of(case, server) {
            Ok(facts) => {
                let standing = stand(case, &facts, &source);
                let mut findings = vec![headline(&standing)];
                findings.extend(standing.findings.iter().cloned());
                conclusion.judgements.push(Judgement::of_server(standing.verdict, *server, capped(findings)));
                standings.push(standing);
            }
            Err(Lack::NotConfigured(finding)) => {
                let findings =
                    vec![Finding::new("state-named").with("state", State::NotConfigured.name()), finding];
                conclusion.judgements.push(Judgement::of_server(Verdict::Fail, *server, findings));
            }
            Err(Lack::Unknown(finding)) => {
                let findings = vec![Finding::new("state-named").with("state", "UNKNOWN"), finding];
                conclusion.judgements.push(Judgement::of_server(Verdict::Unknown, *server, findings));
            }
        }
    }
    if let Some(judgement) = about_source(case, &source) {
        conclusion.judgements.push(judgement);
    }
    let whole = if standings.len() < servers.len() || standings.is_empty() {
        Judgement::whole(Verdict::Unknown, vec![Finding::new("destinations-not-all-read")])
    } else {
        together(case, &standings)
    };
    let open = Verdict::worst(conclusion.judgements.iter().map(|j| j.verdict).chain([whole.verdict])).opens();
    if open
        && case.expect == Some("FROZEN-LEVEL")
        && let Some(first) = standings.first()
    {
        let captures = &mut conclusion.captures;
        let mut keep = |name: &str, cell: Option<Cell>| {
            captures.extend(cell.map(|c| (name.to_owned(), Captured::One(c))));
        };
        keep("mark.expected", first.mark.clone().map(Cell::Text));
        keep("mark.previous", first.previous.clone().map(Cell::Text));
        keep("mark.set", first.newest.map(Cell::Int));
        keep("restored.set", first.restored.map(Cell::Int));
    }
    conclusion.judgements.push(whole);
    conclusion
}

fn headline(s: &Standing) -> Finding {
    let number = |n: Option<i64>| n.map_or_else(|| Cell::text("-"), Cell::Int);
    Finding::new("state")
        .with("state", s.state.name())
        .with("newest", number(s.newest))
        .with("restored", number(s.restored))
        .with("held", number(s.newest.filter(|n| s.restored.is_some_and(|r| r < *n))))
        .with("mark", s.mark.as_deref().unwrap_or("-"))
        .with("behind", number(s.behind))
}

fn read_source(case: &Case<'_>) -> Result<Source, SourceLack> {
    let Some(answer) = case.of("source").first() else { return Err(SourceLack::NotAsked) };
    let columns = ["set_id", "type", "complete", "age_if_utc_seconds", "age_if_local_seconds"];
    let sheet = Sheet::of(answer, &columns).map_err(|finding| {
        if case.is_lost(answer) { SourceLack::Dead(finding) } else { SourceLack::Silent(finding) }
    })?;
    let mut source = Source::default();
    let mut newest_any = None;
    for row in sheet.rows() {
        let (Some(id), Some(complete)) = (row.number("set_id"), row.flag("complete")) else {
            return Err(SourceLack::Silent(Finding::new("set-unreadable").with("database", "")));
        };
        if newest_any.is_none_or(|(n, _)| id > n) {
            newest_any = Some((id, complete));
        }
        if complete && row.word("type") == "lg" {
            let ages = [row.number("age_if_utc_seconds"), row.number("age_if_local_seconds")];
            source.logs.push((id, ages.into_iter().flatten().filter(|a| *a >= -60).min()));
        }
    }
    source.logs.sort_unstable();
    source.newest = source.logs.last().map(|(id, _)| *id);
    source.writing = newest_any.is_some_and(|(_, complete)| !complete);
    source.running = case
        .of("backup")
        .first()
        .and_then(|a| Sheet::of(a, &["running"]).ok())
        .is_some_and(|s| s.rows().any(|r| r.flag("running") == Some(true)));
    Ok(source)
}

/// What the source's silence means for the whole. Frozen destinations are judged by themselves (R2).
fn about_source(case: &Case<'_>, source: &Result<Source, SourceLack>) -> Option<Judgement> {
    let server = case.of("source").first()?.server.clone();
    match source {
        Ok(_) | Err(SourceLack::NotAsked) => None,
        Err(SourceLack::Dead(finding)) => Some(Judgement::of_server(
            Verdict::Warn,
            server,
            vec![Finding::new("relative-to-history"), finding.clone()],
        )),
        Err(SourceLack::Silent(finding)) => Some(Judgement::of_server(
            Verdict::Unknown,
            server,
            vec![Finding::new("source-not-read"), finding.clone()],
        )),
    }
}

fn stand(case: &Case<'_>, facts: &Facts, source: &Result<Source, SourceLack>) -> Standing {
    let mut findings = Vec::new();
    let state = state_of(case, facts, source.as_ref().ok(), &mut findings);
    let newest = facts.newest();
    let mut standing = Standing {
        state,
        newest,
        restored: facts.restored(),
        behind: facts.behind(),
        mark: newest.and_then(|n| facts.mark_of(n)).map(str::to_owned),
        previous: newest.and_then(|n| facts.before(n)).and_then(|p| facts.mark_of(p)).map(str::to_owned),
        stop: facts.databases.first().and_then(|d| d.last_mark.clone()),
        verdict: Verdict::Pass,
        findings,
    };
    standing.verdict = match case.expect.unwrap_or("STEADY") {
        "MARKED" => {
            if state == State::Marked {
                Verdict::Pass
            } else {
                Verdict::Fail
            }
        }
        "FROZEN-LEVEL" => frozen(case, facts, &mut standing),
        "CAUGHT-UP" => caught_up(case, facts, source.as_ref().ok(), &mut standing),
        _ => steady(case, facts, source.as_ref().ok(), &mut standing),
    };
    // What SQL Server recorded contradicts BizTalk's own flags: neither is believed (least trust).
    let doubtful = facts.databases.iter().filter(|d| match (d.witnessed, d.newest_log, d.newest_full) {
        (Some(seen), Some(log), full) => seen != log && full.is_none_or(|f| seen != f || f < log),
        _ => false,
    });
    for database in doubtful {
        let ahead = facts.restore.busy && database.witnessed > database.newest_log;
        if !ahead && state != State::Marked {
            standing.verdict = standing.verdict.worse(Verdict::Unknown);
            standing.findings.push(
                Finding::new("restored-flag-unproven")
                    .with("database", database.name.as_str())
                    .with("flag", database.newest_log.unwrap_or_default())
                    .with("recorded", database.witnessed.unwrap_or_default()),
            );
        }
    }
    let repaired: i64 = facts.databases.iter().map(|d| d.repaired_holes).sum();
    if repaired > 0 {
        standing.findings.push(Finding::new("gap-repaired").with("count", repaired));
    }
    standing
}

/// The state by R11: the first that applies.
fn state_of(case: &Case<'_>, facts: &Facts, source: Option<&Source>, findings: &mut Vec<Finding>) -> State {
    let states = |wanted: &str| facts.databases.iter().filter(|d| d.state.as_deref() == Some(wanted)).count();
    let (total, online, restoring) = (facts.databases.len(), states("ONLINE"), states("RESTORING"));
    let unseeded =
        facts.databases.iter().filter(|d| d.newest_log.is_none() && d.newest_full.is_none()).count();
    let absent_new = facts
        .databases
        .iter()
        .filter(|d| d.state.is_none() && d.newest_log.is_none() && d.newest_full.is_none());
    if online + restoring + absent_new.count() < total || (online > 0 && online < total) {
        for database in facts.databases.iter().filter(|d| d.state.as_deref() != Some("RESTORING")) {
            findings.push(
                Finding::new("database-state")
                    .with("database", database.name.as_str())
                    .with("state", database.state.as_deref().unwrap_or("-")),
            );
        }
        return State::Mixed;
    }
    let stops = facts.stops();
    let newest = facts.newest();
    if online == total {
        if stops.len() > 1 {
            findings.extend(stops.iter().map(|m| Finding::new("mark-seen").with("mark", m.unwrap_or("-"))));
            return State::Mixed;
        }
        if stops.contains(&None) {
            findings.push(Finding::new("online-without-mark"));
            return State::Overshot;
        }
    } else {
        for database in facts.databases.iter().filter(|d| d.last_mark.is_some()) {
            findings.push(Finding::new("mark-not-recovered").with("database", database.name.as_str()));
        }
        if !findings.is_empty() {
            return State::Mixed;
        }
        for database in &facts.databases {
            if newest.is_some()
                && (database.newest_log >= newest
                    || database
                        .witnessed
                        .is_some_and(|w| Some(w) >= newest && facts.sets.get(&w).is_some_and(|s| s.is_log)))
            {
                findings.push(Finding::new("newest-restored").with("database", database.name.as_str()));
            }
        }
        if !findings.is_empty() {
            return State::Overshot;
        }
    }
    for database in facts.databases.iter().filter(|d| d.open_holes > 0) {
        findings.push(
            Finding::new("gap-open")
                .with("database", database.name.as_str())
                .with("count", database.open_holes)
                .with("set", database.newest_hole.unwrap_or_default()),
        );
    }
    if !findings.is_empty() {
        return State::GapOpen;
    }
    if online == total {
        return State::Marked;
    }
    let mut arriving = source.is_some_and(|s| s.writing && s.running);
    for partial in facts.partials() {
        let is_newest = facts.newest_of_any_kind() == Some(partial);
        if is_newest && source.is_some_and(|s| s.running) {
            arriving = true;
        } else if is_newest && case.source_is_dead() && source.is_none() {
            // Nothing complete stands behind it and nothing will: the sets before it are what there is.
            findings.push(Finding::new("partial-newest-ignored").with("set", partial));
        } else {
            findings.push(Finding::new("partial-pending").with("set", partial));
            return State::PartialPending;
        }
    }
    let behind = facts.behind();
    let idle = !facts.history.enabled && !facts.restore.enabled && !facts.history.busy && !facts.restore.busy;
    if unseeded > 0 || facts.restored().is_none() {
        return match (facts.is_seedable(), facts.restore.busy || facts.restore.enabled) {
            (false, _) => State::WaitFull,
            (true, true) if !facts.restore.failed || facts.restore.busy => State::Seeding,
            (true, _) => State::Stalled,
        };
    }
    let late = behind.is_none_or(|n| n > 0) || !facts.is_even();
    if late && facts.restore.failed && !facts.restore.busy {
        findings.push(Finding::new("restore-job-failed").with("message", facts.restore.message.as_str()));
        return State::Stalled;
    }
    if !idle
        && let Some(age) = oldest_not_imported(facts, source)
        && age > case.threshold("log_age", 1800.0) as i64
    {
        findings.push(Finding::new("history-stale").with("minutes", age / 60));
        return State::HistoryStale;
    }
    if late {
        if !facts.is_even() {
            findings.push(Finding::new("databases-uneven"));
        }
        return State::Lagging;
    }
    if idle {
        return State::Frozen;
    }
    if arriving { State::SetArriving } else { State::Steady }
}

/// Age in seconds of the oldest complete log set of the source that is not imported.
fn oldest_not_imported(facts: &Facts, source: Option<&Source>) -> Option<i64> {
    let newest = facts.newest()?;
    source?.logs.iter().find(|(id, _)| *id > newest)?.1
}
