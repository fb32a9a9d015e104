//! The estate as its servers show it, through the `Host` seam alone.

mod agent;
mod asking;
mod backup;
mod biztalk;
mod catalogue;
mod dialect;
mod distributed;
mod functions;
mod ha;
mod locking;
mod logship;
mod made;
mod principals;
mod system;
mod tools;
mod transactions;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};

use super::{BIZTALK, Setup, World};
use crate::clock::{DrillClock, FixedClock};
use crate::sandbox::answer::{Kept, Login, Message, Part};
use crate::sandbox::host::{Command, Context, DiskOption, Host, ObjectName, Patience, RestoreInfo};
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
    BIZTALK.replace("history: 26h", "history: 140m")
}

impl Walk {
    fn on(folder: &Path, faults: &[&str]) -> Self {
        let clock = Arc::new(FixedClock::at(start()));
        let world = World::create_on(&short(), folder, &setup(faults), Arc::clone(&clock) as _).unwrap();
        let hosts = world.hosts();
        Self { clock, world, hosts }
    }

    fn wait(&self, minutes: i64) {
        let mut left = minutes;
        while left > 0 {
            let step = left.min(5);
            left -= step;
            self.clock.advance_ms(step * 60_000);
            self.hosts[0].now();
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

#[test]
fn a_backup_run_makes_a_set_with_files_and_the_chain_holds() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let before = walk.sets(1).0;
    walk.start_job(0, BACKUP).unwrap();
    let again = walk.start_job(0, BACKUP).unwrap_err();
    assert_eq!(again.number, 22022, "{again:?}");
    walk.wait(2);
    let set = walk.sets(1).0;
    assert!(set > before);
    let columns = ["BackupSetId", "BackupFileName", "MarkName", "DatabaseName"];
    let rows: Vec<_> = walk
        .rows(0, "BizTalkMgmtDb", "adm_BackupHistory", &columns)
        .into_iter()
        .filter(|r| number(&r[0]) == set)
        .collect();
    assert_eq!(rows.len(), 9);
    for row in &rows {
        assert_eq!(row[2], rows[0][2], "one mark");
        assert!(word(&row[1]).contains(&word(&row[2])) && word(&row[1]).contains(&word(&row[3])));
        let file = folder.path().join("files").join("BACKUP01").join("bts").join(word(&row[1]));
        assert!(file.is_file(), "{}", file.display());
    }
    let marks = walk.rows(0, "BizTalkMsgBoxDb", "MarkLog", &["MarkName"]);
    assert_eq!(marks.last().unwrap()[0], rows[0][2]);
    let steps: Vec<(i64, i64)> = walk.history(0, BACKUP).iter().rev().take(5).map(|h| (h.0, h.1)).collect();
    assert_eq!(steps, [(0, 1), (4, 1), (3, 1), (2, 1), (1, 1)]);

    let columns = ["database_name", "type", "first_lsn", "last_lsn", "begins_log_chain"];
    let mut last = std::collections::HashMap::new();
    let mut logs = 0;
    for row in walk.rows(0, "msdb", "backupset", &columns).iter().filter(|r| word(&r[1]) == "L") {
        logs += 1;
        match last.insert(word(&row[0]), row[3].clone()) {
            Some(previous) => assert_eq!(row[2], previous, "{row:?}"),
            None => assert_eq!(row[4], Value::Bit(true)),
        }
    }
    assert!(logs > 9 * 7 && last.len() == 9, "{logs}");
}

#[test]
fn destinations_follow_hold_the_newest_set_back_and_stop_when_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let first = walk.sets(1);
    walk.wait(16);
    let then = walk.sets(1);
    assert!(then.0 > first.0 && then.1 == then.0 && then.2 == first.0, "{first:?} {then:?}");
    walk.freeze();
    let frozen = walk.sets(2);
    walk.wait(20);
    let later = walk.sets(2);
    assert!(later.0 > frozen.0);
    assert_eq!((later.1, later.2), (frozen.1, frozen.2));
}

#[test]
fn restore_to_mark_opens_every_database_at_one_mark_and_the_sources_jobs_appear() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    walk.freeze();
    let held = walk.sets(1).1;
    let mark = walk
        .rows(0, "BizTalkMgmtDb", "adm_BackupHistory", &["BackupSetId", "MarkName"])
        .into_iter()
        .find(|r| number(&r[0]) == held)
        .map(|r| r[1].clone())
        .unwrap();
    let before = walk.rows(1, "msdb", "sysjobs", &["job_id"]);
    assert_eq!(before.len(), 3);
    for server in [1, 2] {
        walk.start_job(server, MARK).unwrap();
    }
    walk.wait(3);
    for server in [1, 2] {
        assert_eq!(walk.history(server, MARK).last().map(|h| (h.0, h.1)), Some((0, 1)));
        assert_eq!(walk.states(server), ["ONLINE"]);
        let columns = ["destination_database_name", "stop_at_mark_name", "recovery"];
        let restores = walk.rows(server, "msdb", "restorehistory", &columns);
        for row in &restores[restores.len() - 9..] {
            assert_eq!((&row[1], &row[2]), (&mark, &Value::Bit(true)), "{row:?}");
        }
        for database in ["BizTalkMgmtDb", "BizTalkMsgBoxDb", "SSODB", "EsbItineraryDb"] {
            let marks = walk.rows(server, database, "MarkLog", &["MarkName"]);
            assert_eq!(marks.last().unwrap()[0], mark, "{database}");
        }
        assert_eq!(
            walk.rows(server, "BizTalkMgmtDb", "adm_Group", &["TrackingDBServerName"])[0][0],
            Value::Text("PRODSQL1".into())
        );
        let jobs = walk.rows(server, "msdb", "sysjobs", &["name", "enabled", "job_id"]);
        assert_eq!(jobs.len(), 3 + 13);
        assert_eq!(walk.job(server, BACKUP, &["enabled"]), [Value::Int(1)]);
        assert_ne!(walk.job(server, BACKUP, &["job_id"]), walk.job(0, BACKUP, &["job_id"]));
    }

