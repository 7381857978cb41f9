//! CRC-32C (Castagnoli), the checksum of record batches and of producer snapshots.

/// CRC-32C of one slice.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// CRC-32C of bytes that come piece by piece.
pub struct RunningCrc(crc_fast::Digest);

impl Default for RunningCrc {
    fn default() -> Self {
        Self(crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi))
    }
}

impl RunningCrc {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The sum of everything so far.
    pub fn value(&self) -> u32 {
        // The 32-bit sum travels in the low half of the 64-bit result.
        self.0.finalize() as u32
    }
}

#[cfg(test)]
mod tests {
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
}
