//! [`Rewindable`]: a test loop that goes back in time by repeating what was done.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::test_loop::Done;
use super::{Step, TestLoop, Waits};
use crate::trace::Trace;

/// A [`TestLoop`] that can go back. One function creates everything that it runs. To go back, it calls the function
/// again and repeats what was done up to that moment.
///
/// ```
/// use squall::testing::TestLoop;
/// use squall::{moment, Result};
///
/// #[squall::coroutine]
/// fn count(to: u32) -> Result<u32> {
///     for _ in 0..to {
///         yield_!(moment())?;
///     }
///     Ok(to)
/// }
///
/// let mut r = TestLoop::rewindable(|t| {
///     drop((t.spawn(|| count(2)), t.spawn(|| count(3))));
/// });
/// r.step();
/// let c = r.checkpoint();
/// let next = r.step();
/// r.restore(&c);
/// assert_eq!(r.step().to_string(), next.to_string());
/// ```
///
/// This works as long as the function and its coroutines always do the same. If they do not, because they ask for the
/// real time or for random numbers, or hold something that was created outside of the function, going back panics at
/// the first step that differs, and says what it was before and what it is now.
///
/// A `Rewindable` is the current loop of its thread only during its methods, so several may live at the same time.
pub struct Rewindable {
    world: Rc<dyn Fn(&mut TestLoop)>,
    now: TestLoop,
}

/// A moment to which a [`Rewindable`] can go back, any number of times.
#[derive(Clone)]
pub struct Checkpoint {
    done: Vec<Done>,
}

impl TestLoop {
    /// Creates a test loop that can go back. `world` creates everything that it runs, and is called again each time.
    pub fn rewindable(world: impl Fn(&mut TestLoop) + 'static) -> Rewindable {
        let world: Rc<dyn Fn(&mut TestLoop)> = Rc::new(world);
        Rewindable { now: made(&*world), world }
    }
}

impl Rewindable {
    /// Returns the present moment, to go back to.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { done: self.now.done.clone() }
    }

    /// Goes back, or forward, to the moment of a checkpoint.
    ///
    /// # Panics
    /// Panics if the world does not repeat itself, at the first step that differs.
    #[track_caller]
    pub fn restore(&mut self, checkpoint: &Checkpoint) {
        // The present world is dropped first: it returns what it holds before it is created again.
        self.now = TestLoop::recording(false);
        self.now.retire();
        self.now = repeated(&*self.world, &checkpoint.done);
    }

    /// Goes back to before the last step, and returns whether there was one.
    ///
    /// # Panics
    /// Panics like [`restore`](Self::restore).
    #[track_caller]
    pub fn step_back(&mut self) -> bool {
        let mut done = self.now.done.clone();
        let stepped = |done: &Done| matches!(done, Done::Ran(_, Some(_)) | Done::WentOn(Some(_)));
        let Some(last) = done.iter().rposition(stepped) else { return false };
        done.truncate(last);
        self.restore(&Checkpoint { done });
        true
    }

    /// Creates another world in the present state, which goes its own way from here.
    ///
    /// # Panics
    /// Panics like [`restore`](Self::restore).
    #[track_caller]
    #[must_use = "it is another world; this one stays as it is"]
    pub fn fork(&self) -> Self {
        Self { world: self.world.clone(), now: repeated(&*self.world, &self.now.done) }
    }

    /// Resumes one coroutine, like [`TestLoop::step`].
    #[track_caller]
    pub fn step(&mut self) -> Step {
        self.now.step()
    }

    /// Resumes one coroutine if one is left, like [`TestLoop::try_step`].
    #[track_caller]
    pub fn try_step(&mut self) -> Option<Step> {
        self.now.try_step()
    }

    /// Runs what is ready, like [`TestLoop::run_current`].
    #[track_caller]
    pub fn run_current(&mut self) {
        self.now.run_current();
    }

    /// Runs until no coroutine can be resumed, like [`TestLoop::run_until_idle`].
    #[track_caller]
    pub fn run_until_idle(&mut self) {
        self.now.run_until_idle();
    }

    /// Runs to the first step for which `found` returns `true`, like [`TestLoop::run_until`].
    #[track_caller]
    pub fn run_until(&mut self, found: impl FnMut(&Step) -> bool) -> Step {
        self.now.run_until(found)
    }

    /// Moves the clock on, like [`TestLoop::advance`].
    #[track_caller]
    pub fn advance(&mut self, by: Duration) {
        self.now.advance(by);
    }

    /// Sets whether the clock jumps, like [`TestLoop::autojump`].
    pub fn autojump(&mut self, on: bool) {
        self.now.autojump(on);
    }

    /// Sets which coroutines go next, like [`TestLoop::schedule`]. Going back ends the schedule.
    #[track_caller]
    pub fn schedule<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>) {
        self.now.schedule(names);
    }

    /// Asserts that no coroutine is ready or waiting, like [`TestLoop::assert_idle`].
    #[track_caller]
    pub fn assert_idle(&mut self) {
        self.now.assert_idle();
    }

    /// Returns the loop's time, like [`TestLoop::now`].
    pub fn now(&self) -> Duration {
        self.now.now()
    }

    /// Returns the trace so far, like [`TestLoop::trace`].
    pub fn trace(&self) -> Trace {
        self.now.trace()
    }

    /// Returns the steps so far, like [`TestLoop::steps`].
    pub fn steps(&self) -> super::Steps<'_> {
        self.now.steps()
    }

    /// Returns the waiting coroutines, like [`TestLoop::waiting`].
    pub fn waiting(&self) -> Waits {
        self.now.waiting()
    }
}

/// Creates the world, in its first state.
fn made(world: &dyn Fn(&mut TestLoop)) -> TestLoop {
    let mut test_loop = TestLoop::recording(true);
    let active = test_loop.activate();
    world(&mut test_loop);
    drop(active);
    // What the function itself has run is repeated by calling it.
    test_loop.done.clear();
    test_loop.retire();
    test_loop
}

/// Creates the world and repeats what was done.
#[track_caller]
fn repeated(world: &dyn Fn(&mut TestLoop), done: &[Done]) -> TestLoop {
    let mut test_loop = made(world);
    let active = test_loop.activate();
    let steps = test_loop.steps().len();
    for done in done {
        if let Err(instead) = test_loop.do_again(done) {
            let before = match done {
                Done::Ran(_, Some(step)) | Done::WentOn(Some(step)) => when(step),
                _ => "no step".to_owned(),
            };
            let now = instead.map_or("no step".to_owned(), |step| when(&step));
            let nth = test_loop.steps().len().max(steps + 1);
            test_loop.fail(&format!(
                "the world does not repeat itself: step {nth} is another\n  before  {before}\n  now     {now}"
            ));
        }
    }
    drop(active);
    test_loop
}

/// Returns a step as text, with everything in which it may differ.
fn when(step: &Step) -> String {
    format!("{step} (turn {}, {:?})", step.turn(), step.now())
}

impl fmt::Debug for Rewindable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rewindable").field(&self.now).finish()
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint").field("done", &self.done.len()).finish()
    }
}
