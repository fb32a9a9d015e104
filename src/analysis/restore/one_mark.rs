//! One mark everywhere: every database of the scope is online and ends at the same mark, on every server (rule R15).
//!
//! First witness: the newest row of `MarkLog` inside each database, ordered by the backup set it belongs to, never by
//! its text (R24). Second witness: `restorehistory`, which alone can tell a database that was restored past its mark
//! without stopping there. Both must agree. Which mark it is (the last or the one before, open point U3) is said, not
//! demanded. The mark's time is UTC only if the clock of the log backup it came with says so (3.6).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

use crate::analysis::rows::{Row, Sheet, capped, same, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Captured;
use crate::reading::Cell;

/// Asks `marks`: `biztalk/newest-mark` in each scope database, `restored`: `biztalk/restored`.
pub const ANALYSIS: Analysis = Analysis {
    name: "restore/one-mark",
    version: 1,
    purpose: "every database of the scope is online and stands at one and the same mark on every server",
    needs: &["marks", "restored"],
    uses: &[],
    expects: &[],
    captures: &["mark.name", "mark.time"],
    run,
};

struct Stand<'a> {
    mark: &'a str,
    last: Row<'a>,
}

fn run(case: &Case<'_>) -> Conclusion {
    let mut conclusion = Conclusion::default();
    let mut marks: BTreeSet<&str> = BTreeSet::new();
    let mut stands: Vec<Stand<'_>> = Vec::new();
    let mut settled = true;
    let servers: BTreeSet<&str> = case.of("restored").iter().map(|a| a.server.as_str()).collect();
    let also: BTreeSet<&str> = case.of("marks").iter().map(|a| a.server.as_str()).collect();
    for server in servers.union(&also).copied() {
        let Some(scope) = case.scope_of(server) else {
            settled = false;
            conclusion.judgements.push(unknown(server, Finding::new("scope-unknown")));
            continue;
        };
        for database in &scope {
            let (verdict, findings, stand) = one(case, server, database);
            settled &= verdict == Verdict::Pass;
            marks.extend(stand.as_ref().map(|s| s.mark));
            stands.extend(stand);
            conclusion.judgements.push(Judgement::of_database(verdict, server, database, findings));
        }
    }
    let whole = match (marks.len(), settled) {
        (0, _) => Judgement::whole(Verdict::Unknown, vec![Finding::new("no-mark-read")]),
        (1, true) => {
            let mark = marks.first().copied().unwrap_or_default();
            let (mut verdict, mut findings) = which(case, mark);
            conclusion.captures.insert("mark.name".into(), Captured::One(Cell::text(mark)));
            let time = time_of(mark, &stands);
            if let Some((time, _)) = time {
                conclusion.captures.insert("mark.time".into(), Captured::One(Cell::utc(time)));
            }
            let doubt = match time {
                Some((_, true)) => None,
                Some((_, false)) => Some(Finding::new("mark-time-assumed")),
                None => Some(Finding::new("mark-time-unreadable").with("mark", mark)),
            };
            if let Some(doubt) = doubt {
                verdict = verdict.worse(Verdict::Warn);
                findings.push(doubt);
            }
            Judgement::whole(verdict, findings)
        }
        (1, false) => Judgement::whole(Verdict::Unknown, vec![Finding::new("mark-not-proven-everywhere")]),
        (n, _) => {
            let mut findings = vec![Finding::new("marks-differ").with("count", n as i64)];
            findings.extend(marks.iter().map(|m| Finding::new("mark-seen").with("mark", *m)));
            Judgement::whole(Verdict::Fail, capped(findings))
        }
    };
    conclusion.judgements.push(whole);
    conclusion
}

