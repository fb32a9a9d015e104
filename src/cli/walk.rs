//! Walking an open drill with the front end that was asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::check::Verdict;
use crate::engine::{Session, Standing};
use crate::headless::{self, answers::Answers};
use crate::text::Language;

use super::exit::{Exit, Failure};
use super::open::Open;
use super::{Common, talk};

/// Walks unattended, says how it went on stderr, and prints the record's folder (or JSON) on stdout.
pub(crate) fn headless(common: &Common, open: Open, answers: &Answers) -> Result<Exit, Failure> {
    let Open { mut drive, news, .. } = open;
    let stop = interrupted();
    let words = crate::locale::Words::of(common.language()?);
    let mut report = |drive: &crate::drive::Drive, what: &str| {
        talk::say(&line(drive.session(), what, words));
    };
    let asked_to_stop = || stop.load(Ordering::SeqCst);
    let end = headless::walk(&mut drive, &news, answers, &asked_to_stop, &mut report)?;
    let session = drive.session();
    let exit = if end == headless::End::Interrupted { Exit::Interrupted } else { Exit::of(session) };
    let open_steps = session.open_steps();
    if !open_steps.is_empty() {
        let shown = open_steps.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = open_steps.len().saturating_sub(8);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        talk::say(&format!("still open: {shown}{more}; go on with `drbook resume`"));
    }
    talk::say(&format!("head {}", drive.head()));
    if common.json {
        talk::data(&summary(session, drive.folder(), drive.head(), exit).to_string());
    } else {
        talk::data(&drive.folder().display().to_string());
    }
    Ok(exit)
}

/// A flag that SIGINT, SIGTERM and SIGHUP raise.
pub(crate) fn interrupted() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        // Without the handler the signal ends the process, which the record survives.
        let _ = signal_hook::flag::register(signal, flag.clone());
    }
    flag
}

/// One line about a step as it stands, with its worst findings.
fn line(session: &Session, step: &str, words: &crate::locale::Words) -> String {
    let Some(index) = session.index(step) else { return step.to_owned() };
    let book = &session.book.steps[index];
    let state = match session.standing(index) {
        Standing::Judged(verdict) => verdict.key().to_uppercase(),
        Standing::DoesNotApply => "NOT-APPLICABLE".to_owned(),
        Standing::Overridden => "OVERRIDDEN".to_owned(),
        Standing::Skipped => "SKIPPED".to_owned(),
        Standing::Uncertain => "UNCERTAIN".to_owned(),
        Standing::Interrupted => "INTERRUPTED".to_owned(),
        Standing::Ready => "READY".to_owned(),
        Standing::Locked(_) | Standing::Running(_) => "…".to_owned(),
    };
    let mut line = format!("{:>3}  {state:<14} {}", book.number, book.title.get(Language::En));
    let judgements =
        session.steps[index].attempts.last().map(|a| a.judgements.as_slice()).unwrap_or_default();
    for judgement in
        judgements.iter().filter(|j| !matches!(j.verdict, Verdict::Pass | Verdict::NotApplicable))
    {
        let place = [judgement.server.as_deref(), judgement.database.as_deref()];
        let place = place.into_iter().flatten().collect::<Vec<_>>().join(" ");
        for finding in &judgement.findings {
            line += &format!("\n       {} {place} {}", judgement.verdict.key(), words.finding(finding));
        }
    }
    line
}

/// The drill in one JSON object.
fn summary(session: &Session, folder: &std::path::Path, head: &str, exit: Exit) -> serde_json::Value {
    let steps: Vec<serde_json::Value> = session
        .book
        .steps
        .iter()
        .enumerate()
        .map(|(i, step)| {
            let attempt = session.steps[i].attempts.last();
            serde_json::json!({
                "number": step.number,
                "step": step.id,
                "standing": match session.standing(i) {
                    Standing::Judged(verdict) => verdict.key(),
                    Standing::DoesNotApply => "not-applicable",
                    Standing::Overridden => "overridden",
                    Standing::Skipped => "skipped",
                    Standing::Uncertain => "uncertain",
                    Standing::Interrupted => "interrupted",
                    Standing::Ready => "ready",
                    Standing::Locked(_) => "locked",
                    Standing::Running(_) => "running",
                },
                "attempts": session.steps[i].attempts.len(),
                "judgements": attempt.map(|a| &a.judgements),
            })
        })
        .collect();
    serde_json::json!({
        "record": session.opened.as_ref().map(|o| o.record.clone()),
        "folder": folder.display().to_string(),
        "head": head,
        "simulated": session.simulated,
        "closed": session.closed.is_some(),
        "verdict": session.verdict().key(),
        "exit": exit.code(),
        "steps": steps,
    })
}
