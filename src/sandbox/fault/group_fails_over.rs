//! The availability group fails over while the world is walked.

use super::{Aim, Fault, Hold, Needs};
use crate::clock::Span;
use crate::sandbox::answer::Message;
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("primary"),
    put,
    strike,
    ..Fault::during(
        "group-fails-over",
        "a server patched in the middle of a drill: the primary role moves, and with it jobs, history and file names",
        Needs::GROUP,
    )
};

/// So long after the walk has begun.
const AFTER: Span = Span { ms: 7 * 60_000 };

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let at = state.after_opening(AFTER);
    state.wait_for(FAULT.id, aim, Trigger::At(at));
    Ok(())
}

#[allow(clippy::unnecessary_wraps, reason = "every fault may end a statement")]
fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<Message>> {
    let now = state.at;
    state.ship(now);
    for g in 0..state.ha.groups.len() {
        let group = &state.ha.groups[g];
        if group.primary_server() != Some(aim.server) {
            continue;
        }
        let ready = |r: &usize| (0..group.databases.len()).all(|m| state.failover_ready(group, m, *r));
        if let Some(r) = (0..group.replicas.len()).filter(|r| group.primary != Some(*r)).find(ready) {
            state.take_over(g, r, false, now);
        }
    }
    Ok(())
}
