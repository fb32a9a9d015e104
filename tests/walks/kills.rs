//! kill -9 at the worst moments, again and again, then to the end.

use std::path::Path;
use std::time::{Duration, Instant};

use super::default::no_act_twice;
use crate::program::{Home, events};

/// When a walk is killed.
enum Moment {
    After(Duration),
    /// As soon as an action of this step is intended and nothing is known of it yet.
    Intended(&'static str),
}

#[test]
fn a_walk_killed_five_times_reaches_the_end_and_does_nothing_twice() {
    killed(&[
        Moment::After(Duration::from_millis(2500)),
        Moment::Intended("last-set"),
        Moment::Intended("hold-history-job"),
        Moment::Intended("hold-restore-job"),
        Moment::After(Duration::from_millis(1200)),
    ]);
}

#[test]
#[ignore = "a campaign of some minutes"]
fn walks_killed_every_few_hundred_milliseconds_reach_the_end() {
    for ms in [700, 1300, 1900, 2600, 4100] {
        let kills: Vec<Moment> = (0..10).map(|_| Moment::After(Duration::from_millis(ms + 800))).collect();
        killed(&kills);
    }
    for step in ["set-after-last", "backups-off", "hold-restore-job"] {
        killed(&[Moment::Intended(step), Moment::Intended(step)]);
    }
}

fn killed(moments: &[Moment]) {
    let home = Home::new();
    let mut args: &[&str] = &["rehearse", "--no-input"];
    for moment in moments {
        let mut child = home
            .command(args)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut begun = Instant::now();
        let mut is_open = false;
        let reached = |record: Option<&Path>, begun: Instant| match moment {
            Moment::After(time) => begun.elapsed() >= *time,
            Moment::Intended(step) => record.is_some_and(|r| is_intended(r, step)),
        };
        while child.try_wait().unwrap().is_none() {
            let record = std::fs::read_dir(home.records()).ok().and_then(|mut d| d.next()?.ok());
            let record = record.map(|r| r.path());
            // The time counts from when the drill is open: how soon that is depends on the machine.
            let open = |r: &Path| {
                std::fs::read_to_string(r.join("events.jsonl")).is_ok_and(|t| t.contains("\"entered\""))
            };
            if !is_open {
                is_open = record.as_deref().is_some_and(open);
                begun = if is_open { Instant::now() } else { begun };
            }
            if is_open && reached(record.as_deref(), begun) || begun.elapsed() > Duration::from_secs(60) {
                break;
            }
            std::thread::sleep(Duration::from_millis(3));
        }
        // SIGKILL on Unix.
        let _ = child.kill();
        if child.wait().unwrap().success() {
            // It was quicker than its murderer.
            break;
        }
        if std::fs::read_dir(home.records()).is_ok_and(|mut d| d.next().is_some()) {
            args = &["resume", "--no-input"];
        }
    }
    let record = home.only_record();
    if !events(&record).iter().any(|e| e.get("closed").is_some()) {
        let ran = home.run(args).exits(0);
        assert_eq!(ran.last_line(), record.display().to_string());
    }
    no_act_twice(&record);
    let verified = home.run(&["records", "verify"]);
    assert!(matches!(verified.code, Some(0 | 32)), "{verified:?}");
}

/// Whether the newest thing known of the step is that it is about to act.
fn is_intended(record: &Path, step: &str) -> bool {
    let Ok(text) = std::fs::read_to_string(record.join("events.jsonl")) else { return false };
    let about = |kind: &str| format!("\"event\":{{\"{kind}\":{{\"act\":{{\"step\":\"{step}\"");
    let last = |kind: &str| text.rfind(&about(kind));
    last("intended").is_some_and(|at| last("acted") < Some(at) && last("settled") < Some(at))
}

#[test]
fn a_signal_stops_a_walk_in_order_and_it_can_be_resumed() {
    #[cfg(unix)]
    {
        let home = Home::new();
        let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks/small.yaml");
        let child = home
            .command(&["rehearse", "--no-input", "--speed", "0.1", "--runbook", book.to_str().unwrap()])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let entered = || {
            let record = std::fs::read_dir(home.records()).ok()?.next()?.ok()?.path();
            std::fs::read_to_string(record.join("events.jsonl")).ok().filter(|t| t.contains("\"entered\""))
        };
        while entered().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(10));
        }
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        let done = child.wait_with_output().unwrap();
        // It may have ended by itself just before.
        assert!(matches!(done.status.code(), Some(130 | 0)), "{done:?}");
        let _ = events(&home.only_record());
        home.run(&["records", "verify"]).exits(0);
    }
}
