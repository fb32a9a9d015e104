//! Queries of one server come back without rows.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::standing(
        "empty-answer",
        "row-level rights or a wrong database that hide everything, so that a check finds nothing wrong",
        Needs::SERVER,
    )
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    state.servers[aim.server].trouble.empty_answers = true;
    Ok(())
}
