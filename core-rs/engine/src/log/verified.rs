//! What of a segment's bytes is known to be what was written there: appended or scanned by this process, or checked
//! since. It reads nothing; `check.rs` does.

/// Stretches remembered of one segment; readers that jump about can make more, which are then checked again.
const STRETCHES: usize = 64;

/// Whole batches that were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Positions in the file; `to` is exclusive.
    pub(super) from: u64,
    pub(super) to: u64,
    /// The offsets that are found in it, or whose next batch is; exclusive at the end.
    pub(super) from_offset: i64,
    pub(super) to_offset: i64,
}

/// Bytes that are not what was written, and the offsets that they may have held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) place: Stretch,
    pub(super) reason: String,
}

/// What is known about one offset of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look<'a> {
    /// Its bytes may be served, up to a position.
    Checked {
        until: u64,
    },
    /// Nobody has looked at them.
    Cold,
    Damaged(&'a Damage),
}

#[derive(Debug, Default)]
pub(super) struct Verified {
    /// Bytes below it, and the offsets that they hold, were there when the segment was opened.
    cold_end: u64,
    cold_end_offset: i64,
    /// Checked parts of what was cold; none touches another.
    checked: Vec<Stretch>,
    damages: Vec<Damage>,
    /// All of it was read when the log was opened.
    pub(super) scanned: bool,
    /// Both indexes were found to be in order as a whole.
    pub(super) index_is_sane: bool,
}

impl Verified {
    /// A segment of which nothing is known below its present end.
    pub(super) fn cold(size: u64, end_offset: i64) -> Verified {
        Verified { cold_end: size, cold_end_offset: end_offset, ..Verified::default() }
    }

    /// The part that is to be checked: its size and the offset behind it.
    pub(super) fn cold_part(&self) -> (u64, i64) {
        (self.cold_end, self.cold_end_offset)
    }

    pub(super) fn look(&self, offset: i64) -> Look<'_> {
        let holds = |place: &Stretch| (place.from_offset..place.to_offset).contains(&offset);
        if let Some(damage) = self.damages.iter().find(|damage| holds(&damage.place)) {
            return Look::Damaged(damage);
        }
        if self.cold_end == 0 || offset >= self.cold_end_offset {
            return Look::Checked { until: u64::MAX };
        }
        let Some(stretch) = self.checked.iter().find(|stretch| holds(stretch)) else {
            return Look::Cold;
        };
        let behind = |damage: &&Damage| damage.place.from_offset > offset;
        let damage = self.damages.iter().filter(behind).map(|damage| damage.place.from).min();
        // What was appended since follows at once.
        let until = if stretch.to >= self.cold_end { u64::MAX } else { stretch.to };
        Look::Checked { until: damage.map_or(until, |from| from.min(until)) }
    }

    /// As much of it as a check needs to know.
    pub(super) fn for_check(&self) -> Verified {
        Verified { index_is_sane: self.index_is_sane, ..Verified::default() }
    }

    /// Where to begin to look for `offset`, if there is damage before it: no walk gets past that.
    pub(super) fn behind_damage(&self, offset: i64) -> u64 {
        let before = self.damages.iter().filter(|damage| damage.place.to_offset <= offset);
        before.map(|damage| damage.place.to).max().unwrap_or(0)
    }

    /// The offset behind the checked stretch in which a reader has got to `position`, where little of it is left.
    pub(super) fn ahead(&self, position: u64, little: u64) -> Option<i64> {
        let stretch = self.checked.iter().find(|one| one.from < position && position <= one.to)?;
        (stretch.to < self.cold_end && stretch.to - position < little).then_some(stretch.to_offset)
    }

    /// Takes over what a check found about `stretch`; what was known of damage inside it is replaced.
    pub(super) fn checked(&mut self, mut stretch: Stretch, damages: Vec<Damage>) {
        let inside = |damage: &Damage| damage.place.from >= stretch.from && damage.place.to <= stretch.to;
        self.damages.retain(|damage| !inside(damage));
        self.damages.extend(damages);
        if stretch.from >= self.cold_end {
            return;
        }
        self.checked.retain(|other| {
            let touches = other.from <= stretch.to && stretch.from <= other.to;
            if touches {
                stretch = Stretch {
                    from: stretch.from.min(other.from),
                    to: stretch.to.max(other.to),
                    from_offset: stretch.from_offset.min(other.from_offset),
                    to_offset: stretch.to_offset.max(other.to_offset),
                };
            }
            !touches
        });
        if self.checked.len() >= STRETCHES {
            self.checked.remove(0);
        }
        self.checked.push(stretch);
    }

    /// The segment ends at `position` from now on, with the batch before `offset`.
    pub(super) fn truncate(&mut self, position: u64, offset: i64) {
        self.cold_end = self.cold_end.min(position);
        self.cold_end_offset = self.cold_end_offset.min(offset);
        let cut = |place: &mut Stretch| {
            place.to = place.to.min(position);
            place.to_offset = place.to_offset.min(offset);
            place.from_offset < place.to_offset
        };
        self.checked.retain_mut(cut);
        self.damages.retain_mut(|damage| cut(&mut damage.place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(from: u64, to: u64) -> Stretch {
        Stretch { from, to, from_offset: from as i64 / 10, to_offset: to as i64 / 10 }
    }

    #[test]
    fn what_was_appended_is_known_and_what_was_there_only_when_checked() {
        let mut verified = Verified::cold(1000, 100);
        assert_eq!((verified.look(99), verified.look(100)), (Look::Cold, Look::Checked { until: u64::MAX }));
        verified.checked(stretch(200, 400), Vec::new());
        assert_eq!(verified.look(20), Look::Checked { until: 400 });
        assert_eq!((verified.look(19), verified.look(40)), (Look::Cold, Look::Cold));
        assert_eq!((verified.ahead(300, 50), verified.ahead(360, 50)), (None, Some(40)));
        verified.checked(stretch(400, 1000), Vec::new());
        assert_eq!(verified.look(20), Look::Checked { until: u64::MAX });
        let damage = Damage { place: stretch(100, 150), reason: "rot".to_owned() };
        verified.checked(stretch(0, 300), vec![damage.clone()]);
        assert_eq!(
            (verified.look(9), verified.look(12)),
            (Look::Checked { until: 100 }, Look::Damaged(&damage))
        );
        assert_eq!(verified.look(15), Look::Checked { until: u64::MAX });
        verified.truncate(120, 12);
        assert_eq!(verified.look(12), Look::Checked { until: u64::MAX }, "appended anew");
        assert!(matches!(verified.look(11), Look::Damaged(_)));
        assert_eq!(Verified::default().look(0), Look::Checked { until: u64::MAX });
    }

    #[test]
    fn readers_that_jump_about_cost_bounded_memory() {
        let mut verified = Verified::cold(1 << 30, 1 << 30);
        for place in 0..1000 {
            verified.checked(stretch(place * 1000, place * 1000 + 10), Vec::new());
            assert!(matches!(verified.look(place as i64 * 100), Look::Checked { .. }));
        }
        assert_eq!(verified.checked.len(), STRETCHES);
    }
}
