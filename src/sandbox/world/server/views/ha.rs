//! Availability groups as a server shows them: catalog views, and the dynamic ones about roles and log queues.
//!
//! A secondary knows itself; only the primary knows the others. That is how it is documented and shown.

use chrono::{DateTime, Utc};

use super::super::Call;
use crate::sandbox::value::Value;
use crate::sandbox::world::ha::{Copy, Group, Role, Sync};
use crate::sandbox::world::ids::Lsn;
use crate::sandbox::world::state::Database;
use crate::sandbox::world::stored::{NULL, OFF, ON, Sheet, at, bit, guid, int, lsn, or_null, text};

pub(super) fn fill(call: &Call<'_>, full: &str, sheet: &mut Sheet) -> bool {
    match full {
        "sys.availability_groups" => each(call, |g| sheet.row(group(call, g, false))),
        "sys.availability_groups_cluster" => each(call, |g| sheet.row(group(call, g, true))),
        "sys.availability_replicas" => replicas(call, sheet),
        "sys.availability_read_only_routing_lists" => routing(call, sheet),
        "sys.availability_databases_cluster" => each(call, |g| {
            for m in &g.databases {
                sheet.row(vec![
                    ("group_id", guid(g.id)),
                    ("group_database_id", guid(m.id)),
                    ("database_name", text(&m.name)),
                ]);
            }
        }),
        "sys.availability_group_listeners" => each(call, |g| {
            if let Some(l) = &g.listener {
                let configuration: Vec<String> =
                    l.addresses.iter().map(|a| format!("('IP Address: {}')", a.ip)).collect();
                sheet.row(vec![
                    ("group_id", guid(g.id)),
                    ("listener_id", text(l.id.to_string().to_lowercase())),
                    ("dns_name", text(&l.name)),
                    ("port", Value::Int(l.port)),
                    ("is_conformant", ON),
                    ("ip_configuration_string_from_cluster", text(configuration.join(" or "))),
                    ("is_distributed_network_name", OFF),
                ]);
            }
        }),
        "sys.availability_group_listener_ip_addresses" => addresses(call, sheet),
        "sys.dm_hadr_cluster" => cluster(call, sheet),
        "sys.dm_hadr_cluster_members" => members(call, sheet),
        "sys.dm_hadr_cluster_networks" => networks(call, sheet),
        "sys.dm_hadr_availability_group_states" => each(call, |g| group_state(call, g, sheet)),
        "sys.dm_hadr_availability_replica_states" => replica_states(call, sheet),
        "sys.dm_hadr_availability_replica_cluster_states" => each(call, |g| {
            for r in &g.replicas {
                sheet.row(vec![
                    ("replica_id", guid(r.id)),
                    ("replica_server_name", text(&call.state.servers[r.server].name)),
                    ("group_id", guid(g.id)),
                    ("join_state", int(i64::from(r.joined))),
                    ("join_state_desc", text(if r.joined { "JOINED_STANDALONE" } else { "NOT_JOINED" })),
                ]);
            }
        }),
        "sys.dm_hadr_availability_replica_cluster_nodes" => each(call, |g| {
            for r in &g.replicas {
                let server = &call.state.servers[r.server];
                sheet.row(vec![
                    ("group_name", text(&g.name)),
                    ("replica_server_name", text(&server.name)),
                    ("node_name", text(server.machine())),
                ]);
            }
        }),
        "sys.dm_hadr_instance_node_map" => each(call, |g| {
            for r in &g.replicas {
                let server = &call.state.servers[r.server];
                sheet.row(vec![
                    ("ag_resource_id", text(g.resource.to_string().to_lowercase())),
                    ("instance_name", text(&server.name)),
                    ("node_name", text(server.machine())),
                ]);
            }
        }),
        "sys.dm_hadr_name_id_map" => each(call, |g| {
            sheet.row(vec![
                ("ag_name", text(&g.name)),
                ("ag_id", guid(g.id)),
                ("ag_resource_id", text(g.resource.to_string().to_lowercase())),
                ("ag_group_id", text(g.resource_group.to_string().to_lowercase())),
            ]);
        }),
        "sys.dm_hadr_database_replica_cluster_states" => cluster_states(call, sheet),
        "sys.dm_hadr_database_replica_states" => database_states(call, sheet),
        _ => return false,
    }
    true
}

/// The groups that have a replica here that has joined.
fn each(call: &Call<'_>, mut row: impl FnMut(&Group)) {
    for group in &call.state.ha.groups {
        if group.replica_on(call.s).is_some_and(|r| group.replicas[r].joined) {
            row(group);
        }
    }
}

