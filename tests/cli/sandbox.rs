//! The sandbox on its own: served until told to stop, saved and opened again, one server of a port, one owner of a folder.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::program::{Home, wait};

/// `sandbox serve` or `open`, up to `ready`.
struct Served {
    child: Child,
    estate: String,
    out: BufReader<std::process::ChildStdout>,
}

impl Served {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut command = home.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut served = Self { child, estate: String::new(), out };
        loop {
            let mut line = String::new();
            let read = served.out.read_line(&mut line).unwrap();
            assert!(read > 0, "it ended before it was ready:\n{}", served.estate);
            if line == "ready\n" {
                return served;
            }
            served.estate.push_str(&line);
        }
    }

    /// Tells it to stop; nothing follows `ready`.
    #[cfg(unix)]
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = wait(&mut self.child, Duration::from_secs(20)).expect("it stops");
        assert_eq!(status.code(), Some(0));
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.out, &mut rest).unwrap();
        assert_eq!(rest, "");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_base(count: u16) -> u16 {
    for base in (20_000..40_000).step_by(17) {
        let base = base + (std::process::id() % 500) as u16;
        if (0..count).all(|n| std::net::TcpListener::bind(("127.0.0.1", base + n)).is_ok()) {
            return base;
        }
    }
    panic!("no free ports")
}

#[cfg(unix)]
#[test]
fn a_world_is_served_on_its_ports_until_told_to_stop_and_opened_again() {
    let home = Home::new();
    let base = free_base(2);
    let (state, port) = (home.path().join("state"), base.to_string());
    let state = state.to_str().unwrap();
    let args = [
        "sandbox",
        "serve",
        "--world",
        "quiet-night",
        "--port-base",
        &port,
        "--password",
        "Secret-1",
        "--state",
        state,
        "--fault",
        "renamed-job",
    ];
    let served = Served::start(&home, &args);
    for (n, name) in ["NIGHTSQL1", "NIGHTSQL2"].iter().enumerate() {
        assert!(served.estate.contains(&format!("port: {}", base + n as u16)), "{}", served.estate);
        assert!(served.estate.contains(&format!("expect_name: {name}")), "{}", served.estate);
    }
    assert!(served.estate.contains("environment: sandbox") && served.estate.contains("plain: Secret-1"));
    let estate = home.write("estate.yaml", &served.estate);
    let estate = estate.to_str().unwrap();
    home.run(&["lint", estate]).exits(0);
    home.run(&["doctor", "--estate", estate]).exits(0);

    // The same folder, and the same ports in another folder, are somebody's.
    let ran = home.run(&args[..args.len() - 2]).exits(3);
    assert!(ran.stderr.contains("are running already") && ran.stderr.contains("next: "), "{}", ran.stderr);
    let other = ["sandbox", "serve", "--world", "quiet-night", "--port-base", &port];
    let ran = home.run(&other).exits(3);
    assert!(ran.stderr.contains("for NIGHTSQL1") && ran.stderr.contains("--port-base"), "{}", ran.stderr);
    let file = home.path().join("kept.world");
    let file = file.to_str().unwrap();
    let ran = home.run(&["sandbox", "save", state, file]).exits(3);
    assert!(ran.stderr.contains("are running already"), "{}", ran.stderr);
    served.stop();

    // Saved as one file, opened from it and from its folder, on the ports it had.
    let ran = home.run(&args).exits(2);
    assert!(ran.stderr.contains("faults are put in when a world is made"), "{}", ran.stderr);
    home.run(&["sandbox", "save", state, file]).exits(0);
    let unpacked = home.path().join("unpacked");
    let unpacked = unpacked.to_str().unwrap();
    let again = Served::start(&home, &["sandbox", "open", file, "--state", unpacked]);
    assert!(again.estate.contains("plain: Secret-1") && again.estate.contains(&format!("port: {base}")));
    home.write("estate.yaml", &again.estate);
    home.run(&["doctor", "--estate", estate]).exits(0);
    again.stop();
    let elsewhere = free_base(2).to_string();
    let moved = Served::start(&home, &["sandbox", "open", state, "--port-base", &elsewhere]);
    assert!(moved.estate.contains(&format!("port: {elsewhere}")), "{}", moved.estate);
    moved.stop();

    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = home.write("damaged.world", bytes);
    let ran = home.run(&["sandbox", "open", damaged.to_str().unwrap()]).exits(3);
    assert!(ran.stderr.contains("no whole archive") && ran.stderr.contains("next: "), "{}", ran.stderr);
    std::fs::write(home.path().join("state/world.json"), "{\"format\":1,").unwrap();
    let ran = home.run(&["sandbox", "open", state]).exits(3);
    assert!(ran.stderr.contains("is damaged"), "{}", ran.stderr);
}

