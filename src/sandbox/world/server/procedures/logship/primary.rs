//! The primary's side: databases that are shipped, and to whom.

use super::super::bound::Bound;
use super::super::send;
use super::{Given, alert_number, drop_job, make_job, merged, monitor_of, program, rows};
use crate::sandbox::answer::Kept;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Type, Value};
use crate::sandbox::world::logship::{
    MONITOR_ERRORS, MONITOR_HISTORY, MONITOR_PRIMARY, PRIMARIES, PRIMARY_SECONDARIES, Record, id,
};
use crate::sandbox::world::server::Call;
use crate::sandbox::world::state::{DbState, Model};
use crate::sandbox::world::stored::{bit, guid, int, text};

pub(super) fn add(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_add_log_shipping_primary_database",
        &[
            "@database",
            "@backup_directory",
            "@backup_share",
            "@backup_job_name",
            "@backup_retention_period",
            "@monitor_server",
            "@monitor_server_security_mode",
            "@monitor_server_login",
            "@monitor_server_password",
            "@backup_threshold",
            "@threshold_alert",
            "@threshold_alert_enabled",
            "@history_retention_period",
            "@backup_job_id",
            "@primary_id",
            "@overwrite",
            "@ignoreremotemonitor",
            "@backup_compression",
            "!@primary_server_with_port_override",
        ],
        given,
    )?;
    let database = bound.must("@database")?;
    let (folder, share) = (bound.must("@backup_directory")?, bound.must("@backup_share")?);
    let job_name = bound.text("@backup_job_name").unwrap_or_else(|| format!("LSBackup_{database}"));
    let (s, now) = (call.s, call.now);
    let server = call.server();
    let Some(db) = server.database(&database) else {
        return Err(bound.error(
            15010,
            format!("The database '{database}' does not exist. Supply a valid database name. To see available databases, use sys.databases."),
        ));
    };
    let database = db.name.clone();
    if db.state != DbState::Online {
        return Err(bound.error(32007, format!("Database {database} is not ONLINE.")));
    }
    if db.model == Model::Simple {
        return Err(bound.error(
            32015,
            format!("The primary database {database} cannot have SIMPLE recovery for log shipping to work properly."),
        ));
    }
    let keys = [("primary_database", text(&database))];
    if call.state.shipping_row(s, PRIMARIES, &keys).is_some() {
        if !bound.flag("@overwrite", false) {
            return Err(bound.error(
                32009,
                format!("A log shipping primary entry already exists for database {database}."),
            ));
        }
        forget(call, &database);
    }
    let this = call.server().name.clone();
    let named = bound.text("@monitor_server").filter(|m| !m.is_empty());
    let monitor = named.clone().unwrap_or_else(|| this.clone());
    let alert = alert_number(&bound, 14_420)?;
    let primary = call.state.dice.guid();
    let step = program(call, "Log shipping backup log job step.", "Backup", primary);
    let job = make_job(call, &bound, &job_name, "Log Shipping Backup", step)?;
    call.state.add_shipping(
        s,
        PRIMARIES,
        now,
        &[
            ("primary_id", guid(primary)),
            ("primary_database", text(&database)),
            ("backup_directory", text(folder)),
            ("backup_share", text(share)),
            ("backup_retention_period", int(bound.int("@backup_retention_period").unwrap_or(1440))),
            ("backup_job_id", guid(job)),
            ("monitor_server", text(&monitor)),
            ("monitor_server_security_mode", bit(bound.flag("@monitor_server_security_mode", true))),
            ("user_specified_monitor", bit(named.is_some())),
            ("backup_compression", int(bound.int("@backup_compression").unwrap_or(2))),
        ],
    );
    for m in call.state.monitors(s, &monitor) {
        call.state.add_shipping(
            m,
            MONITOR_PRIMARY,
            now,
            &[
                ("primary_id", guid(primary)),
                ("primary_server", text(&this)),
                ("primary_database", text(&database)),
                ("backup_threshold", int(bound.int("@backup_threshold").unwrap_or(60))),
                ("threshold_alert", int(alert)),
                ("threshold_alert_enabled", bit(bound.flag("@threshold_alert_enabled", false))),
                ("history_retention_period", int(bound.int("@history_retention_period").unwrap_or(14_420))),
            ],
        );
    }
    bound.output("@backup_job_id", Type::UniqueIdentifier, guid(job), parts);
    bound.output("@primary_id", Type::UniqueIdentifier, guid(primary), parts);
    call.state.dirty = true;
    Ok(0)
}

