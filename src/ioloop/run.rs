//! Running a loop, [`IoLoop::run_sync`] and [`IoLoop::start`], and what ends a run.

use std::cell::Cell;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;

use log::Level;
use squall_runner::ready::{Callback, Run, Withdraw};
use squall_runner::trace::{self, Event, Queued, Shown};
use squall_runner::{log, Context, Error, Exception, Future, Place, Result, Yieldable};

use super::{convert_at, IoLoop, Timeout, CLOSED};

impl IoLoop {
    /// Calls `f` on the loop, runs the loop until the coroutine that `f` returns is done, and returns its result.
    ///
    /// ```
    /// use squall::{Future, IoLoop};
    /// assert_eq!(IoLoop::current().run_sync(|| Future::ready(5))?, 5);
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// Nothing that a run leaves behind can end a later run.
    ///
    /// # Errors
    /// The exception that the coroutine raised; [`Error::LoopStopped`] if [`stop`](Self::stop) was called first;
    /// [`Error::Deadlock`] if nothing can wake the loop any more, with the name of each waiting coroutine;
    /// [`Error::InvalidState`] if the loop is closed.
    ///
    /// # Panics
    /// Panics if the loop is already running.
    #[track_caller]
    pub fn run_sync<M, Y: Yieldable<M>>(&self, f: impl FnOnce() -> Y) -> Result<Y::Output> {
        self.run_until_done(None, f)
    }

    /// Runs the loop like [`run_sync`](Self::run_sync), but cancels the coroutine and fails after `timeout`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use squall::{sleep, IoLoop};
    ///
    /// let late = IoLoop::current().run_sync_with_timeout(Duration::from_millis(1), || sleep(Duration::from_secs(9)));
    /// assert_eq!(late.unwrap_err().to_string(), "Operation timed out after 0.001 seconds");
    /// ```
    ///
    /// # Errors
    /// The errors of [`run_sync`](Self::run_sync), and [`Error::RunSyncTimeout`] after `timeout`.
    ///
    /// # Panics
    /// Panics if the loop is already running.
    #[track_caller]
    pub fn run_sync_with_timeout<M, Y: Yieldable<M>>(
        &self,
        timeout: Duration,
        f: impl FnOnce() -> Y,
    ) -> Result<Y::Output> {
        self.run_until_done(Some(timeout), f)
    }

    #[track_caller]
    fn run_until_done<M, Y: Yieldable<M>>(
        &self,
        timeout: Option<Duration>,
        f: impl FnOnce() -> Y,
    ) -> Result<Y::Output> {
        self.assert_not_running();
        let here = Location::caller();
        let _current = self.make_current();
        trace::emit_always(|| Event::Run {
            queue: self.inner.ready.id(),
            by: "run_sync",
            place: here.into(),
        });
        // `f` may borrow from the caller, so it cannot be on the ready queue itself: an entry holds its place.
        let (turn_of_f, end) = (Entry::new(self), Entry::new(self));
        turn_of_f.queue();
        let future = Rc::new(Cell::new(None::<Future<Y::Output>>));
        let timed_out = Rc::new(Cell::new(false));
        let _timer = timeout.map(|timeout| {
            let (future, timed_out, end) = (future.clone(), timed_out.clone(), end.passed.clone());
            let timer = self.call_later(timeout, move || {
                timed_out.set(true);
                let pending = future.take();
                if !pending.as_ref().is_some_and(Future::cancel) {
                    end.0.set(true);
                }
                future.set(pending);
            });
            Timer { io_loop: self, timer }
        });
        let context = Context::current();
        let mut f = Some(f);
        let mut begin = || {
            let Some(f) = f.take() else { return };
            let called = Exception::trap(|| context.clone().enter(|| convert_at(here, f())), Err);
            let pending = called.unwrap_or_else(Future::failed);
            trace::emit_always(|| Event::Until { queue: self.inner.ready.id(), future: pending.id() });
            pending.call_when_done(end.passed.clone());
            future.set(Some(pending));
        };
        let call_f = || {
            if turn_of_f.passed.0.take() {
                out_of_line(&mut begin);
            }
        };
        // What the loop calls is called at no line of an interpreted program.
        let (ran, _) = trace::body(|| self.run(&end.passed.0, call_f));
        let result = match future.take() {
            Some(future) if future.done() && !future.cancelled() => {
                future.erased().look(&mut |value| self.tell_stop(Some(Ok(value))));
                future.into_result()
            }
            _ => Err(match (ran, timeout) {
                (Err(exception), _) => exception.at(here),
                (Ok(()), Some(timeout)) if timed_out.get() => {
                    let seconds = format!("{:?}", timeout.as_secs_f64());
                    Exception::from(Error::RunSyncTimeout { seconds }).at(here)
                }
                (Ok(()), _) => Exception::from(Error::LoopStopped).at(here),
            }),
        };
        if let Err(exception) = &result {
            self.tell_stop(Some(Err(exception)));
        }
        result
    }

    fn tell_stop(&self, outcome: Option<Result<Shown<'_>, &Exception>>) {
        trace::emit_always(|| Event::Stop { queue: self.inner.ready.id(), outcome });
    }

