//! Runs random programs of coroutines, locks, queues, time limits and cancellation on the real clock, and prints
//! whether throughput and memory stay as they are. The argument is the number of seconds, 10 without one.
//!
//! Each of many lanes makes one world after another, starts random coroutines in it, wakes those that would wait for
//! ever, and checks the invariants. Ctrl-C ends it in good order.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use squall::{moment, sleep, IoLoop, PeriodicCallback, Result};

#[path = "../tests/properties/world.rs"]
mod world;

use world::{start, Action, Alive, Fate, Worker, World, MS};

const LANES: u64 = 50;

/// The amount of work done so far, and whether to stop.
#[derive(Default)]
struct Figures {
    worlds: Cell<u64>,
    coroutines: Cell<u64>,
    actions: Cell<u64>,
    stop: Cell<bool>,
}

fn add(figure: &Cell<u64>, n: usize) {
    figure.set(figure.get() + n as u64);
}

/// Random numbers that are equal in each run: splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u8) -> u8 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u8::try_from((z ^ (z >> 31)) % u64::from(n)).unwrap_or_default()
    }

    fn limit(&mut self) -> Option<u8> {
        (self.below(3) == 0).then(|| 1 + self.below(9))
    }

    fn action(&mut self) -> Action {
        match self.below(11) {
            0 => Action::Sleep(self.below(5)),
            1 => Action::Lock { limit: self.limit(), hold: self.below(5) },
            2 => Action::Enter { limit: self.limit(), hold: self.below(5) },
            3 => Action::Put { limit: self.limit() },
            4 => Action::Get { limit: self.limit() },
            5 => Action::GiveUpGet { after: 1 + self.below(4) },
            6 => Action::Wait { limit: self.limit() },
            7 => Action::Notify(1 + self.below(3)),
            8 => Action::WaitEvent { limit: self.limit() },
            9 => Action::SetEvent,
            _ => Action::ClearEvent,
        }
    }

    fn worker(&mut self) -> Worker {
        Worker {
            native: self.below(2) == 0,
            actions: (0..=self.below(8)).map(|_| self.action()).collect(),
            fate: match self.below(3) {
                0 => Fate::Kept,
                1 => Fate::Dropped,
                _ => Fate::CancelledAt(self.below(20)),
            },
        }
    }
}

#[squall::coroutine]
fn lane(mut random: Random, figures: Rc<Figures>) -> Result<()> {
    while !figures.stop.get() {
        let alive = Alive::default();
        let world = World::new(&alive);
        let (mut kept, mut given_up) = (Vec::new(), 0);
        for _ in 0..=random.below(12) {
            let worker = random.worker();
            add(&figures.coroutines, 1);
            add(&figures.actions, worker.actions.len());
            given_up += worker.actions.iter().filter(|a| matches!(a, Action::GiveUpGet { .. })).count();
            let fate = worker.fate.clone();
            let future = start(&world, worker);
            match fate {
                Fate::Kept => kept.push(future),
                Fate::Dropped => drop(future),
                Fate::CancelledAt(ms) => {
                    IoLoop::current().call_later(u32::from(ms) * MS, move || {
                        future.cancel();
                    });
                }
            }
        }
        yield_!(sleep(20 * MS))?;
        while alive.bodies.get() > 0 {
            world.help();
            yield_!(sleep(MS))?;
        }
        yield_!(kept)?;
        // A request that `with_timeout` has given up stays in line. An item that it is given comes back a turn later.
        for _ in 0..=given_up {
            yield_!(moment())?;
        }
        world.check();
        drop(world);
        assert_eq!(alive.items.get(), 0, "items that are left");
        add(&figures.worlds, 1);
    }
    Ok(())
}

#[squall::coroutine]
fn soak(length: Duration) -> Result<Rc<Figures>> {
    let (io_loop, figures) = (IoLoop::current(), Rc::new(Figures::default()));
    let ending = figures.clone();
    io_loop.call_later(length, move || ending.stop.set(true));
    let ending = figures.clone();
    io_loop.add_signal_handler(2, move || ending.stop.set(true))?;

    println!("{:>8} {:>10} {:>12} {:>12} {:>10}", "seconds", "worlds", "coroutines", "actions/s", "KiB");
    let (printed, begin) = (Cell::new((Duration::ZERO, 0)), io_loop.time());
    let seen = figures.clone();
    let print = PeriodicCallback::new(
        move || {
            let (now, actions) = (IoLoop::current().time().saturating_sub(begin), seen.actions.get());
            let (before, actions_before) = printed.replace((now, actions));
            #[allow(clippy::cast_precision_loss)]
            let speed = (actions - actions_before) as f64 / now.saturating_sub(before).as_secs_f64();
            let (worlds, coroutines) = (seen.worlds.get(), seen.coroutines.get());
            println!(
                "{:>8.0} {worlds:>10} {coroutines:>12} {speed:>12.0} {:>10}",
                now.as_secs_f64(),
                memory()
            );
        },
        (length / 20).clamp(Duration::from_secs(1), Duration::from_secs(60)),
    );
    print.start();
    let lanes: Vec<_> = (0..LANES).map(|seed| lane(Random(seed), figures.clone())).collect();
    let done = yield_!(lanes);
    print.stop();
    io_loop.remove_signal_handler(2);
    done.map(|_| figures)
}

/// Returns the resident set of the process in KiB, if the system tells it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or_else(|| "-".to_owned(), |line| line.trim().trim_end_matches(" kB").to_owned())
}

fn main() -> Result<()> {
    env_logger::builder().filter_level(log::LevelFilter::Error).format_timestamp(None).init();
    let seconds = match std::env::args().nth(1) {
        Some(argument) => argument.parse()?,
        None => 10,
    };
    let figures = IoLoop::current().run_sync(|| soak(Duration::from_secs(seconds)))?;
    println!("{} worlds, and in each all was as it must be", figures.worlds.get());
    Ok(())
}
