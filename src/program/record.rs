//! [`Record`]: watches a run and keeps the contents of its [`Report`].

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use serde_json::Value as Json;
use squall_runner::trace::{Body, CallId, Event, Observer, Problem, Shown};
use squall_runner::{Coroutine, Error, Exception};

use super::raised::{self, GivenUp};
use super::report::{Line, Log, Outcome, Report, Step};
use super::show::{self, TooDeep};
use super::value::Value;
use crate::ioloop::Clock;
use crate::testing::VirtualClock;

/// How many turns of the loop a program may take. One that takes more may never end, and is given up.
const TURNS: usize = 3_000;
const RECORDS: usize = 1_500;
const STATEMENTS: usize = 500_000;

/// The observer of a run.
pub(super) struct Record {
    clock: VirtualClock,
    /// The decorated defs. Steps of other coroutines are not recorded.
    coroutines: RefCell<HashSet<*const Coroutine>>,
    /// The observer from before, which also receives every event.
    outer: Option<Rc<dyn Observer>>,
    report: RefCell<Report>,
    /// The names of the calls.
    calls: RefCell<HashMap<CallId, String>>,
    /// How many calls of each def there were.
    counts: RefCell<HashMap<&'static str, usize>>,
    /// `true` if a turn of the loop began, or a run ended, since the last record.
    turned: Cell<bool>,
    /// `true` if the run is over, so that only unretrieved exceptions are recorded.
    closed: Cell<bool>,
    turns: Cell<usize>,
    statements: Cell<usize>,
    /// The reason why the program is given up, if it is.
    failure: RefCell<Option<GivenUp>>,
}

impl Record {
    pub(super) fn new(clock: VirtualClock, outer: Option<Rc<dyn Observer>>) -> Self {
        Self {
            clock,
            coroutines: RefCell::default(),
            outer,
            report: RefCell::default(),
            calls: RefCell::default(),
            counts: RefCell::default(),
            turned: Cell::new(false),
            closed: Cell::new(false),
            turns: Cell::new(0),
            statements: Cell::new(0),
            failure: RefCell::default(),
        }
    }

    /// Records the steps of this coroutine from now on.
    pub(super) fn watch(&self, coroutine: &'static Coroutine) {
        self.coroutines.borrow_mut().insert(std::ptr::from_ref(coroutine));
    }

    /// Returns whether anything else receives the events of the run, such as a trace.
    pub(super) fn is_traced(&self) -> bool {
        self.outer.is_some()
    }

    pub(super) fn ms(&self) -> u64 {
        u64::try_from(self.clock.now().as_millis()).unwrap_or(u64::MAX)
    }

    /// Records a line that the program logs.
    pub(super) fn line(&self, text: String) {
        let line = Line { ms: self.ms(), text };
        self.add('e', |report| report.events.push(line));
    }

    /// Records the end of a `run_sync` or `start`.
    pub(super) fn outcome(&self, outcome: Outcome) {
        self.report.borrow_mut().outcomes.push(outcome);
        self.turn();
    }

