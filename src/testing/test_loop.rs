//! [`TestLoop`]: a loop that runs one resume at a time, on a virtual clock.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use squall_runner::trace::{because, Why};
use squall_runner::{convert_yielded, Future, WeakFuture, Yieldable};

use super::active::Active;
use super::limit::{Limit, LIMIT};
use super::step::Step;
use super::unstarted::unstarted;
use super::waits::{Known, Waits};
use super::watch::{look, Seen, Watch};
use super::VirtualClock;
use crate::background::is_background;
use crate::ioloop::{Clock, IoLoop};
use crate::trace::Trace;

/// How many steps a test may make without being idle. One that makes more is taken to run for ever.
const STEPS: usize = 100_000;

/// A loop that runs one resume at a time, on a virtual clock.
///
/// A `TestLoop` is the current loop of its thread while it lives. If several live, each method works on its own loop,
/// and calls in the test itself use the one that was created last. Calls in a coroutine use the loop of that coroutine,
/// even after the coroutine has created a `TestLoop`.
///
/// ```
/// use std::time::Duration;
/// use squall::testing::TestLoop;
/// use squall::{sleep, Result};
///
/// #[squall::coroutine]
/// fn tick(n: u32) -> Result<u32> {
///     yield_!(sleep(Duration::from_secs(60)))?;
///     Ok(n + 1)
/// }
///
/// let mut t = TestLoop::new();
/// let ticked = t.spawn(|| tick(1));                  // called, not started
/// let s = t.step();                                  // one resume
/// assert!(s.started());
/// assert_eq!(s.to_string().split(" at").next(), Some("tick: start -> yield future:pending"));
/// t.advance(Duration::from_secs(60));
/// assert_eq!(ticked.result()?, 2);
/// t.assert_idle();
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// A step is one resume: what a coroutine does from one yield to the next. A coroutine that it calls runs up to its own
/// first wait within the same step, since a call runs at once. Callbacks that resume no coroutine run in between, as on
/// any loop.
///
/// If a test panics while a `TestLoop` lives, the last events are printed in columns, with the waiting coroutines.
pub struct TestLoop {
    pub(super) io_loop: IoLoop,
    pub(super) clock: VirtualClock,
    pub(super) seen: Arc<Mutex<Seen>>,
    pub(super) watch: Rc<Watch>,
    /// Keeps it the current loop, observing the thread, between its calls. `None` for one that can go back, and for one
    /// that a coroutine has created, which has a loop of its own.
    resident: Option<Active>,
    pub(super) autojump: bool,
    pub(super) step_limit: usize,
    /// How long one call may take in real time.
    pub(super) limit: Option<Duration>,
    /// How many callbacks of the current turn are in the queue, at its front.
    pub(super) batch: usize,
    /// Decides which callback goes next, instead of the order of the queue.
    pub(super) chooser: Option<Box<dyn Chooser>>,
    /// The Futures that were spawned, except in the background, and were pending then.
    pub(super) spawned: Vec<WeakFuture>,
    pub(super) steps: Vec<Rc<Step>>,
    /// Everything that was done, in order to repeat it.
    pub(super) done: Vec<Done>,
    /// `true` to print nothing when a panic drops it, since what happened is reported elsewhere.
    pub(super) reported: bool,
    /// `true` if its creator reports what happened.
    pub(super) brief: bool,
}

/// A test loop that is shared by a test and by the program that it runs.
pub type SharedTestLoop = Rc<RefCell<TestLoop>>;

/// Decides which callback of a loop goes next, instead of the order of the queue.
pub(super) trait Chooser {
    /// Returns the index in the queue of the callback that goes next. The queue must not be empty.
    ///
    /// # Errors
    /// The reason why none can go next.
    fn choose(&mut self, test_loop: &TestLoop) -> Result<usize, String>;

    /// Returns whether there is more to decide.
    fn goes_on(&self) -> bool {
        true
    }

    /// Returns what is wrong if the loop is idle now.
    fn left_over(&self, _test_loop: &TestLoop) -> Option<String> {
        None
    }
}

/// One thing that a test loop did.
#[derive(Debug, Clone)]
pub(super) enum Done {
    /// Ran the callback at that index in the queue, which was this step if it was one.
    Ran(usize, Option<Rc<Step>>),
    /// Let a coroutine go on that need not wait.
    WentOn(Option<Rc<Step>>),
    /// Moved the clock.
    Jumped(Duration),
}

