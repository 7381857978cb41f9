//! raft's view of the log: the entries after the compaction point, hard state and configuration, all in memory. It
//! never does I/O; what must survive goes through the write-ahead log, written from the same values.

use raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

/// The tail of the raft log. Entries are contiguous and start right after `truncated`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TailStorage {
    hard_state: HardState,
    conf_state: ConfState,
    truncated: EntryId,
    entries: Vec<Entry>,
}

/// Index and term of one entry; 0, 0 before the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryId {
    pub index: u64,
    pub term: u64,
}

impl TailStorage {
    pub fn new(conf_state: ConfState) -> Self {
        Self { conf_state, ..Self::default() }
    }

    /// Starts over after `truncated`, without entries.
    pub fn reset(&mut self, truncated: EntryId) {
        self.truncated = truncated;
        self.entries.clear();
    }

    pub fn set_hard_state(&mut self, hard_state: HardState) {
        self.hard_state = hard_state;
    }

    pub fn set_conf_state(&mut self, conf_state: ConfState) {
        self.conf_state = conf_state;
    }

    pub fn hard_state(&self) -> &HardState {
        &self.hard_state
    }

    pub fn conf_state(&self) -> &ConfState {
        &self.conf_state
    }

    /// The last entry that was compacted away.
    pub fn truncated(&self) -> EntryId {
        self.truncated
    }

    pub fn last(&self) -> u64 {
        self.truncated.index + self.entries.len() as u64
    }

    pub fn get(&self, index: u64) -> Option<&Entry> {
        let position = index.checked_sub(self.truncated.index)?.checked_sub(1)?;
        self.entries.get(usize::try_from(position).ok()?)
    }

    /// The entries after `index`, all of them when `index` lies before the compaction point.
    pub fn after(&self, index: u64) -> &[Entry] {
        let skip = usize::try_from(index.saturating_sub(self.truncated.index)).unwrap_or(usize::MAX);
        self.entries.get(skip..).unwrap_or_default()
    }

    /// Appends one entry; an index that exists is replaced, with all that followed it.
    ///
    /// Error: the index neither follows the last one nor lies after the compaction point.
    pub fn append(&mut self, entry: Entry) -> std::result::Result<(), String> {
        if entry.index <= self.truncated.index || entry.index > self.last() + 1 {
            return Err(format!(
                "raft entry {} does not fit between {} and {}",
                entry.index,
                self.truncated.index,
                self.last()
            ));
        }
        self.entries.truncate((entry.index - self.truncated.index - 1) as usize);
        self.entries.push(entry);
        Ok(())
    }

    /// Forgets the entries up to `id.index`, inclusive.
    pub fn compact(&mut self, id: EntryId) {
        let count = usize::try_from(id.index.saturating_sub(self.truncated.index)).unwrap_or(usize::MAX);
        if count > 0 && count <= self.entries.len() {
            self.entries.drain(..count);
            self.truncated = id;
        }
    }

    pub fn term_of(&self, index: u64) -> Option<u64> {
        if index == self.truncated.index {
            return Some(self.truncated.term);
        }
        self.get(index).map(|entry| entry.term)
    }
}

impl Storage for TailStorage {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState::new(self.hard_state.clone(), self.conf_state.clone()))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low <= self.truncated.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        if high > self.last() + 1 {
            return Err(Error::Store(StorageError::Unavailable));
        }
        let count = usize::try_from(high.saturating_sub(low)).unwrap_or(usize::MAX);
        let mut entries: Vec<Entry> = self.after(low - 1).iter().take(count).cloned().collect();
        raft::util::limit_size(&mut entries, max_size.into());
        Ok(entries)
    }

    fn term(&self, index: u64) -> Result<u64> {
        if index < self.truncated.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        self.term_of(index).ok_or(Error::Store(StorageError::Unavailable))
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.truncated.index + 1)
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last())
    }

    /// No snapshot is made yet: a voter that needs one waits, and raft asks again.
    fn snapshot(&self, _request_index: u64, _to: u64) -> Result<Snapshot> {
        Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: u64, term: u64) -> Entry {
        Entry { index, term, data: vec![index as u8; 10].into(), ..Entry::default() }
    }

    fn tail(range: std::ops::RangeInclusive<u64>) -> TailStorage {
        let mut tail = TailStorage::default();
        for index in range {
            tail.append(entry(index, 1)).unwrap();
        }
        tail
    }

    fn indexes(tail: &TailStorage, low: u64, high: u64, max: Option<u64>) -> Vec<u64> {
        let entries = tail.entries(low, high, max, GetEntriesContext::empty(false)).unwrap();
        entries.iter().map(|entry| entry.index).collect()
    }

    #[test]
    fn an_entry_of_a_known_index_replaces_what_followed() {
        let mut tail = tail(1..=5);
        tail.append(entry(3, 2)).unwrap();
        assert_eq!((tail.last(), tail.term(3).unwrap(), tail.term(2).unwrap()), (3, 2, 1));
        assert!(tail.append(entry(5, 2)).is_err(), "a gap is refused");
    }

    #[test]
    fn compaction_keeps_the_term_of_its_point_and_the_rest() {
        let mut tail = tail(1..=5);
        tail.compact(EntryId { index: 3, term: 1 });
        assert_eq!(
            (tail.first_index().unwrap(), tail.last_index().unwrap(), tail.term(3).unwrap()),
            (4, 5, 1)
        );
        assert_eq!(tail.term(2), Err(Error::Store(StorageError::Compacted)));
        assert_eq!(tail.term(6), Err(Error::Store(StorageError::Unavailable)));
        assert_eq!(indexes(&tail, 4, 6, None), [4, 5]);
        let context = GetEntriesContext::empty(false);
        assert_eq!(tail.entries(3, 5, None, context), Err(Error::Store(StorageError::Compacted)));
        assert!(tail.append(entry(3, 2)).is_err(), "what was compacted is settled");
    }

    #[test]
    fn a_size_limit_still_gives_one_entry() {
        assert_eq!(indexes(&tail(1..=5), 2, 6, Some(0)), [2]);
        assert_eq!(indexes(&tail(1..=5), 2, 4, None), [2, 3]);
    }
}
