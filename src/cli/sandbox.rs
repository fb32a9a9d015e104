//! `drbook sandbox`: simulated SQL Servers on this computer, for rehearsals, tests and trying clients out.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::clock::DrillClock;
use crate::sandbox as simulated;

use super::exit::{Exit, Failure};
use super::{Common, identity, open, talk, walk};

/// What to do with the sandbox.
#[derive(Debug, Subcommand)]
pub(crate) enum Sandbox {
    /// Run a world until told to stop; prints an estate file that reaches it, then `ready`
    Serve(Serve),
    /// Write a world that is not being served as one file, to be opened here or on another computer
    Save(Save),
    /// Run a world that was saved as a file, or that lies in a folder
    Open(Open),
    /// List the faults that can be put in, and the worlds they fit
    Faults,
    /// List the worlds
    Worlds,
}

/// Options of `serve`.
#[derive(Debug, Args)]
#[command(after_long_help = CLOCK)]
pub(crate) struct Serve {
    /// World to simulate: a name or a file
    #[arg(long, default_value = "biztalk")]
    world: String,
    /// The n-th server listens on this port + n - 1 [default: free ports]
    #[arg(long, value_name = "PORT")]
    port_base: Option<u16>,
    /// Password of `sa` [default: a generated one]
    #[arg(long, env = "DRBOOK_SANDBOX_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Put a fault in, as `name`, `name=SERVER` or `name=SERVER/DATABASE`; repeatable. `random` draws one
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,
    /// Drill seconds per real second
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Let the clock stand still; it is stepped with `EXEC master.dbo.sandbox_Clock`
    #[arg(long, conflicts_with = "speed")]
    paused: bool,
    /// What the clock shows at the start, as 2026-01-05T08:00:00Z: same seed and time, same files [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<chrono::DateTime<chrono::Utc>>,
    /// Seed of the world's ids and of `--fault random` [default: 1; by chance for `random`]
    #[arg(long)]
    seed: Option<u64>,
    /// Folder for the world's state; an existing one is opened again [default: a new one]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// How the clock of a served world is moved.
const CLOCK: &str = "The clock of a served world, from any client that is logged in as sa:
  EXEC master.dbo.sandbox_Clock @step = '15m'   lets a quarter of an hour happen at once
  EXEC master.dbo.sandbox_Clock @speed = 60     a drill minute per real second; 0 = it stands still
  EXEC master.dbo.sandbox_Clock                 says what it shows";

/// Options of `save`.
#[derive(Debug, Args)]
pub(crate) struct Save {
    /// The world's state: its folder, or its name in the folder of sandboxes
    state: PathBuf,
    /// File to write
    file: PathBuf,
}

/// Options of `open`.
#[derive(Debug, Args)]
pub(crate) struct Open {
    /// A file that `save` wrote, or a state folder
    from: PathBuf,
    /// Folder to unpack a file to [default: a new one]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The n-th server listens on this port + n - 1 [default: the ports it was served on, else free ones]
    #[arg(long, value_name = "PORT")]
    port_base: Option<u16>,
}

pub(crate) fn sandbox(common: &Common, command: &Sandbox) -> Result<Exit, Failure> {
    match command {
        Sandbox::Serve(args) => serve(common, args),
        Sandbox::Save(args) => save(common, args),
        Sandbox::Open(args) => open_again(common, args),
        Sandbox::Faults => faults(common),
        Sandbox::Worlds => worlds(common),
    }
}

fn faults(common: &Common) -> Result<Exit, Failure> {
    let library = open::library(&common.places()?);
    let worlds: Vec<String> = library.worlds().map(|w| w.text.to_string()).collect();
    let faults = simulated::faults(&worlds);
    if common.json {
        talk::data(&serde_json::Value::from(faults).to_string());
    } else {
        for fault in faults {
            let text = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
            let fits = fault["worlds"].as_array().map_or_else(String::new, |all| {
                all.iter().filter_map(|w| w.as_str()).collect::<Vec<_>>().join(", ")
            });
            talk::data(&format!("{:<20} {:<9} {}", text("id"), text("when"), text("imitates")));
            talk::data(&format!("{:<30} fits {fits}", ""));
        }
    }
    Ok(Exit::Passed)
}

fn worlds(common: &Common) -> Result<Exit, Failure> {
    let library = open::library(&common.places()?);
    let all: Vec<(String, String)> = library.worlds().map(|w| (w.name.clone(), w.text.to_string())).collect();
    let worlds = simulated::worlds(&all);
    if common.json {
        talk::data(&serde_json::Value::from(worlds).to_string());
        return Ok(Exit::Passed);
    }
    for world in worlds {
        let text = |key: &str| world[key].as_str().unwrap_or_default().to_owned();
        match world["trouble"].as_str() {
            None => talk::data(&format!("{:<24} {}", text("id"), text("title"))),
            Some(why) => talk::data(&format!("{:<24} CANNOT BE USED: {why}", text("id"))),
        }
    }
    Ok(Exit::Passed)
}

fn serve(common: &Common, args: &Serve) -> Result<Exit, Failure> {
    super::rehearse::check_speed(args.speed)?;
    if let Some(password) = &args.password
        && !(1..=128).contains(&password.chars().count())
    {
        return Err(Failure::usage("the password of `sa` has 1 to 128 characters"));
    }
    if args.at.is_some_and(|at| !(2000..2100).contains(&chrono::Datelike::year(&at))) {
        return Err(Failure::usage("--at lies between the years 2000 and 2099"));
    }
    let places = common.places()?;
    let stop = walk::interrupted();
    if let Some(folder) = &args.state
        && let Some(password) = simulated::password_in(folder)
    {
        let password = password.map_err(Failure::configuration)?;
        opened_as_asked(args, folder, &password)?;
        return Ok(run_until_stopped(
            simulated::reopen_on(folder, args.port_base).map_err(super::rehearse::not_started)?,
            &stop,
        ));
    }
    let library = open::library(&places);
    let world = open::world(&library, &args.world)?;
    let clock = DrillClock::starting_now(if args.paused { 0.0 } else { args.speed });
    let clock = args.at.map_or(clock, |at| clock.showing(at));
    let folder = args.state.clone().unwrap_or_else(|| new_folder(&places));
    let sandbox = simulated::start(&simulated::Wanted {
        world: world.text.into_owned(),
        folder,
        clock,
        seed: super::rehearse::seed(args.seed, &args.faults),
        password: args.password.clone().unwrap_or_else(|| identity::chance()[..24].to_owned()),
        faults: args.faults.clone(),
        salt: identity::chance(),
        port_base: args.port_base,
    })
    .map_err(super::rehearse::not_started)?;
    Ok(run_until_stopped(sandbox, &stop))
}

/// What a world was made with cannot be changed when it is opened again.
fn opened_as_asked(args: &Serve, folder: &Path, password: &str) -> Result<(), Failure> {
    let there = || format!("{} holds a world that is opened again", folder.display());
    if !args.faults.is_empty() {
        return Err(Failure::usage(format!(
            "{}: faults are put in when a world is made\n  next: leave --fault out, or name a new folder",
            there()
        )));
    }
    if args.at.is_some() {
        return Err(Failure::usage(format!(
            "{}: its clock has gone on\n  next: leave --at out and step the clock, or name a new folder",
            there()
        )));
    }
    if args.password.as_ref().is_some_and(|p| p != password) {
        return Err(Failure::usage(format!(
            "{}: it has another password\n  next: leave the password out, or name a new folder",
            there()
        )));
    }
    Ok(())
}

fn new_folder(places: &crate::config::Places) -> PathBuf {
    let clock = DrillClock::starting_now(1.0);
    places.sandboxes.join(format!("served-{}", identity::record_id(clock.origin)))
}

fn run_until_stopped(sandbox: simulated::Running, stop: &std::sync::atomic::AtomicBool) -> Exit {
    let folder = sandbox.folder().display().to_string();
    talk::say(&format!("SIMULATED: world {}; its state lies in {folder}", sandbox.world()));
    if let Some(hidden) = sandbox.hidden() {
        talk::say(&format!("a fault is hidden in it; the commitment is {}", hidden.commitment()));
    }
    talk::data(sandbox.estate_yaml(sandbox.world()).trim_end());
    talk::data("ready");
    while !stop.load(std::sync::atomic::Ordering::SeqCst) {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let hidden = sandbox.hidden().cloned();
    drop(sandbox);
    if let Some(hidden) = hidden {
        talk::say(&format!("the hidden fault was {} (salt {})", hidden.fault, hidden.salt));
    }
    talk::say(&format!("stopped; go on with `drbook sandbox open {folder}`"));
    Exit::Passed
}

/// A state folder by path, or by its name among the sandboxes.
fn state_folder(common: &Common, named: &Path) -> Result<PathBuf, Failure> {
    let own = common.places()?.sandboxes.join(named);
    let found = [named.to_owned(), own].into_iter().find(|f| simulated::password_in(f).is_some());
    found.ok_or_else(|| {
        Failure::configuration(format!(
            "{} is no folder with a world in it\n  next: name the folder that `drbook sandbox serve` said its state lies in",
            named.display()
        ))
    })
}

fn save(common: &Common, args: &Save) -> Result<Exit, Failure> {
    let folder = state_folder(common, &args.state)?;
    let files = simulated::save(&folder, &args.file).map_err(super::rehearse::not_started)?;
    talk::say(&format!(
        "saved {files} files of {} as {}; it holds the world's passwords",
        folder.display(),
        args.file.display()
    ));
    Ok(Exit::Passed)
}

fn open_again(common: &Common, args: &Open) -> Result<Exit, Failure> {
    let stop = walk::interrupted();
    let folder = if args.from.is_file() {
        let folder = match &args.state {
            Some(folder) => folder.clone(),
            None => new_folder(&common.places()?),
        };
        simulated::unpack(&args.from, &folder).map_err(super::rehearse::not_started)?;
        folder
    } else if args.state.is_some() {
        return Err(Failure::usage(
            "--state says where a saved file is unpacked to; a folder is opened where it is",
        ));
    } else {
        state_folder(common, &args.from)?
    };
    let sandbox = simulated::reopen_on(&folder, args.port_base).map_err(super::rehearse::not_started)?;
    Ok(run_until_stopped(sandbox, &stop))
}
