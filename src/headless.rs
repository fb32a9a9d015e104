//! Headless mode: walks a drill unattended by an answers file, through the same door as the screens.
//!
//! Walks every step whose needs hold, one at a time and in order, then stops; what is left stays resumable.
//! Never overrides, skips or settles anything the answers file or the servers do not say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::check::Verdict;
use crate::drive::{Drive, News, Trouble};
use crate::engine::{ActState, Closing, Command, Second, Session, Settlement, Standing, Taken};
use crate::headless::answers::{Answers, SecondAnswer};
use crate::runbook::{Step, StepKind};

pub mod answers;

/// What the walk reports while it goes on; for stderr.
pub type Report<'a> = &'a mut dyn FnMut(&Drive, &str);

/// Why a walk ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing more can be done by the answers.
    Walked,
    /// A signal said stop.
    Interrupted,
}

/// Walks on until nothing more can be done.
pub fn walk(
    drive: &mut Drive,
    news: &Receiver<News>,
    answers: &Answers,
    interrupted: &dyn Fn() -> bool,
    report: Report<'_>,
) -> Result<End, Trouble> {
    let mut tried = BTreeSet::new();
    loop {
        if interrupted() {
            return Ok(End::Interrupted);
        }
        if is_running(drive) {
            take_news(drive, news, report)?;
            continue;
        }
        if let Some(reason) = drive.broken() {
            let path = drive.folder().to_path_buf();
            return Err(Trouble::Record(crate::record::Trouble::Broken { path, why: reason.to_owned() }));
        }
        if !next(drive, answers, &mut tried, report)? {
            break;
        }
    }
    if drive.session().open_steps().is_empty() && drive.session().closed.is_none() {
        drive.command(Command::Close { closing: Closing::Completed, text: String::new() })?;
    }
    Ok(End::Walked)
}

fn is_running(drive: &Drive) -> bool {
    let session = drive.session();
    (0..session.steps.len()).any(|i| matches!(session.standing(i), Standing::Running(_)))
        || !session.owed().is_empty()
}

fn take_news(drive: &mut Drive, news: &Receiver<News>, report: Report<'_>) -> Result<(), Trouble> {
    let mut taken: Vec<Taken> = Vec::new();
    match news.recv_timeout(Duration::from_millis(200)) {
        Ok(News::Taken(t)) => taken.push(t),
        Ok(News::Progress { .. }) | Err(RecvTimeoutError::Timeout) => {}
        // Nobody is left to bring news: whatever is owed will never come.
        Err(RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_millis(200)),
    }
    taken.extend(news.try_iter().filter_map(|n| match n {
        News::Taken(t) => Some(t),
        News::Progress { .. } => None,
    }));
    if taken.is_empty() {
        return Ok(());
    }
    let before = standings(drive);
    drive.take(taken)?;
    let after = standings(drive);
    for (id, standing) in &after {
        // What became possible is no news; what came of it is.
        let quiet = matches!(standing, Standing::Running(_) | Standing::Locked(_) | Standing::Ready);
        if before.get(id) != Some(standing) && !quiet {
            report(drive, id);
        }
    }
    Ok(())
}

fn standings(drive: &Drive) -> BTreeMap<String, Standing> {
    let session = drive.session();
    session.book.steps.iter().enumerate().map(|(i, s)| (s.id.clone(), session.standing(i))).collect()
}

