//! [`explore`]: runs a test in every order in which its coroutines may run.

use std::panic::Location;

use super::explored::{Explored, Failure, Kind, AT_RANDOM};
use super::orders::{Order, Orders, Random};
use super::report::counted;
use super::schedule::{self, Allow, Explorable, Problem, Run};
use super::TestLoop;

/// How many orders are tried if no bound is set.
const ORDERS: usize = 10_000;

/// How many choices of one order are varied if no bound is set.
const CHOICES: usize = 1_000;

/// Runs `f` once for each order in which ready coroutines, due timers and finished jobs may run: the usual order first,
/// then those that depart from it least. A test that has more than 10,000 orders fails with a message that says how to
/// choose which of them to try. [`Explore`] has settings.
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
/// An order fails if `f` panics; if a coroutine that nothing can wake still waits at the end of `f`; or if an exception
/// was raised that nothing has retrieved.
///
/// # Panics
/// Panics if an order fails, with the trace of the shortest one that does and the line that replays it. Also panics if
/// there are more than 10,000 orders, or more than 1,000 choices in one order.
#[track_caller]
pub fn explore(f: impl Fn(&mut TestLoop)) -> Explored {
    Explore::new().run(f)
}

/// Runs `f` once, in the order that a failed [`explore`] has printed.
///
/// A schedule consists of a version and of names, one for each turn of a coroutine: `v1:producer,consumer,consumer`.
/// After the last name the order is the usual one.
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
/// Panics if `f` does, if the schedule has another version, or if a coroutine that it names cannot run.
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

/// Explores the orders of a test like [`explore`], with settings.
///
/// A test with too many orders to try them all sets what is enough: [`preemptions`](Self::preemptions) bounds how far
/// an order may depart from the usual one, [`orders`](Self::orders) and [`steps`](Self::steps) are limits, and
/// [`random`](Self::random) tries random orders. The test passes if no order within these bounds fails.
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
/// assert_eq!((explored.orders(), explored.complete()), (5, false));
/// ```
#[derive(Debug, Clone)]
#[must_use = "it explores when it is run"]
pub struct Explore {
    preemptions: Option<usize>,
    steps: Option<usize>,
    orders: Option<usize>,
    seed: Option<u64>,
    pub(super) allow: Allow,
}

impl Default for Explore {
    fn default() -> Self {
        Self::new()
    }
}

impl Explore {
    /// Creates an exploration of every order. Without a bound, it fails at the 10,001st order.
    pub fn new() -> Self {
        Self { preemptions: None, steps: None, orders: None, seed: None, allow: Allow::default() }
    }

    /// Tries only orders with at most `preemptions` preemptions; all of those, unless [`orders`](Self::orders) sets a
    /// limit.
    ///
    /// A preemption is an uninterrupted row of picks of one coroutine out of its turn. The usual order has none. An
    /// order in which the last of many coroutines runs completely before the others has one.
    ///
    /// ```
    /// use squall::testing::Explore;
    /// use squall::{moment, Result};
    ///
    /// #[squall::coroutine]
    /// fn six_steps() -> Result<()> {
    ///     for _ in 0..5 {
    ///         yield_!(moment())?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let four = |t: &mut squall::testing::TestLoop| drop([(); 4].map(|()| t.spawn(six_steps)));
    /// assert_eq!(Explore::new().preemptions(1).run(four).to_string(), "217 orders, and there are more");
    /// ```
    pub fn preemptions(self, preemptions: usize) -> Self {
        Self { preemptions: Some(preemptions), ..self }
    }

    /// Varies only the first `steps` choices of an order. Tries at most 10,000 orders, unless [`orders`](Self::orders)
    /// sets another limit.
    pub fn steps(self, steps: usize) -> Self {
        Self { steps: Some(steps), ..self }
    }

    /// Tries at most `orders` orders, and passes if none of them fails. The default for random orders is 1,000.
    pub fn orders(self, orders: usize) -> Self {
        Self { orders: Some(orders), ..self }
    }

