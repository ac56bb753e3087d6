//! Tests of coroutines: time that jumps, one resume at a time, in an order that the test chooses. The [`guide`] shows
//! all of it, from small to large.

/// A guide to testing: one coroutine by hand, many of them one resume at a time, in virtual time, in every order, and
/// backwards.
///
#[cfg(all(feature = "macros", feature = "net", feature = "trace"))]
#[doc = include_str!("../docs/testing.md")]
pub mod guide {}

#[cfg(feature = "trace")]
mod active;
#[cfg(feature = "trace")]
mod assertions;
#[cfg(feature = "trace")]
mod choice;
#[cfg(feature = "trace")]
mod embedded;
#[cfg(feature = "trace")]
mod explore;
#[cfg(feature = "trace")]
mod explored;
#[cfg(feature = "trace")]
mod files;
#[cfg(feature = "trace")]
mod going_on;
#[cfg(feature = "trace")]
mod left_out;
#[cfg(feature = "trace")]
mod limit;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "trace")]
mod orders;
#[cfg(feature = "trace")]
mod report;
#[cfg(feature = "trace")]
mod rewind;
#[cfg(feature = "trace")]
mod ring;
#[cfg(feature = "trace")]
mod schedule;
#[cfg(feature = "trace")]
mod step;
mod stepper;
#[cfg(feature = "trace")]
mod test_loop;
#[cfg(feature = "trace")]
pub(crate) mod test_run;
mod unstarted;
mod virtual_clock;
#[cfg(feature = "trace")]
mod waits;
#[cfg(feature = "trace")]
mod watch;

#[cfg(feature = "trace")]
pub use assertions::{Pattern, Steps};
#[cfg(feature = "trace")]
pub use embedded::replay_program;
#[cfg(feature = "trace")]
pub use explore::{explore, replay, Explore};
#[cfg(feature = "trace")]
pub use explored::{Explored, Failure};
#[cfg(feature = "net")]
pub use net::{net, Link, Net, Split};
#[cfg(feature = "trace")]
pub use rewind::{Checkpoint, Rewindable};
#[cfg(feature = "trace")]
pub use step::{CallName, Step};
pub use stepper::Stepper;
#[cfg(feature = "trace")]
pub use test_loop::{SharedTestLoop, TestLoop};
pub use virtual_clock::VirtualClock;
#[cfg(feature = "trace")]
pub use waits::{Wait, Waits};
