//! raft's write-ahead log: one file of checksummed frames on `Storage`, replaced as a whole when it is compacted. It
//! decides nothing about raft; it writes what it is given and gives back what was synced.
//!
//! File: magic (8 bytes), then frames of length u32 (of what follows the checksum), CRC-32C u32 and payload. One frame
//! is one synced write, so only the last one can be torn. A payload is a sequence of records: type u8, length u32, body.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_record::crc::crc32c;
use raft::eraftpb::{ConfState, Entry, EntryType, HardState};

use super::outputs::QuorumError;
use super::raft_storage::{EntryId, TailStorage};
use crate::storage::{Storage, StorageFile};

/// Inside the metadata log's own directory: Kafka refuses to start over directories in a log dir that are not named
/// like partitions, but looks at plain files alone inside one that is.
pub const FOLDER: &str = "raft";
const FILE_NAME: &str = "wal";
/// The last two bytes are the format's version.
const MAGIC: [u8; 8] = *b"mrraft\x00\x01";
const FRAME_HEAD: usize = 8;

const CONF_STATE: u8 = 1;
const HARD_STATE: u8 = 2;
const BASE: u8 = 3;
const ENTRY: u8 = 4;
/// Follows a base; without it the metadata log starts at 0.
const LOG_START: u8 = 5;

/// Where the file's entries begin and how far the metadata log is known to be durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Base {
    /// The last entry that the file no longer holds.
    pub truncated: EntryId,
    /// The last entry whose batch is durable in the metadata log …
    pub applied: EntryId,
    /// … and the metadata log's end right behind it.
    pub end_offset: i64,
    /// Where the metadata log starts: a snapshot stands for what was before.
    pub start_offset: i64,
}

/// The records of one frame.
#[derive(Debug, Default)]
pub struct Frame {
    payload: Vec<u8>,
}

impl Frame {
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }

    pub fn len(&self) -> usize {
        self.payload.len()
    }

    pub fn conf_state(&mut self, conf: &ConfState) {
        let mut body = vec![u8::from(conf.auto_leave)];
        for ids in [&conf.voters, &conf.learners, &conf.voters_outgoing, &conf.learners_next] {
            body.extend_from_slice(&(ids.len() as u32).to_be_bytes());
            body.extend(ids.iter().flat_map(|id| id.to_be_bytes()));
        }
        self.record(CONF_STATE, &[&body]);
    }

    pub fn hard_state(&mut self, state: &HardState) {
        self.record(HARD_STATE, &[&words([state.term, state.vote, state.commit])]);
    }

    pub fn base(&mut self, base: &Base) {
        let Base { truncated, applied, end_offset, start_offset } = base;
        let ids = words([truncated.index, truncated.term, applied.index, applied.term]);
        self.record(BASE, &[&ids, &end_offset.to_be_bytes()]);
        if *start_offset > 0 {
            self.record(LOG_START, &[&start_offset.to_be_bytes()]);
        }
    }

    pub fn entry(&mut self, entry: &Entry) {
        let kind = match entry.entry_type {
            EntryType::EntryNormal => 0,
            EntryType::EntryConfChange => 1,
            EntryType::EntryConfChangeV2 => 2,
        };
        let context = (entry.context.len() as u32).to_be_bytes();
        let ids = words([entry.index, entry.term]);
        self.record(ENTRY, &[&ids, &[kind], &context, &entry.context, &entry.data]);
    }

    fn record(&mut self, kind: u8, parts: &[&[u8]]) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        self.payload.push(kind);
        self.payload.extend_from_slice(&(len as u32).to_be_bytes());
        for part in parts {
            self.payload.extend_from_slice(part);
        }
    }

    /// The frame's bytes; leaves this one empty.
    pub fn take(&mut self) -> Vec<u8> {
        let payload = std::mem::take(&mut self.payload);
        let mut bytes = Vec::with_capacity(FRAME_HEAD + payload.len());
        bytes.extend_from_slice(&(payload.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&crc32c(&payload).to_be_bytes());
        bytes.extend_from_slice(&payload);
        bytes
    }
}

