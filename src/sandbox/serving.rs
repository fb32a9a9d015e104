//! Starting a world: its servers on their ports, on threads of their own, until the handle is dropped.
//!
//! Does not know what is asked of them. Writes beside the world's state what is needed to start it again:
//! its name, the password of `sa`, and the certificate.

mod listener;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::archive;
use super::fault;
use super::hidden::{Hidden, RANDOM};
use super::tds::{Certificate, Listener};
use super::tsql::session::Endpoint;
use super::world::{self, World};
use crate::clock::DrillClock;
use crate::limits;

const KEPT: &str = "sandbox.json";
const CERTIFICATE: &str = "certificate.pem";
const CA: &str = "ca.pem";
/// Held while a folder is served.
const LOCK: &str = "lock";

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
    /// Listeners of availability groups, with their ports.
    addresses: Vec<(String, u16)>,
    listeners: Vec<Listener>,
    runtime: Option<tokio::runtime::Runtime>,
    _lock: std::fs::File,
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
    let lock = lock(&wanted.folder)?;
    // A port that somebody else has is said before a world is made.
    let plan = world::Plan::read(&wanted.world).map_err(|e| world::Trouble::File(e).to_string())?;
    let listeners = plan.availability_groups.iter().filter_map(|g| g.listener.as_ref().map(|l| &l.name));
    let names: Vec<String> = plan.servers.iter().map(|s| &s.name).chain(listeners).cloned().collect();
    let sockets = bind(wanted.port_base, &names)?;
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
    serve(wanted.folder.clone(), kept, world, certificate, sockets, lock)
}

/// The listening sockets of the servers of a world, in their order.
fn bind(base: Option<u16>, names: &[String]) -> Result<Vec<TcpListener>, String> {
    if let Some(base) = base {
        let last = usize::from(base) + names.len().saturating_sub(1);
        if base == 0 || last > usize::from(u16::MAX) {
            return Err(format!(
                "the world has {} servers and listeners: with port base {base} the last would listen on {last}\n  next: name a base from 1 to {}",
                names.len(),
                usize::from(u16::MAX) + 1 - names.len()
            ));
        }
    }
    let socket = |(n, name): (usize, &String)| {
        let port = base.map_or(0, |base| base.saturating_add(n as u16));
        TcpListener::bind(("127.0.0.1", port)).map_err(|e| {
            format!("port {port} for {name}: {e}\n  next: stop what listens there, or name others with --port-base")
        })
    };
    names.iter().enumerate().map(socket).collect()
}

/// Keeps everybody else from serving that folder.
fn lock(folder: &Path) -> Result<std::fs::File, String> {
    let path = folder.join(LOCK);
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| format!("{}: {e}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(format!(
            "the simulated servers in {} are running already\n  next: use them, stop them first, or name another folder",
            folder.display()
        )),
        Err(std::fs::TryLockError::Error(e)) => Err(format!("{}: {e}", path.display())),
    }
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
    reopen_on(folder, None)
}

/// The same on other ports.
pub fn reopen_on(folder: &Path, port_base: Option<u16>) -> Result<Running, String> {
    let mut kept = kept(folder)?;
    kept.port_base = port_base.or(kept.port_base);
    let lock = lock(folder)?;
    let world = World::open(folder).map_err(|e| e.to_string())?;
    let names: Vec<String> =
        world.servers().into_iter().map(|(name, _)| name).chain(world.listeners()).collect();
    let sockets = bind(kept.port_base, &names)?;
    let certificate = certificate(folder)?;
    serve(folder.to_owned(), kept, world, certificate, sockets, lock)
}

fn kept(folder: &Path) -> Result<Kept, String> {
    let path = folder.join(KEPT);
    let text = std::fs::read_to_string(&path).map_err(|e| {
        format!(
            "the simulated servers of this rehearsal are gone: {}: {e}\n  next: start a new one with `drbook rehearse`",
            path.display()
        )
    })?;
    serde_json::from_str(&text).map_err(|e| {
        format!(
            "{} is damaged: {e}\n  next: open a copy that was saved, or start a new world",
            path.display()
        )
    })
}

/// Whether a folder holds a world that can be opened again, and the password of its `sa`.
pub fn password_in(folder: &Path) -> Option<Result<String, String>> {
    World::is_saved_in(folder).then(|| kept(folder).map(|k| k.password))
}

/// Writes the world in a folder, whole, as one file; it must not be served meanwhile.
pub fn save(folder: &Path, file: &Path) -> Result<u64, String> {
    kept(folder)?;
    let _lock = lock(folder)?;
    World::open(folder).map_err(|e| e.to_string())?;
    archive::pack(folder, file, &[LOCK])
}

