//! [`State::apply`]: folds an entry into the state. Done here once, for every view.

use squall_runner::trace::{Body, CallId, FutureId, State as Resolved};
use squall_runner::Place;

use super::fields::{LoopId, Raised, Reason, Scope, Standing};
use super::state::{Call, Function, Future, Job, Lock, Queue, Ready, Resumed, State, Status, Timer};
use super::{Entry, Recorded};

impl State {
    /// Advances the state by `entry`, which must be the next entry of the trace.
    #[allow(clippy::too_many_lines)] // One arm for each entry.
    pub fn apply(&mut self, entry: &Entry) {
        self.entries += 1;
        self.time = entry.time;
        match &entry.event {
            Recorded::Call { runner, future, name, body, caller, place, defined, arguments } => {
                self.comes_to(*caller, *place);
                let status = if *body == Body::Native { Status::Called } else { Status::Running };
                let call = Call {
                    name: name.clone(),
                    future: *future,
                    body: *body,
                    status,
                    caller: *caller,
                    place: *defined,
                    waits_for: None,
                    resumed: Resumed::Call,
                    yields: 0,
                    variables: arguments.clone().unwrap_or_default(),
                };
                self.calls.insert(*runner, call);
                self.future(*future).call = Some(*runner);
                if *body != Body::Native {
                    self.runs(*runner);
                }
            }
            Recorded::Start { runner } => self.resumed(*runner, Resumed::Start),
            Recorded::Wake { runner } => self.resumed(*runner, Resumed::Wake),
            Recorded::Send { runner, future, .. } => {
                self.resumed(*runner, Resumed::Send);
                self.taken(*future);
            }
            Recorded::Throw { runner, future, .. } => {
                self.resumed(*runner, Resumed::Throw);
                self.taken(*future);
            }
            Recorded::Yield { runner, place, .. } => {
                self.stands(Some(*runner), *place);
                self.call(*runner, |call| call.yields += 1);
            }
            Recorded::Already { runner, future, state } => {
                self.future(*future).state = *state;
                self.call(*runner, |call| call.waits_for = Some(*future));
            }
            Recorded::Wait { runner, future, place, .. } => {
                self.stands(Some(*runner), *place);
                if let Some(future) = future {
                    self.future(*future).waiters.push(*runner);
                }
                self.call(*runner, |call| {
                    (call.status, call.waits_for) = (Status::Waiting, *future);
                });
                self.leaves(*runner);
            }
            Recorded::Return { runner, value, place, .. } => {
                // It has gone past the line of its last yield.
                self.call(*runner, |call| call.place = *place);
                self.ends(*runner, Status::Returned, Some(value.clone()));
            }
            Recorded::Raise { runner, exception, place } => {
                self.stands(Some(*runner), *place);
                self.ends(*runner, Status::Raised, Some(exception.to_string()));
            }
            Recorded::Abandon { runner } => self.ends(*runner, Status::Cancelled, None),
            Recorded::Made { future, source, lock, place } => {
                self.comes_to(self.actor(), *place);
                let made = self.future(*future);
                (made.source, made.lock, made.place) = (Some(source.clone()), *lock, *place);
            }
            Recorded::Resolve { future, state, value } => self.resolved(*future, *state, value.as_ref()),
            Recorded::Retrieved { future } => self.future(*future).retrieved = true,
            Recorded::Dropped { future } => _ = self.futures.remove(future),
            Recorded::Job { future, thread, started, ended } => {
                let job = Job { thread: thread.clone(), started: *started, ended: *ended };
                self.future(*future).job = Some(job);
            }
            Recorded::Enter { name, place, defined, arguments } => {
                self.comes_to(self.actor(), *place);
                let (name, variables) = (name.clone(), arguments.clone());
                self.functions.push(Function { name, above: self.stack.len(), place: *defined, variables });
            }
            Recorded::Leave { .. } => drop(self.functions.pop()),
            Recorded::Variables { scope, variables } => {
                let variables = variables.clone();
                match scope {
                    Scope::Call(call) => self.call(*call, |call| call.variables = variables),
                    Scope::Function => {
                        if let Some(function) = self.functions.last_mut() {
                            function.variables = variables;
                        }
                    }
                    Scope::Program => self.variables = variables,
                }
            }
            Recorded::Note { place, .. } => {
                self.comes_to(self.actor(), *place);
                self.notes += 1;
            }
            Recorded::Report { .. } => self.reports += 1,
            Recorded::Run { io_loop, by, place } => {
                self.comes_to(self.actor(), *place);
                self.running.push((*io_loop, self.stack.len()));
                let it = self.loops.entry(*io_loop).or_default();
                (it.by, it.until, it.outcome) = (Some(by.clone()), None, None);
            }
            Recorded::Until { io_loop, future } => {
                self.future(*future);
                self.loops.entry(*io_loop).or_default().until = Some(*future);
            }
            Recorded::Sleep { io_loop, .. } => self.loops.entry(*io_loop).or_default().asleep = true,
            Recorded::Turn { io_loop } => self.turn(*io_loop),
            Recorded::Batch { io_loop, callbacks } => {
                let it = self.loops.entry(*io_loop).or_default();
                it.batch = (*callbacks).min(it.ready.len());
            }
            Recorded::Push { io_loop, queued, why } => self.push(*io_loop, queued, why),
            Recorded::Pop { io_loop, queued } => {
                self.unwind();
                self.take(*io_loop, queued);
            }
            Recorded::Retract { io_loop, queued } => self.take(*io_loop, queued),
            Recorded::Timer { io_loop, timer, until, queued, place } => {
                let (timer, until) = (*timer, *until);
                let set = Timer { timer, until, queued: queued.clone(), place: *place };
                self.loops.entry(*io_loop).or_default().timers.insert(timer, set);
            }
            Recorded::TimerRemoved { io_loop, timer } => {
                self.loops.entry(*io_loop).or_default().timers.remove(timer);
            }
            Recorded::Stop { io_loop, outcome } => self.stopped(*io_loop, outcome.as_ref()),
            Recorded::Close { io_loop } => {
                let it = self.loops.entry(*io_loop).or_default();
                (it.batch, it.asleep) = (0, false);
                it.ready.clear();
                it.timers.clear();
            }
            Recorded::Lock { lock, name, kind, permits, set, holders, waiting } => {
                let (permits, set) = (*permits, *set);
                let (name, kind, holders) = (name.clone(), kind.clone(), holders.clone());
                let is = Lock { name, kind, permits, set, holders, waiting: waiting.clone() };
                self.locks.insert(*lock, is);
            }
            Recorded::Queue { lock, name, kind, size, maxsize, unfinished, getters, putters, joiners } => {
                let is = Queue {
                    name: name.clone(),
                    kind: kind.clone(),
                    size: *size,
                    maxsize: *maxsize,
                    unfinished: *unfinished,
                    getters: getters.clone(),
                    putters: putters.clone(),
                    joiners: joiners.clone(),
                };
                self.queues.insert(*lock, is);
            }
            Recorded::LeftOut { calls, made, .. } => {
                for earlier in calls {
                    self.future(earlier.future).call = Some(earlier.runner);
                    if earlier.acts {
                        let call = Call {
                            name: earlier.name.clone(),
                            future: earlier.future,
                            body: earlier.body,
                            status: Status::Waiting,
                            caller: None,
                            place: None,
                            waits_for: None,
                            resumed: Resumed::Start,
                            yields: 1,
                            variables: Vec::new(),
                        };
                        self.calls.insert(earlier.runner, call);
                    }
                }
                for (future, source) in made {
                    self.future(*future).source = Some(source.clone());
                }
            }
        }
    }