/// The row of a primary database, or 32010.
fn row(call: &Call<'_>, bound: &Bound<'_>, database: &str) -> Outcome<Record> {
    let found = call.state.shipping_row(call.s, PRIMARIES, &[("primary_database", text(database))]);
    found.ok_or_else(|| {
        bound.error(32010, format!("Database {database} does not exist as log shipping primary."))
    })
}

/// Takes a primary and everything about it away.
fn forget(call: &mut Call<'_>, database: &str) {
    let (s, now) = (call.s, call.now);
    let Some(row) = call.state.shipping_row(s, PRIMARIES, &[("primary_database", text(database))]) else {
        return;
    };
    let primary = guid(id(&row, "primary_id"));
    for m in call.state.monitors(s, &monitor_of(&row)) {
        call.state.drop_shipping(m, MONITOR_PRIMARY, now, &[("primary_id", primary.clone())]);
        for table in [MONITOR_HISTORY, MONITOR_ERRORS] {
            call.state.drop_shipping(m, table, now, &[("agent_id", primary.clone())]);
        }
    }
    call.state.drop_shipping(s, PRIMARIES, now, &[("primary_id", primary)]);
    drop_job(call, id(&row, "backup_job_id"));
    call.state.dirty = true;
}

pub(super) fn delete(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound =
        Bound::new("sp_delete_log_shipping_primary_database", &["@database", "@ignoreremotemonitor"], given)?;
    let database = bound.must("@database")?;
    let found = row(call, &bound, &database)?;
    let keys = [("primary_id", guid(id(&found, "primary_id")))];
    if call.state.shipping_row(call.s, PRIMARY_SECONDARIES, &keys).is_some() {
        return Err(bound.error(
            32011,
            format!(
                "Primary Database {database} has active log shipping secondary database(s). Drop the secondary database(s) first."
            ),
        ));
    }
    forget(call, &database);
    Ok(0)
}

pub(super) fn change(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_change_log_shipping_primary_database",
        &[
            "@database",
            "@backup_directory",
            "@backup_share",
            "@backup_retention_period",
            "@monitor_server_security_mode",
            "@monitor_server_login",
            "@monitor_server_password",
            "@backup_threshold",
            "@threshold_alert",
            "@threshold_alert_enabled",
            "@history_retention_period",
            "@ignoreremotemonitor",
            "@backup_compression",
        ],
        given,
    )?;
    let database = bound.must("@database")?;
    let found = row(call, &bound, &database)?;
    let keys = [("primary_id", guid(id(&found, "primary_id")))];
    let (s, now) = (call.s, call.now);
    let cells = given_cells(
        &bound,
        &["@backup_directory", "@backup_share"],
        &["@backup_retention_period", "@backup_compression"],
        &["@monitor_server_security_mode"],
    );
    call.state.set_shipping(s, PRIMARIES, now, &keys, &cells);
    let mut watched = given_cells(
        &bound,
        &[],
        &["@backup_threshold", "@history_retention_period"],
        &["@threshold_alert_enabled"],
    );
    if bound.int("@threshold_alert").is_some() {
        watched.push(("threshold_alert", int(alert_number(&bound, 14_420)?)));
    }
    for m in call.state.monitors(s, &monitor_of(&found)) {
        call.state.set_shipping(m, MONITOR_PRIMARY, now, &keys, &watched);
    }
    call.state.dirty = true;
    Ok(0)
}

