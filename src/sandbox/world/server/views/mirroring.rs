//! Database mirroring as a server shows it: its sessions as a partner, those it only witnesses, its endpoint.

use super::super::Call;
use crate::sandbox::value::Value;
use crate::sandbox::world::ha::Mirror;
use crate::sandbox::world::state::Database;
use crate::sandbox::world::stored::{NULL, OFF, ON, Sheet, bit, guid, int, lsn, or_null, text};

pub(super) fn fill(call: &Call<'_>, full: &str, sheet: &mut Sheet) -> bool {
    let state = &*call.state;
    match full {
        "sys.database_mirroring" => {
            for db in &call.server().databases {
                let session = state.ha.session(call.s, &db.name).map(|n| &state.ha.mirrors[n]);
                sheet.row(
                    session.map_or_else(
                        || vec![("database_id", int(db.id))],
                        |mirror| partner(call, db, mirror),
                    ),
                );
            }
        }
        "sys.database_mirroring_witnesses" => {
            for mirror in state.ha.mirrors.iter().filter(|m| m.witness == Some(call.s)) {
                sheet.row(witness(call, mirror));
            }
        }
        "sys.database_mirroring_endpoints" => {
            if takes_part(call) {
                sheet.row(endpoint(call));
            }
        }
        // Counters of bytes and messages are not kept: a server without partners has none.
        "sys.dm_db_mirroring_connections" => return !takes_part(call),
        _ => return false,
    }
    true
}

fn takes_part(call: &Call<'_>) -> bool {
    let ha = &call.state.ha;
    ha.groups.iter().any(|g| g.replica_on(call.s).is_some())
        || ha.mirrors.iter().any(|m| [Some(m.principal), Some(m.mirror), m.witness].contains(&Some(call.s)))
}

fn address(call: &Call<'_>, s: usize) -> String {
    format!("TCP://{}.contoso.local:5022", call.state.servers[s].machine())
}

fn partner(call: &Call<'_>, db: &Database, mirror: &Mirror) -> Vec<(&'static str, Value)> {
    let state = &*call.state;
    let principal = mirror.principal == call.s;
    let other = if principal { mirror.mirror } else { mirror.principal };
    let (number, word) = state.mirror_state(mirror);
    let witnessed = mirror.witness.map(|w| state.hears(call.s, w));
    let end = if principal { db.log.end } else { mirror.copy.hardened };
    vec![
        ("database_id", int(db.id)),
        ("mirroring_guid", guid(mirror.id)),
        ("mirroring_state", int(number)),
        ("mirroring_state_desc", text(word)),
        ("mirroring_role", int(if principal { 1 } else { 2 })),
        ("mirroring_role_desc", text(if principal { "PRINCIPAL" } else { "MIRROR" })),
        ("mirroring_role_sequence", Value::Int(mirror.role_sequence)),
        ("mirroring_safety_level", int(if mirror.safe { 2 } else { 1 })),
        ("mirroring_safety_level_desc", text(if mirror.safe { "FULL" } else { "OFF" })),
        ("mirroring_safety_sequence", Value::Int(mirror.safety_sequence)),
        ("mirroring_partner_name", text(address(call, other))),
        ("mirroring_partner_instance", text(&state.servers[other].name)),
        ("mirroring_witness_name", text(mirror.witness.map_or(String::new(), |w| address(call, w)))),
        (
            "mirroring_witness_state",
            or_null(witnessed.or(Some(false)), |up| {
                int(match (mirror.witness.is_some(), up) {
                    (false, _) => 0,
                    (true, true) => 1,
                    (true, false) => 2,
                })
            }),
        ),
        (
            "mirroring_witness_state_desc",
            text(match witnessed {
                None => "UNKNOWN",
                Some(true) => "CONNECTED",
                Some(false) => "DISCONNECTED",
            }),
        ),
        (
            "mirroring_failover_lsn",
            lsn(if mirror.copy.hardened > mirror.failover { mirror.copy.hardened } else { mirror.failover }),
        ),
        ("mirroring_connection_timeout", Value::Int(mirror.timeout)),
        ("mirroring_redo_queue", NULL),
        ("mirroring_redo_queue_type", text("UNLIMITED")),
        ("mirroring_end_of_log_lsn", lsn(end)),
        ("mirroring_replication_lsn", lsn(mirror.copy.hardened)),
    ]
}

fn witness(call: &Call<'_>, mirror: &Mirror) -> Vec<(&'static str, Value)> {
    let state = &*call.state;
    let family = state.servers[mirror.principal].database(&mirror.database).map(|d| d.family);
    let name = |s: usize| text(&state.servers[s].name);
    let level = mirror.copy.level_with_what_it_saw() && !mirror.suspended;
    vec![
        ("database_name", text(&mirror.database)),
        ("principal_server_name", name(mirror.principal)),
        ("mirror_server_name", name(mirror.mirror)),
        ("safety_level", int(if mirror.safe { 2 } else { 1 })),
        ("safety_level_desc", text(if mirror.safe { "FULL" } else { "OFF" })),
        ("safety_sequence_number", Value::Int(mirror.safety_sequence)),
        ("role_sequence_number", Value::Int(mirror.role_sequence)),
        ("mirroring_guid", guid(mirror.id)),
        ("family_guid", or_null(family, guid)),
        ("is_suspended", bit(mirror.suspended)),
        ("is_suspended_sequence_number", int(1)),
        ("partner_sync_state", int(if level { 5 } else { 6 })),
        ("partner_sync_state_desc", text(if level { "SYNCHRONIZED" } else { "UNSYNCHRONIZED" })),
    ]
}

fn endpoint(call: &Call<'_>) -> Vec<(&'static str, Value)> {
    let group = call.state.ha.groups.iter().any(|g| g.replica_on(call.s).is_some());
    vec![
        ("name", text(if group { "Hadr_endpoint" } else { "Mirroring" })),
        ("endpoint_id", int(65_536)),
        ("principal_id", int(1)),
        ("protocol", int(2)),
        ("protocol_desc", text("TCP")),
        ("type", int(4)),
        ("type_desc", text("DATABASE_MIRRORING")),
        ("state", int(0)),
        ("state_desc", text("STARTED")),
        ("is_admin_endpoint", OFF),
        ("role", int(3)),
        ("role_desc", text("ALL")),
        ("is_encryption_enabled", ON),
        ("connection_auth", int(3)),
        ("connection_auth_desc", text("NEGOTIATE")),
        ("certificate_id", int(0)),
        ("encryption_algorithm", int(2)),
        ("encryption_algorithm_desc", text("AES")),
    ]
}
