//! The program in a real terminal: drawn, resized, killed, left.

#![allow(dead_code, reason = "signals are for Unix")]

use std::io::{Read, Write};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

#[cfg(unix)]
mod screens;

/// A terminal of its own around one run of the program.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Everything that was written, for what a parser swallows.
    raw: Arc<Mutex<Vec<u8>>>,
    /// The reader holds the terminal's other end open; this tells it to let go.
    cut: Arc<AtomicBool>,
    reader: Option<std::thread::JoinHandle<()>>,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl Terminal {
    #[allow(clippy::needless_pass_by_value, reason = "a command is started once")]
    pub(crate) fn start(command: Command, rows: u16, cols: u16) -> Self {
        let pair = native_pty_system().openpty(size(rows, cols)).unwrap();
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => builder.env(name, value),
                None => builder.env_remove(name),
            }
        }
        if let Some(folder) = command.get_current_dir() {
            builder.cwd(folder);
        }
        let child = pair.slave.spawn_command(builder).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(rows), cells(cols), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (to_screen, to_raw) = (screen.clone(), raw.clone());
        let cut = Arc::new(AtomicBool::new(false));
        let let_go = cut.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || let_go.load(Ordering::SeqCst) {
                    break;
                }
                to_screen.lock().unwrap().process(&buffer[..n]);
                to_raw.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { child, master: Some(pair.master), keys: Some(keys), screen, raw, cut, reader: Some(reader) }
    }
    pub(crate) fn types(&mut self, keys: &str) {
        let writer = self.keys.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }
    pub(crate) fn resize(&mut self, rows: u16, cols: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(cells(rows), cells(cols));
        self.master.as_ref().unwrap().resize(size(rows, cols)).unwrap();
    }
    /// What is on the screen now.
    pub(crate) fn shown(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }
    pub(crate) fn written(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }
    pub(crate) fn is_alternate(&self) -> bool {
        self.screen.lock().unwrap().screen().alternate_screen()
    }
    /// Waits until a text is on the screen.
    #[track_caller]
    pub(crate) fn sees(&self, text: &str) {
        self.waits(text, |t| t.shown().contains(text));
    }
    #[track_caller]
    pub(crate) fn waits(&self, what: &str, until: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !until(self) {
            assert!(Instant::now() < end, "never came: {what}\n{}", self.shown());
            std::thread::sleep(Duration::from_millis(15));
        }
    }
    pub(crate) fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }
    pub(crate) fn kill(&mut self) {
        // SIGKILL itself: portable-pty's kill says SIGHUP first.
        #[cfg(unix)]
        signal("KILL", self.process());
        #[cfg(not(unix))]
        self.child.kill().unwrap();
        self.ends();
    }
    /// The other end goes away, as when an SSH session is cut.
    /// `nudge` is a key that makes the program write something, so that the reader looks up.
    pub(crate) fn hangs_up(&mut self, nudge: &str) {
        self.cut.store(true, Ordering::SeqCst);
        self.types(nudge);
        self.reader.take().unwrap().join().unwrap();
        self.keys = None;
        self.master = None;
    }
    /// Waits for the end; the exit code.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> u32 {
        self.ends_within(PATIENCE)
    }
    #[track_caller]
    pub(crate) fn ends_within(&mut self, limit: Duration) -> u32 {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What was written last is still on its way.
                std::thread::sleep(Duration::from_millis(50));
                return status.exit_code();
            }
            assert!(Instant::now() < end, "still running after {limit:?}\n{}", self.shown());
            std::thread::sleep(Duration::from_millis(15));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cells(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).unwrap()
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

#[cfg(unix)]
pub(crate) fn signal(name: &str, process: u32) {
    let done = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().unwrap();
    assert!(done.success());
}
