//! The timers of a loop, in the order in which they are due.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fmt;
use std::mem::take;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::ready::{is_mostly_empty, Callback, ShrinkingSlab};
use squall_runner::trace::Queued;

/// A timer that was set, for [`IoLoop::remove_timeout`](crate::IoLoop::remove_timeout).
#[derive(Clone)]
pub struct Timeout {
    due: Due,
    callback: Callback,
}

/// The order of timers: by deadline, then oldest first.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Due {
    /// Nanoseconds since the loop was created.
    deadline: u64,
    /// The timer's age: how many timers the loop had set, with this one.
    made: u64,
    /// The timer's place in `Timers::set`.
    place: usize,
}

impl Due {
    /// Returns deadline and age as one number, which is faster to compare.
    fn key(&self) -> u128 {
        u128::from(self.deadline) << 64 | u128::from(self.made)
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    // Each of these is one subtraction, where the default compares three ways: heaps and sorting call them.
    fn lt(&self, other: &Self) -> bool {
        self.key() < other.key()
    }

    fn le(&self, other: &Self) -> bool {
        self.key() <= other.key()
    }
}

/// Converts to nanoseconds, at most `u64::MAX` (584 years).
fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}

impl Timeout {
    /// The last possible deadline, 584 years after the loop was created. Later deadlines are moved to it.
    pub(super) const LAST: Duration = Duration::from_nanos(u64::MAX);

    /// Returns when the timer is due, measured from the creation of the loop.
    pub fn deadline(&self) -> Duration {
        Duration::from_nanos(self.due.deadline)
    }

    /// Withdraws the callback, which is not going to run.
    pub(crate) fn withdraw(&self) {
        self.callback.withdraw();
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("deadline", &self.deadline()).finish_non_exhaustive()
    }
}

/// A timer that was taken back.
pub(crate) struct Removed {
    /// Its number among those of its loop.
    pub(super) number: u64,
    /// The callback of the removed timer, dropped together with this.
    _callback: Callback,
}

impl Timeout {
    /// Returns the number of the timer among those of its loop.
    pub(super) fn number(&self) -> u64 {
        self.due.made
    }

    /// Returns the place of the timer among those that are set.
    pub(super) fn place(&self) -> usize {
        self.due.place
    }

    /// Returns what it calls, as a trace names it.
    pub(super) fn queued_as(&self) -> Queued {
        self.callback.queued_as()
    }
}

/// A loop with fewer timers than this does not look for those that are no longer needed.
const FEW: usize = 64;

/// How many timers are looked at before all of them are.
const SAMPLE: usize = 32;

/// The timers of a loop.
///
/// A timer that is removed leaves its entry in the heap, which costs less than searching for it. The entry is dropped
/// when it reaches the top, or when such entries are more than three quarters of the heap.
#[derive(Default)]
pub(crate) struct Timers {
    /// The earliest deadline is on top.
    heap: BinaryHeap<Reverse<Due>>,
    /// The timers that are set. A place is reused by a later timer.
    set: ShrinkingSlab<Timer>,
    /// How many timers were ever set.
    made: u64,
}

/// A timer that is set.
struct Timer {
    /// Its age, which distinguishes it from another timer that used the same place.
    made: u64,
    callback: Callback,
    /// The line that set it; `None` if that was in the background.
    #[cfg_attr(not(feature = "trace"), allow(dead_code))] // Only the tools of `testing` ask for it.
    location: Option<&'static Location<'static>>,
}

