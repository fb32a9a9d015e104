//! Restore To Mark fails half-way and leaves a mixture.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::during(
        "job-fails",
        "the share going away in the middle of the final restore",
        Needs::DESTINATION,
    )
};

/// The database (from 0) whose last log cannot be read to its end.
const AT: usize = 4;

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let shipped = state.shipped(aim.server).len();
    if shipped == 0 {
        return Err(format!("{} restores nothing", state.servers[aim.server].name));
    }
    state.servers[aim.server].trouble.mark_fails_at = Some(AT.min(shipped - 1));
    Ok(())
}
