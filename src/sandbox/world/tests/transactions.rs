//! Transactions as their clients see them: statements in, answers out.

use std::sync::Arc;

use super::*;
use crate::sandbox::answer::{Conversation, Server as _};
use crate::sandbox::tsql::session::Endpoint;

/// A client of one server.
pub(super) struct Client(pub(super) Box<dyn Conversation>);

impl std::ops::Deref for Client {
    type Target = Box<dyn Conversation>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl std::ops::DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Client {
    pub(super) fn of(host: &Arc<dyn Host>) -> Self {
        Self::at(&Arc::new(Endpoint::new(Arc::clone(host))), "BizTalkMgmtDb")
    }

    pub(super) fn at(endpoint: &Arc<Endpoint>, database: &str) -> Self {
        let login = Login {
            user: "sa".into(),
            password: PASSWORD.into(),
            database: database.into(),
            ..Login::default()
        };
        Self(endpoint.login(&login).unwrap())
    }

    /// The whole answer in one line: `a,b | c,d`, `E207`, `I4035`, sets between `;`.
    pub(super) fn ask(&mut self, sql: &str) -> String {
        let mut kept = Kept::default();
        self.0.batch(sql, &mut kept);
        line(&kept.0)
    }

    pub(super) fn expect(&mut self, sql: &str, wanted: &str) {
        let got = self.ask(sql);
        assert_eq!(got, wanted, "{sql}");
    }
}

pub(super) fn line(parts: &[Part]) -> String {
    let mut sets: Vec<String> = Vec::new();
    let mut rows: Option<Vec<String>> = None;
    for part in parts {
        match part {
            Part::Columns(_) => sets.extend(rows.replace(Vec::new()).map(|r: Vec<String>| r.join(" | "))),
            Part::Row(values) => {
                rows.as_mut().unwrap().push(values.iter().map(shown).collect::<Vec<_>>().join(","));
            }
            Part::Error(m) => {
                sets.extend(rows.take().map(|r| r.join(" | ")));
                sets.push(format!("E{}", m.number));
            }
            Part::Info(m) => {
                sets.extend(rows.take().map(|r| r.join(" | ")));
                sets.push(format!("I{}", m.number));
            }
            _ => {}
        }
    }
    sets.extend(rows.take().map(|r| r.join(" | ")));
    sets.join("; ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Bit(b) => i64::from(*b).to_string(),
        Value::Int(n) => n.to_string(),
        Value::Decimal { digits, .. } => digits.to_string(),
        Value::Text(t) => t.clone(),
        Value::DateTime(t) => t.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        other => format!("{other:?}"),
    }
}

const HOSTS: &str = "SELECT Name FROM adm_Host ORDER BY Id";

#[test]
fn a_rollback_puts_every_row_back_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut client = Client::of(&walk.hosts[0]);
    let before = walk.rows(0, "BizTalkMgmtDb", "adm_Host", &["Id", "Name"]);
    client.expect(
        "BEGIN TRAN DELETE adm_Host WHERE Id = 1 UPDATE adm_Host SET Name = 'x' INSERT adm_Host (Id, Name) VALUES (9, 'nine') SELECT Name FROM adm_Host ORDER BY Id",
        "x | nine",
    );
    client.expect("ROLLBACK SELECT @@TRANCOUNT", "0");
    assert_eq!(walk.rows(0, "BizTalkMgmtDb", "adm_Host", &["Id", "Name"]), before);
}

#[test]
fn savepoints_undo_what_came_behind_them_in_every_database() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut client = Client::of(&walk.hosts[0]);
    client.expect(
        "BEGIN TRAN UPDATE adm_Host SET Name = 'a' WHERE Id = 1 SAVE TRAN s UPDATE adm_Host SET Name = 'b' DELETE master.dbo.t WHERE 1 = 0",
        "E208",
    );
    client.expect("ROLLBACK TRAN s SELECT @@TRANCOUNT COMMIT", "1");
    client.expect(HOSTS, "a | TrackingHost");
}

#[test]
fn a_connection_that_ends_takes_its_transaction_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut client = Client::of(&walk.hosts[0]);
    client.expect("BEGIN TRAN DELETE adm_Host", "");
    client.0.reset();
    client.expect(HOSTS, "BizTalkServerApplication | TrackingHost");
    client.expect("BEGIN TRAN DELETE adm_Host", "");
    drop(client);
    Client::of(&walk.hosts[0]).expect(HOSTS, "BizTalkServerApplication | TrackingHost");
}

#[test]
fn a_transaction_open_at_a_crash_is_undone_when_the_world_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut client = Client::of(&walk.hosts[0]);
    client.expect("BEGIN TRAN DELETE adm_Host", "");
    std::mem::forget(client);
    let world = World::open_on(folder.path(), Some(Arc::clone(&walk.clock) as _)).unwrap();
    Client::of(&world.hosts()[0]).expect(HOSTS, "BizTalkServerApplication | TrackingHost");
}