impl Timers {
    /// Returns whether adding one more timer would allocate.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.heap.len() == self.heap.capacity() && self.set.len() >= FEW
    }

    /// Removes and returns the timers that are no longer needed. Leaves room for as many again, so each addition costs
    /// amortised O(1). If few are in vain, it may leave them until the list has doubled.
    #[cold]
    pub(crate) fn make_room(&mut self) -> Vec<Callback> {
        if self.are_some_in_vain() {
            self.take_those_in_vain()
        } else {
            Vec::new()
        }
    }

    /// Returns whether one of a few timers is not needed, or was removed. Looking at all of them would cost two cache
    /// misses for each timer that is ever set. If half of them are in vain, a sample misses that once in 2^32 times; the
    /// next sample has other timers.
    fn are_some_in_vain(&self) -> bool {
        // Multiples of the golden ratio are evenly distributed, and have no period that a program could have as well.
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let entries = self.heap.as_slice();
        #[allow(clippy::cast_possible_truncation)] // It is less than the length.
        let mut sample = (self.made..).take(SAMPLE).map(|n| {
            let fraction = u128::from(n.wrapping_mul(GOLDEN));
            ((fraction * entries.len() as u128) >> u64::BITS) as usize
        });
        sample.any(|index| {
            let Reverse(due) = &entries[index];
            !is_set(&self.set, due) || is_in_vain(&self.set[due.place])
        })
    }

    fn take_those_in_vain(&mut self) -> Vec<Callback> {
        let places: Vec<usize> =
            self.set.iter().filter(|(_, timer)| is_in_vain(timer)).map(|(place, _)| place).collect();
        let in_vain = places.into_iter().map(|place| self.set.remove(place).callback).collect();
        self.heap.retain(|Reverse(due)| is_set(&self.set, due));
        self.heap.reserve(self.heap.len());
        in_vain
    }

    pub(crate) fn add(
        &mut self,
        deadline: Duration,
        callback: Callback,
        location: Option<&'static Location<'static>>,
    ) -> Timeout {
        self.made += 1;
        let made = self.made;
        let place = self.set.insert(Timer { made, callback: callback.clone(), location });
        let due = Due { deadline: nanoseconds(deadline), made, place };
        self.heap.push(Reverse(due));
        Timeout { due, callback }
    }

    /// Removes a timer and returns its callback. Ignores a timer of another loop, even with equal age and place.
    pub(crate) fn remove(&mut self, timeout: &Timeout) -> Option<Removed> {
        let Due { made, place, .. } = timeout.due;
        let timer = self.set.get(place)?;
        if timer.made != made || !Rc::ptr_eq(&timer.callback, &timeout.callback) {
            return None;
        }
        Some(self.take_out(place))
    }

    /// Removes the timer at `place` if it would call `callback`.
    pub(super) fn remove_own<T>(&mut self, place: usize, callback: *const T) -> Option<Removed> {
        let timer = self.set.get(place)?;
        let is_own = std::ptr::addr_eq(Rc::as_ptr(&timer.callback), callback);
        is_own.then(|| self.take_out(place))
    }

    fn take_out(&mut self, place: usize) -> Removed {
        let Timer { made, callback, .. } = self.set.remove(place);
        let removed = Removed { number: made, _callback: callback };
        if self.heap.len() > 4 * self.set.len() + 32 {
            self.heap.retain(|Reverse(due)| is_set(&self.set, due));
            self.give_back_room();
        }
        removed
    }

    /// Returns memory that a burst of timers has left unused.
    fn give_back_room(&mut self) {
        if is_mostly_empty(self.heap.len(), self.heap.capacity()) {
            self.heap.shrink_to(2 * self.heap.len());
        }
        self.set.give_back_room();
    }

    /// Returns whether the heap is empty, also of entries of removed timers.
    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    pub(crate) fn next_deadline(&mut self) -> Option<Duration> {
        while let Some(Reverse(due)) = self.heap.peek() {
            if is_set(&self.set, due) {
                return Some(Duration::from_nanos(due.deadline));
            }
            self.heap.pop();
        }
        None
    }

    /// Takes those out that are due at `now`, in order, each with its number.
    pub(crate) fn take_due_with_age(&mut self, now: Duration, mut taken: impl FnMut(Callback, u64)) {
        let now = nanoseconds(now);
        // Popping one by one is faster for a few timers, sorting for many.
        let few = 32 + self.heap.len() / 64;
        for _ in 0..few {
            match self.heap.peek() {
                Some(Reverse(due)) if due.deadline <= now => {}
                _ => return self.give_back_room(),
            }
            if let Some(timer) = self.heap.pop().and_then(|Reverse(due)| self.take(&due)) {
                taken(timer.callback, timer.made);
            }
        }
        let mut entries = take(&mut self.heap).into_vec();
        let mut later = 0;
        for index in 0..entries.len() {
            if entries[index].0.deadline > now {
                entries.swap(index, later);
                later += 1;
            }
        }
        let due = &mut entries[later..];
        let oldest = self.made.saturating_sub(u32::MAX.into());
        if let Some(mut packed) = pack(due, oldest) {
            packed.sort_unstable_by_key(|&(first, then)| u128::from(first) << 64 | u128::from(then));
            self.take_each(packed.into_iter().map(|packed| unpack(packed, oldest)), &mut taken);
        } else {
            due.sort_unstable_by_key(|Reverse(due)| due.key());
            self.take_each(due.iter().map(|Reverse(due)| *due), &mut taken);
        }
        entries.truncate(later);
        self.heap = entries.into();
        self.give_back_room();
    }

    fn take_each(&mut self, entries: impl Iterator<Item = Due>, taken: &mut impl FnMut(Callback, u64)) {
        for due in entries {
            if let Some(timer) = self.take(&due) {
                taken(timer.callback, timer.made);
            }
        }
    }

    /// Takes out the timer of an entry, unless it was removed.
    fn take(&mut self, due: &Due) -> Option<Timer> {
        is_set(&self.set, due).then(|| self.set.remove(due.place))
    }

    /// Returns each timer's deadline and the line that set it, in order, without timers that have names of their own or
    /// were set in the background.
    #[cfg(feature = "trace")]
    pub(crate) fn left(&self) -> Vec<(Duration, &'static Location<'static>)> {
        let mut left: Vec<Due> = self.heap.iter().map(|Reverse(due)| *due).collect();
        left.retain(|due| is_set(&self.set, due) && self.set[due.place].callback.choice().is_none());
        left.sort_unstable();
        let left =
            left.iter().map(|due| Some((Duration::from_nanos(due.deadline), self.set[due.place].location?)));
        left.flatten().collect()
    }

    /// Withdraws all callbacks, since none of them will run.
    pub(crate) fn withdraw(mut self) {
        self.take_due_with_age(Duration::MAX, |callback, _| callback.withdraw());
    }
}

