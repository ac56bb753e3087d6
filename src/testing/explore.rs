//! [`explore`]: a test under every order in which what is ready may run.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::orders::{Order, Orders, Random};
use super::report::{counted, Report};
use super::schedule::{self, Problem, Run};
use super::TestLoop;

/// Runs `f` once for each order in which ready coroutines, due timers and finished jobs may run, up to 10,000
/// orders; the usual order first, then those that depart from it least. See [`Explore`] for one with settings.
///
/// ```
/// use std::{cell::Cell, rc::Rc};
/// use squall::testing::explore;
/// use squall::{moment, Result};
///
/// #[squall::coroutine]
/// fn deposit(balance: Rc<Cell<u32>>) -> Result<()> {
///     yield_!(moment())?;
///     balance.set(balance.get() + 50);                   // not over a yield: nothing gets lost
///     Ok(())
/// }
///
/// let explored = explore(|t| {
///     let balance = Rc::new(Cell::new(0));
///     let (one, other) = (balance.clone(), balance.clone());
///     drop((t.spawn(|| deposit(one)), t.spawn(|| deposit(other))));
///     t.run_until_idle();
///     assert_eq!(balance.get(), 100);
/// });
/// assert_eq!(explored.to_string(), "6 orders, which is all there are");
/// ```
///
/// It fails if `f` panics; if, when `f` is over, a coroutine waits that nothing can wake any more; and if an
/// exception was raised that nobody has retrieved.
///
/// # Panics
/// If one of the orders fails: with the trace of the shortest that does, and the line that replays it.
#[track_caller]
pub fn explore(f: impl Fn(&mut TestLoop)) -> Explored {
    Explore::new().run(f)
}

/// Runs `f` once, in the order that a failed [`explore`] has printed.
///
/// A schedule is a version and names, one for each turn: `v1:producer,consumer,consumer`. When they are used up,
/// the order is the usual one.
///
/// ```
/// use squall::testing::replay;
/// use squall::{moment, Result};
///
/// #[squall::coroutine]
/// fn tick() -> Result<()> { yield_!(moment()) }
///
/// replay("v1:tick#2,tick#2,tick", |t| {
///     drop((t.spawn(tick), t.spawn(tick)));
///     assert_eq!(t.step().runner().nth(), 2);
///     t.run_until_idle();
/// });
/// ```
///
/// # Panics
/// As `f` does; if the schedule is of another version; if one that it names cannot run.
#[track_caller]
pub fn replay(schedule: &str, f: impl Fn(&mut TestLoop)) {
    let mut test_loop = TestLoop::new();
    test_loop.chooser = Some(schedule::parse(schedule, Location::caller()));
    let _active = test_loop.activate();
    f(&mut test_loop);
    let fails = schedule::settle(&mut test_loop, Allow::default());
    if let Some(problem) = fails {
        test_loop.fail(&problem);
    }
}

/// [`explore`] with settings.
///
/// ```
/// use squall::testing::Explore;
/// use squall::{moment, Result};
///
/// #[squall::coroutine]
/// fn tick() -> Result<()> { yield_!(moment()) }
///
/// let explored = Explore::new().preemptions(1).run(|t| {
///     drop((t.spawn(tick), t.spawn(tick)));
///     t.run_until_idle();
/// });
/// assert_eq!((explored.orders(), explored.complete()), (4, false));
/// ```
#[derive(Debug, Clone)]
#[must_use = "it explores when it is run"]
pub struct Explore {
    preemptions: usize,
    steps: usize,
    orders: Option<usize>,
    seed: Option<u64>,
    allow: Allow,
}

/// What is no failure.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Allow {
    pub(super) waiting: bool,
    pub(super) unretrieved: bool,
    pub(super) timers: bool,
}

