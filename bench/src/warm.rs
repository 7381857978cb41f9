//! Touches and frees memory before a round, so that the host backs the pages that the page cache will use next.
//! Without it a guest pays host page faults, ten times the work that is measured.

/// Writes one byte into each page of `bytes` of fresh memory, then gives it back.
pub fn touch(bytes: usize) {
    let mut memory = vec![0u8; bytes];
    for page in memory.iter_mut().step_by(4096) {
        *page = 1;
    }
    std::hint::black_box(&memory);
}
