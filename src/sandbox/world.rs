//! The simulated estate: servers, databases, backups, jobs and time behind one lock, saved in a folder.
//!
//! Does not know who asks (`tsql`) nor over what wire (`tds`). Nothing moves by itself: every call first
//! lets happen what is due on the drill clock, and what changed is on disk before the answer is given.

mod agent;
mod backup;
mod behind;
mod biztalk;
mod build;
mod columns;
mod dtc;
mod errorlog;
mod files;
mod folder;
mod foreign;
mod ha;
mod hand;
mod ids;
mod instance;
mod ledger;
mod locks;
mod log;
mod logship;
mod media;
mod options;
mod plan;
mod play;
mod principals;
mod reader;
mod restore;
mod server;
mod state;
mod stored;
mod transaction;
mod trigger;
mod trouble;
mod work;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::host::Host;
use crate::clock::{Clock, DrillClock};
pub(crate) use agent::run::Ending;
pub(crate) use backup::BackupAsk;
use behind::Behind;
pub(crate) use dtc::Coordinator;
use files::Files;
pub(crate) use ha::Why;
pub(crate) use ids::Dice;
pub(crate) use plan::ha::{Group as PlannedGroup, Mirror as PlannedMirror};
pub(crate) use plan::{Login as PlannedLogin, Plan, Server as PlannedServer, ShippedTo};
pub(crate) use state::{Model, Role, State};
pub(crate) use stored::Stored;
pub(crate) use trigger::{Happening, Trigger};
pub(crate) use trouble::{HowJobsFail, JobTrouble, Unwritten};

/// The world file that comes with the program.
pub const BIZTALK: &str = include_str!("../../assets/worlds/biztalk.yaml");

const SNAPSHOT: &str = "world.json";
const SETS: &str = "sets.jsonl";
const FORMAT: u32 = 2;

