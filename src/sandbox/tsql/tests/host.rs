//! A small world for the evaluator's tests.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeZone, Utc};

use crate::sandbox::answer::{Door, Login, Message, Part, Sink};
use crate::sandbox::host::{
    Begin, Change, Command, Context, Host, Mood, ObjectName, Outcome, Patience, Scan, Scanned,
};
use crate::sandbox::value::{Column, Table, Type, Value};

/// By name.
type Tables = Vec<(String, Table)>;

pub(super) struct Fake {
    pub(super) tables: Mutex<Tables>,
    /// The tables at the beginning of the transaction and at its savepoints.
    pub(super) before: Mutex<Vec<(String, Tables)>>,
    pub(super) scans: Mutex<Vec<Vec<Scan>>>,
    pub(super) commands: Mutex<Vec<Command>>,
    pub(super) mood: Mutex<Mood>,
    pub(super) version: u8,
    pub(super) case_sensitive: bool,
}

fn t(s: &str) -> Value {
    Value::Text(s.into())
}

fn table(columns: &[(&str, Type)], rows: Vec<Vec<Value>>) -> Table {
    let columns = columns.iter().map(|(n, k)| Column::new(*n, *k)).collect();
    Table { columns, rows }
}

impl Default for Fake {
    fn default() -> Self {
        let int = Value::Int;
        let name = Type::SYSNAME;
        let lsn = |n: i128| Value::Decimal { digits: n, scale: 0 };
        let tables = vec![
            (
                "master.sys.databases".to_owned(),
                table(
                    &[("name", name), ("database_id", Type::Int), ("state_desc", Type::NVarChar(Some(60)))],
                    ["master", "tempdb", "model", "msdb", "BizTalkMgmtDb"]
                        .iter()
                        .zip(1..)
                        .map(|(n, i)| vec![t(n), int(i), t("ONLINE")])
                        .collect(),
                ),
            ),
            (
                "master.dbo.t".to_owned(),
                table(
                    &[
                        ("id", Type::Int),
                        ("name", Type::NVarChar(Some(20))),
                        ("amount", Type::Decimal { precision: 10, scale: 2 }),
                    ],
                    vec![
                        vec![int(1), t("alpha"), Value::Decimal { digits: 150, scale: 2 }],
                        vec![int(2), t("beta"), Value::Null],
                        vec![int(3), Value::Null, Value::Decimal { digits: 1000, scale: 2 }],
                    ],
                ),
            ),
            (
                "master.dbo.numbers".to_owned(),
                table(&[("n", Type::Int)], (1..=100).map(|n| vec![int(n)]).collect()),
            ),
            (
                "master.dbo.empty".to_owned(),
                table(&[("id", Type::Int), ("name", Type::VarChar(Some(10)))], Vec::new()),
            ),
            (
                "master.dbo.lsns".to_owned(),
                table(
                    &[("first_lsn", Type::LSN), ("last_lsn", Type::LSN)],
                    vec![
                        vec![lsn(30_000_000_019_200_037), lsn(30_000_000_019_200_038)],
                        vec![lsn(30_000_000_019_200_038), lsn(30_000_000_020_000_001)],
                    ],
                ),
            ),
            (
                "msdb.dbo.sysjobs".to_owned(),
                table(
                    &[("job_id", Type::Int), ("name", name), ("enabled", Type::TinyInt)],
                    vec![
                        vec![int(1), t("Backup"), int(1)],
                        vec![int(2), t("Restore"), int(0)],
                        vec![int(3), t("Idle"), int(1)],
                    ],
                ),
            ),
            (
                "msdb.dbo.sysjobhistory".to_owned(),
                table(
                    &[
                        ("instance_id", Type::Int),
                        ("job_id", Type::Int),
                        ("run_status", Type::Int),
                        ("run_date", Type::Int),
                        ("message", Type::NVarChar(Some(4000))),
                    ],
                    vec![
                        vec![int(10), int(1), int(1), int(20_261_118), t("ok")],
                        vec![int(11), int(1), int(0), int(20_261_119), t("failed")],
                        vec![int(12), int(2), int(1), int(20_261_119), t("ok")],
                        vec![int(13), int(1), int(1), int(20_261_120), Value::Null],
                    ],
                ),
            ),
        ];
        Self {
            tables: Mutex::new(tables),
            before: Mutex::default(),
            scans: Mutex::default(),
            commands: Mutex::default(),
            mood: Mutex::default(),
            version: 15,
            case_sensitive: false,
        }
    }
}