    // Held by nobody, the new backup job reaches over its link into production.
    let production = walk.rows(0, "msdb", "backupset", &["backup_set_id"]).len();
    walk.disable(0, BACKUP);
    walk.wait(20);
    assert!(walk.rows(0, "msdb", "backupset", &["backup_set_id"]).len() > production);

    // Started before the pointers are moved, BizTalk works against production.
    walk.run(0, "master", "sandbox_StopBizTalk", &[]).unwrap();
    walk.run(1, "master", "sandbox_StartBizTalk", &[]).unwrap();
    let at = |server| {
        walk.rows(server, "master", "sys.dm_exec_sessions", &["host_name"])
            .contains(&vec![Value::Text("BTSPROD1".into())])
    };
    assert!(at(0) && !at(1));
    let arguments = [("@old", Value::Text("PRODSQL1".into())), ("@new", Value::Text("DRSQL1".into()))];
    walk.run(1, "master", "sandbox_UpdateDatabase", &arguments).unwrap();
    let columns =
        ["TrackingDBServerName", "BamDBServerName", "SubscriptionDBServerName", "RuleEngineDBServerName"];
    assert_eq!(
        walk.rows(1, "BizTalkMgmtDb", "adm_Group", &columns)[0],
        vec![Value::Text("DRSQL1".into()); 4]
    );
    let commands = walk.rows(1, "msdb", "sysjobsteps", &["command"]);
    assert!(commands.iter().all(|c| !word(&c[0]).contains("PRODSQL1")));
    let scope = walk.rows(1, "BizTalkMgmtDb", "admv_BackupDatabases", &["ServerName"]);
    assert!(scope.len() == 9 && scope.iter().all(|r| word(&r[0]) == "DRSQL1"), "{scope:?}");
    walk.run(0, "master", "sandbox_StopBizTalk", &[]).unwrap();
    walk.run(1, "master", "sandbox_StartBizTalk", &[]).unwrap();
    assert!(!at(0) && at(1));
    let stream = || walk.rows(1, "BizTalkDTADb", "TDDS_StreamStatus", &["lastSeqNum"]);
    let before = stream();
    walk.wait(3);
    assert!(stream().iter().zip(&before).all(|(now, then)| number(&now[0]) > number(&then[0])));

