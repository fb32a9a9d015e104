//! The secondary's side: primaries it knows, and databases it restores.

use super::super::bound::Bound;
use super::super::send;
use super::primary::given_cells;
use super::{Given, alert_number, drop_job, make_job, merged, monitor_of, program, rows};
use crate::sandbox::answer::Kept;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::Type;
use crate::sandbox::world::logship::{
    MONITOR_ERRORS, MONITOR_HISTORY, MONITOR_SECONDARY, Record, SECONDARIES, SECONDARY, id, word,
};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::stored::{bit, guid, int, text};

/// The row of a primary that this server knows.
fn primary(call: &Call<'_>, server: &str, database: &str) -> Option<Record> {
    let keys = [("primary_server", text(server)), ("primary_database", text(database))];
    call.state.shipping_row(call.s, SECONDARY, &keys)
}

/// 32023
fn unknown(bound: &Bound<'_>, server: &str, database: &str) -> crate::sandbox::answer::Message {
    bound.error(
        32023,
        format!(
            "An entry for primary server {server}, primary database {database} does not exist on this secondary. Register the primary first."
        ),
    )
}

pub(super) fn add_primary(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_add_log_shipping_secondary_primary",
        &[
            "@primary_server",
            "@primary_database",
            "@backup_source_directory",
            "@backup_destination_directory",
            "@copy_job_name",
            "@restore_job_name",
            "@file_retention_period",
            "@monitor_server",
            "@monitor_server_security_mode",
            "@monitor_server_login",
            "@monitor_server_password",
            "@copy_job_id",
            "@restore_job_id",
            "@secondary_id",
            "@overwrite",
            "@ignoreremotemonitor",
            "!@primary_server_with_port_override",
        ],
        given,
    )?;
    let (server, database) = (bound.must("@primary_server")?, bound.must("@primary_database")?);
    let (source, target) =
        (bound.must("@backup_source_directory")?, bound.must("@backup_destination_directory")?);
    if primary(call, &server, &database).is_some() {
        if !bound.flag("@overwrite", false) {
            return Err(bound.error(
                32024,
                format!("An entry for primary server {server}, primary database {database} already exists."),
            ));
        }
        forget_primary(call, &bound, &server, &database)?;
    }
    let named = |parameter: &str, kind: &str| {
        bound
            .text(parameter)
            .filter(|n| !n.is_empty())
            .unwrap_or_else(|| format!("{kind}_{server}_{database}"))
    };
    let (copy_name, restore_name) =
        (named("@copy_job_name", "LSCopy"), named("@restore_job_name", "LSRestore"));
    let secondary = call.state.dice.guid();
    let step = program(call, "Log shipping copy job step.", "Copy", secondary);
    let copy = make_job(call, &bound, &copy_name, "Log Shipping Copy", step)?;
    let step = program(call, "Log shipping restore log job step.", "Restore", secondary);
    let restore = make_job(call, &bound, &restore_name, "Log Shipping Restore", step)?;
    let this = call.server().name.clone();
    let monitor = bound.text("@monitor_server").filter(|m| !m.is_empty());
    let (s, now) = (call.s, call.now);
    call.state.add_shipping(
        s,
        SECONDARY,
        now,
        &[
            ("secondary_id", guid(secondary)),
            ("primary_server", text(server)),
            ("primary_database", text(database)),
            ("backup_source_directory", text(source)),
            ("backup_destination_directory", text(target)),
            ("file_retention_period", int(bound.int("@file_retention_period").unwrap_or(14_420))),
            ("copy_job_id", guid(copy)),
            ("restore_job_id", guid(restore)),
            ("monitor_server", text(monitor.as_ref().unwrap_or(&this))),
            ("monitor_server_security_mode", bit(bound.flag("@monitor_server_security_mode", true))),
        ],
    );
    bound.output("@copy_job_id", Type::UniqueIdentifier, guid(copy), parts);
    bound.output("@restore_job_id", Type::UniqueIdentifier, guid(restore), parts);
    bound.output("@secondary_id", Type::UniqueIdentifier, guid(secondary), parts);
    call.state.dirty = true;
    Ok(0)
}

fn forget_primary(call: &mut Call<'_>, bound: &Bound<'_>, server: &str, database: &str) -> Outcome<()> {
    let found = primary(call, server, database).ok_or_else(|| unknown(bound, server, database))?;
    let (s, now) = (call.s, call.now);
    let keys = [("secondary_id", guid(id(&found, "secondary_id")))];
    if call.state.shipping_row(s, SECONDARIES, &keys).is_some() {
        return Err(bound.error(
            32025,
            format!(
                "Primary Server {server}, Database {database} has active log shipping secondary database(s) on the secondary. Drop the secondary database(s) first."
            ),
        ));
    }
    call.state.drop_shipping(s, SECONDARY, now, &keys);
    for m in call.state.monitors(s, &monitor_of(&found)) {
        for table in [MONITOR_HISTORY, MONITOR_ERRORS] {
            call.state.drop_shipping(m, table, now, &[("agent_id", keys[0].1.clone())]);
        }
    }
    drop_job(call, id(&found, "copy_job_id"));
    drop_job(call, id(&found, "restore_job_id"));
    call.state.dirty = true;
    Ok(())
}

