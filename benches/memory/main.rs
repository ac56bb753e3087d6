//! The bytes of a waiting coroutine, on squall and on its peers. `cargo bench --bench peers` runs this as a part of
//! its table.
//!
//! Bytes are counted by the allocator, from before the first coroutine is made until all of them wait: with the
//! Future that each waits for, without the list of handles; once where they have no state of their own, once where
//! each has 64 bytes that it needs again after it has waited. The peak of the resident set is that of a process which
//! holds a million coroutines alive and runs them to the end, the list of handles included.

#[path = "../peers/executors.rs"]
mod executors;
#[path = "../peers/rows/waiting.rs"]
mod waiting;

use std::alloc::System;
use std::cell::Cell;
use std::process::Command;
use std::rc::Rc;

use squall::trace::{Recorder, Trace};
use squall::{moment, Co, IoLoop, Result};
use stats_alloc::{Region, StatsAlloc, INSTRUMENTED_SYSTEM};

use executors::{Pool, Smol, Tokio};
use waiting::Now;

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const CONTESTANTS: [&str; 4] = ["squall", "tokio", "async-executor", "LocalPool"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            table(100_000, 1_000_000);
            recordings(&[0, 100_000, 1_000_000]);
        }
        ["--quick"] => {
            table(20, 20);
            recordings(&[20]);
        }
        ["--alive", name, n] => {
            hold::<0>(name, n.parse().expect("how many coroutines"), |_| ());
            println!("{}", peak_of_this_process());
        }
        ["--record", events] => {
            drop(recorded(events.parse().expect("how many events")));
            println!("{}", peak_of_this_process());
        }
        _ => panic!("unknown arguments {arguments:?}"),
    }
}

fn table(counted: usize, alive: usize) {
    println!("Bytes per coroutine; the ratios are squall / peer.\n");
    println!("| row | {} | squall / tokio | squall / best peer | target |", CONTESTANTS.join(" | "));
    println!("|---|---:|---:|---:|---:|---|---|---|");
    let bytes = CONTESTANTS.map(|name| allocated::<0>(name, counted));
    print_row(&format!("bytes, {counted} waiting"), bytes.map(|(bytes, _)| bytes));
    let allocations = bytes.map(|(_, allocations)| format!("{allocations:.1}"));
    println!("| allocations of each | {} | | | stated |", allocations.join(" | "));
    let bytes = CONTESTANTS.map(|name| allocated::<64>(name, counted).0);
    print_row(&format!("bytes, {counted} waiting, each with 64 of its own"), bytes);
    print_row(
        &format!("peak RSS, {alive} alive"),
        CONTESTANTS.map(|name| peak_of(&["--alive", name], alive) / count(alive)),
    );
}

/// Prints the peak of a process that records each number of events, of which a recorder keeps the first 100,000.
fn recordings(events: &[usize]) {
    println!("\nPeak of the resident set of a process that records this many events:\n");
    println!("| events | MiB |\n|---:|---:|");
    for &events in events {
        println!("| {events} | {:.1} |", peak_of(&["--record"], events) / f64::from(1 << 20));
    }
}

/// Records about `events` events of a coroutine that lets the loop turn.
fn recorded(events: usize) -> Trace {
    Recorder::new().record(|| {
        on_squall(move |co| async move {
            // A round is four events: the turn, the send, the yield and the wait.
            for _ in 0..events / 4 {
                co.yield_(moment()).await?;
            }
            Ok(())
        });
    })
}

fn print_row(row: &str, bytes: [f64; 4]) {
    let best = bytes[1..].iter().copied().fold(f64::INFINITY, f64::min);
    let (to_tokio, to_best) = (bytes[0] / bytes[1], bytes[0] / best);
    let met = if to_tokio <= 0.8 && to_best <= 1.0 { "met" } else { "not met" };
    let bytes = bytes.map(|bytes| format!("{bytes:.0}"));
    println!("| {row} | {} | {to_tokio:.2} | {to_best:.2} | 0.80 {met} |", bytes.join(" | "));
}

/// Returns the bytes and the allocations of each of `n` waiting coroutines.
fn allocated<const STATE: usize>(name: &str, n: usize) -> (f64, f64) {
    // The first run makes what a thread makes only once.
    hold::<STATE>(name, 1, |_| ());
    let (found, region) = (Rc::new(Cell::new((0.0, 0.0))), Cell::new(Region::new(COUNTING)));
    let each = found.clone();
    hold::<STATE>(name, n, move |now| match now {
        Now::Empty => region.set(Region::new(COUNTING)),
        Now::AllWait => {
            let change = region.replace(Region::new(COUNTING)).change();
            let bytes = count(change.bytes_allocated) - count(change.bytes_deallocated);
            let allocations = count(change.allocations) - count(change.deallocations);
            each.set((bytes / count(n), allocations / count(n)));
        }
    });
    found.get()
}

/// Makes `n` coroutines that wait, and runs them to the end.
fn hold<const STATE: usize>(name: &str, n: usize, at: impl FnMut(Now) + 'static) {
    match name {
        "squall" => waiting::squall::<STATE>(n, at),
        "tokio" => waiting::peer::<Tokio, STATE>(n, at),
        "async-executor" => waiting::peer::<Smol, STATE>(n, at),
        "LocalPool" => waiting::peer::<Pool, STATE>(n, at),
        _ => panic!("no contestant is called {name}"),
    };
}

/// Runs this program with `arguments`, and returns the peak of its resident set in bytes.
fn peak_of(arguments: &[&str], n: usize) -> f64 {
    let this = std::env::current_exe().expect("the path of this program");
    let output = Command::new(this).args(arguments).arg(n.to_string()).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().expect("it prints a number")
}

#[allow(clippy::cast_precision_loss)]
fn count(n: usize) -> f64 {
    n as f64
}

/// The peak of the resident set of this process, in bytes. Source: `VmHWM` in Linux's `/proc/self/status`.
fn peak_of_this_process() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the peak");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number of KiB") * 1024
}

/// Runs `body` as a coroutine on a new loop.
fn on_squall<T, F>(body: impl FnOnce(Co) -> F + 'static) -> T
where
    T: 'static,
    F: std::future::Future<Output = Result<T>> + 'static,
{
    IoLoop::new().run_sync(|| squall::coroutine(body)).expect("nothing in a bench raises")
}
