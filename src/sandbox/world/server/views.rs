//! Rows of system views and msdb tables.
//!
//! One file per family; none of them changes anything.

mod agent;
mod compat;
mod databases;
mod ha;
mod history;
mod instance;
mod mirroring;
mod objects;
mod security;
mod sessions;
mod storage;
mod transactions;

pub(super) use databases::volume_stats;
pub(super) use history::{device_type, family, whole_second};
pub(super) use instance::drives;
pub(super) use objects::{
    columned, find_object, named, object_kind, object_name, type_name, type_number, type_property, type_rows,
    with_columns,
};
pub(crate) use sessions::AGENT_SESSIONS;
pub(super) use sessions::{processes, texts};
pub(super) use storage::{file_stats, log_info, log_stats, table_pages, used_log, used_pages, virtual_files};
pub(super) use transactions::{log_wait, open_transactions, wait_of};

use super::Call;
use crate::sandbox::value::{Column, Table, Type, Value};
use crate::sandbox::world::columns;
use crate::sandbox::world::stored::{Sheet, text};

/// Fills in the rows of a system object seen from database number `d`; false = no family knows it.
pub(super) fn fill(call: &Call<'_>, d: usize, full: &str, sheet: &mut Sheet) -> bool {
    databases::fill(call, d, full, sheet)
        || agent::fill(call, full, sheet)
        || history::fill(call, full, sheet)
        || instance::fill(call, full, sheet)
        || objects::fill(call, d, full, sheet)
        || security::fill(call, d, full, sheet)
        || sessions::fill(call, full, sheet)
        || storage::fill(call, d, full, sheet)
        || compat::fill(call, d, full, sheet)
        || (full == "msdb.dbo.sysjobs_view" && jobs_view(call, sheet))
        || transactions::fill(call, full, sheet)
        || ha::fill(call, full, sheet)
        || mirroring::fill(call, full, sheet)
}

/// msdb.dbo.sysjobs_view: the jobs, with the server they come from by name.
fn jobs_view(call: &Call<'_>, sheet: &mut Sheet) -> bool {
    let mut jobs = columns::sheet("msdb.dbo.sysjobs", call.server().year());
    agent::fill(call, "msdb.dbo.sysjobs", &mut jobs);
    for row in jobs.table.rows {
        let mut cells: Vec<(&str, Value)> =
            jobs.table.columns.iter().map(|c| c.name.as_str()).zip(row).collect();
        cells.push(("originating_server", text(&call.server().name)));
        cells.push(("master_server", Value::Bit(false)));
        sheet.row(cells);
    }
    true
}

/// An empty sheet of a system object.
pub(super) fn sheet(call: &Call<'_>, full: &str) -> Sheet {
    columns::sheet(full, call.server().year())
}

/// The rows of a view that BizTalk's scripts made.
pub(super) fn user_view(call: &Call<'_>, d: usize, name: &str) -> Option<Table> {
    if name != "admv_backupdatabases" {
        return None;
    }
    let server = call.server();
    let columns = vec![Column::new("ServerName", Type::SYSNAME), Column::new("DatabaseName", Type::SYSNAME)];
    let rows = call.state.backup_scope(call.s, &server.databases[d]);
    Some(Table { columns, rows: rows.into_iter().map(|(a, b)| vec![text(a), text(b)]).collect() })
}
