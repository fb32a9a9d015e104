//! The evaluator as a client sees it: SQL text in, rows or an error number out.

mod columns;
mod describe;
mod flow;
mod host;
mod language;
mod meaning;
mod refusals;
mod scripts;
mod strain;

use std::sync::Arc;

use super::session::Endpoint;
use crate::sandbox::answer::{Conversation, Kept, Login, Parameter, Part, Server};
use crate::sandbox::value::{Type, Value};
use host::Fake;

fn session_on(fake: Arc<Fake>) -> Box<dyn Conversation> {
    let login = Login { user: "sa".into(), ..Login::default() };
    Endpoint::new(fake).login(&login).unwrap()
}

fn session() -> Box<dyn Conversation> {
    session_on(Arc::new(Fake::default()))
}

fn run(sql: &str) -> Vec<Part> {
    run_in(&mut *session(), sql)
}

fn run_in(session: &mut dyn Conversation, sql: &str) -> Vec<Part> {
    let mut kept = Kept::default();
    session.batch(sql, &mut kept);
    kept.0
}

pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Bit(b) => i32::from(*b).to_string(),
        Value::Int(n) => n.to_string(),
        Value::Decimal { digits, scale } => super::number::text(*digits, *scale),
        Value::Float(n) => format!("{n:?}"),
        Value::Text(text) => text.clone(),
        Value::Date(d) => d.to_string(),
        Value::Time(t) => t.to_string(),
        Value::DateTime(t) => t.format("%Y-%m-%d %H:%M:%S%.f").to_string(),
        Value::DateTimeOffset(t, o) => format!("{t} {o}"),
        Value::Guid(g) => format!("{g:02x?}"),
        Value::Binary(b) => format!("{b:02x?}"),
    }
}

/// The whole answer in one line: `a,b | c,d`, `E207`, `I50000`, sets between `;`.
fn answer(parts: &[Part]) -> String {
    let mut sets: Vec<String> = Vec::new();
    let mut rows: Option<Vec<String>> = None;
    let mut kinds = Vec::new();
    for part in parts {
        match part {
            Part::Columns(columns) => {
                kinds = columns.iter().map(|c| c.kind).collect();
                sets.extend(rows.take().map(|r| r.join(" | ")));
                rows = Some(Vec::new());
            }
            Part::Row(values) => {
                // what is sent is of the type that was announced
                for (value, kind) in values.iter().zip(&kinds) {
                    let fits = *kind == Type::Variant || super::convert::fits(value, *kind);
                    assert!(fits, "{value:?} is no {kind:?}");
                    if let (Value::Decimal { scale, .. }, Type::Decimal { scale: wanted, .. }) = (value, kind)
                    {
                        assert_eq!(scale, wanted, "the scale of {value:?}");
                    }
                }
                let row = values.iter().map(show).collect::<Vec<_>>().join(",");
                rows.as_mut().unwrap().push(row);
            }
            Part::Error(m) => {
                sets.extend(rows.take().map(|r| r.join(" | ")));
                sets.push(format!("E{}", m.number));
            }
            Part::Info(m) => {
                sets.extend(rows.take().map(|r| r.join(" | ")));
                sets.push(format!("I{}:{}", m.number, m.text));
            }
            _ => {}
        }
    }
    sets.extend(rows.take().map(|r| r.join(" | ")));
    sets.join("; ")
}

fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(sql, wanted)| {
            let got = answer(&run(sql));
            (got != *wanted).then(|| format!("{sql}\n  wanted {wanted}\n  got    {got}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn queries_answer_as_sql_server_does() {
    check(&[
        ("SELECT 1", "1"),
        ("SELECT name FROM sys.databases WHERE database_id < 3 ORDER BY name DESC", "tempdb | master"),
        ("select t.id, t.name from dbo.t as t where t.name like 'B%'", "2,beta"),
        ("SELECT COUNT(*), SUM(n), MIN(n), MAX(n), AVG(n) FROM numbers", "100,5050,1,100,50"),
        (
            "SELECT j.name, COUNT(h.instance_id) FROM msdb.dbo.sysjobs j LEFT JOIN msdb.dbo.sysjobhistory h ON h.job_id = j.job_id GROUP BY j.name ORDER BY 1",
            "Backup,3 | Idle,0 | Restore,1",
        ),
        ("DECLARE @x int = 5; SET @x += 2 SELECT @x", "7"),
        ("SELECT TOP (2) n FROM numbers ORDER BY n DESC", "100 | 99"),
    ]);
}

#[test]
fn parameters_reach_the_statement() {
    let mut session = session();
    let text = |name: &str, text: &str| Parameter {
        name: name.into(),
        kind: Type::NVarChar(Some(4000)),
        value: Value::Text(text.into()),
        output: false,
    };
    let parameters = [
        text("", "SELECT name FROM dbo.t WHERE id = @id"),
        text("", "@id int"),
        Parameter { name: "@id".into(), kind: Type::Int, value: Value::Int(2), output: false },
    ];
    let mut kept = Kept::default();
    session.rpc("sp_executesql", &parameters, &mut kept);
    assert_eq!(answer(&kept.0), "beta");
    assert!(kept.0.contains(&Part::Status(0)));
}