    /// Tries random orders instead of all: 1,000, unless [`orders`](Self::orders) sets another number. Equal seeds
    /// produce equal orders. The environment variable `SQUALL_SEED` overrides the seed.
    ///
    /// A failing order is made as short as possible, and the message contains the line that replays it.
    ///
    /// ```
    /// use squall::testing::Explore;
    /// use squall::{moment, Result};
    ///
    /// #[squall::coroutine]
    /// fn six_steps() -> Result<()> {
    ///     for _ in 0..5 {
    ///         yield_!(moment())?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let explored = Explore::new().random(42).orders(20).run(|t| {
    ///     drop([(); 4].map(|()| t.spawn(six_steps)));
    ///     t.run_until_idle();
    /// });
    /// assert_eq!(explored.orders(), 20);
    /// ```
    pub fn random(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Allows conditions that would fail the test: `"waiting"`, coroutines that wait for ever; `"unretrieved"`,
    /// exceptions that nothing has retrieved; or both, `"waiting, unretrieved"`.
    ///
    /// # Panics
    /// Panics if `what` contains another word.
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
    /// Panics like [`explore`].
    #[track_caller]
    pub fn run(self, f: impl Fn(&mut TestLoop)) -> Explored {
        match self.check(f) {
            Ok(explored) => explored,
            Err(failure) => panic!("{failure}"),
        }
    }

    /// Runs `f` in each order, and returns the failure instead of panicking.
    ///
    /// # Errors
    /// The shortest order that fails; or the limit that was reached, if the test did not set it itself.
    #[track_caller]
    pub fn check(self, f: impl Fn(&mut TestLoop)) -> Result<Explored, Failure> {
        let allow = self.allow;
        self.check_any(&|shared| {
            let test_loop = &mut *shared.borrow_mut();
            f(test_loop);
            schedule::settle(test_loop, allow)
        })
    }

    #[track_caller]
    pub(super) fn check_any(self, f: Explorable<'_>) -> Result<Explored, Failure> {
        match self.seed {
            Some(seed) => self.at_random(f, seed_of_environment().unwrap_or(seed)),
            None => self.each(f),
        }
    }

    /// Runs `f` in each order, the fewest preemptions first.
    #[track_caller]
    fn each(&self, f: Explorable<'_>) -> Result<Explored, Failure> {
        // A test that sets a bound itself does not fail for what the bound leaves out.
        let bounded = self.orders.is_some() || self.steps.is_some() || self.preemptions.is_some();
        let bound = self.preemptions.unwrap_or(usize::MAX);
        let all_within = if self.preemptions.is_some() { usize::MAX } else { ORDERS };
        let limit = self.orders.unwrap_or(all_within);
        let mut orders = Orders::new(bound);
        let mut tried = 0;
        let complete = loop {
            let Some(order) = orders.next() else { break orders.is_complete() };
            if tried == limit {
                if bounded {
                    break false;
                }
                return Err(Failure::limit(
                    format!("there are more than {}", counted(tried, "order")),
                    tried,
                ));
            }
            let ran = Run::of(f, &Order::Picks(order.clone()), self.choices(), false);
            tried += 1;
            let cut = ran.picked.cut;
            orders.ran(order.clone(), ran.picked);
            if ran.problem.is_some() {
                return Err(self.failure(f, &order, tried, None));
            }
            if cut && !bounded {
                let what = format!("one order has more than {}", counted(CHOICES, "choice"));
                return Err(Failure::limit(what, tried));
            }
        };
        Ok(Explored { orders: tried, complete, seed: None })
    }

    /// Returns how many choices of an order are varied.
    fn choices(&self) -> usize {
        let all = self.seed.is_some() || self.preemptions.is_some();
        self.steps.unwrap_or(if all { usize::MAX } else { CHOICES })
    }

    /// Runs `f` in random orders.
    fn at_random(&self, f: Explorable<'_>, seed: u64) -> Result<Explored, Failure> {
        let run = |order: &Order| Run::of(f, order, self.choices(), false);
        let mut random = Random::new(seed);
        let orders = self.orders.unwrap_or(AT_RANDOM);
        for nth in 1..=orders {
            let ran = run(&Order::Random(random.next()));
            if ran.problem.is_some() {
                let shortest = shorter(&run, ran);
                return Err(self.failure(f, &shortest, nth, Some(seed)));
            }
        }
        Ok(Explored { orders, complete: false, seed: Some(seed) })
    }

    /// Runs the order again, to collect everything for the message.
    fn failure(&self, f: Explorable<'_>, picks: &[u16], tried: usize, seed: Option<u64>) -> Failure {
        let ran = Run::of(f, &Order::Picks(picks.to_vec()), self.choices(), true);
        let preemptions = ran.picked.preemptions;
        let problem = ran.problem.unwrap_or_else(|| {
            Problem::new("it failed once and not when it was repeated: it does not repeat itself".to_owned())
        });
        let kind = Kind::Order { schedule: ran.schedule, report: ran.report, preemptions, seed };
        Failure { problem, tried, kind }
    }
}

/// Returns the picks of a failed run, with as many of them as possible set to the usual order.
fn shorter(run: &impl Fn(&Order) -> Run, failed: Run) -> Vec<u16> {
    let mut picks = failed.picked.picks;
    let trim = |picks: &mut Vec<u16>| while picks.pop_if(|pick| *pick == 0).is_some() {};
    trim(&mut picks);
    // Long runs of departures are removed first, then shorter ones.
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
