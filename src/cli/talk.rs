//! Printing: data to stdout, talk to stderr. A closed pipe ends the talking, not the program.

use std::io::Write;

/// Data, whole.
pub(crate) fn data(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}

/// Bytes of an export.
pub(crate) fn bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes);
    let _ = out.flush();
}

/// A line to the person watching.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", crate::text::harmless(text));
}

/// Why it ended.
pub(crate) fn error(text: &str) {
    say(&format!("drbook: {text}"));
}
