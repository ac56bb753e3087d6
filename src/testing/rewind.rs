//! [`Rewindable`]: a test loop that goes back in time, by doing again what was done.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use super::test_loop::Done;
use super::{Step, TestLoop, Waits};
use crate::trace::Trace;

/// A [`TestLoop`] that can go back. Everything that it runs is made by one function, so that it can be made
/// again: to go back is to make the world anew and to repeat what was done until then.
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
/// That works as long as the world repeats itself. Where it does not, since it asks for the real time or for a
/// random number, or holds something that was made outside of the function, going back panics at the first
/// step that is another, and says what it was before and what it is now.
///
/// Between its calls it is not the current loop of the thread: several may live at the same time.
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
    /// Creates a test loop that can go back. `world` makes everything that it runs; it is called anew each time.
    pub fn rewindable(world: impl Fn(&mut TestLoop) + 'static) -> Rewindable {
        let world: Rc<dyn Fn(&mut TestLoop)> = Rc::new(world);
        Rewindable { now: made(&*world), world }
    }
}

impl Rewindable {
    /// Returns this moment, to come back to.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { done: self.now.done.clone() }
    }

    /// Goes back to that moment, or forward.
    ///
    /// # Panics
    /// If the world does not repeat itself: at the first step that is another.
    #[track_caller]
    pub fn restore(&mut self, checkpoint: &Checkpoint) {
        // What is there now goes first: what it holds is given back before it is made anew.
        self.now = TestLoop::recording(false);
        self.now.retire();
        self.now = repeated(&*self.world, &checkpoint.done);
    }

    /// Goes back to before the last step, and says whether there was one.
    ///
    /// # Panics
    /// As [`restore`](Self::restore).
    #[track_caller]
    pub fn step_back(&mut self) -> bool {
        let mut done = self.now.done.clone();
        let stepped = |done: &Done| matches!(done, Done::Ran(_, Some(_)) | Done::WentOn(Some(_)));
        let Some(last) = done.iter().rposition(stepped) else { return false };
        done.truncate(last);
        self.restore(&Checkpoint { done });
        true
    }

    /// Another world that stands where this one stands, and goes its own way from here.
    ///
    /// # Panics
    /// As [`restore`](Self::restore).
    #[track_caller]
    #[must_use = "it is another world; this one stays as it is"]
    pub fn fork(&self) -> Self {
        Self { world: self.world.clone(), now: repeated(&*self.world, &self.now.done) }
    }

    /// As [`TestLoop::step`].
    #[track_caller]
    pub fn step(&mut self) -> Step {
        self.now.step()
    }

    /// As [`TestLoop::try_step`].
    #[track_caller]
    pub fn try_step(&mut self) -> Option<Step> {
        self.now.try_step()
    }

    /// As [`TestLoop::run_current`].
    #[track_caller]
    pub fn run_current(&mut self) {
        self.now.run_current();
    }

    /// As [`TestLoop::run_until_idle`].
    #[track_caller]
    pub fn run_until_idle(&mut self) {
        self.now.run_until_idle();
    }

    /// As [`TestLoop::run_until`].
    #[track_caller]
    pub fn run_until(&mut self, found: impl FnMut(&Step) -> bool) -> Step {
        self.now.run_until(found)
    }

    /// As [`TestLoop::advance`].
    #[track_caller]
    pub fn advance(&mut self, by: Duration) {
        self.now.advance(by);
    }

    /// As [`TestLoop::autojump`].
    pub fn autojump(&mut self, on: bool) {
        self.now.autojump(on);
    }

    /// As [`TestLoop::schedule`]. A script is for the steps from now on; going back ends it.
    #[track_caller]
    pub fn schedule<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>) {
        self.now.schedule(names);
    }

    /// As [`TestLoop::assert_idle`].
    #[track_caller]
    pub fn assert_idle(&mut self) {
        self.now.assert_idle();
    }

    /// As [`TestLoop::now`].
    pub fn now(&self) -> Duration {
        self.now.now()
    }

    /// As [`TestLoop::trace`].
    pub fn trace(&self) -> Trace {
        self.now.trace()
    }

    /// As [`TestLoop::steps`].
    pub fn steps(&self) -> super::Steps<'_> {
        self.now.steps()
    }

    /// As [`TestLoop::waiting`].
    pub fn waiting(&self) -> Waits {
        self.now.waiting()
    }
}

/// The world, at its beginning.
fn made(world: &dyn Fn(&mut TestLoop)) -> TestLoop {
    let mut test_loop = TestLoop::recording(true);
    let active = test_loop.activate();
    world(&mut test_loop);
    drop(active);
    // What the function itself has run is run by making the world.
    test_loop.done.clear();
    test_loop.retire();
    test_loop
}

/// The world, after all of that was done again.
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

/// A step with everything in which it may be another.
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
