//! Faults and the worlds that ship: what is said to fit does.

use super::super::{ALL, Plan, chosen};
use super::rig::{Estate, made};

/// Every world file that ships, with less history.
pub(super) fn shipped() -> Vec<(String, String)> {
    let folder = std::path::Path::new(file!()).ancestors().nth(5).unwrap().join("assets/worlds");
    let folder = if folder.is_dir() {
        folder
    } else {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/worlds")
    };
    let mut all: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .flatten()
        .filter(|f| f.path().extension().is_some_and(|e| e == "yaml"))
        .map(|f| {
            let text = std::fs::read_to_string(f.path()).unwrap();
            let name = f.path().file_stem().unwrap().to_string_lossy().into_owned();
            let short = text
                .replace("history: 26h", if name == "quiet-night" { "history: 5h" } else { "history: 140m" });
            (name, short)
        })
        .collect();
    all.sort();
    assert!(all.len() >= 3, "{}", folder.display());
    all
}

#[test]
fn every_world_is_named_like_its_file_has_a_title_and_some_fault_fits_it() {
    for (name, text) in shipped() {
        let plan = Plan::read(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(plan.world, name);
        assert!(plan.title.len() > 10, "{name}");
        assert!(ALL.iter().filter(|f| f.fits(&plan).is_ok()).count() > 5, "{name}");
    }
}

/// The faults that fit a world, in as few groups of such that go together as a first try gives.
fn groups(plan: &Plan) -> Vec<Vec<String>> {
    let mut groups: Vec<Vec<String>> = Vec::new();
    for fault in ALL.iter().filter(|f| f.fits(plan).is_ok()) {
        let goes = |group: &&mut Vec<String>| {
            let with: Vec<String> = group.iter().cloned().chain([fault.id.to_owned()]).collect();
            chosen(&with, plan).is_ok()
        };
        match groups.iter_mut().find(goes) {
            Some(group) => group.push(fault.id.to_owned()),
            None => groups.push(vec![fault.id.to_owned()]),
        }
    }
    groups
}

#[test]
fn every_fault_can_be_put_into_every_world_that_it_fits_together_with_others() {
    // Faults of `biztalk` have tests of their own.
    for (name, text) in shipped().into_iter().filter(|(name, _)| name != "big" && name != "biztalk") {
        for group in groups(&Plan::read(&text).unwrap()) {
            let folder = tempfile::tempdir().unwrap();
            let faults: Vec<&str> = group.iter().map(String::as_str).collect();
            made(&text, &faults, folder.path()).unwrap_or_else(|e| panic!("{name} {group:?}: {e}"));
        }
    }
}

#[test]
fn every_fault_fits_a_world_that_ships_and_is_refused_where_it_does_not() {
    let worlds = shipped();
    for fault in ALL {
        let mut fits = 0;
        for (name, text) in &worlds {
            match fault.fits(&Plan::read(text).unwrap()) {
                Ok(()) => fits += 1,
                Err(why) => {
                    let folder = tempfile::tempdir().unwrap();
                    let refused = made(text, &[fault.id], folder.path()).err().unwrap();
                    assert!(refused.contains(&why) && refused.contains("these fit"), "{name}: {refused}");
                }
            }
        }
        assert!(fits > 0, "{}", fault.id);
    }
}

#[test]
fn three_sources_are_one_group_with_one_mark_and_ship_their_own_databases() {
    let text = shipped().into_iter().find(|(n, _)| n == "biztalk-three-sources").unwrap().1;
    let estate = Estate::of(&text, &[]);
    estate.wait(15);
    let sets = "SELECT COUNT(DISTINCT MarkName) FROM BizTalkMgmtDb.dbo.adm_BackupHistory WHERE BackupSetId = \
                (SELECT MAX(BackupSetId) FROM BizTalkMgmtDb.dbo.adm_BackupHistory WHERE BackupType = 'lg')";
    assert_eq!(estate.ask(0, sets).number(), 1);
    let servers = sets.replace("MarkName", "ServerName");
    assert_eq!(estate.ask(0, &servers).number(), 3);
    let newest = "SELECT TOP (1) MarkName FROM MarkLog ORDER BY MarkName DESC";
    let mark = |server: usize, database: &str| {
        estate.ask(server, &newest.replace("MarkLog", &format!("{database}.dbo.MarkLog"))).cell().to_owned()
    };
    assert_eq!(mark(0, "BizTalkMgmtDb"), mark(1, "BizTalkMsgBoxDb"));
    assert_eq!(mark(0, "SSODB"), mark(2, "BizTalkDTADb"));
    for (server, databases) in [(3, 3), (4, 2), (5, 2)] {
        let count = "SELECT COUNT(*) FROM sys.databases WHERE database_id > 4 AND state_desc = 'RESTORING'";
        assert_eq!(estate.ask(server, count).number(), databases, "{server}");
        let runs = estate.runs(server, "BTS Log Shipping - Restore Databases");
        assert!(!runs.is_empty() && runs.iter().all(|r| r == "1"), "{server}: {runs:?}");
    }
    for server in [0, 1, 2] {
        let programs =
            "SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE program_name = 'BizTalkServerApplication'";
        assert!(estate.ask(server, programs).number() > 0 || server == 2, "{server}");
    }
}

#[test]
fn a_quiet_night_has_nothing_wrong() {
    let text = shipped().into_iter().find(|(n, _)| n == "quiet-night").unwrap().1;
    let estate = Estate::of(&text, &[]);
    estate.wait(40);
    let failed = "SELECT COUNT(*) FROM msdb.dbo.sysjobhistory WHERE run_status <> 1";
    for server in [0, 1] {
        assert_eq!(estate.ask(server, failed).number(), 0);
    }
    let partial = "SELECT COUNT(*) FROM BizTalkMgmtDb.dbo.adm_BackupHistory WHERE SetComplete = 0";
    assert_eq!(estate.ask(0, partial).number(), 0);
}
