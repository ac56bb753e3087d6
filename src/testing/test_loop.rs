//! [`TestLoop`]: a loop that runs one resume at a time, on a virtual clock.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use squall_runner::ready::Callback;
use squall_runner::report::guard;
use squall_runner::trace::Problem;
use squall_runner::{convert_yielded, Future, Yieldable};

use super::active::Active;
use super::choice::{Chooser, Script};
use super::limit::{Limit, LIMIT};
use super::report::Report;
use super::step::Step;
use super::unstarted::unstarted;
use super::waits::{Known, Waits};
use super::watch::{look, Seen, Watch};
use super::VirtualClock;
use crate::ioloop::{Clock, IoLoop};
use crate::trace::Trace;

/// A test that takes more steps than this without being idle is taken for one that never ends.
const STEPS: usize = 100_000;

/// How long to wait, in real time, for what is under way outside before the clock jumps.
const OUTSIDE: Duration = Duration::from_millis(10);

/// A loop that runs one resume at a time, on a virtual clock. It is the current loop of the thread while it
/// lives. Where several live, each of their methods works on its own loop, and what the test itself calls goes to
/// the one that was made last. What a coroutine calls is on the loop of that coroutine, also after it has made a
/// `TestLoop`.
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
/// One step is one resume: what a coroutine does from one yield to the next. A coroutine that it calls runs
/// up to its own first wait within the same step, since a call runs at once. Callbacks that resume nobody run in
/// between, as the loop would have run them.
///
/// When a test fails while a `TestLoop` lives, what happened last is printed in columns, and who waits for whom.
pub struct TestLoop {
    pub(super) io_loop: IoLoop,
    clock: VirtualClock,
    pub(super) seen: Arc<Mutex<Seen>>,
    watch: Rc<Watch>,
    /// That it is the current loop and observes between its calls, where no other does. One that can go back does
    /// not, nor one that a coroutine has made: that has a loop of its own.
    resident: Option<Active>,
    autojump: bool,
    step_limit: usize,
    /// How long one call may take in real time.
    pub(super) limit: Option<Duration>,
    /// How many callbacks of the turn under way are in the queue, at its front.
    batch: usize,
    /// Who decides who goes next, if that is not the order of the queue.
    pub(super) chooser: Option<Box<dyn Chooser>>,
    steps: Vec<Rc<Step>>,
    /// Everything that was done, to be done again.
    pub(super) done: Vec<Done>,
    /// Whether it says nothing when a panic drops it: somebody has told already what happened, or will.
    pub(super) reported: bool,
    /// Whether whoever made this tells what happened.
    pub(super) brief: bool,
}

/// One thing that a test loop did.
#[derive(Debug, Clone)]
pub(super) enum Done {
    /// It ran the callback at that place in the queue; that was this step, if it was one.
    Ran(usize, Option<Rc<Step>>),
    /// It let the coroutine go on that need not wait.
    WentOn(Option<Rc<Step>>),
    /// The clock moved on.
    Jumped(Duration),
}

impl Default for TestLoop {
    fn default() -> Self {
        Self::new()
    }
}

impl TestLoop {
    /// A loop on which nothing was done, at time zero.
    pub fn new() -> Self {
        Self::recording(true)
    }

