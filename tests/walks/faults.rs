//! No fault of the simulated servers ends in a pass.

use crate::program::{Home, finish};

/// Faults that are over soon.
#[test]
fn a_wrong_password_is_never_a_pass() {
    never_passes("wrong-password");
}

#[test]
#[ignore = "some minutes: every fault walks until its waiting is over"]
fn no_fault_ends_in_a_pass() {
    for fault in [
        "server-down",
        "lagging",
        "open-gap",
        "diverged",
        "missing-file",
        "black-hole",
        "slow",
        "job-fails",
        "empty-answer",
    ] {
        never_passes(fault);
    }
}

fn never_passes(fault: &str) {
    let home = Home::new();
    let command = home.command(&["rehearse", "--no-input", "--fault", fault]);
    let ran = finish(command, b"", std::time::Duration::from_secs(240));
    assert!(matches!(ran.code, Some(10..=12)), "{fault}: {ran:?}");
    assert_eq!(ran.last_line(), home.only_record().display().to_string());
    // Something says what is wrong, in words.
    assert!(["FAIL ", "UNKNOWN "].iter().any(|w| ran.stderr.contains(w)), "{fault}\n{}", ran.stderr);
    home.run(&["records", "verify"]).exits(0);
}
