//! Native log shipping, looked at and driven as administrators do it: in T-SQL on each server.
//!
//! The walk begins at 10:07:30 UTC; backups are at each quarter of an hour, copies five minutes later, restores ten.

use std::path::Path;
use std::sync::Arc;

use super::asking::ask;
use super::{PASSWORD, setup, start};
use crate::clock::FixedClock;
use crate::sandbox::answer::{Conversation, Login, Server as _};
use crate::sandbox::tsql::session::Endpoint;
use crate::sandbox::world::World;

const WORLD: &str = include_str!("../../../../assets/worlds/logship.yaml");

const PRIMARY: usize = 0;
const SECONDARY: usize = 1;
const STANDBY: usize = 2;
const MONITOR: usize = 3;

struct Estate {
    clock: Arc<FixedClock>,
    world: World,
}

impl Estate {
    fn new(folder: &Path, faults: &[&str]) -> Self {
        let clock = Arc::new(FixedClock::at(start()));
        let text = WORLD.replace("history: 26h", "history: 3h");
        let world = World::create_on(&text, folder, &setup(faults), Arc::clone(&clock) as _).unwrap();
        Self { clock, world }
    }
    fn session(&self, server: usize) -> Box<dyn Conversation> {
        let login = Login { user: "sa".into(), password: PASSWORD.into(), ..Login::default() };
        Endpoint::new(Arc::clone(&self.world.hosts()[server])).login(&login).unwrap()
    }
    fn ask(&self, server: usize, sql: &str) -> String {
        ask(&mut *self.session(server), sql)
    }
    /// Lets time pass, five minutes at a time.
    fn wait(&self, minutes: i64) {
        for _ in 0..minutes {
            self.clock.advance_ms(60_000);
            self.world.hosts()[0].now();
        }
    }
}

const PRIMARIES: &str = "SELECT primary_database, RIGHT(last_backup_file, 25), DATEDIFF(minute, last_backup_date_utc, GETUTCDATE()), backup_threshold FROM msdb.dbo.log_shipping_monitor_primary ORDER BY primary_database";
const SECONDARIES: &str = "SELECT secondary_server, secondary_database, RIGHT(last_copied_file, 18), RIGHT(last_restored_file, 18), last_restored_latency FROM msdb.dbo.log_shipping_monitor_secondary ORDER BY secondary_server, secondary_database";

#[test]
fn the_monitor_knows_what_every_server_did_last() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &[]);
    assert_eq!(
        estate.ask(MONITOR, PRIMARIES),
        "Billing,illing_20260302100001.trn,7,60 | Orders,Orders_20260302100001.trn,7,60"
    );
    assert_eq!(
        estate.ask(MONITOR, SECONDARIES),
        "LSSEC1,Billing,20260302100001.trn,20260302094504.trn,10 | LSSEC1,Orders,20260302100001.trn,20260302094504.trn,10 | LSSEC2,Orders,20260302100001.trn,20260302094504.trn,10"
    );
}

#[test]
fn what() {
    let folder = tempfile::tempdir().unwrap();
    let estate = Estate::new(folder.path(), &[]);
    for server in 0..4 {
        println!("{}", estate.ask(server, "SELECT j.name, h.step_id, h.run_status, h.message FROM msdb.dbo.sysjobhistory h JOIN msdb.dbo.sysjobs j ON j.job_id = h.job_id WHERE h.step_id = 1 AND h.run_status <> 1"));
        println!("{}", estate.ask(server, "EXEC master.dbo.sp_help_log_shipping_monitor"));
        println!("{}", estate.ask(server, "SELECT name, state_desc FROM sys.databases WHERE database_id > 4"));
    }
    println!("{}", estate.ask(0, "SELECT TOP 5 database_name, type, first_lsn, last_lsn, backup_start_date FROM msdb.dbo.backupset ORDER BY backup_set_id DESC"));
}
