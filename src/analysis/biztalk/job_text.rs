//! The steps of the Backup BizTalk Server job as they are written (checks C04 to C07, C60; V04).
//!
//! Reads the arguments of three procedures out of T-SQL text: positional or named, literals only. What cannot be read
//! (variables, expressions) is unknown, never assumed.

use crate::analysis::rows::{Sheet, unknown};
use crate::analysis::{Analysis, Case, Conclusion};
use crate::check::{Finding, Judgement, Verdict};
use crate::engine::Captured;
use crate::reading::Cell;

/// Asks `it`: `biztalk/backup-job`.
pub const ANALYSIS: Analysis = Analysis {
    name: "biztalk/job-text",
    version: 1,
    purpose: "the backup job's steps say what they must: same path, same clock, short mark name",
    needs: &["it"],
    uses: &[],
    expects: &[],
    captures: &["backup.local-time"],
    run,
};

/// The arguments of one call, by parameter name in lower case.
type Arguments = Vec<(String, Option<String>)>;

const FULL: (&str, &[&str]) = (
    "sp_backupallfull_schedule",
    &[
        "frequency",
        "markname",
        "backuppath",
        "forcefullbackupafterpartialsetfailure",
        "backuphour",
        "uselocaltime",
    ],
);
const LOG: (&str, &[&str]) = ("sp_markall", &["markname", "backuppath", "uselocaltime"]);
const PURGE: (&str, &[&str]) = ("sp_deletebackuphistory", &["daystokeep", "uselocaltime"]);

fn run(case: &Case<'_>) -> Conclusion {
    let mut conclusion = Conclusion::default();
    for answer in case.of("it") {
        let sheet =
            match Sheet::of(answer, &["job_id", "step_id", "command", "on_success_action", "on_fail_action"])
            {
                Ok(sheet) => sheet,
                Err(finding) => {
                    conclusion.judgements.push(unknown(&answer.server, finding));
                    continue;
                }
            };
        if sheet.first().text("job_id").is_none() {
            let findings = vec![Finding::new("backup-job-missing")];
            conclusion.judgements.push(Judgement::of_server(Verdict::Fail, &answer.server, findings));
            continue;
        }
        let (verdict, findings) = judge(sheet);
        if let Some(local) = uses_local_time(sheet) {
            conclusion.captures.insert("backup.local-time".into(), Captured::One(Cell::Bit(local)));
        }
        conclusion.judgements.push(Judgement::of_server(verdict, &answer.server, findings));
    }
    conclusion
}

