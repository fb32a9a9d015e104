//! A database that somebody makes: used, filled, marked, backed up, restored under another name.

use super::transactions::Client;
use super::*;

#[test]
fn a_database_of_ones_own_goes_through_its_whole_life() {
    let folder = tempfile::tempdir().unwrap();
    let walk = Walk::on(folder.path(), &[]);
    let mut dba = Client::of(&walk.hosts[0]);
    dba.expect("CREATE DATABASE Own", "");
    dba.ask("USE Own");
    dba.expect("SELECT DB_NAME(), USER_NAME()", "Own,dbo");
    dba.expect("CREATE TABLE dbo.t (id int IDENTITY PRIMARY KEY, v varchar(10) NOT NULL)", "");
    dba.expect("INSERT t (v) VALUES ('a'), ('b')", "");
    dba.expect("BACKUP LOG Own TO DISK = '\\\\BACKUP01\\bts\\own.trn'", "E4214; E3013");
    let ok = |said: String| assert!(!said.contains('E'), "{said}");
    ok(dba.ask("BACKUP DATABASE Own TO DISK = '\\\\BACKUP01\\bts\\own.bak'"));
    ok(dba.ask("BEGIN TRAN m1 WITH MARK 'here' INSERT t (v) VALUES ('m') COMMIT"));
    ok(dba.ask("INSERT t (v) VALUES ('after')"));
    ok(dba.ask("BACKUP LOG Own TO DISK = '\\\\BACKUP01\\bts\\own.trn'"));
    dba.ask("USE master");
    ok(dba.ask(
        "RESTORE DATABASE Copy FROM DISK = '\\\\BACKUP01\\bts\\own.bak' WITH NORECOVERY, MOVE 'Own' TO 'D:\\SQLData\\Copy.mdf', MOVE 'Own_log' TO 'L:\\SQLLog\\Copy.ldf'",
    ));
    ok(dba.ask("RESTORE LOG Copy FROM DISK = '\\\\BACKUP01\\bts\\own.trn' WITH STOPATMARK = 'm1'"));
    dba.expect("SELECT v FROM Copy.dbo.t ORDER BY id", "a | b | m");
    dba.expect("SELECT v FROM Own.dbo.t ORDER BY id", "a | b | m | after");
    dba.expect("DROP DATABASE Copy", "");
    dba.expect("SELECT DB_ID('Copy')", "NULL");
}
