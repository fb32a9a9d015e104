//! The held-back log file of one database is gone from the share.

use super::{Fault, Target, When};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    id: "missing-file",
    worlds: &["biztalk"],
    when: When::Standing,
    imitates: "a clean-up job or virus scanner that removed a backup file before it was restored",
    target: Target::FirstDestination,
    before: super::nothing_before,
    put,
};

fn put(state: &mut State, server: usize) -> Result<(), String> {
    let name = state.servers[server].name.clone();
    let none = || format!("fault missing-file: {name} has no set that is still to be restored");
    let database = state.largest_shipped(server).ok_or_else(none)?;
    let path = state.held_back_path(server, &database).ok_or_else(none)?;
    let machine = state.servers[server].machine().to_owned();
    let real = state.files.place(&machine, &path).map_err(|_| none())?;
    std::fs::remove_file(&real).map_err(|e| format!("fault missing-file: {}: {e}", real.display()))
}
