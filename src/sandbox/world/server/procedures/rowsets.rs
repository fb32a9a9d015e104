//! The system's functions that give rows and are called without a schema: fn_my_permissions and their like.

use crate::sandbox::answer::Message;
use crate::sandbox::host::Outcome;
use crate::sandbox::value::{Column, Table, Type, Value};
use crate::sandbox::world::server::commands::security::permissions;
use crate::sandbox::world::server::{Call, views};
use crate::sandbox::world::stored::{as_int, as_text, text};

fn table(columns: &[(&str, Type)], rows: Vec<Vec<Value>>) -> Table {
    Table { columns: columns.iter().map(|(n, k)| Column::new(*n, *k)).collect(), rows }
}

impl Call<'_> {
    /// `Ok(None)` = none of them.
    pub(super) fn system_rowset(
        &self,
        schema: &str,
        name: &str,
        arguments: &[Value],
    ) -> Outcome<Option<Table>> {
        if !matches!(schema, "sys" | "dbo") || !name.starts_with("fn_") {
            return Ok(None);
        }
        let first = arguments.first();
        Ok(Some(match name {
            "fn_my_permissions" => self.my_permissions(first, arguments.get(1))?,
            "fn_virtualfilestats" => {
                self.may_see("sys.dm_io_virtual_file_stats")?;
                let stats =
                    views::file_stats(self, first.and_then(as_int), arguments.get(1).and_then(as_int));
                let at = |name: &str| stats.columns.iter().position(|c| c.name == name).unwrap_or_default();
                let wanted = [
                    ("DbId", Type::SmallInt, "database_id"),
                    ("FileId", Type::SmallInt, "file_id"),
                    ("TimeStamp", Type::BigInt, "sample_ms"),
                    ("NumberReads", Type::BigInt, "num_of_reads"),
                    ("BytesRead", Type::BigInt, "num_of_bytes_read"),
                    ("IoStallReadMS", Type::BigInt, "io_stall_read_ms"),
                    ("NumberWrites", Type::BigInt, "num_of_writes"),
                    ("BytesWritten", Type::BigInt, "num_of_bytes_written"),
                    ("IoStallWriteMS", Type::BigInt, "io_stall_write_ms"),
                    ("IoStallMS", Type::BigInt, "io_stall"),
                    ("BytesOnDisk", Type::BigInt, "size_on_disk_bytes"),
                    ("FileHandle", Type::VarBinary(Some(8)), "file_handle"),
                ];
                let columns: Vec<(&str, Type)> = wanted.iter().map(|(n, k, _)| (*n, *k)).collect();
                let pick = |row: &Vec<Value>| wanted.iter().map(|(.., from)| row[at(from)].clone()).collect();
                table(&columns, stats.rows.iter().map(pick).collect())
            }
            // Nothing in a world has extended properties.
            "fn_listextendedproperty" => table(
                &[
                    ("objtype", Type::SYSNAME),
                    ("objname", Type::SYSNAME),
                    ("name", Type::SYSNAME),
                    ("value", Type::Variant),
                ],
                Vec::new(),
            ),
            "fn_helpcollations"
            | "fn_builtin_permissions"
            | "fn_servershareddrives"
            | "fn_trace_gettable"
            | "fn_trace_getinfo"
            | "fn_trace_geteventinfo"
            | "fn_trace_getfilterinfo"
            | "fn_dblog"
            | "fn_dump_dblog"
            | "fn_xe_file_target_read_file"
            | "fn_get_audit_file"
            | "fn_get_sql"
            | "fn_validate_plan_guide"
            | "fn_translate_permissions"
            | "fn_hadr_distributed_ag_replica"
            | "fn_physloccracker"
            | "fn_stmt_sql_handle_from_sql_stmt" => {
                return Err(Message::not_modelled(name));
            }
            _ => return Ok(None),
        }))
    }

    fn my_permissions(&self, securable: Option<&Value>, class: Option<&Value>) -> Outcome<Table> {
        let columns = [
            ("entity_name", Type::SYSNAME),
            ("subentity_name", Type::SYSNAME),
            ("permission_name", Type::NVarChar(Some(60))),
        ];
        let class = class.and_then(as_text);
        // Columns are asked for with NULLs.
        let Some(class) = class else { return Ok(table(&columns, Vec::new())) };
        if !class.eq_ignore_ascii_case("server") || securable.and_then(as_text).is_some() {
            return Err(Message::not_modelled(format_args!("fn_my_permissions of {class}")));
        }
        let rows = permissions(self.server().version.0)
            .filter(|p| matches!(*p, "CONNECT SQL" | "VIEW ANY DATABASE") || self.granted(p))
            .map(|p| vec![text("server"), text(""), text(p)]);
        Ok(table(&columns, rows.collect()))
    }
}
