//! [`Watch`]: follows what happens in a test loop: the current step, the waiting coroutines, the trace.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use squall_runner::ready::{Callback, ReadyQueue};
use squall_runner::trace::{
    Body, CallId, Event, FutureId, LockId, Numbers, Observation, Observer, Origin, Problem, State,
};
use squall_runner::{Exception, Place};

use super::ring::Ring;
use super::step::{CallName, Input, Output, Step};
use super::VirtualClock;
use crate::background::is_background;
use crate::ioloop::Clock;
use crate::trace::{Keeper, Printed};

/// The observer of a test loop. Another thread may look at what it has seen, if this thread hangs.
pub(super) struct Watch {
    pub(super) seen: Arc<Mutex<Seen>>,
    /// The coroutine that was stopped after a resume although it could go on at once.
    pub(super) going_on: Rc<Cell<Option<Callback>>>,
    clock: VirtualClock,
    /// The loop's ready queue. Coroutines that another loop resumes meanwhile are not stopped.
    ready: Rc<ReadyQueue>,
    /// The last numbers of this observation, while another observer is installed. Locks and queues are numbered anew in
    /// each world.
    numbers: Cell<Numbers>,
    /// Borrowed while a value is printed: what that does itself is not recorded.
    keeper: RefCell<Keeper>,
}

/// Everything that was observed so far, and the current state.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By number. Some numbers belong to calls that were not reported.
    calls: Vec<Call>,
    /// How many calls of each name there were.
    names: HashMap<&'static str, u32>,
    futures: HashMap<FutureId, From>,
    resolved: HashSet<FutureId>,
    /// The lock or queue of each request.
    requests: HashMap<FutureId, LockId>,
    /// The locks that are held.
    held: HashSet<LockId>,
    pub(super) turn: u64,
    pub(super) now: Duration,
    /// The first resume since the last one was taken.
    step: Option<Step>,
    /// How many steps there were.
    pub(super) steps: usize,
    /// The running call.
    pub(super) running: Option<CallId>,
    /// A description of the wait at a real socket when the loop last slept, if there was one.
    pub(super) socket: Option<String>,
    pub(super) problems: Vec<(Problem, Exception)>,
    /// `true` if `entries` are recorded.
    pub(super) record: bool,
    pub(super) entries: Ring,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: CallName,
    pub(super) life: Life,
    /// The line of the call's last yield.
    pub(super) yielded_at: Option<Place>,
    /// The line of the call's last await, if it is a native coroutine.
    pub(super) awaited_at: Option<Place>,
    /// A description of what it waits for, if there is more to say than its kind: a lock with its holder.
    pub(super) on: Option<String>,
    /// `true` if it is in the background.
    pub(super) background: bool,
    pub(super) future: FutureId,
    pub(super) body: Body,
    /// Where the coroutine is defined, if that is known: its file and line.
    pub(super) defined: Option<Place>,
    /// When the call was last suspended, by the clock and in turns.
    pub(super) since: Duration,
    turn: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// The coroutine was called, and is to start.
    Called,
    Running,
    /// It waits for that Future; `None` for the next turn.
    Waits(Option<FutureId>),
    Gone,
}

/// The source of a Future's result.
#[derive(Debug, Clone)]
pub(super) enum From {
    Call(CallId),
    Sleep(Duration),
    Multi(Vec<FutureId>),
    Timeout(FutureId, Duration),
    Named(String),
}

impl Watch {
    pub(super) fn new(clock: VirtualClock, ready: Rc<ReadyQueue>, record: bool) -> Self {
        let seen = Seen { record, ..Seen::default() };
        let numbers = Cell::new(Numbers { names: Some(Rc::default()), ..Numbers::default() });
        let keeper = RefCell::new(Keeper::of(ready.id()));
        Self { seen: Arc::new(Mutex::new(seen)), going_on: Rc::default(), clock, ready, numbers, keeper }
    }

    /// Returns whether the loop of this watch is the current one.
    pub(super) fn is_current(&self) -> bool {
        Rc::ptr_eq(&self.ready, &ReadyQueue::current())
    }

    /// Returns an observation of the thread by this, with the next numbers.
    pub(super) fn observation(self: &Rc<Self>) -> Observation {
        let numbers = self.numbers.take();
        self.numbers.set(numbers.clone());
        Observation { observer: Some(self.clone()), numbers }
    }

    /// Keeps the numbers of `before` if it is an observation by this; else returns it.
    pub(super) fn keep_numbers(&self, before: Observation) -> Option<Observation> {
        let this = std::ptr::from_ref(self);
        if !before.observer.as_ref().is_some_and(|other| std::ptr::addr_eq(Rc::as_ptr(other), this)) {
            return Some(before);
        }
        self.numbers.set(before.numbers);
        None
    }
}

