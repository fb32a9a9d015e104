//! Distributed transactions that nobody ends, and who decides in the end.

use super::transactions::Client;
use super::*;
use crate::sandbox::host::Change;
use crate::sandbox::world::dtc::Coordinator;
use crate::sandbox::world::ids::Guid;
use crate::sandbox::world::state::State;

const UOW: &str = "D5499C66-E398-45CA-BF7E-DC9C194B48CF";
const DB: &str = "BizTalkMgmtDb";

fn uow() -> Guid {
    UOW.parse().unwrap()
}

impl Walk {
    /// Something happens to the world from outside.
    fn happens<T>(&self, what: impl FnOnce(&mut State) -> T) -> T {
        self.world.shared.now(|state, _| what(state))
    }

    /// A transaction that renamed host 1 and was left behind.
    fn leave(&self, coordinator: Coordinator, prepared: bool) {
        self.happens(|state| {
            let stored = &state.servers[0].table(DB, "adm_Host").unwrap();
            let mut row = stored.table.rows[0].clone();
            row[stored.column("Name").unwrap()] = Value::Text("in doubt".into());
            let change = (DB.to_owned(), "adm_Host".to_owned(), Change::Update(vec![(0, row)]));
            let at = state.at;
            state.leave_in_doubt(0, uow(), coordinator, prepared, vec![change], at);
        });
    }
}

fn client(walk: &Walk, database: &str) -> Client {
    let mut client = Client::at(
        &Arc::new(crate::sandbox::tsql::session::Endpoint::new(Arc::clone(&walk.hosts[0]))),
        database,
    );
    client.expect("SET LOCK_TIMEOUT 10", "");
    client
}

const NAME: &str = "SELECT Name FROM BizTalkMgmtDb.dbo.adm_Host WHERE Id = 1";
const STATE: &str = "SELECT state_desc FROM sys.databases WHERE name = 'BizTalkMgmtDb'";

#[test]
fn an_orphan_blocks_until_its_unit_of_work_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    walk.leave(Coordinator::Gone, true);
    let mut dba = client(&walk, "master");
    dba.expect(
        "SELECT request_session_id, request_mode, request_status, CAST(request_owner_guid AS char(36)), a.transaction_type, a.transaction_state, a.dtc_state, s.session_id
         FROM sys.dm_tran_locks l JOIN sys.dm_tran_active_transactions a ON a.transaction_uow = l.request_owner_guid
         LEFT JOIN sys.dm_tran_session_transactions s ON s.transaction_id = a.transaction_id WHERE request_session_id = -2",
        &format!("-2,X,GRANT,{UOW},4,5,2,NULL"),
    );
    dba.expect("SELECT database_transaction_state FROM sys.dm_tran_database_transactions", "5");
    dba.expect(&format!("SET LOCK_TIMEOUT 10 {NAME}"), "; E1222");
    // it survives the program's end
    let again = World::open_on(folder.path(), Some(Arc::clone(&walk.clock) as _)).unwrap();
    let mut other = Client::of(&again.hosts()[0]);
    other.expect(&format!("SET LOCK_TIMEOUT 10 {NAME}"), "; E1222");
    drop(other);
    // what may be said to it
    dba.expect("KILL 'D5499C66-E398-45CA-BF7E-DC9C194B48C0'", "E6110");
    dba.expect("KILL 'nonsense' WITH COMMIT", "E6110");
    dba.expect(&format!("KILL '{UOW}'"), "E6113");
    dba.expect(&format!("KILL '{UOW}' WITH STATUSONLY"), "E6121");
    dba.expect(&format!("BEGIN TRAN KILL '{UOW}' WITH COMMIT ROLLBACK"), "E6115");
    dba.expect("KILL 60 WITH COMMIT", "E6108");
    dba.expect("KILL 51 WITH STATUSONLY", "E6120");
    dba.expect(&format!("KILL '{UOW}' WITH ROLLBACK"), "");
    dba.expect(NAME, "BizTalkServerApplication");
    dba.expect(&format!("KILL '{UOW}' WITH COMMIT"), "E6110");
    // not prepared: no outcome to choose
    walk.leave(Coordinator::Gone, false);
    dba.expect(&format!("KILL '{UOW}' WITH COMMIT"), "E6118");
    dba.expect(&format!("KILL '{UOW}'"), "");
    dba.expect(NAME, "BizTalkServerApplication");
    walk.leave(Coordinator::Gone, true);
    dba.expect(&format!("KILL '{UOW}' WITH COMMIT"), "");
    dba.expect(NAME, "in doubt");
}

