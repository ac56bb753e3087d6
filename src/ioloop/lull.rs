//! [`Lull`]: a time in which no descriptor becomes ready, so that a busy loop need not ask for them in each turn.

use std::cell::Cell;

/// How many polls in a row find nothing before the lull begins.
const POLLS: u8 = 16;

/// In how many turns of a lull the poller is asked once.
const TURNS: u8 = 4;

/// What the polls of a busy loop have found.
///
/// A turn takes less time than the system call that asks which descriptors are ready. While there are none, most of these
/// calls are left out. A descriptor that becomes ready then is seen at most three turns later.
#[derive(Debug, Default)]
pub(super) struct Lull {
    /// How many polls in a row have found nothing, at most [`POLLS`].
    empty: Cell<u8>,
    /// How many turns have passed in this lull since the last poll.
    turns: Cell<u8>,
}

impl Lull {
    /// Called when something was found, or may be found soon.
    pub(super) fn end(&self) {
        self.empty.set(0);
    }

    /// Called when a poll has found nothing.
    pub(super) fn found_nothing(&self) {
        self.empty.set(POLLS.min(self.empty.get() + 1));
    }

    /// Returns whether the poller need not be asked in this turn.
    pub(super) fn skips_turn(&self) -> bool {
        if self.empty.get() < POLLS {
            return false;
        }
        let turns = (self.turns.get() + 1) % TURNS;
        self.turns.set(turns);
        turns != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_skipped_after_many_polls_in_vain_until_something_is_found() {
        let lull = Lull::default();
        for _ in 0..2 {
            for _ in 0..POLLS {
                assert!(!lull.skips_turn());
                lull.found_nothing();
            }
            let skipped: Vec<_> = (0..8).map(|_| lull.skips_turn()).collect();
            assert_eq!(skipped, [true, true, true, false, true, true, true, false]);
            lull.end();
        }
    }
}