    /// Returns the Future of that number, and adds it if it was not mentioned before.
    fn future(&mut self, future: FutureId) -> &mut Future {
        self.futures.get_or_insert_with(future, || Future {
            state: Resolved::Pending,
            call: None,
            source: None,
            lock: None,
            place: None,
            waiters: Vec::new(),
            value: None,
            retrieved: false,
            job: None,
        })
    }

    fn call(&mut self, call: CallId, f: impl FnOnce(&mut Call)) {
        if let Some(call) = self.calls.get_mut(&call) {
            f(call);
        }
    }

    fn status(&mut self, call: CallId, status: Status) {
        self.call(call, |call| call.status = status);
    }

    /// Records the line of a call, if it is known.
    fn stands(&mut self, call: Option<CallId>, place: Option<Place>) {
        if let (Some(call), Some(place)) = (call, place) {
            self.call(call, |call| call.place = Some(place));
        }
    }

    /// Moves what runs to that line, if it is known: the running function, or else that call.
    fn comes_to(&mut self, call: Option<CallId>, place: Option<Place>) {
        let is_function = self.function().is_some();
        match self.functions.last_mut().filter(|_| is_function) {
            Some(function) => function.place = place.or(function.place),
            None => self.stands(call, place),
        }
    }

    /// Puts a call on top of the stack.
    fn runs(&mut self, runner: CallId) {
        if self.actor() != Some(runner) {
            if let Some(caller) = self.actor() {
                self.status(caller, Status::Calling);
            }
            self.stack.push(runner);
        }
        self.status(runner, Status::Running);
    }

