//! Starting a world: its servers on their ports, on threads of their own, until the handle is dropped.
//!
//! Does not know what is asked of them. Writes beside the world's state what is needed to start it again:
//! its name, the password of `sa`, and the certificate.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault;
use super::hidden::{Hidden, RANDOM};
use super::tds::{Certificate, Listener};
use super::tsql::session::Endpoint;
use super::world::{self, World};
use crate::clock::DrillClock;

const KEPT: &str = "sandbox.json";
const CERTIFICATE: &str = "certificate.pem";
const CA: &str = "ca.pem";

/// What to start.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The world file's text.
    pub world: String,
    /// Where its state lives; made when it is not there.
    pub folder: PathBuf,
    /// The drill clock.
    pub clock: DrillClock,
    /// Same seed, same world.
    pub seed: u64,
    /// Password of `sa`.
    pub password: String,
    /// `name`, `name=SERVER`, `name=SERVER/DATABASE`, or `random` for one that is drawn by the seed.
    pub faults: Vec<String>,
    /// Hex digits nobody can guess, for the commitment to a fault that is drawn.
    pub salt: String,
    /// Port of the first server, the others following; `None` = free ports.
    pub port_base: Option<u16>,
}

/// What is kept beside the world to start it again.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    world: String,
    password: String,
    port_base: Option<u16>,
    #[serde(default)]
    hidden: Option<Hidden>,
}

/// A server that is being served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// What it calls itself.
    pub name: String,
    /// `source`, `destination` or `other`.
    pub role: &'static str,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

