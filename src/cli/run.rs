//! `drbook run`: a drill or an incident on the servers of an estate.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use crate::clock::DrillClock;
use crate::server::Secret;

use super::exit::{Exit, Failure};
use super::open::{self, New};
use super::{Common, ModeChoice, home, identity, rehearse, walk};

/// Options of `run`.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Runbook to walk: a name or a file
    pub(crate) runbook: String,
    /// The estate
    #[arg(long, value_name = "FILE")]
    pub(crate) estate: PathBuf,
    /// What it is for
    #[arg(long, value_enum)]
    pub(crate) mode: ModeChoice,
    /// Answers for --no-input
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Ask and do nothing: print what would be asked and done, and connect to nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

pub(crate) fn run(common: &Common, args: &Run) -> Result<Exit, Failure> {
    let places = common.places()?;
    let library = open::library(&places);
    let book = open::book(&library, &args.runbook)?;
    let estate = open::estate(&args.estate)?;
    if args.dry_run {
        super::talk::data(&super::export::plan(&book.runbook, &estate, library.catalogue()));
        return Ok(Exit::Passed);
    }
    let answers =
        if common.no_input { Some(rehearse::answers_for(&book, args.answers.as_deref())?) } else { None };
    let open = open(common, &args.runbook, &args.estate, args.mode.into(), args.answers.as_deref())?;
    match answers {
        Some(answers) => walk::headless(common, open, &answers),
        None => home::interactive(common, Some((open, None))),
    }
}

/// Opens a drill or incident on an estate.
pub(crate) fn open(
    common: &Common,
    runbook: &str,
    estate: &std::path::Path,
    mode: crate::runbook::Mode,
    answers: Option<&std::path::Path>,
) -> Result<open::Open, Failure> {
    let places = common.places()?;
    let library = open::library(&places);
    let book = open::book(&library, runbook)?.with_answers(answers)?;
    let estate = open::estate(estate)?;
    let clock = DrillClock::starting_now(1.0);
    let record = identity::record_id(clock.origin);
    let hidden = super::rehearse::hidden_in(&estate);
    let new = New { book: &book, estate: &estate, mode, clock, sandbox: None, record, hidden };
    open::new_drill(common, &places, &library, &new)
}

/// Asks for a secret on the terminal, without showing it; `None` when there is no terminal or nothing was typed.
pub(crate) fn ask_secret(what: &str) -> Option<Secret> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    let mut err = std::io::stderr();
    let _ = write!(err, "{}: ", crate::text::harmless(what));
    let _ = err.flush();
    let typed = hidden_line();
    let _ = writeln!(err);
    typed.filter(|t| !t.is_empty()).map(Secret::new)
}

fn hidden_line() -> Option<String> {
    use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, read};
    if crossterm::terminal::enable_raw_mode().is_err() {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).ok()?;
        return Some(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let mut typed = String::new();
    let done = loop {
        match read() {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Enter => break Some(typed),
                KeyCode::Esc => break None,
                KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => break None,
                KeyCode::Backspace => drop(typed.pop()),
                KeyCode::Char(c) if typed.len() < 512 => typed.push(c),
                _ => {}
            },
            Ok(Event::Paste(text)) => typed.push_str(text.trim_end()),
            Ok(_) => {}
            Err(_) => break None,
        }
    };
    let _ = crossterm::terminal::disable_raw_mode();
    done
}
