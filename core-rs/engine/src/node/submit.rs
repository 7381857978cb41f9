//! Commands of the control plane, carried out in order. What may block becomes an effect; what belongs to a
//! connection becomes mail for its thread.

use std::path::Path;
use std::sync::Arc;

use super::admission::ConnectionLimits;
use super::effects::Effect;
use super::image::ImageDelta;
use super::load::Load;
use super::mail::Mail;
use super::retention::DeleteRecords;
use super::shared::Node;
use super::wakes::ShellAction;
use crate::api::NodeEndpoint;
use crate::boundary::{BoundaryError, Command, parse_commands};
use crate::quorum::{SnapshotChunk, SnapshotId};
use crate::time::Now;
use crate::uuid::Uuid;

impl Node {
    /// Carries out a packed batch. On an error nothing of it was.
    pub fn submit(self: &Arc<Self>, batch: &[u8], _now: Now) -> Result<(), BoundaryError> {
        for command in parse_commands(batch)? {
            self.carry_out(command);
        }
        Ok(())
    }

    fn carry_out(self: &Arc<Self>, command: Command<'_>) {
        match command {
            Command::Respond { conn, token, response } => {
                let reply = with_size(response);
                self.post(conn.thread(), Mail::Respond { conn, token, reply });
            }
            Command::RespondNone { conn, token } => {
                self.post(conn.thread(), Mail::RespondNone { conn, token });
            }
            Command::CloseConnection { conn, reason } => {
                self.post(conn.thread(), Mail::Close { conn, reason: reason.to_owned() });
            }
            Command::Load { topic_id, partition, leader_epoch } => {
                let generation = self.ring(self.lane_of_partition(partition)).generation();
                let topic_id = Uuid(topic_id);
                let load = Load { topic_id, partition, leader_epoch, next_offset: 0, generation };
                self.push_effect(Effect::Load(load));
            }
            Command::Propose { proposal_id, timestamp, records } => {
                self.propose(proposal_id, timestamp, records.to_vecs());
            }
            Command::ApplyImage { offset, removed_topics, topics } => {
                self.queue_image(ImageDelta::new(offset, &removed_topics, &topics));
            }
            Command::SetListener { name, host, port, security_protocol } => {
                self.admission.open_listener(name);
                self.listeners.lock().insert(name.to_owned(), security_protocol.to_owned());
                self.signals.act(ShellAction::Listen {
                    name: name.to_owned(),
                    host: host.to_owned(),
                    port,
                    security_protocol: security_protocol.to_owned(),
                });
            }
            Command::RemoveListener { name } => {
                self.admission.close_listener(name);
                self.listeners.lock().remove(name);
                self.signals.act(ShellAction::Unlisten { name: name.to_owned() });
                let listener: Arc<str> = name.into();
                self.post_all(|| Mail::CloseListener { listener: listener.clone() });
            }
            Command::SetConnectionLimits { limits } => {
                if self.admission.set_limits(ConnectionLimits::of(&limits)) {
                    self.signals.wake_thread(0);
                }
            }
            Command::Throttle { conn, throttle_ms } => {
                self.post(conn.thread(), Mail::Throttle { conn, throttle_ms });
            }
            Command::SetPrincipal { conn, principal } => {
                self.post(conn.thread(), Mail::Principal { conn, principal: principal.into() });
            }
            Command::WriteSnapshot { end_offset, epoch, timestamp, position, done, records } => {
                let (id, values) = (SnapshotId { end_offset, epoch }, records.to_vecs());
                let chunk = SnapshotChunk { id, timestamp, position, done, values };
                self.with_quorum(|quorum| quorum.write_snapshot(chunk));
            }
            Command::RequestTimed { api_key, queue, local, remote } => {
                self.control_times.lock().timed(api_key, [queue, local, remote]);
            }
            Command::Shutdown => self.begin_stop(),
            Command::DeleteRecords { request_id, topic_id, partition, leader_epoch, offset } => {
                let topic_id = Uuid(topic_id);
                self.queue_deletion(DeleteRecords { request_id, topic_id, partition, leader_epoch, offset });
            }
            Command::SetNodes { nodes } => self.nodes.replace(nodes.iter().map(|node| {
                let (host, rack) = (node.host.to_owned(), node.rack.map(str::to_owned));
                (node.listener.to_owned(), node.node_id, NodeEndpoint { host, port: node.port, rack })
            })),
            Command::MovePartition { topic, partition, log_dir } => {
                self.move_partition(topic, partition, Path::new(log_dir));
            }
            Command::ApplyAcls { removed, added } => self.authorizer.apply(&removed, &added),
        }
    }
}

/// The response with its size before it, as it goes out.
fn with_size(response: &[u8]) -> Vec<u8> {
    let mut reply = Vec::with_capacity(4 + response.len());
    reply.extend_from_slice(&i32::try_from(response.len()).unwrap_or(i32::MAX).to_be_bytes());
    reply.extend_from_slice(response);
    reply
}
