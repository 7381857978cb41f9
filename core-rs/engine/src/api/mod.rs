//! The data plane's APIs: Produce (0), Fetch (1), ListOffsets (2), OffsetForLeaderEpoch (23) and DescribeProducers
//! (61), from a frame to a reply. It knows partitions, never a connection or a node; the control plane's APIs are not here.

pub mod authorize;
pub mod error;
pub mod header;
pub mod wire;

mod describe_producers;
mod endpoints;
mod fetch;
mod fetch_request;
mod fetch_response;
mod fetch_session;
mod fetch_sessions;
mod list_offsets;
mod offset_for_leader_epoch;
mod produce;
mod produce_request;
mod produce_response;
mod produce_run;
mod throttle;

use std::fmt::Debug;
use std::sync::Arc;

use crate::partition::{Notices, Topics, WaiterId};
use crate::storage::FileRange;
use crate::time::Now;

pub use authorize::{AllowAll, Authorizer, Operation, Resource};
pub use endpoints::{Endpoints, NodeEndpoint, NodeTable};
pub use error::ErrorCode;
pub use fetch_sessions::FetchSessions;
pub use header::RequestHeader;
pub use produce_run::{SettledProduce, append_checked, append_run, check_for_run, joins_run};
pub use throttle::set_throttle_time;
use wire::{Reader, WireError};

/// A piece of a reply, in order. The first one of a reply starts with the 4-byte size prefix.
#[derive(Debug)]
pub enum Part {
    Bytes(Vec<u8>),
    /// Leaves by `sendfile`.
    File(FileRange),
}

impl Part {
    /// Bytes that will leave.
    pub fn len(&self) -> u64 {
        match self {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::File(range) => range.len,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// Never empty.
    Reply(Vec<Part>),
    /// Registered under `RequestContext::waiter` at the partitions it waits for.
    Park(Box<dyn Parked>),
    /// acks=0: the client expects nothing.
    NoReply,
    /// The connection cannot go on: a malformed frame, or an error that acks=0 cannot tell otherwise. The reason is a
    /// sentence for the log.
    Close(String),
}

/// A request that waits. Whichever of `try_complete` (with a reply), `expire` and `cancel` comes first ends it and
/// takes it off every partition; it must be dropped then.
pub trait Parked: Send + Debug {
    /// On the monotonic clock: when to call `expire`.
    fn deadline_ms(&self) -> i64;
    /// Evaluates again after a wake, staying registered when there is no reply yet.
    fn try_complete(&mut self, now: Now, waiter: WaiterId, notices: &mut Notices) -> Option<Vec<Part>>;
    /// The deadline has passed: answers with what there is.
    fn expire(&mut self, now: Now, waiter: WaiterId, notices: &mut Notices) -> Vec<Part>;
    /// The connection is gone.
    fn cancel(&mut self, waiter: WaiterId);
}

/// Broker-wide numbers that the data plane acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub node_id: i32,
    /// `fetch.max.bytes`: most bytes of records in one Fetch reply, whatever the client asks.
    pub fetch_max_bytes: u64,
    /// `max.incremental.fetch.session.cache.slots`: fetch sessions over the whole broker.
    pub fetch_session_slots: usize,
    /// `producer.id.expiration.check.interval.ms`: how often producers that wrote nothing for long are forgotten.
    pub producer_expiry_interval_ms: i64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            node_id: 0,
            fetch_max_bytes: 55 * 1024 * 1024,
            fetch_session_slots: fetch_sessions::DEFAULT_SESSION_SLOTS,
            producer_expiry_interval_ms: 10 * 60 * 1000,
        }
    }
}

/// Everything that a request may look at.
#[derive(Debug)]
pub struct RequestContext<'a> {
    pub topics: &'a Topics,
    pub settings: &'a Settings,
    pub nodes: &'a Arc<NodeTable>,
    /// The listener that the connection came by.
    pub listener: &'a Arc<str>,
    pub header: &'a RequestHeader,
    pub now: Now,
    /// The id under which this request would park: unique, never used before.
    pub waiter: WaiterId,
    /// As Kafka writes it: `User:ANONYMOUS`.
    pub principal: &'a str,
    pub authorize: &'a dyn Authorizer,
    /// Those of the thread that runs the request.
    pub sessions: &'a mut FetchSessions,
    pub notices: &'a mut Notices,
}

/// Elements that a request may have beyond two for each partition of this broker: topics that are gone, or that
/// others lead. See docs/decisions/0003-memory-of-a-request.md.
const SPARE_ELEMENTS: usize = 1000;

impl RequestContext<'_> {
    /// Reads the body of the request. A request names topics and partitions; one that names many more than there are
    /// here is made up, and is refused before it costs memory.
    fn body<'f>(&self, frame: &'f [u8]) -> Reader<'f> {
        let elements = self.topics.partitions().saturating_mul(2).saturating_add(SPARE_ELEMENTS);
        Reader::new(frame, self.header.body_offset, self.header.flexible).with_elements(elements)
    }

    /// Of the brokers that a reply may name: taken along only by requests that need it.
    fn endpoints(&self) -> Endpoints {
        Endpoints { nodes: self.nodes.clone(), listener: self.listener.clone() }
    }

    fn may(&self, operation: Operation, resource: Resource<'_>) -> bool {
        self.authorize.authorize(self.principal, operation, resource)
    }

    /// Where another permission may do too.
    fn may_else(&self, operation: Operation, resource: Resource<'_>) -> bool {
        self.authorize.authorize_else(self.principal, operation, resource)
    }
}

/// API key, oldest and newest version of what is served here.
const SERVED: [(i16, i16, i16); 5] = [(0, 3, 13), (1, 4, 18), (2, 0, 11), (23, 2, 4), (61, 0, 0)];

/// The versions served of a data-plane API; `None` for a key of the control plane or of nobody. Produce must be
/// advertised from version 0 nevertheless (KAFKA-18659).
pub fn serves(api_key: i16) -> Option<(i16, i16)> {
    SERVED.iter().find(|(key, ..)| *key == api_key).map(|&(_, oldest, newest)| (oldest, newest))
}

/// Serves one request. `frame` is the whole frame without its size prefix; record bytes are patched in place and
/// written from it. Park means that the request is registered and was evaluated after that.
pub fn handle(ctx: &mut RequestContext<'_>, frame: &mut [u8]) -> Outcome {
    let (api_key, version) = (ctx.header.api_key, ctx.header.api_version);
    if !serves(api_key).is_some_and(|(oldest, newest)| (oldest..=newest).contains(&version)) {
        return Outcome::Close(format!("version {version} of API key {api_key} is not served"));
    }
    let outcome = match api_key {
        0 => produce::handle(ctx, frame),
        1 => fetch::handle(ctx, frame),
        2 => list_offsets::handle(ctx, frame),
        23 => offset_for_leader_epoch::handle(ctx, frame),
        _ => describe_producers::handle(ctx, frame),
    };
    outcome.unwrap_or_else(|error: WireError| {
        Outcome::Close(format!("malformed request of API key {api_key} version {version}: {error}"))
    })
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod endpoints_tests;

#[cfg(test)]
mod golden_tests;

#[cfg(test)]
mod produce_tests;

#[cfg(test)]
mod produce_topic_tests;

#[cfg(test)]
mod fetch_tests;

#[cfg(test)]
mod fetch_isolation_tests;

#[cfg(test)]
mod fetch_session_tests;

#[cfg(test)]
mod list_offsets_tests;

#[cfg(test)]
mod offset_for_leader_epoch_tests;

#[cfg(test)]
mod describe_producers_tests;

#[cfg(test)]
mod wire_tests;
