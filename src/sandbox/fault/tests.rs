mod availability;
mod chains;
mod distributed;
mod files;
mod rig;
mod servers;
mod worlds;

use super::*;

fn plan() -> Plan {
    Plan::read(crate::sandbox::world::BIZTALK).unwrap()
}

fn names(texts: &[&str]) -> Result<Vec<(String, usize, Option<String>)>, String> {
    let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
    let all = chosen(&texts, &plan())?;
    Ok(all.into_iter().map(|c| (c.kind.id.to_owned(), c.aim.server, c.aim.database)).collect())
}

#[test]
fn every_fault_has_a_name_of_its_own_and_says_what_it_imitates() {
    for (n, fault) in ALL.iter().enumerate() {
        assert!(ALL[..n].iter().all(|f| f.id != fault.id), "{}", fault.id);
        assert!(fault.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", fault.id);
        assert!(fault.imitates.len() > 20, "{}", fault.id);
    }
}

#[test]
fn a_fault_takes_the_server_and_the_database_that_are_named() {
    let file = |server, database: &str| vec![("missing-file".to_owned(), server, Some(database.to_owned()))];
    assert_eq!(names(&["missing-file"]).unwrap(), file(1, "BizTalkDTADb"));
    assert_eq!(names(&["missing-file=drsql2"]).unwrap(), file(2, "BizTalkDTADb"));
    assert_eq!(names(&["missing-file=DRSQL2/ssodb"]).unwrap(), file(2, "SSODB"));
    assert_eq!(names(&["missing-file=/SSODB"]).unwrap(), file(1, "SSODB"));
}

#[test]
fn what_cannot_show_is_refused_with_what_would_fit() {
    for (texts, says) in [
        (&["missing-fil"][..], "did you mean `missing-file`?"),
        (&["missing-file=PRODSQL1"], "it fits DRSQL1, DRSQL2"),
        (&["missing-file=NOWHERE"], "there is no server `NOWHERE`"),
        (&["missing-file=DRSQL1/nothing"], "it fits BizTalkDTADb"),
        (&["slow=DRSQL1/SSODB"], "write slow=SERVER"),
        (&["slow", "slow=DRSQL1"], "is there twice for DRSQL1"),
        (&["slow", "server-down"], "slow cannot show on DRSQL1"),
        (&["server-down", "slow"], "slow cannot show on DRSQL1"),
    ] {
        let why = names(texts).unwrap_err();
        assert!(why.contains(says), "{texts:?}: {why}");
    }
    assert!(names(&["slow=DRSQL2", "server-down"]).is_ok());
}

#[test]
fn the_order_in_which_faults_are_written_does_not_matter() {
    let one = names(&["slow=DRSQL2", "missing-file", "lagging"]).unwrap();
    assert_eq!(names(&["lagging", "slow=DRSQL2", "missing-file"]).unwrap(), one);
}

#[test]
fn the_draw_is_the_same_for_the_same_seed_and_takes_only_what_fits() {
    let plan = plan();
    assert_eq!(draw(&plan, &[], 7), draw(&plan, &[], 7));
    let firsts: std::collections::BTreeSet<_> = (0..200).map(|seed| draw(&plan, &[], seed)[0]).collect();
    assert!(firsts.len() > 5, "{firsts:?}");
    let others = ["server-down=DRSQL1".to_owned()];
    for seed in 0..50 {
        for id in draw(&plan, &others, seed) {
            assert!(chosen(&[others[0].clone(), id.to_owned()], &plan).is_ok(), "{id}");
        }
    }
}