/// Returns what was seen, even if a panic came in between.
pub(super) fn look(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for Watch {
    fn event(&self, event: &Event<'_>) {
        let now = self.clock.now();
        // Values are printed before the lock is taken, since that is the user's code.
        let record = look(&self.seen).record;
        let mut keeper = self.keeper.try_borrow_mut().ok().filter(|_| record);
        let entry = keeper.as_mut().and_then(|keeper| keeper.keep(event, self.ready.id(), now));
        drop(keeper);
        let shown = match event {
            Event::Send { value, .. } | Event::Return { value, .. } => Printed(*value).to_string(),
            _ => String::new(),
        };
        let mut seen = look(&self.seen);
        if let Some(entry) = entry {
            seen.entries.push(entry);
        }
        seen.now = now;
        seen.note(event, shown);
    }

    /// Stops each coroutine after one resume, which is a step.
    fn stops(&self, runner: Callback, started: bool) -> bool {
        let stops = started && self.is_current();
        if stops {
            self.going_on.set(Some(runner));
        }
        stops
    }
}

impl Seen {
    fn note(&mut self, event: &Event<'_>, shown: String) {
        match *event {
            Event::Call { runner, future, coroutine, body, .. } => {
                let nth = self.names.entry(coroutine.name()).or_default();
                *nth += 1;
                let name = CallName { id: runner, coroutine: coroutine.name(), nth: *nth };
                self.futures.insert(future, From::Call(runner));
                let life = if body == Body::Native { Life::Called } else { Life::Running };
                let defined = coroutine.place();
                let (since, turn) = (self.now, self.turn);
                let (yielded_at, awaited_at, on, background) = (None, None, None, is_background());
                self.calls.push(Call {
                    name,
                    life,
                    yielded_at,
                    awaited_at,
                    on,
                    background,
                    future,
                    body,
                    defined,
                    since,
                    turn,
                });
            }
            Event::Start { runner } => self.resumed(runner, Input::Start),
            Event::Wake { runner } => self.resumed(runner, Input::Wake),
            Event::Send { runner, .. } => self.resumed(runner, Input::Send(shown)),
            Event::Throw { runner, exception, .. } => self.resumed(runner, Input::Throw(exception.clone())),
            Event::Yield { runner, kind, place, .. } => {
                if let Some(call) = self.call_mut(runner) {
                    call.yielded_at = Some(place);
                }
                self.came_out(runner, Output::Yield(kind), Some(place));
            }
            Event::Wait { runner, future, place, ref on } => {
                let (now, turn) = (self.now, self.turn);
                if let Some(call) = self.call_mut(runner) {
                    call.awaited_at = place;
                    call.on.clone_from(on);
                    (call.life, call.since, call.turn) = (Life::Waits(future), now, turn);
                }
                self.came_out(runner, Output::Await, None);
                self.running = None;
            }
            Event::Return { runner, .. } => self.over(runner, Output::Return(shown)),
            Event::Raise { runner, exception, .. } => self.over(runner, Output::Raise(exception.clone())),
            Event::Resolve { future, state, .. } => {
                self.resolved.insert(future);
                if let (State::Cancelled, Some(From::Call(runner))) = (state, self.futures.get(&future)) {
                    self.over(*runner, Output::Nothing);
                }
            }
            Event::Report { problem, exception, .. } => self.problems.push((problem, exception.clone())),
            Event::Lock { lock, is, .. } => {
                if is.holders.is_empty() {
                    self.held.remove(&lock);
                } else {
                    self.held.insert(lock);
                }
            }
            Event::Made { future, origin, lock, .. } => {
                self.requests.extend(lock.map(|lock| (future, lock)));
                let from = match origin {
                    Origin::Sleep { until } => From::Sleep(until),
                    Origin::Multi(of) => From::Multi(of.to_vec()),
                    Origin::Timeout { of, until } => From::Timeout(of, until),
                    Origin::Named(name) => From::Named(name.to_owned()),
                    _ => return,
                };
                self.futures.insert(future, from);
            }
            Event::Turn { .. } => self.turn += 1,
            _ => {}
        }
    }

    fn resumed(&mut self, runner: CallId, input: Input) {
        let (turn, now) = (self.turn, self.now);
        let Some(call) = self.call_mut(runner) else { return };
        let went_on = call.life == Life::Running;
        call.life = Life::Running;
        let hops = if went_on { 0 } else { turn - call.turn };
        let step = Step { runner: call.name, input, output: Output::Nothing, place: None, hops, turn, now };
        self.running = Some(runner);
        if self.step.is_none() {
            self.steps += 1;
            self.step = Some(step);
        }
    }

    /// Records the output of the current step, if it is one of this coroutine.
    fn came_out(&mut self, runner: CallId, output: Output, place: Option<Place>) {
        if let Some(step) = self.step.as_mut().filter(|step| step.runner.id == runner) {
            if matches!(step.output, Output::Nothing) {
                (step.output, step.place) = (output, place);
            }
        }
    }

    fn over(&mut self, runner: CallId, output: Output) {
        if let Some(call) = self.call_mut(runner) {
            call.life = Life::Gone;
        }
        self.came_out(runner, output, None);
        self.running = None;
    }

    /// Takes the step that was made since the last call.
    pub(super) fn take_step(&mut self) -> Option<Step> {
        self.step.take()
    }

    fn call_mut(&mut self, runner: CallId) -> Option<&mut Call> {
        let place = self.place(runner)?;
        self.calls.get_mut(place)
    }

    pub(super) fn call(&self, runner: CallId) -> Option<&Call> {
        self.calls.get(self.place(runner)?)
    }

    fn place(&self, runner: CallId) -> Option<usize> {
        self.calls.binary_search_by_key(&runner, |call| call.name.id).ok()
    }

    pub(super) fn calls(&self) -> &[Call] {
        &self.calls
    }

    pub(super) fn from(&self, future: FutureId) -> Option<&From> {
        self.futures.get(&future)
    }

    /// Returns whether the Future waits for a lock that is held, or for a list with such a Future.
    pub(super) fn waits_for_holder(&self, future: FutureId) -> bool {
        match self.from(future) {
            _ if self.is_resolved(future) => false,
            Some(From::Multi(of)) => of.iter().any(|of| self.waits_for_holder(*of)),
            Some(From::Timeout(of, _)) => self.waits_for_holder(*of),
            _ => self.requests.get(&future).is_some_and(|lock| self.held.contains(lock)),
        }
    }

    pub(super) fn is_resolved(&self, future: FutureId) -> bool {
        self.resolved.contains(&future)
    }
}
