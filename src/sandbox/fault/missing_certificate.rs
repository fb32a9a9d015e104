//! The held-back log of one database is encrypted, and its certificate is not on the server that is to restore it.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::File,
    put,
    ..Fault::standing(
        "missing-certificate",
        "backup encryption switched on at the source, and nobody brought the certificate to the standby",
        Needs::SHIPPED,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let path = state
        .held_back_path(aim.server, aim.database())
        .ok_or_else(|| format!("{} has no log to restore", state.servers[aim.server].name))?;
    state.encrypt_as_at_source(&path, "BackupEncryption")
}
