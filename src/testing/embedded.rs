//! Programs that run the loop themselves, such as those in another language, on test loops: [`TestLoop::run_turns`],
//! [`Explore::check_program`] and [`replay_program`].

use std::panic::Location;

use squall_runner::{Exception, Result};

use super::explored::{Explored, Failure};
use super::limit::Limit;
use super::schedule::{parse, unretrieved};
use super::test_loop::{Done, SharedTestLoop, TestLoop};
use super::Explore;

/// The reason why a test loop did not reach the end of a run: a limit, or a schedule that cannot be followed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unfinished(String);

impl TestLoop {
    /// Runs turns of the loop until one is over in which `end` returned `true` or [`IoLoop::stop`](crate::IoLoop::stop)
    /// was called: what [`IoLoop::start`](crate::IoLoop::start) is to any loop, in the order that the test chooses.
    ///
    /// ```
    /// use std::time::Duration;
    /// use squall::testing::TestLoop;
    /// use squall::{sleep, IoLoop};
    ///
    /// let mut t = TestLoop::new();
    /// t.io_loop().call_later(Duration::from_secs(60), || IoLoop::current().stop());
    /// t.run_turns(|| false)?;
    /// assert_eq!(t.now(), Duration::from_secs(60));
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Deadlock`](crate::Error::Deadlock) if nothing can wake the loop any more; or the limit of time or steps
    /// that was reached; or the name in a schedule that cannot run.
    pub fn run_turns(&mut self, end: impl Fn() -> bool) -> Result<()> {
        let (_active, limit) = (self.activate(), Limit::new(self.limit));
        let mut steps = 0;
        loop {
            self.go_on(&mut steps).map_err(unfinished)?;
            if !self.begin(&limit).map_err(unfinished)? {
                return Err(self.io_loop.deadlock());
            }
            // The turn in which the run ends is completed in the usual order.
            let mut ends = false;
            while self.batch > 0 {
                ends = ends || self.io_loop.is_stopping() || end();
                let index = if ends { 0 } else { self.choose().map_err(unfinished)? };
                if self.run_at(index).is_some() {
                    self.count(&mut steps).map_err(unfinished)?;
                }
                self.go_on(&mut steps).map_err(unfinished)?;
            }
            if self.io_loop.take_stop() | end() {
                return Ok(());
            }
        }
    }

    /// Lets the coroutine that was stopped after a resume go on, until it waits.
    fn go_on(&mut self, steps: &mut usize) -> std::result::Result<(), String> {
        while let Some(going_on) = self.watch.going_on.take() {
            let step = self.run(going_on);
            self.done.push(Done::WentOn(step));
            self.count(steps)?;
        }
        Ok(())
    }

    /// Begins a turn once there is something to do. Returns `false` if nothing can wake the loop.
    fn begin(&mut self, limit: &Limit) -> std::result::Result<bool, String> {
        loop {
            let outside = if self.io_loop.expects() { self.io_loop.outside() } else { Vec::new() };
            self.check(limit, &outside)?;
            self.batch = self.io_loop.begin_turn(limit.left());
            if self.batch > 0 || self.io_loop.is_stopping() {
                return Ok(true);
            }
            if self.jump(limit)? {
                continue;
            }
            if !self.io_loop.may_be_woken() {
                return Ok(false);
            }
            self.sleep(limit.left());
            self.check(limit, &self.io_loop.outside())?;
        }
    }
}

impl Explore {
    /// Runs a program in each order that runs the loop itself, such as one in another language. `program` gets the loop as
    /// a shared handle, for use wherever the program calls [`run_turns`](TestLoop::run_turns), and returns what is wrong.
    ///
    /// An order also fails if `program` panics, and if an exception was raised that nothing has retrieved. Coroutines that
    /// still wait when the program ends are allowed.
    ///
    /// ```
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    /// use squall::testing::{Explore, SharedTestLoop};
    /// use squall::{moment, Result};
    ///
    /// #[squall::coroutine]
    /// fn add(total: Rc<Cell<u32>>) -> Result<()> {
    ///     let before = total.get();
    ///     yield_!(moment())?;
    ///     total.set(before + 1);
    ///     Ok(())
    /// }
    ///
    /// let program = |test_loop: &SharedTestLoop| {
    ///     let total = Rc::new(Cell::new(0));
    ///     let io_loop = test_loop.borrow().io_loop().clone();
    ///     for _ in 0..2 {
    ///         let total = total.clone();
    ///         io_loop.add_callback(move || drop(add(total)));
    ///     }
    ///     io_loop.call_later(std::time::Duration::from_secs(1), move || squall::IoLoop::current().stop());
    ///     test_loop.borrow_mut().run_turns(|| false).map_err(|e| e.to_string())?;
    ///     if total.get() == 2 { Ok(()) } else { Err(format!("the total is {}", total.get())) }
    /// };
    /// let failure = Explore::new().check_program(program).unwrap_err();
    /// assert_eq!(failure.problem(), "the total is 1");
    /// ```
    ///
    /// # Errors
    /// The failure, as from [`check`](Self::check).
    #[track_caller]
    pub fn check_program(
        self,
        program: impl Fn(&SharedTestLoop) -> std::result::Result<(), String>,
    ) -> std::result::Result<Explored, Failure> {
        let allowed = self.allow.unretrieved;
        self.check_any(&|shared| {
            let ended = program(shared).err();
            ended.or_else(|| left_by_program(shared).filter(|_| !allowed))
        })
    }
}

/// Runs a program once, in the order that [`check_program`](Explore::check_program) has found to fail, and returns what is
/// wrong with it.
///
/// ```
/// use squall::testing::replay_program;
///
/// let replayed = replay_program("v1:", |test_loop| {
///     let io_loop = test_loop.borrow().io_loop().clone();
///     io_loop.add_callback(|| squall::IoLoop::current().stop());
///     test_loop.borrow_mut().run_turns(|| false).map_err(|e| e.to_string())
/// });
/// assert_eq!(replayed, Ok(()));
/// ```
///
/// # Errors
/// The result of the program, or the exceptions that nothing has retrieved.
///
/// # Panics
/// Panics like [`replay`](super::replay).
#[track_caller]
pub fn replay_program(
    schedule: &str,
    program: impl FnOnce(&SharedTestLoop) -> std::result::Result<(), String>,
) -> std::result::Result<(), String> {
    let mut test_loop = TestLoop::new();
    test_loop.chooser = Some(parse(schedule, Location::caller()));
    test_loop.reported = true;
    let active = test_loop.activate();
    let shared = SharedTestLoop::new(test_loop.into());
    let ended = program(&shared);
    drop(active);
    ended.and_then(|()| left_by_program(&shared).map_or(Ok(()), Err))
}

/// Returns the exceptions that nothing has retrieved by the end of a program.
fn left_by_program(shared: &SharedTestLoop) -> Option<String> {
    let problems = unretrieved(&shared.borrow());
    (!problems.is_empty()).then(|| problems.join("\n"))
}

fn unfinished(problem: String) -> Exception {
    Unfinished(problem).into()
}
