//! Keeps every batch the parser accepts in tests, so that Microsoft's own parsers can be asked about them.
//!
//! Only where the environment names a folder for them (`DRBOOK_TSQL_ACCEPTED`); see `tests/oracle.sh`.

use std::collections::HashSet;
use std::io::Write as _;
use std::sync::{Mutex, OnceLock};

/// Longer batches are strain, not language.
const LONGEST: usize = 20_000;

type File = Mutex<(HashSet<String>, std::fs::File)>;

fn file() -> Option<&'static File> {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    FILE.get_or_init(|| {
        let folder = std::env::var_os("DRBOOK_TSQL_ACCEPTED")?;
        let path = std::path::Path::new(&folder).join("accepted.jsonl");
        Some(Mutex::new((HashSet::new(), std::fs::File::create(path).ok()?)))
    })
    .as_ref()
}

/// One accepted batch, with the year of the server that accepted it.
pub(super) fn keep(sql: &str, quoted_identifier: bool, version: u8) {
    // the parsers that are asked know nothing newer than 2019
    let strange = sql.chars().any(|c| c > '\u{ffff}' || !c.is_ascii() && !c.is_alphanumeric());
    if !quoted_identifier || version > 15 || sql.len() > LONGEST || sql.trim().is_empty() || strange {
        return;
    }
    let Some(file) = file() else { return };
    let year = match version {
        ..=11 => 2012,
        12 => 2014,
        13 => 2016,
        14 => 2017,
        _ => 2019,
    };
    let line = serde_json::json!({ "sql": sql, "since": year.to_string() }).to_string();
    if let Ok(mut file) = file.lock()
        && file.0.insert(line.clone())
    {
        let _ = writeln!(file.1, "{line}");
    }
}
