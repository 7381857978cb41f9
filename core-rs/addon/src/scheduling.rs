//! What an I/O thread asks of the scheduler: turns that are short and come soon.

/// The shortest that Linux grants.
#[cfg(target_os = "linux")]
const SLICE_NS: u64 = 100_000;

/// As the kernel's `struct sched_attr`, first version.
#[cfg(target_os = "linux")]
#[repr(C)]
#[derive(Default)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks for slices of 0.1 ms for the calling thread, from Linux 6.12 on. A thread that wakes with a shorter slice than
/// the one that runs takes its place at once, and a reply never waits for the end of somebody's 3 ms: neither for a
/// garbage collection of this process nor for a stranger, where there are fewer cores than threads at work. It needs no
/// privilege and gains no CPU time, as the share of a thread stays what it was. Where the kernel does not know it,
/// nothing happens.
#[cfg(target_os = "linux")]
pub fn prefer_short_turns() {
    let size = size_of::<SchedAttr>() as u32;
    let mut attr = SchedAttr::default();
    // SAFETY: the kernel writes at most `size` bytes to `attr`, and says so; it lives beyond the call.
    if unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0) } != 0 {
        return;
    }
    // Policy and niceness stay what they were.
    attr.size = size;
    attr.runtime = SLICE_NS;
    // SAFETY: the kernel reads `size` bytes of `attr`, which lives beyond the call, and changes the calling thread alone.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
}

#[cfg(not(target_os = "linux"))]
pub fn prefer_short_turns() {}