impl Default for TestLoop {
    fn default() -> Self {
        Self::new()
    }
}

impl TestLoop {
    /// Creates a test loop at time zero.
    pub fn new() -> Self {
        Self::recording(true)
    }

    /// Creates a test loop that records a trace or does not.
    pub(super) fn recording(record: bool) -> Self {
        let clock = VirtualClock::new();
        let io_loop = IoLoop::with_clock(clock.clone());
        let watch = Rc::new(Watch::new(clock.clone(), io_loop.ready().clone(), record));
        let resident = (!IoLoop::current_runs()).then(|| Active::new(&watch, &io_loop));
        Self {
            io_loop,
            clock,
            seen: watch.seen.clone(),
            watch,
            resident,
            autojump: true,
            step_limit: STEPS,
            limit: Some(LIMIT),
            batch: 0,
            chooser: None,
            spawned: Vec::new(),
            steps: Vec::new(),
            done: Vec::new(),
            reported: false,
            brief: false,
        }
    }

    /// Sets whether the clock jumps to the next timer when nothing is ready. `true` by default; with `false`, only
    /// [`advance`](Self::advance) moves the clock.
    pub fn autojump(&mut self, on: bool) {
        self.autojump = on;
    }

    /// Sets how many steps the test may make without being idle; 100,000 by default. A test that makes more panics,
    /// since it may run for ever.
    pub fn step_limit(&mut self, steps: usize) {
        self.step_limit = steps;
    }

    /// Sets how long one call, such as [`run_until_idle`](Self::run_until_idle), may take in real time, like
    /// `#[squall::test(limit = ..)]`; ten seconds by default. A call that takes longer panics with the names of the
    /// waiting coroutines.
    ///
    /// Such a test waits while something outside could still wake the loop: a job, a descriptor, the holder of a
    /// [`LoopHandle`](crate::ioloop::LoopHandle) or of a `Waker`. The limit is checked between two turns, so a
    /// coroutine that never reaches its next yield is not stopped.
    ///
    /// ```should_panic
    /// use std::time::Duration;
    /// use squall::{testing::TestLoop, Future};
    ///
    /// let mut t = TestLoop::new();
    /// t.limit(Duration::from_millis(1));
    /// let handle = t.io_loop().handle();                 // it might be given to another thread
    /// let never = t.spawn(Future::<()>::new);
    /// # let waits = t.spawn(|| squall::coroutine(|co| async move { co.yield_(never).await }));
    /// t.run_until_idle();                                // the test is not over after 1ms
    /// ```
    pub fn limit(&mut self, limit: Duration) {
        self.limit = Some(limit);
    }

    /// Calls `f`, and runs what it returns: a coroutine, yield-style or native, or anything else that can be yielded.
    /// `f` is called now; the coroutines that it calls start in steps of their own.
    #[track_caller]
    pub fn spawn<M, Y: Yieldable<M>>(&mut self, f: impl FnOnce() -> Y) -> Future<Y::Output> {
        let _active = self.activate();
        let (future, called) = unstarted(|| convert_yielded(f()));
        for call in called {
            because(Why::Called, || self.io_loop.ready().push(call));
        }
        let future = future.unwrap_or_else(Future::failed);
        if !future.done() && !is_background() {
            self.note_spawned(future.erased().downgrade());
        }
        future
    }

    fn note_spawned(&mut self, future: WeakFuture) {
        if self.spawned.len() == self.spawned.capacity() {
            self.spawned.retain(is_pending);
        }
        self.spawned.push(future);
    }

    /// Returns the loop itself, for its timers and callbacks.
    pub fn io_loop(&self) -> &IoLoop {
        &self.io_loop
    }

    /// Returns the loop's time.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Resumes one coroutine: the one whose turn it is.
    ///
    /// # Panics
    /// Panics if no coroutine can be resumed, with the names of those that wait.
    #[track_caller]
    pub fn step(&mut self) -> Step {
        match self.try_step() {
            Some(step) => step,
            None => self.fail("no coroutine is left to be resumed"),
        }
    }

    /// Resumes one coroutine, if there is one that can be resumed.
    #[track_caller]
    pub fn try_step(&mut self) -> Option<Step> {
        let next = self.next(&Limit::new(self.limit));
        self.unless_failed(next)
    }

