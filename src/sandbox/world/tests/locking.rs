//! Sessions that wait for each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::transactions::{Client, line};
use super::*;
use crate::sandbox::answer::{Sink, Stopped};
use crate::sandbox::tsql::session::Endpoint;

/// Starts a client's statement on a thread of its own, and comes back when it waits.
fn waits(
    mut client: Client,
    sql: &'static str,
    watch: &mut Client,
) -> std::thread::JoinHandle<(Client, String)> {
    let spid = client.ask("SELECT @@SPID");
    let thread = std::thread::spawn(move || {
        let answer = client.ask(sql);
        (client, answer)
    });
    for _ in 0..500 {
        if watch.ask(&format!("SELECT session_id FROM sys.dm_os_waiting_tasks WHERE session_id = {spid}"))
            == spid
        {
            return thread;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{sql} did not wait");
}

fn clients<const N: usize>(walk: &Walk) -> [Client; N] {
    let endpoint = Arc::new(Endpoint::new(Arc::clone(&walk.hosts[0])));
    std::array::from_fn(|_| Client::at(&endpoint, "BizTalkMgmtDb"))
}

#[test]
fn readers_and_writers_wait_until_the_writer_ends() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let [mut writer, reader, second, mut watch] = clients(&walk);
    writer.expect("BEGIN TRAN UPDATE adm_Host SET Name = 'x' WHERE Id = 1", "");
    watch.expect("SELECT Name FROM adm_Host WITH (NOLOCK) WHERE Id = 1", "x");
    watch.expect(
        "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED SELECT Name FROM adm_Host WHERE Id = 1",
        "x",
    );
    watch.expect(
        "SET LOCK_TIMEOUT 0 SET TRANSACTION ISOLATION LEVEL READ COMMITTED SELECT Name FROM adm_Host",
        "; E1222",
    );
    watch.expect("SELECT Name FROM adm_Host (NOWAIT)", "; E1222");
    let reader = waits(reader, "SELECT Name FROM adm_Host WHERE Id = 1", &mut watch);
    let second =
        waits(second, "UPDATE adm_Host SET Name = Name + 'y' WHERE Id = 1 SELECT @@ROWCOUNT", &mut watch);
    let table = resource(&mut watch);
    watch.expect(
        "SELECT session_id, status, command, blocking_session_id, wait_type, wait_time, wait_resource FROM sys.dm_exec_requests WHERE blocking_session_id <> 0 ORDER BY 1",
        &format!(
            "52,suspended,SELECT,51,LCK_M_S,0,OBJECT: {table}  | 53,suspended,UPDATE,51,LCK_M_X,0,OBJECT: {table} "
        ),
    );
    watch.expect(
        "SELECT request_session_id, request_mode, request_status FROM sys.dm_tran_locks WHERE resource_type = 'OBJECT' ORDER BY 1",
        "51,X,GRANT | 52,S,WAIT | 53,X,WAIT",
    );
    writer.expect("COMMIT", "");
    assert_eq!(reader.join().unwrap().1, "x");
    assert_eq!(second.join().unwrap().1, "1");
    watch.expect("SELECT Name FROM adm_Host WHERE Id = 1", "xy");
    watch.expect("SELECT COUNT(*) FROM sys.dm_tran_locks WHERE resource_type = 'OBJECT'", "0");
}

fn resource(watch: &mut Client) -> String {
    watch.ask("SELECT CAST(DB_ID('BizTalkMgmtDb') AS varchar(9)) + ':' + CAST(OBJECT_ID('BizTalkMgmtDb.dbo.adm_Host') AS varchar(20)) + ':0'")
}

#[test]
fn what_a_reader_saw_nobody_loses() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let [mut reader, mut writer, mut watch] = clients(&walk);
    // by default a read locks nothing behind it
    reader.expect("BEGIN TRAN SELECT COUNT(*) FROM adm_Host", "2");
    writer.expect("UPDATE adm_Host SET Name = 'a' WHERE Id = 1", "");
    reader.expect("SELECT COUNT(*) FROM adm_Host WITH (HOLDLOCK)", "2");
    watch.expect("SELECT COUNT(*) FROM adm_Host", "2");
    let writer = waits(writer, "DELETE adm_Host WHERE Id = 1 SELECT @@ROWCOUNT", &mut watch);
    reader.expect("ROLLBACK", "");
    let (mut writer, answer) = writer.join().unwrap();
    assert_eq!(answer, "1");
    writer.expect(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ BEGIN TRAN SELECT COUNT(*) FROM adm_Host",
        "1",
    );
    watch.expect("SET LOCK_TIMEOUT 30 DELETE adm_Host", "E1222");
    writer.expect("COMMIT", "");
    watch.expect("BEGIN TRAN DELETE adm_Host WHERE Id = 77", "");
    // what changes nothing keeps no lock
    writer.expect("SELECT COUNT(*) FROM adm_Host", "1");
    watch.expect("SELECT COUNT(*) FROM adm_Host WITH (UPDLOCK)", "1");
    writer.expect("SET LOCK_TIMEOUT 0 SELECT COUNT(*) FROM adm_Host", "; E1222");
    watch.expect("SELECT Name FROM adm_Host WITH (READPAST)", "E59999");
}