    fn resumed(&mut self, runner: CallId, how: Resumed) {
        self.runs(runner);
        self.call(runner, |call| (call.waits_for, call.resumed) = (None, how));
    }

    /// Takes a call off the stack: its caller runs again.
    fn leaves(&mut self, runner: CallId) {
        if let Some(at) = self.stack.iter().rposition(|other| *other == runner) {
            self.stack.remove(at);
        }
        if let Some(caller) = self.actor() {
            self.status(caller, Status::Running);
        }
    }

    fn ends(&mut self, runner: CallId, status: Status, value: Option<String>) {
        let (waited_for, own) = match self.calls.get_mut(&runner) {
            Some(call) if !call.status.is_over() => {
                call.status = status;
                (call.waits_for.take(), call.future)
            }
            _ => return,
        };
        if let Some(future) = waited_for.and_then(|future| self.futures.get_mut(&future)) {
            future.waiters.retain(|waiter| *waiter != runner);
        }
        self.ended.push(runner);
        self.future(own).value = value;
        self.leaves(runner);
    }

    fn resolved(&mut self, future: FutureId, state: Resolved, value: Option<&String>) {
        let it = self.future(future);
        it.state = state;
        it.waiters.clear();
        it.value = it.value.take().or_else(|| value.cloned());
        let of_native = it.call.filter(|call| {
            self.calls.get(call).is_some_and(|call| call.body == Body::Native && !call.status.is_over())
        });
        if let (Some(call), Resolved::Cancelled) = (of_native, state) {
            self.ends(call, Status::Cancelled, None);
        }
    }

    /// Records that the result was sent or thrown in. A Future without any other entry is then forgotten.
    fn taken(&mut self, future: Option<FutureId>) {
        let Some(future) = future else { return };
        let it = self.future(future);
        it.retrieved = true;
        if it.call.is_none() && it.source.is_none() {
            self.futures.remove(&future);
        }
    }

    fn turn(&mut self, io_loop: LoopId) {
        self.unwind();
        for ended in std::mem::take(&mut self.ended) {
            self.calls.remove(&ended);
        }
        let it = self.loops.entry(io_loop).or_default();
        it.turn += 1;
        (it.batch, it.asleep) = (0, false);
    }

    /// Notes that the loop goes on: what it had called before has come back to it. A tool may have stopped a coroutine
    /// that could go on.
    fn unwind(&mut self) {
        let base = self.running.last().map_or(0, |(_, base)| *base);
        self.functions.retain(|function| function.above <= base);
        for call in self.stack.split_off(base.min(self.stack.len())) {
            self.status(call, Status::Ready);
        }
    }

    fn push(&mut self, io_loop: LoopId, queued: &Standing, why: &Reason) {
        let by = self.actor();
        if let Standing::Call(call) = queued {
            self.status(*call, Status::Ready);
        }
        let it = self.loops.entry(io_loop).or_default();
        if let Reason::Timer(timer) = why {
            it.timers.remove(timer);
        }
        it.ready.push_back(Ready { queued: queued.clone(), why: why.clone(), by });
    }

    /// Takes an entry off the ready queue.
    fn take(&mut self, io_loop: LoopId, queued: &Standing) {
        let it = self.loops.entry(io_loop).or_default();
        if let Some(at) = it.ready.take(queued) {
            it.batch = it.batch.saturating_sub(usize::from(at < it.batch));
        }
    }

    fn stopped(&mut self, io_loop: LoopId, outcome: Option<&Result<String, Raised>>) {
        self.unwind();
        if let Some(at) = self.running.iter().rposition(|(other, _)| *other == io_loop) {
            self.running.truncate(at);
        }
        let it = self.loops.entry(io_loop).or_default();
        (it.by, it.batch, it.asleep, it.outcome) = (None, 0, false, outcome.cloned());
    }
}
