//! Log sequence numbers, unique identifiers, security identifiers, and the seeded dice they come from.
//!
//! Does not know what they name. Nothing here is random: the same seed gives the same world.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A log sequence number: virtual log file * 10^15 + block * 10^5 + slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Lsn(pub(crate) i128);

const BLOCK: i128 = 100_000;
const FILE: i128 = 1_000_000_000_000_000;
/// Records after which a block is full.
const SLOTS_PER_BLOCK: i128 = 500;
/// Blocks after which a log goes on in its next virtual log file.
const BLOCKS_PER_FILE: i128 = 1_000_000;

impl Lsn {
    pub(crate) const fn new(file: i128, block: i128, slot: i128) -> Self {
        Self(file * FILE + block * BLOCK + slot)
    }

    /// The first record `blocks` log blocks further on.
    pub(crate) const fn after(self, blocks: i128) -> Self {
        let file = self.0 / FILE;
        let block = self.0 % FILE / BLOCK + blocks;
        if block > BLOCKS_PER_FILE { Self::new(file + 1, 16, 1) } else { Self::new(file, block, 1) }
    }

    /// Virtual log file, block and slot.
    pub(crate) const fn parts(self) -> (i64, i64, i64) {
        ((self.0 / FILE) as i64, (self.0 % FILE / BLOCK) as i64, (self.0 % BLOCK) as i64)
    }

    /// The number of its virtual log file.
    pub(crate) const fn file(self) -> i64 {
        self.parts().0
    }

    /// Bytes of log between an earlier record and this one.
    pub(crate) const fn bytes_since(self, earlier: Self) -> i64 {
        let (file, block, _) = self.parts();
        let (from_file, from_block, _) = earlier.parts();
        let blocks = (file - from_file) * BLOCKS_PER_FILE as i64 + block - from_block;
        if blocks < 0 { 0 } else { blocks * 512 }
    }

    /// Whether it is the first record of its block.
    pub(crate) const fn starts_block(self) -> bool {
        self.0 % BLOCK <= 1
    }

    /// Whether its block takes no more records.
    pub(crate) const fn slot_is_last(self) -> bool {
        self.0 % BLOCK >= SLOTS_PER_BLOCK
    }

    /// The next record of the same block.
    pub(crate) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for Lsn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Lsn {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// A unique identifier, bytes in printed order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Guid(pub(crate) [u8; 16]);

impl std::fmt::Display for Guid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, byte) in self.0.iter().enumerate() {
            if matches!(n, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Guid {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let hex: Vec<u8> = text
            .trim_matches(['{', '}'])
            .bytes()
            .filter(|b| *b != b'-')
            .map(|b| char::from(b).to_digit(16).map(|d| d as u8))
            .collect::<Option<_>>()
            .ok_or_else(|| format!("`{text}` is not a uniqueidentifier"))?;
        let mut bytes = [0; 16];
        if hex.len() != 32 {
            return Err(format!("`{text}` is not a uniqueidentifier"));
        }
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Seeded dice (splitmix64); their state is part of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `low` to below `high`.
    pub(crate) const fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.roll() % (high - low) as u64) as i64
    }

    pub(crate) fn guid(&mut self) -> Guid {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.roll().to_be_bytes());
        bytes[8..].copy_from_slice(&self.roll().to_be_bytes());
        bytes[6] = bytes[6] & 0x0F | 0x40;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Guid(bytes)
    }
}

/// A security identifier: 16 bytes for a SQL login (as a new one would get), 28 for a Windows account,
/// the same for the same name on every server.
pub(crate) fn sid(name: &str, salt: u64) -> Vec<u8> {
    if name.eq_ignore_ascii_case("sa") {
        return vec![1];
    }
    let lower = name.to_lowercase();
    let mut dice =
        Dice::new(lower.bytes().fold(0xCBF2_9CE4_8422_2325 ^ salt, |h: u64, b| {
            (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3)
        }));
    if name.contains('\\') {
        let mut bytes = vec![1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0];
        bytes.extend_from_slice(&dice.roll().to_le_bytes());
        bytes.extend_from_slice(&dice.roll().to_le_bytes());
        bytes
    } else {
        dice.guid().0.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_being_written_down() {
        let lsn = Lsn::new(12_045, 1234, 1);
        assert_eq!(lsn.to_string(), "12045000000123400001");
        assert_eq!(serde_json::from_str::<Lsn>(&serde_json::to_string(&lsn).unwrap()).unwrap(), lsn);
        let guid = Dice::new(7).guid();
        assert_eq!(guid.to_string().parse::<Guid>().unwrap(), guid);
        assert!("12".parse::<Guid>().is_err());
    }

    #[test]
    fn a_log_only_grows_also_over_the_end_of_a_virtual_file() {
        let mut at = Lsn::new(41, BLOCKS_PER_FILE - 3, 1);
        for _ in 0..10 {
            let next = at.after(2);
            assert!(next > at);
            at = next;
        }
        assert_eq!(at.0 / FILE, 42);
    }

    #[test]
    fn windows_accounts_have_one_identifier_everywhere_and_sql_logins_one_per_server() {
        assert_eq!(sid("CONTOSO\\a", 1).len(), 28);
        assert_eq!(sid("reader", 1).len(), 16);
        assert_ne!(sid("reader", 1), sid("reader", 2));
        assert_eq!(sid("sa", 9), [1]);
    }
}