pub(super) fn delete_primary(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_delete_log_shipping_secondary_primary",
        &["@primary_server", "@primary_database"],
        given,
    )?;
    let (server, database) = (bound.must("@primary_server")?, bound.must("@primary_database")?);
    forget_primary(call, &bound, &server, &database)?;
    Ok(0)
}

pub(super) fn change_primary(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_change_log_shipping_secondary_primary",
        &[
            "@primary_server",
            "@primary_database",
            "@backup_source_directory",
            "@backup_destination_directory",
            "@file_retention_period",
            "@monitor_server_security_mode",
            "@monitor_server_login",
            "@monitor_server_password",
        ],
        given,
    )?;
    let (server, database) = (bound.must("@primary_server")?, bound.must("@primary_database")?);
    let found = primary(call, &server, &database).ok_or_else(|| unknown(&bound, &server, &database))?;
    let keys = [("secondary_id", guid(id(&found, "secondary_id")))];
    let cells = given_cells(
        &bound,
        &["@backup_source_directory", "@backup_destination_directory"],
        &["@file_retention_period"],
        &["@monitor_server_security_mode"],
    );
    let (s, now) = (call.s, call.now);
    call.state.set_shipping(s, SECONDARY, now, &keys, &cells);
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn help_primary(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_help_log_shipping_secondary_primary",
        &["@primary_server", "@primary_database"],
        given,
    )?;
    let (server, database) = (bound.must("@primary_server")?, bound.must("@primary_database")?);
    let found = primary(call, &server, &database).ok_or_else(|| unknown(&bound, &server, &database))?;
    send(
        rows(
            "secondary_id uniqueidentifier; primary_server sysname; primary_database sysname; backup_source_directory nvarchar(500); backup_destination_directory nvarchar(500); file_retention_period int; copy_job_id uniqueidentifier; restore_job_id uniqueidentifier; monitor_server sysname; monitor_server_security_mode bit",
            &[found],
        ),
        parts,
    );
    Ok(0)
}

pub(super) fn add(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_add_log_shipping_secondary_database",
        &[
            "@secondary_database",
            "@primary_server",
            "@primary_database",
            "@restore_delay",
            "@restore_all",
            "@restore_mode",
            "@disconnect_users",
            "@block_size",
            "@buffer_count",
            "@max_transfer_size",
            "@restore_threshold",
            "@threshold_alert",
            "@threshold_alert_enabled",
            "@history_retention_period",
            "@overwrite",
            "@ignoreremotemonitor",
        ],
        given,
    )?;
    let database = bound.must("@secondary_database")?;
    let (server, source) = (bound.must("@primary_server")?, bound.must("@primary_database")?);
    let found = primary(call, &server, &source).ok_or_else(|| unknown(&bound, &server, &source))?;
    let (s, now) = (call.s, call.now);
    let keys = [("secondary_database", text(&database))];
    if call.state.shipping_row(s, SECONDARIES, &keys).is_some() {
        if !bound.flag("@overwrite", false) {
            return Err(bound.error(
                32013,
                format!("A log shipping entry already exists for secondary database {database}."),
            ));
        }
        call.state.drop_shipping(s, SECONDARIES, now, &keys);
    }
    let alert = alert_number(&bound, 14_421)?;
    let secondary = guid(id(&found, "secondary_id"));
    call.state.add_shipping(
        s,
        SECONDARIES,
        now,
        &[
            ("secondary_database", text(&database)),
            ("secondary_id", secondary.clone()),
            ("restore_delay", int(bound.int("@restore_delay").unwrap_or(0))),
            ("restore_all", bit(bound.flag("@restore_all", true))),
            ("restore_mode", bit(bound.flag("@restore_mode", false))),
            ("disconnect_users", bit(bound.flag("@disconnect_users", false))),
            ("block_size", int(bound.int("@block_size").unwrap_or(-1))),
            ("buffer_count", int(bound.int("@buffer_count").unwrap_or(-1))),
            ("max_transfer_size", int(bound.int("@max_transfer_size").unwrap_or(-1))),
        ],
    );
    let this = call.server().name.clone();
    for m in call.state.monitors(s, &monitor_of(&found)) {
        let keys = [("secondary_id", secondary.clone()), ("secondary_database", text(&database))];
        call.state.drop_shipping(m, MONITOR_SECONDARY, now, &keys);
        call.state.add_shipping(
            m,
            MONITOR_SECONDARY,
            now,
            &[
                ("secondary_server", text(&this)),
                ("secondary_database", text(&database)),
                ("secondary_id", secondary.clone()),
                ("primary_server", text(word(&found, "primary_server"))),
                ("primary_database", text(word(&found, "primary_database"))),
                ("restore_threshold", int(bound.int("@restore_threshold").unwrap_or(45))),
                ("threshold_alert", int(alert)),
                ("threshold_alert_enabled", bit(bound.flag("@threshold_alert_enabled", true))),
                ("history_retention_period", int(bound.int("@history_retention_period").unwrap_or(14_420))),
            ],
        );
    }
    call.state.dirty = true;
    Ok(0)
}

