//! A server that answers a few scripted statements.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::sandbox::answer::{Conversation, Door, Login, Message, Parameter, Part, Server, Sink};
use crate::sandbox::tds::Listener;
use crate::sandbox::value::{Column, Type, Value};

/// Says what a test wants it to say.
pub(super) struct Fake {
    pub(super) door: Mutex<Door>,
    /// Set when an endless statement was told to stop.
    pub(super) stopped: Arc<AtomicBool>,
    pub(super) logins: Mutex<Vec<Login>>,
}

impl Fake {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { door: Mutex::new(Door::Open), stopped: Arc::default(), logins: Mutex::default() })
    }

    /// Serves it on a free port of the current runtime.
    pub(super) fn listen(self: &Arc<Self>) -> Listener {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let server: Arc<dyn Server> = Arc::<Self>::clone(self);
        Listener::start(socket, server, Arc::new(super::certificate().clone())).unwrap()
    }
}

impl Server for Fake {
    fn name(&self) -> String {
        "DRSQL1\\BTS".into()
    }
    fn version(&self) -> (u8, u8, u16) {
        (16, 0, 4165)
    }
    fn door(&self) -> Door {
        *self.door.lock().unwrap()
    }
    fn login(&self, login: &Login) -> Result<Box<dyn Conversation>, Vec<Message>> {
        self.logins.lock().unwrap().push(login.clone());
        if login.password != "P@ss wörd" {
            let text = format!("Login failed for user '{}'.", login.user);
            return Err(vec![Message { class: 14, ..Message::error(18456, text) }]);
        }
        let database = if login.database.is_empty() { "master" } else { &login.database };
        Ok(Box::new(Talk { database: database.into(), resets: 0, stopped: Arc::clone(&self.stopped) }))
    }
}

struct Talk {
    database: String,
    resets: i64,
    stopped: Arc<AtomicBool>,
}

impl Talk {
    fn set(columns: &[(&str, Type)], rows: Vec<Vec<Value>>, sink: &mut dyn Sink) {
        let columns = columns.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
        let count = rows.len() as u64;
        let mut parts = vec![Part::Columns(columns)];
        parts.extend(rows.into_iter().map(Part::Row));
        parts.push(Part::Done { rows: Some(count) });
        for part in parts {
            if sink.put(part).is_err() {
                return;
            }
        }
    }

    fn say(&mut self, sql: &str, parameters: &[Parameter], sink: &mut dyn Sink) {
        match sql {
            "echo" => {
                let columns: Vec<(&str, Type)> =
                    parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.kind)).collect();
                let row = parameters.iter().map(|parameter| parameter.value.clone()).collect();
                Self::set(&columns, vec![row], sink);
            }
            "types" => Self::set(&types().0, types().1, sink),
            "long" => {
                let text = |n: usize| Value::Text(format!("{n} {}", "台é".repeat(n)));
                let rows = (0..40).map(|n| vec![text(n * 50), text(n)]).collect();
                Self::set(&[("long", Type::NVarChar(None)), ("short", Type::NVarChar(Some(99)))], rows, sink);
            }
            "wide" => {
                let text = (0..100_000u32).map(|n| char::from((n % 26) as u8 + b'a')).collect();
                Self::set(&[("w", Type::NVarChar(None))], vec![vec![Value::Text(text)]], sink);
            }
            "two sets" => {
                Self::set(&[("a", Type::Int)], vec![vec![Value::Int(1)], vec![Value::Int(2)]], sink);
                Self::set(&[("b", Type::SYSNAME)], vec![vec![Value::Text("x".into())]], sink);
            }
            "chain" => {
                let _ = sink
                    .put(Part::Error(Message::error(4305, "The log in this backup set begins too late.")));
                let text = "RESTORE LOG is terminating abnormally.";
                let _ = sink.put(Part::Error(Message::error(3013, text)));
                let _ = sink.put(Part::Done { rows: None });
            }
            "rows then error" => {
                let _ = sink.put(Part::Columns(vec![Column::new("a", Type::Int)]));
                let _ = sink.put(Part::Row(vec![Value::Int(1)]));
                let _ = sink.put(Part::Error(Message::error(8134, "Divide by zero error encountered.")));
                let _ = sink.put(Part::Done { rows: None });
            }
            "unfit" => Self::set(&[("a", Type::TinyInt)], vec![vec![Value::Int(256)]], sink),
            _ if sql.starts_with("SET TRANSACTION ISOLATION LEVEL ") => {}
            "SAVE TRANSACTION [a]]b]" | "ROLLBACK TRANSACTION [a]]b]" | "BEGIN TRANSACTION [a]]b]" => {
                let _ = sink.put(Part::Done { rows: None });
            }
            "panic" => panic!("a fault of the evaluator"),
            "resets" => Self::set(&[("n", Type::Int)], vec![vec![Value::Int(self.resets)]], sink),
            "use msdb" => {
                let old = std::mem::replace(&mut self.database, "msdb".into());
                let _ = sink.put(Part::Database { old, new: "msdb".into() });
                let _ = sink.put(Part::Done { rows: None });
            }
            "endless rows" => {
                let _ = sink.put(Part::Columns(vec![Column::new("n", Type::BigInt)]));
                for n in 0.. {
                    if sink.put(Part::Row(vec![Value::Int(n)])).is_err() {
                        break;
                    }
                }
                self.stopped.store(true, Ordering::SeqCst);
            }
            "endless work" | "endless quiet" => {
                if sql == "endless work" {
                    let info = Message { class: 0, ..Message::error(3211, "10 percent processed.") };
                    let _ = sink.put(Part::Info(info));
                }
                while !sink.stopped() {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
                self.stopped.store(true, Ordering::SeqCst);
            }
            "nothing" => {
                let _ = sink.put(Part::Done { rows: None });
            }
            "killed" => {
                let text = "Cannot continue the execution because the session is in the kill state.";
                let _ = sink.put(Part::Error(Message { class: 21, ..Message::error(596, text) }));
            }
            "sp_unprepare" => {
                let _ = sink.put(Part::Status(0));
            }
            other => {
                let _ = sink.put(Part::Error(Message::not_modelled(other)));
            }
        }
    }
}

