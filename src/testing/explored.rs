//! The results of [`explore`](super::explore): [`Explored`] and [`Failure`].

use std::fmt;
use std::time::Duration;

use super::report::{counted, Report};
use super::schedule::Problem;

/// How many random orders are tried by default.
pub(super) const AT_RANDOM: usize = 1_000;

/// The result of an exploration in which no order failed. `Display` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explored {
    pub(super) orders: usize,
    pub(super) complete: bool,
    pub(super) seed: Option<u64>,
}

impl Explored {
    /// Returns how many orders were tried.
    pub fn orders(&self) -> usize {
        self.orders
    }

    /// Returns whether every order was tried.
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

/// The failure of a test under [`explore`](super::explore): an order in which the test fails, or a limit that was
/// reached. `Display` prints the message with which `explore` panics.
#[derive(Debug)]
pub struct Failure {
    pub(super) problem: Problem,
    pub(super) tried: usize,
    pub(super) kind: Kind,
}

/// The kind of failure.
#[derive(Debug)]
pub(super) enum Kind {
    /// An order that fails.
    Order { schedule: String, report: Option<Report>, preemptions: usize, seed: Option<u64> },
    /// A limit was reached, and no order failed before.
    Limit,
}

impl Failure {
    /// Creates the failure of a test that reached a limit.
    pub(super) fn limit(problem: String, tried: usize) -> Self {
        Self { problem: Problem::new(problem), tried, kind: Kind::Limit }
    }

    /// Returns the schedule for [`replay`](super::replay). It is empty if no order failed and a limit was reached.
    pub fn schedule(&self) -> &str {
        match &self.kind {
            Kind::Order { schedule, .. } => schedule,
            Kind::Limit => "",
        }
    }

    /// Returns whether the limit of orders or of choices was reached before any order failed.
    ///
    /// ```
    /// use squall::testing::Explore;
    /// use squall::{moment, Result};
    ///
    /// #[squall::coroutine]
    /// fn many_steps() -> Result<()> {
    ///     for _ in 0..2_000 {
    ///         yield_!(moment())?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let two = |t: &mut squall::testing::TestLoop| drop((t.spawn(many_steps), t.spawn(many_steps)));
    /// assert!(Explore::new().check(two).unwrap_err().is_limit());
    /// assert!(Explore::new().preemptions(0).check(two).is_ok());
    /// ```
    pub fn is_limit(&self) -> bool {
        matches!(self.kind, Kind::Limit)
    }

    /// Returns how many orders were tried, including the one that fails.
    pub fn tried(&self) -> usize {
        self.tried
    }

    /// Returns the number of preemptions in the failing order; see
    /// [`Explore::preemptions`](super::Explore::preemptions).
    pub fn preemptions(&self) -> usize {
        match self.kind {
            Kind::Order { preemptions, .. } => preemptions,
            Kind::Limit => 0,
        }
    }

    /// Returns what went wrong, or which limit was reached.
    pub fn problem(&self) -> &str {
        &self.problem.text
    }

    /// Returns the last steps of the failing order in columns, and the coroutines that wait. It is empty if a limit was
    /// reached.
    pub fn report(&self) -> String {
        match &self.kind {
            Kind::Order { report: Some(report), .. } => report.to_string(),
            _ => String::new(),
        }
    }

    /// Returns the loop's time when it went wrong.
    pub fn now(&self) -> Duration {
        self.problem.now
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kind::Order { schedule, report, preemptions, seed } = &self.kind else {
            return write!(
                f,
                "{}, so not every order was tried; none of those that were tried fails\n\
                 say what is enough, and the test passes with that:\n  \
                 Explore::new().preemptions(2).run(..)     every order with at most 2 preemptions\n  \
                 Explore::new().orders(100_000).run(..)    a higher limit\n  \
                 Explore::new().random(1).run(..)          {AT_RANDOM} orders at random, from that seed",
                self.problem.text
            );
        };
        writeln!(f, "{}", self.problem.text)?;
        match preemptions {
            0 => write!(f, "that is in the usual order")?,
            1 => write!(f, "that is in an order with one preemption")?,
            n => write!(f, "that is in an order with {n} preemptions")?,
        }
        let seed = seed.map_or(String::new(), |seed| format!(", SQUALL_SEED={seed}"));
        writeln!(f, ", after {}{seed}; to replay it:", counted(self.tried, "order"))?;
        writeln!(f, "  replay({schedule:?}, |t| ..)")?;
        match report {
            Some(report) => report.fmt(f),
            None => Ok(()),
        }
    }
}
