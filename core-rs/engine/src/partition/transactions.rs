//! The transactions of one partition that hold readers of committed records back: those without a marker yet, and
//! those whose marker the high watermark has not passed. Whose they are, and whether one may begin or end, is the
//! producer state's business (KIP-98; Kafka's ProducerStateManager).

use std::collections::BTreeMap;

use crate::log::LogPosition;

/// By first offset. The offset is part of the position only where that is known.
#[derive(Clone, Debug, Default)]
pub struct Transactions {
    ongoing: BTreeMap<i64, Option<LogPosition>>,
    /// Decided, with the offset of the marker.
    unreplicated: BTreeMap<i64, (i64, Option<LogPosition>)>,
}

impl Transactions {
    /// One whose first batch stands at `first`.
    pub fn begin(&mut self, first: LogPosition) {
        self.ongoing.insert(first.offset, Some(first));
    }

    /// One that a snapshot tells of: where it stands is to be looked up.
    pub fn restore(&mut self, first_offset: i64) {
        self.ongoing.insert(first_offset, None);
    }

    /// The marker of the transaction that began at `first_offset` stands at `last_offset`. Returns the last stable
    /// offset that the transaction index takes: the first one still undecided, replicated or not.
    pub fn end(&mut self, first_offset: i64, last_offset: i64) -> i64 {
        let position = self.ongoing.remove(&first_offset).flatten();
        self.unreplicated.insert(first_offset, (last_offset, position));
        self.ongoing.first_key_value().map_or(last_offset.saturating_add(1), |(first, _)| *first)
    }

    /// Lets go of the transactions whose marker is below the high watermark.
    pub fn replicated(&mut self, high_watermark: i64) {
        self.unreplicated.retain(|_, (last_offset, _)| *last_offset >= high_watermark);
    }

    /// Where they stand is to be looked up again.
    pub fn forget_positions(&mut self) {
        self.ongoing.values_mut().for_each(|position| *position = None);
        self.unreplicated.values_mut().for_each(|(_, position)| *position = None);
    }

    /// The first offset that readers of committed records may not pass, and where it stands if that is known.
    pub fn first_unstable(&self) -> Option<(i64, Option<LogPosition>)> {
        let undecided = self.ongoing.first_key_value().map(|(&first, &position)| (first, position));
        let unreplicated =
            self.unreplicated.first_key_value().map(|(&first, &(_, position))| (first, position));
        match (undecided, unreplicated) {
            (Some(one), Some(other)) => Some(if one.0 < other.0 { one } else { other }),
            (one, other) => one.or(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: i64) -> LogPosition {
        LogPosition { offset, segment_base: 0, position: 10 * offset as u64 }
    }

    fn first(transactions: &Transactions) -> Option<i64> {
        transactions.first_unstable().map(|(offset, _)| offset)
    }

    #[test]
    fn the_oldest_transaction_holds_back_until_its_marker_is_replicated() {
        let mut transactions = Transactions::default();
        assert_eq!(first(&transactions), None);
        transactions.begin(at(10));
        transactions.begin(at(12));
        assert_eq!(transactions.end(10, 20), 12, "12 is the first that is undecided now");
        assert_eq!(first(&transactions), Some(10), "decided, but its marker may still be lost");
        transactions.replicated(20);
        assert_eq!(first(&transactions), Some(10), "the watermark is exclusive");
        transactions.replicated(21);
        assert_eq!(transactions.first_unstable().map(|(_, position)| position.is_some()), Some(true));
        assert_eq!(first(&transactions), Some(12));
        assert_eq!(transactions.end(12, 21), 22);
        transactions.replicated(22);
        assert_eq!(first(&transactions), None);
    }

    #[test]
    fn one_from_a_snapshot_has_an_offset_and_no_position() {
        let mut transactions = Transactions::default();
        transactions.restore(5);
        assert_eq!(transactions.first_unstable().map(|(first, at)| (first, at.is_none())), Some((5, true)));
    }
}
