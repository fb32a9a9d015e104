//! An estate with one server of each version, asked as clients ask: batches in, answers out.

use std::path::Path;
use std::sync::Arc;

use super::{PASSWORD, setup, start};
use crate::clock::FixedClock;
use crate::sandbox::answer::{Conversation, Kept, Login, Part, Server as _};
use crate::sandbox::tsql::session::Endpoint;
use crate::sandbox::value::{Type, Value};
use crate::sandbox::world::World;

/// The product years there are, and the versions their servers have here.
pub(super) const YEARS: [(u16, &str); 7] = [
    (2012, "11.0.7001.0"),
    (2014, "12.0.6024.0"),
    (2016, "13.0.6300.2"),
    (2017, "14.0.3456.2"),
    (2019, "15.0.4430.1"),
    (2022, "16.0.4125.3"),
    (2025, "17.0.1000.7"),
];

/// A server called `S<year>` per version, each with a database `Shop`.
pub(super) struct Estate {
    clock: Arc<FixedClock>,
    world: World,
}

impl Estate {
    pub(super) fn new(folder: &Path) -> Self {
        let clock = Arc::new(FixedClock::at(start()));
        let mut text = String::from("world: versions\nservers:\n");
        for (year, version) in YEARS {
            let linked = if year == 2012 { "S2014" } else { "S2012" };
            text += &format!(
                "  - {{ name: S{year}, role: other, version: {version}, linked: [{linked}], utc_offset: 60,\n      volumes: [{{ mount: 'C:\\', total_gb: 120, free_gb: 60 }}, {{ mount: 'D:\\', total_gb: 500, free_gb: 300 }}] }}\n"
            );
        }
        text += "logins:\n  - { name: low, kind: sql }\n  - { name: viewer, kind: sql, grants: [VIEW SERVER STATE] }\n";
        text += "  - { name: 'CONTOSO\\\\anna', kind: user }\n".replace("\\\\", "\\").as_str();
        text += "databases:\n";
        for (year, _) in YEARS {
            text += &format!("  - {{ name: Shop, role: user, server: S{year}, size_mb: 64 }}\n");
        }
        let world = World::create_on(&text, folder, &setup(&[]), Arc::clone(&clock) as _).unwrap();
        Self { clock, world }
    }

    /// A session on the server of a product year.
    pub(super) fn session(&self, year: u16, user: &str) -> Box<dyn Conversation> {
        let at = YEARS.iter().position(|(y, _)| *y == year).unwrap();
        let login = Login {
            user: user.into(),
            password: PASSWORD.into(),
            application: "a test".into(),
            workstation: "DESK7".into(),
            ..Login::default()
        };
        Endpoint::new(Arc::clone(&self.world.hosts()[at])).login(&login).unwrap()
    }

    /// One batch of `sa` on the server of a product year.
    pub(super) fn ask(&self, year: u16, sql: &str) -> String {
        ask(&mut *self.session(year, "sa"), sql)
    }

    /// The same of another login.
    pub(super) fn ask_as(&self, year: u16, user: &str, sql: &str) -> String {
        ask(&mut *self.session(year, user), sql)
    }

    /// A login that is not let in.
    pub(super) fn refused(&self, year: u16, user: &str) {
        let at = YEARS.iter().position(|(y, _)| *y == year).unwrap();
        let login = Login { user: user.into(), password: "wrong".into(), ..Login::default() };
        assert!(Endpoint::new(Arc::clone(&self.world.hosts()[at])).login(&login).is_err());
    }

    pub(super) fn wait(&self, seconds: i64) {
        self.clock.advance_ms(seconds * 1000);
    }
}

/// The parts of an answer to a batch.
pub(super) fn parts(session: &mut dyn Conversation, sql: &str) -> Vec<Part> {
    let mut kept = Kept::default();
    session.batch(sql, &mut kept);
    kept.0
}

/// The whole answer in one line: `a,b | c,d` per result set, `E207`, `I15457:text`, between `;`.
pub(super) fn ask(session: &mut dyn Conversation, sql: &str) -> String {
    let mut sets: Vec<String> = Vec::new();
    let mut rows: Option<Vec<String>> = None;
    for part in parts(session, sql) {
        let said = match part {
            Part::Columns(_) => {
                sets.extend(rows.replace(Vec::new()).map(|r| r.join(" | ")));
                continue;
            }
            Part::Row(values) => {
                let cells: Vec<String> = values.iter().map(show).collect();
                rows.as_mut().unwrap().push(cells.join(","));
                continue;
            }
            Part::Error(m) if m.number == 59999 => format!("E59999:{}", m.text),
            Part::Error(m) => format!("E{}", m.number),
            Part::Info(m) => format!("I{}:{}", m.number, m.text),
            _ => continue,
        };
        sets.extend(rows.take().map(|r| r.join(" | ")));
        sets.push(said);
    }
    sets.extend(rows.map(|r| r.join(" | ")));
    sets.join("; ")
}

/// Names and types of the columns of a batch's first result set.
pub(super) fn columns(session: &mut dyn Conversation, sql: &str) -> Vec<(String, Type)> {
    let columns = parts(session, sql).into_iter().find_map(|p| match p {
        Part::Columns(columns) => Some(columns),
        _ => None,
    });
    columns.unwrap_or_default().into_iter().map(|c| (c.name, c.kind)).collect()
}

pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Bit(b) => i32::from(*b).to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => text.trim_end().to_owned(),
        Value::DateTime(t) => t.format("%Y-%m-%d %H:%M:%S").to_string(),
        Value::Decimal { digits, scale: 0 } => digits.to_string(),
        Value::Guid(g) => crate::sandbox::world::ids::Guid(*g).to_string(),
        Value::Binary(b) => b.iter().fold("0x".to_owned(), |t, b| format!("{t}{b:02X}")),
        other => format!("{other:?}"),
    }
}

/// Asks one server everything and tells all that is wrong at once.
pub(super) fn check(estate: &Estate, year: u16, cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (sql, wanted) in cases {
        let got = estate.ask(year, sql);
        if got != *wanted {
            wrong.push(format!("{sql}\n  wanted {wanted}\n  got    {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong on {year}:\n{}", wrong.len(), wrong.join("\n"));
}
