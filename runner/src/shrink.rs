//! [`ShrinkingSlab`], and when a list returns the memory of a burst.

use std::fmt;
use std::ops::{Deref, DerefMut};

use slab::Slab;

/// A list with room for this many entries keeps its memory.
pub(crate) const ROOM: usize = 4096;

/// Returns whether a list should return memory: it has room for thousands of entries and uses less than an eighth of
/// it. It then has to grow by that much before it allocates again, which pays for the copy.
///
/// ```
/// use squall_runner::ready::is_mostly_empty;
///
/// assert!(is_mostly_empty(3, 1_000_000));
/// assert!(!is_mostly_empty(500_000, 1_000_000) && !is_mostly_empty(0, 1000));
/// ```
#[inline]
pub fn is_mostly_empty(len: usize, capacity: usize) -> bool {
    capacity > ROOM && len < capacity / 8
}

/// A slab that returns the memory of a burst, in amortised O(1) for each removed entry.
///
/// An entry keeps its key, so only the room behind the last entry can be returned, and returning it takes time for each
/// free key that is left. So the slab returns memory only if that is at least half of it, and tries again only when half of
/// the entries are gone.
///
/// ```
/// use squall_runner::ready::ShrinkingSlab;
///
/// let mut numbers = ShrinkingSlab::default();
/// let keys: Vec<usize> = (0..10_000).map(|n| numbers.insert(n)).collect();
/// for key in &keys[5..] {
///     numbers.remove(*key);
/// }
/// numbers.give_back_room();
/// assert!(numbers.capacity() < 1000);
/// assert_eq!(numbers[keys[4]], 4);
/// ```
#[doc(hidden)]
pub struct ShrinkingSlab<T> {
    slab: Slab<T>,
    /// The number of entries at the last attempt to return memory, or `usize::MAX` if the slab was well filled since.
    tried: usize,
}

impl<T> ShrinkingSlab<T> {
    /// Returns memory that a burst has left unused. Call this now and then, such as in each turn of a loop.
    #[inline]
    pub fn give_back_room(&mut self) {
        if is_mostly_empty(self.slab.len(), self.slab.capacity()) {
            self.try_to_shrink();
        } else {
            self.tried = usize::MAX;
        }
    }

    fn try_to_shrink(&mut self) {
        let (len, capacity) = (self.slab.len(), self.slab.capacity());
        if len <= self.tried / 2 {
            self.tried = len;
            let last = || self.slab.iter().next_back().map_or(0, |(last, _)| last);
            if len == 0 {
                // Shrinking would visit each free key.
                self.slab = Slab::new();
            } else if last() < capacity / 2 {
                self.slab.shrink_to_fit();
            }
        }
    }

    /// Returns the slab itself.
    pub fn into_inner(self) -> Slab<T> {
        self.slab
    }
}

impl<T> Default for ShrinkingSlab<T> {
    fn default() -> Self {
        Self { slab: Slab::new(), tried: usize::MAX }
    }
}

impl<T> Deref for ShrinkingSlab<T> {
    type Target = Slab<T>;

    #[inline]
    fn deref(&self) -> &Slab<T> {
        &self.slab
    }
}

impl<T> DerefMut for ShrinkingSlab<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Slab<T> {
        &mut self.slab
    }
}

impl<T> fmt::Debug for ShrinkingSlab<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShrinkingSlab").field("len", &self.slab.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Removes entries one by one, and returns how often the slab returned memory.
    fn times_returned(mut slab: ShrinkingSlab<()>, keys: impl Iterator<Item = usize>) -> usize {
        let mut times = 0;
        for key in keys {
            slab.remove(key);
            let before = slab.capacity();
            slab.give_back_room();
            times += usize::from(slab.capacity() < before);
        }
        assert!(slab.capacity() <= ROOM);
        times
    }

    #[test]
    fn entries_that_go_one_by_one_from_the_end_return_memory_a_few_times() {
        let mut slab = ShrinkingSlab::default();
        for _ in 0..100_000 {
            slab.insert(());
        }
        // The first entries go first, so all free keys are in front of the entries that are left.
        (0..90_000).for_each(|key| slab.remove(key));
        let times = times_returned(slab, (90_000..100_000).rev());
        assert!((1..20).contains(&times), "returned {times} times");
    }
}