/// One column of every type; a row of values and a row of NULLs.
pub(super) fn types() -> (Vec<(&'static str, Type)>, Vec<Vec<Value>>) {
    let at: chrono::NaiveDateTime = "2026-11-20T21:04:05.123".parse().unwrap();
    let text = |text: &str| Value::Text(text.into());
    let cells = [
        ("bit", Type::Bit, Value::Bit(true)),
        ("tinyint", Type::TinyInt, Value::Int(255)),
        ("smallint", Type::SmallInt, Value::Int(-300)),
        ("int", Type::Int, Value::Int(-70_000)),
        ("bigint", Type::BigInt, Value::Int(i64::MIN)),
        ("lsn", Type::LSN, Value::Decimal { digits: 7_204_000_000_118_400_001_234_567, scale: 0 }),
        ("numeric", Type::Decimal { precision: 38, scale: 2 }, Value::Decimal { digits: -150, scale: 2 }),
        ("real", Type::Real, Value::Float(1.5)),
        ("float", Type::Float, Value::Float(-0.1)),
        ("date", Type::Date, Value::Date(at.date())),
        ("time", Type::Time { scale: 3 }, Value::Time(at.time())),
        ("datetime", Type::DateTime, Value::DateTime(at)),
        ("smalldatetime", Type::SmallDateTime, Value::DateTime(at)),
        ("datetime2", Type::DateTime2 { scale: 7 }, Value::DateTime(at)),
        ("datetimeoffset", Type::DateTimeOffset { scale: 3 }, Value::DateTimeOffset(at, 60)),
        (
            "guid",
            Type::UniqueIdentifier,
            Value::Guid([
                0x6F, 0x96, 0x19, 0xFF, 0x8B, 0x86, 0xD0, 0x11, 0xB4, 0x2D, 0x00, 0xC0, 0x4F, 0xC9, 0x64,
                0xFF,
            ]),
        ),
        ("char", Type::Char(4), text("é€")),
        ("varchar", Type::VarChar(Some(20)), text("é€")),
        ("varcharmax", Type::VarChar(None), text("é€")),
        ("nchar", Type::NChar(4), text("台北")),
        ("nvarchar", Type::NVarChar(Some(20)), text("台北")),
        ("nvarcharmax", Type::NVarChar(None), text("台北")),
        ("binary", Type::Binary(3), Value::Binary(vec![1])),
        ("varbinary", Type::VarBinary(Some(3)), Value::Binary(vec![1, 2])),
        ("varbinarymax", Type::VarBinary(None), Value::Binary(vec![1, 2, 3])),
        ("variant int", Type::Variant, Value::Int(3)),
        ("variant text", Type::Variant, text("RTM")),
        ("variant bit", Type::Variant, Value::Bit(true)),
        ("variant datetime", Type::Variant, Value::DateTime(at)),
    ];
    let nulls = vec![Value::Null; cells.len()];
    let columns = cells.iter().map(|(name, kind, _)| (*name, *kind)).collect();
    let values = cells.into_iter().map(|(_, _, value)| value).collect();
    (columns, vec![values, nulls])
}

impl Conversation for Talk {
    fn session_id(&self) -> i16 {
        51
    }
    fn database(&self) -> String {
        self.database.clone()
    }
    fn batch(&mut self, sql: &str, sink: &mut dyn Sink) {
        self.say(sql, &[], sink);
    }
    fn rpc(&mut self, procedure: &str, parameters: &[Parameter], sink: &mut dyn Sink) {
        let [Parameter { value: Value::Text(sql), .. }, rest @ ..] = parameters else {
            return self.say(procedure, parameters, sink);
        };
        // after the statement comes the declaration of its parameters
        self.say(sql, rest.get(1..).unwrap_or_default(), sink);
    }
    fn begin(&mut self, sink: &mut dyn Sink) {
        let _ = sink.put(Part::Begun(7));
    }
    fn commit(&mut self, sink: &mut dyn Sink) {
        let _ = sink.put(Part::Ended { id: 7, committed: true });
    }
    fn rollback(&mut self, sink: &mut dyn Sink) {
        let _ = sink.put(Part::Ended { id: 7, committed: false });
    }
    fn reset(&mut self) {
        self.resets += 1;
    }
}