    /// Returns the outcome of a run that raised.
    pub(super) fn raised(&self, exception: &Exception) -> Outcome {
        let name = raised::name(exception);
        let shown = self.exception(exception);
        let message = shown.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).unwrap_or_default();
        Outcome::Exception { name: name.to_owned(), message: message.to_owned() }
    }

    /// Called before each statement runs.
    ///
    /// # Errors
    /// [`GivenUp`] if the program is given up.
    pub(super) fn statement(&self) -> Result<(), GivenUp> {
        self.statements.set(self.statements.get() + 1);
        if self.statements.get() > STATEMENTS {
            self.fail(format!("more than {STATEMENTS} statements were run: does it ever end?"));
        }
        self.failure().map_or(Ok(()), Err)
    }

    /// Gives up the program. The first reason counts.
    pub(super) fn fail(&self, why: impl Into<String>) -> GivenUp {
        self.failure.borrow_mut().get_or_insert_with(|| GivenUp(why.into())).clone()
    }

    pub(super) fn failure(&self) -> Option<GivenUp> {
        self.failure.borrow().clone()
    }

    /// Marks the run as over: what is dropped from here on is dropped for that reason.
    pub(super) fn close(&self) {
        self.report.borrow_mut().end_ms = self.ms();
        self.closed.set(true);
    }

    /// Returns what was recorded.
    pub(super) fn report(&self) -> Report {
        let mut report = self.report.take();
        report.unretrieved.sort_unstable();
        report
    }

    /// Returns a value as JSON data.
    pub(super) fn plain(&self, value: &Value) -> Json {
        show::plain(value).unwrap_or_else(|TooDeep| {
            self.fail(TooDeep.to_string());
            Json::Null
        })
    }

    /// Returns an exception as text.
    fn exception(&self, exception: &Exception) -> String {
        if raised::kind(exception).is_none() && !exception.is::<GivenUp>() {
            self.fail(format!("{}: {exception}", exception.name()));
        }
        show::exception(exception).unwrap_or_else(|TooDeep| {
            self.fail(TooDeep.to_string());
            String::new()
        })
    }

    fn turn(&self) {
        self.turned.set(!self.report.borrow().order.is_empty());
    }

    fn add(&self, letter: char, add: impl FnOnce(&mut Report)) {
        if self.closed.get() || self.failure.borrow().is_some() {
            return;
        }
        let mut report = self.report.borrow_mut();
        if self.turned.take() {
            report.order.push('|');
        }
        report.order.push(letter);
        add(&mut report);
        let records = report.events.len() + report.runner.len() + report.logs.len();
        if records > RECORDS {
            self.fail(format!("more than {RECORDS} records: does the program ever end?"));
        }
    }

    fn called(&self, runner: CallId, coroutine: &'static Coroutine) {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(coroutine.name()).or_default();
        *count += 1;
        self.calls.borrow_mut().insert(runner, format!("{}#{count}", coroutine.name()));
    }

    fn step(&self, runner: CallId, what: &'static str, value: Option<Json>) {
        let Some(coroutine) = self.calls.borrow().get(&runner).cloned() else { return };
        self.add('r', |report| report.runner.push(Step { coroutine, what, value }));
    }

    fn shown(&self, shown: Shown<'_>) -> Option<Json> {
        shown.value.downcast_ref().map(|value| self.plain(value))
    }

    fn problem(&self, problem: Problem, exception: &Exception) {
        const APPLICATION: &str = "tornado.application";
        let (logger, message) = match problem {
            Problem::NeverRetrieved => {
                // Python has no counterpart of a dropped Promise: there the Future stays pending.
                if exception.downcast_ref() != Some(&Error::BrokenPromise) && !exception.is::<GivenUp>() {
                    let shown = self.exception(exception);
                    self.report.borrow_mut().unretrieved.push(shown);
                }
                return;
            }
            // Python's warning is not part of Tornado's log.
            Problem::NeverAwaited => return,
            Problem::Callback => (APPLICATION, "Exception in callback %r"),
            Problem::Multiple => (APPLICATION, "Multiple exceptions in yield list"),
            Problem::LateFailure => (APPLICATION, "Exception in Future %r after timeout"),
            Problem::AfterCancel => (APPLICATION, "Exception after Future was cancelled"),
            Problem::DoneCallback => ("asyncio", "Exception in callback"),
            _ => {
                self.fail(format!("{}: {exception:?}", problem.text()));
                return;
            }
        };
        let log = Log { ms: self.ms(), logger, message, exception: self.exception(exception) };
        self.add('l', |report| report.logs.push(log));
    }
}

impl Observer for Record {
    fn event(&self, event: &Event<'_>) {
        match *event {
            Event::Call { runner, coroutine, body, .. } => {
                if self.coroutines.borrow().contains(&std::ptr::from_ref(coroutine)) {
                    self.called(runner, coroutine);
                }
                if body == Body::Plain {
                    self.step(runner, "call", None);
                }
            }
            Event::Start { runner } => self.step(runner, "start", None),
            Event::Send { runner, value, .. } => self.step(runner, "send", self.shown(value)),
            Event::Throw { runner, exception, .. } => {
                self.step(runner, "throw", Some(self.exception(exception).into()));
            }
            Event::Yield { runner, kind, .. } => self.step(runner, "yield", Some(kind.to_string().into())),
            Event::Return { runner, value, raised, .. } => {
                self.step(runner, if raised { "gen_return" } else { "return" }, self.shown(value));
            }
            Event::Raise { runner, exception, .. } => {
                self.step(runner, "raise", Some(self.exception(exception).into()));
            }
            Event::Report { problem, exception, .. } => self.problem(problem, exception),
            Event::Turn { .. } => {
                self.turn();
                self.turns.set(self.turns.get() + 1);
                if self.turns.get() > TURNS {
                    self.fail(format!("more than {TURNS} turns of the loop: does the program ever end?"));
                }
            }
            _ => {}
        }
        let told = match event {
            // The error of the run says that the program is given up.
            Event::Report { exception, .. } if exception.is::<GivenUp>() => false,
            Event::Report { problem: Problem::NeverRetrieved | Problem::NeverAwaited, .. } => true,
            _ => !self.closed.get(),
        };
        if let Some(outer) = self.outer.as_ref().filter(|_| told) {
            outer.event(event);
        }
    }
}
