//! [`Keeper`]: makes entries of events.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use squall_runner::trace::{self, Event, FutureId, Origin, QueueId, Queued, Why};
use squall_runner::{Coroutine, Error, Exception, Place};

use super::cut as text;
use super::fields::{
    Holder, Line, LoopId, Raised, Reason, Scope, Source, Standing, Thing, TimerId, Variables,
};
use super::{Entry, Printed, Recorded};

/// The largest number of Futures of one list that are kept by number.
const CHILDREN: usize = 32;

/// Makes entries of events. Loops and timers get their numbers here, in the order in which they are mentioned, and times
/// count from the first entry.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    /// The time of the last entry.
    last: Duration,
    clocks: HashMap<QueueId, Clock>,
    loops: Vec<QueueId>,
    timers: HashMap<(QueueId, u64), TimerId>,
}

/// How the time of a loop, which counts from when the loop was made, becomes that of the trace.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// A time of the loop ...
    is: Duration,
    /// ... and of the trace.
    at: Duration,
}

impl Clock {
    fn tell(self, time: Duration) -> Duration {
        (self.at + time).saturating_sub(self.is)
    }
}

impl Keeper {
    /// Creates a keeper whose times are those of that loop.
    pub(crate) fn of(queue: QueueId) -> Self {
        let clock = Clock { is: Duration::ZERO, at: Duration::ZERO };
        Self { clocks: HashMap::from([(queue, clock)]), ..Self::default() }
    }

    /// Converts an event to an entry; it is `now` by the clock of the loop that has that queue. Returns `None` for
    /// events that this version does not know.
    pub(crate) fn keep(&mut self, event: &Event<'_>, queue: QueueId, now: Duration) -> Option<Entry> {
        let (last, fresh) = (self.last, Clock { is: now, at: self.last });
        let clock = self.clocks.entry(queue).or_insert(fresh);
        // Another loop has run meanwhile, whose clock is ahead: this one goes on from there.
        if clock.tell(now) < last {
            *clock = fresh;
        }
        self.last = clock.tell(now);
        let event = self.recorded(event, queue)?;
        Some(Entry { time: self.last, event })
    }

    /// Converts a time of that loop to a time of the trace.
    fn time(&self, queue: QueueId, time: Duration) -> Duration {
        self.clocks.get(&queue).map_or(time, |clock| clock.tell(time))
    }

