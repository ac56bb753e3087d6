//! A job on its way through a pool, and its Future.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use squall_runner::foreign::discard;
use squall_runner::panics::{is_quiet, quietly};
use squall_runner::ready::{Run, Withdraw};
use squall_runner::trace::{self, Event, Origin, Problem, Queued, State};
use squall_runner::{Context, Error, Exception, Future, Place, Resolvable, Result, Shared};

use super::worker::{Pool, Work};
use crate::ioloop::{IoLoop, Ticket};

/// The state of a job that the pool and the loop share.
struct Job<F, T> {
    stage: Mutex<Stage<F, T>>,
    /// `true` if an observer wants to know where and when the job ran.
    observed: bool,
    /// `true` if its panics are not printed, like those of the thread that submitted it.
    is_quiet: bool,
}

/// The last handle, which either thread may drop, drops the result that nothing has fetched.
impl<F, T> Drop for Job<F, T> {
    fn drop(&mut self) {
        discard(self.replace(Stage::Away));
    }
}

enum Stage<F, T> {
    Queued(F, Context, Ticket),
    /// The job is running, its result was fetched, or it was cancelled.
    Away,
    /// With where and when the job ran, if an observer wants to know it.
    Finished(Result<T>, Option<Ran>),
}

/// Where and when a job ran.
struct Ran {
    thread: String,
    started: Instant,
    ended: Instant,
}

impl Ran {
    /// Runs `job` on this thread.
    fn of<T>(job: impl FnOnce() -> T) -> (T, Self) {
        let thread = thread::current().name().unwrap_or_default().to_owned();
        let started = Instant::now();
        let result = job();
        (result, Self { thread, started, ended: Instant::now() })
    }

    /// Returns when it began and ended, by the clock of that loop; `None` if the clock can jump.
    fn times(&self, io_loop: &IoLoop) -> Option<(Duration, Duration)> {
        let (now, time) = (Instant::now(), io_loop.time());
        let of = |at: Instant| time.saturating_sub(now.saturating_duration_since(at));
        (!io_loop.jumps()).then(|| (of(self.started), of(self.ended)))
    }
}

impl<F, T> Job<F, T> {
    fn replace(&self, stage: Stage<F, T>) -> Stage<F, T> {
        std::mem::replace(&mut *self.stage.lock().unwrap_or_else(PoisonError::into_inner), stage)
    }

    /// Takes the job out to run it, if it has not begun.
    fn begin(&self) -> Option<(F, Context, Ticket)> {
        let stage = &mut *self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        match stage {
            Stage::Queued(..) => match std::mem::replace(stage, Stage::Away) {
                Stage::Queued(job, context, ticket) => Some((job, context, ticket)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl<F, T> Work for Job<F, T>
where
    F: FnOnce() -> Result<T> + Send,
    T: Send,
{
    fn run(&self) {
        let Some((job, context, ticket)) = self.begin() else { return };
        let trapped = || Exception::trap(|| context.enter(job), Err);
        let run = || if self.is_quiet { quietly(trapped).0 } else { trapped() };
        let finished = if self.observed {
            let (result, ran) = Ran::of(run);
            Stage::Finished(result, Some(ran))
        } else {
            Stage::Finished(run(), None)
        };
        self.replace(finished);
        // Dropping the ticket notifies the loop.
        drop(ticket);
    }

    fn reject(&self, exception: Exception) -> bool {
        let Some(begun) = self.begin() else { return false };
        self.replace(Stage::Finished(Err(exception), None));
        discard(begun);
        true
    }
}

/// The Future of a job, which is also the callback that the loop calls when the job is over.
struct JobFuture<F: 'static, T: 'static> {
    shared: Shared<T>,
    job: Arc<Job<F, T>>,
    /// The pool, and the job's place in its queue.
    place: Cell<Option<(Arc<Pool>, u64)>>,
}

/// Queues a job that `pool` has admitted, whose result comes back to `io_loop`.
#[track_caller]
pub(super) fn queue<F, T>(pool: &Arc<Pool>, io_loop: &IoLoop, job: F) -> Future<T>
where
    F: FnOnce() -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    let (mut made, place) = (None, Place::caller());
    io_loop.expect(|ticket| {
        let stage = Mutex::new(Stage::Queued(job, Context::current(), ticket));
        let job = Arc::new(Job { stage, observed: trace::observed(), is_quiet: is_quiet() });
        let future = Rc::new(JobFuture { shared: Shared::new(), job, place: Cell::default() });
        future.shared.announce_as(|| (Origin::Named("executor job"), None, Some(place)));
        made = Some(future.clone());
        future
    });
    let future = made.expect("`expect` calls its argument");
    let place = pool.queue(future.job.clone());
    future.place.set(Some((pool.clone(), place)));
    Future::from_core(future)
}

impl<F: FnOnce() -> Result<T> + Send, T: Send> Run for JobFuture<F, T> {
    fn run(self: Rc<Self>) {
        drop(self.place.take());
        let Stage::Finished(result, ran) = self.job.replace(Stage::Away) else { return };
        if let Some(ran) = ran {
            let (future, thread) = (self.shared.id(), ran.thread.as_str());
            trace::emit(|| Event::Job { future, thread, ran: ran.times(&IoLoop::current()) });
        }
        match result {
            Err(exception) if self.shared.state() == State::Cancelled => {
                squall_runner::report::report(Problem::AfterCancel, &exception);
            }
            Err(exception) if exception.downcast_ref() == Some(&Error::Cancelled) => {
                self.shared.cancel();
            }
            result => drop(self.shared.set(result)),
        }
    }

    fn queued_as(&self) -> Queued {
        self.shared.queued_as("executor job")
    }
}

impl<F, T> Drop for JobFuture<F, T> {
    fn drop(&mut self) {
        if trace::observed() {
            self.shared.tell_dropped();
        }
    }
}

impl<F: FnOnce() -> Result<T> + Send, T: Send> Withdraw for JobFuture<F, T> {
    fn withdraw(&self) {
        self.shared.end_with_loop();
    }
}

impl<F: FnOnce() -> Result<T> + Send, T: Send> Resolvable for JobFuture<F, T> {
    type Output = T;

    fn shared(&self) -> &Shared<T> {
        &self.shared
    }

    /// Removes the job if it has not begun. A running job cannot be stopped.
    fn on_cancel(&self) {
        let begun = self.job.begin();
        if let Some((pool, place)) = self.place.take() {
            pool.withdraw(place);
        }
        discard(begun);
    }
}
