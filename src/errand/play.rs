//! The part of computers that are not simulated, in a rehearsal: when the operator says a manual step is done, the
//! simulated servers are told what the real ones would have seen. Questions of that step wait for it.
//!
//! Knows nothing of runbooks; only a rehearsal on drbook's own sandbox is ever given plays.

use tokio::sync::watch;

use super::Port;
use crate::engine::{Act, Item};

/// What is sent for a step, in order.
pub type Plays = std::collections::BTreeMap<String, Vec<Play>>;

/// One procedure call on one server.
#[derive(Debug, Clone, PartialEq)]
pub struct Play {
    /// The server.
    pub server: String,
    /// The call, as a query of the catalogue.
    pub item: Item,
}

/// Sends them one after the other, then says so. What fails shows in the questions that follow.
pub(super) async fn run<P: Port>(step: String, plays: Vec<Play>, port: P, done: watch::Sender<bool>) {
    for play in plays {
        let act = Act { step: step.clone(), attempt: 0, server: play.server, item: play.item.id.clone() };
        let _ = port.act(&act, &play.item).await;
    }
    let _ = done.send(true);
}

/// Waits until a play is over.
pub(super) async fn over(mut playing: watch::Receiver<bool>) {
    while !*playing.borrow_and_update() {
        if playing.changed().await.is_err() {
            return;
        }
    }
}