#[test]
fn of_two_that_wait_for_each_other_one_gives_way() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let [mut first, mut second, mut watch] = clients(&walk);
    first.expect("BEGIN TRAN UPDATE adm_Host SET Name = 'f' UPDATE adm_Host SET Name = 'ff'", "");
    second.expect("BEGIN TRAN UPDATE adm_Server SET Name = 's'", "");
    let first = waits(first, "UPDATE adm_Server SET Name = 'f' SELECT @@TRANCOUNT", &mut watch);
    second.expect("UPDATE adm_Host SET Name = 's' SELECT 1", "E1205");
    second.expect("SELECT @@TRANCOUNT", "0");
    let (mut first, answer) = first.join().unwrap();
    assert_eq!(answer, "1");
    // who has a lower priority gives way, though he asked first
    first.expect("COMMIT SET DEADLOCK_PRIORITY LOW BEGIN TRAN UPDATE adm_Host SET Name = 'g'", "");
    second.expect("BEGIN TRAN UPDATE adm_Server SET Name = 's'", "");
    let first = waits(
        first,
        "BEGIN TRY UPDATE adm_Server SET Name = 'g' END TRY BEGIN CATCH SELECT ERROR_NUMBER(), XACT_STATE() ROLLBACK END CATCH",
        &mut watch,
    );
    second.expect("UPDATE adm_Host SET Name = 's' COMMIT SELECT Name FROM adm_Host", "s | s");
    assert_eq!(first.join().unwrap().1, "1205,-1");
}

/// A sink that an attention stops.
struct Attention(Kept, Arc<AtomicBool>);

impl Sink for Attention {
    fn put(&mut self, part: Part) -> Result<(), Stopped> {
        if self.stopped() { Err(Stopped) } else { self.0.put(part) }
    }
    fn stopped(&self) -> bool {
        self.1.load(Ordering::Relaxed)
    }
}

#[test]
fn a_cancel_and_a_kill_end_the_wait() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let [mut writer, mut waiter, killed, mut watch] = clients(&walk);
    writer.expect("BEGIN TRAN DELETE adm_Host", "");
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let mut sink = Attention(Kept::default(), seen);
        waiter.batch("SELECT 1 SELECT * FROM adm_Host", &mut sink);
        (waiter, line(&sink.0.0))
    });
    std::thread::sleep(Duration::from_millis(30));
    stop.store(true, Ordering::Relaxed);
    let (mut waiter, answer) = thread.join().unwrap();
    assert_eq!(answer, "1");
    waiter.expect("SELECT 2", "2");
    watch.expect("SELECT COUNT(*) FROM sys.dm_os_waiting_tasks", "0");
    let killed = waits(killed, "SELECT * FROM adm_Host", &mut watch);
    watch.expect("KILL 53", "");
    let (mut killed, answer) = killed.join().unwrap();
    assert_eq!(answer, "; E596");
    killed.expect("SELECT 1", "E596");
    // the writer's end by KILL undoes its work
    watch.expect("KILL 51 SELECT COUNT(*) FROM adm_Host", "2");
    writer.expect("COMMIT", "E596");
    watch.expect("KILL 54", "E6104");
    watch.expect("KILL 999", "E6106");
}

#[test]
fn the_views_tell_of_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let [mut one, mut watch] = clients(&walk);
    one.expect("BEGIN TRAN alpha BEGIN TRAN UPDATE adm_Host SET Name = 'x' WHERE Id = 1 SAVE TRAN s INSERT BizTalkMsgBoxDb.dbo.MarkLog (MarkName) VALUES ('m')", "");
    watch.expect(
        "SELECT a.name, a.transaction_type, a.transaction_state, s.session_id, s.is_local, s.open_transaction_count FROM sys.dm_tran_active_transactions a JOIN sys.dm_tran_session_transactions s ON s.transaction_id = a.transaction_id",
        "alpha,1,2,51,1,2",
    );
    watch.expect(
        "SELECT DB_NAME(d.database_id), d.database_transaction_state, d.database_transaction_log_record_count, CASE WHEN d.database_transaction_begin_lsn < d.database_transaction_last_lsn THEN 1 END FROM sys.dm_tran_database_transactions d JOIN sys.databases b ON b.database_id = d.database_id ORDER BY 1",
        "BizTalkMgmtDb,4,2,1 | BizTalkMsgBoxDb,4,2,1",
    );
    watch.expect("SELECT open_transaction_count FROM sys.dm_exec_sessions WHERE session_id = 51", "2");
    one.expect("SELECT COUNT(*) FROM sys.dm_tran_current_transaction c JOIN sys.dm_tran_active_transactions a ON a.transaction_id = c.transaction_id", "1");
    one.expect("ROLLBACK", "");
    watch.expect("SELECT COUNT(*) FROM sys.dm_tran_database_transactions", "0");
}