/// The row of a database that is restored here, or 32014.
fn row(call: &Call<'_>, bound: &Bound<'_>, database: &str) -> Outcome<Record> {
    let found = call.state.shipping_row(call.s, SECONDARIES, &[("secondary_database", text(database))]);
    found.ok_or_else(|| {
        bound.error(32014, format!("Database {database} does not exist as log shipping secondary."))
    })
}

fn source_of(call: &Call<'_>, row: &Record) -> Record {
    let keys = [("secondary_id", guid(id(row, "secondary_id")))];
    call.state.shipping_row(call.s, SECONDARY, &keys).unwrap_or_default()
}

pub(super) fn change(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_change_log_shipping_secondary_database",
        &[
            "@secondary_database",
            "@restore_delay",
            "@restore_all",
            "@restore_mode",
            "@disconnect_users",
            "@block_size",
            "@buffer_count",
            "@max_transfer_size",
            "@restore_threshold",
            "@threshold_alert",
            "@threshold_alert_enabled",
            "@history_retention_period",
            "@ignoreremotemonitor",
        ],
        given,
    )?;
    let database = bound.must("@secondary_database")?;
    let found = row(call, &bound, &database)?;
    let (s, now) = (call.s, call.now);
    let cells = given_cells(
        &bound,
        &[],
        &["@restore_delay", "@block_size", "@buffer_count", "@max_transfer_size"],
        &["@restore_all", "@restore_mode", "@disconnect_users"],
    );
    call.state.set_shipping(s, SECONDARIES, now, &[("secondary_database", text(&database))], &cells);
    let mut watched = given_cells(
        &bound,
        &[],
        &["@restore_threshold", "@history_retention_period"],
        &["@threshold_alert_enabled"],
    );
    if bound.int("@threshold_alert").is_some() {
        watched.push(("threshold_alert", int(alert_number(&bound, 14_421)?)));
    }
    let keys = [("secondary_id", guid(id(&found, "secondary_id"))), ("secondary_database", text(&database))];
    for m in call.state.monitors(s, &monitor_of(&source_of(call, &found))) {
        call.state.set_shipping(m, MONITOR_SECONDARY, now, &keys, &watched);
    }
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn delete(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_delete_log_shipping_secondary_database",
        &["@secondary_database", "@ignoreremotemonitor"],
        given,
    )?;
    let database = bound.must("@secondary_database")?;
    let found = row(call, &bound, &database)?;
    let source = source_of(call, &found);
    let (s, now) = (call.s, call.now);
    let secondary = guid(id(&found, "secondary_id"));
    call.state.drop_shipping(s, SECONDARIES, now, &[("secondary_database", text(&database))]);
    let keys = [("secondary_id", secondary.clone()), ("secondary_database", text(&database))];
    for m in call.state.monitors(s, &monitor_of(&source)) {
        call.state.drop_shipping(m, MONITOR_SECONDARY, now, &keys);
    }
    // The last one takes the primary and its jobs along.
    if call.state.shipping_row(s, SECONDARIES, &[("secondary_id", secondary)]).is_none() {
        let (server, database) = (word(&source, "primary_server"), word(&source, "primary_database"));
        forget_primary(call, &bound, &server, &database)?;
    }
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn help(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_help_log_shipping_secondary_database",
        &["@secondary_database", "@secondary_id"],
        given,
    )?;
    let found = match (bound.text("@secondary_database"), bound.guid("@secondary_id")?) {
        (Some(database), _) => vec![row(call, &bound, &database)?],
        (None, Some(secondary)) => {
            call.state.shipping_rows(call.s, SECONDARIES, &[("secondary_id", guid(secondary))])
        }
        (None, None) => return Err(bound.missing("@secondary_database")),
    };
    let all: Vec<Record> = found
        .iter()
        .map(|r| {
            let keys = [
                ("secondary_id", guid(id(r, "secondary_id"))),
                ("secondary_database", text(word(r, "secondary_database"))),
            ];
            let watched = call.state.shipping_row(call.s, MONITOR_SECONDARY, &keys);
            merged(&merged(r, Some(&source_of(call, r))), watched.as_ref())
        })
        .collect();
    send(
        rows(
            "secondary_id uniqueidentifier; primary_server sysname; primary_database sysname; backup_source_directory nvarchar(500); backup_destination_directory nvarchar(500); file_retention_period int; copy_job_id uniqueidentifier; restore_job_id uniqueidentifier; monitor_server sysname; monitor_server_security_mode bit; secondary_database sysname; restore_delay int; restore_all bit; restore_mode bit; disconnect_users bit; block_size int; buffer_count int; max_transfer_size int; restore_threshold int; threshold_alert int; threshold_alert_enabled bit; last_copied_file nvarchar(500); last_copied_date datetime; last_copied_date_utc datetime; last_restored_file nvarchar(500); last_restored_date datetime; last_restored_date_utc datetime; history_retention_period int; last_restored_latency int",
            &all,
        ),
        parts,
    );
    Ok(0)
}
