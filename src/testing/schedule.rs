//! [`Run`]: one run of an explored test, in one order; and schedules as text.

use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe, Location};
use std::rc::Rc;
use std::time::Duration;

use squall_runner::panics::quietly;
use squall_runner::trace::Problem as Reported;
use squall_runner::Exception;

use super::choice::{candidates, way_to, Candidate, Entry, Kind, Script};
use super::orders::{Order, Picked, Random};
use super::report::Report;
use super::step::InShort;
use super::test_loop::{Chooser, SharedTestLoop, TestLoop};
use super::watch::look;

/// The prefix of a schedule: the version that gives its names their meaning.
const VERSION: &str = "v1:";

/// How many steps one order may have. A test that makes more is taken to run for ever.
const STEPS: usize = 10_000;

/// Parses the names of a schedule.
#[track_caller]
pub(super) fn parse(schedule: &str, location: &'static Location<'static>) -> Box<dyn Chooser> {
    let Some(names) = schedule.trim().strip_prefix(VERSION) else {
        panic!("{schedule:?} is not a schedule of this version: it should begin with `{VERSION}`")
    };
    let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    Box::new(Script::exact(names.map(ToOwned::to_owned).collect(), location))
}

/// The failure of a run.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) text: String,
    pub(super) now: Duration,
}

impl Problem {
    pub(super) fn new(text: String) -> Self {
        Self { text, now: Duration::ZERO }
    }
}

/// Conditions that do not count as failures.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Allow {
    pub(super) waiting: bool,
    pub(super) unretrieved: bool,
    pub(super) timers: bool,
}

impl Allow {
    /// Parses a list such as `"waiting, timers"`.
    ///
    /// # Errors
    /// The word that is not one of them.
    pub(super) fn parse(list: &str) -> Result<Self, String> {
        let mut allow = Self::default();
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "waiting" => allow.waiting = true,
                "unretrieved" => allow.unretrieved = true,
                "timers" => allow.timers = true,
                _ => return Err(format!("`{word}` is not one of `waiting`, `unretrieved` and `timers`")),
            }
        }
        Ok(allow)
    }
}

/// A test: it runs the loop, and returns what is wrong.
pub(super) type Explorable<'a> = &'a dyn Fn(&SharedTestLoop) -> Option<String>;

/// One run of a test, in one order.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) problem: Option<Problem>,
    pub(super) picked: Picked,
    /// The order as text, if it was recorded.
    pub(super) schedule: String,
    pub(super) report: Option<Report>,
}

impl Run {
    /// Runs `f` in the given order. After `limit` choices the order is the usual one.
    pub(super) fn of(f: Explorable<'_>, order: &Order, limit: usize, record: bool) -> Self {
        let taken = Rc::new(RefCell::new(Taken::default()));
        let (picks, random) = match order {
            Order::Picks(picks) => (picks.clone(), None),
            Order::Random(seed) => (Vec::new(), Some(Random::new(*seed))),
        };
        let departures = picks.len();
        let mut test_loop = TestLoop::recording(record);
        test_loop.brief = true;
        test_loop.step_limit(STEPS);
        test_loop.chooser =
            Some(Box::new(Ordered { picks, random, limit, target: None, taken: taken.clone(), record }));
        let active = test_loop.activate();
        let shared = SharedTestLoop::new(test_loop.into());
        let (ran, panic) = quietly(|| catch_unwind(AssertUnwindSafe(|| f(&shared))));
        let mut test_loop = shared.borrow_mut();
        let text = match ran {
            Ok(problem) => problem,
            Err(_) => Some(panic.unwrap_or_else(|| "the test panicked".to_owned())),
        };
        let problem = text.map(|text| Problem { text, now: test_loop.now() });
        let report = (record && problem.is_some()).then(|| test_loop.report());
        test_loop.reported = true;
        test_loop.chooser = None;
        drop(test_loop);
        drop((active, shared));
        let mut taken = taken.take();
        let names = taken.names.iter().take(taken.named(departures)).map(String::as_str);
        let schedule = format!("{VERSION}{}", names.collect::<Vec<_>>().join(","));
        Self { problem, picked: std::mem::take(&mut taken.picked), schedule, report }
    }
}

