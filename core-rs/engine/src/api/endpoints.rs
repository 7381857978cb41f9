//! Where clients reach the brokers that a reply names as leaders (KIP-951), by the listener that they came by: the
//! tagged field NodeEndpoints of Produce and Fetch. The control plane says which there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::RwLock;

use super::wire::Writer;
use crate::partition::CurrentLeader;

/// A broker as clients of one listener reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeEndpoint {
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
}

/// Every live broker, by listener.
#[derive(Debug, Default)]
pub struct NodeTable {
    by_listener: RwLock<BTreeMap<String, BTreeMap<i32, NodeEndpoint>>>,
}

impl NodeTable {
    /// These, each with its listener and id, are all there are from now on.
    pub fn replace(&self, nodes: impl IntoIterator<Item = (String, i32, NodeEndpoint)>) {
        let mut table: BTreeMap<String, BTreeMap<i32, NodeEndpoint>> = BTreeMap::new();
        for (listener, node_id, endpoint) in nodes {
            table.entry(listener).or_default().insert(node_id, endpoint);
        }
        *self.by_listener.write() = table;
    }

    fn find(&self, listener: &str, node_id: i32) -> Option<NodeEndpoint> {
        self.by_listener.read().get(listener)?.get(&node_id).cloned()
    }
}

/// The brokers as one connection's client reaches them.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub nodes: Arc<NodeTable>,
    pub listener: Arc<str>,
}

/// Closes a reply: its tags are the endpoints of `leaders`, as far as they are known, each once.
pub(super) fn write_reply_tags(
    writer: &mut Writer,
    endpoints: Option<&Endpoints>,
    leaders: impl IntoIterator<Item = CurrentLeader>,
) {
    let known: Vec<(i32, NodeEndpoint)> = endpoints.map_or_else(Vec::new, |endpoints| {
        let ids: BTreeSet<i32> = leaders.into_iter().map(|leader| leader.id).collect();
        let find = |id| Some((id, endpoints.nodes.find(&endpoints.listener, id)?));
        ids.into_iter().filter_map(find).collect()
    });
    if known.is_empty() {
        writer.no_tags();
        return;
    }
    let mut field = Writer::new(true, 64 * known.len());
    field.array(known.len());
    for (node_id, endpoint) in &known {
        field.i32(*node_id);
        field.string(&endpoint.host);
        field.i32(endpoint.port);
        field.nullable_string(endpoint.rack.as_deref());
        field.no_tags();
    }
    let field = field.into_bytes();
    writer.uvarint(1);
    writer.uvarint(0);
    writer.uvarint(u32::try_from(field.len()).unwrap_or(u32::MAX));
    writer.raw(&field);
}
