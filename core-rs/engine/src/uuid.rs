//! A topic or directory id: 16 bytes that Kafka shows as 22 characters of unpadded base64url. Never made here.

use std::fmt;
use std::str::FromStr;

/// 16 bytes, most significant first, as on the wire. The zero id means "none".
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid(pub [u8; 16]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Uuid {
    pub const ZERO: Uuid = Uuid([0; 16]);

    pub fn is_zero(&self) -> bool {
        self.0 == [0; 16]
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = u128::from_be_bytes(self.0);
        for place in 0..22 {
            // 128 bits are 21 digits of six bits and a last one of two, shifted up.
            let digit = if place < 21 { (value >> (122 - 6 * place)) & 63 } else { (value & 3) << 4 };
            let letter = ALPHABET.get(digit as usize).copied().unwrap_or(b'A');
            fmt::Write::write_char(f, char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text was not 22 characters of unpadded base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a base64url id of 16 bytes")]
pub struct NotAUuid;

impl FromStr for Uuid {
    type Err = NotAUuid;

    fn from_str(text: &str) -> Result<Uuid, NotAUuid> {
        // Kafka tolerates the padding that some writers add.
        let text = text.trim_end_matches('=');
        if text.len() != 22 {
            return Err(NotAUuid);
        }
        let mut value: u128 = 0;
        for (place, letter) in text.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|&known| known == letter).ok_or(NotAUuid)? as u128;
            value = if place < 21 { (value << 6) | digit } else { (value << 2) | (digit >> 4) };
        }
        Ok(Uuid(value.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_parses_what_kafka_prints() {
        // The id of __cluster_metadata: a zero high half, one in the low half.
        let metadata = Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(metadata.to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!("AAAAAAAAAAAAAAAAAAAAAQ".parse(), Ok(metadata));
        let all = Uuid([0xff; 16]);
        assert_eq!(all.to_string(), "_____________________w");
        assert_eq!("_____________________w".parse(), Ok(all));
        let mixed = Uuid(*b"\x00\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51");
        assert_eq!(mixed.to_string().parse(), Ok(mixed));
    }

    #[test]
    fn refuses_text_that_is_no_id() {
        assert_eq!("".parse::<Uuid>(), Err(NotAUuid));
        assert_eq!("AAAAAAAAAAAAAAAAAAAA+Q".parse::<Uuid>(), Err(NotAUuid));
        assert_eq!("AAAAAAAAAAAAAAAAAAAAAQAA".parse::<Uuid>(), Err(NotAUuid));
    }
}
