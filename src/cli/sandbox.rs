//! `drbook sandbox`: simulated SQL Servers on this computer, for rehearsals, tests and trying clients out.

use std::path::PathBuf;

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
    /// List the faults that can be put in
    Faults,
    /// List the worlds
    Worlds,
}

/// Options of `serve`.
#[derive(Debug, Args)]
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
    /// Put a fault in, as `name` or `name=SERVER`; repeatable
    #[arg(long = "fault", value_name = "FAULT")]
    faults: Vec<String>,
    /// Drill seconds per real second
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Seed of the world's ids
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for the world's state; an existing one is opened again [default: a new one]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

pub(crate) fn sandbox(common: &Common, command: &Sandbox) -> Result<Exit, Failure> {
    match command {
        Sandbox::Serve(args) => serve(common, args),
        Sandbox::Faults => {
            let library = open::library(&common.places()?);
            let worlds: Vec<String> = library.worlds().map(|w| w.text.to_string()).collect();
            let faults = simulated::faults(&worlds);
            if common.json {
                talk::data(&serde_json::Value::from(faults).to_string());
            } else {
                for fault in faults {
                    let text = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
                    talk::data(&format!("{:<16} {:<9} {}", text("id"), text("when"), text("imitates")));
                }
            }
            Ok(Exit::Passed)
        }
        Sandbox::Worlds => {
            let library = open::library(&common.places()?);
            let names: Vec<&str> = library.worlds().map(|w| w.name.as_str()).collect();
            if common.json {
                talk::data(&serde_json::Value::from(names).to_string());
            } else {
                talk::data(&names.join("\n"));
            }
            Ok(Exit::Passed)
        }
    }
}

fn serve(common: &Common, args: &Serve) -> Result<Exit, Failure> {
    super::rehearse::check_speed(args.speed)?;
    let places = common.places()?;
    let stop = walk::interrupted();
    let sandbox = match &args.state {
        Some(folder) if folder.join("world.json").is_file() => {
            simulated::reopen(folder).map_err(super::rehearse::not_started)?
        }
        _ => {
            let library = open::library(&places);
            let world = library
                .world(&args.world)
                .map_err(|p| Failure::configuration(format!("{}\n  next: {}", p.message, p.help)))?;
            let clock = DrillClock::starting_now(args.speed);
            let folder = args.state.clone().unwrap_or_else(|| {
                places.sandboxes.join(format!("served-{}", identity::record_id(clock.origin)))
            });
            simulated::start(&simulated::Wanted {
                world: world.text.into_owned(),
                folder,
                clock,
                seed: args.seed,
                password: args.password.clone().unwrap_or_else(|| identity::chance()[..24].to_owned()),
                faults: args.faults.clone(),
                salt: identity::chance(),
                port_base: args.port_base,
            })
            .map_err(super::rehearse::not_started)?
        }
    };
    talk::data(sandbox.estate_yaml(sandbox.world()).trim_end());
    talk::data("ready");
    while !stop.load(std::sync::atomic::Ordering::SeqCst) {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    drop(sandbox);
    Ok(Exit::Passed)
}