    // The end of the road: no log fits any more.
    for _ in 0..2 {
        walk.start_job(0, BACKUP).unwrap();
        walk.wait(3);
    }
    for job in [HISTORY, RESTORE] {
        let on = [("@job_name", Value::Text(job.into())), ("@enabled", Value::Int(1))];
        walk.run(2, "msdb", "sp_update_job", &on).unwrap();
    }
    walk.wait(5);
    let last = walk.history(2, RESTORE);
    assert!(last.last().unwrap().1 == 0 && last.iter().any(|h| h.2.contains("(Error 3117)")), "{last:?}");
}

#[test]
fn restore_to_mark_fails_over_a_running_restore_and_over_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &["lagging=DRSQL1"]);
    let (s, i, r) = walk.sets(1);
    assert!(i == s && r < walk.previous(walk.previous(s)), "{s} {i} {r}");
    walk.wait(1);
    let doing = walk.rows(1, "master", "sys.dm_exec_requests", &["command"]);
    assert!(doing.iter().any(|c| word(&c[0]) == "RESTORE LOG"), "{doing:?}");
    walk.start_job(1, MARK).unwrap();
    walk.wait(1);
    let last = walk.history(1, MARK);
    assert!(last.iter().any(|h| h.2.contains("(Error 3101)") && h.2.contains("(Error 3013)")), "{last:?}");
    walk.disable(1, RESTORE);
    walk.run(1, "msdb", "sp_stop_job", &[("@job_name", Value::Text(RESTORE.into()))]).unwrap();
    walk.start_job(1, MARK).unwrap();
    walk.wait(2);
    let last = walk.history(1, MARK);
    assert!(last.last().unwrap().1 == 0 && last.iter().any(|h| h.2.contains("(Error 4305)")), "{last:?}");
    assert_eq!(walk.states(1), ["RESTORING"]);
}

#[test]
fn each_fault_shows() {
    let fails = |walk: &Walk, server: usize, number: &str| {
        let history = walk.history(server, RESTORE);
        history.last().unwrap().1 == 0 && history.iter().rev().take(2).any(|h| h.2.contains(number))
    };
    let folder = || tempfile::tempdir().unwrap();

    let place = folder();
    let walk = Walk::on(place.path(), &["open-gap"]);
    let rows = walk.rows(
        1,
        "master",
        "bts_LogShippingHistory",
        &["BackupSetId", "BackupType", "DatabaseName", "Restored"],
    );
    let holes: Vec<_> = rows.iter().filter(|r| word(&r[1]) == "lg" && r[3] == Value::Bit(false)).collect();
    assert_eq!(holes.len(), 10, "nine held back and one hole");
    walk.wait(16);
    assert!(fails(&walk, 1, "(Error 4305)"));

    let place = folder();
    let walk = Walk::on(place.path(), &["diverged"]);
    let (one, other) = (walk.sets(1), walk.sets(2));
    assert!(one.1 == other.1 && other.2 < one.2, "{one:?} {other:?}");
    walk.wait(30);
    assert!(walk.sets(2).2 < walk.sets(1).2);
    assert!(fails(&walk, 2, "Operating system error 5"));

    let place = folder();
    let walk = Walk::on(place.path(), &["missing-file"]);
    walk.wait(16);
    assert!(fails(&walk, 1, "(Error 3201)") && fails(&walk, 2, "(Error 3201)"));

    let place = folder();
    let walk = Walk::on(place.path(), &["job-fails"]);
    walk.freeze();
    walk.start_job(1, MARK).unwrap();
    walk.wait(3);
    assert_eq!(walk.history(1, MARK).last().map(|h| h.1), Some(0));
    let states = walk.states(1);
    assert!(states.contains(&"ONLINE".into()) && states.contains(&"RESTORING".into()));
    assert_eq!(walk.rows(1, "msdb", "sysjobs", &["name"]).len(), 3);

    let place = folder();
    let walk =
        Walk::on(place.path(), &["server-down=PRODSQL1", "black-hole", "slow=DRSQL2", "empty-answer=DRSQL2"]);
    assert_eq!(walk.hosts[0].door(), crate::sandbox::answer::Door::Refused);
    assert_eq!(walk.hosts[1].door(), crate::sandbox::answer::Door::Silent);
    assert!(walk.hosts[2].mood().empty_answers && walk.hosts[2].mood().delay_ms >= 1000);
    walk.wait(20);
    let history = walk.history(2, HISTORY);
    assert!(history.last().unwrap().1 == 0 && history.iter().any(|h| h.2.contains("linked server")));

    let place = folder();
    let walk = Walk::on(place.path(), &["wrong-password=DRSQL2"]);
    let login = Login { user: "sa".into(), password: PASSWORD.into(), ..Login::default() };
    assert!(walk.hosts[1].login(&login, 52).is_ok());
    assert_eq!(walk.hosts[2].login(&login, 52).unwrap_err()[0].number, 18456);
}

