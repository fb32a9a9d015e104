//! Backups and restores that take time: seen by others while they run, and what is left when they are broken off.

use super::*;
use crate::clock::DrillClock;
use crate::sandbox::world::Setup;

fn slow(folder: &std::path::Path) -> World {
    let text = WORLD.replace("{ name: A, role: other, ", "{ name: A, role: other, mb_per_second: 20, ");
    let setup = Setup { clock: DrillClock::starting_now(1.0), ..setup(&[]) };
    World::create(&text, folder, &setup).unwrap()
}

fn log_in(endpoint: &Endpoint) -> Box<dyn Conversation> {
    let login = Login { user: "sa".into(), password: PASSWORD.into(), ..Login::default() };
    endpoint.login(&login).unwrap()
}

fn ask(session: &mut Box<dyn Conversation>, sql: &str) -> String {
    let mut kept = Kept::default();
    session.batch(sql, &mut kept);
    line(&kept.0)
}

/// Runs a statement on a session of its own while `meanwhile` watches it: its answer, and its session.
fn beside(endpoint: &Endpoint, sql: &str, mut meanwhile: impl FnMut(i16)) -> String {
    let mut session = log_in(endpoint);
    let id = session.session_id();
    std::thread::scope(|scope| {
        let running = scope.spawn(move || ask(&mut session, sql));
        meanwhile(id);
        running.join().unwrap()
    })
}

/// Waits until a request of that kind is under way.
fn until_seen(watcher: &mut Box<dyn Conversation>, command: &str, id: i16) {
    let sql = format!(
        "SELECT command FROM sys.dm_exec_requests WHERE session_id = {id} AND percent_complete > 0 AND estimated_completion_time > 0"
    );
    for _ in 0..200 {
        if ask(watcher, &sql) == command {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("{command} was not seen");
}

#[test]
fn what_takes_time_is_seen_and_broken_off_as_sql_server_does() {
    let folder = tempfile::tempdir().unwrap();
    let world = slow(folder.path());
    let endpoint = Endpoint::new(Arc::clone(&world.hosts()[0]));
    let mut watcher = log_in(&endpoint);
    let full = "BACKUP DATABASE Shop TO DISK = 'C:\\SQLData\\f.bak' WITH STATS = 50";
    let said = beside(&endpoint, full, |id| {
        until_seen(&mut watcher, "BACKUP DATABASE", id);
        assert_eq!(ask(&mut watcher, "BACKUP DATABASE Shop TO DISK = 'NUL'"), "E3023; E3013");
        let wait = "SELECT log_reuse_wait_desc FROM sys.databases WHERE name = 'Shop'";
        assert_eq!(ask(&mut watcher, wait), "ACTIVE_BACKUP_OR_RESTORE");
    });
    assert_eq!(said, "I3211; I4035; I3211; I4035; I3014");
    ask(&mut watcher, "BACKUP LOG Shop TO DISK = 'C:\\SQLData\\l.trn'");

    let restore = "RESTORE DATABASE X FROM DISK = 'C:\\SQLData\\f.bak' WITH NORECOVERY, MOVE 'Shop' TO 'C:\\SQLData\\x.mdf', MOVE 'Shop_log' TO 'C:\\SQLData\\x.ldf'";
    let said = beside(&endpoint, restore, |id| {
        until_seen(&mut watcher, "RESTORE DATABASE", id);
        assert_eq!(ask(&mut watcher, &format!("KILL {id}")), "");
    });
    assert!(said.starts_with("E3204; E3013"), "{said}");
    assert_eq!(ask(&mut watcher, "SELECT state_desc FROM sys.databases WHERE name = 'X'"), "RESTORING");
    let log = "RESTORE LOG X FROM DISK = 'C:\\SQLData\\l.trn'";
    assert_eq!(ask(&mut watcher, log), "E4319; E3013");
    assert_eq!(ask(&mut watcher, "RESTORE DATABASE X WITH RECOVERY"), "E4319; E3013");
    assert_eq!(ask(&mut watcher, restore), "I4035; I4035; I3014");
    assert_eq!(ask(&mut watcher, log), "I4035; I4035; I3014");

    let broken = "BACKUP DATABASE Other TO DISK = 'C:\\SQLData\\o.bak'";
    let said = beside(&endpoint, broken, |id| {
        until_seen(&mut watcher, "BACKUP DATABASE", id);
        ask(&mut watcher, &format!("KILL {id}"));
    });
    assert!(said.starts_with("E3204; E3013"), "{said}");
    let header = "RESTORE HEADERONLY FROM DISK = 'C:\\SQLData\\o.bak'";
    assert_eq!(ask(&mut watcher, header), "E3241; E3013");
}

#[test]
fn a_server_that_stops_while_it_restores_comes_back_restoring() {
    let folder = tempfile::tempdir().unwrap();
    let world = slow(folder.path());
    let endpoint = Endpoint::new(Arc::clone(&world.hosts()[0]));
    let mut watcher = log_in(&endpoint);
    ask(&mut watcher, "BACKUP DATABASE Shop TO DISK = 'C:\\SQLData\\f.bak'");
    let over = "RESTORE DATABASE Shop FROM DISK = 'C:\\SQLData\\f.bak' WITH REPLACE";
    beside(&endpoint, over, |id| {
        until_seen(&mut watcher, "RESTORE DATABASE", id);
        // What is on disk now is what a crash would leave.
        let saved = folder.path().join("world.json");
        std::fs::copy(&saved, folder.path().join("crash.json")).unwrap();
    });
    drop((watcher, endpoint, world));
    std::fs::rename(folder.path().join("crash.json"), folder.path().join("world.json")).unwrap();
    let world = World::open(folder.path()).unwrap();
    let endpoint = Endpoint::new(Arc::clone(&world.hosts()[0]));
    let mut session = log_in(&endpoint);
    assert_eq!(ask(&mut session, "USE Shop"), "E927");
    assert_eq!(ask(&mut session, "RESTORE DATABASE Shop WITH RECOVERY"), "E4319; E3013");
    assert_eq!(ask(&mut session, over), "I4035; I4035; I3014");
    assert_eq!(ask(&mut session, "SELECT COUNT(*) FROM Shop.dbo.T"), "1");
}