/// Makes the folder of a world that was saved as one file.
pub fn unpack(file: &Path, folder: &Path) -> Result<(), String> {
    archive::unpack(file, folder)?;
    kept(folder)?;
    World::open(folder).map(|_| ()).map_err(|e| e.to_string())
}

/// The fault hidden in the world whose certificate that file is, if it lies beside it.
pub fn hidden_beside(ca: &Path) -> Option<Hidden> {
    let text = std::fs::read_to_string(ca.parent()?.join(KEPT)).ok()?;
    serde_json::from_str::<Kept>(&text).ok()?.hidden
}

/// What is wrong with a world file's text; nothing when it can be used.
pub fn check_world(text: &str) -> Vec<crate::diagnostic::Diagnostic> {
    world::Plan::diagnose(text).1
}

/// Worlds, given by name and file text: `id`, `title`, `servers`; or `trouble`, why one cannot be used.
pub fn worlds(all: &[(String, String)]) -> Vec<serde_json::Value> {
    all.iter()
        .map(|(name, text)| match world::Plan::read(text) {
            Ok(plan) => {
                let servers: Vec<&str> = plan.servers.iter().map(|s| s.name.as_str()).collect();
                serde_json::json!({ "id": name, "title": plan.title, "servers": servers })
            }
            Err(why) => serde_json::json!({ "id": name, "trouble": why }),
        })
        .collect()
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

fn serve(
    folder: PathBuf,
    kept: Kept,
    world: World,
    certificate: Certificate,
    sockets: Vec<TcpListener>,
    lock: std::fs::File,
) -> Result<Running, String> {
    let certificate = Arc::new(certificate);
    // every connection may have a statement that waits: with fewer threads some of them would keep all others out
    let threads = world.servers().len().max(1) * (limits::SANDBOX_CONNECTIONS + 8);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(threads)
        .thread_name("sandbox")
        .enable_all()
        .build()
        .map_err(|e| format!("no threads for the sandbox: {e}"))?;
    let mut served = Vec::new();
    let mut listeners = Vec::new();
    let mut endpoints = Vec::new();
    let mut sockets = sockets.into_iter();
    for ((host, (name, role)), socket) in world.hosts().into_iter().zip(world.servers()).zip(sockets.by_ref())
    {
        let port = socket.local_addr().map_err(|e| e.to_string())?.port();
        let guard = runtime.enter();
        let endpoint = Arc::new(Endpoint::new(host));
        endpoints.push(Arc::clone(&endpoint));
        let listener =
            Listener::start(socket, endpoint, certificate.clone()).map_err(|e| format!("{name}: {e}"))?;
        drop(guard);
        listeners.push(listener);
        served.push(Served { name, role, port });
    }
    // Listeners of availability groups come behind the servers.
    let mut addresses = Vec::new();
    for ((n, name), socket) in world.listeners().into_iter().enumerate().zip(sockets) {
        let port = socket.local_addr().map_err(|e| e.to_string())?.port();
        let behind = listener::GroupListener::new(world.clone(), n, endpoints.clone());
        let guard = runtime.enter();
        let listener = Listener::start(socket, Arc::new(behind), certificate.clone())
            .map_err(|e| format!("{name}: {e}"))?;
        drop(guard);
        listeners.push(listener);
        addresses.push((name, port));
    }
    Ok(Running { folder, kept, world, served, addresses, listeners, runtime: Some(runtime), _lock: lock })
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

    /// The folder of its state.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its servers, in the order of the world file.
    pub fn served(&self) -> &[Served] {
        &self.served
    }

    /// The listeners of its availability groups and their ports, which lead to whoever is primary.
    pub fn listeners(&self) -> &[(String, u16)] {
        &self.addresses
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
        let mut roles = serde_json::Map::new();
        for (role, who) in [
            ("management", if management.is_empty() { Vec::new() } else { vec![management.as_str()] }),
            ("source", of("source")),
            ("destination", of("destination")),
            ("other", of("other")),
            ("biztalk", computers.iter().map(String::as_str).collect()),
        ] {
            match who.as_slice() {
                [] => continue,
                [one] if role == "management" => roles.insert(role.to_owned(), (*one).into()),
                _ => roles.insert(role.to_owned(), who.into()),
            };
        }
        let mut estate = serde_json::json!({
            "estate": name,
            "environment": "sandbox",
            "servers": servers,
            "hosts": hosts,
            "roles": roles,
        });
        if management.is_empty() {
            estate["databases"] = serde_json::json!({ "expect": self.world.databases() });
        } else {
            estate["databases"] = serde_json::json!({ "management": database, "expect": "from-management" });
            estate["names"] = serde_json::json!({ "strategy": "update-database", "new": new });
        }
        crate::yaml::write(&estate).unwrap_or_default()
    }
}