/// Starts the next thing; `false` when there is nothing left to start.
fn next(
    drive: &mut Drive,
    answers: &Answers,
    tried: &mut BTreeSet<String>,
    report: Report<'_>,
) -> Result<bool, Trouble> {
    let book = drive.session().book.clone();
    for (i, step) in book.steps.iter().enumerate() {
        let standing = drive.session().standing(i);
        let commands: Vec<Command> = match standing {
            Standing::Uncertain => settle(drive, i),
            Standing::Ready | Standing::Interrupted if tried.insert(step.id.clone()) => {
                start(drive, step, i, answers)
            }
            Standing::Judged(verdict) if !verdict.opens() => {
                let waiver = answers.steps.get(&step.id).and_then(|a| a.waive.as_ref());
                match waiver {
                    Some(waiver) if tried.contains(&step.id) => vec![Command::Override {
                        step: step.id.clone(),
                        server: None,
                        reason: waiver.reason.clone(),
                        name: waiver.name.clone(),
                    }],
                    // Known not to have happened: it may be done now, once more at the most.
                    _ if is_undone(&drive.session().steps[i])
                        && tried.insert(format!("{} again", step.id)) =>
                    {
                        start(drive, step, i, answers)
                    }
                    // Red before this walk began (a resume): asked once more.
                    _ if tried.insert(step.id.clone()) => start(drive, step, i, answers),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        };
        let mut done = false;
        for command in commands {
            match drive.command(command) {
                Ok(_) => done = true,
                Err(Trouble::Refused(refusal)) => {
                    say_refusal(drive, step, &refusal, report);
                }
                Err(other) => return Err(other),
            }
        }
        if done {
            if !matches!(drive.session().standing(i), Standing::Running(_)) {
                report(drive, &step.id);
            }
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the last attempt failed because an action, uncertain at first, turned out not to have happened.
fn is_undone(state: &crate::engine::StepState) -> bool {
    state.attempts.last().is_some_and(|a| {
        a.acts.iter().any(|d| !d.hold && d.state == ActState::Settled(Settlement::DidNotHappen))
    })
}

fn say_refusal(drive: &Drive, step: &Step, refusal: &crate::engine::Refusal, report: Report<'_>) {
    let words = crate::locale::Words::of(crate::text::Language::En).refusal(refusal);
    report(drive, &format!("{}: {words}", step.id));
}

/// Uncertain actions are settled only where the servers' own state says how.
fn settle(drive: &Drive, index: usize) -> Vec<Command> {
    let session = drive.session();
    let Some(attempt) = session.steps[index].attempts.last() else { return Vec::new() };
    let uncertain = attempt.acts.iter().filter(|d| !d.hold && matches!(d.state, ActState::Uncertain(_)));
    uncertain
        .filter_map(|d| {
            let settlement = session.suggestion(&d.act)?;
            let reason = "unattended: as the server's own state says".to_owned();
            Some(Command::Settle { act: d.act.clone(), settlement, reason })
        })
        .collect()
}

fn start(drive: &Drive, step: &Step, index: usize, answers: &Answers) -> Vec<Command> {
    let given = answers.steps.get(&step.id).cloned().unwrap_or_default();
    let id = step.id.clone();
    if let Some(skip) = given.skip {
        return vec![Command::Skip { step: id, reason: skip.reason }];
    }
    let session = drive.session();
    let last = session.steps[index].attempts.last();
    match &step.kind {
        StepKind::Check(_) | StepKind::Wait { .. } => vec![Command::Ask { step: id }],
        StepKind::Enter(fields) => {
            let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
            vec![Command::Enter { values: answers.fields(&step.id, &names), step: id }]
        }
        StepKind::Manual { prove, .. } => {
            if last.is_some_and(|a| a.said.is_some()) && !prove.is_empty() {
                return vec![Command::Ask { step: id }];
            }
            match given.done.words() {
                Some(words) => vec![Command::Say { step: id, text: words.to_owned() }],
                None if answers.defaults.done => vec![Command::Say { step: id, text: String::new() }],
                None => Vec::new(),
            }
        }
        StepKind::Do(_) => {
            // What took effect before a restart is proved, not done again.
            let took_effect = last.is_some_and(|a| {
                let mut own = a.acts.iter().filter(|d| !d.hold).peekable();
                own.peek().is_some() && own.all(|d| d.state.happened())
            });
            if took_effect && last.is_none_or(|a| a.outcome.is_none_or(Verdict::opens)) {
                return vec![Command::Ask { step: id }];
            }
            if let Some(words) = given.done.words() {
                return vec![Command::Say { step: id, text: words.to_owned() }];
            }
            let second = given.second.as_ref().or(answers.defaults.second.as_ref()).map(second);
            let typed = given.confirm.map(|names| typed(session, step, names));
            vec![Command::Act { step: id, typed, second }]
        }
    }
}

/// What the answers file types before an action: of the servers it names, those that are still to be acted on.
fn typed(session: &Session, step: &Step, names: String) -> String {
    let Some(kind) = step.guard.as_ref().and_then(|g| g.typed) else { return names };
    let wanted = session.must_be_typed(step, kind);
    let named = |name: &str| names.split([' ', ',']).any(|n| n.eq_ignore_ascii_case(name));
    if wanted.split(' ').all(named) { wanted } else { names }
}

fn second(answer: &SecondAnswer) -> Second {
    match (&answer.name, &answer.not_available) {
        (Some(name), _) => Second::Confirmed { name: name.clone(), identified: answer.identified.clone() },
        (None, reason) => Second::NotAvailable { reason: reason.clone().unwrap_or_default() },
    }
}
