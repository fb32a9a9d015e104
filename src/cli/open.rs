//! Opening a drill: everything that can fail does so here, before the first step.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use crate::clock::DrillClock;
use crate::config::{self, Places};
use crate::diagnostic::{self, Diagnostic, Severity};
use crate::drive::{Drive, News, Post};
use crate::engine::Opened;
use crate::errand::Plays;
use crate::estate::Estate;
use crate::headless::answers::Answers;
use crate::library::Library;
use crate::record::{Embedded, Loaded, Record, sha256};
use crate::runbook::{Mode, Runbook};
use crate::server::{Pool, Secret};
use crate::sql::{Catalogue, Query};

use super::exit::Failure;
use super::{Common, identity, talk};

/// Version of the record's format.
pub(crate) const FORMAT: u32 = 1;

/// A checked runbook with its exact text, and the answers (path, text) given for it or shipped beside it.
pub(crate) struct Book {
    pub(crate) runbook: Arc<Runbook>,
    pub(crate) text: String,
    pub(crate) answers: Option<(String, String)>,
}

impl Book {
    /// With the answers of a file instead of the shipped ones, when one is named.
    pub(crate) fn with_answers(self, file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(self) };
        Ok(Self { answers: Some((file.display().to_string(), text(file)?)), ..self })
    }
}

/// A drill that is open, and where its news comes from.
pub(crate) struct Open {
    pub(crate) drive: Drive,
    pub(crate) news: Receiver<News>,
    pub(crate) catalogue: Arc<Catalogue>,
}

/// The files of the program and the user; problems in the user's files are said, and stop nothing else.
pub(crate) fn library(places: &Places) -> Library {
    let own = places.library.is_dir().then_some(places.library.as_path());
    let (library, problems) = Library::load(own);
    for (path, problem) in problems {
        talk::say(diagnostic::concise(&path, &[problem]).trim_end());
    }
    library
}

/// A runbook by name or path, parsed and linted; its problems are shown, errors refuse it.
pub(crate) fn book(library: &Library, name: &str) -> Result<Book, Failure> {
    let found = library.runbook(name).map_err(|problem| {
        Failure::configuration(format!("{}\n  next: {}", problem.message, problem.help))
    })?;
    let (runbook, problems) = check_book(&found.text, library.catalogue());
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
    if errors > 0 {
        talk::say(&diagnostic::render(&found.path, &found.text, &problems, false));
    }
    match runbook {
        Some(runbook) if errors == 0 => {
            // A runbook given as a file has its answers beside it.
            let answers = library.answers(name).ok().map(|e| (e.path, e.text.into_owned()));
            Ok(Book { runbook: Arc::new(runbook), text: found.text.into_owned(), answers })
        }
        _ => Err(Failure::lint(format!(
            "{}: {errors} errors; `drbook lint {name}` shows them all",
            found.path
        ))),
    }
}

/// A world by name or path; its problems are shown, and refuse it.
pub(crate) fn world(library: &Library, name: &str) -> Result<crate::library::Entry, Failure> {
    let found = library.world(name).map_err(|problem| {
        Failure::configuration(format!("{}\n  next: {}", problem.message, problem.help))
    })?;
    let problems = crate::sandbox::check_world(&found.text);
    if problems.is_empty() {
        return Ok(found);
    }
    talk::say(&diagnostic::render(&found.path, &found.text, &problems, false));
    Err(Failure::configuration(format!(
        "{}: the world cannot be used\n  next: repair what is named above and try again",
        found.path
    )))
}

/// Parse and lint in one.
pub(crate) fn check_book(text: &str, catalogue: &Catalogue) -> (Option<Runbook>, Vec<Diagnostic>) {
    let (runbook, mut problems) = crate::runbook::parse::parse(text);
    if let Some(runbook) = &runbook {
        problems.extend(crate::runbook::lint::lint(runbook, text, catalogue));
    }
    problems.truncate(crate::limits::PROBLEMS);
    (runbook, problems)
}

/// An estate file, checked.
pub(crate) fn estate(path: &Path) -> Result<Estate, Failure> {
    let text = text(path)?;
    let (estate, problems) = crate::estate::parse::parse(&text);
    if !problems.is_empty() {
        talk::say(&diagnostic::render(&path.display().to_string(), &text, &problems, false));
    }
    let errors = problems.iter().any(|p| p.severity == Severity::Error);
    estate
        .filter(|_| !errors)
        .ok_or_else(|| {
            let path = path.display();
            Failure::configuration(format!(
                "{path}: the estate cannot be used\n  next: repair it; `drbook lint {path}` shows all that is wrong"
            ))
        })
}