fn group(call: &Call<'_>, g: &Group, cluster: bool) -> Vec<(&'static str, Value)> {
    let preference =
        ["PRIMARY", "SECONDARY_ONLY", "SECONDARY", "NONE"][usize::from(g.backup_preference.min(3))];
    let mut cells = vec![
        ("group_id", guid(g.id)),
        ("name", text(&g.name)),
        ("resource_id", text(g.resource.to_string().to_lowercase())),
        ("resource_group_id", text(g.resource_group.to_string().to_lowercase())),
        ("failure_condition_level", Value::Int(g.failure_condition)),
        ("health_check_timeout", Value::Int(g.health_timeout)),
        ("automated_backup_preference", int(g.backup_preference)),
        ("automated_backup_preference_desc", text(preference)),
    ];
    if !cluster {
        cells.extend([
            ("version", int(if call.server().version.0 >= 15 { 2 } else { 1 })),
            ("basic_features", bit(g.basic)),
            ("dtc_support", bit(g.dtc)),
            ("db_failover", bit(g.db_failover)),
            ("is_distributed", OFF),
            ("cluster_type", int(0)),
            ("cluster_type_desc", text("WSFC")),
            ("required_synchronized_secondaries_to_commit", int(0)),
            ("sequence_number", Value::Int(g.sequence)),
            ("is_contained", OFF),
        ]);
    }
    cells
}

fn local(call: &Call<'_>, time: DateTime<Utc>) -> Value {
    at(call.server().local(time))
}

fn replicas(call: &Call<'_>, sheet: &mut Sheet) {
    let mut number = 65_535;
    each(call, |g| {
        for r in &g.replicas {
            number += 1;
            let automatic = i64::from(!r.automatic);
            let readable = ["NO", "READ_ONLY", "ALL"][usize::from(r.readable.min(2))];
            sheet.row(vec![
                ("replica_id", guid(r.id)),
                ("group_id", guid(g.id)),
                ("replica_metadata_id", if r.server == call.s { int(number) } else { NULL }),
                ("replica_server_name", text(&call.state.servers[r.server].name)),
                ("owner_sid", if r.server == call.s { Value::Binary(vec![1]) } else { NULL }),
                ("endpoint_url", text(&r.endpoint)),
                ("availability_mode", int(i64::from(r.synchronous))),
                (
                    "availability_mode_desc",
                    text(if r.synchronous { "SYNCHRONOUS_COMMIT" } else { "ASYNCHRONOUS_COMMIT" }),
                ),
                ("failover_mode", int(automatic)),
                ("failover_mode_desc", text(if r.automatic { "AUTOMATIC" } else { "MANUAL" })),
                ("session_timeout", Value::Int(r.session_timeout)),
                ("primary_role_allow_connections", int(if r.read_write_only { 3 } else { 2 })),
                (
                    "primary_role_allow_connections_desc",
                    text(if r.read_write_only { "READ_WRITE" } else { "ALL" }),
                ),
                ("secondary_role_allow_connections", int(r.readable)),
                ("secondary_role_allow_connections_desc", text(readable)),
                ("create_date", local(call, r.created)),
                ("modify_date", local(call, r.modified)),
                ("backup_priority", Value::Int(r.backup_priority)),
                ("read_only_routing_url", or_null(r.routing_url.clone(), text)),
                ("seeding_mode", int(1)),
                ("seeding_mode_desc", text("MANUAL")),
                ("read_write_routing_url", NULL),
            ]);
        }
    });
}

fn routing(call: &Call<'_>, sheet: &mut Sheet) {
    each(call, |g| {
        for r in &g.replicas {
            for (n, name) in r.routing_list.iter().enumerate() {
                let target =
                    g.replicas.iter().find(|x| call.state.servers[x.server].name.eq_ignore_ascii_case(name));
                if let Some(target) = target {
                    sheet.row(vec![
                        ("replica_id", guid(r.id)),
                        ("routing_priority", int(n as i64 + 1)),
                        ("read_only_replica_id", guid(target.id)),
                    ]);
                }
            }
        }
    });
}

fn addresses(call: &Call<'_>, sheet: &mut Sheet) {
    each(call, |g| {
        let Some(listener) = &g.listener else { return };
        for (n, a) in listener.addresses.iter().enumerate() {
            // Of several subnets, the one the primary is in.
            let online = n == 0 && g.primary.is_some();
            sheet.row(vec![
                ("listener_id", text(listener.id.to_string().to_lowercase())),
                ("ip_address", text(&a.ip)),
                ("ip_subnet_mask", text(&a.mask)),
                ("is_dhcp", OFF),
                ("network_subnet_ip", text(&a.subnet)),
                ("network_subnet_prefix_length", Value::Int(a.prefix)),
                ("network_subnet_ipv4_mask", text(&a.mask)),
                ("state", int(i64::from(online))),
                ("state_desc", text(if online { "ONLINE" } else { "OFFLINE" })),
            ]);
        }
    });
}

