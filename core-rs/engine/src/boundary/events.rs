//! Events, Rust → JavaScript: one enum, its packed layout both ways. Nothing here decides when an event is due.

use super::records::{PackedRecords, PackedValues};
use super::wire::{BoundaryError, Parsed, boolean, frame, frames, items};
use super::{ConnId, TopicId};
use crate::api::wire::{Reader, Writer};

/// One event. The number is its type; both sides are held to the same golden bytes (test/wire/golden/boundary).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// 1: a whole request of a key that the control plane serves; `frame` is header and body without the size.
    ControlRequest {
        conn: ConnId,
        token: i64,
        api_key: i16,
        api_version: i16,
        listener: &'a str,
        peer: &'a str,
        principal: &'a str,
        arrival_monotonic_ms: i64,
        arrival_wall_ms: i64,
        frame: &'a [u8],
    },
    /// 2: the high watermark of a watched partition moved.
    Committed { topic_id: TopicId, partition: i32, high_watermark: i64 },
    /// 3: records of a partition being loaded; `done` or an error ends the load.
    LoadedChunk {
        topic_id: TopicId,
        partition: i32,
        leader_epoch: i32,
        next_offset: i64,
        done: bool,
        error_code: i16,
        records: PackedRecords<'a>,
    },
    /// 4: the logs of the image up to `offset` exist, except the failures (topic id, partition, message).
    ImageApplied { offset: i64, failures: Vec<(TopicId, i32, &'a str)> },
    /// 5: a connection went away with control requests unanswered.
    ConnectionClosed { conn: ConnId },
    /// 6: one committed batch of the metadata log; `proposal_id` −1 when it is not ours or replayed at start.
    MetadataCommitted {
        base_offset: i64,
        epoch: i32,
        timestamp: i64,
        proposal_id: i64,
        records: PackedValues<'a>,
    },
    /// 7: a proposal that will never be committed.
    ProposalDropped { proposal_id: i64, error_code: i16 },
    /// 8: the quorum as this node sees it; `leader_id` −1 for none.
    QuorumRole { leader_id: i32, epoch: i32, high_watermark: i64, caught_up: bool },
    /// 9: a listener accepts connections at this address.
    ListenerUp { name: &'a str, host: &'a str, port: i32 },
    /// 10: a listener could not be opened.
    ListenerFailed { name: &'a str, message: &'a str },
    /// 11: a log directory is offline for good.
    LogDirFailed { path: &'a str, message: &'a str },
    /// 12: Rust closed a connection because of what it sent.
    RequestRefused { conn: ConnId, peer: &'a str, api_key: i16, api_version: i16, message: &'a str },
    /// 13: fatal for this node.
    Fault { message: &'a str },
    /// 14: everything is closed, flushed and marked as cleanly stopped.
    Stopped,
    /// 15: the answer to a command delete-records, once the log start is durable; `low_watermark` −1 with an error.
    RecordsDeleted { request_id: i64, low_watermark: i64, error_code: i16 },
    /// 16: recovery took a damaged tail out of a log; its bytes are kept in the file `kept_as`.
    LogCut { file: &'a str, position: i64, bytes: i64, kept_as: &'a str, message: &'a str },
    /// 17: a log directory has no room for what is to be written, or (`full` false) has had some for a while again.
    LogDirRoom { path: &'a str, full: bool, message: &'a str },
    /// 18: bytes of a file are not what was written there; nothing of them is served. `offset`: of the records that
    /// they held, −1 when the file holds none.
    Damaged { file: &'a str, position: i64, offset: i64, message: &'a str },
    /// 19: the data plane refused what ACLs do not allow; so did it `untold` times before without a word.
    AccessDenied {
        principal: &'a str,
        peer: &'a str,
        api_key: i16,
        operation: i8,
        resource_type: i8,
        resource_name: &'a str,
        untold: i32,
    },
    /// 20: records of the snapshot that this start begins with, in order; `end_offset` is exclusive.
    MetadataSnapshot { end_offset: i64, epoch: i32, timestamp: i64, done: bool, records: PackedValues<'a> },
    /// 21: a piece of a snapshot was written (the last: the snapshot stands); a message says why there will be none.
    SnapshotWritten { end_offset: i64, position: i32, message: &'a str },
    /// 22: a snapshot that could not be read was passed over.
    SnapshotDamaged { file: &'a str, message: &'a str },
    /// 23: the logs are being opened, which takes a while; `checked_bytes` of them had to be read.
    LogsLoading { loaded: i32, total: i32, checked_bytes: i64 },
}

impl<'a> Event<'a> {
    pub fn kind(&self) -> u8 {
        match self {
            Event::ControlRequest { .. } => 1,
            Event::Committed { .. } => 2,
            Event::LoadedChunk { .. } => 3,
            Event::ImageApplied { .. } => 4,
            Event::ConnectionClosed { .. } => 5,
            Event::MetadataCommitted { .. } => 6,
            Event::ProposalDropped { .. } => 7,
            Event::QuorumRole { .. } => 8,
            Event::ListenerUp { .. } => 9,
            Event::ListenerFailed { .. } => 10,
            Event::LogDirFailed { .. } => 11,
            Event::RequestRefused { .. } => 12,
            Event::Fault { .. } => 13,
            Event::Stopped => 14,
            Event::RecordsDeleted { .. } => 15,
            Event::LogCut { .. } => 16,
            Event::LogDirRoom { .. } => 17,
            Event::Damaged { .. } => 18,
            Event::AccessDenied { .. } => 19,
            Event::MetadataSnapshot { .. } => 20,
            Event::SnapshotWritten { .. } => 21,
            Event::SnapshotDamaged { .. } => 22,
            Event::LogsLoading { .. } => 23,
        }
    }

    /// Appends the frame of this event.
    pub fn write(&self, out: &mut Vec<u8>) {
        frame(out, self.kind(), |out| self.write_body(out));
    }

    fn write_body(&self, out: &mut Writer) {
        match self {
            Event::ControlRequest {
                conn,
                token,
                api_key,
                api_version,
                listener,
                peer,
                principal,
                arrival_monotonic_ms,
                arrival_wall_ms,
                frame,
            } => {
                out.i64(conn.raw());
                out.i64(*token);
                out.i16(*api_key);
                out.i16(*api_version);
                out.string(listener);
                out.string(peer);
                out.string(principal);
                out.i64(*arrival_monotonic_ms);
                out.i64(*arrival_wall_ms);
                out.bytes(frame);
            }
            Event::Committed { topic_id, partition, high_watermark } => {
                out.raw(topic_id);
                out.i32(*partition);
                out.i64(*high_watermark);
            }
            Event::LoadedChunk {
                topic_id,
                partition,
                leader_epoch,
                next_offset,
                done,
                error_code,
                records,
            } => {
                out.raw(topic_id);
                out.i32(*partition);
                out.i32(*leader_epoch);
                out.i64(*next_offset);
                out.boolean(*done);
                out.i16(*error_code);
                records.write(out);
            }
            Event::ImageApplied { offset, failures } => {
                out.i64(*offset);
                out.array(failures.len());
                for (topic_id, partition, message) in failures {
                    out.raw(topic_id);
                    out.i32(*partition);
                    out.string(message);
                }
            }
            Event::ConnectionClosed { conn } => out.i64(conn.raw()),
            Event::MetadataCommitted { base_offset, epoch, timestamp, proposal_id, records } => {
                out.i64(*base_offset);
                out.i32(*epoch);
                out.i64(*timestamp);
                out.i64(*proposal_id);
                records.write(out);
            }
            Event::ProposalDropped { proposal_id, error_code } => {
                out.i64(*proposal_id);
                out.i16(*error_code);
            }
            Event::QuorumRole { leader_id, epoch, high_watermark, caught_up } => {
                out.i32(*leader_id);
                out.i32(*epoch);
                out.i64(*high_watermark);
                out.boolean(*caught_up);
            }
            Event::ListenerUp { name, host, port } => {
                out.string(name);
                out.string(host);
                out.i32(*port);
            }
            Event::ListenerFailed { name: first, message } | Event::LogDirFailed { path: first, message } => {
                out.string(first);
                out.string(message);
            }
            Event::RequestRefused { conn, peer, api_key, api_version, message } => {
                out.i64(conn.raw());
                out.string(peer);
                out.i16(*api_key);
                out.i16(*api_version);
                out.string(message);
            }
            Event::Fault { message } => out.string(message),
            Event::Stopped => {}
            Event::LogCut { file, position, bytes, kept_as, message } => {
                out.string(file);
                out.i64(*position);
                out.i64(*bytes);
                out.string(kept_as);
                out.string(message);
            }
            Event::LogDirRoom { path, full, message } => {
                out.string(path);
                out.boolean(*full);
                out.string(message);
            }
            Event::Damaged { file, position, offset, message } => {
                out.string(file);
                out.i64(*position);
                out.i64(*offset);
                out.string(message);
            }
            Event::RecordsDeleted { request_id, low_watermark, error_code } => {
                out.i64(*request_id);
                out.i64(*low_watermark);
                out.i16(*error_code);
            }
            Event::AccessDenied {
                principal,
                peer,
                api_key,
                operation,
                resource_type,
                resource_name,
                untold,
            } => {
                out.string(principal);
                out.string(peer);
                out.i16(*api_key);
                out.i8(*operation);
                out.i8(*resource_type);
                out.string(resource_name);
                out.i32(*untold);
            }
            Event::MetadataSnapshot { end_offset, epoch, timestamp, done, records } => {
                out.i64(*end_offset);
                out.i32(*epoch);
                out.i64(*timestamp);
                out.boolean(*done);
                records.write(out);
            }
            Event::SnapshotWritten { end_offset, position, message } => {
                out.i64(*end_offset);
                out.i32(*position);
                out.string(message);
            }
            Event::SnapshotDamaged { file, message } => {
                out.string(file);
                out.string(message);
            }
            Event::LogsLoading { loaded, total, checked_bytes } => {
                out.i32(*loaded);
                out.i32(*total);
                out.i64(*checked_bytes);
            }
        }
    }

    fn read(kind: u8, body: &mut Reader<'a>) -> Parsed<Event<'a>> {
        Ok(match kind {
            1 => Event::ControlRequest {
                conn: read_conn(body)?,
                token: body.i64("token")?,
                api_key: body.i16("api key")?,
                api_version: body.i16("api version")?,
                listener: body.string("listener")?,
                peer: body.string("peer")?,
                principal: body.string("principal")?,
                arrival_monotonic_ms: body.i64("arrival monotonic ms")?,
                arrival_wall_ms: body.i64("arrival wall ms")?,
                frame: body.bytes("frame")?,
            },
            2 => Event::Committed {
                topic_id: body.uuid("topic id")?.0,
                partition: body.i32("partition")?,
                high_watermark: body.i64("high watermark")?,
            },
            3 => Event::LoadedChunk {
                topic_id: body.uuid("topic id")?.0,
                partition: body.i32("partition")?,
                leader_epoch: body.i32("leader epoch")?,
                next_offset: body.i64("next offset")?,
                done: boolean(body, "done")?,
                error_code: body.i16("error code")?,
                records: PackedRecords::read(body)?,
            },
            4 => Event::ImageApplied {
                offset: body.i64("offset")?,
                failures: items(body, 22, "failures", |item| {
                    Ok((item.uuid("topic id")?.0, item.i32("partition")?, item.string("message")?))
                })?,
            },
            5 => Event::ConnectionClosed { conn: read_conn(body)? },
            6 => Event::MetadataCommitted {
                base_offset: body.i64("base offset")?,
                epoch: body.i32("epoch")?,
                timestamp: body.i64("timestamp")?,
                proposal_id: body.i64("proposal id")?,
                records: PackedValues::read(body)?,
            },
            7 => Event::ProposalDropped {
                proposal_id: body.i64("proposal id")?,
                error_code: body.i16("error code")?,
            },
            8 => Event::QuorumRole {
                leader_id: body.i32("leader id")?,
                epoch: body.i32("epoch")?,
                high_watermark: body.i64("high watermark")?,
                caught_up: boolean(body, "caught up")?,
            },
            9 => Event::ListenerUp {
                name: body.string("name")?,
                host: body.string("host")?,
                port: body.i32("port")?,
            },
            10 => Event::ListenerFailed { name: body.string("name")?, message: body.string("message")? },
            11 => Event::LogDirFailed { path: body.string("path")?, message: body.string("message")? },
            12 => Event::RequestRefused {
                conn: read_conn(body)?,
                peer: body.string("peer")?,
                api_key: body.i16("api key")?,
                api_version: body.i16("api version")?,
                message: body.string("message")?,
            },
            13 => Event::Fault { message: body.string("message")? },
            14 => Event::Stopped,
            15 => Event::RecordsDeleted {
                request_id: body.i64("request id")?,
                low_watermark: body.i64("low watermark")?,
                error_code: body.i16("error code")?,
            },
            16 => Event::LogCut {
                file: body.string("file")?,
                position: body.i64("position")?,
                bytes: body.i64("bytes")?,
                kept_as: body.string("kept as")?,
                message: body.string("message")?,
            },
            17 => Event::LogDirRoom {
                path: body.string("path")?,
                full: boolean(body, "full")?,
                message: body.string("message")?,
            },
            18 => Event::Damaged {
                file: body.string("file")?,
                position: body.i64("position")?,
                offset: body.i64("offset")?,
                message: body.string("message")?,
            },
            19 => Event::AccessDenied {
                principal: body.string("principal")?,
                peer: body.string("peer")?,
                api_key: body.i16("api key")?,
                operation: body.i8("operation")?,
                resource_type: body.i8("resource type")?,
                resource_name: body.string("resource name")?,
                untold: body.i32("untold")?,
            },
            20 => Event::MetadataSnapshot {
                end_offset: body.i64("end offset")?,
                epoch: body.i32("epoch")?,
                timestamp: body.i64("timestamp")?,
                done: boolean(body, "done")?,
                records: PackedValues::read(body)?,
            },
            21 => Event::SnapshotWritten {
                end_offset: body.i64("end offset")?,
                position: body.i32("position")?,
                message: body.string("message")?,
            },
            22 => Event::SnapshotDamaged { file: body.string("file")?, message: body.string("message")? },
            23 => Event::LogsLoading {
                loaded: body.i32("loaded")?,
                total: body.i32("total")?,
                checked_bytes: body.i64("checked bytes")?,
            },
            other => return Err(BoundaryError::new(format!("no event has type {other}"))),
        })
    }
}

/// Reads a batch of events: what a driver written in Rust, or a test, does with `drain_events`.
pub fn parse_events(batch: &[u8]) -> Result<Vec<Event<'_>>, BoundaryError> {
    frames(batch, Event::read)
}

pub(super) fn read_conn(body: &mut Reader<'_>) -> Parsed<ConnId> {
    let raw = body.i64("connection")?;
    ConnId::from_raw(raw).ok_or_else(|| BoundaryError::new(format!("{raw} names no connection")))
}
