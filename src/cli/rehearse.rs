//! `drbook rehearse`: a drill on simulated servers that this process starts.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::clock::DrillClock;
use crate::estate::Estate;
use crate::runbook::Mode;
use crate::sandbox as simulated;

use super::exit::{Exit, Failure};
use super::open::{self, New};
use super::{Common, home, identity, talk, walk};

/// Drill seconds per real second: minutes of waiting become seconds. Faster would do for the sandbox, but a watch
/// that asks every few seconds must still be quicker than the jobs it watches.
const SPEED: f64 = 20.0;

/// Options of `rehearse`.
#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// World to simulate: a name (`drbook sandbox worlds`) or a file
    #[arg(default_value = "biztalk")]
    pub(crate) world: String,
    /// Runbook to walk: a name or a file
    #[arg(long, default_value = "biztalk-restore-to-mark")]
    pub(crate) runbook: String,
    /// Put a fault in, as `name`, `name=SERVER` or `name=SERVER/DATABASE`; repeatable (`drbook sandbox faults`).
    /// `random` draws one that you do not see before the end
    #[arg(long = "fault", value_name = "FAULT")]
    pub(crate) faults: Vec<String>,
    /// Drill seconds per real second [default: 20; 30 with --no-input]
    #[arg(long)]
    pub(crate) speed: Option<f64>,
    /// Answers for --no-input [default: the ones shipped beside the runbook]
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Seed of the simulated world's ids and of `--fault random` [default: 1; by chance for `random`]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

pub(crate) fn rehearse(common: &Common, args: &Rehearse) -> Result<Exit, Failure> {
    let rehearsal = start(common, args)?;
    if common.no_input {
        let answers = rehearsal.answers(args.answers.as_deref())?;
        let Rehearsal { open, sandbox, .. } = rehearsal;
        let exit = walk::headless(common, open, &answers);
        drop(sandbox);
        return exit;
    }
    home::interactive(common, Some((rehearsal.open, Some(rehearsal.sandbox))))
}

/// Why there are no simulated servers; what the system refused is answered with what to look at.
pub(crate) fn not_started(why: String) -> Failure {
    if why.contains("(os error") && !why.contains("next:") {
        return Failure::configuration(format!(
            "{why}\n  next: check that the folder exists, is writable and has space; --home DIR names another"
        ));
    }
    Failure::configuration(why)
}

/// The seed that was named; else the same for everybody, but none that tells what is drawn.
pub(crate) fn seed(named: Option<u64>, faults: &[String]) -> u64 {
    let drawn = faults.iter().any(|f| f.trim() == "random");
    named.unwrap_or_else(|| if drawn { identity::chance_number() } else { 1 })
}

/// A clock that stands still or runs away helps nobody.
pub(crate) fn check_speed(speed: f64) -> Result<(), Failure> {
    if (0.1..=1000.0).contains(&speed) {
        return Ok(());
    }
    Err(Failure::usage(format!("--speed {speed}: it lies between 0.1 and 1000")))
}

/// A rehearsal that is open, with its servers.
pub(crate) struct Rehearsal {
    pub(crate) open: open::Open,
    pub(crate) sandbox: simulated::Running,
    book: open::Book,
}

impl Rehearsal {
    fn answers(&self, file: Option<&Path>) -> Result<crate::headless::answers::Answers, Failure> {
        answers_for(&self.book, file)
    }
}

/// The answers of a file, else the ones shipped beside the runbook.
pub(crate) fn answers_for(
    book: &open::Book,
    file: Option<&Path>,
) -> Result<crate::headless::answers::Answers, Failure> {
    let (path, text) = match (file, &book.answers) {
        (Some(file), _) => (file.display().to_string(), open::text(file)?),
        (None, Some(shipped)) => shipped.clone(),
        (None, None) => {
            return Err(Failure::usage(format!(
                "--no-input needs --answers FILE: there are none beside {}",
                book.runbook.id
            )));
        }
    };
    open::answers(&path, &text, &book.runbook)
}

/// Starts the servers and opens the drill.
pub(crate) fn start(common: &Common, args: &Rehearse) -> Result<Rehearsal, Failure> {
    let speed = args.speed.unwrap_or(SPEED);
    check_speed(speed)?;
    let places = common.places()?;
    let library = open::library(&places);
    let book = open::book(&library, &args.runbook)?.with_answers(args.answers.as_deref())?;
    let world = open::world(&library, &args.world)?;
    if common.no_input {
        // Before a drill is opened that nobody could walk.
        answers_for(&book, args.answers.as_deref())?;
    }
    let clock = DrillClock::starting_now(speed);
    let record = identity::record_id(clock.origin);
    let folder = places.sandboxes.join(&record);
    std::fs::create_dir_all(&places.sandboxes).map_err(|e| {
        Failure::configuration(format!(
            "{}: {e}\n  next: check that the folder can be made and written; --home DIR names another",
            places.sandboxes.display()
        ))
    })?;
    let sandbox = simulated::start(&simulated::Wanted {
        world: world.text.into_owned(),
        folder: folder.clone(),
        clock,
        seed: seed(args.seed, &args.faults),
        password: identity::chance()[..24].to_owned(),
        faults: args.faults.clone(),
        salt: identity::chance(),
        port_base: None,
    })
    .map_err(not_started)?;
    let estate = estate_of(&sandbox, &args.world)?;
    let new = New {
        book: &book,
        estate: &estate,
        mode: Mode::Rehearsal,
        clock,
        sandbox: Some(folder),
        record,
        hidden: sandbox.hidden().cloned(),
    };
    let open = open::new_drill(common, &places, &library, &new)?;
    if common.no_input {
        talk::say(&format!("SIMULATED: {} on world {}, clock x{speed}", book.runbook.id, args.world));
    }
    Ok(Rehearsal { open, sandbox, book })
}

/// Starts the servers of an open rehearsal again.
pub(crate) fn reopen(folder: &Path) -> Result<(simulated::Running, Estate), Failure> {
    let sandbox = simulated::reopen(folder).map_err(not_started)?;
    let estate = estate_of(&sandbox, sandbox.world())?;
    Ok((sandbox, estate))
}

/// The fault hidden in the sandbox that an estate file of `drbook sandbox serve` reaches, on this computer.
pub(crate) fn hidden_in(estate: &Estate) -> Option<simulated::Hidden> {
    if estate.environment != "sandbox" {
        return None;
    }
    let ca = estate.servers.values().find_map(|s| match &s.tls {
        crate::estate::Tls::Ca(file) => Some(file.as_str()),
        _ => None,
    })?;
    simulated::hidden_beside(Path::new(ca))
}

/// The estate that reaches a running sandbox.
pub(crate) fn estate_of(sandbox: &simulated::Running, name: &str) -> Result<Estate, Failure> {
    let text = sandbox.estate_yaml(name);
    let (estate, problems) = crate::estate::parse::parse(&text);
    estate.ok_or_else(|| {
        let first = problems.first().map_or(String::new(), |p| p.message.clone());
        Failure::unexpected(format!("the sandbox's own estate cannot be read: {first}"))
    })
}
