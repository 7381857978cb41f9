//! The codec of Kafka's `.snapshot` files: the producer state of a partition at one offset.
//! Bytes only; what the entries mean is the partition's producer state.

use millrace_record::crc::crc32c;

/// One producer, as Kafka's ProducerSnapshot version 1 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerSnapshotEntry {
    pub producer_id: i64,
    pub epoch: i16,
    /// Of the last batch; −1 when there is none.
    pub last_sequence: i32,
    /// Of the last batch; −1 when there is none.
    pub last_offset: i64,
    /// Last offset of that batch − its first.
    pub offset_delta: i32,
    /// Largest timestamp of that batch.
    pub timestamp: i64,
    /// −1 when no transaction marker was written.
    pub coordinator_epoch: i32,
    /// First offset of the open transaction; −1 when there is none.
    pub current_txn_first_offset: i64,
}

/// Why a snapshot cannot be used; the state is then rebuilt from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    #[error("snapshot version {0} is unknown")]
    Version(i16),
    #[error("snapshot checksum is {stored:08x}, its contents give {computed:08x}")]
    Crc { stored: u32, computed: u32 },
    #[error("snapshot ends early or carries extra bytes")]
    Length,
}

const VERSION: i16 = 1;
/// Version and CRC, which the CRC does not cover.
const PREFIX_LEN: usize = 6;
const ENTRY_LEN: usize = 46;

/// The file contents for `entries`.
pub fn encode(entries: &[ProducerSnapshotEntry]) -> Vec<u8> {
    let mut body = Vec::with_capacity(4 + entries.len() * ENTRY_LEN);
    body.extend_from_slice(&u32::try_from(entries.len()).unwrap_or(u32::MAX).to_be_bytes());
    for entry in entries {
        body.extend_from_slice(&entry.producer_id.to_be_bytes());
        body.extend_from_slice(&entry.epoch.to_be_bytes());
        body.extend_from_slice(&entry.last_sequence.to_be_bytes());
        body.extend_from_slice(&entry.last_offset.to_be_bytes());
        body.extend_from_slice(&entry.offset_delta.to_be_bytes());
        body.extend_from_slice(&entry.timestamp.to_be_bytes());
        body.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
        body.extend_from_slice(&entry.current_txn_first_offset.to_be_bytes());
    }
    let mut contents = Vec::with_capacity(PREFIX_LEN + body.len());
    contents.extend_from_slice(&VERSION.to_be_bytes());
    contents.extend_from_slice(&crc32c(&body).to_be_bytes());
    contents.append(&mut body);
    contents
}

/// The entries of a snapshot file, its checksum checked.
pub fn decode(contents: &[u8]) -> Result<Vec<ProducerSnapshotEntry>, SnapshotError> {
    let mut rest = contents;
    let version = i16::from_be_bytes(take(&mut rest)?);
    if version != VERSION {
        return Err(SnapshotError::Version(version));
    }
    let stored = u32::from_be_bytes(take(&mut rest)?);
    let computed = crc32c(rest);
    if stored != computed {
        return Err(SnapshotError::Crc { stored, computed });
    }
    let count = u32::from_be_bytes(take(&mut rest)?) as usize;
    if count.checked_mul(ENTRY_LEN) != Some(rest.len()) {
        return Err(SnapshotError::Length);
    }
    (0..count).map(|_| decode_entry(&mut rest)).collect()
}

fn decode_entry(rest: &mut &[u8]) -> Result<ProducerSnapshotEntry, SnapshotError> {
    Ok(ProducerSnapshotEntry {
        producer_id: i64::from_be_bytes(take(rest)?),
        epoch: i16::from_be_bytes(take(rest)?),
        last_sequence: i32::from_be_bytes(take(rest)?),
        last_offset: i64::from_be_bytes(take(rest)?),
        offset_delta: i32::from_be_bytes(take(rest)?),
        timestamp: i64::from_be_bytes(take(rest)?),
        coordinator_epoch: i32::from_be_bytes(take(rest)?),
        current_txn_first_offset: i64::from_be_bytes(take(rest)?),
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], SnapshotError> {
    let (head, tail) = rest.split_first_chunk().ok_or(SnapshotError::Length)?;
    *rest = tail;
    Ok(*head)
}
