//! The estate as its servers show it, through the `Host` seam alone.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};

use super::{BIZTALK, Setup, World};
use crate::clock::{DrillClock, FixedClock};
use crate::sandbox::answer::{Kept, Login, Message};
use crate::sandbox::host::{Context, Host, ObjectName};
use crate::sandbox::value::{Table, Value};

const PASSWORD: &str = "Only-for-tests-1";

/// A world on a clock that stands still until told.
struct Walk {
    clock: Arc<FixedClock>,
    world: World,
    hosts: Vec<Arc<dyn Host>>,
}

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 10, 7, 30).unwrap()
}

fn setup(faults: &[&str]) -> Setup {
    Setup {
        clock: DrillClock { origin: start(), since: start(), speed: 60.0 },
        seed: 7,
        password: PASSWORD.into(),
        faults: faults.iter().map(|f| (*f).to_owned()).collect(),
    }
}

/// The shipped world with less history, so that tests are quick.
fn short() -> String {
    BIZTALK.replace("history: 26h", "history: 3h")
}

impl Walk {
    fn on(folder: &Path, faults: &[&str]) -> Self {
        let clock = Arc::new(FixedClock::at(start()));
        let world = World::create_on(&short(), folder, &setup(faults), Arc::clone(&clock) as _).unwrap();
        let hosts = world.hosts();
        Self { clock, world, hosts }
    }

    fn wait(&self, minutes: i64) {
        // In small steps, as a program that polls does.
        for _ in 0..minutes {
            self.clock.advance_ms(60_000);
            for host in &self.hosts {
                host.now();
            }
        }
    }

    fn rows(&self, server: usize, database: &str, name: &str, columns: &[&str]) -> Vec<Vec<Value>> {
        pick(&table(&*self.hosts[server], database, name).unwrap(), columns)
    }

    fn states(&self, server: usize) -> Vec<String> {
        let mut all: Vec<String> = self
            .rows(server, "master", "sys.databases", &["database_id", "state_desc"])
            .iter()
            .filter(|r| matches!(r[0], Value::Int(5..)))
            .map(|r| word(&r[1]))
            .collect();
        all.dedup();
        all
    }

    /// Newest complete log set, newest imported, last restored on every database: (S, I, R).
    fn sets(&self, server: usize) -> (i64, i64, i64) {
        let newest = |rows: Vec<Vec<Value>>| {
            rows.iter()
                .filter(|r| word(&r[1]) == "lg" && r[2] == Value::Bit(true))
                .map(|r| number(&r[0]))
                .max()
                .unwrap_or(0)
        };
        let columns = ["BackupSetId", "BackupType", "SetComplete"];
        let s = newest(self.rows(0, "BizTalkMgmtDb", "adm_BackupHistory", &columns));
        let i = newest(self.rows(server, "master", "bts_LogShippingHistory", &columns));
        let restored = self.rows(
            server,
            "master",
            "bts_LogShippingHistory",
            &["DatabaseName", "BackupSetId", "Restored"],
        );
        let mut last = std::collections::BTreeMap::new();
        for row in restored.iter().filter(|r| r[2] == Value::Bit(true)) {
            let entry = last.entry(word(&row[0])).or_insert(0);
            *entry = number(&row[1]).max(*entry);
        }
        (s, i, last.values().copied().min().unwrap_or(0))
    }

    fn previous(&self, set: i64) -> i64 {
        self.rows(0, "BizTalkMgmtDb", "adm_BackupHistory", &["BackupSetId", "BackupType"])
            .iter()
            .filter(|r| word(&r[1]) == "lg" && number(&r[0]) < set)
            .map(|r| number(&r[0]))
            .max()
            .unwrap_or(0)
    }

    fn job(&self, server: usize, job: &str, columns: &[&str]) -> Vec<Value> {
        let mut all = vec!["name"];
        all.extend(columns);
        let rows = self.rows(server, "msdb", "sysjobs", &all);
        rows.into_iter().find(|r| word(&r[0]) == job).unwrap_or_else(|| panic!("no job {job}"))[1..].to_vec()
    }