/// A running sandbox; dropping it stops it. The world's state stays in its folder.
pub struct Running {
    folder: PathBuf,
    kept: Kept,
    world: World,
    served: Vec<Served>,
    listeners: Vec<Listener>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("folder", &self.folder)
            .field("served", &self.served)
            .finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.listeners.clear();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Makes a world and serves it.
pub fn start(wanted: &Wanted) -> Result<Running, String> {
    std::fs::create_dir_all(&wanted.folder).map_err(|e| format!("{}: {e}", wanted.folder.display()))?;
    // Two RSA keys take as long as the world does: side by side.
    let folder = wanted.folder.clone();
    let certificate = std::thread::spawn(move || certificate(&folder));
    let (world, hidden) = create(wanted)?;
    let kept =
        Kept { world: world.name(), password: wanted.password.clone(), port_base: wanted.port_base, hidden };
    let text = serde_json::to_string_pretty(&kept).map_err(|e| e.to_string())?;
    private(&wanted.folder.join(KEPT), &text)?;
    let certificate =
        certificate.join().map_err(|_| "the sandbox's certificate could not be made".to_owned())??;
    serve(wanted.folder.clone(), kept, world, certificate)
}

/// The same on a clock of the caller's, such as one that stands still until it is moved on by hand. Nothing is drawn.
pub fn start_on(wanted: &Wanted, clock: Arc<dyn crate::clock::Clock>) -> Result<Running, String> {
    std::fs::create_dir_all(&wanted.folder).map_err(|e| format!("{}: {e}", wanted.folder.display()))?;
    let certificate = certificate(&wanted.folder)?;
    let setup = world::Setup {
        clock: wanted.clock,
        seed: wanted.seed,
        password: wanted.password.clone(),
        faults: wanted.faults.clone(),
    };
    let world = World::create_on(&wanted.world, &wanted.folder, &setup, clock).map_err(|e| e.to_string())?;
    let kept = Kept {
        world: world.name(),
        password: wanted.password.clone(),
        port_base: wanted.port_base,
        hidden: None,
    };
    let text = serde_json::to_string_pretty(&kept).map_err(|e| e.to_string())?;
    private(&wanted.folder.join(KEPT), &text)?;
    serve(wanted.folder.clone(), kept, world, certificate)
}

/// Makes the world, with the fault that was drawn for it if one was asked for.
fn create(wanted: &Wanted) -> Result<(World, Option<Hidden>), String> {
    let (random, named): (Vec<String>, Vec<String>) =
        wanted.faults.iter().cloned().partition(|f| f.trim() == RANDOM);
    let make = |faults: Vec<String>| {
        let setup = world::Setup {
            clock: wanted.clock,
            seed: wanted.seed,
            password: wanted.password.clone(),
            faults,
        };
        World::create(&wanted.world, &wanted.folder, &setup)
    };
    if random.is_empty() {
        return Ok((make(named).map_err(|e| e.to_string())?, None));
    }
    if random.len() > 1 {
        return Err("one fault is drawn: `random` may be written once".into());
    }
    let plan = world::Plan::read(&wanted.world).map_err(|e| world::Trouble::File(e).to_string())?;
    for fault in fault::draw(&plan, &named, wanted.seed) {
        let faults = named.iter().cloned().chain([fault.to_owned()]).collect();
        match make(faults) {
            Ok(world) => {
                let hidden = Hidden { fault: fault.to_owned(), salt: wanted.salt.clone() };
                return Ok((world, Some(hidden)));
            }
            // What the world file promises, its history may not hold: the next one is tried on a clean folder.
            Err(world::Trouble::Fault(_)) => {
                let files = wanted.folder.join("files");
                std::fs::remove_dir_all(&files).map_err(|e| format!("{}: {e}", files.display()))?;
            }
            Err(other) => return Err(other.to_string()),
        }
    }
    Err(format!("no fault fits world {} together with {}", plan.world, named.join(", ")))
}

/// Serves a world that was started before; its clock has moved on meanwhile.
pub fn reopen(folder: &Path) -> Result<Running, String> {
    let path = folder.join(KEPT);
    let text = std::fs::read_to_string(&path).map_err(|e| {
        format!(
            "the simulated servers of this rehearsal are gone: {}: {e}\n  next: start a new one with `drbook rehearse`",
            path.display()
        )
    })?;
    let kept: Kept = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    let world = World::open(folder).map_err(|e| e.to_string())?;
    let certificate = certificate(folder)?;
    serve(folder.to_owned(), kept, world, certificate)
}

/// The fault hidden in the world whose certificate that file is, if it lies beside it.
pub fn hidden_beside(ca: &Path) -> Option<Hidden> {
    let text = std::fs::read_to_string(ca.parent()?.join(KEPT)).ok()?;
    serde_json::from_str::<Kept>(&text).ok()?.hidden
}

/// Every fault: `id`, `worlds`, `when`, `imitates`; which of the worlds given (file texts) it fits.
pub fn faults(worlds: &[String]) -> Vec<serde_json::Value> {
    let plans: Vec<_> = worlds.iter().filter_map(|text| world::Plan::read(text).ok()).collect();
    fault::ALL
        .iter()
        .map(|f| {
            let worlds: Vec<&str> =
                plans.iter().filter(|p| f.fits(p).is_ok()).map(|p| p.world.as_str()).collect();
            serde_json::json!({ "id": f.id, "worlds": worlds, "when": f.when.word(), "imitates": f.imitates })
        })
        .collect()
}

fn serve(folder: PathBuf, kept: Kept, world: World, certificate: Certificate) -> Result<Running, String> {
    let certificate = Arc::new(certificate);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("sandbox")
        .enable_all()
        .build()
        .map_err(|e| format!("no threads for the sandbox: {e}"))?;
    let mut served = Vec::new();
    let mut listeners = Vec::new();
    for (n, (host, (name, role))) in world.hosts().into_iter().zip(world.servers()).enumerate() {
        let wanted = kept.port_base.map_or(0, |base| base.saturating_add(n as u16));
        let socket = TcpListener::bind(("127.0.0.1", wanted))
            .map_err(|e| format!("port {wanted} for {name}: {e}\n  next: name another with --port-base"))?;
        let port = socket.local_addr().map_err(|e| e.to_string())?.port();
        let guard = runtime.enter();
        let listener = Listener::start(socket, Arc::new(Endpoint::new(host)), certificate.clone())
            .map_err(|e| format!("{name}: {e}"))?;
        drop(guard);
        listeners.push(listener);
        served.push(Served { name, role, port });
    }
    Ok(Running { folder, kept, world, served, listeners, runtime: Some(runtime) })
}

/// The certificate of this sandbox, made once: a client may keep trusting it.
fn certificate(folder: &Path) -> Result<Certificate, String> {
    let path = folder.join(CERTIFICATE);
    let certificate = if let Ok(pem) = std::fs::read_to_string(&path) {
        Certificate::from_pem(&pem).map_err(|e| format!("{}: {e}", path.display()))?
    } else {
        let made = Certificate::new().map_err(|e| e.to_string())?;
        private(&path, &made.to_pem())?;
        made
    };
    let ca = folder.join(CA);
    std::fs::write(&ca, certificate.pem()).map_err(|e| format!("{}: {e}", ca.display()))?;
    Ok(certificate)
}

/// Writes a file that only its owner can read (where the system has such a thing).
fn private(path: &Path, text: &str) -> Result<(), String> {
    let say = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(say)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(say)
}

impl Running {
    /// The fault that was drawn, if one was.
    pub const fn hidden(&self) -> Option<&Hidden> {
        self.kept.hidden.as_ref()
    }

