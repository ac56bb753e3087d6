//! Tests of coroutines: time that jumps.

mod virtual_clock;

pub use virtual_clock::VirtualClock;
