//! A fault that nobody sees before the end: drawn by a seed, promised by a hash, revealed with name and salt.
//!
//! The commitment is the SHA-256, in hex, of the salt followed by the fault's name, so that anybody can check it:
//! `printf %s "$salt$fault" | sha256sum`.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What stands for a fault that is to be drawn.
pub(crate) const RANDOM: &str = "random";

/// A fault that was drawn.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// Its name.
    pub fault: String,
    /// Hex digits nobody can guess.
    pub salt: String,
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(..)")
    }
}

impl Hidden {
    /// The promise that is given before the walk.
    pub fn commitment(&self) -> String {
        use std::fmt::Write as _;
        let digest = Sha256::digest(format!("{}{}", self.salt, self.fault));
        digest.iter().fold(String::new(), |mut out, b| {
            let _ = write!(out, "{b:02x}");
            out
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commitment_is_the_hash_of_salt_and_name_and_debugging_does_not_tell() {
        let hidden = Hidden { fault: "slow".into(), salt: "00ff".into() };
        // printf %s 00ffslow | sha256sum
        assert_eq!(hidden.commitment(), "b5f03683acf62cf5175f9e8663984bb6d1d7fc0f209a6d9defaf297c9280cb7b");
        assert!(!format!("{hidden:?}").contains("slow"));
    }
}