fn judge(sheet: Sheet<'_>) -> (Verdict, Vec<Finding>) {
    let (mut verdict, mut findings) = (Verdict::Pass, Vec::new());
    let mut add = |worse: Verdict, finding: Finding| {
        verdict = verdict.worse(worse);
        findings.push(finding);
    };
    let full = find(sheet, FULL);
    let log = find(sheet, LOG);
    let purge = find(sheet, PURGE);
    for (found, (name, _)) in [(&full, FULL), (&log, LOG)] {
        if found.is_none() {
            add(Verdict::Fail, Finding::new("step-missing").with("procedure", name));
        }
    }
    if purge.is_none() {
        add(Verdict::Warn, Finding::new("step-missing").with("procedure", PURGE.0));
    }
    let (Some(full), Some(log)) = (full, log) else { return (verdict, findings) };
    for (call, name) in [(&full, "BackupFull"), (&log, "MarkAndBackupLog")] {
        match literal(call, "backuppath") {
            None => add(Verdict::Unknown, Finding::new("path-unreadable").with("step", name)),
            Some(path) if path.contains('<') || path.is_empty() => {
                add(Verdict::Fail, Finding::new("path-placeholder").with("step", name).with("path", path));
            }
            Some(path) if path.chars().count() >= 128 => {
                add(Verdict::Fail, Finding::new("path-too-long").with("step", name).with("path", path));
            }
            Some(path) if path.as_bytes().get(1) == Some(&b':') => {
                add(Verdict::Warn, Finding::new("path-local").with("step", name).with("path", path));
            }
            Some(path) => add(Verdict::Pass, Finding::new("path").with("step", name).with("path", path)),
        }
        match literal(call, "markname") {
            None => add(Verdict::Unknown, Finding::new("mark-name-unreadable").with("step", name)),
            Some(mark) if mark.chars().count() > 8 || !mark.chars().all(|c| c.is_ascii_alphanumeric()) => {
                add(Verdict::Warn, Finding::new("mark-name-odd").with("step", name).with("mark", mark));
            }
            Some(_) => {}
        }
    }
    let trimmed = |call| literal(call, "backuppath").map(|p| p.trim_end_matches(['\\', '/']).to_lowercase());
    if let (Some(a), Some(b)) = (trimmed(&full), trimmed(&log))
        && a != b
    {
        add(Verdict::Warn, Finding::new("paths-differ").with("path", a).with("other", b));
    }
    match literal(&full, "frequency").map(str::to_lowercase).as_deref() {
        Some("h" | "d" | "w" | "m" | "y") => {}
        Some(other) => add(Verdict::Fail, Finding::new("frequency-unknown").with("value", other)),
        None => add(Verdict::Unknown, Finding::new("frequency-unknown").with("value", "?")),
    }
    if literal(&full, "forcefullbackupafterpartialsetfailure").unwrap_or("0") == "0" {
        add(Verdict::Pass, Finding::new("no-full-after-partial"));
    }
    let mut flags: Vec<Option<bool>> = vec![local_flag(&full), local_flag(&log)];
    flags.extend(purge.as_ref().map(local_flag));
    if flags.iter().any(Option::is_none) {
        add(Verdict::Unknown, Finding::new("clock-flag-unreadable"));
    } else if flags.windows(2).any(|pair| pair[0] != pair[1]) {
        add(Verdict::Warn, Finding::new("clock-flags-differ"));
    }
    if let Some(days) =
        purge.as_ref().and_then(|p| literal(p, "daystokeep")).and_then(|d| d.parse::<i64>().ok())
        && days < 7
    {
        add(Verdict::Warn, Finding::new("history-kept-short").with("days", days));
    }
    for row in sheet.rows() {
        let command = row.word("command").to_lowercase();
        let guarded = command.contains(FULL.0) || command.contains(LOG.0);
        if guarded && row.number("on_fail_action") != Some(2) {
            add(Verdict::Warn, Finding::new("flow-altered").with("step", row.word("step_name")));
        }
    }
    (verdict, findings)
}

/// Whether the log step stamps with local time; `None` when it cannot be read.
pub(super) fn uses_local_time(sheet: Sheet<'_>) -> Option<bool> {
    find(sheet, LOG).as_ref().and_then(local_flag)
}

fn local_flag(call: &Arguments) -> Option<bool> {
    match call.iter().find(|(name, _)| name == "uselocaltime") {
        None => Some(false),
        Some((_, Some(value))) => match value.as_str() {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        },
        Some((_, None)) => None,
    }
}

fn literal<'a>(call: &'a Arguments, name: &str) -> Option<&'a str> {
    call.iter().find(|(n, _)| n == name)?.1.as_deref()
}

fn find(sheet: Sheet<'_>, (procedure, parameters): (&str, &[&str])) -> Option<Arguments> {
    sheet.rows().find_map(|row| arguments(row.word("command"), procedure, parameters))
}