#[test]
fn a_coordinator_that_comes_back_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut dba = client(&walk, "master");
    walk.leave(Coordinator::Gone, true);
    walk.happens(|state| state.run_dtc(0, false, state.at));
    dba.expect("EXEC sandbox_Coordinator @uow = 'nonsense', @outcome = 'commit'", "E50000");
    dba.expect(&format!("EXEC sandbox_Coordinator @uow = '{UOW}', @outcome = 'commit'"), "I0");
    dba.expect(&format!("SET LOCK_TIMEOUT 10 {NAME}"), "; E1222");
    walk.happens(|state| state.run_dtc(0, true, state.at));
    dba.expect(NAME, "in doubt");
}

#[test]
fn recovery_asks_then_presumes_then_gives_up() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let restart = || {
        walk.happens(|state| {
            let at = state.at;
            state.recover_instance(0, at);
        });
    };
    // the coordinator knows
    walk.leave(Coordinator::Aborted, true);
    restart();
    client(&walk, "master").expect(NAME, "BizTalkServerApplication");
    // 2: presume abort; 1: presume commit
    for (option, name) in [(2, "BizTalkServerApplication"), (1, "in doubt")] {
        walk.happens(|state| {
            state.units.clear();
            state.servers[0].options.insert("in-doubt xact resolution".into(), option);
        });
        walk.leave(Coordinator::Gone, true);
        restart();
        client(&walk, "master").expect(NAME, name);
    }
    // 0: SUSPECT, until somebody decides
    walk.happens(|state| {
        state.units.clear();
        state.servers[0].options.insert("in-doubt xact resolution".into(), 0);
    });
    walk.leave(Coordinator::Gone, true);
    restart();
    let mut dba = client(&walk, "master");
    dba.expect(STATE, "SUSPECT");
    let told = walk.happens(|state| {
        let lines = state.servers[0].error_log.files.iter().flatten();
        lines.filter_map(|l| l.text.strip_prefix("Error: ")?.get(..4).map(str::to_owned)).collect::<Vec<_>>()
    });
    assert_eq!(told[told.len() - 2..], ["3431", "3414"]);
    dba.expect("USE BizTalkMgmtDb", "E926");
    dba.expect(NAME, "E926");
    dba.expect("ALTER DATABASE BizTalkMgmtDb SET ONLINE", "E3431; E3414; E5069");
    let mut dba = client(&walk, "master");
    dba.expect("SELECT COUNT(*) FROM sys.dm_tran_locks WHERE request_session_id = -2", "0");
    dba.expect(
        &format!(
            "SELECT transaction_state FROM sys.dm_tran_active_transactions WHERE transaction_uow = '{UOW}'"
        ),
        "5",
    );
    dba.expect(&format!("KILL '{UOW}' WITH COMMIT"), "");
    dba.expect(&format!("KILL '{UOW}' WITH ROLLBACK"), "E6111");
    dba.expect(STATE, "SUSPECT");
    dba.expect("ALTER DATABASE BizTalkMgmtDb SET ONLINE", "");
    dba.expect(STATE, "ONLINE");
    dba.expect(NAME, "in doubt");
}

#[test]
fn without_ms_dtc_recovery_cannot_ask() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    walk.leave(Coordinator::Committed, true);
    walk.happens(|state| {
        state.run_dtc(0, false, state.at);
        state.recover_instance(0, state.at);
    });
    let mut dba = client(&walk, "master");
    dba.expect(STATE, "SUSPECT");
    dba.expect("ALTER DATABASE BizTalkMgmtDb SET ONLINE", "E3437; E3431; E3414; E5069");
    let mut dba = client(&walk, "master");
    dba.expect("ALTER DATABASE BizTalkMgmtDb SET EMERGENCY", "");
    dba.expect(STATE, "EMERGENCY");
    walk.happens(|state| state.run_dtc(0, true, state.at));
    dba.expect("ALTER DATABASE BizTalkMgmtDb SET ONLINE", "");
    dba.expect(NAME, "in doubt");
}

#[test]
fn opentran_tells_of_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut one = client(&walk, DB);
    one.expect("DBCC OPENTRAN", "I7969; I2528");
    one.expect("DBCC OPENTRAN ('nowhere') WITH NO_INFOMSGS", "E2520");
    one.expect(
        "BEGIN TRAN a UPDATE adm_Host SET Name = 'x' WHERE Id = 1 DBCC OPENTRAN (0) WITH NO_INFOMSGS",
        "I7968; I7970; I7971; I7972; I7974; I7975; I7977; I7979",
    );
    one.expect("DBCC OPENTRAN WITH TABLERESULTS", "E59999");
}

