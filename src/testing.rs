//! Tests of coroutines: time that jumps, one resume at a time.

mod stepper;
mod virtual_clock;

pub use stepper::Stepper;
pub use virtual_clock::VirtualClock;