impl Allow {
    /// Of a list such as `"waiting, timers"`.
    ///
    /// # Errors
    /// The word that is none of them.
    pub(super) fn parse(list: &str) -> Result<Self, String> {
        let mut allow = Self::default();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "waiting" => allow.waiting = true,
                "unretrieved" => allow.unretrieved = true,
                "timers" => allow.timers = true,
                _ => return Err(format!("`{word}` is none of `waiting`, `unretrieved` and `timers`")),
            }
        }
        Ok(allow)
    }
}

impl Default for Explore {
    fn default() -> Self {
        Self::new()
    }
}

impl Explore {
    /// Every order, up to 10,000.
    pub fn new() -> Self {
        Self { preemptions: usize::MAX, steps: 1_000, orders: None, seed: None, allow: Allow::default() }
    }

    /// Only orders with at most so many preemptions. A preemption is a choice of somebody else than the one whose
    /// turn it is in the loop's own order.
    pub fn preemptions(self, preemptions: usize) -> Self {
        Self { preemptions, ..self }
    }

    /// Departs from the usual order only within the first so many choices; 1,000 if nothing else is said.
    pub fn steps(self, steps: usize) -> Self {
        Self { steps, ..self }
    }

    /// At most so many orders: 10,000 if nothing else is said, and 1,000 at random.
    pub fn orders(self, orders: usize) -> Self {
        Self { orders: Some(orders), ..self }
    }

