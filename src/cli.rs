//! The command line: arguments in, exit code out. stdout is data, stderr is talk.
//!
//! The only place that knows every other part; decides nothing about a drill itself.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::runbook::Mode;
use crate::text::Language;

mod doctor;
mod exit;
mod export;
mod home;
mod identity;
mod lint;
mod open;
mod records;
mod rehearse;
mod resume;
mod run;
mod sandbox;
mod stage;
mod talk;
mod walk;

pub use exit::Exit;

/// Walks operators through BizTalk / SQL Server disaster recovery, proves each step, keeps the record.
#[derive(Debug, Parser)]
#[command(
    name = "drbook",
    version,
    about,
    after_help = "Examples:\n  drbook rehearse                               walk a restore to a mark on simulated servers\n  drbook run biztalk-restore-to-mark --estate estate.yaml --mode drill\n  drbook resume                                 go on with the newest open drill\n  drbook records verify RECORD                  check a record\n\nExit codes:\n   0  passed                    20  lint errors\n   1  unexpected                30  record damaged\n   2  usage                     31  record altered\n   3  configuration             32  record sound after a recovered tail\n  10  a check failed           130  interrupted\n  11  unknown (could not ask)\n  12  incomplete (resumable)\nThe worst wins, 10 before 11 before 12."
)]
pub struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Option<Commands>,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Folder for records, sandboxes and your own library [default: the system's usual places]
    #[arg(long, global = true, env = "DRBOOK_HOME", value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Folder for records
    #[arg(long, global = true, env = "DRBOOK_RECORDS", value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// Who works
    #[arg(long, global = true, env = "DRBOOK_OPERATOR", value_name = "NAME")]
    pub(crate) operator: Option<String>,
    /// Language of the screens: en, fr, zh-Hant
    #[arg(long, global = true, env = "DRBOOK_LANG", value_name = "LANG")]
    pub(crate) lang: Option<String>,
    /// Characters of signs and frames
    #[arg(long, global = true, value_enum)]
    pub(crate) glyphs: Option<GlyphChoice>,
    /// Numbered prompts instead of a full screen (for screen readers and serial lines)
    #[arg(long, global = true, env = "ACCESSIBLE", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) plain: bool,
    /// Ask nothing: walk by an answers file
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Data as JSON on stdout
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Signs and frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GlyphChoice {
    /// Any character
    Unicode,
    /// Seven bits only
    Ascii,
}

/// What a drill is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeChoice {
    /// On simulated servers only
    Rehearsal,
    /// A planned exercise; never acts on what is or looks like production
    Drill,
    /// The real thing
    Incident,
}

impl From<ModeChoice> for Mode {
    fn from(choice: ModeChoice) -> Self {
        match choice {
            ModeChoice::Rehearsal => Self::Rehearsal,
            ModeChoice::Drill => Self::Drill,
            ModeChoice::Incident => Self::Incident,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Commands {
    /// Walk a runbook on simulated servers; nothing else needs to be installed
    Rehearse(rehearse::Rehearse),
    /// Walk a runbook on the servers of an estate
    Run(run::Run),
    /// Go on with an open drill, the newest unless named
    Resume(resume::Resume),
    /// Check a runbook, estate or answers file and say everything that is wrong with it
    Lint(lint::Lint),
    /// Connect to every server of an estate and say what works, with what rights
    Doctor(doctor::Doctor),
    /// List, show, verify and export records
    #[command(subcommand)]
    Records(records::Records),
    /// Simulated SQL Servers on this computer
    #[command(subcommand)]
    Sandbox(sandbox::Sandbox),
    /// Print the JSON Schema of a file format, for editors
    Schema {
        /// Which format
        #[arg(value_enum)]
        format: SchemaChoice,
    },
    /// Print shell completions
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaChoice {
    /// runbooks/*.yaml
    Runbook,
    /// estate.yaml
    Estate,
}

/// Runs the program.
pub fn main() -> ExitCode {
    // Started here so that times in records count from the process's beginning.
    crate::clock::mono_ms();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Passed };
            // A closed pipe is no reason to fail.
            let _ = error.print();
            return code.into();
        }
    };
    let end = dispatch(&cli);
    match end {
        Ok(exit) => match talk::lost() {
            // What was asked for did not arrive: no success, whatever was done.
            Some(why) => {
                talk::error(&format!(
                    "stdout took not everything: {why}\n  next: free the disk or write elsewhere, then ask again"
                ));
                if exit == Exit::Passed { Exit::Unexpected.into() } else { exit.into() }
            }
            None => exit.into(),
        },
        Err(failure) => {
            talk::error(&failure.words);
            failure.exit.into()
        }
    }
}

fn dispatch(cli: &Cli) -> Result<Exit, exit::Failure> {
    // A language that is not spoken is said before anything is done.
    cli.common.language()?;
    match &cli.command {
        None => home::home(&cli.common),
        Some(Commands::Rehearse(args)) => rehearse::rehearse(&cli.common, args),
        Some(Commands::Run(args)) => run::run(&cli.common, args),
        Some(Commands::Resume(args)) => resume::resume(&cli.common, args),
        Some(Commands::Lint(args)) => lint::lint(&cli.common, args),
        Some(Commands::Doctor(args)) => doctor::doctor(&cli.common, args),
        Some(Commands::Records(args)) => records::records(&cli.common, args),
        Some(Commands::Sandbox(args)) => sandbox::sandbox(&cli.common, args),
        Some(Commands::Schema { format }) => {
            talk::data(match format {
                SchemaChoice::Runbook => include_str!("../assets/runbook.schema.json"),
                SchemaChoice::Estate => include_str!("../assets/estate.schema.json"),
            });
            Ok(Exit::Passed)
        }
        Some(Commands::Completions { shell }) => {
            let mut out = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "drbook", &mut out);
            talk::data(&String::from_utf8_lossy(&out));
            Ok(Exit::Passed)
        }
        Some(Commands::Man) => {
            let mut out = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut out)
                .map_err(|e| exit::Failure::unexpected(format!("the manual page: {e}")))?;
            talk::data(&String::from_utf8_lossy(&out));
            Ok(Exit::Passed)
        }
    }
}

impl Common {
    /// The language: flag or variable, then the locale, then English.
    pub(crate) fn language(&self) -> Result<Language, exit::Failure> {
        if let Some(name) = &self.lang {
            return Language::from_locale(name).ok_or_else(|| {
                exit::Failure::usage(format!("--lang {name}: drbook speaks en, fr and zh-Hant"))
            });
        }
        let from = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let locale = from("LC_ALL").or_else(|| from("LC_MESSAGES")).or_else(|| from("LANG"));
        Ok(locale.and_then(|l| Language::from_locale(&l)).unwrap_or_default())
    }

    /// The folders.
    pub(crate) fn places(&self) -> Result<crate::config::Places, exit::Failure> {
        let mut places = crate::config::Places::find(self.home.clone())
            .map_err(|e| exit::Failure::configuration(e.to_string()))?;
        if let Some(records) = &self.records {
            places.records.clone_from(records);
        }
        // A record names its sandbox's folder, and may be resumed from another working directory.
        for folder in [&mut places.library, &mut places.records, &mut places.sandboxes] {
            if let Ok(whole) = std::path::absolute(&*folder) {
                *folder = whole;
            }
        }
        Ok(places)
    }
}
