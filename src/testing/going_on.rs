//! How a [`TestLoop`] goes on: which callback it runs next, when its clock jumps, and what ends a test that hangs.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

use squall_runner::ready::Callback;
use squall_runner::report::guard;
use squall_runner::trace::{emit, running_as, Event, Problem};

use super::limit::Limit;
use super::report::Report;
use super::step::Step;
use super::test_loop::{is_pending, Done, TestLoop};
use super::watch::look;

/// How long to wait, in real time, for other threads before the clock jumps.
const OUTSIDE: Duration = Duration::from_millis(10);

impl TestLoop {
    /// Runs while `goes_on` returns `true` for each step, and while a coroutine can be resumed.
    ///
    /// # Errors
    /// Returns the problem of the test.
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

    /// Runs everything that is ready, without moving the clock.
    pub(super) fn run_ready(&mut self, limit: &Limit) -> Result<(), String> {
        let _active = self.activate();
        let mut steps = 0;
        while self.resume(limit)?.is_some() {
            self.count(&mut steps)?;
        }
        Ok(())
    }

    /// Counts a step. Returns an error if there are more than a test may make without being idle.
    pub(super) fn count(&self, steps: &mut usize) -> Result<(), String> {
        *steps += 1;
        if *steps > self.step_limit {
            return Err(format!(
                "{} steps, and the loop is not idle: it seems never to end",
                self.step_limit
            ));
        }
        Ok(())
    }

    /// Returns the value, or panics with what is wrong.
    #[track_caller]
    pub(super) fn unless_failed<T>(&mut self, result: Result<T, String>) -> T {
        match result {
            Ok(value) => value,
            Err(problem) => self.fail(&problem),
        }
    }

    /// Panics with a report of what happened.
    #[track_caller]
    pub(super) fn fail(&mut self, problem: &str) -> ! {
        self.reported = true;
        let report = if self.brief { String::new() } else { format!("\n{}", self.report()) };
        panic!("{problem}{report}")
    }

    /// Returns the report of what happened last, and of the current state.
    pub(super) fn report(&self) -> Report {
        let waits = self.waiting();
        Report::new(&look(&self.seen), &waits, &self.io_loop.timers_left())
    }

    /// Makes the next resume; `None` if no coroutine can be resumed.
    pub(super) fn next(&mut self, limit: &Limit) -> Result<Option<Step>, String> {
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

    /// Runs what is ready up to the end of the next resume; `None` if there is none without moving the clock.
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
                // The results of jobs come at the beginning of a turn.
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

    /// Returns the index of the callback that goes next.
    pub(super) fn choose(&mut self) -> Result<usize, String> {
        let Some(mut chooser) = self.chooser.take() else { return Ok(0) };
        let index = chooser.choose(self);
        self.chooser = chooser.goes_on().then_some(chooser);
        index
    }

    /// Returns an error if the order that the test has set names more coroutines.
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

    /// Runs the callback at that index in the queue.
    pub(super) fn run_at(&mut self, index: usize) -> Option<Rc<Step>> {
        let callback = self.io_loop.ready().remove(index)?;
        self.batch -= usize::from(index < self.batch);
        let step = self.run(callback);
        self.done.push(Done::Ran(index, step.clone()));
        step
    }

    /// Runs a callback, and returns the step that it made, if it made one.
    pub(super) fn run(&mut self, callback: Callback) -> Option<Rc<Step>> {
        guard(Problem::Callback, || self.io_loop.as_running(|| running_as(None, || callback.run())));
        let step = look(&self.seen).take_step().map(Rc::new);
        self.steps.extend(step.clone());
        step
    }

    /// Moves the clock to the next timer, if that is wanted and there is one.
    pub(super) fn jump(&mut self, limit: &Limit) -> Result<bool, String> {
        let deadline = self.io_loop.next_deadline().filter(|_| self.autojump);
        let Some(deadline) = deadline else { return Ok(false) };
        // What other threads do takes real time and should not be overtaken by a timer. Jobs end; a real socket is
        // waited for as long as it takes.
        while !self.io_loop.has_work() && (self.io_loop.expects() || self.io_loop.socket_waits().is_some()) {
            self.sleep(limit.left());
            self.check(limit, &self.io_loop.outside())?;
        }
        if !self.io_loop.has_work() && self.io_loop.awaits_fds() {
            // Its other end may take as long as the timer would.
            let real = deadline.saturating_sub(self.now());
            self.sleep(Some(limit.left().map_or(real, |left| left.min(real))));
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

    /// Moves the clock to a time.
    pub(super) fn jump_to(&mut self, time: Duration) {
        let by = time.saturating_sub(self.now());
        if !by.is_zero() {
            emit(|| Event::Sleep { queue: self.io_loop.ready().id(), until: Some(time) });
            self.clock.advance(by);
            look(&self.seen).now = self.now();
            self.done.push(Done::Jumped(by));
        }
    }

    /// Waits until something outside wakes the loop, if something can. Only a waiting coroutine is worth that, or a
    /// pending Future that was spawned: squall's own work, such as connecting a socket, is not among the coroutines.
    fn wait_for_outside(&self, limit: &Limit) -> Result<bool, String> {
        let is_waited_for =
            || self.waiting().left_over().next().is_some() || self.spawned.iter().any(is_pending);
        while self.io_loop.may_be_woken() && is_waited_for() {
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

    /// Sleeps until something outside wakes the loop, for at most `timeout` of real time.
    pub(super) fn sleep(&self, timeout: Option<Duration>) {
        look(&self.seen).socket = self.io_loop.socket_waits();
        self.io_loop.wait_outside(timeout).expect("the system has no poller left");
    }

    /// Returns an error if no real time is left. `outside` is what the test waits for.
    pub(super) fn check(&self, limit: &Limit, outside: &[Cow<'static, str>]) -> Result<(), String> {
        let problem = limit.problem(&look(&self.seen));
        match (problem, outside) {
            (None, _) => Ok(()),
            (Some(problem), []) => Err(problem),
            (Some(problem), outside) => {
                let outside = outside.join(", ");
                Err(format!("{problem}: it waits for something outside ({outside})"))
            }
        }
    }

    /// Repeats something that was done before.
    ///
    /// # Errors
    /// Returns the step that happened instead, if it differs.
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
}
