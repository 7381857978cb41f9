//! The parked requests of one I/O thread, by the token under which partitions know them. It evaluates none itself.

use slab::Slab;

use super::deadlines::DeadlineId;
use crate::api::{Parked, RequestHeader};
use crate::boundary::ConnId;

/// A request that waits for partitions.
pub struct ParkedRequest {
    sequence: u32,
    pub conn: ConnId,
    /// Its reply slot.
    pub slot_token: i64,
    pub deadline: DeadlineId,
    pub request: Box<dyn Parked>,
    pub asked: Asked,
}

/// What a parked request was, for its quota.
#[derive(Debug)]
pub struct Asked {
    pub header: RequestHeader,
    /// Bytes of its frame.
    pub bytes: usize,
}

/// Tokens are a place and a sequence number, so that a late wake never meets another request.
#[derive(Default)]
pub struct ParkedRequests {
    requests: Slab<ParkedRequest>,
    sequence: u32,
}

impl ParkedRequests {
    /// The token for a request that may park next; no other may be asked for in between.
    pub fn reserve(&mut self) -> u64 {
        self.sequence = self.sequence.wrapping_add(1);
        (u64::from(self.sequence) << 32) | self.requests.vacant_key() as u64
    }

    /// Parks the request for which the last token was reserved.
    pub fn park(
        &mut self,
        (conn, slot_token): (ConnId, i64),
        deadline: DeadlineId,
        request: Box<dyn Parked>,
        asked: Asked,
    ) {
        let sequence = self.sequence;
        self.requests.insert(ParkedRequest { sequence, conn, slot_token, deadline, request, asked });
    }

    pub fn get_mut(&mut self, token: u64) -> Option<&mut ParkedRequest> {
        let found = self.requests.get_mut((token & 0xffff_ffff) as usize)?;
        (u64::from(found.sequence) == token >> 32).then_some(found)
    }

    pub fn remove(&mut self, token: u64) -> Option<ParkedRequest> {
        self.get_mut(token)?;
        self.requests.try_remove((token & 0xffff_ffff) as usize)
    }

    pub fn tokens(&self) -> Vec<u64> {
        let token =
            |(key, request): (usize, &ParkedRequest)| (u64::from(request.sequence) << 32) | key as u64;
        self.requests.iter().map(token).collect()
    }

    pub fn len(&self) -> usize {
        self.requests.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Part;
    use crate::node::deadlines::Deadlines;
    use crate::partition::{Notices, WaiterId};
    use crate::time::Now;

    #[derive(Debug)]
    struct Never;

    impl Parked for Never {
        fn deadline_ms(&self) -> i64 {
            0
        }

        fn try_complete(&mut self, _: Now, _: WaiterId, _: &mut Notices) -> Option<Vec<Part>> {
            None
        }

        fn expire(&mut self, _: Now, _: WaiterId, _: &mut Notices) -> Vec<Part> {
            Vec::new()
        }

        fn cancel(&mut self, _: WaiterId) {}
    }

    fn asked() -> Asked {
        Asked { header: RequestHeader::parse(&[0, 0, 0, 8, 0, 0, 0, 1, 0xff, 0xff]).unwrap(), bytes: 10 }
    }

    #[test]
    fn a_late_wake_never_meets_the_next_request_in_the_same_place() {
        let (mut parked, mut deadlines) = (ParkedRequests::default(), Deadlines::default());
        let conn = ConnId::new(0, 0, 0);
        let first = parked.reserve();
        parked.park((conn, 1), deadlines.set(0, ()), Box::new(Never), asked());
        assert_eq!(parked.remove(first).unwrap().slot_token, 1);
        // A request that was answered at once used up a token without parking.
        let unused = parked.reserve();
        let second = parked.reserve();
        parked.park((conn, 2), deadlines.set(0, ()), Box::new(Never), asked());
        assert!(parked.get_mut(first).is_none() && parked.get_mut(unused).is_none());
        assert!(parked.remove(first).is_none());
        assert_eq!(parked.tokens(), [second]);
        assert_eq!(parked.remove(second).unwrap().slot_token, 2);
        assert_eq!(parked.len(), 0);
    }
}
