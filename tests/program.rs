//! Runs the built program as a person or a script would: its own home folder, no ambient settings, a deadline.

#![allow(unreachable_pub, reason = "the tests share it; nothing else sees the test binary")]

#![allow(dead_code, reason = "each group of tests uses its part")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program under test.
pub(crate) const DRBOOK: &str = env!("CARGO_BIN_EXE_drbook");

/// A home of its own for one test; gone with it.
pub(crate) struct Home {
    pub(crate) folder: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails with everything that was said unless the exit code is this one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        let both = format!("{}{}", self.stdout, self.stderr);
        assert!(!both.contains("panicked"), "a panic reached the user:\n{both}");
        self
    }
    /// The last line of stdout.
    pub(crate) fn last_line(&self) -> &str {
        self.stdout.lines().next_back().unwrap_or_default()
    }
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }
    /// A command with this home and nothing ambient; its working directory is the home.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(DRBOOK);
        command.args(args).current_dir(self.path()).stdin(Stdio::null());
        for name in [
            "DRBOOK_RECORDS",
            "DRBOOK_LANG",
            "ACCESSIBLE",
            "NO_COLOR",
            "LC_ALL",
            "LC_MESSAGES",
            "COLUMNS",
            "DRBOOK_SANDBOX_PASSWORD",
        ] {
            command.env_remove(name);
        }
        command.env("LANG", "en_GB.UTF-8").env("TERM", "xterm-256color");
        command.env("DRBOOK_HOME", self.path().join("home")).env("DRBOOK_OPERATOR", "Tester");
        command
    }
    /// Runs to the end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args), b"", Duration::from_secs(90))
    }
    /// Runs to the end with something typed.
    pub(crate) fn typed(&self, args: &[&str], typed: &str) -> Ran {
        finish(self.command(args), typed.as_bytes(), Duration::from_secs(90))
    }
    pub(crate) fn records(&self) -> PathBuf {
        self.path().join("home/records")
    }
    /// The one record there is.
    pub(crate) fn only_record(&self) -> PathBuf {
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(self.records()).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders.remove(0)
    }
}

/// Runs a command to its end, or fails after the deadline.
#[track_caller]
pub(crate) fn finish(mut command: Command, typed: &[u8], deadline: Duration) -> Ran {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if !typed.is_empty() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().unwrap();
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever has left does not read.
        let _ = stdin.write_all(typed);
    }
    let (out, err) = (collect(child.stdout.take().unwrap()), collect(child.stderr.take().unwrap()));
    let status = wait(&mut child, deadline);
    let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
    let Some(status) = status else {
        panic!("still running after {deadline:?}\nstdout:\n{stdout}\nstderr:\n{stderr}")
    };
    Ran { code: status.code(), stdout, stderr }
}

fn collect(mut from: impl std::io::Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits; ends the child when it takes too long.
pub(crate) fn wait(child: &mut Child, deadline: Duration) -> Option<std::process::ExitStatus> {
    let end = Instant::now() + deadline;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// Events of a record, as JSON.
pub(crate) fn events(record: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(record.join("events.jsonl")).unwrap();
    // A line that was never finished is no event.
    let whole = text.split_inclusive('\n').filter(|l| l.ends_with('\n'));
    whole.map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["event"].clone()).collect()
}

/// A runbook of the repository.
pub(crate) fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("runbooks").join(name)
}
