//! `drbook records`: list, show, verify, export.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};

use crate::engine::Session;
use crate::record::store::{Entry, Store};
use crate::record::{Embedded, Record, verify};
use crate::runbook::Runbook;

use super::exit::{Exit, Failure};
use super::{Common, export, open, talk};

/// What to do with records.
#[derive(Debug, Subcommand)]
pub(crate) enum Records {
    /// List records, newest first
    List {
        /// Only those that are open
        #[arg(long)]
        open: bool,
    },
    /// Show one on the terminal
    Show(Which),
    /// Check chain, seals, sums and evidence, and judge every verdict again
    Verify(Verify),
    /// Write a report
    Export(Export),
}

/// A record.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Its id, the beginning of it, or its folder [default: the newest]
    pub(crate) record: Option<String>,
}

/// Options of `verify`.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    which: Which,
    /// A head that was kept elsewhere (hash, or hash:lines)
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
}

/// Options of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    which: Which,
    /// Format
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// File to write [default: stdout]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Formats of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Markdown
    Md,
    /// JSON
    Json,
}

pub(crate) fn records(common: &Common, command: &Records) -> Result<Exit, Failure> {
    let store = Store::at(common.places()?.records);
    match command {
        Records::List { open } => list(common, &store, *open),
        Records::Show(which) => {
            let (folder, session, events) = load(&store, which)?;
            let bytes = export::report(common, Format::Md, &folder, &session, &events)?;
            talk::bytes(&bytes);
            Ok(Exit::Passed)
        }
        Records::Verify(args) => verify_one(common, &store, args),
        Records::Export(args) => {
            let (folder, session, events) = load(&store, &args.which)?;
            let bytes = export::report(common, args.format, &folder, &session, &events)?;
            match &args.output {
                None => talk::bytes(&bytes),
                Some(path) => {
                    std::fs::write(path, &bytes)
                        .map_err(|e| Failure::unexpected(format!("{}: {e}", path.display())))?;
                    talk::say(&format!("written: {} ({} bytes)", path.display(), bytes.len()));
                }
            }
            Ok(Exit::Passed)
        }
    }
}

/// The folder of the record that was named, else of the newest.
fn folder(store: &Store, which: &Which) -> Result<PathBuf, Failure> {
    if let Some(wanted) = &which.record {
        return Ok(store.find(wanted)?);
    }
    store.list()?.into_iter().next().map(|e| e.folder).ok_or_else(|| {
        Failure::configuration(format!(
            "there are no records in {}\n  next: `drbook rehearse` makes one; --records DIR names another folder",
            store.root().display()
        ))
    })
}

fn load(store: &Store, which: &Which) -> Result<(PathBuf, Session, Vec<crate::engine::Stamped>), Failure> {
    let folder = folder(store, which)?;
    let loaded = Record::read(&folder)?;
    let (book, _) = open::embedded_book(&loaded.embedded)?;
    let mut session = Session::new(Arc::new(book));
    loaded.events.iter().for_each(|e| session.apply(e));
    Ok((folder, session, loaded.events))
}

/// Reads the runbook a record carries, for judging again.
pub(crate) fn embedded_runbook(embedded: &Embedded) -> Result<Arc<Runbook>, String> {
    open::embedded_book(embedded).map(|(book, _)| Arc::new(book)).map_err(|f| f.words)
}

fn verify_one(common: &Common, store: &Store, args: &Verify) -> Result<Exit, Failure> {
    let folder = folder(store, &args.which)?;
    let report = verify::verify(&folder, args.head.as_deref(), Some(&embedded_runbook))?;
    if common.json {
        let json = serde_json::to_string(&report).map_err(|e| Failure::unexpected(e.to_string()))?;
        talk::data(&json);
    } else {
        talk::data(&report.text());
    }
    Ok(match report.exit_code() {
        0 => Exit::Passed,
        11 => Exit::Unknown,
        30 => Exit::Damaged,
        31 => Exit::Altered,
        32 => Exit::RecoveredTail,
        _ => Exit::Unexpected,
    })
}

fn list(common: &Common, store: &Store, only_open: bool) -> Result<Exit, Failure> {
    let entries: Vec<Entry> = store.list()?.into_iter().filter(|e| !only_open || e.is_open()).collect();
    if common.json {
        let json = serde_json::to_string(&entries).map_err(|e| Failure::unexpected(e.to_string()))?;
        talk::data(&json);
        return Ok(Exit::Passed);
    }
    if entries.is_empty() {
        talk::say(&format!("no records in {}", store.root().display()));
        return Ok(Exit::Passed);
    }
    let mut out = format!(
        "{:<21} {:<10} {:<28} {:<18} {:>6}  {}\n",
        "record", "mode", "runbook", "estate", "events", "state"
    );
    for entry in entries {
        let state = match (&entry.trouble, entry.closed, &entry.holder) {
            (Some(trouble), ..) => format!("UNREADABLE: {trouble}"),
            (None, Some(closing), _) => format!("{closing:?}").to_lowercase(),
            (None, None, Some(holder)) => format!("open, held by {holder}"),
            (None, None, None) => "open (drbook resume)".to_owned(),
        };
        let mode = entry.mode.map_or("?", |m| m.key());
        let simulated = if entry.sandbox { " (SIMULATED)" } else { "" };
        out += &format!(
            "{:<21} {:<10} {:<28} {:<18} {:>6}  {}{}\n",
            entry.id,
            mode,
            crate::text::fit(entry.runbook.as_deref().unwrap_or("?"), 28, true),
            crate::text::fit(entry.estate.as_deref().unwrap_or("?"), 18, true),
            entry.events,
            state,
            simulated
        );
    }
    talk::data(&out);
    Ok(Exit::Passed)
}
