//! Runs what the engine owes, on tokio, and posts what comes home.
//!
//! Does not know what answers mean; never starts the same action twice.
//!
//! ```text
//! owed ─ settle ─> round   asks side by side, again and again where wanted     dropped when no longer owed
//!                  act     sends once per process                              never dropped
//!                  alarm   sleeps by the drill clock                           dropped when no longer owed
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::clock::Clock;
use crate::drive::{News, Post};
use crate::engine::{Act, ActResult, Errand, Item, Question, RoundKey, Taken};
use crate::reading::{Reading, Trouble, TroubleCode};
use crate::server::{Pool, Sent};

mod act;
mod play;
mod round;

pub use play::{Play, Plays};

/// The way out: what errands ask and send through. [`Pool`] in the program.
pub trait Port: Clone + Send + Sync + 'static {
    /// Asks a question whose parameters are filled in.
    fn ask(&self, question: &Question) -> impl Future<Output = Result<Reading, Trouble>> + Send;
    /// Sends an action, once.
    fn act(&self, act: &Act, item: &Item) -> impl Future<Output = ActResult> + Send;
}

impl Port for Pool {
    async fn ask(&self, question: &Question) -> Result<Reading, Trouble> {
        let with = question.with.as_ref().map_err(Trouble::clone)?;
        let at = &question.reference;
        Pool::ask(self, &at.server, &question.query, at.database.as_deref(), with, question.deadline_ms).await
    }
    async fn act(&self, act: &Act, item: &Item) -> ActResult {
        match Pool::act(self, &act.server, &item.query, item.database.as_deref(), &item.with).await {
            Ok(Sent::Done) => ActResult::Done,
            Ok(Sent::Failed(trouble)) | Err(trouble) => ActResult::Failed(trouble),
            Ok(Sent::Uncertain(trouble)) => ActResult::Uncertain(trouble),
        }
    }
}

/// Work that may be dropped, by what it answers for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Round(RoundKey),
    Alarm(RoundKey),
}

/// The errands of a drill: what is under way, and a runtime of its own for it.
pub struct Errands<P: Port = Pool> {
    /// `None` only while being dropped.
    runtime: Option<Runtime>,
    servers: P,
    clock: Arc<dyn Clock>,
    post: Post,
    under_way: BTreeMap<Key, (Errand, AbortHandle)>,
    acts: BTreeSet<Act>,
    plays: Plays,
    playing: BTreeMap<String, watch::Receiver<bool>>,
}

impl<P: Port> Errands<P> {
    /// Starts a runtime of two threads; nothing is asked yet.
    pub fn new(servers: P, clock: Arc<dyn Clock>, post: Post) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("drbook-errand")
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
            servers,
            clock,
            post,
            under_way: BTreeMap::new(),
            acts: BTreeSet::new(),
            plays: Plays::new(),
            playing: BTreeMap::new(),
        })
    }

    /// Starts what is owed and not under way; drops what is under way and no longer owed, or owed with other words.
    /// Work that has come home stays noted until it is no longer owed, so that it is not started again before it has
    /// been taken.
    pub fn settle(&mut self, owed: Vec<Errand>) {
        let wanted: BTreeMap<Key, &Errand> = owed.iter().filter_map(|e| Some((key(e)?, e))).collect();
        self.under_way.retain(|key, (errand, handle)| {
            let keep = wanted.get(key).is_some_and(|w| *w == errand);
            if !keep {
                handle.abort();
            }
            keep
        });
        let Some(runtime) = &self.runtime else { return };
        for errand in owed {
            let key = key(&errand);
            if key.as_ref().is_some_and(|k| self.under_way.contains_key(k)) {
                continue;
            }
            let handle = match errand.clone() {
                Errand::Ask(round) => {
                    let playing = self.playing.get(&round.key.step).cloned();
                    let (servers, clock, post) =
                        (self.servers.clone(), self.clock.clone(), self.post.clone());
                    runtime.spawn(async move {
                        if let Some(playing) = playing {
                            play::over(playing).await;
                        }
                        round::run(round, servers, clock, post).await;
                    })
                }
                Errand::Alarm { key, at } => {
                    let (clock, post) = (self.clock.clone(), self.post.clone());
                    runtime.spawn(async move {
                        round::until(clock.as_ref(), at).await;
                        post(News::Taken(Taken::Alarm { key }));
                    })
                }
                Errand::Act { act, item } => {
                    if self.acts.insert(act.clone()) {
                        runtime.spawn(act::run(act, item, self.servers.clone(), self.post.clone()));
                    }
                    continue;
                }
            };
            if let Some(key) = key {
                self.under_way.insert(key, (errand, handle.abort_handle()));
            }
        }
    }

    /// What the simulated servers are told when steps are said to be done. Rehearsals only.
    pub fn set_plays(&mut self, plays: Plays) {
        self.plays = plays;
    }

    /// A step was said to be done: plays its part, if it has one.
    pub fn said(&mut self, step: &str) {
        let (Some(runtime), Some(plays)) = (&self.runtime, self.plays.get(step)) else { return };
        let (done, playing) = watch::channel(false);
        self.playing.insert(step.to_owned(), playing);
        runtime.spawn(play::run(step.to_owned(), plays.clone(), self.servers.clone(), done));
    }

    /// Drops every question; actions under way run on and still report.
    pub fn stop_asking(&mut self) {
        self.settle(Vec::new());
    }
}

impl<P: Port> Drop for Errands<P> {
    fn drop(&mut self) {
        self.stop_asking();
        if let Some(runtime) = self.runtime.take() {
            // a name look-up may hang for long; nobody waits for it
            runtime.shutdown_background();
        }
    }
}

fn key(errand: &Errand) -> Option<Key> {
    match errand {
        Errand::Ask(round) => Some(Key::Round(round.key.clone())),
        Errand::Alarm { key, .. } => Some(Key::Alarm(key.clone())),
        Errand::Act { .. } => None,
    }
}

/// A task that did not come to its end: our fault, said as such instead of silence.
fn broken(error: &tokio::task::JoinError) -> Trouble {
    Trouble::new(
        TroubleCode::Other,
        format!("drbook itself failed while waiting for the answer ({error}); please report it"),
    )
}

#[cfg(test)]
mod tests;
