//! Faults of distributed transactions.

use super::rig::Estate;

const ORPHANS: &str = "SELECT COUNT(*) FROM sys.dm_tran_locks l JOIN sys.dm_tran_active_transactions a \
    ON a.transaction_uow = l.request_owner_guid WHERE l.request_session_id = -2 AND a.transaction_state = 5";

#[test]
fn a_transaction_in_doubt_holds_its_locks_without_a_session() {
    assert_eq!(Estate::with(&[]).ask(0, ORPHANS).number(), 0);
    let estate = Estate::with(&["in-doubt-transaction"]);
    assert_eq!(estate.ask(0, ORPHANS).number(), 1);
    let uow = "DECLARE @u char(36) = (SELECT MAX(CAST(request_owner_guid AS char(36))) FROM sys.dm_tran_locks \
               WHERE request_session_id = -2) SELECT @u";
    let uow = estate.ask(0, uow).cell().to_owned();
    assert_eq!(estate.ask(0, &format!("KILL '{uow}'")).errors, [6113]);
    assert_eq!(estate.ask(0, &format!("KILL '{uow}' WITH ROLLBACK")).errors, [0; 0]);
    assert_eq!(estate.ask(0, ORPHANS).number(), 0);
}

#[test]
fn without_ms_dtc_no_distributed_transaction_begins() {
    let estate = Estate::with(&["msdtc-stopped"]);
    assert_eq!(estate.ask(1, "BEGIN DISTRIBUTED TRAN ROLLBACK").errors, [8501, 3903]);
    assert_eq!(estate.ask(2, "BEGIN DISTRIBUTED TRAN ROLLBACK").errors, [0; 0]);
}