fn cluster(call: &Call<'_>, sheet: &mut Sheet) {
    let Some(cluster) = call.state.ha.cluster.as_ref().filter(|c| c.nodes.contains(&call.s)) else { return };
    let (kind, word) =
        if cluster.witness.is_some() { (2, "NODE_AND_FILE_SHARE_MAJORITY") } else { (0, "NODE_MAJORITY") };
    let (state, state_word) =
        if call.state.quorum() { (1, "NORMAL_QUORUM") } else { (0, "UNKNOWN_QUORUM_STATE") };
    sheet.row(vec![
        ("cluster_name", text(&cluster.name)),
        ("quorum_type", int(kind)),
        ("quorum_type_desc", text(word)),
        ("quorum_state", int(state)),
        ("quorum_state_desc", text(state_word)),
    ]);
}

fn members(call: &Call<'_>, sheet: &mut Sheet) {
    let Some(cluster) = call.state.ha.cluster.as_ref().filter(|c| c.nodes.contains(&call.s)) else { return };
    let mut row = |name: &str, kind: (i64, &str), up: bool| {
        sheet.row(vec![
            ("member_name", text(name)),
            ("member_type", int(kind.0)),
            ("member_type_desc", text(kind.1)),
            ("member_state", int(i64::from(up))),
            ("member_state_desc", text(if up { "UP" } else { "DOWN" })),
            ("number_of_quorum_votes", int(1)),
        ]);
    };
    for node in &cluster.nodes {
        row(call.state.servers[*node].machine(), (0, "CLUSTER_NODE"), call.state.reachable(*node));
    }
    if let Some(share) = &cluster.witness {
        row(share, (2, "FILE_SHARE_WITNESS"), true);
    }
}

fn networks(call: &Call<'_>, sheet: &mut Sheet) {
    let Some(cluster) = call.state.ha.cluster.as_ref().filter(|c| c.nodes.contains(&call.s)) else { return };
    for node in &cluster.nodes {
        sheet.row(vec![
            ("member_name", text(call.state.servers[*node].machine())),
            ("network_subnet_ip", text(&cluster.network)),
            ("network_subnet_ipv4_mask", text(&cluster.mask)),
            ("network_subnet_prefix_length", Value::Int(cluster.prefix)),
            ("is_public", ON),
            ("is_ipv4", ON),
        ]);
    }
}

fn group_state(call: &Call<'_>, g: &Group, sheet: &mut Sheet) {
    let state = &*call.state;
    let Some(here) = g.replica_on(call.s) else { return };
    let role = state.role(g, here);
    let primary = g.primary_server().filter(|p| role != Role::Resolving && state.reachable(*p));
    let health = match role {
        Role::Primary => {
            (0..g.replicas.len()).filter(|r| g.replicas[*r].joined).map(|r| state.replica_health(g, r)).min()
        }
        _ => Some(state.replica_health(g, here)),
    };
    let online = (int(1), text("ONLINE"));
    let (p, s) = match role {
        Role::Primary => (online, (NULL, NULL)),
        Role::Secondary => ((NULL, NULL), online),
        Role::Resolving => ((NULL, NULL), (NULL, NULL)),
    };
    sheet.row(vec![
        ("group_id", guid(g.id)),
        ("primary_replica", text(primary.map_or("", |p| state.servers[p].name.as_str()))),
        ("primary_recovery_health", p.0),
        ("primary_recovery_health_desc", p.1),
        ("secondary_recovery_health", s.0),
        ("secondary_recovery_health_desc", s.1),
        ("synchronization_health", or_null(health, |h| int(h.number()))),
        ("synchronization_health_desc", or_null(health, |h| text(h.word()))),
    ]);
}