#[test]
fn unknown_faults_and_worlds_that_do_not_fit_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let made = |text: &str, faults: &[&str]| {
        World::create(text, folder.path(), &setup(faults)).err().unwrap().to_string()
    };
    assert!(made(BIZTALK, &["nonsense"]).contains("missing-file"));
    assert!(made(BIZTALK, &["slow=NOWHERE"]).contains("NOWHERE"));
    assert!(made(&BIZTALK.replace("world: biztalk", "wrld: biztalk"), &[]).contains("wrld"));
    assert!(made(&BIZTALK.replace("server: PRODSQL1", "server: PRODSQL9"), &[]).contains("PRODSQL9"));
    assert!(made(&BIZTALK.replace("15.0.4430.1", "15.x"), &[]).contains("15.0.4430.1"));
}

#[test]
fn a_world_comes_back_from_its_folder_as_it_was_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    walk.start_job(0, BACKUP).unwrap();
    walk.clock.advance_ms(20_000);
    walk.hosts[0].now();
    let saved = |w: &World| serde_json::to_value(&*w.shared.locked()).unwrap();
    let before = saved(&walk.world);
    let again = World::open_on(folder.path(), Some(Arc::clone(&walk.clock) as _)).unwrap();
    assert!(before == saved(&again));
    assert!(walk.world.shared.locked().sets[..] == again.shared.locked().sets[..]);
    walk.clock.advance_ms(120_000);
    let hosts = again.hosts();
    let columns = ["BackupSetId", "SetComplete"];
    let rows = pick(&table(&*hosts[0], "BizTalkMgmtDb", "adm_BackupHistory").unwrap(), &columns);
    assert!(rows.iter().all(|r| r[1] == Value::Bit(true)));

    let snapshot = folder.path().join("world.json");
    let text = std::fs::read_to_string(&snapshot).unwrap();
    std::fs::write(&snapshot, text.replacen("\"format\":2", "\"format\":99", 1)).unwrap();
    assert!(World::open(folder.path()).err().unwrap().to_string().contains("newer program"));
    std::fs::write(&snapshot, text.replacen("\"format\":2", "\"format\":1", 1)).unwrap();
    assert!(World::open(folder.path()).err().unwrap().to_string().contains("older program"));
    std::fs::write(&snapshot, &text[..text.len() / 2]).unwrap();
    assert!(World::open(folder.path()).err().unwrap().to_string().contains("damaged"));
    assert!(
        World::create(BIZTALK, folder.path(), &setup(&[]))
            .err()
            .unwrap()
            .to_string()
            .contains("already holds")
    );
}

#[test]
fn the_same_seed_and_calls_make_the_same_world() {
    let made = |seed: u64| {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(start()));
        let setup = Setup { seed, ..setup(&[]) };
        let world = World::create_on(&short(), folder.path(), &setup, Arc::clone(&clock) as _).unwrap();
        for host in world.hosts() {
            clock.advance_ms(7 * 60_000);
            host.now();
        }
        serde_json::to_string(&*world.shared.locked()).unwrap()
    };
    let one = made(7);
    assert!(one == made(7));
    assert!(one != made(8));
}

