//! Every limit of the program, in one place.
//!
//! Does not know who enforces them; each is named where it is used.

/// A reading whose JSON is larger goes whole to an evidence file (bytes).
pub const READING_INLINE_BYTES: usize = 32 * 1024;
/// A reading with a larger cell goes whole to an evidence file (bytes of text).
pub const CELL_INLINE_BYTES: usize = 8 * 1024;
/// More rows than this make a reading Unknown (truncated); it is never judged.
pub const READING_ROWS: usize = 100_000;
/// A larger answer is not taken from a server at all (bytes on the wire).
pub const READING_BYTES: u64 = 32 * 1024 * 1024;
/// The longest line of `events.jsonl` (bytes).
pub const LINE_BYTES: usize = 64 * 1024;
/// Attempts of one step.
pub const ATTEMPTS: u16 = 99;
/// Steps of one runbook.
pub const STEPS: usize = 500;
/// Servers of one estate.
pub const SERVERS: usize = 500;
/// Errands under way at once.
pub const ERRANDS: usize = 64;
/// Errands under way at once on one server.
pub const ERRANDS_PER_SERVER: usize = 8;
/// Problems reported about one file.
pub const PROBLEMS: usize = 50;
/// The largest YAML file that is read (bytes).
pub const YAML_BYTES: usize = 1024 * 1024;
/// The deepest nesting of a YAML file.
pub const YAML_DEPTH: usize = 32;
/// Nodes a YAML file may grow to once its aliases are followed.
pub const YAML_NODES: usize = 100_000;
/// A recheck before a step of no return may be this old (seconds of real time).
pub const RECHECK_AGE_SECONDS: i64 = 60;
/// Databases of one simulated world.
pub const WORLD_DATABASES: usize = 200;
/// Connections one simulated server holds at once.
pub const SANDBOX_CONNECTIONS: usize = 512;
/// The largest request a simulated server reads (bytes).
pub const SANDBOX_REQUEST_BYTES: usize = 16 * 1024 * 1024;
/// The longest statement text a simulated server takes (bytes of UTF-8).
pub const SANDBOX_SQL_BYTES: usize = 2 * 1024 * 1024;
/// Requests that one simulated server holds at once, of all its clients (bytes).
pub const SANDBOX_REQUESTS_BYTES: usize = 128 * 1024 * 1024;
/// A client that reads nothing of an answer for so long is given up (seconds of real time).
pub const SANDBOX_STALLED_SECONDS: u64 = 120;
/// The largest message a simulated server reads before a login (bytes).
pub const SANDBOX_LOGIN_BYTES: usize = 128 * 1024;
/// A simulated server waits this long for a login to be complete (seconds of real time).
pub const SANDBOX_LOGIN_SECONDS: u64 = 30;
/// Default deadline of one question (milliseconds of real time).
pub const QUESTION_DEADLINE_MS: u64 = 15_000;
/// Deadline of resolving, connecting, and of TLS with login, each (milliseconds of real time).
pub const CONNECT_DEADLINE_MS: u64 = 5_000;
/// The longest note, reason or typed answer (characters).
pub const TYPED_CHARACTERS: usize = 4_000;
/// The largest file in a record's `evidence/` (bytes).
pub const EVIDENCE_BYTES: usize = 256 * 1024 * 1024;
/// Evidence put back in memory when a record is read (bytes of JSON); what is beyond stays in its file.
pub const EVIDENCE_LOADED_BYTES: u64 = 512 * 1024 * 1024;
/// The largest `events.jsonl` that is read (bytes).
pub const EVENTS_BYTES: u64 = 1024 * 1024 * 1024;
/// Query texts embedded in one record.
pub const RECORD_QUERIES: usize = 10_000;
/// Files in one record's folder.
pub const RECORD_FILES: usize = 200_000;
/// Records looked at in one records folder.
pub const RECORDS: usize = 10_000;
/// The largest `SHA256SUMS` that is read (bytes).
pub const SUMS_BYTES: usize = 64 * 1024 * 1024;
/// The most that is copied to the clipboard through the terminal (bytes; terminals cut longer ones).
pub const CLIPBOARD_BYTES: usize = 74_000;
