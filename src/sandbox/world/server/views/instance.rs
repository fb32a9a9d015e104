//! Options, linked servers, services and the machine.

use super::super::Call;
use crate::sandbox::value::Value;
use crate::sandbox::world::options::settings;
use crate::sandbox::world::stored::{NULL, OFF, ON, Sheet, at, bit, count, int, text};

pub(super) fn fill(call: &Call<'_>, full: &str, sheet: &mut Sheet) -> bool {
    let server = call.server();
    match full {
        "sys.configurations" => {
            for setting in settings(server.year()) {
                sheet.row(vec![
                    ("configuration_id", int(setting.id)),
                    ("name", text(setting.name)),
                    ("value", int(server.configured(&setting))),
                    ("minimum", int(setting.minimum)),
                    ("maximum", int(setting.maximum)),
                    ("value_in_use", int(server.in_use(&setting))),
                    ("description", text(setting.description)),
                    ("is_dynamic", bit(setting.dynamic)),
                    ("is_advanced", bit(setting.advanced)),
                ]);
            }
        }
        "sys.dm_server_registry" => {
            for entry in server.registry().into_iter().filter(|e| e.own) {
                sheet.row(vec![
                    ("registry_key", text(format!("HKLM\\{}", entry.key))),
                    ("value_name", text(entry.name)),
                    ("value_data", entry.value),
                ]);
            }
        }
        "sys.endpoints" | "sys.tcp_endpoints" => endpoints(full == "sys.tcp_endpoints", sheet),
        "sys.dm_tcp_listener_states" => {
            for (n, (ip, v4)) in [("::", false), ("0.0.0.0", true)].into_iter().enumerate() {
                sheet.row(vec![
                    ("listener_id", count(n + 1)),
                    ("ip_address", text(ip)),
                    ("is_ipv4", bit(v4)),
                    ("port", int(1433)),
                    ("type", int(0)),
                    ("type_desc", text("TSQL")),
                    ("state", int(0)),
                    ("state_desc", text("ONLINE")),
                    ("start_time", at(server.local(server.started))),
                ]);
            }
        }
        "sys.backup_devices" => {
            for (name, path) in &server.backup_devices {
                sheet.row(vec![
                    ("name", text(name)),
                    ("type", int(2)),
                    ("type_desc", text("DISK")),
                    ("physical_name", text(path)),
                ]);
            }
        }
        "sys.certificates" => {
            for (n, c) in server.certificates.iter().enumerate() {
                let (kind, word) =
                    if c.private_key { ("MK", "ENCRYPTED_BY_MASTER_KEY") } else { ("NA", "NO_PRIVATE_KEY") };
                sheet.row(vec![
                    ("name", text(&c.name)),
                    ("certificate_id", count(256 + n)),
                    ("principal_id", int(1)),
                    ("pvt_key_encryption_type", text(kind)),
                    ("pvt_key_encryption_type_desc", text(word)),
                    ("is_active_for_begin_dialog", ON),
                    ("issuer_name", text(&c.name)),
                    ("subject", text(&c.name)),
                    ("start_date", at(c.from)),
                    ("expiry_date", at(c.until)),
                    ("thumbprint", crate::sandbox::value::Value::Binary(c.thumbprint.clone())),
                    ("pvt_key_last_backup_date", c.saved.map_or(NULL, at)),
                ]);
            }
        }
        "sys.servers" => servers(call, sheet),
        "sys.linked_logins" => {
            for (n, link) in server.linked.iter().enumerate() {
                sheet.row(vec![
                    ("server_id", count(n + 1)),
                    ("local_principal_id", int(0)),
                    ("uses_self_credential", ON),
                    ("modify_date", at(link.created)),
                ]);
            }
        }
        "sys.dm_server_services" => services(call, sheet),
        "sys.dm_os_host_info" => sheet.row(vec![
            ("host_platform", text("Windows")),
            ("host_distribution", text("Windows Server 2019 Standard")),
            ("host_release", text("10.0")),
            ("host_service_pack_level", text("")),
            ("host_sku", int(7)),
            ("os_language_version", int(0)),
        ]),
        "sys.dm_os_windows_info" => sheet.row(vec![
            ("windows_release", text("10.0")),
            ("windows_service_pack_level", text("")),
            ("windows_sku", int(7)),
            ("os_language_version", int(1033)),
        ]),
        "sys.dm_os_sys_info" => {
            let up = (call.now - server.started).num_milliseconds();
            sheet.row(vec![
                ("cpu_ticks", Value::Int(up.saturating_mul(2_400_000))),
                ("ms_ticks", Value::Int(up)),
                ("cpu_count", int(8)),
                ("hyperthread_ratio", int(8)),
                ("physical_memory_kb", int(33_553_900)),
                ("virtual_memory_kb", Value::Int(137_438_953_344)),
                ("committed_kb", int(24_117_248)),
                ("committed_target_kb", int(26_214_400)),
                ("scheduler_count", int(8)),
                ("max_workers_count", int(576)),
                ("sqlserver_start_time_ms_ticks", int(0)),
                ("sqlserver_start_time", at(server.local(server.started))),
                ("socket_count", int(1)),
                ("cores_per_socket", int(8)),
                ("numa_node_count", int(1)),
            ]);
        }
        "master.dbo.xp_fixeddrives" => drives(call, sheet),
        "sys.dm_os_enumerate_fixed_drives" => {
            for v in &server.volumes {
                sheet.row(vec![
                    ("fixed_drive_path", text(&v.mount)),
                    ("drive_type", int(3)),
                    ("drive_type_desc", text("DRIVE_FIXED")),
                    ("free_space_in_bytes", Value::Int(v.free_bytes)),
                ]);
            }
        }
        _ => return false,
    }
    true
}