    /// Name of the world.
    pub fn world(&self) -> &str {
        &self.kept.world
    }

    /// Its servers, in the order of the world file.
    pub fn served(&self) -> &[Served] {
        &self.served
    }

    /// A complete estate file that reaches it.
    pub fn estate_yaml(&self, name: &str) -> String {
        let folder = std::fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let ca = folder.join(CA);
        let (management, database) = self.world.management();
        let of = |role: &str| -> Vec<&str> {
            self.served.iter().filter(|s| s.role == role).map(|s| s.name.as_str()).collect()
        };
        let servers: serde_json::Map<String, serde_json::Value> = self
            .served
            .iter()
            .map(|s| {
                let server = serde_json::json!({
                    "host": "127.0.0.1",
                    "port": s.port,
                    "login": { "user": "sa", "password": { "plain": self.kept.password } },
                    "tls": { "ca": ca.display().to_string() },
                    "environment": "sandbox",
                    "expect_name": s.name,
                });
                (s.name.clone(), server)
            })
            .collect();
        let hosts: serde_json::Map<String, serde_json::Value> = self
            .world
            .computers()
            .into_iter()
            .map(|name| (name, serde_json::json!({ "host": "127.0.0.1", "environment": "sandbox" })))
            .collect();
        let computers: Vec<String> = hosts.keys().cloned().collect();
        let new: serde_json::Map<String, serde_json::Value> =
            self.world.successors().into_iter().map(|(old, new)| (old, new.into())).collect();
        let estate = serde_json::json!({
            "estate": name,
            "environment": "sandbox",
            "servers": servers,
            "hosts": hosts,
            "roles": {
                "management": management,
                "source": of("source"),
                "destination": of("destination"),
                "biztalk": computers,
            },
            "databases": { "management": database, "expect": "from-management" },
            "names": { "strategy": "update-database", "new": new },
        });
        crate::yaml::write(&estate).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;

    #[test]
    fn on_a_clock_of_the_callers_time_passes_when_he_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let at = "2026-03-02T10:07:30Z".parse().unwrap();
        let hand = Arc::new(FixedClock::at(at));
        let wanted = Wanted {
            world: world::BIZTALK.replace("history: 26h", "history: 2h"),
            folder: folder.path().to_owned(),
            clock: DrillClock { origin: at, since: at, speed: 1.0 },
            seed: 7,
            password: "Only-for-tests-1".into(),
            faults: Vec::new(),
            port_base: None,
            salt: String::new(),
        };
        let running = start_on(&wanted, Arc::clone(&hand) as _).unwrap();
        let host = Arc::clone(&running.world.hosts()[0]);
        assert_eq!(host.now(), at);
        hand.advance_ms(15 * 60_000);
        assert_eq!(host.now(), at + chrono::TimeDelta::minutes(15));
    }
}