/// The text of a file that a person named.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    crate::library::read_text(path)
        .map_err(|problem| Failure::configuration(format!("{}\n  next: {}", problem.message, problem.help)))
}

/// An answers file, checked against the runbook.
pub(crate) fn answers(path: &str, text: &str, book: &Runbook) -> Result<Answers, Failure> {
    let (answers, problems) = Answers::read(text);
    if !problems.is_empty() {
        talk::say(&diagnostic::render(path, text, &problems, false));
        return Err(Failure::configuration(format!("{path}: the answers cannot be used")));
    }
    let strangers = answers.strangers(book);
    if !strangers.is_empty() {
        return Err(Failure::configuration(format!(
            "{path}: no such step: {}\n  next: the steps of {} are: {}",
            strangers.join(", "),
            book.id,
            book.steps.iter().map(|s| s.id.as_str()).collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(answers)
}

/// What a new drill is about.
pub(crate) struct New<'a> {
    pub(crate) book: &'a Book,
    pub(crate) estate: &'a Estate,
    pub(crate) mode: Mode,
    pub(crate) clock: DrillClock,
    /// State folder of drbook's own sandbox.
    pub(crate) sandbox: Option<PathBuf>,
    pub(crate) record: String,
    /// The fault that is hidden from the operator.
    pub(crate) hidden: Option<crate::sandbox::Hidden>,
}

/// The event's words for a hidden fault.
pub(crate) fn reveal(hidden: &crate::sandbox::Hidden) -> crate::engine::Reveal {
    crate::engine::Reveal { fault: hidden.fault.clone(), salt: hidden.salt.clone() }
}

/// Opens a new drill.
pub(crate) fn new_drill(
    common: &Common,
    places: &Places,
    library: &Library,
    new: &New<'_>,
) -> Result<Open, Failure> {
    let operator = identity::operator(common.operator.as_deref());
    let host = identity::host();
    let catalogue = Arc::new(library.catalogue().clone());
    let book = &new.book.runbook;
    for role in book.roles.keys() {
        if new.estate.roles.get(role).is_none_or(Vec::is_empty) {
            return Err(Failure::configuration(format!(
                "estate {} names nobody for the role `{role}` of {}\n  next: add it under `roles:`",
                new.estate.name, book.id
            )));
        }
    }
    if !book.modes.contains(&new.mode) {
        let modes = book.modes.iter().map(|m| m.key()).collect::<Vec<_>>().join(", ");
        return Err(Failure::configuration(format!(
            "{} may not be walked as {}; its modes are: {modes}",
            book.id,
            new.mode.key()
        )));
    }
    let embedded = embed(&new.book.text, &catalogue, book);
    let mut inputs = new.estate.inputs();
    for (name, value) in config::THRESHOLDS {
        inputs.thresholds.entry(name.to_owned()).or_insert(value);
    }
    let store = crate::record::store::Store::at(&places.records);
    let previous_head = store.newest_of(&new.estate.name)?.and_then(|e| e.head);
    let opened = Opened {
        format: FORMAT,
        record: new.record.clone(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        analyses: crate::analysis::ALL.iter().map(|a| (a.name.to_owned(), a.version)).collect(),
        operator: operator.clone(),
        host: host.clone(),
        mode: new.mode,
        runbook: book.id.clone(),
        runbook_version: book.version,
        runbook_sha256: sha256(new.book.text.as_bytes()),
        queries: embedded.queries.iter().map(|(n, t)| (n.clone(), sha256(t.as_bytes()))).collect(),
        inputs,
        rto_seconds: book.rto.map(|s| s.ms as f64 / 1000.0),
        rpo_seconds: book.rpo.map(|s| s.ms as f64 / 1000.0),
        clock: new.clock,
        sandbox: new.sandbox.as_ref().map(|p| p.display().to_string()),
        fault_commitment: new.hidden.as_ref().map(crate::sandbox::Hidden::commitment),
        previous_head,
    };
    let (pool, plays) =
        pool(common, new.estate, &catalogue, new.book.answers.as_ref().filter(|_| is_staged(new)));
    let record = Record::create(&places.records, &new.record, &embedded, &holder(&operator, &host))?;
    let (post, news) = channel_for_news();
    let mut drive = Drive::open(book.clone(), record, opened, pool, Arc::new(new.clock), post)?;
    drive.set_plays(plays);
    drive.set_reveal(new.hidden.as_ref().map(reveal));
    Ok(Open { drive, news, catalogue })
}

/// Whether computers that are not simulated have a part to play: only in a rehearsal, and only on an estate that says
/// it is a sandbox (a server that is none does not know the procedures).
fn is_staged(new: &New<'_>) -> bool {
    new.mode == Mode::Rehearsal && (new.sandbox.is_some() || new.estate.environment == "sandbox")
}

/// Takes a recorded drill up again. `estate` is how its servers are reached today.
pub(crate) fn resume_drill(
    common: &Common,
    record: Record,
    loaded: Loaded,
    opened: &Opened,
    estate: &Estate,
    answers: Option<&(String, String)>,
) -> Result<Open, Failure> {
    let operator = identity::operator(common.operator.as_deref());
    let (book, catalogue) = embedded_book(&loaded.embedded)?;
    let catalogue = Arc::new(catalogue);
    let (pool, plays) = pool(common, estate, &catalogue, answers);
    let (post, news) = channel_for_news();
    let clock = Arc::new(opened.clock);
    let mut drive =
        Drive::resume(Arc::new(book), record, loaded, operator, identity::host(), pool, clock, post)?;
    drive.set_plays(plays);
    Ok(Open { drive, news, catalogue })
}

/// The runbook and queries a record carries.
pub(crate) fn embedded_book(embedded: &Embedded) -> Result<(Runbook, Catalogue), Failure> {
    let (book, problems) = crate::runbook::parse::parse(&embedded.runbook);
    let files = embedded.queries.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let (catalogue, _) = crate::sql::header::catalogue(files);
    let book = book.ok_or_else(|| {
        let first = problems.first().map_or(String::new(), |p| p.message.clone());
        Failure::configuration(format!("the runbook in the record cannot be read: {first}"))
    })?;
    Ok((book, catalogue))
}

/// Host, process and operator, for the lock.
pub(crate) fn holder(operator: &str, host: &str) -> String {
    crate::record::holder(operator, host, std::process::id(), crate::clock::system_now())
}

/// The servers; and, on drbook's own sandbox, what they are told when manual steps are done.
fn pool(
    common: &Common,
    estate: &Estate,
    catalogue: &Arc<Catalogue>,
    answers: Option<&(String, String)>,
) -> (Pool, Plays) {
    let can_ask = !common.no_input;
    let mut prompt =
        |what: &str| -> Option<Secret> { if can_ask { super::run::ask_secret(what) } else { None } };
    let targets = crate::server::targets(estate, &mut prompt);
    let answers = answers.map(|(_, text)| Answers::read(text).0).unwrap_or_default();
    let (staged, plays) = super::stage::plays(catalogue, &answers, estate);
    (Pool::new(targets, Arc::new(staged), estate.management_database.clone()), plays)
}

fn channel_for_news() -> (Post, Receiver<News>) {
    let (sender, receiver) = channel();
    let sender = std::sync::Mutex::new(sender);
    let post: Post = Arc::new(move |news| {
        if let Ok(sender) = sender.lock() {
            // Nobody listens any more when the program is ending.
            let _ = sender.send(news);
        }
    });
    (post, receiver)
}

/// The runbook's text and every query variant it may send.
fn embed(text: &str, catalogue: &Catalogue, book: &Runbook) -> Embedded {
    let mut queries = BTreeMap::new();
    for query in catalogue.iter().filter(|q| uses(book, q)) {
        for variant in &query.variants {
            let name = format!("{}.since-{}.sql", query.name.replace('/', "."), variant.since);
            queries.insert(name, variant.text.clone());
        }
    }
    Embedded { runbook: text.to_owned(), queries }
}

fn uses(book: &Runbook, query: &Query) -> bool {
    // The engine's own job queries belong to every book that acts on jobs.
    let own =
        ["agent/start-job", "agent/disable-job", "agent/enable-job", "agent/hold-job", "agent/job-outcome"];
    book.queries().contains(query.name.as_str())
        || (!book.is_read_only() && own.contains(&query.name.as_str()))
}