/// An entry as two words, which are sorted in less time than three: the deadline, and age and place as halves of a word.
type Packed = (u64, u64);

/// Packs entries, whose ages begin at `oldest`. Returns `None` if a number does not fit, which takes four thousand million
/// timers.
fn pack(entries: &[Reverse<Due>], oldest: u64) -> Option<Vec<Packed>> {
    let half = |number: u64| u32::try_from(number).ok().map(u64::from);
    let mut packed = Vec::with_capacity(entries.len());
    for Reverse(due) in entries {
        packed.push((due.deadline, half(due.made.checked_sub(oldest)?)? << 32 | half(due.place as u64)?));
    }
    Some(packed)
}

#[allow(clippy::cast_possible_truncation)] // It was a place.
fn unpack((deadline, halves): Packed, oldest: u64) -> Due {
    let place = halves & u64::from(u32::MAX);
    Due { deadline, made: oldest + (halves >> 32), place: place as usize }
}

/// Returns whether nothing needs the timer any more.
fn is_in_vain(timer: &Timer) -> bool {
    timer.callback.is_over(Rc::strong_count(&timer.callback))
}

fn is_set(set: &ShrinkingSlab<Timer>, due: &Due) -> bool {
    set.get(due.place).is_some_and(|timer| timer.made == due.made)
}

#[cfg(test)]
mod tests {
    use squall_runner::ready::callback;

    use super::*;

    fn take_due(timers: &mut Timers, now: Duration) {
        timers.take_due_with_age(now, |callback, _| callback.run());
    }

    type Called = std::cell::RefCell<Vec<usize>>;