pub(crate) fn drives(call: &Call<'_>, sheet: &mut Sheet) {
    for v in &call.server().volumes {
        sheet.row(vec![("drive", text(&v.mount[..1])), ("MB free", Value::Int(v.free_bytes / 1_048_576))]);
    }
}

/// The endpoints that every server has.
fn endpoints(tcp: bool, sheet: &mut Sheet) {
    for (id, name, protocol, word, admin) in [
        (1, "Dedicated Admin Connection", 2, "TCP", true),
        (2, "TSQL Local Machine", 4, "SHARED_MEMORY", false),
        (3, "TSQL Named Pipes", 3, "NAMED_PIPES", false),
        (4, "TSQL Default TCP", 2, "TCP", false),
    ] {
        if tcp && protocol != 2 {
            continue;
        }
        let mut cells = vec![
            ("name", text(name)),
            ("endpoint_id", int(id)),
            ("principal_id", int(1)),
            ("protocol", int(protocol)),
            ("protocol_desc", text(word)),
            ("type", int(2)),
            ("type_desc", text("TSQL")),
            ("state", int(0)),
            ("state_desc", text("STARTED")),
            ("is_admin_endpoint", bit(admin)),
        ];
        if tcp {
            cells.extend([("port", int(0)), ("is_dynamic_port", OFF), ("ip_address", NULL)]);
        }
        sheet.row(cells);
    }
}

fn servers(call: &Call<'_>, sheet: &mut Sheet) {
    let server = call.server();
    let own = (server.name.as_str(), server.name.as_str(), false, true, server.local(server.started));
    let linked =
        server.linked.iter().map(|l| (l.name.as_str(), l.data_source.as_str(), true, l.rpc_out, l.created));
    for (n, (name, source, is_linked, rpc, modified)) in std::iter::once(own).chain(linked).enumerate() {
        sheet.row(vec![
            ("server_id", count(n)),
            ("name", text(name)),
            ("product", text("SQL Server")),
            ("provider", text(server.provider())),
            ("data_source", text(source)),
            ("location", NULL),
            ("provider_string", NULL),
            ("catalog", NULL),
            ("connect_timeout", int(0)),
            ("query_timeout", int(0)),
            ("is_linked", bit(is_linked)),
            ("is_remote_login_enabled", ON),
            ("is_rpc_out_enabled", bit(rpc)),
            ("is_data_access_enabled", bit(is_linked)),
            ("is_collation_compatible", OFF),
            ("uses_remote_collation", ON),
            ("collation_name", NULL),
            ("lazy_schema_validation", OFF),
            ("is_system", OFF),
            ("is_publisher", OFF),
            ("is_subscriber", OFF),
            ("is_distributor", OFF),
            ("is_nonsql_subscriber", OFF),
            ("is_remote_proc_transaction_promotion_enabled", ON),
            ("modify_date", at(modified)),
            ("is_rda_server", OFF),
        ]);
    }
}

fn services(call: &Call<'_>, sheet: &mut Sheet) {
    let server = call.server();
    let instance = server.name.split_once('\\').map_or("MSSQLSERVER", |(_, i)| i);
    let started = Value::DateTimeOffset(server.local(server.started), server.offset_minutes);
    let bin = format!(
        "\"C:\\Program Files\\Microsoft SQL Server\\MSSQL{}.{instance}\\MSSQL\\Binn\\",
        server.version.0
    );
    for (service, account, file, running) in [
        ("SQL Server", &server.engine_account, "sqlservr.exe\" -s", true),
        ("SQL Server Agent", &server.agent_account, "SQLAGENT.EXE\" -i ", !server.agent.stopped),
    ] {
        sheet.row(vec![
            ("servicename", text(format!("{service} ({instance})"))),
            ("startup_type", int(2)),
            ("startup_type_desc", text("Automatic")),
            ("status", int(if running { 4 } else { 1 })),
            ("status_desc", text(if running { "Running" } else { "Stopped" })),
            (
                "process_id",
                if running { int(if service == "SQL Server" { 4712 } else { 5220 }) } else { NULL },
            ),
            ("last_startup_time", if service == "SQL Server" { started.clone() } else { NULL }),
            ("service_account", text(account)),
            ("filename", text(format!("{bin}{file}{instance}"))),
            ("is_clustered", text("N")),
            ("instant_file_initialization_enabled", text(if service == "SQL Server" { "Y" } else { "N" })),
        ]);
    }
}