#[test]
fn a_restoring_database_cannot_be_entered_and_a_reader_cannot_act() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let closed = walk.hosts[1].enter(&sa(), "SSODB").unwrap_err();
    assert_eq!((closed.number, closed.class), (927, 14));
    assert_eq!(table(&*walk.hosts[1], "SSODB", "MarkLog").unwrap_err().number, 927);
    assert_eq!(walk.hosts[1].enter(&sa(), "Nowhere").unwrap_err().number, 911);

    let login = Login { user: "drreader".into(), password: PASSWORD.into(), ..Login::default() };
    let reader = walk.hosts[0].login(&login, 60).unwrap();
    assert!(!reader.sysadmin);
    let read = |object| walk.hosts[0].table(&reader, &name("msdb", object)).map(|t| t.is_some());
    assert_eq!(read("sysjobs"), Ok(true));
    assert_eq!(read("sys.dm_exec_sessions"), Ok(true));
    let mut kept = Kept::default();
    let job = [(Some("@job_name".to_owned()), Value::Text(BACKUP.into()))];
    let denied =
        walk.hosts[0].procedure(&reader, &name("msdb", "sp_start_job"), &job, &mut kept).unwrap_err();
    assert_eq!(denied.number, 229);
}

#[test]
fn what_is_not_there_is_not_found_and_what_is_not_modelled_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let look = |object| walk.hosts[0].table(&sa(), &name("master", object));
    assert_eq!(look("sys.nothing"), Ok(None));
    assert_eq!(look("sysjobs"), Ok(None), "msdb's tables are only in msdb");
    assert_eq!(look("sys.traces").unwrap_err().number, 59999);
    assert_eq!(look("sys.availability_groups").unwrap().unwrap().rows.len(), 0);
    assert!(look("sys.databases").unwrap().unwrap().rows.len() == 13);
}

#[test]
fn every_filled_object_has_rows_or_at_least_columns_on_every_version() {
    for version in ["11.0.7001.0", "13.0.5026.0", "16.0.4105.2", "17.0.1000.7"] {
        let folder = tempfile::tempdir().unwrap();
        let text = short().replace("15.0.4430.1", version);
        let clock = Arc::new(FixedClock::at(start()));
        let world = World::create_on(&text, folder.path(), &setup(&[]), clock).unwrap();
        let host = &world.hosts()[0];
        let year = world.shared.locked().servers[0].year();
        for full in super::columns::system_names(year) {
            let object = super::columns::system_object(full, year).unwrap();
            if object.modelled == super::columns::Modelled::Not || super::columns::is_function(full) {
                continue;
            }
            let (database, object) = match full.strip_prefix("msdb.dbo.") {
                Some(object) => ("msdb", object),
                None if full.starts_with("master.") => continue,
                None => ("master", full),
            };
            let found = table(&**host, database, object).unwrap();
            assert!(!found.columns.is_empty(), "{full}");
            assert!(found.rows.iter().all(|r| r.len() == found.columns.len()), "{full}");
        }
    }
}

#[test]
#[ignore = "measures"]
fn time_it() {
    let folder = tempfile::tempdir().unwrap();
    let t = std::time::Instant::now();
    let clock = Arc::new(FixedClock::at(start()));
    let world = World::create_on(BIZTALK, folder.path(), &setup(&[]), Arc::clone(&clock) as _).unwrap();
    println!("create {:?}", t.elapsed());
    let hosts = world.hosts();
    let t = std::time::Instant::now();
    for _ in 0..60 {
        clock.advance_ms(60_000);
        hosts[0].now();
    }
    println!("60 minutes {:?}", t.elapsed());
    let t = std::time::Instant::now();
    world.shared.save(&mut world.shared.locked()).unwrap();
    println!(
        "save {:?} {} bytes",
        t.elapsed(),
        std::fs::metadata(folder.path().join("world.json")).unwrap().len()
    );
    let t = std::time::Instant::now();
    World::open(folder.path()).unwrap();
    println!("open {:?}", t.elapsed());
    let t = std::time::Instant::now();
    table(&*hosts[0], "msdb", "backupset").unwrap();
    println!("backupset {:?}", t.elapsed());
    let t = std::time::Instant::now();
    clock.advance_ms(20 * 3_600_000);
    hosts[0].now();
    println!("20 hours at once {:?}", t.elapsed());
}
fn option(name: &str, value: Option<&str>) -> DiskOption {
    DiskOption { name: name.into(), value: value.map(|v| Value::Text(v.into())), to: None }
}

