//! Queries of one server come back without rows.

use super::{Fault, Target, When, nothing_before};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    id: "empty-answer",
    worlds: &["biztalk"],
    when: When::Standing,
    imitates: "row-level rights or a wrong database that hide everything, so that a check finds nothing wrong",
    target: Target::FirstDestination,
    before: nothing_before,
    put,
};

#[allow(clippy::unnecessary_wraps, reason = "every fault may refuse")]
fn put(state: &mut State, server: usize) -> Result<(), String> {
    state.servers[server].trouble.empty_answers = true;
    Ok(())
}
