//! Measures what a second of waiting costs: the loop sleeps in the poller and does not spin.
//!
//! `cargo run --example idle` prints the CPU time of one idle second, and of one in which another thread calls back
//! every ten milliseconds.

use std::time::{Duration, Instant};

use squall::{sleep, IoLoop, Result};

fn main() -> Result<()> {
    let io_loop = IoLoop::current();
    measure("idle, one timer", || io_loop.run_sync(|| sleep(Duration::from_secs(1))))?;

    let handle = io_loop.handle();
    let caller = std::thread::spawn(move || {
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(10));
            handle.add_callback(|| ());
        }
        handle.add_callback(|| IoLoop::current().stop());
    });
    measure("a callback every 10 ms", || {
        io_loop.start();
        Ok(())
    })?;
    caller.join().expect("it does not panic");
    Ok(())
}

fn measure(what: &str, f: impl FnOnce() -> Result<()>) -> Result<()> {
    let (before, start) = (cpu_time(), Instant::now());
    f()?;
    let (cpu, wall) = (cpu_time().saturating_sub(before), start.elapsed());
    println!("{what}: {wall:.1?} of wall time, {cpu:.1?} of CPU time");
    Ok(())
}

/// Returns the CPU time that this process has used so far, in user and system mode.
#[cfg(target_os = "linux")]
fn cpu_time() -> Duration {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let (seconds, nanos) = (clock.tv_sec.unsigned_abs(), clock.tv_nsec.unsigned_abs());
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

#[cfg(not(target_os = "linux"))]
fn cpu_time() -> Duration {
    Duration::ZERO
}
