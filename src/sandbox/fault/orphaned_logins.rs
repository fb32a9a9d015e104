//! Logins that users of the databases belong to are not on the server.

use super::{Aim, Fault, Needs};
use crate::sandbox::world::State;

pub(super) const FAULT: Fault = Fault {
    put,
    ..Fault::standing(
        "orphaned-logins",
        "logins never created on the standby server: its databases open, and nobody of the application gets in",
        Needs::LOGINS,
    )
};

fn put(state: &mut State, aim: &Aim) -> Result<(), String> {
    let sids: Vec<Vec<u8>> = state
        .servers
        .iter()
        .flat_map(|s| &s.databases)
        .filter(|d| d.id > 4)
        .flat_map(|d| &d.content.users)
        .filter(|u| u.kind != 'R')
        .filter_map(|u| u.sid.clone())
        .collect();
    let server = &mut state.servers[aim.server];
    let before = server.logins.len();
    // Not those the server itself runs on.
    let (agent, engine) = (server.agent_account.clone(), server.engine_account.clone());
    server.logins.retain(|l| {
        l.kind == 'R' || l.sysadmin || l.name == agent || l.name == engine || !sids.contains(&l.sid)
    });
    if server.logins.len() == before {
        return Err(format!("no login of {} has a user in a database", server.name));
    }
    Ok(())
}
