//! [`Budget`]: how many operations sockets may do in one turn of their loop.

use std::cell::Cell;

/// How many operations all sockets of a loop may do together in one turn, beyond the share of each.
const BUDGET: u32 = 128;

/// The operations that are left in this turn. It keeps sockets that are always ready from starving timers, callbacks
/// and each other.
#[derive(Default)]
pub(super) struct Budget {
    turn: Cell<u32>,
    left: Cell<u32>,
}

impl Budget {
    /// Restores the budget at the beginning of a turn.
    #[inline]
    pub(super) fn begin_turn(&self) {
        self.turn.set(self.turn.get().wrapping_add(1));
        self.left.set(BUDGET);
    }

    pub(super) fn turn(&self) -> u32 {
        self.turn.get()
    }

    pub(super) fn take(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}
