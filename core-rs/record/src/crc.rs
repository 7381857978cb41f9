//! CRC-32C (Castagnoli), the checksum of record batches and of producer snapshots.

#[cfg(target_arch = "x86_64")]
mod folded;

/// The state before the first byte, and what turns a state into a sum.
const INVERTED: u32 = u32::MAX;

/// CRC-32C of one slice.
pub fn crc32c(bytes: &[u8]) -> u32 {
    update(INVERTED, bytes) ^ INVERTED
}

/// CRC-32C of bytes that come piece by piece.
pub struct RunningCrc {
    state: u32,
}

impl Default for RunningCrc {
    fn default() -> Self {
        Self { state: INVERTED }
    }
}

impl RunningCrc {
    pub fn update(&mut self, bytes: &[u8]) {
        self.state = update(self.state, bytes);
    }

    /// The sum of everything so far.
    pub fn value(&self) -> u32 {
        self.state ^ INVERTED
    }
}

fn update(state: u32, bytes: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if folded::is_available() {
        // SAFETY: the processor has the instructions.
        return unsafe { folded::update(state, bytes) };
    }
    update_anywhere(state, bytes)
}

fn update_anywhere(state: u32, bytes: &[u8]) -> u32 {
    let castagnoli = crc_fast::CrcAlgorithm::Crc32Iscsi;
    let mut digest = crc_fast::Digest::new_with_init_state(castagnoli, u64::from(state));
    digest.update(bytes);
    // The 32-bit state travels in the low half.
    digest.get_state() as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_vectors_of_rfc_3720() {
        assert_eq!(crc32c(b""), 0);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(&[0u8; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFFu8; 32]), 0x62A8_AB43);
    }

    #[test]
    fn parts_sum_like_the_whole() {
        let bytes: Vec<u8> = (0..5000u32).map(|i| (i * 7 % 251) as u8).collect();
        for cut in [0, 1, 40, 4999, 5000] {
            let mut running = RunningCrc::default();
            running.update(&bytes[..cut]);
            running.update(&bytes[cut..]);
            assert_eq!(running.value(), crc32c(&bytes), "cut at {cut}");
        }
    }

    /// What the paper's method can get wrong shows at the seams between its strides.
    #[test]
    fn every_length_sums_like_the_library() {
        let bytes: Vec<u8> = (0..1500u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 11) as u8).collect();
        for length in 0..bytes.len() {
            let (want, sum) = (crc_fast::crc32_iscsi(&bytes[..length]), crc32c(&bytes[..length]));
            assert_eq!(sum, want, "{length} bytes");
            assert_eq!(update_anywhere(INVERTED, &bytes[..length]) ^ INVERTED, want, "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_state_and_bytes_go_on_like_the_library(
            state: u32,
            bytes in proptest::collection::vec(any::<u8>(), 0..5000),
        ) {
            prop_assert_eq!(update(state, &bytes), update_anywhere(state, &bytes));
        }
    }
}
