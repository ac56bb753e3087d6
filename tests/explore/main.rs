//! Every order in which ready coroutines and due timers may run; and a corpus of seeded concurrency bugs that are
//! found so, each with its fixed twin in which nothing is found.

mod embedded;
mod order;
mod orders;
mod updates;
mod waiting;

use squall::testing::{replay, Explore, TestLoop};

/// A test that finds a seeded bug, replays it from its schedule, and finds nothing in the fixed twin.
macro_rules! seeded {
    ($name:ident, |$t:ident, $fixed:ident| $world:block) => {
        #[test]
        fn $name() {
            fn world($t: &mut TestLoop, $fixed: bool) $world
            crate::found_and_fixed(world);
        }
    };
}
pub(crate) use seeded;

#[track_caller]
fn found_and_fixed(world: fn(&mut TestLoop, bool)) {
    let failure = Explore::new().check(|t| world(t, false)).expect_err("the bug was not found");
    let message = failure.to_string();
    assert!(message.lines().count() <= 40, "{message}");
    let again = std::panic::catch_unwind(|| replay(failure.schedule(), |t| world(t, false)));
    assert!(again.is_err(), "it was not found again: {message}");
    match Explore::new().orders(3_000).check(|t| world(t, true)) {
        Ok(explored) => assert!(explored.orders() > 0),
        Err(failure) => panic!("the fixed twin fails: {failure}"),
    }
}
