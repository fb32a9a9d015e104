//! A small pool of connections to each server of an estate.
//!
//! Connects lazily. A server that does not answer costs its deadline once: who waits for the same connection gets the
//! same trouble, and other servers are not held up. Actions never share a connection. Knows no bytes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::NaiveDateTime;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::socket::{ms, seconds};
use super::statement::database_of;
use super::tds::{Fault, Link};
use super::{Sent, Target};
use crate::limits;
use crate::reading::{Cell, Reading, ServerFacts, Trouble, TroubleCode};
use crate::sql::{Catalogue, Query};

/// An idle connection older than this is not trusted to be alive.
const IDLE: Duration = Duration::from_secs(60);

/// A small pool of connections to the servers of an estate. Cheap to clone, and to make: it connects lazily.
///
/// Its futures run on tokio; [`crate::errand`] and `doctor` bring the runtime.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

struct Inner {
    catalogue: Arc<Catalogue>,
    management: String,
    servers: BTreeMap<String, Server>,
    at_once: Semaphore,
    watch: Watch,
}

/// How the server of an action under way is watched; real time.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// Pause between two looks.
    pub every: Duration,
    /// Silence after which the action's outcome counts as not known.
    pub patience: Duration,
}

impl Default for Watch {
    fn default() -> Self {
        Self { every: Duration::from_secs(10), patience: Duration::from_secs(60) }
    }
}

struct Server {
    target: Target,
    at_once: Semaphore,
    /// Held by whoever tries a server that is not known to be up; inside, the last failure and when it came.
    knocking: tokio::sync::Mutex<Option<(Instant, Trouble)>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Link>,
    /// The last attempt to connect succeeded.
    up: bool,
}

impl Server {
    fn state(&self) -> MutexGuard<'_, State> {
        // nothing is left half-done under this lock
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> Option<Link> {
        let mut state = self.state();
        state.idle.retain(|link| link.used.elapsed() < IDLE);
        let mut link = state.idle.pop()?;
        link.fresh = false;
        Some(link)
    }

    fn put_back(&self, mut link: Link) {
        link.used = Instant::now();
        let mut state = self.state();
        if state.idle.len() < limits::ERRANDS_PER_SERVER {
            state.idle.push(link);
        }
    }

    /// A new connection. While the server is not known to be up, one attempt is made for all who wait.
    async fn connect(&self, asked: Instant) -> Result<Link, Trouble> {
        if self.state().up {
            return self.try_connect().await;
        }
        let mut last = self.knocking.lock().await;
        if self.state().up {
            drop(last);
            return self.try_connect().await;
        }
        if let Some((when, trouble)) = last.as_ref()
            && *when >= asked
        {
            return Err(trouble.clone());
        }
        let outcome = self.try_connect().await;
        *last = outcome.as_ref().err().map(|trouble| (Instant::now(), trouble.clone()));
        outcome
    }

    async fn try_connect(&self) -> Result<Link, Trouble> {
        let since = Instant::now();
        let outcome = Link::open(&self.target, &self.target.login, &mut Vec::new()).await;
        let mut state = self.state();
        state.up = outcome.is_ok();
        if outcome.is_err() {
            state.idle.clear();
        }
        outcome.map_err(|trouble| Trouble { took_ms: ms(since), ..trouble })
    }
}

impl Pool {
    /// For these targets.
    pub fn new(targets: Vec<Target>, catalogue: Arc<Catalogue>, management: String) -> Self {
        Self::watching(targets, catalogue, management, Watch::default())
    }

    /// As [`Pool::new`], with another watch over actions.
    pub fn watching(
        targets: Vec<Target>,
        catalogue: Arc<Catalogue>,
        management: String,
        watch: Watch,
    ) -> Self {
        let servers = targets
            .into_iter()
            .map(|target| {
                let server = Server {
                    at_once: Semaphore::new(limits::ERRANDS_PER_SERVER),
                    knocking: tokio::sync::Mutex::new(None),
                    state: Mutex::default(),
                    target,
                };
                (server.target.name.clone(), server)
            })
            .collect();
        let at_once = Semaphore::new(limits::ERRANDS);
        Self { inner: Arc::new(Inner { catalogue, management, servers, at_once, watch }) }
    }

