//! An action under way: sent once, reported once, whatever happens on the way.

use super::{Port, broken};
use crate::drive::{News, Post};
use crate::engine::{Act, ActResult, Item, Taken};

/// Sends the action and posts what became of it. If our own code fails, nobody knows whether it was sent.
pub(super) async fn run<P: Port>(act: Act, item: Item, servers: P, post: Post) {
    let sending = {
        let act = act.clone();
        tokio::spawn(async move { servers.act(&act, &item).await })
    };
    let result = sending.await.unwrap_or_else(|e| ActResult::Uncertain(broken(&e)));
    post(News::Taken(Taken::Act { act, result }));
}
