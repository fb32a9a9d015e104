//! The newest backup set is not complete: the job failed at one database.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::{State, Unwritten};

pub(super) const FAULT: Fault = Fault {
    before,
    ..Fault::standing(
        "partial-set",
        "a backup job that failed half-way: some databases have a log in the set, the others have none",
        Needs::BACKED_UP,
    )
};

/// Before the walk: the last set falls into it.
const MINUTES: i64 = 15;

fn before(state: &mut State, aim: &Aim) {
    let (from, until) = (state.opened - chrono::TimeDelta::minutes(MINUTES), state.opened);
    let database = aim.database().to_owned();
    state.servers[aim.server].trouble.unwritten = Some(Unwritten { database, from, until, os: 64 });
}
