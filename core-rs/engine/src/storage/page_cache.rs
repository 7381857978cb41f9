//! What of a file lies in the page cache: a thread that serves others must not wait for the disk in `sendfile`.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSliceMut};
use std::os::fd::AsRawFd;
use std::sync::OnceLock;

use rustix::fs::sendfile;
use rustix::io::{Errno, ReadWriteFlags, preadv2};

/// Linux's granularity: a page may be larger, never smaller.
const PAGE: u64 = 4096;
/// Of cachestat(2), the same on every architecture that Rust builds for.
const SYS_CACHESTAT: libc::c_long = 451;

/// As the kernel's `struct cachestat_range`.
#[repr(C)]
struct Range {
    offset: u64,
    len: u64,
}

/// As the kernel's `struct cachestat`; pages.
#[repr(C)]
#[derive(Default)]
struct Stat {
    cached: u64,
    dirty: u64,
    writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

/// How many of `len` bytes from `offset` on can be read without waiting. Where the kernel does not tell (before Linux
/// 6.5, or where it is forbidden to ask), all of them.
pub(super) fn resident(file: &File, offset: u64, len: u64) -> u64 {
    let first = offset / PAGE;
    let pages = offset.saturating_add(len).div_ceil(PAGE) - first;
    let are_cached = |count: u64| cached(file, first, count).is_none_or(|cached| cached >= count);
    let (mut whole, mut holed) = (0, pages + 1);
    // The common case takes one look.
    let mut probe = pages;
    while whole + 1 < holed {
        if are_cached(probe) {
            whole = probe;
        } else {
            holed = probe;
        }
        probe = whole + (holed - whole) / 2;
    }
    let bytes = ((first + whole) * PAGE).saturating_sub(offset).min(len);
    // A page that the disk is still reading counts as cached. Reads are finished in order, so the last one tells.
    if bytes == 0 || is_read(file, offset + bytes - 1) { bytes } else { 0 }
}

/// Cached pages among `count` from page `first` on; `None` where the kernel does not tell.
fn cached(file: &File, first: u64, count: u64) -> Option<u64> {
    if count == 0 {
        return Some(0);
    }
    let range = Range { offset: first * PAGE, len: count * PAGE };
    let mut stat = Stat::default();
    // SAFETY: the kernel reads the one and writes the other, both live beyond the call and are laid out as it expects.
    let result =
        unsafe { libc::syscall(SYS_CACHESTAT, file.as_raw_fd(), &raw const range, &raw mut stat, 0) };
    (result == 0).then_some(stat.cached)
}

fn is_read(file: &File, at: u64) -> bool {
    let mut byte = [0];
    let read = preadv2(file, &mut [IoSliceMut::new(&mut byte)], at, ReadWriteFlags::NOWAIT);
    // Any other answer is for whoever reads to get.
    read != Err(Errno::AGAIN)
}

/// Waits until these bytes are in memory: the pages go to nowhere, and no byte of them is touched. The kernel reads
/// ahead of it as of any reader. False where not one of them is in the page cache then.
pub(super) fn bring(file: &File, mut offset: u64, len: u64) -> io::Result<bool> {
    static NOWHERE: OnceLock<File> = OnceLock::new();
    let nowhere = match NOWHERE.get() {
        Some(nowhere) => nowhere,
        None => {
            let opened = OpenOptions::new().write(true).open("/dev/null")?;
            NOWHERE.get_or_init(|| opened)
        }
    };
    let (first, end) = (offset / PAGE, offset.saturating_add(len));
    while offset < end {
        let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
        match sendfile(nowhere, file, Some(&mut offset), left) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(cached(file, first, end.div_ceil(PAGE) - first) != Some(0))
}