    /// Orders at random, where there are too many to try them all. The same seed gives the same orders; that of
    /// the environment variable `SQUALL_SEED` is taken instead if there is one.
    pub fn random(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// What is no failure: `"waiting"`, coroutines that wait for ever; `"unretrieved"`, exceptions that nobody
    /// has retrieved.
    ///
    /// # Panics
    /// If it is another word.
    #[track_caller]
    pub fn allow(self, what: &str) -> Self {
        match Allow::parse(what) {
            Ok(allow) => Self { allow, ..self },
            Err(problem) => panic!("{problem}"),
        }
    }

    /// Runs `f` in each order.
    ///
    /// # Panics
    /// As [`explore`].
    #[track_caller]
    pub fn run(self, f: impl Fn(&mut TestLoop)) -> Explored {
        match self.check(f) {
            Ok(explored) => explored,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Runs `f` in each order, and gives the failure instead of panicking.
    ///
    /// # Errors
    /// The shortest order that fails.
    #[track_caller]
    pub fn check(self, f: impl Fn(&mut TestLoop)) -> Result<Explored, Failure> {
        let f: &dyn Fn(&mut TestLoop) = &f;
        let allow = self.allow;
        let run = |order: &Order| Run::of(f, order, allow, self.steps, false);
        match self.seed {
            Some(seed) => {
                let seed = seed_of_environment().unwrap_or(seed);
                let mut random = Random::new(seed);
                for nth in 1..=self.orders.unwrap_or(1_000) {
                    let ran = run(&Order::Random(random.next()));
                    if ran.problem.is_some() {
                        let shortest = shorter(&run, ran);
                        return Err(self.failure(f, &shortest, nth, Some(seed)));
                    }
                }
                let orders = self.orders.unwrap_or(1_000);
                Ok(Explored { orders, complete: false, seed: Some(seed) })
            }
            None => {
                let mut orders = Orders::new(self.preemptions);
                let limit = self.orders.unwrap_or(10_000);
                let mut tried = 0;
                let complete = loop {
                    let Some(order) = orders.next() else { break orders.is_complete() };
                    if tried == limit {
                        break false;
                    }
                    let ran = run(&Order::Picks(order.clone()));
                    tried += 1;
                    orders.check(&order, &ran.widths);
                    if ran.problem.is_some() {
                        return Err(self.failure(f, &order, tried, None));
                    }
                    orders.ran(order, ran.widths, ran.cut);
                };
                Ok(Explored { orders: tried, complete, seed: None })
            }
        }
    }

    /// The order again, with everything that a message needs.
    fn failure(&self, f: &dyn Fn(&mut TestLoop), picks: &[u16], tried: usize, seed: Option<u64>) -> Failure {
        let ran = Run::of(f, &Order::Picks(picks.to_vec()), self.allow, self.steps, true);
        let preemptions = picks.iter().filter(|pick| **pick > 0).count();
        let problem = ran.problem.unwrap_or_else(|| {
            Problem::new("it failed once and not when it was repeated: it does not repeat itself".to_owned())
        });
        Failure { problem, schedule: ran.schedule, report: ran.report, tried, preemptions, seed }
    }
}

/// The picks of a failed run, with as many of them as possible those of the usual order.
fn shorter(run: &impl Fn(&Order) -> Run, failed: Run) -> Vec<u16> {
    let mut picks = failed.picks;
    let trim = |picks: &mut Vec<u16>| while picks.pop_if(|pick| *pick == 0).is_some() {};
    trim(&mut picks);
    // Long runs of departures go first, then shorter ones.
    let mut chunk = picks.len().max(1);
    let mut budget = 1_000;
    while chunk > 0 {
        let mut start = 0;
        while start < picks.len() && budget > 0 {
            let mut candidate = picks.clone();
            let end = (start + chunk).min(candidate.len());
            candidate[start..end].fill(0);
            if candidate != picks {
                budget -= 1;
                let ran = run(&Order::Picks(candidate.clone()));
                if ran.problem.is_some() {
                    picks = candidate;
                    trim(&mut picks);
                }
            }
            start += chunk;
        }
        chunk /= 2;
    }
    picks
}

fn seed_of_environment() -> Option<u64> {
    let seed = std::env::var("SQUALL_SEED").ok()?;
    Some(seed.parse().unwrap_or_else(|_| panic!("SQUALL_SEED is {seed:?}, and should be a whole number")))
}

/// What was explored, if nothing was found. `Display` says it in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explored {
    orders: usize,
    complete: bool,
    seed: Option<u64>,
}

impl Explored {
    /// How many orders were tried.
    pub fn orders(&self) -> usize {
        self.orders
    }

    /// Whether these were all that there are.
    pub fn complete(&self) -> bool {
        self.complete
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let orders = counted(self.orders, "order");
        match (self.complete, self.seed) {
            (true, _) => write!(f, "{orders}, which is all there are"),
            (false, Some(seed)) => write!(f, "{orders} at random, SQUALL_SEED={seed}"),
            (false, None) => write!(f, "{orders}, and there are more"),
        }
    }
}

/// An order in which the test fails. `Display` is what [`explore`] panics with.
#[derive(Debug)]
pub struct Failure {
    problem: Problem,
    schedule: String,
    report: Option<Report>,
    tried: usize,
    preemptions: usize,
    seed: Option<u64>,
}

impl Failure {
    /// What to give to [`replay`].
    pub fn schedule(&self) -> &str {
        &self.schedule
    }

    /// How many orders were tried, this one included.
    pub fn tried(&self) -> usize {
        self.tried
    }

    /// How often it departs from the usual order.
    pub fn preemptions(&self) -> usize {
        self.preemptions
    }

    /// What went wrong.
    pub fn problem(&self) -> &str {
        &self.problem.text
    }

    /// The time of the loop when it went wrong.
    pub fn now(&self) -> Duration {
        self.problem.now
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.problem.text)?;
        let seed = self.seed.map_or(String::new(), |seed| format!(", SQUALL_SEED={seed}"));
        match self.preemptions {
            0 => write!(f, "that is in the usual order")?,
            1 => write!(f, "that is in an order with one preemption")?,
            n => write!(f, "that is in an order with {n} preemptions")?,
        }
        writeln!(f, ", after {}{seed}; to replay it:", counted(self.tried, "order"))?;
        writeln!(f, "  replay({:?}, |t| ..)", self.schedule)?;
        match &self.report {
            Some(report) => report.fmt(f),
            None => Ok(()),
        }
    }
}
