//! A server that knows the port's own batches and a few words.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use drbook::sandbox::answer::{Conversation, Door, Login, Message, Parameter, Part, Server, Sink};
use drbook::sandbox::value::{Column, Type, Value};

/// Says what a test wants it to say, and remembers what it was told.
pub(crate) struct Script(Arc<State>);

#[derive(Default)]
pub(crate) struct State {
    door: Mutex<Door>,
    pub(crate) logins: Mutex<Vec<Login>>,
    /// Statements that came by RPC.
    pub(crate) calls: Mutex<Vec<String>>,
    /// Where the session that spoke last is.
    pub(crate) database: Mutex<String>,
    /// How often it was started anew.
    pub(crate) restarts: AtomicUsize,
    at_once: AtomicUsize,
    pub(crate) most_at_once: AtomicUsize,
}

impl Deref for Script {
    type Target = State;
    fn deref(&self) -> &State {
        &self.0
    }
}

impl Script {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Arc::default()))
    }
    pub(crate) fn set_door(&self, door: Door) {
        *self.door.lock().unwrap() = door;
    }
}

impl Server for Script {
    fn name(&self) -> String {
        "DRSQL1\\BTS".into()
    }
    fn version(&self) -> (u8, u8, u16) {
        (15, 0, 4430)
    }
    fn door(&self) -> Door {
        *self.door.lock().unwrap()
    }
    fn login(&self, login: &Login) -> Result<Box<dyn Conversation>, Vec<Message>> {
        if !matches!((login.user.as_str(), login.password.as_str()), ("ro", "read") | ("op", "write")) {
            let text = format!("Login failed for user '{}'.", login.user);
            return Err(vec![Message { class: 14, ..Message::error(18456, text) }]);
        }
        self.logins.lock().unwrap().push(login.clone());
        Ok(Box::new(Talk { state: self.0.clone(), database: "master".into() }))
    }
}

struct Talk {
    state: Arc<State>,
    database: String,
}

