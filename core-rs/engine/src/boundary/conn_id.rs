//! The number by which both planes name a connection; it never says whether the connection still lives.

/// A connection of one I/O thread: bits 0–31 slot, 32–47 generation, 48–52 thread. Never negative and always below
/// 2^53, so that it is a safe integer in JavaScript. Tells apart the tenants of a slot for 65,536 generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(i64);

/// The I/O threads that an id can name.
pub const MAX_THREADS: u16 = 32;

impl ConnId {
    /// `thread` must be below [`MAX_THREADS`]; higher bits are cut.
    pub fn new(thread: u16, generation: u16, slot: u32) -> ConnId {
        ConnId(
            (i64::from(thread & (MAX_THREADS - 1)) << 48) | (i64::from(generation) << 32) | i64::from(slot),
        )
    }

    /// Reads an id that came from outside; `None` when a bit outside of the layout is set.
    pub fn from_raw(raw: i64) -> Option<ConnId> {
        (0..1 << 53).contains(&raw).then_some(ConnId(raw))
    }

    pub fn raw(self) -> i64 {
        self.0
    }

    pub fn slot(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }

    pub fn generation(self) -> u16 {
        ((self.0 >> 32) & 0xffff) as u16
    }

    pub fn thread(self) -> u16 {
        ((self.0 >> 48) & 0x1f) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_gives_back_its_three_parts_and_stays_a_safe_integer() {
        for (thread, generation, slot) in [(0, 0, 0), (31, u16::MAX, u32::MAX), (5, 258, 70_000)] {
            let id = ConnId::new(thread, generation, slot);
            assert_eq!((id.thread(), id.generation(), id.slot()), (thread, generation, slot));
            assert!((0..=(1 << 53) - 1).contains(&id.raw()));
            assert_eq!(ConnId::from_raw(id.raw()), Some(id));
        }
    }

    #[test]
    fn numbers_outside_of_the_layout_are_no_ids() {
        assert_eq!(ConnId::from_raw(-1), None);
        assert_eq!(ConnId::from_raw(1 << 53), None);
    }
}
