//! The reply slots of one connection: replies may come in any order, they leave in the order of their requests.
//! It never decides how many slots a connection may have; the connection does.

use std::collections::VecDeque;

use super::Timing;
use super::queue;
use crate::api::Part;

/// What an unanswered slot stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// The data plane has the request in hand or has parked it under this waiter token.
    Data { waiter: u64 },
    /// The reader `lane` of the control plane has it; `charged` bytes of the broker's budget are held for its frame.
    Control { charged: usize, lane: u16 },
}

#[derive(Debug)]
enum Slot {
    Open(Pending, Timing),
    Ready(Vec<Part>, Timing),
    /// The request has no reply.
    Skipped,
}

/// Slots in request order. A token names one slot and is never used again on this connection.
#[derive(Debug, Default)]
pub struct ReplySlots {
    first_token: i64,
    /// Pushed to and popped from by `queue`.
    slots: VecDeque<Slot>,
}

impl ReplySlots {
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The token that the next [`open`](Self::open) will give.
    pub fn next_token(&self) -> i64 {
        self.first_token + self.slots.len() as i64
    }

    /// Takes the next slot, for the request that was read last.
    pub fn open(&mut self, pending: Pending, timing: Timing) -> i64 {
        let token = self.next_token();
        queue::push(&mut self.slots, Slot::Open(pending, timing));
        token
    }

    /// The stations of an open slot's request.
    pub fn timing_mut(&mut self, token: i64) -> Option<&mut Timing> {
        let index = usize::try_from(token.checked_sub(self.first_token)?).ok()?;
        match self.slots.get_mut(index)? {
            Slot::Open(_, timing) => Some(timing),
            Slot::Ready(..) | Slot::Skipped => None,
        }
    }

    /// Fills an open slot and says what it stood for; `None` for a token that is unknown or answered already.
    pub fn fill(&mut self, token: i64, reply: Vec<Part>) -> Option<Pending> {
        self.settle(token, Some(reply))
    }

    /// Frees an open slot whose request has no reply.
    pub fn skip(&mut self, token: i64) -> Option<Pending> {
        self.settle(token, None)
    }

    fn settle(&mut self, token: i64, reply: Option<Vec<Part>>) -> Option<Pending> {
        let index = usize::try_from(token.checked_sub(self.first_token)?).ok()?;
        let slot = self.slots.get_mut(index)?;
        let Slot::Open(pending, timing) = *slot else { return None };
        *slot = reply.map_or(Slot::Skipped, |reply| Slot::Ready(reply, timing));
        Some(pending)
    }

    /// What an open slot stands for.
    pub fn pending(&self, token: i64) -> Option<Pending> {
        let index = usize::try_from(token.checked_sub(self.first_token)?).ok()?;
        match self.slots.get(index) {
            Some(Slot::Open(pending, _)) => Some(*pending),
            _ => None,
        }
    }

    /// The next reply that may leave, if the oldest request has been answered.
    pub fn take_ready(&mut self) -> Option<(Vec<Part>, Timing)> {
        loop {
            match self.slots.front()? {
                Slot::Open(..) => return None,
                Slot::Ready(..) | Slot::Skipped => {}
            }
            self.first_token += 1;
            if let Some(Slot::Ready(reply, timing)) = queue::pop(&mut self.slots) {
                return Some((reply, timing));
            }
        }
    }

    /// Every slot that is still open.
    pub fn unanswered(&self) -> impl Iterator<Item = Pending> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Open(pending, _) => Some(*pending),
            Slot::Ready(..) | Slot::Skipped => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPEN: Pending = Pending::Data { waiter: 0 };

    fn reply(of: i64) -> Vec<Part> {
        vec![Part::Bytes(of.to_be_bytes().to_vec())]
    }

    fn drain(slots: &mut ReplySlots) -> Vec<i64> {
        let mut left = Vec::new();
        while let Some((parts, _)) = slots.take_ready() {
            let Some(Part::Bytes(bytes)) = parts.first() else { panic!("no bytes") };
            left.push(i64::from_be_bytes(bytes.as_slice().try_into().unwrap()));
        }
        left
    }

    #[test]
    fn a_slot_is_filled_once_and_only_by_its_own_token() {
        let mut slots = ReplySlots::default();
        let token = slots.open(OPEN, Timing::default());
        assert_eq!(slots.fill(token + 1, reply(0)), None);
        assert_eq!(slots.fill(-1, reply(0)), None);
        assert_eq!(slots.fill(i64::MIN, reply(0)), None);
        assert_eq!(slots.fill(token, reply(token)), Some(OPEN));
        assert_eq!(slots.fill(token, reply(0)), None);
        assert_eq!(drain(&mut slots), [token]);
        assert_eq!(slots.skip(token), None);
        assert!(slots.open(OPEN, Timing::default()) > token);
    }

    proptest! {
        #[test]
        fn replies_leave_in_request_order_whatever_order_they_come_in(
            order in Just((0..40i64).collect::<Vec<_>>()).prop_shuffle(),
            silent in proptest::collection::hash_set(0..40i64, 0..10),
        ) {
            let mut slots = ReplySlots::default();
            for expected in 0..40 {
                prop_assert_eq!(slots.open(OPEN, Timing::default()), expected);
            }
            let mut left = Vec::new();
            for token in order {
                if silent.contains(&token) {
                    slots.skip(token);
                } else {
                    slots.fill(token, reply(token));
                }
                left.extend(drain(&mut slots));
            }
            let expected: Vec<i64> = (0..40).filter(|token| !silent.contains(token)).collect();
            prop_assert_eq!(left, expected);
            prop_assert!(slots.is_empty());
        }
    }
}