/// Columns named like their parameters, as far as these were given.
pub(super) fn given_cells(
    bound: &Bound<'_>,
    texts: &[&'static str],
    numbers: &[&'static str],
    flags: &[&'static str],
) -> Vec<(&'static str, Value)> {
    let mut cells = Vec::new();
    for name in texts {
        cells.extend(bound.text(name).map(|v| (&name[1..], text(v))));
    }
    for name in numbers {
        cells.extend(bound.int(name).map(|v| (&name[1..], int(v))));
    }
    for name in flags {
        cells.extend(bound.int(name).map(|v| (&name[1..], bit(v != 0))));
    }
    cells
}

pub(super) fn help(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_help_log_shipping_primary_database", &["@database", "@primary_id"], given)?;
    let found = match (bound.text("@database"), bound.guid("@primary_id")?) {
        (Some(database), _) => row(call, &bound, &database)?,
        (None, Some(primary)) => {
            let keys = [("primary_id", guid(primary))];
            let found = call.state.shipping_row(call.s, PRIMARIES, &keys);
            found.ok_or_else(|| {
                bound.error(32010, format!("Database {primary} does not exist as log shipping primary."))
            })?
        }
        (None, None) => return Err(bound.missing("@database")),
    };
    let keys = [("primary_id", guid(id(&found, "primary_id")))];
    let watched = call.state.shipping_row(call.s, MONITOR_PRIMARY, &keys);
    let all = merged(&found, watched.as_ref());
    send(
        rows(
            "primary_id uniqueidentifier; primary_database sysname; backup_directory nvarchar(500); backup_share nvarchar(500); backup_retention_period int; backup_compression tinyint; backup_job_id uniqueidentifier; monitor_server sysname; monitor_server_security_mode bit; backup_threshold int; threshold_alert int; threshold_alert_enabled bit; last_backup_file nvarchar(500); last_backup_date datetime; last_backup_date_utc datetime; history_retention_period int",
            &[all],
        ),
        parts,
    );
    Ok(0)
}

/// Primary database, secondary server and its database.
fn named(bound: &Bound<'_>) -> Outcome<(String, String, String)> {
    Ok((
        bound.must("@primary_database")?,
        bound.must("@secondary_server")?,
        bound.must("@secondary_database")?,
    ))
}

/// What a row of log_shipping_primary_secondaries is known by.
fn pairing(
    call: &Call<'_>,
    bound: &Bound<'_>,
    database: &str,
    server: &str,
    secondary: &str,
) -> Outcome<[(&'static str, Value); 3]> {
    let found = row(call, bound, database)?;
    Ok([
        ("primary_id", guid(id(&found, "primary_id"))),
        ("secondary_server", text(server)),
        ("secondary_database", text(secondary)),
    ])
}

pub(super) fn add_secondary(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_add_log_shipping_primary_secondary",
        &["@primary_database", "@secondary_server", "@secondary_database", "@overwrite"],
        given,
    )?;
    let (database, server, secondary) = named(&bound)?;
    let keys = pairing(call, &bound, &database, &server, &secondary)?;
    let (s, now) = (call.s, call.now);
    if call.state.shipping_row(s, PRIMARY_SECONDARIES, &keys).is_some() {
        if !bound.flag("@overwrite", false) {
            return Err(bound.error(
                32012,
                format!("Secondary {server}.{secondary} already exists for primary {database}."),
            ));
        }
        call.state.drop_shipping(s, PRIMARY_SECONDARIES, now, &keys);
    }
    call.state.add_shipping(s, PRIMARY_SECONDARIES, now, &keys);
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn delete_secondary(call: &mut Call<'_>, given: Given<'_>, _: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new(
        "sp_delete_log_shipping_primary_secondary",
        &["@primary_database", "@secondary_server", "@secondary_database"],
        given,
    )?;
    let (database, server, secondary) = named(&bound)?;
    let keys = pairing(call, &bound, &database, &server, &secondary)?;
    let (s, now) = (call.s, call.now);
    call.state.drop_shipping(s, PRIMARY_SECONDARIES, now, &keys);
    call.state.dirty = true;
    Ok(0)
}

pub(super) fn help_secondaries(call: &mut Call<'_>, given: Given<'_>, parts: &mut Kept) -> Outcome<i32> {
    let bound = Bound::new("sp_help_log_shipping_primary_secondary", &["@primary_database"], given)?;
    let database = bound.must("@primary_database")?;
    let found = row(call, &bound, &database)?;
    let all = call.state.shipping_rows(
        call.s,
        PRIMARY_SECONDARIES,
        &[("primary_id", guid(id(&found, "primary_id")))],
    );
    send(rows("secondary_server sysname; secondary_database sysname", &all), parts);
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::world::stored::NULL;

    #[test]
    fn only_what_was_given_is_set() {
        let given = [
            (Some("@backup_share".to_owned()), text("\\\\x\\y")),
            (Some("@backup_threshold".to_owned()), NULL),
        ];
        let bound = Bound::new("p", &["@backup_share", "@backup_threshold"], &given).ok().unwrap();
        assert_eq!(
            given_cells(&bound, &["@backup_share"], &["@backup_threshold"], &[]),
            [("backup_share", text("\\\\x\\y"))]
        );
    }
}