    /// Runs the loop until [`stop`](Self::stop) is called.
    ///
    /// Also returns when nothing can wake the loop any more, after one warning in the log that names each waiting
    /// coroutine; and after an error in the log if the loop is closed, or if the system refuses what it needs to sleep.
    ///
    /// ```
    /// use squall::IoLoop;
    ///
    /// let io_loop = IoLoop::current();
    /// io_loop.add_callback(|| IoLoop::current().stop());
    /// io_loop.start();
    /// ```
    ///
    /// # Panics
    /// Panics if the loop is already running.
    #[track_caller]
    pub fn start(&self) {
        let caller = Location::caller();
        let Err(exception) = self.run_until_stopped() else { return };
        let (level, more) = match exception.downcast_ref() {
            Some(Error::Deadlock { waiting }) if waiting.is_empty() => {
                (Level::Warn, ", and no coroutine waits")
            }
            Some(Error::Deadlock { .. }) => (Level::Warn, ""),
            _ => (Level::Error, ""),
        };
        log(level, "squall::ioloop", format_args!("start at {caller} returns: {exception}{more}"));
    }

    /// Runs the loop like [`start`](Self::start), but returns an error if anything other than [`stop`](Self::stop)
    /// ended it.
    ///
    /// ```
    /// use squall::{Error, IoLoop};
    ///
    /// let nothing = IoLoop::current().run_until_stopped().unwrap_err();
    /// assert!(matches!(nothing.downcast_ref(), Some(Error::Deadlock { waiting }) if waiting.is_empty()));
    /// ```
    ///
    /// # Errors
    /// [`Error::Deadlock`] if nothing can wake the loop any more, with the name of each waiting coroutine;
    /// [`Error::InvalidState`] if the loop is closed; an I/O error if the system refuses what the loop needs to sleep.
    ///
    /// # Panics
    /// Panics if the loop is already running.
    #[track_caller]
    pub fn run_until_stopped(&self) -> Result<()> {
        self.assert_not_running();
        let (_current, here) = (self.make_current(), Place::caller());
        trace::emit_always(|| Event::Run { queue: self.inner.ready.id(), by: "start", place: here });
        let (ran, _) = trace::body(|| self.run(&Cell::new(false), || ()));
        self.tell_stop(ran.as_ref().err().map(Err));
        ran
    }

    /// Ends the run after the current turn. Called between two runs, it limits the next run to one turn.
    ///
    /// ```
    /// use squall::IoLoop;
    ///
    /// let io_loop = IoLoop::current();
    /// let inner = io_loop.clone();
    /// io_loop.add_callback(move || inner.stop());
    /// io_loop.start();                                // returns after one turn
    /// ```
    pub fn stop(&self) {
        self.inner.stop.set(true);
    }

    #[track_caller]
    fn assert_not_running(&self) {
        assert!(!self.inner.running.get(), "this IoLoop is running already: yield the Future instead");
    }

    /// Runs turns until this run has reached its `end` or the loop is stopped. Calls `after_each` after each callback.
    fn run(&self, end: &Cell<bool>, mut after_each: impl FnMut()) -> Result<()> {
        let inner = &*self.inner;
        if inner.closed.get() {
            return Err(CLOSED.into());
        }
        inner.running.set(true);
        inner.lull.end();
        let _running = Running(&inner.running);
        loop {
            if inner.ready.is_empty() && !inner.stop.get() {
                inner.sleep()?;
            } else {
                inner.look_while_busy()?;
            }
            inner.run_turn(&mut after_each);
            // A stop in the turn in which the run ends anyway is used up with it.
            if inner.stop.take() | end.get() {
                inner.give_back_room();
                return Ok(());
            }
        }
    }
}

/// Calls a function that is needed once in a run. The check before it comes after each callback, so it has to be small.
#[cold]
#[inline(never)]
fn out_of_line(f: &mut dyn FnMut()) {
    f();
}

/// Marks the loop as not running when it is dropped, also by a panic.
pub(super) struct Running<'a>(pub(super) &'a Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// An entry of one run in the ready queue. It is removed when the run ends.
struct Entry<'a> {
    io_loop: &'a IoLoop,
    passed: Rc<Passed>,
}

/// A flag that is set once the loop has reached an entry.
struct Passed(Cell<bool>);

impl Run for Passed {
    fn run(self: Rc<Self>) {
        self.0.set(true);
    }

    /// Returns whether its run has ended, so that only the Future it waits for holds it.
    fn is_over(&self, holders: usize) -> bool {
        holders == 1
    }

    fn queued_as(&self) -> Queued {
        Queued::Callback("run_sync")
    }
}

impl Withdraw for Passed {}

impl<'a> Entry<'a> {
    fn new(io_loop: &'a IoLoop) -> Self {
        Self { io_loop, passed: Rc::new(Passed(Cell::new(false))) }
    }

    fn queue(&self) {
        self.io_loop.inner.ready.push(self.passed.clone());
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        // The entry is not in the queue once the loop has passed it, or while only its future caller holds it.
        if Rc::strong_count(&self.passed) > 1 {
            let entry: Callback = self.passed.clone();
            self.io_loop.inner.ready.retract(&entry);
        }
    }
}

/// The timer of one run, removed when the run ends.
struct Timer<'a> {
    io_loop: &'a IoLoop,
    timer: Timeout,
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        self.io_loop.remove_timeout(&self.timer);
    }
}
