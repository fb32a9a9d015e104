//! Every limit of the program, in one place.
//!
//! Does not know who enforces them; each is named where it is used.

/// A reading whose JSON is larger goes whole to an evidence file (bytes).
pub const READING_INLINE_BYTES: usize = 32 * 1024;
/// A reading with a larger cell goes whole to an evidence file (bytes of text).
pub const CELL_INLINE_BYTES: usize = 8 * 1024;
/// More rows than this make a reading Unknown (truncated); it is never judged.
pub const READING_ROWS: usize = 100_000;
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
/// Default deadline of one question (milliseconds of real time).
pub const QUESTION_DEADLINE_MS: u64 = 15_000;
/// Deadline of resolving, connecting, and of TLS with login, each (milliseconds of real time).
pub const CONNECT_DEADLINE_MS: u64 = 5_000;
/// The longest note, reason or typed answer (characters).
pub const TYPED_CHARACTERS: usize = 4_000;
/// The most that is copied to the clipboard through the terminal (bytes; terminals cut longer ones).
pub const CLIPBOARD_BYTES: usize = 74_000;