/// Every file below a folder, by its path from there.
#[cfg(unix)]
fn files(
    root: &std::path::Path,
    folder: &std::path::Path,
    found: &mut std::collections::BTreeMap<String, Vec<u8>>,
) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            found.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

#[cfg(unix)]
#[test]
fn the_same_seed_at_the_same_time_makes_the_same_files() {
    let home = Home::new();
    let made = |name: &str, seed: &str| {
        let state = home.path().join(name);
        let at = ["--at", "2026-01-05T08:00:00Z", "--paused", "--seed", seed];
        let serve = ["sandbox", "serve", "--world", "quiet-night", "--state", state.to_str().unwrap()];
        Served::start(&home, &[&serve[..], &at].concat()).stop();
        let mut found = std::collections::BTreeMap::new();
        files(&state, &state.join("files"), &mut found);
        found.insert("sets".into(), std::fs::read(state.join("sets.jsonl")).unwrap());
        found
    };
    let first = made("first", "7");
    assert!(first.len() > 10, "{:?}", first.keys());
    assert!(first == made("second", "7"), "byte for byte");
    assert!(first != made("third", "8"));
    let ran = home.run(&["sandbox", "serve", "--at", "0001-01-05T08:00:00Z"]).exits(2);
    assert!(ran.stderr.contains("between the years"), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_served_is_said_with_what_to_do() {
    let home = Home::new();
    let serve = |more: &[&str]| home.run(&[&["sandbox", "serve"][..], more].concat());
    for (args, code, says) in [
        (&["--world", "mars"][..], 3, "next: there are: "),
        (&["--world", "quiet-night", "--fault", "nope"], 3, "these fit world quiet-night"),
        (&["--world", "quiet-night", "--port-base", "65535"], 3, "name a base from 1 to 65534"),
        (&["--world", "quiet-night", "--port-base", "0"], 3, "name a base from 1"),
        (&["--port-base", "70000"], 2, "65535"),
        (&["--speed", "0"], 2, "between 0.1 and 1000"),
        (&["--speed", "3", "--paused"], 2, "--paused"),
        (&["--password", ""], 2, "1 to 128 characters"),
    ] {
        let ran = serve(args).exits(code);
        assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{args:?}");
    }
    for args in [&["save", "nowhere", "x"][..], &["open", "nowhere"]] {
        let ran = home.run(&[&["sandbox"][..], args].concat()).exits(3);
        assert!(ran.stderr.contains("no folder with a world in it"), "{}", ran.stderr);
    }
    let broken = home.write("broken.yaml", "world: broken\nservers: []\ndatabases: []\nsevers: 3\n");
    let ran = serve(&["--world", broken.to_str().unwrap()]).exits(3);
    assert!(
        ran.stderr.contains("broken.yaml:4:1") && ran.stderr.contains("did you mean `servers`?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn every_world_is_served_with_an_estate_that_lints_and_is_reached() {
    let home = Home::new();
    let json = home.run(&["--json", "sandbox", "worlds"]).exits(0).json();
    for world in json.as_array().unwrap() {
        let id = world["id"].as_str().unwrap();
        let served = Served::start(&home, &["sandbox", "serve", "--world", id]);
        let estate = home.write("estate.yaml", &served.estate);
        let estate = estate.to_str().unwrap();
        home.run(&["lint", estate]).exits(0);
        home.run(&["doctor", "--estate", estate]).exits(0);
        for server in world["servers"].as_array().unwrap() {
            assert!(served.estate.contains(server.as_str().unwrap()), "{id}: {}", served.estate);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_said_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let folder = home.path().join("locked");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o500)).unwrap();
    let state = folder.join("state");
    // Whoever may do everything is not kept out.
    if std::fs::create_dir(folder.join("try")).is_ok() {
        return;
    }
    let ran = home.run(&["sandbox", "serve", "--state", state.to_str().unwrap()]).exits(3);
    assert!(ran.stderr.contains("os error 13") && ran.stderr.contains("next: "), "{}", ran.stderr);
}