    #[allow(clippy::too_many_lines)] // One arm for each event.
    fn recorded(&mut self, event: &Event<'_>, current: QueueId) -> Option<Recorded> {
        Some(match *event {
            Event::Call { runner, future, coroutine, body, caller, place, arguments } => Recorded::Call {
                runner,
                future,
                name: coroutine.name().into(),
                body,
                caller,
                place: call(coroutine, place),
                defined: coroutine.place(),
                arguments: arguments.map(variables),
            },
            Event::Start { runner } => Recorded::Start { runner },
            Event::Send { runner, value, future } => {
                Recorded::Send { runner, value: text(Printed(value)), future }
            }
            Event::Throw { runner, exception, future } => {
                Recorded::Throw { runner, exception: exception.into(), future }
            }
            Event::Wake { runner } => Recorded::Wake { runner },
            Event::Yield { runner, kind, future, of, place } => {
                Recorded::Yield { runner, kind: Thing::of(kind)?, future, of: first(of), place: Some(place) }
            }
            Event::Already { runner, future, state } => Recorded::Already { runner, future, state },
            Event::Wait { runner, future, place, ref on } => {
                Recorded::Wait { runner, future, place, on: on.as_deref().map(text) }
            }
            Event::Return { runner, value, raised, place } => {
                let place = place.filter(|place| place.is_of_program());
                Recorded::Return { runner, value: text(Printed(value)), raised, place }
            }
            Event::Raise { runner, exception, place } => {
                let place = Some(place).filter(|place| place.is_of_program());
                Recorded::Raise { runner, exception: exception.into(), place }
            }
            Event::Abandon { runner } => Recorded::Abandon { runner },
            Event::Made { future, origin, lock, place } => {
                let place = of_program(place);
                Recorded::Made { future, source: self.source(origin, current)?, lock, place }
            }
            Event::Resolve { future, state, value } => {
                Recorded::Resolve { future, state, value: value.map(|value| text(Printed(value))) }
            }
            Event::Retrieved { future } => Recorded::Retrieved { future },
            Event::Dropped { future } => Recorded::Dropped { future },
            Event::Job { future, thread, ran } => {
                let [started, ended] =
                    [ran.map(|ran| ran.0), ran.map(|ran| ran.1)].map(|time| Some(self.time(current, time?)));
                Recorded::Job { future, thread: text(thread), started, ended }
            }
            Event::Enter { name, place, defined, arguments } => Recorded::Enter {
                name: text(name).into(),
                place: of_program(place),
                defined,
                arguments: variables(arguments),
            },
            Event::Leave { outcome, place } => {
                let (value, exception) = match outcome {
                    Ok(value) => (Some(text(Printed(value))), None),
                    Err(exception) => (None, Some(exception.into())),
                };
                Recorded::Leave { value, exception, place }
            }
            Event::Variables { scope, variables: all } => {
                Recorded::Variables { scope: scope_of(scope)?, variables: variables(all) }
            }
            Event::Report { problem, exception, future } => {
                Recorded::Report { problem, exception: exception.into(), future }
            }
            Event::Note { text: note, place } => {
                Recorded::Note { text: text(note), place: of_program(Some(place)) }
            }
            Event::Run { queue, by, place } => {
                let place = of_program(Some(place));
                Recorded::Run { io_loop: self.io_loop(queue), by: by.into(), place }
            }
            Event::Until { queue, future } => Recorded::Until { io_loop: self.io_loop(queue), future },
            Event::Sleep { queue, until } => Recorded::Sleep {
                io_loop: self.io_loop(queue),
                until: until.map(|until| self.time(queue, until)),
            },
            Event::Turn { queue, .. } => Recorded::Turn { io_loop: self.io_loop(queue) },
            Event::Batch { queue, callbacks } => Recorded::Batch { io_loop: self.io_loop(queue), callbacks },
            Event::Push { queue, queued, why } => Recorded::Push {
                io_loop: self.io_loop(queue),
                queued: standing(queued)?,
                why: self.reason(queue, why)?,
            },
            Event::Pop { queue, queued } => {
                Recorded::Pop { io_loop: self.io_loop(queue), queued: standing(queued)? }
            }
            Event::Retract { queue, queued } => {
                Recorded::Retract { io_loop: self.io_loop(queue), queued: standing(queued)? }
            }
            Event::Timer { queue, timer, until, queued, place } => Recorded::Timer {
                io_loop: self.io_loop(queue),
                timer: self.timer(queue, timer),
                until: self.time(queue, until),
                queued: standing(queued)?,
                place: of_program(Some(place)),
            },
            Event::TimerRemoved { queue, timer } => {
                Recorded::TimerRemoved { io_loop: self.io_loop(queue), timer: self.timer(queue, timer) }
            }
            Event::Stop { queue, outcome } => Recorded::Stop {
                io_loop: self.io_loop(queue),
                outcome: outcome.map(|result| result.map(|value| text(Printed(value))).map_err(Raised::from)),
            },
            Event::Close { queue } => Recorded::Close { io_loop: self.io_loop(queue) },
            Event::Lock { lock, name, kind, is } => Recorded::Lock {
                lock,
                name: text(name),
                kind: kind.into(),
                permits: is.permits,
                set: is.set,
                holders: is.holders.iter().map(holder).collect(),
                waiting: line(is.waiting),
            },
            Event::Queue { lock, name, kind, is } => Recorded::Queue {
                lock,
                name: text(name),
                kind: kind.into(),
                size: is.size,
                maxsize: is.maxsize,
                unfinished: is.unfinished,
                getters: line(is.getters),
                putters: line(is.putters),
                joiners: line(is.joiners),
            },
            _ => return None,
        })
    }

    fn io_loop(&mut self, queue: QueueId) -> LoopId {
        let index = self.loops.iter().position(|known| *known == queue).unwrap_or_else(|| {
            self.loops.push(queue);
            self.loops.len() - 1
        });
        LoopId(number(index))
    }

