//! HASHBYTES: MD5, SHA1, SHA2_256 and SHA2_512.
//!
//! MD5 and SHA1 are written out here because scripts still ask for them; nothing is kept safe with them.

use sha2::Digest as _;

use super::super::convert::convert;
use crate::sandbox::answer::Message;
use crate::sandbox::value::{Type, Value};

pub(super) fn hash_bytes(algorithm: &Value, value: &Value, kind: Type) -> Result<Value, Message> {
    let Value::Text(algorithm) = algorithm else { return Ok(Value::Null) };
    let Value::Binary(bytes) = convert(value.clone(), kind, Type::VarBinary(None), 0)? else {
        return Ok(Value::Null);
    };
    Ok(Value::Binary(match algorithm.to_ascii_uppercase().as_str() {
        "SHA2_256" => sha2::Sha256::digest(&bytes).to_vec(),
        "SHA2_512" => sha2::Sha512::digest(&bytes).to_vec(),
        "MD5" => md5(&bytes).to_vec(),
        "SHA" | "SHA1" => sha1(&bytes).to_vec(),
        "MD2" | "MD4" => return Err(Message::not_modelled(format!("HASHBYTES of {algorithm}"))),
        // an unknown algorithm is NULL, not an error
        _ => return Ok(Value::Null),
    }))
}

fn padded(bytes: &[u8], big_endian: bool) -> Vec<u8> {
    let mut out = bytes.to_vec();
    out.push(0x80);
    while out.len() % 64 != 56 {
        out.push(0);
    }
    let bits = (bytes.len() as u64).wrapping_mul(8);
    out.extend(if big_endian { bits.to_be_bytes() } else { bits.to_le_bytes() });
    out
}

#[allow(clippy::many_single_char_names, reason = "the letters of the standard")]
fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded(bytes, true).chunks(64) {
        let mut words = [0u32; 80];
        for (word, part) in words.iter_mut().zip(block.chunks(4)) {
            *word = u32::from_be_bytes([part[0], part[1], part[2], part[3]]);
        }
        for at in 16..80 {
            words[at] = (words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (at, word) in words.iter().enumerate() {
            let (f, k) = match at {
                0..20 => ((b & c) | (!b & d), 0x5a82_7999u32),
                20..40 => (b ^ c ^ d, 0x6ed9_eba1),
                40..60 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a.rotate_left(5).wrapping_add(f).wrapping_add(e).wrapping_add(k).wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (own, more) in state.iter_mut().zip([a, b, c, d, e]) {
            *own = own.wrapping_add(more);
        }
    }
    let mut out = [0; 20];
    for (to, word) in out.chunks_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    out
}

#[allow(clippy::many_single_char_names, reason = "the letters of the standard")]
fn md5(bytes: &[u8]) -> [u8; 16] {
    const SHIFTS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded(bytes, false).chunks(64) {
        let mut words = [0u32; 16];
        for (word, part) in words.iter_mut().zip(block.chunks(4)) {
            *word = u32::from_le_bytes([part[0], part[1], part[2], part[3]]);
        }
        let [mut a, mut b, mut c, mut d] = state;
        for at in 0..64usize {
            let (f, g) = match at / 16 {
                0 => ((b & c) | (!b & d), at),
                1 => ((d & b) | (!d & c), (5 * at + 1) % 16),
                2 => (b ^ c ^ d, (3 * at + 5) % 16),
                _ => (c ^ (b | !d), 7 * at % 16),
            };
            // the constants are the sines of the rounds
            let k = (((at + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let sum = a.wrapping_add(f).wrapping_add(k).wrapping_add(words[g]);
            (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(SHIFTS[at / 16][at % 4])));
        }
        for (own, more) in state.iter_mut().zip([a, b, c, d]) {
            *own = own.wrapping_add(more);
        }
    }
    let mut out = [0; 16];
    for (to, word) in out.chunks_mut(4).zip(state) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn hashes_are_those_of_the_standards() {
        assert_eq!(hex(&md5(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hex(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(&md5(b"")), "d41d8cd98f00b204e9800998ecf8427e");
    }
}