fn command(host: &dyn Host, command: &Command) -> Result<Vec<Part>, Vec<i32>> {
    let mut kept = Kept::default();
    match host.command(&sa(), command, &mut kept) {
        Ok(()) => Ok(kept.0),
        Err(messages) => Err(messages.iter().map(|m| m.number).collect()),
    }
}

fn look(
    host: &dyn Host,
    what: RestoreInfo,
    path: &str,
    options: Vec<DiskOption>,
) -> Result<Vec<Part>, Vec<i32>> {
    command(host, &Command::RestoreInfo { what, disks: vec![path.into()], options })
}

fn backup(log: bool, path: &str, options: Vec<DiskOption>) -> Command {
    Command::Backup { log, database: "SSODB".into(), disks: vec![path.into()], options }
}

fn restore(log: bool, path: &str, options: Vec<DiskOption>) -> Command {
    let disks = if path.is_empty() { vec![] } else { vec![path.into()] };
    Command::Restore { log, database: "SSODB".into(), disks, options }
}

fn infos(parts: &[Part]) -> Vec<i32> {
    parts.iter().filter_map(|p| if let Part::Info(m) = p { Some(m.number) } else { None }).collect()
}

#[test]
fn backups_by_hand_restore_by_the_rules_of_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    walk.disable(0, BACKUP);
    let (prod, dr) = (&*walk.hosts[0], &*walk.hosts[1]);
    let file = |n: &str| format!("\\\\BACKUP01\\bts\\hand_{n}.bak");
    command(prod, &backup(false, &file("full"), vec![option("CHECKSUM", None)])).unwrap();
    let row = |n: &str| {
        let stored = name("SSODB", "MarkLog");
        let change = crate::sandbox::host::Change::Insert(vec![vec![Value::Text(n.into())]]);
        assert_eq!(prod.change(&sa(), &stored, change, Patience::NONE), Ok(1));
    };
    for n in ["one", "two", "three"] {
        row(n);
        walk.clock.advance_ms(60_000);
        assert_eq!(infos(&command(prod, &backup(true, &file(n), vec![])).unwrap()), [4035, 3014]);
    }
    command(dr, &Command::DropDatabase("SSODB".into())).unwrap();
    let norecovery = || vec![option("NORECOVERY", None)];
    assert_eq!(command(dr, &restore(true, &file("one"), norecovery())), Err(vec![3118, 3013]));
    assert_eq!(command(dr, &restore(true, &file("nothing"), norecovery())), Err(vec![3201, 3013]));
    assert_eq!(command(dr, &restore(false, &file("one"), norecovery())), Err(vec![3135, 3013]));
    let stats =
        vec![option("NORECOVERY", None), DiskOption { value: Some(Value::Int(50)), ..option("STATS", None) }];
    let said = infos(&command(dr, &restore(false, &file("full"), stats)).unwrap());
    assert_eq!(said, [3211, 3211, 4035, 4035, 3014]);
    assert_eq!(command(dr, &restore(true, &file("two"), norecovery())), Err(vec![4305, 3013]));
    command(dr, &restore(true, &file("one"), norecovery())).unwrap();
    command(dr, &restore(true, &file("two"), norecovery())).unwrap();
    assert_eq!(command(dr, &restore(true, &file("one"), norecovery())), Err(vec![4326, 3013]));
    let nowhere = vec![option("STOPATMARK", Some("nothing like it"))];
    let said = infos(&command(dr, &restore(true, &file("three"), nowhere)).unwrap());
    assert!(said.contains(&4329), "{said:?}");
    assert_eq!(dr.enter(&sa(), "SSODB").unwrap_err().number, 927);
    command(dr, &restore(false, "", vec![option("RECOVERY", None)])).unwrap();
    let marks = pick(&table(dr, "SSODB", "MarkLog").unwrap(), &["MarkName"]);
    assert_eq!(marks[marks.len() - 3..], ["one", "two", "three"].map(|n| vec![Value::Text(n.into())]));
    assert_eq!(command(dr, &restore(true, &file("three"), norecovery())), Err(vec![3117, 3013]));
    assert_eq!(command(dr, &restore(false, "", vec![])), Err(vec![3153, 3013]));
    let recovery = |host: &dyn Host| {
        let rows = table(host, "master", "sys.database_recovery_status").unwrap();
        pick(&rows, &["database_id", "recovery_fork_guid", "fork_point_lsn"])
    };
    let forks =
        |host: &dyn Host, n: usize| recovery(host).into_iter().map(|r| r[n].clone()).collect::<Vec<_>>();
    assert!(
        forks(dr, 2).iter().any(|p| *p != Value::Null) && forks(prod, 2).iter().all(|p| *p == Value::Null)
    );

    // The recovered copy goes on by itself: its log no longer fits the source's path.
    for _ in 0..50 {
        let change = crate::sandbox::host::Change::Insert(vec![vec![Value::Text("other".into())]]);
        dr.change(&sa(), &name("SSODB", "MarkLog"), change, Patience::NONE).unwrap();
    }
    command(dr, &backup(true, &file("fork"), vec![])).unwrap();
    row("four");
    let tail = vec![option("NORECOVERY", None)];
    // BizTalk's connections hold it until they are sent away.
    assert_eq!(command(prod, &backup(true, &file("tail"), tail.clone())), Err(vec![3101, 3013]));
    let alone = "SINGLE_USER WITH ROLLBACK IMMEDIATE".to_owned();
    command(prod, &Command::AlterDatabase { database: "SSODB".into(), set: alone }).unwrap();
    command(prod, &backup(true, &file("tail"), tail)).unwrap();
    assert_eq!(prod.enter(&sa(), "SSODB").unwrap_err().number, 927);
    assert_eq!(command(prod, &restore(true, &file("fork"), norecovery())), Err(vec![4330, 3013]));
    assert_eq!(command(prod, &backup(true, "E:\\nowhere\\x.bak", vec![])), Err(vec![927, 3013]));
}