/// The arguments of the call of a procedure; `None` when it is not called.
fn arguments(text: &str, procedure: &str, parameters: &[&str]) -> Option<Arguments> {
    let lower = text.to_ascii_lowercase();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '#' | '$');
    let start =
        lower.match_indices(procedure).map(|(at, found)| (at, at + found.len())).find(|(at, end)| {
            let commented = lower[..*at].rsplit('\n').next().is_some_and(|line| line.contains("--"));
            !lower[..*at].ends_with(is_name) && !lower[*end..].starts_with(is_name) && !commented
        })?;
    let mut rest = text[start.1..].trim_start_matches([']', '"']).trim_start();
    let mut all = Arguments::new();
    loop {
        let mut name = parameters.get(all.len()).map(|p| (*p).to_owned());
        if let Some(after) = rest.strip_prefix('@')
            && let Some((word, value)) = after.split_once('=')
            && word.trim().chars().all(is_name)
        {
            name = Some(word.trim().to_ascii_lowercase());
            rest = value.trim_start();
        }
        let Some(name) = name else { break };
        let Some((value, after)) = value(rest) else { break };
        all.push((name, value));
        rest = after.trim_start();
        if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, r)| r).trim_start();
        }
        if let Some(line) = rest.strip_prefix("--") {
            rest = line.split_once('\n').map_or("", |(_, r)| r).trim_start();
        }
        match rest.strip_prefix(',') {
            Some(more) => {
                rest = more.trim_start();
                while rest.starts_with("/*") || rest.starts_with("--") {
                    let (open, close) = if rest.starts_with("/*") { (2, "*/") } else { (2, "\n") };
                    rest = rest[open..].split_once(close).map_or("", |(_, r)| r).trim_start();
                }
            }
            None => break,
        }
    }
    Some(all)
}

/// One value and what follows it. A variable or anything but a literal is a value that cannot be read.
fn value(text: &str) -> Option<(Option<String>, &str)> {
    let quoted = text.strip_prefix(['N', 'n']).filter(|t| t.starts_with('\'')).unwrap_or(text);
    if let Some(inner) = quoted.strip_prefix('\'') {
        let mut value = String::new();
        let mut rest = inner;
        loop {
            let (part, after) = rest.split_once('\'')?;
            value.push_str(part);
            match after.strip_prefix('\'') {
                Some(more) => {
                    value.push('\'');
                    rest = more;
                }
                None => return Some((Some(value), after)),
            }
        }
    }
    let end =
        text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '@' | '-'))).unwrap_or(text.len());
    let word = &text[..end];
    if word.is_empty() {
        return None;
    }
    let readable = word.parse::<i64>().is_ok();
    let null = word.eq_ignore_ascii_case("null");
    let value = if readable {
        Some(word.to_owned())
    } else if null {
        Some(String::new())
    } else {
        None
    };
    Some((value, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_by_place_and_by_name() {
        let by_place = "exec [dbo].[sp_BackupAllFull_Schedule] 'd' /* Frequency */, 'BTS' /* Name */, N'\\\\share\\o''neil', 1, 2, 1";
        let read = arguments(by_place, FULL.0, FULL.1).unwrap();
        assert_eq!(literal(&read, "backuppath"), Some("\\\\share\\o'neil"));
        assert_eq!(local_flag(&read), Some(true));
        let by_name = "exec dbo.sp_MarkAll @MarkName = 'BTS', @BackupPath='c:\\b', @UseLocalTime = 0";
        let read = arguments(by_name, LOG.0, LOG.1).unwrap();
        assert_eq!(literal(&read, "backuppath"), Some("c:\\b"));
        assert_eq!(local_flag(&read), Some(false));
        let variable = arguments("exec sp_MarkAll 'BTS', @path", LOG.0, LOG.1).unwrap();
        assert_eq!(literal(&variable, "backuppath"), None);
        let absent = arguments("exec sp_MarkAll 'BTS', 'p'", LOG.0, LOG.1).unwrap();
        assert_eq!(local_flag(&absent), Some(false));
    }

    #[test]
    fn another_procedure_or_a_comment_is_no_call() {
        for text in
            ["exec sp_MarkAllRemote 'x'", "-- exec sp_MarkAll 'BTS', 'p'", "exec my_sp_MarkAll 'x'", ""]
        {
            assert!(arguments(text, LOG.0, LOG.1).is_none(), "{text}");
        }
        assert!(arguments("exec sp_MarkAll 'unclosed", LOG.0, LOG.1).is_some_and(|a| a.is_empty()));
    }
}