fn utc_now() -> NaiveDateTime {
    "2026-11-20T21:04:05.123".parse().unwrap()
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn set(columns: &[(&str, Type, Value)], sink: &mut dyn Sink) {
    let _ = sink.put(Part::Columns(columns.iter().map(|(n, k, _)| Column::new(*n, *k)).collect()));
    let _ = sink.put(Part::Row(columns.iter().map(|(.., v)| v.clone()).collect()));
    let _ = sink.put(Part::Done { rows: Some(1) });
}

fn error(message: Message, sink: &mut dyn Sink) {
    let _ = sink.put(Part::Error(message));
    let _ = sink.put(Part::Done { rows: None });
}

impl Talk {
    /// `USE [name];` in front of a batch; `None` when there is no such database.
    fn enter<'a>(&mut self, sql: &'a str, sink: &mut dyn Sink) -> Option<&'a str> {
        let Some(rest) = sql.strip_prefix("USE [") else { return Some(sql) };
        let (name, rest) = rest.split_once("];").unwrap();
        let new = name.replace("]]", "]");
        if new == "gone" {
            error(
                Message::error(
                    911,
                    "Database 'gone' does not exist. Make sure that the name is entered correctly.",
                ),
                sink,
            );
            return None;
        }
        let old = std::mem::replace(&mut self.database, new.clone());
        self.state.database.lock().unwrap().clone_from(&new);
        let _ = sink.put(Part::Database { old, new });
        let _ = sink.put(Part::Done { rows: None });
        Some(rest.trim())
    }

    fn run(&mut self, sql: &str, parameters: &[Parameter], sink: &mut dyn Sink) {
        let one = |sink: &mut dyn Sink| set(&[("a", Type::Int, Value::Int(1))], sink);
        match sql {
            "one" => one(sink),
            "where" => {
                std::thread::sleep(Duration::from_millis(5));
                set(&[("db", Type::SYSNAME, text(&self.database))], sink);
            }
            "echo" => {
                let columns: Vec<_> =
                    parameters.iter().map(|p| (p.name.as_str(), p.kind, p.value.clone())).collect();
                set(&columns, sink);
            }
            "types" => {
                let local = utc_now() + TimeDelta::hours(1);
                let guid = [
                    0x6F, 0x96, 0x19, 0xFF, 0x8B, 0x86, 0xD0, 0x11, 0xB4, 0x2D, 0, 0xC0, 0x4F, 0xC9, 0x64,
                    0xFF,
                ];
                set(
                    &[
                        (
                            "lsn",
                            Type::LSN,
                            Value::Decimal { digits: 7_204_000_000_118_400_001_234_567, scale: 0 },
                        ),
                        (
                            "numeric",
                            Type::Decimal { precision: 9, scale: 2 },
                            Value::Decimal { digits: -150, scale: 2 },
                        ),
                        ("backup_finish_date", Type::DateTime, Value::DateTime(local)),
                        ("log_time_utc", Type::DateTime, Value::DateTime(utc_now())),
                        ("datetime2", Type::DateTime2 { scale: 7 }, Value::DateTime(local)),
                        (
                            "datetimeoffset",
                            Type::DateTimeOffset { scale: 3 },
                            Value::DateTimeOffset(utc_now(), -330),
                        ),
                        ("guid", Type::UniqueIdentifier, Value::Guid(guid)),
                        ("text", Type::NVarChar(None), text("台北 é")),
                        ("bit", Type::Bit, Value::Bit(true)),
                        ("variant", Type::Variant, text("RTM")),
                        ("binary", Type::VarBinary(Some(2)), Value::Binary(vec![1, 255])),
                        ("absent", Type::LSN, Value::Null),
                    ],
                    sink,
                );
            }
            "nothing" => {
                let _ = sink.put(Part::Done { rows: None });
            }
            "two sets" => {
                one(sink);
                one(sink);
            }
            "missing object" => {
                error(Message { line: 2, ..Message::error(208, "Invalid object name 'dbo.gone'.") }, sink);
            }
            "rows then error" => {
                let _ = sink.put(Part::Columns(vec![Column::new("a", Type::Int)]));
                let _ = sink.put(Part::Row(vec![Value::Int(1)]));
                error(Message::error(8134, "Divide by zero error encountered."), sink);
            }
            "slow" => {
                for _ in 0..200 {
                    if sink.stopped() {
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                let _ = sink.put(Part::Done { rows: None });
            }
            "endless" => {
                while !sink.stopped() {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            "hang up" => {
                *self.state.door.lock().unwrap() = Door::Refused;
                std::thread::sleep(Duration::from_millis(100));
            }
            "fatal" => {
                let said = "Cannot continue the execution because the session is in the kill state.";
                error(Message { class: 21, ..Message::error(596, said) }, sink);
            }
            "many rows" => rows(100_001, || Value::Int(1), Type::Int, sink),
            "wide" => rows(5000, || text(&"x".repeat(4000)), Type::NVarChar(None), sink),
            other => error(Message::not_modelled(other), sink),
        }
    }
}

fn rows(count: u64, value: impl Fn() -> Value, kind: Type, sink: &mut dyn Sink) {
    let _ = sink.put(Part::Columns(vec![Column::new("a", kind)]));
    for _ in 0..count {
        if sink.put(Part::Row(vec![value()])).is_err() {
            return;
        }
    }
    let _ = sink.put(Part::Done { rows: Some(count) });
}

impl Conversation for Talk {
    fn session_id(&self) -> i16 {
        51
    }
    fn database(&self) -> String {
        self.database.clone()
    }
    fn batch(&mut self, sql: &str, sink: &mut dyn Sink) {
        let Some(sql) = self.enter(sql, sink) else { return };
        let clock = [
            ("utc_now", Type::DateTime2 { scale: 7 }, Value::DateTime(utc_now())),
            // read a moment later, as on a real server
            (
                "local_now",
                Type::DateTime2 { scale: 7 },
                Value::DateTime(utc_now() + TimeDelta::minutes(60) + TimeDelta::milliseconds(3)),
            ),
        ];
        if sql.is_empty() {
        } else if sql.contains("SERVERPROPERTY('ServerName')") {
            assert!(
                sql.starts_with("SET NOCOUNT ON; SET LOCK_TIMEOUT 5000; SET DEADLOCK_PRIORITY LOW;"),
                "{sql}"
            );
            let mut columns = vec![
                ("server_name", Type::NVarChar(Some(256)), text("DRSQL1\\BTS")),
                ("product_version", Type::NVarChar(Some(128)), text("15.0.4430.1")),
                (
                    "banner",
                    Type::NVarChar(Some(400)),
                    text("Microsoft SQL Server 2019 (SIMULATED) - 15.0.4430.1\n\tmore"),
                ),
            ];
            columns.extend(clock);
            set(&columns, sink);
        } else if sql.contains("SYSUTCDATETIME") {
            set(&clock, sink);
        } else if sql.contains("tempdb") {
            let started = utc_now() + TimeDelta::days(self.state.restarts.load(Ordering::SeqCst) as i64);
            set(&[("create_date", Type::DateTime, Value::DateTime(started))], sink);
        } else if sql.contains("IS_SRVROLEMEMBER") {
            set(&[("held", Type::Int, Value::Int(0))], sink);
        } else if sql.contains("VIEW SERVER STATE") {
            set(&[("held", Type::Int, Value::Int(1))], sink);
        } else {
            set(&[("held", Type::Int, Value::Null)], sink);
        }
    }
    fn rpc(&mut self, procedure: &str, parameters: &[Parameter], sink: &mut dyn Sink) {
        assert_eq!(procedure, "sp_executesql");
        let Value::Text(sql) = &parameters[0].value else { panic!("no statement") };
        self.state.calls.lock().unwrap().push(sql.clone());
        let here = self.state.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.state.most_at_once.fetch_max(here, Ordering::SeqCst);
        let (_, word) = sql.rsplit_once('\n').unwrap();
        self.run(word, parameters.get(2..).unwrap_or_default(), sink);
        self.state.at_once.fetch_sub(1, Ordering::SeqCst);
        let _ = sink.put(Part::Status(0));
    }
    fn begin(&mut self, _: &mut dyn Sink) {}
    fn commit(&mut self, _: &mut dyn Sink) {}
    fn rollback(&mut self, _: &mut dyn Sink) {}
    fn reset(&mut self) {}
}
