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
                rows.as_mut().unwrap().push(values.iter().map(shown).collect::<Vec<_>>().join(","))
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
