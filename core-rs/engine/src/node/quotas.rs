//! The hook that quotas hang on: what a request of the data plane has used is told, and the answer is for how long its
//! connection must be quiet. There are none by themselves.

use std::fmt::Debug;

use crate::time::Now;

/// What one request has used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used<'a> {
    pub principal: &'a str,
    pub client_id: Option<&'a str>,
    pub api_key: i16,
    pub request_bytes: usize,
    /// Records in files included.
    pub reply_bytes: u64,
}

/// Kafka's way (KIP-219): the reply leaves at once and says the time, the connection is muted for as long.
pub trait Quotas: Send + Sync + Debug {
    /// For how many ms the client has to be quiet; 0 = it may go on.
    fn throttle_ms(&self, used: &Used<'_>, now: Now) -> u32;
}
