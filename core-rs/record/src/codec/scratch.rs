//! The buffer that a reader unpacks into. Each thread keeps one from reader to reader, so that a batch costs neither
//! an allocation nor zeros, and finds the cache warm.

use std::cell::Cell;

/// The largest buffer worth keeping: a zstd frame of eight blocks, and every LZ4 block but those of 4 MiB.
pub(super) const KEPT_LEN_MAX: usize = 1 << 20;
const LEN_MIN: usize = 16 << 10;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Bytes whose content means nothing until someone has written it. Those of another reader may still be there.
pub(super) struct Scratch {
    bytes: Vec<u8>,
}

impl Scratch {
    /// This thread's spare one; an empty one, without memory, if another reader has it.
    pub(super) fn take() -> Self {
        Self { bytes: SPARE.take() }
    }

    /// The first `len` bytes; what they held is lost when there were fewer.
    pub(super) fn room(&mut self, len: usize) -> &mut [u8] {
        if self.bytes.len() < len {
            // Freed before the larger one is taken, never both at once. Powers of two, so that a few growths do.
            self.bytes = Vec::new();
            let rounded = if len <= KEPT_LEN_MAX { len.max(LEN_MIN).next_power_of_two() } else { len };
            self.bytes = vec![0; rounded];
        }
        self.bytes.get_mut(..len).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if (1..=KEPT_LEN_MAX).contains(&bytes.len()) {
            // A thread on its way out has no place for it any more.
            let _ = SPARE.try_with(|spare| spare.set(bytes));
        }
    }
}
