//! Printing: data to stdout, talk to stderr. A closed pipe ends the talking, not the program; a full disk is told.

use std::io::{ErrorKind, Write};
use std::sync::OnceLock;

/// Why data did not all arrive.
static LOST: OnceLock<String> = OnceLock::new();

/// Data, whole.
pub(crate) fn data(text: &str) {
    bytes(text.as_bytes());
    if !text.ends_with('\n') {
        bytes(b"\n");
    }
}

/// Bytes of an export.
pub(crate) fn bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(bytes).and_then(|()| out.flush()) {
        // Whoever closed the pipe has read what was wanted.
        if error.kind() != ErrorKind::BrokenPipe {
            LOST.get_or_init(|| error.to_string());
        }
    }
}

/// Why stdout did not take everything, when it did not.
pub(crate) fn lost() -> Option<&'static str> {
    LOST.get().map(String::as_str)
}

/// A line to the person watching.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", crate::text::harmless(text));
}

/// Why it ended.
pub(crate) fn error(text: &str) {
    say(&format!("drbook: {text}"));
}