    fn run(
        &self,
        server: usize,
        database: &str,
        name: &str,
        arguments: &[(&str, Value)],
    ) -> Result<Kept, Message> {
        run(&*self.hosts[server], database, name, arguments)
    }

    fn start_job(&self, server: usize, job: &str) -> Result<Kept, Message> {
        self.run(server, "msdb", "sp_start_job", &[("@job_name", Value::Text(job.into()))])
    }

    fn disable(&self, server: usize, job: &str) {
        let arguments = [("@job_name", Value::Text(job.into())), ("@enabled", Value::Int(0))];
        self.run(server, "msdb", "sp_update_job", &arguments).unwrap();
    }

    /// Messages of a job's outcomes (`step_id`, `run_status`, `message`), newest last.
    fn history(&self, server: usize, job: &str) -> Vec<(i64, i64, String)> {
        let id = self.job(server, job, &["job_id"]).remove(0);
        let columns = ["job_id", "step_id", "run_status", "message"];
        self.rows(server, "msdb", "sysjobhistory", &columns)
            .iter()
            .filter(|r| r[0] == id)
            .map(|r| (number(&r[1]), number(&r[2]), word(&r[3])))
            .collect()
    }

    fn freeze(&self) {
        for server in [1, 2] {
            self.disable(server, HISTORY);
            self.disable(server, RESTORE);
        }
        self.wait(2);
    }
}

const HISTORY: &str = "BTS Log Shipping - Get Backup History";
const RESTORE: &str = "BTS Log Shipping - Restore Databases";
const MARK: &str = "BTS Log Shipping - Restore To Mark";
const BACKUP: &str = "Backup BizTalk Server (BizTalkMgmtDb)";

fn sa() -> Context {
    Context {
        session_id: 51,
        login: "sa".into(),
        database: "master".into(),
        sysadmin: true,
        ..Context::default()
    }
}

fn name(database: &str, name: &str) -> ObjectName {
    let (schema, name) = name.split_once('.').unwrap_or(("dbo", name));
    ObjectName { database: database.into(), schema: schema.into(), name: name.into() }
}

fn table(host: &dyn Host, database: &str, object: &str) -> Result<Table, Message> {
    let found = host.table(&sa(), &name(database, object))?;
    Ok(found.unwrap_or_else(|| panic!("no {object} in {database}")))
}

fn run(host: &dyn Host, database: &str, object: &str, arguments: &[(&str, Value)]) -> Result<Kept, Message> {
    let mut kept = Kept::default();
    let arguments: Vec<_> = arguments.iter().map(|(n, v)| (Some((*n).to_owned()), v.clone())).collect();
    let status = host.procedure(&sa(), &name(database, object), &arguments, &mut kept)?;
    assert_eq!(status, Some(0), "{object}");
    Ok(kept)
}

fn pick(table: &Table, columns: &[&str]) -> Vec<Vec<Value>> {
    let at: Vec<usize> = columns
        .iter()
        .map(|c| table.columns.iter().position(|k| k.name == *c).unwrap_or_else(|| panic!("no column {c}")))
        .collect();
    table.rows.iter().map(|r| at.iter().map(|n| r[*n].clone()).collect()).collect()
}

fn word(value: &Value) -> String {
    match value {
        Value::Text(t) => t.trim().to_owned(),
        other => panic!("{other:?} is no text"),
    }
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Int(n) => *n,
        other => panic!("{other:?} is no number"),
    }
}

#[test]
fn the_walk_begins_in_the_steady_state() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    assert_eq!(walk.states(0), ["ONLINE"]);
    for server in [1, 2] {
        assert_eq!(walk.states(server), ["RESTORING"]);
        let (s, i, r) = walk.sets(server);
        assert!(s > 0 && i == s && r == walk.previous(s), "{s} {i} {r}");
        let steps = walk.history(server, RESTORE);
        assert!(steps.len() > 20 && steps.iter().all(|h| h.1 == 1), "{steps:?}");
    }
}
