//! For one database a log set was never restored, though later ones are marked as restored.

use super::{Fault, Target, When};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    id: "open-gap",
    worlds: &["biztalk"],
    when: When::Standing,
    imitates: "a log of one database skipped after a network break while its set was marked as restored",
    target: Target::FirstDestination,
    before: super::nothing_before,
    put,
};

/// How many sets before the last restored one the hole lies.
const BACK: usize = 3;

fn put(state: &mut State, server: usize) -> Result<(), String> {
    let name = state.servers[server].name.clone();
    let none = || format!("fault open-gap: {name} has not restored enough sets");
    let database = state.largest_shipped(server).ok_or_else(none)?;
    state.tear_gap(server, &database, BACK).ok_or_else(none)
}