    fn milliseconds(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// Sets timers that record their numbers when they run.
    fn set(timers: &mut Timers, deadlines: impl Iterator<Item = u64>) -> (Vec<Timeout>, Rc<Called>) {
        let called = Rc::<Called>::default();
        let timeouts = deadlines.enumerate().map(|(i, deadline)| {
            let called = called.clone();
            timers.add(milliseconds(deadline), callback(move || called.borrow_mut().push(i)), None)
        });
        (timeouts.collect(), called)
    }

    #[test]
    fn many_that_are_due_at_once_run_by_deadline_then_age() {
        let mut timers = Timers::default();
        let deadlines: Vec<u64> = (0..1000).map(|i| i * 7919 % 100).collect();
        let (_timeouts, called) = set(&mut timers, deadlines.iter().copied());
        take_due(&mut timers, milliseconds(49));
        take_due(&mut timers, milliseconds(99));
        let mut by_deadline: Vec<usize> = (0..1000).collect();
        by_deadline.sort_by_key(|&i| deadlines[i]);
        assert_eq!(*called.borrow(), by_deadline);
    }

    #[test]
    fn timers_whose_ages_are_far_apart_run_by_deadline_then_age() {
        let mut timers = Timers::default();
        let (_old, called_old) = set(&mut timers, (0..1000).map(|i| i % 10));
        timers.made += 1 << 33;
        let (_young, called_young) = set(&mut timers, (0..1000).map(|i| i % 10));
        let mut taken = Vec::new();
        timers.take_due_with_age(milliseconds(9), |callback, age| {
            taken.push(age);
            callback.run();
        });
        let mut by_deadline: Vec<usize> = (0..1000).collect();
        by_deadline.sort_by_key(|i| i % 10);
        assert_eq!((called_old.take(), called_young.take()), (by_deadline.clone(), by_deadline));
        let first: Vec<bool> = taken.iter().take(200).map(|age| *age <= 1000).collect();
        assert_eq!(first, [[true; 100], [false; 100]].concat(), "each deadline's older timers go first");
    }

    /// A timer's callback that nothing needs.
    struct InVain;
    impl squall_runner::ready::Withdraw for InVain {}
    impl squall_runner::ready::Run for InVain {
        fn run(self: Rc<Self>) {}
        fn is_over(&self, _holders: usize) -> bool {
            true
        }
    }

    #[test]
    fn timers_that_nothing_needs_leave_a_full_list() {
        // Every third one is needed.
        let mut timers = Timers::default();
        let (mut needed, mut most) = (0, 0);
        for deadline in 0..100_000 {
            if timers.is_full() {
                drop(timers.make_room());
            }
            let is_needed = deadline % 3 == 0 && needed < 1000;
            needed += usize::from(is_needed);
            let it: Callback = if is_needed { callback(|| ()) } else { Rc::new(InVain) };
            timers.add(milliseconds(deadline), it, None);
            most = most.max(timers.set.len());
        }
        assert!(needed == 1000 && most < 10 * needed, "{most} timers for {needed} that are needed");
    }

    #[test]
    fn timers_that_are_taken_back_leave_no_deadline_and_no_room() {
        let mut timers = Timers::default();
        let (timeouts, called) = set(&mut timers, (0..1000).rev());
        for timeout in &timeouts[..999] {
            assert!(timers.remove(timeout).is_some());
            assert!(timers.remove(timeout).is_none());
        }
        assert!(timers.heap.len() < 100);
        assert_eq!(timers.next_deadline(), Some(milliseconds(0)));
        take_due(&mut timers, milliseconds(1000));
        assert_eq!(*called.borrow(), [999]);
        assert_eq!(timers.next_deadline(), None);
    }

    #[test]
    fn a_timer_is_not_taken_back_by_the_handle_of_an_older_one_in_its_place() {
        let mut timers = Timers::default();
        let (old, _) = set(&mut timers, [1].into_iter());
        take_due(&mut timers, milliseconds(1));
        let (_young, called) = set(&mut timers, [2].into_iter());
        assert!(timers.remove(&old[0]).is_none());
        take_due(&mut timers, milliseconds(2));
        assert_eq!(*called.borrow(), [0]);
    }
}