#[test]
fn another_resource_manager_strands_what_is_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    walk.leave(Coordinator::Committed, true);
    let errors = walk.happens(|state| {
        state.set_resource_manager(0, DB, Some(Guid([7; 16])));
        let at = state.at;
        state.recover_database(0, DB, at)
    });
    assert_eq!(errors.iter().map(|m| m.number).collect::<Vec<_>>(), [3431, 3414]);
    let mut dba = client(&walk, "master");
    dba.expect(STATE, "SUSPECT");
    // back under its old identity MS DTC knows it again
    walk.happens(|state| state.set_resource_manager(0, DB, None));
    dba.expect("ALTER DATABASE BizTalkMgmtDb SET ONLINE", "");
    dba.expect(NAME, "in doubt");
}

#[test]
fn a_distributed_transaction_needs_its_coordinator() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut one = client(&walk, DB);
    one.expect(
        "BEGIN DISTRIBUTED TRAN UPDATE adm_Host SET Name = 'x' WHERE Id = 1 SELECT transaction_type, is_local, is_enlisted FROM sys.dm_tran_active_transactions a JOIN sys.dm_tran_session_transactions s ON s.transaction_id = a.transaction_id",
        "4,0,1",
    );
    one.expect("SAVE TRAN s", "E627");
    one.expect("DECLARE @u char(36) = (SELECT TOP 1 transaction_uow FROM sys.dm_tran_active_transactions) SELECT LEN(@u)", "36");
    walk.happens(|state| state.run_dtc(0, false, state.at));
    one.expect("COMMIT", "E8522");
    one.expect("SELECT @@TRANCOUNT", "0");
    one.expect(NAME, "BizTalkServerApplication");
    one.expect("BEGIN DISTRIBUTED TRANSACTION", "E8501");
    one.expect("SELECT @@TRANCOUNT", "0");
    walk.happens(|state| state.run_dtc(0, true, state.at));
    one.expect("BEGIN DISTRIBUTED TRANSACTION a UPDATE adm_Host SET Name = 'x' WHERE Id = 1 COMMIT", "");
    one.expect(NAME, "x");
}

#[test]
fn a_log_that_holds_a_prepared_transaction_asks_where_it_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    walk.leave(Coordinator::Committed, true);
    let mut source = client(&walk, "master");
    source.expect(r"SELECT COUNT(*) FROM sys.databases WHERE name = 'BizTalkMgmtDb' AND log_reuse_wait_desc = 'LOG_BACKUP'", "1");
    let mut parts =
        source.ask(r"BACKUP DATABASE BizTalkMgmtDb TO DISK = '\\BACKUP01\bts\doubt.bak' WITH COPY_ONLY");
    parts.push_str(&source.ask(r"SELECT CASE WHEN first_lsn < checkpoint_lsn THEN 'older' END FROM msdb.dbo.backupset WHERE backup_set_id = (SELECT MAX(backup_set_id) FROM msdb.dbo.backupset)"));
    assert!(parts.ends_with("older"), "{parts}");
    let mut there = Client::at(
        &Arc::new(crate::sandbox::tsql::session::Endpoint::new(Arc::clone(&walk.hosts[1]))),
        "master",
    );
    let data = there.ask("SELECT LEFT(physical_name, LEN(physical_name) - CHARINDEX(CHAR(92), REVERSE(physical_name))) FROM sys.master_files WHERE database_id = 1 AND file_id = 1");
    let restore = format!(
        r"RESTORE DATABASE d FROM DISK = '\\BACKUP01\bts\doubt.bak' WITH RECOVERY, MOVE 'BizTalkMgmtDb' TO '{data}\d.mdf', MOVE 'BizTalkMgmtDb_log' TO '{data}\d.ldf'"
    );
    let answer = there.ask(&restore);
    assert!(answer.contains("E3431"), "{answer}");
    there.expect("SELECT state_desc FROM sys.databases WHERE name = 'd'", "SUSPECT");
    there.expect(&format!("KILL '{UOW}' WITH COMMIT ALTER DATABASE d SET ONLINE"), "");
    there.expect("SELECT Name FROM d.dbo.adm_Host WHERE Id = 1", "in doubt");
}