fn one<'a>(case: &Case<'a>, server: &str, database: &str) -> (Verdict, Vec<Finding>, Option<Stand<'a>>) {
    let not_read = |finding: Finding| (Verdict::Unknown, vec![finding], None);
    // What SQL Server itself recorded about the last restore, and the state it left.
    let restored = match case
        .at("restored", server)
        .map(|a| Sheet::of(a, &["database_name", "state_desc", "stop_at_mark"]))
    {
        Some(Ok(sheet)) => sheet,
        Some(Err(finding)) => return not_read(finding),
        None => return not_read(Finding::new("not-asked")),
    };
    let Some(last) = restored.rows().find(|r| same(r.word("database_name"), database)) else {
        return not_read(Finding::new("not-in-answer").with("name", database));
    };
    match last.text("state_desc") {
        Some("ONLINE") => {}
        Some(state) => {
            return (Verdict::Fail, vec![Finding::new("not-online").with("state", state)], None);
        }
        None => return (Verdict::Fail, vec![Finding::new("database-missing")], None),
    }
    let answer = case
        .of("marks")
        .iter()
        .find(|a| a.server == server && a.database.as_deref().is_some_and(|d| same(d, database)));
    let marks = match answer.map(|a| Sheet::of(a, &["newest_mark", "newest_set"])) {
        Some(Ok(sheet)) => sheet.first(),
        Some(Err(finding)) => return not_read(finding),
        None => return not_read(Finding::new("not-asked")),
    };
    let Some(mark) = marks.text("newest_mark") else {
        return (Verdict::Unknown, vec![Finding::new("no-mark-in-database")], None);
    };
    let stand = Some(Stand { mark, last });
    // A mark that the imported history does not know and whose text sorts later: only ever a reason for doubt.
    if let Some(stranger) = marks.text("newest_unknown_mark").filter(|s| *s > mark) {
        return (Verdict::Unknown, vec![Finding::new("later-mark-unknown").with("mark", stranger)], stand);
    }
    match (last.text("stop_at_mark"), last.text("restore_type")) {
        (Some(stop), _) if same(stop, mark) => {
            (Verdict::Pass, vec![Finding::new("at-mark").with("mark", mark)], stand)
        }
        (Some(stop), _) => {
            let finding = Finding::new("witnesses-differ").with("mark", mark).with("stopped_at", stop);
            (Verdict::Fail, vec![finding], stand)
        }
        (None, Some(_)) => {
            (Verdict::Fail, vec![Finding::new("restored-past-mark").with("mark", mark)], stand)
        }
        (None, None) => {
            (Verdict::Unknown, vec![Finding::new("no-restore-recorded").with("mark", mark)], stand)
        }
    }
}

/// How the mark stands to the held-back set that was frozen.
fn which(case: &Case<'_>, mark: &str) -> (Verdict, Vec<Finding>) {
    let captured = |name: &str| match case.captured.get(name) {
        Some(Captured::One(cell)) => cell.as_str().map(str::to_owned),
        _ => None,
    };
    let at = Finding::new("one-mark").with("mark", mark);
    match (captured("mark.expected"), captured("mark.previous")) {
        (None, _) => (Verdict::Pass, vec![at]),
        (Some(expected), _) if same(&expected, mark) => (Verdict::Pass, vec![at]),
        (Some(expected), Some(previous)) if same(&previous, mark) => {
            (Verdict::Warn, vec![at, Finding::new("mark-before-last").with("expected", expected)])
        }
        (Some(expected), _) => {
            (Verdict::Fail, vec![at, Finding::new("mark-not-expected").with("expected", expected)])
        }
    }
}

/// The wall time inside a mark's name: `BTS_2024_03_01_02_00_00_123`.
pub(crate) fn time_in(mark: &str) -> Option<NaiveDateTime> {
    let parts: Vec<&str> = mark.rsplitn(8, '_').collect();
    let number = |n: usize| parts.get(n).and_then(|p| p.parse::<u32>().ok());
    let year: i32 = parts.get(6).filter(|p| p.len() == 4)?.parse().ok()?;
    NaiveDate::from_ymd_opt(year, number(5)?, number(4)?)?.and_hms_milli_opt(
        number(3)?,
        number(2)?,
        number(1)?,
        number(0)?,
    )
}

/// The mark's moment, and whether its time zone is known. A log backup starts within minutes after its mark, so the
/// reading of the name that lies just before the backups' start (whose offset is recorded) is the right one.
fn time_of(mark: &str, stands: &[Stand<'_>]) -> Option<(DateTime<Utc>, bool)> {
    let wall = time_in(mark)?;
    let near = |lag: TimeDelta| lag >= TimeDelta::seconds(-60) && lag <= TimeDelta::minutes(14);
    let mut votes: BTreeMap<i64, usize> = BTreeMap::new();
    for stand in stands {
        let taken = stand.last.text("taken_at").and_then(|t| t.parse::<NaiveDateTime>().ok());
        let (Some(taken), Some(offset)) = (taken, stand.last.number("taken_offset_minutes")) else {
            continue;
        };
        let Some(offset_delta) = TimeDelta::try_minutes(offset) else { continue };
        let Some(started) = taken.checked_sub_signed(offset_delta) else { continue };
        if near(started - wall) {
            *votes.entry(0).or_default() += 1;
        } else if near(taken - wall) {
            *votes.entry(offset).or_default() += 1;
        }
    }
    match (votes.len(), votes.first_key_value()) {
        (1, Some((offset, _))) => {
            wall.checked_sub_signed(TimeDelta::try_minutes(*offset)?).map(|t| (t.and_utc(), true))
        }
        _ => Some((wall.and_utc(), false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marks_time_is_read_from_its_end() {
        let time = time_in("BTS_2024_03_01_02_00_00_123").unwrap();
        assert_eq!(time.to_string(), "2024-03-01 02:00:00.123");
        assert_eq!(time_in("A_B_2024_03_01_02_00_00_123"), Some(time));
        for wrong in ["", "BTS", "BTS_24_03_01_02_00_00_123", "BTS_2024_13_01_02_00_00_123", "2024_03_01"] {
            assert_eq!(time_in(wrong), None, "{wrong}");
        }
    }
}
