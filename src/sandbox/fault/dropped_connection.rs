//! All connections to a server are cut once, in the middle of a statement.

use super::{Aim, Fault, Needs};
use crate::clock::Span;
use crate::sandbox::answer::Message;
use crate::sandbox::world::{State, Trigger};

pub(super) const FAULT: Fault = Fault {
    put,
    strike,
    ..Fault::during(
        "dropped-connection",
        "a line or firewall that drops open connections: the statement is sent, its answer never comes",
        Needs::SERVER,
    )
};

/// After this much of the walk.
const AFTER: Span = Span::minutes(1);
/// The statement that is not answered.
const NTH: u32 = 5;

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let after = state.after_opening(AFTER);
    state.wait_for(FAULT.id, aim, Trigger::Statement { nth: NTH, after });
    Ok(())
}

#[allow(clippy::unnecessary_wraps, reason = "every fault may end a statement")]
fn strike(state: &mut State, aim: &Aim) -> Result<(), Vec<Message>> {
    state.cut_connections(aim.server);
    Ok(())
}
