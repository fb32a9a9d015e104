//! The system's own procedures: options, logs, the registry, descriptions of databases and sessions, linked
//! servers and principals.
//!
//! Each against its documented parameters, result columns and errors; what is left out is refused.

mod catalogue;
mod configure;
mod describe;
mod devices;
mod errorlog;
mod linked;
mod maintenance;
mod principals;
mod registry;
mod sessions;

use super::bound::Bound;
use super::send;
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::host::{ObjectName, Outcome};
use crate::sandbox::value::{Column, Table, Value};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::kind_of;

type Given = [(Option<String>, Value)];
type Act = fn(&mut Call<'_>, &str, &Given, &mut Kept) -> Outcome<i32>;

/// `Ok(None)` = there is no such procedure. `database` is where it is called.
pub(super) fn run(
    call: &mut Call<'_>,
    name: &ObjectName,
    given: &Given,
    parts: &mut Kept,
) -> Outcome<Option<i32>> {
    let lower = name.name.to_lowercase();
    let found: Option<Act> = match lower.as_str() {
        "sp_addumpdevice" => Some(devices::add_device),
        "sp_dropdevice" => Some(devices::drop_device),
        "sp_renamedb" => Some(devices::rename),
        "sp_changedbowner" => Some(devices::change_owner),
        "sp_configure" => Some(configure::configure),
        "sp_cycle_errorlog" => Some(errorlog::cycle),
        "sp_readerrorlog" => Some(errorlog::read_checked),
        "sp_enumerrorlogs" => Some(errorlog::list),
        "sp_helpdb" => Some(describe::databases),
        "sp_helpfile" => Some(describe::files),
        "sp_spaceused" => Some(describe::space),
        "sp_databases" => Some(describe::names),
        "sp_who" => Some(sessions::who),
        "sp_who2" => Some(sessions::who2),
        "sp_linkedservers" => Some(linked::list),
        "sp_helpserver" => Some(linked::help),
        "sp_testlinkedserver" => Some(linked::test),
        "sp_addlinkedserver" => Some(linked::add),
        "sp_dropserver" => Some(linked::drop),
        "sp_serveroption" => Some(linked::option),
        "sp_addlinkedsrvlogin" => Some(linked::login),
        "sp_addlogin" => Some(principals::add_login),
        "sp_grantlogin" => Some(principals::grant_login),
        "sp_droplogin" => Some(principals::drop_login),
        "sp_addsrvrolemember" => Some(principals::add_server_role),
        "sp_dropsrvrolemember" => Some(principals::drop_server_role),
        "sp_addrolemember" => Some(principals::add_role),
        "sp_droprolemember" => Some(principals::drop_role),
        "sp_change_users_login" => Some(principals::change_users_login),
        "sp_helpsrvrole" => Some(principals::server_roles),
        "sp_helpsrvrolemember" => Some(principals::server_role_members),
        "sp_tables" => Some(catalogue::tables),
        "sp_columns" | "sp_columns_100" => Some(catalogue::columns),
        "sp_server_info" => Some(catalogue::server_info),
        "sp_pkeys"
        | "sp_fkeys"
        | "sp_statistics"
        | "sp_statistics_100"
        | "sp_datatype_info"
        | "sp_datatype_info_100"
        | "sp_stored_procedures"
        | "sp_sproc_columns"
        | "sp_sproc_columns_100"
        | "sp_table_privileges"
        | "sp_column_privileges"
        | "sp_special_columns"
        | "sp_special_columns_100"
        | "sp_help"
        | "sp_helptext"
        | "sp_helpindex"
        | "sp_helpconstraint"
        | "sp_helplogins"
        | "sp_helpuser"
        | "sp_helprole"
        | "sp_helprolemember"
        | "sp_validatelogins"
        | "sp_lock"
        | "sp_getapplock"
        | "sp_releaseapplock"
        | "sp_grantdbaccess"
        | "sp_revokedbaccess"
        | "sp_adduser"
        | "sp_dropuser"
        | "sp_addrole"
        | "sp_droprole"
        | "sp_defaultdb"
        | "sp_password"
        | "sp_denylogin"
        | "sp_revokelogin"
        | "sp_detach_db"
        | "sp_attach_db"
        | "sp_dboption"
        | "sp_dbcmptlevel"
        | "sp_rename"
        | "sp_addserver"
        | "sp_droplinkedsrvlogin"
        | "sp_helplinkedsrvlogin"
        | "sp_catalogs"
        | "sp_tables_ex"
        | "sp_columns_ex"
        | "sp_monitor"
        | "sp_trace_create"
        | "sp_trace_generateevent"
        | "sp_addmessage"
        | "sp_dropmessage"
        | "sp_updatestats"
        | "sp_recompile"
        | "sp_depends"
        | "sp_helpextendedproc"
        | "sp_addextendedproperty"
        | "sp_describe_first_result_set"
        | "sp_describe_undeclared_parameters"
        | "sp_set_session_context"
        | "sp_msforeachdb"
        | "sp_msforeachtable"
        | "sp_procoption"
        | "sp_resetstatus"
        | "sp_certify_removable"
        | "sp_create_removable"
        | "sp_db_vardecimal_storage_format"
        | "sp_estimate_data_compression_savings"
        | "sp_invalidate_textptr"
        | "sp_helpsort"
        | "sp_helplanguage"
        | "sp_helptrigger"
        | "sp_bindsession"
        | "sp_getbindtoken"
        | "sp_cursor"
        | "sp_cursoropen"
        | "sp_cursorfetch"
        | "sp_cursorclose"
        | "sp_createstats"
        | "sp_autostats"
        | "sp_helpdevice"
        | "sp_getprocessorusage"
        | "sp_oacreate"
        | "sp_oamethod"
        | "sp_oadestroy"
        | "sp_serverproperty" => None,
        _ => return extended(call, name, &lower, given, parts),
    };
    match found {
        Some(act) => act(call, &name.database, given, parts).map(Some),
        None => Err(Message::not_modelled(lower)),
    }
}

/// Extended procedures live in master and are called from anywhere as `master..xp_…`.
fn extended(
    call: &mut Call<'_>,
    name: &ObjectName,
    lower: &str,
    given: &Given,
    parts: &mut Kept,
) -> Outcome<Option<i32>> {
    if !lower.starts_with("xp_") || !(name.database.eq_ignore_ascii_case("master") || name.schema == "sys") {
        return Ok(None);
    }
    let act: Act = match lower {
        "xp_instance_regread" => registry::instance,
        "xp_regread" => registry::plain,
        "xp_readerrorlog" => errorlog::read,
        "xp_enumerrorlogs" => errorlog::list,
        "xp_msver" => registry::versions,
        "xp_delete_file" => maintenance::delete_file,
        "xp_qv"
        | "xp_cmdshell"
        | "xp_logininfo"
        | "xp_loginconfig"
        | "xp_regwrite"
        | "xp_regdeletevalue"
        | "xp_regdeletekey"
        | "xp_regenumvalues"
        | "xp_regenumkeys"
        | "xp_instance_regwrite"
        | "xp_instance_regdeletevalue"
        | "xp_instance_regenumvalues"
        | "xp_availablemedia"
        | "xp_create_subdir"
        | "xp_enumgroups"
        | "xp_getnetname"
        | "xp_logevent"
        | "xp_subdirs"
        | "xp_sprintf"
        | "xp_sscanf"
        | "xp_sysmail_format_query"
        | "xp_sqlmaint"
        | "xp_get_tape_devices"
        | "xp_sqlagent_notify"
        | "xp_grantlogin"
        | "xp_revokelogin"
        | "xp_fixeddrives_ex"
        | "xp_copy_file"
        | "xp_copy_files"
        | "xp_delete_files"
        | "xp_prop_oledb_provider"
        | "xp_enum_oledb_providers" => {
            return Err(Message::not_modelled(lower));
        }
        _ => return Ok(None),
    };
    act(call, &name.database, given, parts).map(Some)
}

/// A result set with columns written as `name type; …`, `~` for a blank in a name.
fn answer(columns: &str, rows: Vec<Vec<Value>>, parts: &mut Kept) {
    let columns = columns
        .split(';')
        .filter_map(|c| {
            let (name, kind) = c.trim().rsplit_once(' ')?;
            Some(Column::new(name.trim().replace('~', " "), kind_of(kind).ok()?))
        })
        .collect();
    send(Table { columns, rows }, parts);
}

/// An information message, as PRINT and RAISERROR below 11 send it.
fn inform(number: i32, text: impl Into<String>, parts: &mut Kept) {
    let message = Message { class: 0, ..Message::error(number, text) };
    let _ = parts.put(Part::Info(message));
}

/// 15247
fn no_permission() -> Message {
    Message::error(15247, "User does not have permission to perform this action.")
}

/// Arguments against parameters.
fn bound<'a>(procedure: &'static str, parameters: &[&'static str], given: &'a Given) -> Outcome<Bound<'a>> {
    Bound::new(procedure, parameters, given)
}
