//! One snapshot of the metadata as Kafka's `.checkpoint` file (KIP-630): its name, its batches, and reading it back
//! with every byte checked. It knows no quorum and decides nothing about which snapshots there are.
//!
//! A file holds a SnapshotHeader, the records of an image in batches, and a SnapshotFooter, at offsets from 0 on. Its name
//! tells the end offset (exclusive) of the log that it stands for, and the epoch of the last record before that.

use millrace_record::control::{ControlRecord, control_batch};
use millrace_record::{BatchBuilder, BatchError, BatchSpec, BatchView, split_batches};

pub const SUFFIX: &str = ".checkpoint";
/// Of a file that is still being written.
pub const PART_SUFFIX: &str = ".checkpoint.part";

/// What a snapshot stands for, as its name tells it. Ordered by offset, then epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnapshotId {
    /// Exclusive end in the metadata log.
    pub end_offset: i64,
    pub epoch: i32,
}

impl SnapshotId {
    pub fn file_name(self) -> String {
        format!("{:020}-{:010}{SUFFIX}", self.end_offset, self.epoch)
    }

    pub fn part_name(self) -> String {
        format!("{:020}-{:010}{PART_SUFFIX}", self.end_offset, self.epoch)
    }

    /// `None` for a name that is not of this form.
    pub fn parse(file_name: &str) -> Option<SnapshotId> {
        let (offset, epoch) = file_name.strip_suffix(SUFFIX)?.split_once('-')?;
        let id = SnapshotId { end_offset: offset.parse().ok()?, epoch: epoch.parse().ok()? };
        (id.file_name() == file_name).then_some(id)
    }
}

/// Makes the batches of one file, in order.
#[derive(Debug)]
pub struct Batches {
    id: SnapshotId,
    timestamp: i64,
    next_offset: i64,
}

impl Batches {
    /// `timestamp` (ms): of the last record that the snapshot stands for.
    pub fn new(id: SnapshotId, timestamp: i64) -> Batches {
        Batches { id, timestamp, next_offset: 0 }
    }

    pub fn header(&mut self) -> Result<Vec<u8>, BatchError> {
        self.control(ControlRecord::SnapshotHeader { last_contained_log_timestamp: self.timestamp })
    }

    pub fn records(&mut self, values: &[Vec<u8>]) -> Result<Vec<u8>, BatchError> {
        let mut builder = BatchBuilder::new(self.spec());
        for value in values {
            builder.append(self.timestamp, None, Some(value), &[])?;
        }
        self.next_offset += i64::from(builder.count());
        builder.finish()
    }

    pub fn footer(&mut self) -> Result<Vec<u8>, BatchError> {
        self.control(ControlRecord::SnapshotFooter)
    }

    fn control(&mut self, record: ControlRecord) -> Result<Vec<u8>, BatchError> {
        let batch = control_batch(self.spec(), self.timestamp, &[record])?;
        self.next_offset += 1;
        Ok(batch)
    }

    fn spec(&self) -> BatchSpec {
        BatchSpec {
            base_offset: self.next_offset,
            partition_leader_epoch: self.id.epoch,
            ..BatchSpec::default()
        }
    }
}

/// What a whole, undamaged file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Of the last record that the snapshot stands for, ms.
    pub timestamp: i64,
    /// Node ids of the voters that it names; Kafka's may.
    pub voters: Vec<i32>,
    /// The records' values, batch by batch.
    pub batches: Vec<Vec<Vec<u8>>>,
}

/// Reads a file; the error says what is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Contents, String> {
    let mut contents: Option<Contents> = None;
    let (mut next_offset, mut ended) = (0, false);
    for batch in split_batches(bytes) {
        let at = |error: BatchError| format!("the batch at offset {next_offset}: {error}");
        let batch = batch.map_err(at)?;
        batch.check_crc().map_err(at)?;
        if ended {
            return Err("something follows its footer".to_owned());
        }
        if batch.base_offset != next_offset {
            return Err(format!("offset {next_offset} is missing"));
        }
        let values = read_batch(&batch, &mut contents, &mut ended).map_err(at)?;
        match &mut contents {
            Some(contents) if !values.is_empty() => contents.batches.push(values),
            Some(_) => {}
            None => return Err("it does not begin with a header".to_owned()),
        }
        next_offset = batch.last_offset() + 1;
    }
    contents.filter(|_| ended).ok_or_else(|| "it ends before its footer".to_owned())
}

/// The values of a batch of records; none of a control batch, which may open or end the file.
fn read_batch(
    batch: &BatchView<'_>,
    contents: &mut Option<Contents>,
    ended: &mut bool,
) -> Result<Vec<Vec<u8>>, BatchError> {
    let mut values = Vec::new();
    let mut records = batch.records(u64::MAX)?;
    while let Some(record) = records.next_record()? {
        if !batch.is_control() {
            values.push(record.value.unwrap_or_default().to_vec());
            continue;
        }
        match ControlRecord::decode(&record)? {
            ControlRecord::SnapshotHeader { last_contained_log_timestamp: timestamp } => {
                let fresh = Contents { timestamp, voters: Vec::new(), batches: Vec::new() };
                contents.get_or_insert(fresh);
            }
            ControlRecord::SnapshotFooter => *ended = true,
            // Only Kafka's quorum keeps them here; ours has them in its write-ahead log.
            ControlRecord::Voters(voters) => {
                if let Some(contents) = contents {
                    contents.voters = voters.iter().map(|voter| voter.id).collect();
                }
            }
            _ => {}
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SnapshotId = SnapshotId { end_offset: 42, epoch: 3 };

    fn values(text: &str) -> Vec<Vec<u8>> {
        text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    fn file() -> Vec<u8> {
        let mut batches = Batches::new(ID, 1_700_000_000_000);
        let parts = [
            batches.header().unwrap(),
            batches.records(&values("a b")).unwrap(),
            batches.records(&values("c")).unwrap(),
            batches.footer().unwrap(),
        ];
        parts.concat()
    }

    #[test]
    fn a_file_gives_back_what_was_put_into_it() {
        let expected = Contents {
            timestamp: 1_700_000_000_000,
            voters: Vec::new(),
            batches: vec![values("a b"), values("c")],
        };
        assert_eq!(read(&file()), Ok(expected));
    }

    #[test]
    fn a_file_that_is_cut_grown_or_changed_anywhere_is_refused() {
        let whole = file();
        for len in 0..whole.len() {
            assert!(read(&whole[..len]).is_err(), "cut at {len}");
        }
        assert!(read(&[&whole[..], &whole[..]].concat()).is_err());
        assert!(read(&[&whole[..], b"x"].concat()).is_err());
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x40;
            // Neither the checksum nor anything else covers a batch's leader epoch.
            let result = read(&changed);
            assert!(result.is_err() || result == read(&whole), "byte {at}");
        }
    }

    #[test]
    fn a_name_is_kafkas_and_no_other_is_taken_for_one() {
        assert_eq!(ID.file_name(), "00000000000000000042-0000000003.checkpoint");
        assert_eq!(SnapshotId::parse(&ID.file_name()), Some(ID));
        for name in [
            "42-3.checkpoint",
            "00000000000000000042-0000000003.checkpoint.part",
            "00000000000000000042-0000000003.checkpoint.deleted",
            "0000000000000000004x-0000000003.checkpoint",
            "leader-epoch-checkpoint",
        ] {
            assert_eq!(SnapshotId::parse(name), None, "{name}");
        }
    }
}
