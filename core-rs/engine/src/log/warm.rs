//! What was brought into memory last for readers that waited for it: whole batches, taken up piece by piece.

use std::collections::VecDeque;
use std::ops::Range;

/// Pieces remembered: as many as are on their way at a time, and as many again.
const PIECES: usize = 8;

/// Whole batches of one segment that are in memory, or were.
#[derive(Debug)]
pub struct Piece {
    /// Base offset of the segment.
    base: i64,
    /// Of the log, as it was when they were brought.
    truncations: u64,
    /// In the file.
    positions: Range<u64>,
    /// Offset of the batch that follows.
    pub(super) to_offset: i64,
    /// Some of it has left. The first to come for it is served whatever has become of it, so that readers get on
    /// where memory is too short to keep what they wait for; whoever comes later looks whether it is still there.
    pub(super) is_served: bool,
}

/// Nothing for a log that is read while it is in memory.
#[derive(Debug, Default)]
pub(super) struct Warm {
    pieces: VecDeque<Piece>,
}

impl Piece {
    pub(super) fn new(base: i64, truncations: u64, positions: Range<u64>, to_offset: i64) -> Piece {
        Piece { base, truncations, positions, to_offset, is_served: false }
    }

    /// Where it ends in the file.
    pub(super) fn to(&self) -> u64 {
        self.positions.end
    }
}

impl Warm {
    pub(super) fn push(&mut self, piece: Piece) {
        self.pieces.retain(|other| other.truncations == piece.truncations);
        if self.pieces.len() == PIECES {
            self.pieces.pop_front();
        }
        self.pieces.push_back(piece);
    }

    /// The piece that a position of a segment is in, of the log as it is now.
    pub(super) fn find(&mut self, base: i64, truncations: u64, position: u64) -> Option<&mut Piece> {
        self.pieces.iter_mut().rev().find(|piece| {
            (piece.base, piece.truncations) == (base, truncations) && piece.positions.contains(&position)
        })
    }
}
