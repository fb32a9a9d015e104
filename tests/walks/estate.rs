//! A second sandbox, served by hand and reached through an estate file; and somebody's own world.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::program::{Home, events, finish, shipped};

/// A served sandbox; ended with the test.
pub(super) struct Served {
    child: Child,
    pub(super) estate: PathBuf,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn serve(home: &Home, args: &[&str]) -> Served {
    let mut all = vec!["sandbox", "serve"];
    all.extend(args);
    let mut child = home.command(&all).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut estate = String::new();
    let mut ready = false;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if line == "ready" {
            ready = true;
            break;
        }
        estate += &line;
        estate.push('\n');
    }
    assert!(ready, "{estate}");
    Served { child, estate: home.write("estate.yaml", estate) }
}

/// A range of ports nobody listens on just now.
fn free_base() -> u16 {
    (21000..60000)
        .step_by(17)
        .find(|base| (*base..base + 3).all(|p| std::net::TcpListener::bind(("127.0.0.1", p)).is_ok()))
        .unwrap()
}

fn is_green(record: &Path, step: &str) -> bool {
    let passed = |e: &serde_json::Value| {
        e["judged"]["key"]["step"] == step && e["judged"]["last"] == true && e["judged"]["verdict"] == "pass"
    };
    events(record).iter().any(passed)
}

#[test]
fn a_sandbox_served_by_hand_is_walked_and_doctored_through_its_estate_file() {
    let home = Home::new();
    let base = free_base();
    let served = serve(&home, &["--port-base", &base.to_string(), "--speed", "30"]);
    let estate = served.estate.to_str().unwrap();
    let text = std::fs::read_to_string(estate).unwrap();
    for port in base..base + 3 {
        assert!(text.contains(&format!("port: {port}")), "{text}");
    }
    home.run(&["lint", estate]).exits(0);

    let doctor = home.run(&["doctor", "--estate", estate, "--no-input"]).exits(0);
    assert!(doctor.stdout.ends_with("3 of 3 servers can be asked\n"), "{}", doctor.stdout);
    assert!(doctor.stdout.contains("SIMULATED"), "{}", doctor.stdout);
    let json = home.run(&["--json", "doctor", "--estate", estate, "--no-input"]).exits(0).json();
    assert_eq!(json.as_array().unwrap().len(), 3);

    let ran = home
        .run(&["run", "backup-verification", "--estate", estate, "--mode", "rehearsal", "--no-input"])
        .exits(0);
    let first = PathBuf::from(ran.last_line());
    home.run(&["records", "verify", first.to_str().unwrap()]).exits(0);
    let md = home.run(&["records", "export", first.to_str().unwrap()]).exits(0).stdout;
    assert!(md.contains("SIMULATED"), "what ran on simulated servers says so");

    // In real time the waits are too long for a test, so they are cut; what they would have waited for is then red.
    let book = std::fs::read_to_string(shipped("biztalk-restore-to-mark.yaml")).unwrap();
    home.write("quick.yaml", quick(&book));
    let answers = shipped("biztalk-restore-to-mark.answers.yaml");
    let run = ["run", "quick.yaml", "--estate", estate, "--mode", "rehearsal", "--no-input", "--answers"];
    let command = home.command(&[&run[..], &[answers.to_str().unwrap()]].concat());
    let ran = finish(command, b"", std::time::Duration::from_secs(120));
    assert!(matches!(ran.code, Some(0 | 10..=12)), "{ran:?}");
    let record = PathBuf::from(ran.last_line());
    assert!(is_green(&record, "who-is-who"), "{}", ran.stderr);
    // The exit code and the record say the same: nothing is called passed that is not.
    let all = ["processing-stopped", "restore-to-mark", "accepted"].iter().all(|s| is_green(&record, s));
    assert_eq!(all, ran.code == Some(0), "{}", ran.stderr);
    home.run(&["records", "verify", record.to_str().unwrap()]).exits(0);
}

/// The same book with short waits: on an estate the drill clock runs in real time.
fn quick(book: &str) -> String {
    let lines = book.lines().map(|line| match line.split_once("repeat: {") {
        Some((indent, _)) => format!("{indent}repeat: {{ every: 1s, for: 4s }}"),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// The largest file the process may write stands in for a full disk.
#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_stops_the_drill_and_loses_nothing_that_was_recorded() {
    let home = Home::new();
    let served = serve(&home, &[]);
    let (estate, whole) = (served.estate.to_str().unwrap(), home.command(&[]));
    let mut command = std::process::Command::new("sh");
    // In blocks of 512 or 1024 bytes: the runbook fits, the events do not.
    command.args(["-c", "trap '' XFSZ; ulimit -f 60; exec \"$0\" \"$@\"", crate::program::DRBOOK]);
    command.args(["run", "backup-verification", "--estate", estate, "--mode", "rehearsal", "--no-input"]);
    command.current_dir(home.path());
    for (name, value) in whole.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let ran = finish(command, b"", std::time::Duration::from_secs(60));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("File too large") && ran.stderr.contains("next: "), "{}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    let verified = home.run(&["records", "verify"]);
    assert!(matches!(verified.code, Some(0 | 32)), "{verified:?}");
    // With room again the drill goes on to its end.
    home.run(&["resume", "--no-input", "--estate", estate]).exits(0);
}

#[test]
fn a_runbook_and_a_world_that_somebody_wrote_are_walked() {
    let home = Home::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walks");
    for file in ["world.yaml", "small.yaml", "small.answers.yaml"] {
        std::fs::copy(from.join(file), home.path().join(file)).unwrap();
    }
    home.run(&["rehearse", "./world.yaml", "--runbook", "small.yaml", "--no-input"]).exits(0);
    let md = home.run(&["records", "export"]).exits(0).stdout;
    assert!(md.contains("PIER9") && md.contains("SIMULATED"), "{md}");
    home.run(&["rehearse", "./world.yaml", "--runbook", "backup-verification", "--no-input"]).exits(0);
    let json = home.run(&["--json", "records", "list"]).exits(0).json();
    assert_eq!(json.as_array().unwrap().len(), 2);
    home.run(&[
        "rehearse",
        "./world.yaml",
        "--runbook",
        "backup-verification",
        "--no-input",
        "--fault",
        "lagging",
    ]);
}
