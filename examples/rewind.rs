//! Measures how long it takes to restore a checkpoint after a thousand steps. Run it with `--release`.

use std::time::Instant;

use squall::testing::TestLoop;
use squall::{moment, Result};

#[squall::coroutine]
fn count(to: u32) -> Result<u32> {
    for _ in 1..to {
        yield_!(moment())?;
    }
    Ok(to)
}

fn main() {
    let mut r = TestLoop::rewindable(|t| {
        for _ in 0..10 {
            drop(t.spawn(|| count(100)));
        }
    });
    r.run_until_idle();
    let checkpoint = r.checkpoint();
    let steps = r.steps().len();
    let start = Instant::now();
    for _ in 0..10 {
        r.restore(&checkpoint);
    }
    println!("{steps} steps restored in {:?}", start.elapsed() / 10);
}
