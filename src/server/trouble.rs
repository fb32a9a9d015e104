//! Which trouble an error number is, and which advice goes with it.
//!
//! Judges by number, never by text: the text is localised by the server. Does not know the wire.

use crate::reading::{Trouble, TroubleCode};

/// Number ranges: first, last, what it means, advice key.
const NUMBERS: &[(i64, i64, TroubleCode, &str)] = &[
    (-2, -2, TroubleCode::Timeout, "ask-again"),
    (102, 102, TroubleCode::Server, "query-text"),
    (156, 156, TroubleCode::Server, "query-text"),
    (207, 207, TroubleCode::ColumnMissing, "other-version"),
    (208, 208, TroubleCode::ObjectMissing, "other-version"),
    (229, 230, TroubleCode::Permission, "grant"),
    (262, 262, TroubleCode::Permission, "grant"),
    (297, 297, TroubleCode::Permission, "grant"),
    (300, 300, TroubleCode::Permission, "grant"),
    (371, 371, TroubleCode::Permission, "grant"),
    (596, 596, TroubleCode::Lost, "ask-again"),
    (911, 911, TroubleCode::Database, "database-name"),
    (916, 916, TroubleCode::Permission, "map-user"),
    (922, 922, TroubleCode::Database, "database-state"),
    (924, 924, TroubleCode::Database, "database-in-use"),
    (926, 927, TroubleCode::Database, "database-state"),
    (942, 942, TroubleCode::Database, "database-state"),
    (945, 945, TroubleCode::Database, "database-state"),
    (976, 976, TroubleCode::Database, "other-replica"),
    (978, 979, TroubleCode::Database, "other-replica"),
    (982, 983, TroubleCode::Database, "other-replica"),
    (1205, 1205, TroubleCode::LockTimeout, "ask-again"),
    (1222, 1222, TroubleCode::LockTimeout, "ask-again"),
    (2812, 2812, TroubleCode::ObjectMissing, "other-version"),
    (3906, 3906, TroubleCode::Database, "database-state"),
    (4014, 4014, TroubleCode::Lost, "ask-again"),
    (4060, 4060, TroubleCode::Database, "database-state"),
    (4064, 4064, TroubleCode::Database, "default-database"),
    (6005, 6006, TroubleCode::Lost, "shutting-down"),
    (15247, 15247, TroubleCode::Permission, "grant"),
    (17142, 17142, TroubleCode::Login, "server-paused"),
    (17187, 17187, TroubleCode::Login, "server-starting"),
    (18401, 18401, TroubleCode::Login, "server-starting"),
    (18452, 18452, TroubleCode::Login, "windows-trust"),
    (18456, 18456, TroubleCode::Login, "login"),
    (18461, 18461, TroubleCode::Login, "single-user-mode"),
    (18470, 18470, TroubleCode::Login, "login-disabled"),
    (18486, 18486, TroubleCode::Login, "login-locked"),
    (18487, 18488, TroubleCode::Login, "password-expired"),
    (22001, 22004, TroubleCode::Server, "server-message"),
    (59999, 59999, TroubleCode::NotModelled, "sandbox-limit"),
];

/// What a server's error number means.
pub fn code_of(number: i64) -> TroubleCode {
    row(number).map_or(TroubleCode::Server, |r| r.2)
}

/// The key of the advice for a trouble, for the phrase files; by number where one is known, else by code.
pub fn advice_key(trouble: &Trouble) -> String {
    match trouble.number.and_then(row) {
        Some((.., key)) => (*key).to_owned(),
        None => trouble.code.key(),
    }
}

fn row(number: i64) -> Option<&'static (i64, i64, TroubleCode, &'static str)> {
    NUMBERS.iter().find(|(first, last, ..)| (*first..=*last).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_and_tell_troubles_apart() {
        assert!(NUMBERS.windows(2).all(|w| w[0].1 < w[1].0), "ranges overlap or are out of order");
        for (number, code) in [
            (18456, TroubleCode::Login),
            (18452, TroubleCode::Login),
            (18470, TroubleCode::Login),
            (18487, TroubleCode::Login),
            (18488, TroubleCode::Login),
            (4060, TroubleCode::Database),
            (911, TroubleCode::Database),
            (927, TroubleCode::Database),
            (942, TroubleCode::Database),
            (945, TroubleCode::Database),
            (976, TroubleCode::Database),
            (983, TroubleCode::Database),
            (229, TroubleCode::Permission),
            (230, TroubleCode::Permission),
            (262, TroubleCode::Permission),
            (297, TroubleCode::Permission),
            (300, TroubleCode::Permission),
            (371, TroubleCode::Permission),
            (916, TroubleCode::Permission),
            (15247, TroubleCode::Permission),
            (1222, TroubleCode::LockTimeout),
            (207, TroubleCode::ColumnMissing),
            (208, TroubleCode::ObjectMissing),
            (2812, TroubleCode::ObjectMissing),
            (59999, TroubleCode::NotModelled),
            (8134, TroubleCode::Server),
        ] {
            assert_eq!(code_of(number), code, "{number}");
        }
    }

    #[test]
    fn advice_follows_the_number_then_the_code() {
        let mut trouble = Trouble::new(TroubleCode::Login, "Login failed");
        assert_eq!(advice_key(&trouble), "login");
        trouble.number = Some(18488);
        assert_eq!(advice_key(&trouble), "password-expired");
        assert_eq!(advice_key(&Trouble::new(TroubleCode::NameUnknown, "")), "name-unknown");
    }
}