    /// The targets, by name.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.inner.servers.values().map(|s| &s.target)
    }

    /// The queries.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.inner.catalogue
    }

    /// Asks a query of the catalogue; picks the variant for the server's version. `deadline_ms` is real time and runs
    /// from the moment a connection is there; connecting has its own deadlines.
    pub async fn ask(
        &self,
        server: &str,
        query: &str,
        database: Option<&str>,
        with: &BTreeMap<String, Cell>,
        deadline_ms: u64,
    ) -> Result<Reading, Trouble> {
        let asked = Instant::now();
        let query = self.query(query)?;
        if !query.reads_only {
            return Err(Trouble::new(
                TroubleCode::Forbidden,
                format!("{} does not say `reads only`; it is not sent as a question", query.name),
            ));
        }
        let server = self.server(server)?;
        let database = database_of(&query, database, &self.inner.management)?;
        let question = Question { query, database, with, deadline: Duration::from_millis(deadline_ms) };
        self.sit(server, asked, question)
            .await
            .map_err(|trouble| Trouble { took_ms: trouble.took_ms.max(ms(asked)), ..trouble })
    }

    /// Who a server says it is, on a connection that works now.
    pub async fn facts(&self, server: &str) -> Result<ServerFacts, Trouble> {
        let server = self.server(server)?;
        self.sit(server, Instant::now(), Look).await
    }

    /// Sends a query whose header says `writes`, on a connection of its own with the operator login. Waits as long as
    /// it takes while the server is in contact, and never sends anything twice.
    pub async fn act(
        &self,
        server: &str,
        query: &str,
        database: Option<&str>,
        with: &BTreeMap<String, Cell>,
    ) -> Result<Sent, Trouble> {
        let query = self.query(query)?;
        if query.reads_only {
            return Err(Trouble::new(
                TroubleCode::Forbidden,
                format!("{} says `reads only`; it is not sent as an action", query.name),
            ));
        }
        let server = self.server(server)?;
        let database = database_of(&query, database, &self.inner.management)?;
        let since = Instant::now();
        let sent = self.send(server, query, database, with.clone()).await;
        let took_ms = ms(since);
        Ok(match sent {
            Sent::Done => Sent::Done,
            Sent::Failed(trouble) => Sent::Failed(Trouble { took_ms, ..trouble }),
            Sent::Uncertain(trouble) => Sent::Uncertain(Trouble { took_ms, ..trouble }),
        })
    }

    async fn send(
        &self,
        server: &Server,
        query: Arc<Query>,
        database: String,
        with: BTreeMap<String, Cell>,
    ) -> Sent {
        let target = &server.target;
        let mut link = match Link::open(target, &target.operator_login, &mut Vec::new()).await {
            Ok(link) => link,
            Err(trouble) => return Sent::Failed(trouble),
        };
        let boot = match link.boot().await {
            Ok(boot) => boot,
            Err(trouble) => return Sent::Failed(trouble),
        };
        // on its own: when we stop waiting, the connection stays, since closing it would end the server's work
        let mut sending = tokio::spawn(async move { link.send(&query, &database, &with).await });
        tokio::select! {
            sent = &mut sending => sent.unwrap_or_else(|e| {
                Sent::Uncertain(Trouble::new(TroubleCode::Other, format!("drbook itself failed while acting: {e}")))
            }),
            gone = self.watch(target, boot) => Sent::Uncertain(gone),
        }
    }

    /// Comes back when the server of an action under way has fallen silent or has been started anew: the connection
    /// of the action may not notice either for hours.
    async fn watch(&self, target: &Target, boot: Option<NaiveDateTime>) -> Trouble {
        let lost = |why: String| {
            let at = target.endpoint();
            Trouble::new(TroubleCode::Lost, format!("{at}: {why} while the action was under way"))
        };
        let mut beside: Option<Link> = None;
        let mut contact = Instant::now();
        loop {
            tokio::time::sleep(self.inner.watch.every).await;
            let looked = async {
                let mut link = match beside.take() {
                    Some(link) => link,
                    None => Link::open(target, &target.operator_login, &mut Vec::new()).await?,
                };
                let now = link.boot().await?;
                Ok::<_, Trouble>((link, now))
            };
            match looked.await {
                Ok((_, now)) if boot.is_some() && now.is_some() && now != boot => {
                    return lost("the server was started anew".into());
                }
                Ok((link, _)) => (beside, contact) = (Some(link), Instant::now()),
                Err(trouble) if trouble.code.is_unreachable() => {
                    if contact.elapsed() >= self.inner.watch.patience {
                        return lost(format!(
                            "no contact for {} ({trouble})",
                            seconds(self.inner.watch.patience)
                        ));
                    }
                }
                // it answers, if only to refuse
                Err(_) => contact = Instant::now(),
            }
        }
    }

    pub(super) fn server_target(&self, name: &str) -> Result<&Target, Trouble> {
        self.server(name).map(|s| &s.target)
    }

    fn query(&self, name: &str) -> Result<Arc<Query>, Trouble> {
        self.inner.catalogue.get(name).cloned().ok_or_else(|| {
            Trouble::new(TroubleCode::NotSupported, format!("there is no query {name} in the catalogue"))
        })
    }

    fn server(&self, name: &str) -> Result<&Server, Trouble> {
        self.inner.servers.get(name).ok_or_else(|| {
            Trouble::new(TroubleCode::NameUnknown, format!("there is no server {name} in the estate"))
        })
    }

    /// Work on a connection of a server, an idle one if there is. An idle one that turns out to have died is replaced
    /// once; only reading goes this way.
    async fn sit<S: Sitting>(
        &self,
        server: &Server,
        asked: Instant,
        sitting: S,
    ) -> Result<S::Gives, Trouble> {
        let closed = |_| Trouble::new(TroubleCode::Other, "the pool is closed");
        let _seat = server.at_once.acquire().await.map_err(closed)?;
        let mut idle = server.idle();
        loop {
            let mut link = match idle.take() {
                Some(link) => link,
                None => server.connect(asked).await?,
            };
            // taken after connecting, so that servers that do not answer hold nobody else up
            let _turn = self.inner.at_once.acquire().await.map_err(closed)?;
            match sitting.on(&mut link).await {
                Ok(value) => {
                    server.put_back(link);
                    return Ok(value);
                }
                Err(fault) if fault.alive => {
                    server.put_back(link);
                    return Err(fault.trouble);
                }
                Err(fault) if fault.stale => server.state().idle.clear(),
                Err(fault) => return Err(fault.trouble),
            }
        }
    }
}

