//! Logins that the primary has are missing on a secondary replica.

use super::{Aim, Fault, Hold, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    hold: Hold::Of("logins"),
    put,
    ..Fault::standing(
        "replica-login-missing",
        "logins that a new host made on the primary alone: after a failover nobody gets in",
        Needs::BIZTALK_REPLICA,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let server = &mut state.servers[aim.server];
    let before = server.logins.len();
    server.logins.retain(|l| {
        !matches!(l.kind, 'G') || !l.name.contains("Host Users") && !l.name.contains("Application")
    });
    if server.logins.len() == before {
        return Err(format!("fault {}: {} has no login of a BizTalk host", FAULT.id, server.name));
    }
    Ok(())
}
