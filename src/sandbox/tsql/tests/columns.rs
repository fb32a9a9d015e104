//! What a statement asks of the host: its tables all at once, each with the columns it uses and no others.

use std::sync::Arc;

use super::host::Fake;
use super::{answer, run_in, session_on};

fn asked(sql: &str) -> (String, Vec<Vec<Vec<usize>>>) {
    let fake = Arc::new(Fake::default());
    let told = answer(&run_in(&mut *session_on(Arc::clone(&fake)), sql));
    let scans = fake.scans.lock().unwrap();
    let wanted = scans.iter().map(|all| all.iter().map(|s| s.wanted.clone()).collect()).collect();
    (told, wanted)
}

#[test]
fn only_the_columns_in_use_are_asked_for() {
    let jobs =
        "SELECT h.run_status FROM msdb.dbo.sysjobs j JOIN msdb.dbo.sysjobhistory h ON h.job_id = j.job_id
        WHERE j.name = 'Backup' ORDER BY h.instance_id DESC";
    assert_eq!(asked(jobs), ("1 | 0 | 1".into(), vec![vec![vec![0, 1], vec![1, 2, 0]]]));
    assert_eq!(asked("SELECT COUNT(*) FROM numbers"), ("100".into(), vec![vec![vec![]]]));
    assert_eq!(asked("SELECT * FROM t WHERE id = 2"), ("2,beta,NULL".into(), vec![vec![vec![0, 1, 2]]]));
}

#[test]
fn a_statement_asks_once_for_everything_it_reads() {
    let (told, scans) = asked(
        "SELECT name FROM t WHERE id IN (SELECT n FROM numbers WHERE n < 3) AND EXISTS (SELECT 1 FROM lsns) ORDER BY id",
    );
    assert_eq!(told, "alpha | beta");
    assert_eq!(scans, vec![vec![vec![0, 1], vec![0], vec![]]]);
}

#[test]
fn outer_joins_and_subqueries_see_the_right_columns() {
    let sql = "SELECT t.amount, e.name, (SELECT MAX(x.name) FROM t x WHERE x.id = t.id)
        FROM t LEFT JOIN empty e ON e.id = t.id WHERE t.name = 'alpha'";
    assert_eq!(asked(sql).0, "1.50,NULL,alpha");
}

#[test]
fn a_changed_table_comes_whole() {
    let sql = "UPDATE t SET name = 'x' WHERE id = 3; SELECT name FROM t WHERE id = 3";
    assert_eq!(asked(sql), ("x".into(), vec![vec![vec![0, 1, 2]], vec![vec![0, 1]]]));
}
