//! A world with faults, asked in T-SQL by a session of its own per question.

use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};

use crate::clock::{DrillClock, FixedClock};
use crate::sandbox::answer::{Conversation, Kept, Login, Part, Server as _};
use crate::sandbox::tsql::session::Endpoint;
use crate::sandbox::value::Value;
use crate::sandbox::world::{BIZTALK, Setup, World};

pub(super) const PASSWORD: &str = "Only-for-tests-1";

/// No errors.
pub(super) const NONE: [i32; 0] = [];

/// A world on a clock that stands still until told.
pub(super) struct Estate {
    pub(super) clock: Arc<FixedClock>,
    pub(super) world: World,
    _folder: tempfile::TempDir,
    pub(super) servers: Vec<Endpoint>,
}

/// What a batch gave: the cells of its rows as text, and the numbers of its errors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Said {
    pub(super) rows: Vec<Vec<String>>,
    pub(super) errors: Vec<i32>,
}

impl Said {
    /// The only cell.
    pub(super) fn cell(&self) -> &str {
        assert!(self.rows.len() == 1 && self.rows[0].len() == 1, "{self:?}");
        &self.rows[0][0]
    }
    pub(super) fn number(&self) -> i64 {
        self.cell().parse().unwrap_or_else(|_| panic!("{self:?}"))
    }
}

pub(super) fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 10, 7, 30).unwrap()
}

pub(super) fn made(
    text: &str,
    faults: &[&str],
    folder: &std::path::Path,
) -> Result<(Arc<FixedClock>, World), String> {
    let clock = Arc::new(FixedClock::at(start()));
    let setup = Setup {
        clock: DrillClock { origin: start(), since: start(), speed: 60.0 },
        seed: 7,
        password: PASSWORD.into(),
        faults: faults.iter().map(|f| (*f).to_owned()).collect(),
    };
    let world = World::create_on(text, folder, &setup, Arc::clone(&clock) as _).map_err(|e| e.to_string())?;
    Ok((clock, world))
}

/// The shipped world with less history, so that tests are quick.
pub(super) fn short() -> String {
    BIZTALK.replace("history: 26h", "history: 140m")
}

impl Estate {
    /// The world `biztalk`: PRODSQL1 is 0, DRSQL1 is 1, DRSQL2 is 2.
    pub(super) fn with(faults: &[&str]) -> Self {
        Self::of(&short(), faults)
    }

    pub(super) fn of(text: &str, faults: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (clock, world) = made(text, faults, folder.path()).unwrap_or_else(|e| panic!("{faults:?}: {e}"));
        let servers = world.hosts().into_iter().map(Endpoint::new).collect();
        Self { clock, world, _folder: folder, servers }
    }

    /// Lets drill time pass.
    pub(super) fn wait(&self, minutes: i64) {
        for _ in 0..minutes {
            self.clock.advance_ms(60_000);
            self.world.hosts()[0].now();
        }
    }

    pub(super) fn login(&self, server: usize) -> Result<Box<dyn Conversation>, i32> {
        let login = Login { user: "sa".into(), password: PASSWORD.into(), ..Login::default() };
        self.servers[server].login(&login).map_err(|all| all[0].number)
    }

    /// Sends a batch to a server.
    pub(super) fn ask(&self, server: usize, sql: &str) -> Said {
        let mut session = match self.login(server) {
            Ok(session) => session,
            Err(number) => return Said { errors: vec![number], ..Said::default() },
        };
        say(&mut *session, sql)
    }

    /// Where a destination would read the newest log of a database.
    pub(super) fn newest_log(&self, server: usize, database: &str) -> String {
        let sql = format!(
            "SELECT TOP (1) BackupFileLocation + '\\' + BackupFileName FROM master.dbo.bts_LogShippingHistory \
             WHERE DatabaseName = '{database}' AND BackupType = 'lg' ORDER BY BackupSetId DESC"
        );
        self.ask(server, &sql).cell().to_owned()
    }

    /// Restores the newest log of a database by hand; the errors.
    pub(super) fn restore_newest(&self, server: usize, database: &str) -> Vec<i32> {
        let path = self.newest_log(server, database);
        self.ask(server, &format!("RESTORE LOG [{database}] FROM DISK = N'{path}' WITH NORECOVERY")).errors
    }

    /// `run_status` of a job's runs, the newest first.
    pub(super) fn runs(&self, server: usize, job: &str) -> Vec<String> {
        let sql = format!(
            "SELECT CONVERT(varchar(10), h.run_status) FROM msdb.dbo.sysjobhistory h \
             JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id \
             WHERE j.name = '{job}' AND h.step_id = 0 ORDER BY h.instance_id DESC"
        );
        self.ask(server, &sql).rows.into_iter().map(|mut r| r.remove(0)).collect()
    }
}

pub(super) fn say(session: &mut dyn Conversation, sql: &str) -> Said {
    let mut kept = Kept::default();
    session.batch(sql, &mut kept);
    let mut said = Said::default();
    for part in kept.0 {
        match part {
            Part::Row(row) => said.rows.push(row.iter().map(shown).collect()),
            Part::Error(message) => said.errors.push(message.number),
            _ => {}
        }
    }
    said
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Bit(b) => i32::from(*b).to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(t) => t.trim_end().to_owned(),
        other => format!("{other:?}"),
    }
}
