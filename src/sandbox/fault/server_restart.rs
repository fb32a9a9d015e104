//! A server starts again in the middle of a restore.

use super::{Aim, Fault, Needs};
use crate::clock::Span;
use crate::sandbox::answer::Message;
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    put,
    strike,
    ..Fault::during(
        "server-restart",
        "a machine that restarts for a patch while it restores: every connection is gone, the restore undone",
        Needs::RESTORING,
    )
};

/// Which restore of the walk.
const NTH: u32 = 3;
/// How long it is away.
const DOWN: Span = Span::minutes(2);

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    state.wait_for(FAULT.id, aim, Trigger::Restore { nth: NTH });
    Ok(())
}

fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<Message>> {
    state.restart(aim.server, DOWN);
    let text = "Cannot continue the execution because the session is in the kill state.";
    Err(vec![Message { class: 21, ..Message::error(596, text) }])
}
