//! Memory is returned when a burst is over, and a loop under a steady load allocates nothing for its lists.

use std::alloc::System;
use std::time::Duration;

use squall::testing::VirtualClock;
use squall::{coroutine, moment, sleep, IoLoop};
use stats_alloc::{Region, StatsAlloc, INSTRUMENTED_SYSTEM};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MANY: u32 = 200_000;

/// Returns how many more bytes are allocated after `burst`, once the loop has slept, than before.
fn kept_after(burst: impl FnOnce(&IoLoop)) -> usize {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let _here = io_loop.make_current();
    io_loop.run_sync(|| sleep(Duration::from_millis(1))).unwrap();
    let region = Region::new(COUNTING);
    burst(&io_loop);
    io_loop.run_sync(|| sleep(Duration::from_millis(1))).unwrap();
    let change = region.change();
    change.bytes_allocated.saturating_sub(change.bytes_deallocated)
}

/// One test, since all threads count on the same heap.
#[test]
fn bursts_leave_no_memory_behind() {
    let limit = 400_000;
    let kept = kept_after(|io_loop| {
        (0..MANY).for_each(|_| io_loop.add_callback(|| ()));
        io_loop.run_sync(moment).unwrap();
    });
    assert!(kept < limit, "callbacks: {kept}");
    let kept = kept_after(|io_loop| {
        let timers: Vec<_> =
            (0..MANY).map(|n| io_loop.call_later(Duration::from_secs(u64::from(n)), || ())).collect();
        timers.iter().for_each(|timer| io_loop.remove_timeout(timer));
    });
    assert!(kept < limit, "timers that were taken back: {kept}");
    let kept = kept_after(|io_loop| {
        (0..MANY).for_each(|n| drop(io_loop.call_later(Duration::from_millis(u64::from(n % 1000)), || ())));
        io_loop.run_sync(|| sleep(Duration::from_secs(2))).unwrap();
    });
    assert!(kept < limit, "timers that were due: {kept}");
    let kept = kept_after(|io_loop| {
        let sleeps: Vec<_> = (0..MANY).map(|_| sleep(Duration::from_secs(9))).collect();
        sleeps.iter().for_each(|sleep| assert!(sleep.cancel()));
        drop(sleeps);
        io_loop.run_sync(moment).unwrap();
    });
    assert!(kept < limit, "sleeps that were cancelled: {kept}");
    let kept = kept_after(|_| {
        let lasting: Vec<_> = (0..100).map(|_| sleep(Duration::from_secs(9))).collect();
        let region = Region::new(COUNTING);
        (0..MANY).for_each(|_| assert!(sleep(Duration::from_secs(9)).cancel()));
        let change = region.change();
        let kept = change.bytes_allocated.saturating_sub(change.bytes_deallocated);
        assert!(kept < 50_000, "sleeps that were cancelled one after the other: {kept}");
        lasting.iter().for_each(|sleep| assert!(sleep.cancel()));
    });
    assert!(kept < limit, "sleeps that were cancelled one after the other: {kept}");
    let kept = kept_after(|io_loop| {
        let nap = || coroutine(|co| async move { co.yield_(sleep(Duration::from_secs(1))).await });
        (0..MANY).for_each(|_| drop(nap()));
        io_loop.run_sync(|| sleep(Duration::from_secs(2))).unwrap();
    });
    assert!(kept < limit, "coroutines that slept: {kept}");
    let kept = kept_after(|io_loop| {
        let handle = io_loop.handle();
        (0..MANY).for_each(|_| handle.add_callback(|| ()));
        io_loop.run_sync(moment).unwrap();
    });
    assert!(kept < limit, "callbacks of other threads: {kept}");
    a_steady_loop_allocates_nothing_for_its_lists();
}

fn a_steady_loop_allocates_nothing_for_its_lists() {
    let io_loop = IoLoop::with_clock(VirtualClock::new());
    let _here = io_loop.make_current();
    // The memory of 4,000 callbacks at once is used again by the next 4,000.
    let round = || {
        (0..4000).for_each(|_| io_loop.add_callback(|| ()));
        io_loop.run_sync(|| sleep(Duration::from_millis(2))).unwrap();
    };
    (0..10).for_each(|_| round());
    let region = Region::new(COUNTING);
    (0..10).for_each(|_| round());
    assert_eq!(region.change().reallocations, 0);
}