fn replica_states(call: &Call<'_>, sheet: &mut Sheet) {
    let state = &*call.state;
    each(call, |g| {
        let Some(here) = g.replica_on(call.s) else { return };
        let knows_all = state.role(g, here) == Role::Primary;
        for (r, replica) in g.replicas.iter().enumerate().filter(|(r, _)| knows_all || *r == here) {
            let own = r == here;
            let role = if own || state.connected(g, r) { state.role(g, r) } else { Role::Resolving };
            let connected = if own && role != Role::Resolving { true } else { state.connected(g, r) };
            let (operational, recovery) = match (own, role) {
                (false, _) => ((NULL, NULL), (NULL, NULL)),
                (true, Role::Resolving) if !state.quorum() => {
                    ((int(5), text("FAILED_NO_QUORUM")), (int(0), text("ONLINE_IN_PROGRESS")))
                }
                (true, Role::Resolving) => ((NULL, NULL), (int(0), text("ONLINE_IN_PROGRESS"))),
                (true, _) => ((int(2), text("ONLINE")), (int(1), text("ONLINE"))),
            };
            let health = state.replica_health(g, r);
            let lost = (!connected && !own).then(|| {
                format!(
                    "A connection timeout has occurred on a previously established connection to availability replica '{}' with id [{}].  Either a networking or a firewall issue exists or the availability replica has transitioned to the resolving role.",
                    state.servers[replica.server].name, replica.id
                )
            });
            let since = g.databases.iter().filter_map(|m| m.copies[r].hardened_at).max();
            sheet.row(vec![
                ("replica_id", guid(replica.id)),
                ("group_id", guid(g.id)),
                ("is_local", bit(own)),
                ("role", if own || connected { int(role.number()) } else { NULL }),
                ("role_desc", if own || connected { text(role.word()) } else { NULL }),
                ("operational_state", operational.0),
                ("operational_state_desc", operational.1),
                ("recovery_health", recovery.0),
                ("recovery_health_desc", recovery.1),
                ("synchronization_health", int(health.number())),
                ("synchronization_health_desc", text(health.word())),
                ("connected_state", int(i64::from(connected))),
                ("connected_state_desc", text(if connected { "CONNECTED" } else { "DISCONNECTED" })),
                ("last_connect_error_number", if lost.is_some() { int(35206) } else { NULL }),
                (
                    "last_connect_error_timestamp",
                    or_null(since.filter(|_| lost.is_some()), |t| local(call, t)),
                ),
                ("last_connect_error_description", or_null(lost, text)),
            ]);
        }
    });
}

fn cluster_states(call: &Call<'_>, sheet: &mut Sheet) {
    each(call, |g| {
        for m in 0..g.databases.len() {
            for (r, replica) in g.replicas.iter().enumerate() {
                let member = &g.databases[m];
                let copy = &member.copies[r];
                let reached = reached(call, g, m, r);
                sheet.row(vec![
                    ("replica_id", guid(replica.id)),
                    ("group_database_id", guid(member.id)),
                    ("database_name", text(&member.name)),
                    ("is_failover_ready", bit(call.state.failover_ready(g, m, r))),
                    ("is_pending_secondary_suspend", OFF),
                    ("is_database_joined", bit(copy.joined)),
                    ("recovery_lsn", or_null(reached.map(|l| l.0), lsn)),
                    ("truncation_lsn", or_null(reached.map(|l| l.1), lsn)),
                ]);
            }
        }
    });
}

/// How far a copy can be recovered to, and where its log begins.
fn reached(call: &Call<'_>, g: &Group, m: usize, r: usize) -> Option<(Lsn, Lsn)> {
    let copy = &g.databases[m].copies[r];
    if !copy.joined {
        return None;
    }
    let db = call.state.servers[g.replicas[r].server].database(&g.databases[m].name)?;
    let end = if g.primary == Some(r) { db.log.end } else { copy.hardened };
    Some((end, db.log.backed_up.unwrap_or(db.log.checkpoint).min(end)))
}

/// LSN and time of the newest commit that a log has.
fn newest(db: &Database, upto: Lsn, at: Option<DateTime<Utc>>) -> (Lsn, Option<DateTime<Utc>>) {
    match db.log.records.iter().rev().find(|r| r.lsn < upto) {
        Some(record) if at.is_none_or(|t| record.at >= t) => (record.lsn, Some(record.at)),
        _ => (upto, at),
    }
}

fn database_states(call: &Call<'_>, sheet: &mut Sheet) {
    each(call, |g| {
        let Some(here) = g.replica_on(call.s) else { return };
        let knows_all = call.state.role(g, here) == Role::Primary;
        for m in 0..g.databases.len() {
            for r in (0..g.replicas.len()).filter(|r| knows_all || *r == here) {
                if g.databases[m].copies[r].joined {
                    database_state(call, g, m, r, here, sheet);
                }
            }
        }
    });
}

