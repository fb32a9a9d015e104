//! `drbook resume`: go on with an open drill, a rehearsal's servers included.

use std::path::PathBuf;

use clap::Args;

use crate::engine::{Event, Opened};
use crate::record::Record;
use crate::record::store::Store;
use crate::sandbox as simulated;

use super::exit::{Exit, Failure};
use super::open::{self, Open};
use super::{Common, home, identity, rehearse, walk};

/// Options of `resume`.
#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The record: its id, the beginning of it, or its folder [default: the newest that is open]
    pub(crate) record: Option<String>,
    /// The estate, when the drill is not a rehearsal
    #[arg(long, value_name = "FILE")]
    pub(crate) estate: Option<PathBuf>,
    /// Answers for --no-input
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Take a lock over whose holder is gone for good (another computer, a share)
    #[arg(long)]
    pub(crate) take_over: bool,
}

pub(crate) fn resume(common: &Common, args: &Resume) -> Result<Exit, Failure> {
    let (open, sandbox, text) = reopen(common, args)?;
    if common.no_input {
        let places = common.places()?;
        let library = open::library(&places);
        let book = open.drive.session().book.clone();
        let shipped = library.answers(&book.id).ok().map(|e| (e.path, e.text.into_owned()));
        let book = open::Book { runbook: book, text, answers: shipped };
        let answers = rehearse::answers_for(&book, args.answers.as_deref())?;
        let exit = walk::headless(common, open, &answers);
        drop(sandbox);
        return exit;
    }
    home::interactive(common, Some((open, sandbox)))
}

/// Opens a record to go on; the third value is the runbook's text.
pub(crate) fn reopen(
    common: &Common,
    args: &Resume,
) -> Result<(Open, Option<simulated::Running>, String), Failure> {
    let places = common.places()?;
    let store = Store::at(&places.records);
    let folder = match &args.record {
        Some(name) => store.find(name)?,
        None => store.newest_open()?.map(|e| e.folder).ok_or_else(|| {
            Failure::configuration(format!(
                "no drill is open in {}\n  next: start one with `drbook rehearse` or `drbook run`",
                places.records.display()
            ))
        })?,
    };
    let operator = identity::operator(common.operator.as_deref());
    let holder = open::holder(&operator, &identity::host());
    let (record, loaded) = Record::resume(&folder, &holder, args.take_over)?;
    let Some(Event::Opened(opened)) = loaded.events.first().map(|s| s.event.clone()) else {
        return Err(Failure::configuration(format!(
            "{} has no first event; nothing was ever done in it",
            folder.display()
        )));
    };
    if loaded.events.iter().any(|s| matches!(s.event, Event::Closed { .. })) {
        return Err(Failure::configuration(format!(
            "{} is closed\n  next: `drbook records show {}`",
            folder.display(),
            opened.record
        )));
    }
    let text = loaded.embedded.runbook.clone();
    if crate::record::sha256(text.as_bytes()) != opened.runbook_sha256 {
        return Err(crate::record::Trouble::Altered {
            path: folder.join("runbook.yaml"),
            line: 1,
            why: "the runbook is not the one the drill was opened with".to_owned(),
        }
        .into());
    }
    let (sandbox, estate) = servers(args, &opened)?;
    let shipped = open::library(&places).answers(&opened.runbook).ok().map(|e| (e.path, e.text.into_owned()));
    let shipped = sandbox.as_ref().and(shipped);
    let mut open = open::resume_drill(common, record, loaded, &opened, &estate, shipped.as_ref())?;
    let hidden = match &sandbox {
        Some(sandbox) => sandbox.hidden().cloned(),
        None => rehearse::hidden_in(&estate),
    };
    // Another world's secret is none of this record's.
    let hidden = hidden.filter(|h| opened.fault_commitment.as_ref() == Some(&h.commitment()));
    open.drive.set_reveal(hidden.as_ref().map(open::reveal));
    Ok((open, sandbox, text))
}

fn servers(
    args: &Resume,
    opened: &Opened,
) -> Result<(Option<simulated::Running>, crate::estate::Estate), Failure> {
    match (&opened.sandbox, &args.estate) {
        (Some(folder), None) => {
            let (sandbox, estate) = rehearse::reopen(folder.as_ref())?;
            Ok((Some(sandbox), estate))
        }
        (_, Some(file)) => {
            let estate = open::estate(file)?;
            let missing: Vec<&str> = opened
                .inputs
                .servers
                .keys()
                .filter(|s| !estate.servers.contains_key(*s))
                .map(String::as_str)
                .collect();
            if !missing.is_empty() {
                return Err(Failure::configuration(format!(
                    "{} does not have the servers the drill was opened with: {}",
                    file.display(),
                    missing.join(", ")
                )));
            }
            Ok((None, estate))
        }
        (None, None) => Err(Failure::usage(
            "the record holds no secrets: name the estate file with --estate to reach its servers again",
        )),
    }
}