/// Eight bytes each, in order.
fn words<const N: usize>(words: [u64; N]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A whole file that holds `base`, the states of `tail` and its entries after `base.truncated`.
pub fn image(base: &Base, tail: &TailStorage) -> Vec<u8> {
    let mut frame = Frame::default();
    frame.base(base);
    frame.conf_state(tail.conf_state());
    let mut hard_state = tail.hard_state().clone();
    hard_state.commit = hard_state.commit.max(base.applied.index);
    frame.hard_state(&hard_state);
    for entry in tail.after(base.truncated.index) {
        frame.entry(entry);
    }
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&frame.take());
    bytes
}

/// The open file and its length: where the next frame goes.
#[derive(Debug, Clone)]
pub struct Wal {
    pub path: PathBuf,
    pub file: Arc<dyn StorageFile>,
    pub len: u64,
}

/// What was found in a file.
#[derive(Debug)]
pub struct Recovered {
    pub wal: Wal,
    pub base: Base,
    pub tail: TailStorage,
    /// The torn last frame that was cut off: where it began, and its bytes.
    pub torn: Option<(u64, u64)>,
}

impl Wal {
    pub fn path_in(metadata_dir: &Path) -> PathBuf {
        metadata_dir.join(FOLDER).join(FILE_NAME)
    }

    /// Writes `image` over the file at `path`, durably, and opens it.
    pub fn replace(storage: &dyn Storage, path: &Path, image: &[u8]) -> io::Result<Wal> {
        storage.write_atomic(path, image)?;
        Ok(Wal { path: path.to_owned(), file: storage.open(path)?, len: image.len() as u64 })
    }

    /// Reads the file, cuts a torn last frame off (never acknowledged to anybody) and opens it for appending. What it
    /// gives back is durable from here on: a process that died may not have got as far as the sync, for the last frame
    /// or for the file's name.
    ///
    /// Errors: `Io`; `Corrupt` where a frame that had been synced is damaged.
    pub fn recover(storage: &dyn Storage, path: &Path) -> Result<Recovered, QuorumError> {
        let io_error = |source| QuorumError::Io { path: path.to_owned(), source };
        let bytes = storage.read_to_vec(path).map_err(io_error)?;
        let contents = read(&bytes).map_err(|(position, reason)| QuorumError::Corrupt {
            path: path.to_owned(),
            position,
            reason,
        })?;
        let file = storage.open(path).map_err(io_error)?;
        let torn = (bytes.len() as u64).checked_sub(contents.len).filter(|len| *len > 0);
        if torn.is_some() {
            file.truncate(contents.len).map_err(io_error)?;
        }
        file.sync().map_err(io_error)?;
        if let Some(folder) = path.parent() {
            storage.sync_dir(folder).map_err(io_error)?;
        }
        let wal = Wal { path: path.to_owned(), file, len: contents.len };
        let torn = torn.map(|len| (contents.len, len));
        Ok(Recovered { wal, base: contents.base, tail: contents.tail, torn })
    }
}

struct Contents {
    base: Base,
    tail: TailStorage,
    /// Bytes up to the end of the last whole frame.
    len: u64,
}

type ReadError = (u64, String);

fn read(bytes: &[u8]) -> Result<Contents, ReadError> {
    let Some(mut rest) = bytes.strip_prefix(&MAGIC) else {
        return Err((0, "not a raft write-ahead log, or of another version".to_owned()));
    };
    let mut contents =
        Contents { base: Base::default(), tail: TailStorage::default(), len: MAGIC.len() as u64 };
    let mut first = true;
    while let Some((payload, following)) = split_frame(rest) {
        let position = contents.len;
        replay(payload, &mut contents).map_err(|reason| (position, reason))?;
        contents.len = (bytes.len() - following.len()) as u64;
        (first, rest) = (false, following);
    }
    if first {
        return Err((contents.len, "the first frame, always synced, is damaged".to_owned()));
    }
    if followed_by_a_frame(rest) {
        return Err((
            contents.len,
            "a frame is damaged, and one that was synced later follows it".to_owned(),
        ));
    }
    Ok(contents)
}

