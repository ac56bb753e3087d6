//! What [`explore`](super::explore) comes to: [`Explored`] or [`Failure`].

use std::fmt;
use std::time::Duration;

use super::report::{counted, Report};
use super::schedule::Problem;

/// What was explored, if no order failed. `Display` says it in words.
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

    /// Returns whether these were all orders that there are.
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

/// Why a test failed under [`explore`](super::explore): an order in which it fails, or more orders than the limit.
/// `Display` is the message with which `explore` panics.
#[derive(Debug)]
pub struct Failure {
    pub(super) problem: Problem,
    pub(super) tried: usize,
    pub(super) kind: Kind,
}

/// What the orders that were tried have shown.
#[derive(Debug)]
pub(super) enum Kind {
    /// This one fails.
    Order { schedule: String, report: Option<Report>, preemptions: usize, seed: Option<u64> },
    /// They are not all, and none of them fails.
    Limit,
}

impl Failure {
    /// The failure of a test that has more orders than the limit.
    pub(super) fn limit(problem: String, tried: usize) -> Self {
        Self { problem: Problem::new(problem), tried, kind: Kind::Limit }
    }

    /// Returns the schedule that [`replay`](super::replay) takes. It is empty if no order fails, and the limit was
    /// reached.
    pub fn schedule(&self) -> &str {
        match &self.kind {
            Kind::Order { schedule, .. } => schedule,
            Kind::Limit => "",
        }
    }

    /// Returns whether no order fails, and the limit of orders or of choices was reached.
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

    /// Returns how many orders were tried, the one that fails included.
    pub fn tried(&self) -> usize {
        self.tried
    }

    /// Returns how many preemptions the order has that fails; see [`Explore::preemptions`](super::Explore::preemptions).
    pub fn preemptions(&self) -> usize {
        match self.kind {
            Kind::Order { preemptions, .. } => preemptions,
            Kind::Limit => 0,
        }
    }

    /// Returns what went wrong.
    pub fn problem(&self) -> &str {
        &self.problem.text
    }

    /// Returns the time of the loop when it went wrong.
    pub fn now(&self) -> Duration {
        self.problem.now
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.problem.text)?;
        let Kind::Order { schedule, report, preemptions, seed } = &self.kind else { return Ok(()) };
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