/// Why a world cannot be made, opened or saved.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The world file is wrong.
    #[error("the world file cannot be used: {0}")]
    File(String),
    /// A fault is unknown or does not fit.
    #[error("{0}")]
    Fault(String),
    /// The folder already holds a world.
    #[error("{} already holds a simulated estate; open it, or choose another folder", .0.display())]
    Taken(PathBuf),
    /// The folder cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The saved world is damaged.
    #[error("the simulated estate in {} is damaged ({why}); start a new rehearsal", path.display())]
    Damaged {
        /// The snapshot.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The saved world comes from an older program.
    #[error("the simulated estate in {} was saved in format {format} by an older program, this one reads {FORMAT}: start a new rehearsal", path.display())]
    Older {
        /// The snapshot.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// The saved world comes from a newer program.
    #[error("the simulated estate in {} was saved in format {format}; this program reads up to {FORMAT}: use the newer program", path.display())]
    Newer {
        /// The snapshot.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
}

/// What a new world is made with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The drill clock; the walk begins at its time now.
    pub clock: DrillClock,
    /// Same seed, same calls at the same times: same world.
    pub seed: u64,
    /// Password of `sa` and of the other SQL logins.
    pub password: String,
    /// Faults as `name` or `name=SERVER`.
    pub faults: Vec<String>,
}

/// A simulated estate.
#[derive(Clone)]
pub struct World {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Locks were given back.
    released: Condvar,
    /// Set for a world taken aside while the agent runs a statement: not saved, and waiting only counts.
    aside: Option<std::sync::atomic::AtomicU64>,
    /// A statement of a world taken aside ran into a lock.
    blocked: AtomicBool,
}

#[derive(Serialize, Deserialize)]
struct Saved<S> {
    format: u32,
    state: S,
}

impl World {
    /// Makes the world of a world file in a folder, on the drill clock.
    pub fn create(text: &str, folder: &Path, setup: &Setup) -> Result<Self, Trouble> {
        Self::create_on(text, folder, setup, Arc::new(setup.clock))
    }

    /// The same on a clock of the caller's.
    pub fn create_on(
        text: &str,
        folder: &Path,
        setup: &Setup,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Trouble> {
        let plan = plan::Plan::read(text).map_err(Trouble::File)?;
        if folder.join(SNAPSHOT).exists() {
            return Err(Trouble::Taken(folder.to_owned()));
        }
        let root = folder.join("files");
        std::fs::create_dir_all(&root).map_err(|error| Trouble::Io { path: root.clone(), error })?;
        // What the clock was set to, not what it shows by now: the same files every time.
        let opened = setup.clock.origin;
        let faults = super::fault::chosen(&setup.faults, &plan).map_err(Trouble::Fault)?;
        let making = build::Making {
            plan: &plan,
            clock: setup.clock,
            opened,
            seed: setup.seed,
            password: &setup.password,
            files: Files { root, behind: Some(Arc::new(Behind::start())) },
        };
        let mut state = build::build(&making).map_err(Trouble::File)?;
        for fault in &faults {
            (fault.kind.before)(&mut state, &fault.aim);
        }
        state.advance(opened);
        state.fresh = None;
        for s in 0..state.servers.len() {
            state.log_startup(s);
        }
        if let Some(behind) = state.files.behind.take() {
            behind.end().map_err(|(path, error)| Trouble::Io { path, error })?;
        }
        for s in 0..state.servers.len() {
            for j in 0..state.servers[s].agent.jobs.len() {
                state.plan_job(s, j, opened);
            }
        }
        for fault in &faults {
            let server = state.servers[fault.aim.server].name.clone();
            (fault.kind.put)(&mut state, &fault.aim)
                .map_err(|why| Trouble::Fault(format!("fault {}: {why}", fault.kind.id)))?;
            state.faults.push((fault.kind.id.to_owned(), server));
        }
        let world = Self {
            shared: Arc::new(Shared {
                folder: folder.to_owned(),
                clock,
                state: Mutex::new(state),
                released: Condvar::new(),
                aside: None,
                blocked: AtomicBool::new(false),
            }),
        };
        world.shared.save(&mut world.shared.locked())?;
        Ok(world)
    }

    /// Opens a saved world; its clock has moved on.
    pub fn open(folder: &Path) -> Result<Self, Trouble> {
        Self::open_on(folder, None)
    }

    /// The same on a clock of the caller's.
    pub fn open_on(folder: &Path, clock: Option<Arc<dyn Clock>>) -> Result<Self, Trouble> {
        let path = folder.join(SNAPSHOT);
        let text =
            std::fs::read_to_string(&path).map_err(|error| Trouble::Io { path: path.clone(), error })?;
        let damaged = |why: String| Trouble::Damaged { path: path.clone(), why };
        let format = serde_json::from_str::<Saved<serde::de::IgnoredAny>>(&text)
            .map_err(|e| damaged(e.to_string()))?
            .format;
        if format > FORMAT {
            return Err(Trouble::Newer { path, format });
        }
        if format < FORMAT {
            return Err(Trouble::Older { path, format });
        }
        let mut state =
            serde_json::from_str::<Saved<State>>(&text).map_err(|e| damaged(e.to_string()))?.state;
        state.sets.read(&folder.join(SETS)).map_err(damaged)?;
        state.checked().map_err(damaged)?;
        state.seat_readers();
        state.set_of = state.sets.iter().enumerate().map(|(n, set)| (set.uuid, n)).collect();
        state.files = Files { root: folder.join("files"), behind: None };
        state.look_for_undo_files();
        let at = state.at;
        state.servers.iter_mut().for_each(|server| server.reopen(at));
        let clock = clock.unwrap_or_else(|| Arc::new(state.clock));
        Ok(Self {
            shared: Arc::new(Shared {
                folder: folder.to_owned(),
                clock,
                state: Mutex::new(state),
                released: Condvar::new(),
                aside: None,
                blocked: AtomicBool::new(false),
            }),
        })
    }

    /// Whether a folder holds a saved world.
    pub fn is_saved_in(folder: &Path) -> bool {
        folder.join(SNAPSHOT).is_file()
    }

    /// One host per server, in the order of the world file.
    pub fn hosts(&self) -> Vec<Arc<dyn Host>> {
        let count = self.shared.locked().servers.len();
        (0..count)
            .map(|n| {
                let host = server::SimulatedServer::new(Arc::clone(&self.shared), n);
                Arc::new(host) as Arc<dyn Host>
            })
            .collect()
    }

    /// Name and role (`source`, `destination`, `other`) of each server.
    pub fn servers(&self) -> Vec<(String, &'static str)> {
        let role = |r| match r {
            state::Role::Source => "source",
            state::Role::Destination => "destination",
            state::Role::Other => "other",
        };
        self.shared.locked().servers.iter().map(|s| (s.name.clone(), role(s.role))).collect()
    }

    /// The world file's name for it.
    pub fn name(&self) -> String {
        self.shared.locked().world.clone()
    }

    /// The server and name of the management database, as the world file places it.
    pub fn management(&self) -> (String, String) {
        let state = self.shared.locked();
        let of = |s: &state::Server| {
            let database = s.databases.iter().find(|d| d.role == "management")?;
            Some((s.name.clone(), database.name.clone()))
        };
        let sources = || state.servers.iter().filter(|s| s.role == state::Role::Source);
        sources().find_map(of).unwrap_or_default()
    }

    /// The databases that users made, each name once.
    pub fn databases(&self) -> Vec<String> {
        let state = self.shared.locked();
        let mut all: Vec<String> = Vec::new();
        for database in state.servers.iter().flat_map(|s| &s.databases).filter(|d| d.id > 4) {
            if !all.iter().any(|known| known.eq_ignore_ascii_case(&database.name)) {
                all.push(database.name.clone());
            }
        }
        all
    }

    /// The names of the listeners of its availability groups.
    pub fn listeners(&self) -> Vec<String> {
        let state = self.shared.locked();
        state.ha.groups.iter().filter_map(|g| g.listener.as_ref().map(|l| l.name.clone())).collect()
    }

    /// Where a listener leads now.
    pub(crate) fn behind_listener(&self, number: usize) -> ha::BehindListener {
        self.shared.now(|state, _| state.behind_listener(number))
    }

    /// BizTalk computers.
    pub fn computers(&self) -> Vec<String> {
        self.shared.locked().biztalk.computers.iter().map(|c| c.name.clone()).collect()
    }

    /// Which destination takes each source's place: the one that restores only it, else the first.
    pub fn successors(&self) -> Vec<(String, String)> {
        let state = self.shared.locked();
        let destinations: Vec<&state::Server> =
            state.servers.iter().filter(|s| s.role == state::Role::Destination).collect();
        state
            .servers
            .iter()
            .filter(|s| s.role == state::Role::Source)
            .filter_map(|source| {
                let only = |d: &&&state::Server| {
                    d.shipping.as_ref().and_then(|s| s.only_from.as_ref()) == Some(&source.name)
                };
                let next = destinations.iter().find(only).or(destinations.first())?;
                Some((source.name.clone(), next.name.clone()))
            })
            .collect()
    }

    /// The drill clock it was made with.
    pub fn clock(&self) -> DrillClock {
        self.shared.locked().clock
    }
}

impl Shared {
    /// A world taken aside at a moment.
    fn aside(state: State, now: DateTime<Utc>) -> Self {
        let clock = Arc::new(crate::clock::FixedClock::at(now));
        let aside = Some(std::sync::atomic::AtomicU64::new(0));
        let (state, released) = (Mutex::new(state), Condvar::new());
        Self { folder: PathBuf::new(), clock, state, released, aside, blocked: AtomicBool::new(false) }
    }

    /// The world back, and the milliseconds that its statements waited.
    fn back(&self) -> (State, u64) {
        let waited = self.aside.as_ref().map_or(0, |ms| ms.load(std::sync::atomic::Ordering::Relaxed));
        (std::mem::take(&mut *self.locked()), waited)
    }

    /// Lets time pass for a waiting statement: true where it was only counted.
    pub(crate) fn pass(&self, ms: u64) -> bool {
        self.aside.as_ref().is_some_and(|all| {
            all.fetch_add(ms, std::sync::atomic::Ordering::Relaxed);
            true
        })
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call on the world as it is now, and saves what changed before the answer goes out.
    pub(crate) fn now<T>(&self, call: impl FnOnce(&mut State, DateTime<Utc>) -> T) -> T {
        let mut state = self.locked();
        let now = state.time_by(&*self.clock);
        state.advance(now);
        let now = state.at;
        let answer = call(&mut state, now);
        state.ship(now);
        if state.servers.iter_mut().any(|s| s.locks.take_given_back()) {
            self.released.notify_all();
        }
        if state.dirty {
            // A world that cannot be saved goes on in memory; the next call tries again.
            let _ = self.save(&mut state);
        }
        answer
    }

    /// How many drill seconds pass in a real one.
    pub(crate) fn speed(&self) -> f64 {
        self.clock.speed().max(0.001)
    }

    /// The drill's time, without the world moving there.
    pub(crate) fn time(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Waits for locks to be given back, or some real milliseconds; the world goes on meanwhile. False in a world
    /// taken aside, where nobody else can give anything back.
    pub(crate) fn pause(&self, ms: u64) -> bool {
        if self.aside.is_some() {
            self.blocked.store(true, Ordering::Relaxed);
            return false;
        }
        let _ = self.released.wait_timeout(self.locked(), std::time::Duration::from_millis(ms));
        true
    }

    /// Whether a statement ran into a lock.
    pub(crate) fn was_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    /// The world without letting time pass.
    pub(crate) fn still<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.locked())
    }

    fn save(&self, state: &mut State) -> Result<(), Trouble> {
        if self.aside.is_some() {
            return Ok(());
        }
        let path = self.folder.join(SNAPSHOT);
        let new = self.folder.join("world.json.new");
        let io = |error| Trouble::Io { path: path.clone(), error };
        // First what the snapshot counts.
        let sets = self.folder.join(SETS);
        state.sets.write(&sets).map_err(|error| Trouble::Io { path: sets, error })?;
        // Piece by piece: whole texts of some megabytes, made on every thread in turn, are memory that never comes back.
        let mut out = BufWriter::with_capacity(64 * 1024, File::create(&new).map_err(io)?);
        serde_json::to_writer(&mut out, &Saved { format: FORMAT, state: &*state })
            .map_err(|e| io(std::io::Error::other(e)))?;
        out.flush().map_err(io)?;
        drop(out);
        std::fs::rename(&new, &path).map_err(io)?;
        state.dirty = false;
        Ok(())
    }
}

impl State {
    /// Refuses a snapshot whose numbers point nowhere.
    fn checked(&self) -> Result<(), String> {
        let layouts = self.layouts.len();
        if self.sets.iter().any(|s| s.layout >= layouts) {
            return Err("a backup set has no description".into());
        }
        for server in &self.servers {
            if server.msdb.backups.iter().any(|b| *b >= self.sets.len())
                || server
                    .msdb
                    .restores
                    .iter()
                    .any(|r| !(1..=server.msdb.backups.len() as i64).contains(&r.backup_set_id))
            {
                return Err(format!("the backup history of {} points nowhere", server.name));
            }
            let runs = server.agent.jobs.iter();
            if runs
                .filter_map(|j| j.run.as_ref().map(|r| (j, r)))
                .any(|(j, r)| !(1..=j.steps.len()).contains(&r.step))
            {
                return Err(format!("a job of {} is at a step that is not there", server.name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