/// The first whole frame's payload and what follows the frame.
fn split_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (payload, rest) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    (!payload.is_empty() && crc32c(payload) == u32::from_be_bytes(*crc)).then_some((payload, rest))
}

/// Whether the bad frame at the start of `bytes` has a good one behind it: then it is damage, not a torn write.
fn followed_by_a_frame(bytes: &[u8]) -> bool {
    let Some((len, rest)) = bytes.split_first_chunk::<4>() else { return false };
    let skip = 4 + u32::from_be_bytes(*len) as usize;
    rest.get(skip..).is_some_and(|behind| split_frame(behind).is_some())
}

fn replay(payload: &[u8], contents: &mut Contents) -> Result<(), String> {
    let mut input = Input(payload);
    while !input.0.is_empty() {
        let record = input.record().ok_or("a record ends early")?;
        let (kind, mut body) = record;
        match kind {
            BASE => {
                contents.base = body.base().ok_or("a malformed base")?;
                contents.tail.reset(contents.base.truncated);
            }
            LOG_START => contents.base.start_offset = body.i64().ok_or("a malformed log start")?,
            CONF_STATE => contents.tail.set_conf_state(body.conf_state().ok_or("a malformed configuration")?),
            HARD_STATE => contents.tail.set_hard_state(body.hard_state().ok_or("a malformed hard state")?),
            ENTRY => contents.tail.append(body.entry().ok_or("a malformed entry")?)?,
            other => return Err(format!("a record of unknown type {other}")),
        }
        if !body.0.is_empty() {
            return Err(format!("{} bytes too many in a record of type {kind}", body.0.len()));
        }
    }
    Ok(())
}

/// A cursor that reads what `Frame` wrote.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<usize> {
        Some(u32::from_be_bytes(self.array()?) as usize)
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.array()?))
    }

    fn i64(&mut self) -> Option<i64> {
        Some(i64::from_be_bytes(self.array()?))
    }

    fn record(&mut self) -> Option<(u8, Input<'a>)> {
        let [kind] = self.array()?;
        let len = self.u32()?;
        Some((kind, Input(self.bytes(len)?)))
    }

    fn ids(&mut self) -> Option<Vec<u64>> {
        let count = self.u32()?;
        self.bytes(count.checked_mul(8)?)?.chunks_exact(8).map(|id| Input(id).u64()).collect()
    }

    fn conf_state(&mut self) -> Option<ConfState> {
        let [auto_leave] = self.array()?;
        Some(ConfState {
            auto_leave: auto_leave != 0,
            voters: self.ids()?,
            learners: self.ids()?,
            voters_outgoing: self.ids()?,
            learners_next: self.ids()?,
            ..ConfState::default()
        })
    }

    fn hard_state(&mut self) -> Option<HardState> {
        Some(HardState { term: self.u64()?, vote: self.u64()?, commit: self.u64()?, ..HardState::default() })
    }

    fn entry_id(&mut self) -> Option<EntryId> {
        Some(EntryId { index: self.u64()?, term: self.u64()? })
    }

    fn base(&mut self) -> Option<Base> {
        let (truncated, applied) = (self.entry_id()?, self.entry_id()?);
        Some(Base { truncated, applied, end_offset: self.i64()?, start_offset: 0 })
    }

    fn entry(&mut self) -> Option<Entry> {
        let EntryId { index, term } = self.entry_id()?;
        let entry_type = match self.array()? {
            [0] => EntryType::EntryNormal,
            [1] => EntryType::EntryConfChange,
            [2] => EntryType::EntryConfChangeV2,
            _ => return None,
        };
        let context = self.u32()?;
        let context = self.bytes(context)?.to_vec().into();
        let data = std::mem::take(&mut self.0).to_vec().into();
        Some(Entry { index, term, entry_type, context, data, ..Entry::default() })
    }
}
