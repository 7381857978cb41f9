//! The parked requests of one I/O thread, by the token under which partitions know them. It evaluates none itself.

use slab::Slab;

use super::deadlines::DeadlineId;
use crate::api::Parked;
use crate::boundary::ConnId;

/// A request that waits for partitions.
pub struct ParkedRequest {
    sequence: u32,
    pub conn: ConnId,
    /// Its reply slot.
    pub slot_token: i64,
    pub deadline: DeadlineId,
    pub request: Box<dyn Parked>,
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
    pub fn park(&mut self, conn: ConnId, slot_token: i64, deadline: DeadlineId, request: Box<dyn Parked>) {
        self.requests.insert(ParkedRequest { sequence: self.sequence, conn, slot_token, deadline, request });
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
