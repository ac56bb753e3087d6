//! The threads of a pool, and their queue.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender};
use log::Level;
use squall_runner::report::guard;
use squall_runner::trace::Problem;
use squall_runner::{log, Error, Exception, Future};

use super::error::ExecutorError;
use super::notices::Notices;

/// A job as a thread of the pool sees it.
pub(super) trait Work: Send + Sync {
    /// Runs the job, unless it was cancelled.
    fn run(&self);
    /// Resolves the job's Future with an exception, unless the job is running or has run.
    fn reject(&self, exception: Exception) -> bool;
}

pub(super) struct Pool {
    /// `None` once the pool accepts no more jobs; the threads end when the queue is empty.
    sender: Mutex<Option<Sender<Turn>>>,
    /// Holds one turn for each queued job, except when a thread has taken a turn and not yet its job.
    receiver: Receiver<Turn>,
    queue: Mutex<Queue>,
    name: String,
    max_threads: usize,
    /// How many jobs may wait for a thread.
    limit: usize,
    /// How many jobs wait, or were admitted and are about to be queued.
    queued: AtomicUsize,
    /// How many threads are idle.
    idle: AtomicUsize,
    /// How many threads exist.
    threads: AtomicUsize,
    /// How many threads were ever started.
    started: AtomicUsize,
    /// Those that wait for room in the queue.
    room: Arc<Notices>,
    /// Those that wait until the last thread has ended.
    end: Arc<Notices>,
}

/// Lets one thread take one job, the oldest in the queue at that time. A cancelled job can therefore leave the middle
/// of the queue, which it could not if the channel held the jobs themselves.
struct Turn;

/// The jobs that wait for a thread, oldest first.
#[derive(Default)]
struct Queue {
    jobs: BTreeMap<u64, Arc<dyn Work>>,
    /// How many jobs were ever queued.
    made: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    pub(super) fn new(max_threads: usize, name: String, limit: Option<usize>) -> Arc<Self> {
        let (sender, receiver) = crossbeam_channel::unbounded();
        Arc::new(Self {
            sender: Mutex::new(Some(sender)),
            receiver,
            queue: Mutex::default(),
            name,
            max_threads,
            limit: limit.unwrap_or(usize::MAX),
            queued: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            threads: AtomicUsize::new(0),
            started: AtomicUsize::new(0),
            room: Arc::default(),
            end: Arc::default(),
        })
    }

    /// Reserves a place in the queue for a job, and makes sure that there is a thread to run it.
    pub(super) fn admit(self: &Arc<Self>) -> Result<(), ExecutorError> {
        if self.is_closed() {
            return Err(ExecutorError::ShutDown);
        }
        let more = |queued| (queued < self.limit).then_some(queued + 1);
        let Ok(before) = self.queued.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more) else {
            return Err(ExecutorError::Full);
        };
        if before >= self.idle.load(Ordering::SeqCst) && !self.start_thread() {
            self.leave_queue();
            return Err(ExecutorError::NoThread);
        }
        Ok(())
    }

    /// Queues a job that was admitted, and returns its place.
    pub(super) fn queue(&self, job: Arc<dyn Work>) -> u64 {
        let place = {
            let queue = &mut *lock(&self.queue);
            queue.made += 1;
            queue.jobs.insert(queue.made, job);
            queue.made
        };
        let taken = lock(&self.sender).as_ref().is_some_and(|sender| sender.send(Turn).is_ok());
        // Another thread has shut the pool down since the job was admitted.
        if !taken {
            if let Some(job) = self.take(|jobs| jobs.remove(&place)) {
                job.reject(ExecutorError::ShutDown.into());
            }
        }
        place
    }

    /// Removes a cancelled job from the queue, if it is still there.
    pub(super) fn withdraw(&self, place: u64) {
        if let Some(job) = self.take(|jobs| jobs.remove(&place)) {
            // Removes its turn too. If a thread already has that turn, the thread finds no job and goes on.
            drop(self.receiver.try_recv());
            drop(job);
        }
    }

    /// Takes a job out of the queue.
    fn take(
        &self,
        take: impl FnOnce(&mut BTreeMap<u64, Arc<dyn Work>>) -> Option<Arc<dyn Work>>,
    ) -> Option<Arc<dyn Work>> {
        let taken = take(&mut lock(&self.queue).jobs);
        if taken.is_some() {
            self.leave_queue();
        }
        taken
    }

    fn take_first(&self) -> Option<Arc<dyn Work>> {
        self.take(|jobs| jobs.pop_first().map(|(_, job)| job))
    }

    /// Starts a thread if the limit allows it, and returns whether the pool has at least one.
    fn start_thread(self: &Arc<Self>) -> bool {
        let more = |threads| (threads < self.max_threads).then_some(threads + 1);
        if self.threads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_err() {
            return true;
        }
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let pool = self.clone();
        let thread = thread::Builder::new().name(format!("{}-{number}", self.name));
        match thread.spawn(move || pool.work()) {
            Ok(_) => true,
            Err(error) => {
                log(Level::Warn, "squall::executor", format_args!("no thread could be started: {error}"));
                self.threads.fetch_sub(1, Ordering::SeqCst) > 1
            }
        }
    }

    /// Runs jobs until the pool is shut down: the body of each thread.
    fn work(&self) {
        loop {
            self.idle.fetch_add(1, Ordering::SeqCst);
            let turn = self.receiver.recv();
            self.idle.fetch_sub(1, Ordering::SeqCst);
            let Ok(Turn) = turn else { break };
            // The job was cancelled in this moment.
            let Some(job) = self.take_first() else { continue };
            // Guarded, since this drops a result that nothing fetched if the loop is gone.
            guard(Problem::Callback, move || job.run());
        }
        let last = self.threads.fetch_sub(1, Ordering::SeqCst) == 1;
        if last {
            self.end.tell();
        }
    }

    /// Counts a job that has left the queue, and notifies those that wait for room.
    fn leave_queue(&self) {
        self.queued.fetch_sub(1, Ordering::SeqCst);
        if self.limit != usize::MAX {
            self.room.tell();
        }
    }

    pub(super) fn close(&self) {
        drop(lock(&self.sender).take());
        self.room.tell();
    }

    pub(super) fn cancel_queued(&self) -> usize {
        let next = || self.receiver.try_recv().ok();
        let jobs = std::iter::from_fn(next).filter_map(|Turn| self.take_first());
        jobs.map(|job| job.reject(Error::Cancelled.into())).filter(|&cancelled| cancelled).count()
    }

    pub(super) fn notice_of_room(&self) -> Future<()> {
        self.room.wait(|| !self.is_full() || self.is_closed())
    }

    pub(super) fn notice_of_end(&self) -> Future<()> {
        self.end.wait(|| self.threads() == 0)
    }

    fn is_closed(&self) -> bool {
        lock(&self.sender).is_none()
    }

    pub(super) fn is_full(&self) -> bool {
        self.queued() >= self.limit
    }

    pub(super) fn queued(&self) -> usize {
        self.queued.load(Ordering::SeqCst)
    }

    pub(super) fn threads(&self) -> usize {
        self.threads.load(Ordering::SeqCst)
    }
}