    /// Runs everything that is ready, and everything that becomes ready by that. The clock stands still.
    #[track_caller]
    pub fn run_current(&mut self) {
        let ran = self.run_ready(&Limit::new(self.limit));
        self.unless_failed(ran);
    }

    /// Runs until no coroutine can be resumed. The clock jumps from timer to timer, unless [`autojump`](Self::autojump)
    /// is off.
    #[track_caller]
    pub fn run_until_idle(&mut self) {
        let ran = self.run_while(|_| true);
        self.unless_failed(ran);
    }

    /// Runs to the first step for which `found` returns `true`, including that step: a breakpoint.
    ///
    /// # Panics
    /// Panics if there is no such step.
    #[track_caller]
    pub fn run_until(&mut self, mut found: impl FnMut(&Step) -> bool) -> Step {
        let mut last = None;
        let ran = self.run_while(|step| {
            let goes_on = !found(step);
            last = (!goes_on).then(|| step.clone());
            goes_on
        });
        self.unless_failed(ran);
        match last {
            Some(step) => step,
            None => self.fail("the loop is idle, and there was no such step"),
        }
    }

    /// Moves the clock on by `by`, from timer to timer. At each timer, everything that is ready runs before the clock
    /// moves on. Timers run by deadline, equal deadlines oldest first. Advancing twice has the same effect as advancing
    /// by the sum.
    #[track_caller]
    pub fn advance(&mut self, by: Duration) {
        let (_active, limit) = (self.activate(), Limit::new(self.limit));
        let target = self.now().saturating_add(by);
        loop {
            let ran = self.run_ready(&limit);
            self.unless_failed(ran);
            match self.io_loop.next_deadline() {
                Some(deadline) if deadline <= target => self.jump_to(deadline),
                _ => break,
            }
        }
        self.jump_to(target);
    }

    /// Returns the trace so far. It is equal on every machine, so it can be compared with a snapshot;
    /// `t.trace().text().without_lines()` also stays equal when the program is moved within its file. The trace holds
    /// the last 100,000 entries, after one that says how many were left out.
    pub fn trace(&self) -> Trace {
        look(&self.seen).trace()
    }

    /// Returns the steps so far.
    pub fn steps(&self) -> super::Steps<'_> {
        super::Steps::new(&self.steps)
    }

    /// Returns the waiting coroutines, each with what it waits for.
    pub fn waiting(&self) -> Waits {
        let suspended = self.io_loop.ready().suspended();
        // Descriptions are made before the lock is taken, since they are foreign code.
        let known = suspended.iter().filter_map(|it| {
            let on = it.waits_for.as_ref().and_then(|future| future.describe()).or(it.on.map(str::to_owned));
            Some((it.call?, Known { place: it.place, on }))
        });
        let known = known.collect();
        Waits::of(&look(&self.seen), &known)
    }

    /// Asserts that no coroutine is ready or waiting.
    ///
    /// # Panics
    /// Panics if one is, with the name of each waiting coroutine, what it waits for, and its line.
    #[track_caller]
    pub fn assert_idle(&mut self) {
        let waiting = self.waiting().left_over().count();
        if waiting > 0 {
            let verb = if waiting == 1 { "coroutine still waits" } else { "coroutines still wait" };
            self.fail(&format!("{waiting} {verb}"));
        }
        if self.io_loop.has_work() {
            self.fail("callbacks are still ready");
        }
    }

    /// Makes it the current loop of the thread, observing it, until the guard is dropped. Returns `None` if it is so
    /// already.
    pub(super) fn activate(&self) -> Option<Active> {
        (!Active::is(&self.watch)).then(|| Active::new(&self.watch, &self.io_loop))
    }

    /// From now on, makes it the current loop of the thread only during its calls.
    pub(super) fn retire(&mut self) {
        self.reported = true;
        drop(self.resident.take());
    }
}

impl Drop for TestLoop {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.reported {
            eprintln!("\n{}", self.report());
        }
        let active = self.activate();
        // What is left is dropped while this is still the current loop and still observes.
        drop(self.watch.going_on.take());
        self.io_loop.close();
        drop(active);
        self.retire();
    }
}

impl fmt::Debug for TestLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestLoop")
            .field("now", &self.now())
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}

pub(super) fn is_pending(future: &WeakFuture) -> bool {
    future.upgrade().is_some_and(|future| !future.done())
}
