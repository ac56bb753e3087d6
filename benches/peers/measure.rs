//! Runs the contestants of a row in turn, round after round, and sums up their ratios.
//!
//! A disturbance of the machine reaches all contestants of a round, so the ratio is taken within each
//! round, and the median of the ratios is the row's result.

use std::fmt;
use std::time::Duration;

/// A contestant of a row: a column of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contestant {
    Squall,
    Tokio,
    AsyncExecutor,
    LocalPool,
    /// The best that the machine, or the crate below, could do.
    Limit,
}

impl Contestant {
    pub(crate) const ALL: [Self; 5] =
        [Self::Squall, Self::Tokio, Self::AsyncExecutor, Self::LocalPool, Self::Limit];
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Squall => "squall",
            Self::Tokio => "tokio",
            Self::AsyncExecutor => "async-executor",
            Self::LocalPool => "LocalPool",
            Self::Limit => "limit",
        })
    }
}

/// Does the row's work on `n` things, and returns the time of the work alone.
type Run = fn(usize) -> Duration;

/// One line of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// How many things are done in one run.
    pub(crate) n: usize,
    /// The peer to compare with, and the ratio to reach.
    pub(crate) target: Option<(Contestant, f64)>,
    contestants: Vec<(Contestant, Run)>,
}

impl Row {
    pub(crate) fn new(name: &'static str, n: usize, what: &'static str) -> Self {
        Self { name, what, n, target: None, contestants: Vec::new() }
    }

    /// Sets the target: at most `ratio` times the time of tokio.
    pub(crate) fn target(self, ratio: f64) -> Self {
        self.target_of(Contestant::Tokio, ratio)
    }

    pub(crate) fn target_of(mut self, peer: Contestant, ratio: f64) -> Self {
        self.target = Some((peer, ratio));
        self
    }

    pub(crate) fn with(mut self, contestant: Contestant, run: Run) -> Self {
        self.contestants.push((contestant, run));
        self
    }

    /// Runs one contestant alone; returns `None` if it is not in this row.
    pub(crate) fn run_alone(&self, alone: Contestant, n: usize) -> Option<Duration> {
        self.contestants.iter().find(|(contestant, _)| *contestant == alone).map(|(_, run)| run(n))
    }

    /// Runs `rounds` rounds of all contestants with `n` things each. Every round begins with another contestant.
    pub(crate) fn measure(&self, n: usize, rounds: usize) -> Measured {
        let mut times: Vec<_> =
            self.contestants.iter().map(|(contestant, _)| (*contestant, Vec::new())).collect();
        let contestants = self.contestants.len();
        for round in 0..rounds {
            for i in 0..contestants {
                let i = (i + round) % contestants;
                times[i].1.push((self.contestants[i].1)(n).as_secs_f64() * 1e9 / count(n));
            }
        }
        Measured { times }
    }

    /// Runs one contestant at `n` things and at ten times as many, in turn; returns how many times longer one thing
    /// takes.
    pub(crate) fn growth(&self, measured: Contestant, n: usize, rounds: usize) -> Option<Spread> {
        let (_, run) = self.contestants.iter().find(|(contestant, _)| *contestant == measured)?;
        let ratios = (0..rounds).map(|_| {
            let small: Duration = (0..10).map(|_| run(n)).sum();
            run(n * 10).as_secs_f64() / small.as_secs_f64()
        });
        Some(Spread::of(ratios.collect()))
    }
}

#[allow(clippy::cast_precision_loss)]
fn count(n: usize) -> f64 {
    n as f64
}

/// Nanoseconds per thing, by contestant and round.
pub(crate) struct Measured {
    times: Vec<(Contestant, Vec<f64>)>,
}

impl Measured {
    fn of(&self, wanted: Contestant) -> Option<&Vec<f64>> {
        self.times.iter().find(|(contestant, _)| *contestant == wanted).map(|(_, times)| times)
    }

    /// The time per thing.
    pub(crate) fn time(&self, contestant: Contestant) -> Option<Spread> {
        self.of(contestant).map(|times| Spread::of(times.clone()))
    }

    /// The time of squall, divided by that of a peer in the same round.
    pub(crate) fn ratio(&self, peer: Contestant) -> Option<Spread> {
        let pairs = self.of(Contestant::Squall)?.iter().zip(self.of(peer)?);
        Some(Spread::of(pairs.map(|(squall, other)| squall / other).collect()))
    }

    /// The fastest of the peers, by median.
    pub(crate) fn best_peer(&self) -> Option<Contestant> {
        let peers = [Contestant::Tokio, Contestant::AsyncExecutor, Contestant::LocalPool];
        let timed = peers.into_iter().filter_map(|peer| Some((peer, self.time(peer)?.median)));
        timed.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(peer, _)| peer)
    }
}

/// The median of some measurements, and the least and the greatest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Spread {
    pub(crate) fn of(mut measured: Vec<f64>) -> Self {
        measured.sort_by(f64::total_cmp);
        Self {
            median: measured[measured.len() / 2],
            least: measured[0],
            greatest: measured[measured.len() - 1],
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2} ({:.2}-{:.2})", self.median, self.least, self.greatest);
        f.pad(&text)
    }
}
