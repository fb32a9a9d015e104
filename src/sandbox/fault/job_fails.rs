//! Restore To Mark fails half-way and leaves a mixture.

use super::{Fault, Target, When, nothing_before};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    id: "job-fails",
    worlds: &["biztalk"],
    when: When::During,
    imitates: "the share going away in the middle of the final restore",
    target: Target::FirstDestination,
    before: nothing_before,
    put,
};

/// The database (from 0) whose last log cannot be read to its end.
const AT: usize = 4;

fn put(state: &mut State, server: usize) -> Result<(), String> {
    let shipped = state.shipped(server).len();
    if shipped == 0 {
        return Err(format!("fault job-fails: {} restores nothing", state.servers[server].name));
    }
    state.servers[server].trouble.mark_fails_at = Some(AT.min(shipped - 1));
    Ok(())
}