/// Returns what is wrong at the end of a test that did not panic.
pub(super) fn settle(test_loop: &mut TestLoop, allow: Allow) -> Option<String> {
    if test_loop.steps().is_empty() {
        if let Err(problem) = test_loop.run_while(|_| true) {
            return Some(problem);
        }
    }
    let problems = if allow.unretrieved { Vec::new() } else { unretrieved(test_loop) };
    if !problems.is_empty() {
        return Some(problems.join("\n"));
    }
    let idle = !test_loop.io_loop.has_work() && test_loop.io_loop.next_deadline().is_none();
    let waiting = test_loop.waiting();
    let stuck: Vec<String> =
        waiting.left_over().filter(|wait| !wait.timed()).take(5).map(|wait| format!("  {wait}")).collect();
    let deadlock = idle && !stuck.is_empty() && !allow.waiting;
    deadlock.then(|| format!("nothing can wake the coroutines that still wait:\n{}", stuck.join("\n")))
}

/// Returns the exceptions that nothing has retrieved, and those that left a callback, each with its line.
pub(super) fn unretrieved(test_loop: &TestLoop) -> Vec<String> {
    let bad = [Reported::Callback, Reported::DoneCallback, Reported::NeverRetrieved];
    let seen = look(&test_loop.seen);
    let problems = seen.problems.iter().filter(|(problem, _)| bad.contains(problem));
    let line = |(problem, exception): &(Reported, Exception)| {
        let at = exception.raised_at();
        format!("{}: {} at {at}", problem.text(), InShort(exception))
    };
    problems.map(line).collect()
}

/// The choices of a run.
#[derive(Debug, Default)]
struct Taken {
    picked: Picked,
    /// The coroutine of the current row of picks out of turn.
    row: Option<Kind>,
    /// How many names there were at each choice.
    named: Vec<usize>,
    /// The name of the candidate at each step, including steps without a choice.
    names: Vec<String>,
}

impl Taken {
    /// Returns how many names there are up to the last departure from the usual order.
    fn named(&self, departures: usize) -> usize {
        departures.checked_sub(1).and_then(|last| self.named.get(last)).map_or(0, |before| before + 1)
    }
}

/// Makes the choices of one order.
struct Ordered {
    picks: Vec<u16>,
    random: Option<Random>,
    limit: usize,
    /// The chosen coroutine, while callbacks that came before it run.
    target: Option<String>,
    taken: Rc<RefCell<Taken>>,
    record: bool,
}

impl Chooser for Ordered {
    fn choose(&mut self, test_loop: &TestLoop) -> Result<usize, String> {
        let entries = Entry::all(test_loop.io_loop.ready());
        let candidates = candidates(&entries, &look(&test_loop.seen));
        let chosen = match candidates.as_slice() {
            [] => return Ok(0),
            candidates => match self.target.take() {
                Some(label) => candidates.iter().find(|candidate| candidate.label() == label),
                None => None,
            },
        };
        let chosen = chosen.cloned().unwrap_or_else(|| self.pick(&candidates));
        let index = way_to(&chosen, &entries);
        if index != chosen.index {
            self.target = Some(chosen.label());
        }
        Ok(index)
    }
}

impl Ordered {
    fn pick(&mut self, candidates: &[Candidate]) -> Candidate {
        let taken = &mut *self.taken.borrow_mut();
        let choice = taken.picked.picks.len();
        let nth = if candidates.len() < 2 {
            0
        } else if choice >= self.limit {
            taken.picked.cut = true;
            0
        } else {
            let nth = match (&mut self.random, self.picks.get(choice)) {
                (Some(random), _) => random.below(candidates.len()),
                (None, Some(pick)) => usize::from(*pick).min(candidates.len() - 1),
                (None, None) => 0,
            };
            if choice == self.picks.len() {
                let place =
                    candidates.iter().position(|candidate| Some(&candidate.kind) == taken.row.as_ref());
                taken.picked.prolongs = place.filter(|place| *place > 0).map(short);
            }
            taken.picked.picks.push(short(nth));
            taken.picked.widths.push(short(candidates.len()));
            taken.named.push(taken.names.len());
            nth
        };
        let chosen = candidates[nth].clone();
        if taken.row.as_ref() != Some(&chosen.kind) {
            taken.row = (nth > 0).then(|| chosen.kind.clone());
            taken.picked.preemptions += usize::from(nth > 0);
        } else if nth == 0 && candidates.len() > 1 {
            taken.row = None;
        }
        if self.record {
            taken.names.push(chosen.label());
        }
        chosen
    }
}

/// Converts a number of candidates, at most 65,535.
fn short(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