fn database_state(call: &Call<'_>, g: &Group, m: usize, r: usize, here: usize, sheet: &mut Sheet) {
    let state = &*call.state;
    let (member, replica, copy) = (&g.databases[m], &g.replicas[r], &g.databases[m].copies[r]);
    let Some(own) = state.servers[call.s].database(&member.name) else { return };
    let (sync, health) = (state.sync_of(g, m, r), state.health_of(g, m, r));
    let primary = g.primary == Some(r);
    let knows = state.role(g, here) == Role::Primary;
    let end = own.log.end;
    let mut cells = vec![
        ("database_id", int(own.id)),
        ("group_id", guid(g.id)),
        ("replica_id", guid(replica.id)),
        ("group_database_id", guid(member.id)),
        ("is_local", bit(r == here)),
        ("is_primary_replica", bit(primary)),
        ("synchronization_state", int(sync.number())),
        ("synchronization_state_desc", text(sync.word())),
        ("is_commit_participant", bit(sync == Sync::Synchronized)),
        ("synchronization_health", int(health.number())),
        ("synchronization_health_desc", text(health.word())),
        ("database_state", if r == here { int(own.state.number()) } else { NULL }),
        ("database_state_desc", if r == here { text(own.state.word()) } else { NULL }),
        ("is_suspended", bit(copy.suspended.is_some())),
        ("suspend_reason", or_null(copy.suspended, |w| int(w.number()))),
        ("suspend_reason_desc", or_null(copy.suspended, |w| text(w.word()))),
    ];
    if let Some((recovery, truncation)) = reached(call, g, m, r) {
        cells.extend([("recovery_lsn", lsn(recovery)), ("truncation_lsn", lsn(truncation))]);
    }
    if primary {
        let (commit, time) = newest(own, end, own.log.busy_until);
        let hardened = (replica.synchronous).then(|| hardened_everywhere(call, g, m).unwrap_or(end));
        cells.extend([
            ("last_hardened_lsn", or_null(hardened, lsn)),
            ("end_of_log_lsn", lsn(end)),
            ("last_commit_lsn", lsn(commit)),
            ("last_commit_time", or_null(time, |t| local(call, t))),
        ]);
    } else {
        cells.extend(queues(call, copy, replica_flows(call, g, m, r), (knows, end)));
    }
    sheet.row(cells);
}

fn replica_flows(call: &Call<'_>, g: &Group, m: usize, r: usize) -> bool {
    call.state.flows(g, m, r)
}

/// The least that all synchronous copies have.
fn hardened_everywhere(call: &Call<'_>, g: &Group, m: usize) -> Option<Lsn> {
    (0..g.replicas.len())
        .filter(|r| g.primary != Some(*r) && call.state.sync_of(g, m, *r) == Sync::Synchronized)
        .map(|r| g.databases[m].copies[r].hardened)
        .min()
}

/// Log positions and queues of a copy; `first` = whether it is the primary that tells, and the end of its log.
fn queues(
    call: &Call<'_>,
    copy: &Copy,
    flows: bool,
    (knows, end): (bool, Lsn),
) -> Vec<(&'static str, Value)> {
    let kilobytes = |blocks: i64| Value::Int(blocks / 2);
    let waiting = copy.hardened.blocks_to(end.max(copy.seen));
    let time = |t: Option<DateTime<Utc>>| or_null(t, |t| local(call, t));
    let lag = match (copy.committed_at, waiting) {
        (Some(at), 1..) if knows => Value::Int((call.now - at).num_seconds().max(0)),
        (Some(_), 0) if knows => int(0),
        _ => NULL,
    };
    vec![
        ("last_sent_lsn", lsn(copy.hardened)),
        ("last_sent_time", time(copy.sent_at)),
        ("last_received_lsn", lsn(copy.hardened)),
        ("last_received_time", time(copy.sent_at)),
        ("last_hardened_lsn", lsn(copy.hardened)),
        ("last_hardened_time", time(copy.hardened_at)),
        ("last_redone_lsn", lsn(copy.hardened)),
        ("last_redone_time", time(copy.hardened_at)),
        (
            "log_send_queue_size",
            if knows {
                kilobytes(waiting)
            } else if flows {
                int(0)
            } else {
                NULL
            },
        ),
        ("log_send_rate", kilobytes(copy.rate)),
        ("redo_queue_size", int(0)),
        ("redo_rate", kilobytes(copy.rate)),
        ("filestream_send_rate", int(0)),
        ("end_of_log_lsn", lsn(copy.hardened)),
        ("last_commit_lsn", lsn(copy.hardened)),
        ("last_commit_time", time(copy.committed_at)),
        ("secondary_lag_seconds", lag),
    ]
}
