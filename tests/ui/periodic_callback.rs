//! The callback of a PeriodicCallback returns nothing, a Result, or a Future of a Result.

use std::time::Duration;

use squall::PeriodicCallback;

fn main() {
    PeriodicCallback::new(|| 5, Duration::from_secs(1)).start();
}
