//! Who works, on which computer; and ids of new records.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

/// The operator: as said, else the account's name.
pub(crate) fn operator(said: Option<&str>) -> String {
    let from = |name: &str| std::env::var(name).ok();
    said.map(str::to_owned)
        .or_else(|| from("USER"))
        .or_else(|| from("USERNAME"))
        .or_else(|| from("LOGNAME"))
        .map(|n| n.trim().to_owned())
        .filter(|n| !n.is_empty())
        .unwrap_or_else(|| "operator".to_owned())
}

/// This computer's name.
pub(crate) fn host() -> String {
    let from = |name: &str| std::env::var(name).ok();
    from("COMPUTERNAME")
        .or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok())
        .or_else(|| std::fs::read_to_string("/etc/hostname").ok())
        .or_else(|| from("HOSTNAME"))
        .map(|n| n.trim().to_owned())
        .filter(|n| !n.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// A record's id: UTC time and four hex digits, so that two at once differ and a list sorts by time.
pub(crate) fn record_id(now: DateTime<Utc>) -> String {
    format!("{}-{}", now.format("%Y%m%d-%H%M%S"), &chance()[..4])
}

/// Hex digits nobody can guess: the system's randomness as the standard library seeds its hash maps with it.
pub(crate) fn chance() -> String {
    use std::hash::{BuildHasher, Hasher};
    let mut hash = Sha256::new();
    for n in 0..4_u64 {
        let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
        hasher.write_u64(n);
        hash.update(hasher.finish().to_be_bytes());
    }
    hex(&hash.finalize())
}

/// A number nobody can guess.
pub(crate) fn chance_number() -> u64 {
    u64::from_str_radix(&chance()[..15], 16).unwrap_or(1)
}

/// Bytes as hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{b:02x}");
        out
    })
}
