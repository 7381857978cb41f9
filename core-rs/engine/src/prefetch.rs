//! Memory asked for before it is needed, so that many waits for it become one. Nothing depends on it.

/// Of x86-64's processors.
const LINE: usize = 64;

/// Brings `what` into the cache, and `more` bytes behind it. What it points to stays where it is.
#[inline]
pub(crate) fn prefetch<T>(what: &T, more: usize) {
    let first = std::ptr::from_ref(what).cast::<i8>();
    let end = std::mem::size_of::<T>() + more;
    for at in (0..end).step_by(LINE).chain(end.checked_sub(1)) {
        hint(first.wrapping_add(at));
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn hint(at: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: SSE is part of x86_64, and a prefetch neither faults nor changes anything, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(at) }
}

/// Elsewhere stable Rust has no such hint.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn hint(_at: *const i8) {}