#[test]
fn headers_come_from_the_files_and_damage_is_found_where_the_server_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let host = &*walk.hosts[1];
    let columns = ["BackupFileName", "BackupType", "DatabaseName"];
    let history = walk.rows(0, "BizTalkMgmtDb", "adm_BackupHistory", &columns);
    let path = |row: &[Value]| format!("\\\\BACKUP01\\bts\\{}", word(&row[0]));
    let log = history.iter().rev().find(|r| word(&r[1]) == "lg" && word(&r[2]) == "SSODB").unwrap();
    let parts = look(host, RestoreInfo::HeaderOnly, &path(log), vec![]).unwrap();
    let Part::Columns(header) = &parts[0] else { panic!("{parts:?}") };
    let Part::Row(row) = &parts[1] else { panic!("{parts:?}") };
    assert_eq!(header.len(), 56, "2019");
    let cell = |name: &str| row[header.iter().position(|c| c.name == name).unwrap()].clone();
    assert_eq!(cell("BackupType"), Value::Int(2));
    assert_eq!(cell("DatabaseName"), Value::Text("SSODB".into()));
    let columns = ["backup_set_uuid", "first_lsn", "last_lsn"];
    let known = walk.rows(0, "msdb", "backupset", &columns);
    let ours = known.iter().find(|r| r[0] == cell("BackupSetGUID")).unwrap();
    assert_eq!((&ours[1], &ours[2]), (&cell("FirstLSN"), &cell("LastLSN")));
    let parts = look(host, RestoreInfo::FileListOnly, &path(log), vec![]).unwrap();
    assert_eq!(parts.len(), 4, "columns, two files, end");
    assert_eq!(infos(&look(host, RestoreInfo::VerifyOnly, &path(log), vec![]).unwrap()), [3262]);
    let checked = vec![option("CHECKSUM", None)];
    assert_eq!(look(host, RestoreInfo::VerifyOnly, &path(log), checked), Err(vec![3187, 3013]));
    assert_eq!(
        look(host, RestoreInfo::HeaderOnly, &path(log).to_uppercase(), vec![]).map(|p| p.len()),
        Ok(3)
    );

    let real = folder.path().join("files").join("BACKUP01").join("bts").join(word(&log[0]));
    let good = std::fs::read(&real).unwrap();
    let with = |bytes: &[u8], what| {
        std::fs::write(&real, bytes).unwrap();
        look(host, what, &path(log), vec![]).map(|p| p.len())
    };
    assert_eq!(with(b"", RestoreInfo::HeaderOnly), Err(vec![3254, 3013]));
    assert_eq!(with(b"something else", RestoreInfo::HeaderOnly), Err(vec![3241, 3013]));
    let mut flipped = good.clone();
    flipped[40] ^= 1;
    assert_eq!(with(&flipped, RestoreInfo::HeaderOnly), Err(vec![3241, 3013]));
    assert_eq!(with(&good[..good.len() - 9], RestoreInfo::HeaderOnly), Ok(3));
    assert_eq!(with(&good[..good.len() - 9], RestoreInfo::VerifyOnly), Err(vec![3203, 3013]));
    let mut flipped = good.clone();
    let near_end = flipped.len() - 40;
    flipped[near_end] ^= 1;
    assert_eq!(with(&flipped, RestoreInfo::VerifyOnly), Ok(1), "there are no checksums inside");
    walk.wait(16);
    let history = walk.history(1, RESTORE);
    assert!(history.iter().any(|h| h.1 == 0 && h.2.contains("(Error 3189)")), "{history:?}");
    assert_eq!(
        look(host, RestoreInfo::HeaderOnly, "\\\\BACKUP01\\nowhere\\x.bak", vec![]),
        Err(vec![3201, 3013])
    );
    assert_eq!(look(host, RestoreInfo::HeaderOnly, "D:\\..\\..\\world.json", vec![]), Err(vec![3201, 3013]));
}