    fn timer(&mut self, queue: QueueId, timer: u64) -> TimerId {
        let next = TimerId(number(self.timers.len()));
        *self.timers.entry((queue, timer)).or_insert(next)
    }

    fn source(&self, origin: Origin<'_>, queue: QueueId) -> Option<Source> {
        Some(match origin {
            Origin::Sleep { until } => Source::Sleep { until: self.time(queue, until) },
            Origin::Multi(of) => Source::Multi { of: first(of), len: of.len() },
            Origin::Timeout { of, until } => Source::Timeout { of, until: self.time(queue, until) },
            Origin::Named(name) => Source::Named(text(name).into()),
            _ => return None,
        })
    }

    fn reason(&mut self, queue: QueueId, why: Why) -> Option<Reason> {
        Some(match why {
            Why::Called => Reason::Called,
            Why::Done(future) => Reason::Done(future),
            Why::Moment => Reason::Moment,
            Why::Woken => Reason::Woken,
            Why::Timer(timer) => Reason::Timer(self.timer(queue, timer)),
            Why::Added => Reason::Added,
            Why::Outside => Reason::Outside,
            Why::Job => Reason::Job,
            Why::Io => Reason::Io,
            Why::Internal => Reason::Internal,
            _ => return None,
        })
    }
}

/// Returns the number of what stands at that place in a list.
fn number(index: usize) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(u32::try_from(index).unwrap_or(u32::MAX))
}

/// Returns the place of a call, where it is known: what is called by a pointer stands at its definition.
fn call(coroutine: &'static Coroutine, place: Place) -> Option<Place> {
    let line = |place: Place| (place.file(), place.line());
    let known = coroutine.place().map(line) != Some(line(place));
    of_program(Some(place).filter(|_| known))
}

/// Returns the place if it is one of the program; else the line of an interpreted program that runs.
fn of_program(place: Option<Place>) -> Option<Place> {
    place.filter(|place| place.is_of_program()).or_else(trace::line)
}

fn variables(all: &[trace::Variable]) -> Variables {
    all.iter().map(|variable| (variable.name.clone(), text(&variable.value))).collect()
}

fn scope_of(scope: trace::Scope) -> Option<Scope> {
    Some(match scope {
        trace::Scope::Call(call) => Scope::Call(call),
        trace::Scope::Function => Scope::Function,
        trace::Scope::Program => Scope::Program,
        _ => return None,
    })
}

fn standing(queued: Queued) -> Option<Standing> {
    Some(match queued {
        Queued::Call(call) => Standing::Call(call),
        Queued::Future(future) => Standing::Future(future),
        Queued::Callback(type_name) => Standing::Callback(function(type_name).into()),
        _ => return None,
    })
}

/// Returns the name of the function in which a closure was written, by the name of its type.
fn function(type_name: &'static str) -> &'static str {
    let path = type_name.split('<').next().unwrap_or_default();
    path.rsplit("::").find(|segment| !segment.starts_with('{')).unwrap_or(path)
}

fn holder(holder: &trace::Holder) -> Holder {
    let trace::Holder { call, name, since } = *holder;
    Holder { call, name: name.map(Into::into), place: of_program(Some(since)) }
}

fn line(line: trace::Line<'_>) -> Line {
    Line { first: first(line.first), len: line.len }
}

fn first(of: &[FutureId]) -> Vec<FutureId> {
    of.iter().take(CHILDREN).copied().collect()
}

impl From<&Exception> for Raised {
    fn from(exception: &Exception) -> Self {
        let frames = exception.traceback().iter().rev();
        let mut traceback: Vec<(Place, Cow<'static, str>)> =
            frames.map(|frame| (frame.place, frame.name.into())).collect();
        if let Some((innermost, _)) = traceback.last_mut() {
            *innermost = exception.raised_at();
        }
        Self {
            name: exception.name().into(),
            message: match exception.downcast_ref() {
                // The trace shows the waiting coroutines and their lines.
                Some(Error::Deadlock { .. }) => text(Error::Deadlock { waiting: Vec::new() }),
                _ => text(exception),
            },
            traceback,
            elided: exception.elided(),
        }
    }
}