#[test]
fn a_mark_stands_in_every_database_that_the_transaction_changed() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut client = Client::of(&walk.hosts[0]);
    let marks = "SELECT database_name, mark_name, description, user_name FROM msdb.dbo.logmarkhistory WHERE mark_name LIKE 'm_' ORDER BY mark_name, database_name";
    client.expect(
        "BEGIN TRAN m1 WITH MARK 'first of all'
         UPDATE adm_Host SET Name = 'x' WHERE Id = 1
         INSERT BizTalkMsgBoxDb.dbo.MarkLog (MarkName) VALUES ('m1')
         SELECT COUNT(*) FROM BizTalkDTADb.dbo.MarkLog WHERE 1 = 0
         COMMIT TRAN m1",
        "0",
    );
    client.expect(marks, "BizTalkMgmtDb,m1,first of all,sa | BizTalkMsgBoxDb,m1,first of all,sa");
    client.expect("BEGIN TRAN m2 WITH MARK COMMIT", "");
    client.expect("BEGIN TRAN m3 WITH MARK UPDATE adm_Host SET Name = 'y' WHERE Id = 1 ROLLBACK", "");
    client.expect(
        "BEGIN TRAN o BEGIN TRAN m4 WITH MARK UPDATE adm_Host SET Name = 'y' WHERE Id = 1 BEGIN TRAN m5 WITH MARK COMMIT COMMIT COMMIT",
        "I3920",
    );
    client.expect(
        marks,
        "BizTalkMgmtDb,m1,first of all,sa | BizTalkMsgBoxDb,m1,first of all,sa | BizTalkMgmtDb,m4,,sa",
    );
}

#[test]
fn a_transaction_open_across_log_backups_comes_out_right_at_every_stop() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    // disks that nobody has to wait for
    walk.world.shared.now(|state, _| state.servers.iter_mut().for_each(|s| s.throughput = Some(10_000_000)));
    let endpoint = Arc::new(Endpoint::new(Arc::clone(&walk.hosts[0])));
    let mut writer = Client::at(&endpoint, "BizTalkMgmtDb");
    let mut dba = Client::at(&endpoint, "master");
    let back_up = |dba: &mut Client, what: &str, file: &str| {
        let answer =
            dba.ask(&format!(r"BACKUP {what} BizTalkMgmtDb TO DISK = '\\BACKUP01\bts\{file}' WITH INIT"));
        assert!(!answer.contains('E'), "{answer}");
    };
    writer.expect("BEGIN TRAN UPDATE adm_Host SET Name = 'one' WHERE Id = 1", "");
    back_up(&mut dba, "DATABASE", "t0.bak");
    writer.expect("UPDATE adm_Host SET Name = 'two' WHERE Id = 2", "");
    back_up(&mut dba, "LOG", "t1.trn");
    walk.clock.advance_ms(60_000);
    writer.expect("SAVE TRAN s DELETE adm_Host ROLLBACK TRAN s", "");
    writer.expect("BEGIN TRAN inner1 WITH MARK 'm' COMMIT COMMIT", "");
    back_up(&mut dba, "LOG", "t2.trn");
    dba.expect(
        "SELECT CASE WHEN first_lsn < checkpoint_lsn THEN 'older' END FROM msdb.dbo.backupset WHERE type = 'D' AND backup_set_id = (SELECT MAX(backup_set_id) FROM msdb.dbo.backupset WHERE type = 'D')",
        "older",
    );
    let mut there = Client::at(&Arc::new(Endpoint::new(Arc::clone(&walk.hosts[1]))), "master");
    let data = there.ask("SELECT LEFT(physical_name, LEN(physical_name) - CHARINDEX(CHAR(92), REVERSE(physical_name))) FROM sys.master_files WHERE database_id = 1 AND file_id = 1");
    let full = format!(
        r"RESTORE DATABASE d FROM DISK = '\\BACKUP01\bts\t0.bak' WITH REPLACE, MOVE 'BizTalkMgmtDb' TO '{data}\d.mdf', MOVE 'BizTalkMgmtDb_log' TO '{data}\d.ldf'"
    );
    let names = "SELECT Name FROM d.dbo.adm_Host ORDER BY Id";
    let (old, new) = ("BizTalkServerApplication | TrackingHost", "one | two");
    let log =
        |file: &str, with: &str| format!(r"RESTORE LOG d FROM DISK = '\\BACKUP01\bts\{file}' WITH {with}");
    let run = |there: &mut Client, sql: &str| {
        let answer = there.ask(sql);
        assert!(!answer.contains('E'), "{sql}: {answer}");
    };
    // recovered as it was backed up
    run(&mut there, &full);
    there.expect(names, old);
    // read between the logs, and rolled on
    let standby = format!(r"STANDBY = '{data}\d.tuf'");
    run(&mut there, &format!("{full}, NORECOVERY"));
    run(&mut there, &log("t1.trn", &standby));
    there.expect(names, old);
    there.expect("USE d UPDATE adm_Host SET Name = 'no' USE master", "I5701; E3906; I5701");
    run(&mut there, &log("t2.trn", &standby));
    there.expect(names, new);
    run(&mut there, "RESTORE DATABASE d WITH RECOVERY");
    there.expect(names, new);
    // the mark's transaction is in or out
    for (with, wanted) in [("STOPATMARK = 'inner1'", new), ("STOPBEFOREMARK = 'inner1'", old)] {
        run(&mut there, &format!("{full}, NORECOVERY"));
        run(&mut there, &log("t1.trn", "NORECOVERY"));
        run(&mut there, &log("t2.trn", &format!("{with}, RECOVERY")));
        there.expect(names, wanted);
    }
    // a commit at or after the moment is not in
    let at = dba.ask("SELECT CONVERT(varchar(23), DATEADD(second, -30, GETDATE()), 126)");
    run(&mut there, &format!("{full}, NORECOVERY"));
    run(&mut there, &log("t1.trn", "NORECOVERY"));
    run(&mut there, &log("t2.trn", &format!("STOPAT = '{at}', RECOVERY")));
    there.expect(names, old);
    // only the first log: what was open is undone
    run(&mut there, &format!("{full}, NORECOVERY"));
    run(&mut there, &log("t1.trn", "RECOVERY"));
    there.expect(names, old);
}