#[test]
fn after_a_clean_a_forced_full_and_a_log_seed_the_destination_again() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    walk.disable(1, RESTORE);
    walk.wait(1);
    let wrong = walk.run(1, "master", "sp_LogShippingClean", &[("@SourceID", Value::Text("OTHER".into()))]);
    assert_eq!(wrong.unwrap_err().number, 50_000);
    walk.run(1, "master", "sp_LogShippingClean", &[("@SourceID", Value::Text("PRODSQL1".into()))]).unwrap();
    assert!(walk.states(1).is_empty());
    walk.run(0, "BizTalkMgmtDb", "sp_ForceFullBackup", &[]).unwrap();
    walk.start_job(0, BACKUP).unwrap();
    walk.wait(5);
    assert_eq!(walk.rows(0, "BizTalkMgmtDb", "adm_BackupSettings", &["ForceFull"])[0][0], Value::Bit(false));
    walk.run(
        1,
        "msdb",
        "sp_update_job",
        &[("@job_name", Value::Text(RESTORE.into())), ("@enabled", Value::Int(1))],
    )
    .unwrap();
    walk.wait(30);
    let (s, i, r) = walk.sets(1);
    assert!(i == s && r == walk.previous(s), "{s} {i} {r}");
    assert_eq!(walk.states(1), ["RESTORING"]);
}

#[test]
fn a_world_killed_without_warning_lives_through_the_same_hours_again() {
    let lived = |kill: bool| {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(start()));
        let mut world =
            World::create_on(&short(), folder.path(), &setup(&[]), Arc::clone(&clock) as _).unwrap();
        for minute in 0..40 {
            clock.advance_ms(60_000);
            world.hosts()[0].now();
            if minute == 5 {
                run(
                    &*world.hosts()[1],
                    "msdb",
                    "sp_start_job",
                    &[("@job_name", Value::Text(RESTORE.into()))],
                )
                .unwrap();
            }
            if kill && minute % 7 == 3 {
                world = World::open_on(folder.path(), Some(Arc::clone(&clock) as _)).unwrap();
            }
        }
        world.hosts()[0].now();
        serde_json::to_string(&*world.shared.locked()).unwrap()
    };
    assert!(lived(false) == lived(true));
}