    /// One that keeps a trace or does not.
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
            steps: Vec::new(),
            done: Vec::new(),
            reported: false,
            brief: false,
        }
    }

    /// Sets whether the clock jumps to the next timer when nothing is ready. It does unless told otherwise; with
    /// `false`, only [`advance`](Self::advance) moves it.
    pub fn autojump(&mut self, on: bool) {
        self.autojump = on;
    }

    /// Takes a test that makes more than `steps` steps without being idle for one that never ends. It is 100,000
    /// if nothing else is said.
    pub fn step_limit(&mut self, steps: usize) {
        self.step_limit = steps;
    }

    /// Takes a test for one that hangs if one call, such as [`run_until_idle`](Self::run_until_idle), takes more than
    /// `limit` of real time, as `#[squall::test(limit = ..)]` does: it panics, and names who waits. It is ten seconds
    /// if nothing else is said.
    ///
    /// That is what becomes of coroutines that wait while something outside could still wake the loop: a job, a
    /// descriptor, whoever keeps a [`LoopHandle`](crate::ioloop::LoopHandle) or a `Waker`. It is looked at between two
    /// turns: a coroutine that does not come to its next yield is not ended.
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

    /// Calls `f`, and drives what it returns: a coroutine of either style, or anything else that can be
    /// yielded. `f` is called now; the coroutines that it calls start in a step of their own.
    #[track_caller]
    pub fn spawn<M, Y: Yieldable<M>>(&mut self, f: impl FnOnce() -> Y) -> Future<Y::Output> {
        let _active = self.activate();
        let (future, called) = unstarted(|| convert_yielded(f()));
        for call in called {
            self.io_loop.ready().push(call);
        }
        future.unwrap_or_else(Future::failed)
    }

    /// Returns the loop itself, for its timers and callbacks.
    pub fn io_loop(&self) -> &IoLoop {
        &self.io_loop
    }

    /// Returns the time of the loop.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Resumes one coroutine: the one whose turn it is.
    ///
    /// # Panics
    /// If nothing is left that could be resumed; then it names who waits.
    #[track_caller]
    pub fn step(&mut self) -> Step {
        match self.try_step() {
            Some(step) => step,
            None => self.fail("no coroutine is left to be resumed"),
        }
    }

    /// Resumes one coroutine, if one is left.
    #[track_caller]
    pub fn try_step(&mut self) -> Option<Step> {
        let next = self.next(&Limit::new(self.limit));
        self.unless_failed(next)
    }

    /// Runs everything that is ready, and what becomes ready by that. The clock stands still.
    #[track_caller]
    pub fn run_current(&mut self) {
        let ran = self.run_ready(&Limit::new(self.limit));
        self.unless_failed(ran);
    }

    /// Runs until nobody is left who could be resumed. The clock jumps from timer to timer, if
    /// [`autojump`](Self::autojump) is on.
    #[track_caller]
    pub fn run_until_idle(&mut self) {
        let ran = self.run_while(|_| true);
        self.unless_failed(ran);
    }

    /// Runs up to the first step of which `found` says `true`, that one included: a breakpoint.
    ///
    /// # Panics
    /// If there is no such step.
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

    /// Moves the clock on by `by`, from timer to timer: at each, everything that is ready runs before the clock
    /// moves on. Timers run by deadline, equal deadlines oldest first. To advance twice is the same as to advance
    /// by both at once.
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

    /// Says who goes next: each name is one turn, in which the coroutine runs until it waits. `fetch` is the
    /// oldest call of `fetch` that is ready, `fetch#2` the second call of it. When the names are used up, the
    /// order is that of the queue again.
    ///
    /// The next [`step`](Self::step) or `run_` panics if the one that is named cannot run, and names those who can.
    #[track_caller]
    pub fn schedule<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>) {
        let names = names.into_iter().map(Into::into).collect();
        self.chooser = Some(Box::new(Script::new(names, Location::caller())));
    }

    /// Returns what happened so far. Print it, or compare it with a snapshot: it is the same on every machine;
    /// `t.trace().text().without_lines()` is the same, too, when the program is moved within its file. Of more than
    /// 100,000 entries it has the last, after one that says how many were left out.
    pub fn trace(&self) -> Trace {
        look(&self.seen).trace()
    }

    /// Returns the steps so far.
    pub fn steps(&self) -> super::Steps<'_> {
        super::Steps::new(&self.steps)
    }

    /// Returns the coroutines that wait, each with what it waits for.
    pub fn waiting(&self) -> Waits {
        let suspended = self.io_loop.ready().suspended();
        // What is described is described before the lock is taken.
        let known = suspended.iter().filter_map(|it| {
            let on = it.waits_for.as_ref().and_then(|future| future.describe()).or(it.on.map(str::to_owned));
            Some((it.call?, Known { place: it.place, on }))
        });
        let known = known.collect();
        Waits::of(&look(&self.seen), &known)
    }

    /// That nobody is ready and nobody waits.
    ///
    /// # Panics
    /// If somebody does: it names each coroutine that waits, for what, and at which line.
    #[track_caller]
    pub fn assert_idle(&mut self) {
        let waiting = self.waiting().left_over().count();
        if waiting > 0 {
            let verb = if waiting == 1 { "coroutine waits" } else { "coroutines wait" };
            self.fail(&format!("{waiting} {verb} still"));
        }
        if self.io_loop.has_work() {
            self.fail("callbacks are ready still");
        }
    }

    /// Runs as long as `goes_on` says of each step, and as anybody is left who could be resumed.
    ///
    /// # Errors
    /// What is wrong with the test.
    pub(super) fn run_while(&mut self, mut goes_on: impl FnMut(&Step) -> bool) -> Result<(), String> {
        let (_active, limit) = (self.activate(), Limit::new(self.limit));
        let mut steps = 0;
        while let Some(step) = self.next(&limit)? {
            if !goes_on(&step) {
                break;
            }
            self.count(&mut steps)?;
        }
        Ok(())
    }

    fn run_ready(&mut self, limit: &Limit) -> Result<(), String> {
        let _active = self.activate();
        let mut steps = 0;
        while self.resume(limit)?.is_some() {
            self.count(&mut steps)?;
        }
        Ok(())
    }

    fn count(&self, steps: &mut usize) -> Result<(), String> {
        *steps += 1;
        if *steps > self.step_limit {
            return Err(format!(
                "{} steps, and the loop is not idle: it seems never to end",
                self.step_limit
            ));
        }
        Ok(())
    }

    /// What was given, or a panic with what is wrong.
    #[track_caller]
    fn unless_failed<T>(&mut self, result: Result<T, String>) -> T {
        match result {
            Ok(value) => value,
            Err(problem) => self.fail(&problem),
        }
    }

    /// Panics with what happened.
    #[track_caller]
    pub(super) fn fail(&mut self, problem: &str) -> ! {
        self.reported = true;
        let report = if self.brief { String::new() } else { format!("\n{}", self.report()) };
        panic!("{problem}{report}")
    }

    /// What happened last, and how it stands.
    pub(super) fn report(&self) -> Report {
        let waits = self.waiting();
        Report::new(&look(&self.seen), &waits, &self.io_loop.timers_left())
    }

    /// The next resume; `None` if nobody is left.
    fn next(&mut self, limit: &Limit) -> Result<Option<Step>, String> {
        let _active = self.activate();
        loop {
            if let Some(step) = self.resume(limit)? {
                return Ok(Some(step));
            }
            if !self.jump(limit)? && !self.wait_for_outside(limit)? {
                return self.check_script_ended().map(|()| None);
            }
        }
    }

    /// Runs what is ready up to the end of the next resume; `None` if there is none at this time.
    fn resume(&mut self, limit: &Limit) -> Result<Option<Step>, String> {
        loop {
            if let Some(going_on) = self.watch.going_on.take() {
                let step = self.run(going_on);
                self.done.push(Done::WentOn(step.clone()));
                if let Some(step) = step {
                    return Ok(Some(Step::clone(&step)));
                }
                continue;
            }
            if self.batch == 0 {
                // A turn begins with what comes of the jobs.
                let outside = if self.io_loop.expects() { self.io_loop.outside() } else { Vec::new() };
                self.check(limit, &outside)?;
                self.batch = self.io_loop.begin_turn(limit.left());
                if self.batch == 0 {
                    return Ok(None);
                }
            }
            let index = self.choose()?;
            if let Some(step) = self.run_at(index) {
                return Ok(Some(Step::clone(&step)));
            }
        }
    }

    /// Which callback of the queue goes next.
    fn choose(&mut self) -> Result<usize, String> {
        let Some(mut chooser) = self.chooser.take() else { return Ok(0) };
        let index = chooser.choose(self);
        self.chooser = chooser.goes_on().then_some(chooser);
        index
    }

    fn check_script_ended(&mut self) -> Result<(), String> {
        let problem = self.chooser.as_ref().and_then(|chooser| chooser.left_over(self));
        match problem {
            Some(problem) => {
                self.chooser = None;
                Err(problem)
            }
            None => Ok(()),
        }
    }

    /// Runs the callback at that place in the queue.
    fn run_at(&mut self, index: usize) -> Option<Rc<Step>> {
        let callback = self.io_loop.ready().remove(index)?;
        self.batch -= usize::from(index < self.batch);
        let step = self.run(callback);
        self.done.push(Done::Ran(index, step.clone()));
        step
    }

    fn run(&mut self, callback: Callback) -> Option<Rc<Step>> {
        guard(Problem::Callback, || self.io_loop.as_running(|| callback.run()));
        let step = look(&self.seen).take_step().map(Rc::new);
        self.steps.extend(step.clone());
        step
    }

    /// Moves the clock to the next timer, if that is wanted and there is one.
    fn jump(&mut self, limit: &Limit) -> Result<bool, String> {
        let deadline = self.io_loop.next_deadline().filter(|_| self.autojump);
        let Some(deadline) = deadline else { return Ok(false) };
        // What is under way outside takes real time; it should not be overtaken by a timer. A job ends, and a real
        // socket is waited for as long as it takes.
        while !self.io_loop.has_work() && (self.io_loop.expects() || self.io_loop.socket_waits().is_some()) {
            self.sleep(limit.left());
            self.check(limit, &self.io_loop.outside())?;
        }
        if !self.io_loop.has_work() && self.io_loop.may_be_woken() {
            self.sleep(Some(OUTSIDE));
        }
        if !self.io_loop.has_work() {
            self.jump_to(deadline);
        }
        Ok(true)
    }

    fn jump_to(&mut self, time: Duration) {
        let by = time.saturating_sub(self.now());
        if !by.is_zero() {
            self.clock.advance(by);
            look(&self.seen).now = self.now();
            self.done.push(Done::Jumped(by));
        }
    }

    /// Waits until something outside wakes the loop, if something can. Only a coroutine that waits is worth that.
    fn wait_for_outside(&self, limit: &Limit) -> Result<bool, String> {
        while self.io_loop.may_be_woken() && self.waiting().left_over().next().is_some() {
            if self.io_loop.has_work() {
                return Ok(true);
            }
            if self.io_loop.next_deadline().is_some() {
                break;
            }
            self.sleep(limit.left());
            self.check(limit, &self.io_loop.outside())?;
        }
        Ok(false)
    }

    /// Sleeps until something outside wakes the loop, at most so long in real time.
    fn sleep(&self, timeout: Option<Duration>) {
        look(&self.seen).socket = self.io_loop.socket_waits();
        self.io_loop.wait_outside(timeout).expect("the system has no poller left");
    }

    /// That there is real time left. `outside` is what it waits for.
    fn check(&self, limit: &Limit, outside: &[Cow<'static, str>]) -> Result<(), String> {
        let problem = limit.problem(&look(&self.seen));
        match (problem, outside) {
            (None, _) => Ok(()),
            (Some(problem), []) => Err(problem),
            (Some(problem), outside) => {
                let outside = outside.join(", ");
                Err(format!("{problem}: it waits for what may come from outside ({outside})"))
            }
        }
    }

    /// Does again what was done once.
    ///
    /// # Errors
    /// What happened instead, if that was another step.
    pub(super) fn do_again(&mut self, done: &Done) -> Result<(), Option<Rc<Step>>> {
        let (before, step) = match done {
            Done::Jumped(by) => {
                self.jump_to(self.now() + *by);
                return Ok(());
            }
            Done::WentOn(before) => {
                let Some(going_on) = self.watch.going_on.take() else { return Err(None) };
                let step = self.run(going_on);
                self.done.push(Done::WentOn(step.clone()));
                (before, step)
            }
            Done::Ran(index, before) => {
                if self.batch == 0 {
                    self.batch = self.io_loop.begin_turn(None);
                }
                if *index >= self.io_loop.ready().len() {
                    return Err(None);
                }
                (before, self.run_at(*index))
            }
        };
        match (before, &step) {
            (None, None) => Ok(()),
            (Some(before), Some(step)) if before.same(step) => Ok(()),
            _ => Err(step),
        }
    }

    /// Makes it the current loop of the thread and has it observe, if that is not so, until the guard goes.
    pub(super) fn activate(&self) -> Option<Active> {
        (!Active::is(&self.watch)).then(|| Active::new(&self.watch, &self.io_loop))
    }

    /// From now on it is the current loop of the thread only within its calls.
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
        // What is left is dropped while this is observed still, and still the current loop.
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
