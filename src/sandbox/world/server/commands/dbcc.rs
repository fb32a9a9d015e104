//! DBCC commands that look: SQLPERF, LOGINFO, INPUTBUFFER, TRACESTATUS.

use super::super::{Call, views};
use crate::sandbox::answer::{Kept, Message, Part, Sink as _};
use crate::sandbox::value::{Column, Type, Value};
use crate::sandbox::world::state::DbState;
use crate::sandbox::world::stored::{NULL, as_int, as_text, int, numeric, text};

fn send(columns: &[(&str, Type)], rows: Vec<Vec<Value>>, parts: &mut Kept) {
    let columns = columns.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
    let count = rows.len() as u64;
    let _ = parts.put(Part::Columns(columns));
    for row in rows {
        let _ = parts.put(Part::Row(row));
    }
    let _ = parts.put(Part::Done { rows: Some(count) });
}

impl Call<'_> {
    /// DBCC of a kind that changes nothing.
    pub(super) fn dbcc_looks(
        &mut self,
        what: &str,
        arguments: &[Value],
        options: &[String],
        parts: &mut Kept,
    ) -> Result<(), Vec<Message>> {
        let first = arguments.first();
        match what {
            "SQLPERF" if first.and_then(as_text).is_some_and(|t| t.eq_ignore_ascii_case("LOGSPACE")) => {
                self.needs("VIEW SERVER STATE")?;
                self.log_space(parts);
            }
            "LOGINFO" => self.log_info(first, parts)?,
            "INPUTBUFFER" => self.input_buffer(first, parts)?,
            // No trace flag can be set, so none is on.
            "TRACESTATUS" => {}
            _ => return Err(vec![Message::not_modelled(format_args!("DBCC {what}"))]),
        }
        if !options.iter().any(|o| o == "NO_INFOMSGS") {
            let text = "DBCC execution completed. If DBCC printed error messages, contact your system administrator.";
            let _ = parts.put(Part::Info(Message { class: 0, ..Message::error(2528, text) }));
        }
        Ok(())
    }

    fn needs(&self, permission: &str) -> Result<(), Vec<Message>> {
        if self.granted(permission) {
            return Ok(());
        }
        let denied = |number, text: String| Message { class: 14, ..Message::error(number, text) };
        Err(vec![
            denied(300, format!("{permission} permission was denied on object 'server', database 'master'.")),
            denied(297, "The user does not have permission to perform this action.".into()),
        ])
    }

    fn log_space(&self, parts: &mut Kept) {
        let open = self.server().databases.iter().filter(|d| d.state == DbState::Online);
        let rows = open.map(|db| {
            let bytes: i64 = db.files.iter().filter(|f| f.is_log).map(|f| f.pages * 8192).sum();
            let used = views::used_log(db) as f64 / bytes.max(1) as f64 * 100.0;
            let mb = bytes as f64 / 1_048_576.0;
            vec![
                text(&db.name),
                Value::Float(f64::from(mb as f32)),
                Value::Float(f64::from(used as f32)),
                int(0),
            ]
        });
        let columns = [
            ("Database Name", Type::SYSNAME),
            ("Log Size (MB)", Type::Real),
            ("Log Space Used (%)", Type::Real),
            ("Status", Type::Int),
        ];
        send(&columns, rows.collect(), parts);
    }

    fn log_info(&self, database: Option<&Value>, parts: &mut Kept) -> Result<(), Vec<Message>> {
        let server = self.server();
        let name = match database {
            None | Some(Value::Null) => self.who.database.clone(),
            Some(Value::Int(id)) => {
                let found = server.databases.iter().find(|d| i64::from(d.id) == *id);
                found.map_or_else(|| id.to_string(), |d| d.name.clone())
            }
            Some(other) => as_text(other).unwrap_or_default().to_owned(),
        };
        let d = self.enter(&name).map_err(|m| vec![m])?;
        if !self.owns(d) {
            let text = format!("User '{}' does not have permission to run DBCC LOGINFO.", self.who.login);
            return Err(vec![Message { class: 14, ..Message::error(2571, text) }]);
        }
        let rows = views::virtual_files(&server.databases[d]).into_iter().map(|v| {
            let parity = if v.sequence == 0 {
                0
            } else if v.sequence / 8 % 2 == 0 {
                64
            } else {
                128
            };
            vec![
                int(0),
                int(2),
                int(v.size),
                int(v.offset),
                int(v.sequence),
                int(if v.active { 2 } else { 0 }),
                int(parity),
                numeric(0),
            ]
        });
        let columns = [
            ("RecoveryUnitId", Type::Int),
            ("FileId", Type::Int),
            ("FileSize", Type::BigInt),
            ("StartOffset", Type::BigInt),
            ("FSeqNo", Type::Int),
            ("Status", Type::Int),
            ("Parity", Type::TinyInt),
            ("CreateLSN", Type::LSN),
        ];
        send(&columns, rows.collect(), parts);
        Ok(())
    }

    fn input_buffer(&self, session: Option<&Value>, parts: &mut Kept) -> Result<(), Vec<Message>> {
        let Some(id) = session.and_then(as_int) else {
            return Err(vec![Message::error(
                2583,
                "An incorrect number of parameters was given to the DBCC statement.",
            )]);
        };
        if id != i64::from(self.who.session_id) {
            self.needs("VIEW SERVER STATE")?;
        }
        let found = self.state.sessions.iter().find(|x| x.server == self.s && i64::from(x.id) == id);
        let Some(found) = found else {
            let text = format!("Invalid SPID {id} specified.");
            return Err(vec![Message { class: 11, ..Message::error(7955, text) }]);
        };
        let row = vec![text("Language Event"), int(0), found.text.clone().map_or(NULL, text)];
        let columns = [
            ("EventType", Type::NVarChar(Some(30))),
            ("Parameters", Type::SmallInt),
            ("EventInfo", Type::NVarChar(Some(4000))),
        ];
        send(&columns, vec![row], parts);
        Ok(())
    }
}