impl Fake {
    fn key(name: &ObjectName) -> String {
        let schema = if name.name.eq_ignore_ascii_case("databases") { "sys" } else { &name.schema };
        let database = if schema == "sys" { "master" } else { &name.database };
        format!("{database}.{schema}.{}", name.name).to_lowercase()
    }
}

impl Host for Fake {
    fn name(&self) -> String {
        "FAKE1".into()
    }
    fn version(&self) -> (u8, u8, u16) {
        (self.version, 0, 4000)
    }
    fn banner(&self) -> String {
        "Microsoft SQL Server 2019 - simulated".into()
    }
    fn door(&self) -> Door {
        Door::Open
    }
    fn mood(&self) -> Mood {
        *self.mood.lock().unwrap()
    }
    fn now(&self) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 20, 16, 30, 0).unwrap()
    }
    fn utc_offset_minutes(&self) -> i16 {
        60
    }
    fn case_sensitive(&self) -> bool {
        self.case_sensitive
    }
    fn login(&self, login: &Login, session_id: i16) -> Result<Context, Vec<Message>> {
        if login.user != "sa" {
            return Err(vec![Message { class: 14, ..Message::error(18456, "Login failed for user 'x'.") }]);
        }
        Ok(Context {
            session_id,
            login: login.user.clone(),
            database: "master".into(),
            sysadmin: true,
            ..Context::default()
        })
    }
    fn logout(&self, _: &Context) {}
    fn activity(&self, _: &Context, _: Option<&str>) {}
    fn enter(&self, _: &Context, database: &str) -> Outcome<()> {
        match database.to_lowercase().as_str() {
            "master" | "msdb" | "tempdb" => Ok(()),
            "restoring" => Err(Message { class: 14, ..Message::error(927, "in the middle of a restore") }),
            _ => Err(Message::error(911, "no such database")),
        }
    }
    fn columns(&self, _: &Context, name: &ObjectName) -> Outcome<Option<Vec<Column>>> {
        if name.database.eq_ignore_ascii_case("restoring") {
            return Err(Message { class: 14, ..Message::error(927, "in the middle of a restore") });
        }
        let key = Self::key(name);
        let tables = self.tables.lock().unwrap();
        Ok(tables.iter().find(|(k, _)| k.to_lowercase() == key).map(|(_, t)| t.columns.clone()))
    }
    fn scan(&self, _: &Context, scans: &[Scan], _: Patience<'_>) -> Outcome<Vec<Scanned>> {
        self.scans.lock().unwrap().push(scans.to_vec());
        let tables = self.tables.lock().unwrap();
        let found = |scan: &Scan| {
            let key = Self::key(&scan.name);
            let (_, table) = tables.iter().find(|(k, _)| k.to_lowercase() == key).unwrap();
            Scanned::Stored(Arc::new(table.clone()))
        };
        Ok(scans.iter().map(found).collect())
    }
    fn begin(&self, context: &Context, _: &Begin) -> Outcome<u64> {
        self.save(context, "").map(|()| 7)
    }
    fn mark(&self, _: &Context, _: &str, _: &str) -> Outcome<bool> {
        Ok(true)
    }
    fn save(&self, _: &Context, name: &str) -> Outcome<()> {
        let now = self.tables.lock().unwrap().clone();
        self.before.lock().unwrap().push((name.to_owned(), now));
        Ok(())
    }
    fn roll_back_to(&self, _: &Context, name: &str) -> Outcome<bool> {
        let mut before = self.before.lock().unwrap();
        let at = before.iter().rposition(|(n, _)| n == name).unwrap();
        before.truncate(at + 1);
        self.tables.lock().unwrap().clone_from(&before[at].1);
        Ok(true)
    }
    fn commit(&self, _: &Context) -> Outcome<()> {
        self.before.lock().unwrap().clear();
        Ok(())
    }
    fn roll_back(&self, context: &Context) -> Outcome<()> {
        self.roll_back_to(context, "")?;
        self.commit(context)
    }
    fn end_statement(&self, _: &Context) {}
    fn killed(&self, _: &Context) -> bool {
        false
    }
    fn change(&self, _: &Context, name: &ObjectName, change: Change, _: Patience<'_>) -> Outcome<u64> {
        let key = Self::key(name);
        let mut tables = self.tables.lock().unwrap();
        let (_, table) = tables.iter_mut().find(|(k, _)| k.to_lowercase() == key).unwrap();
        Ok(match change {
            Change::Insert(rows) => {
                let count = rows.len();
                table.rows.extend(rows);
                count
            }
            Change::Update(rows) => {
                let count = rows.len();
                for (at, row) in rows {
                    table.rows[at] = row;
                }
                count
            }
            Change::Delete(mut places) => {
                places.sort_unstable();
                let count = places.len();
                for at in places.into_iter().rev() {
                    table.rows.remove(at);
                }
                count
            }
        } as u64)
    }
    fn rowset(&self, _: &Context, name: &ObjectName, arguments: &[Value]) -> Outcome<Option<Table>> {
        match name.name.to_lowercase().as_str() {
            "dm_os_file_exists" => {
                let there = i64::from(arguments.first() == Some(&t(r"C:\b.bak")));
                let row = vec![Value::Int(there), Value::Int(0), Value::Int(1)];
                let columns = [
                    ("file_exists", Type::Int),
                    ("file_is_a_directory", Type::Int),
                    ("parent_directory_exists", Type::Int),
                ];
                Ok(Some(table(&columns, vec![row])))
            }
            "upto" => {
                let Some(Value::Int(n)) = arguments.first() else {
                    return Ok(Some(table(&[("i", Type::Int)], vec![])));
                };
                Ok(Some(table(&[("i", Type::Int)], (1..=*n).map(|i| vec![Value::Int(i)]).collect())))
            }
            _ => Ok(None),
        }
    }
    fn scalar(&self, context: &Context, name: &str, arguments: &[Value]) -> Outcome<Option<Value>> {
        Ok(Some(match (name, arguments) {
            ("SERVERPROPERTY", [Value::Text(what)]) => match what.to_lowercase().as_str() {
                "servername" => t("FAKE1"),
                "isclustered" => Value::Int(0),
                _ => Value::Null,
            },
            ("DB_NAME", []) => t(&context.database),
            ("DB_NAME", [Value::Int(n)]) => t(["master", "tempdb", "model", "msdb"][*n as usize - 1]),
            ("OBJECT_ID", [Value::Text(what)]) if what == "dbo.t" => Value::Int(42),
            ("DBO.AGENT_DATETIME", [Value::Int(_), Value::Int(_)]) => Value::Null,
            (
                "SERVERPROPERTY"
                | "DB_NAME"
                | "OBJECT_ID"
                | "DBO.AGENT_DATETIME"
                | "SUSER_SNAME"
                | "IS_SRVROLEMEMBER"
                | "DATABASE_PRINCIPAL_ID"
                | "TYPE_NAME",
                _,
            ) => Value::Null,
            _ => return Ok(None),
        }))
    }
    fn procedure(
        &self,
        _: &Context,
        name: &ObjectName,
        arguments: &[(Option<String>, Value)],
        sink: &mut dyn Sink,
    ) -> Outcome<Option<i32>> {
        match name.name.to_lowercase().as_str() {
            "sp_two" => {
                let _ = sink.put(Part::Columns(vec![Column::new("a", Type::Int)]));
                let _ = sink.put(Part::Row(vec![Value::Int(arguments.len() as i64)]));
                let _ = sink.put(Part::Row(vec![Value::Int(2)]));
                let _ = sink.put(Part::Done { rows: Some(2) });
                Ok(Some(0))
            }
            "sp_seven" => Ok(Some(7)),
            "sp_fail" => {
                Err(Message { procedure: "sp_fail".into(), ..Message::error(14262, "does not exist") })
            }
            _ => Ok(None),
        }
    }
    fn command(&self, _: &Context, command: &Command, _: &mut dyn Sink) -> Result<(), Vec<Message>> {
        self.commands.lock().unwrap().push(command.clone());
        match command {
            Command::Restore { log: true, .. } => Err(vec![
                Message::error(4305, "too late"),
                Message::error(3013, "RESTORE LOG is terminating abnormally."),
            ]),
            _ => Ok(()),
        }
    }
}