/// Something to do on a connection, by reading only.
trait Sitting: Sync + Send {
    type Gives: Send;
    fn on(&self, link: &mut Link) -> impl Future<Output = Result<Self::Gives, Fault>> + Send;
}

struct Question<'a> {
    query: Arc<Query>,
    database: String,
    with: &'a BTreeMap<String, Cell>,
    deadline: Duration,
}

impl Sitting for Question<'_> {
    type Gives = Reading;
    async fn on(&self, link: &mut Link) -> Result<Reading, Fault> {
        match timeout(self.deadline, link.ask(&self.query, &self.database, self.with)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(silence(
                self.deadline,
                &format!("{}: no answer to {} in {}", link.identity.name, self.query.name, self.database),
            )),
        }
    }
}

struct Look;

impl Sitting for Look {
    type Gives = ServerFacts;
    async fn on(&self, link: &mut Link) -> Result<ServerFacts, Fault> {
        let deadline = Duration::from_millis(limits::QUESTION_DEADLINE_MS);
        match timeout(deadline, link.look()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(silence(deadline, &format!("{}: no answer about its clock", link.identity.name))),
        }
    }
}

/// A deadline passed: the answer may still come, so the connection is out of step.
fn silence(deadline: Duration, what: &str) -> Fault {
    let message = format!("{what} within {}", seconds(deadline));
    Fault { trouble: Trouble::new(TroubleCode::Timeout, message), alive: false, stale: false }
}

#[cfg(test)]
mod tests;
