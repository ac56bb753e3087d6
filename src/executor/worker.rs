//! The threads of a pool, and their queue.

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender};
use log::Level;
use squall_runner::foreign::guard;
use squall_runner::ready::Run;
use squall_runner::trace::Problem;
use squall_runner::{log, Error, Future, Resolvable, Shared};

use super::job::Work;
use super::ExecutorError;
use crate::ioloop::{IoLoop, Ticket};

pub(super) struct Pool {
    /// `None` once the pool takes no more jobs. The threads end when the queue is empty then.
    sender: Mutex<Option<Sender<Arc<dyn Work>>>>,
    receiver: Receiver<Arc<dyn Work>>,
    name: String,
    max_threads: usize,
    /// How many jobs may wait for a thread.
    limit: usize,
    /// How many do.
    queued: AtomicUsize,
    /// How many threads wait for a job.
    idle: AtomicUsize,
    /// How many threads there are.
    threads: AtomicUsize,
    /// How many there have been.
    started: AtomicUsize,
    notices: Mutex<Notices>,
}

/// Who wants to know.
#[derive(Default)]
struct Notices {
    /// That the queue has room.
    room: Vec<Ticket>,
    /// That the last thread has ended.
    end: Vec<Ticket>,
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
            name,
            max_threads,
            limit: limit.unwrap_or(usize::MAX),
            queued: AtomicUsize::new(0),
            idle: AtomicUsize::new(0),
            threads: AtomicUsize::new(0),
            started: AtomicUsize::new(0),
            notices: Mutex::default(),
        })
    }

    /// Takes a place in the queue for a job, and sees to it that there is a thread to run it.
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

    /// Queues a job that was admitted.
    pub(super) fn queue(&self, job: Arc<dyn Work>) {
        let rejected = match &*lock(&self.sender) {
            Some(sender) => sender.send(job).err().map(|rejected| rejected.0),
            None => Some(job),
        };
        // The pool was shut down from another thread since.
        if let Some(job) = rejected {
            self.leave_queue();
            job.reject(ExecutorError::ShutDown.into());
        }
    }

    /// Starts a thread if there may be more, and says whether there is one at all.
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

    /// What each thread does.
    fn work(&self) {
        loop {
            self.idle.fetch_add(1, Ordering::SeqCst);
            let job = self.receiver.recv();
            self.idle.fetch_sub(1, Ordering::SeqCst);
            let Ok(job) = job else { break };
            self.leave_queue();
            // Here goes the last handle of what the job has given if its loop is gone.
            guard(Problem::Callback, move || job.run());
        }
        let last = self.threads.fetch_sub(1, Ordering::SeqCst) == 1;
        if last {
            let told = std::mem::take(&mut lock(&self.notices).end);
            drop(told);
        }
    }

    /// A job has left the queue.
    fn leave_queue(&self) {
        self.queued.fetch_sub(1, Ordering::SeqCst);
        if self.limit != usize::MAX {
            self.tell_of_room();
        }
    }

    fn tell_of_room(&self) {
        let told = std::mem::take(&mut lock(&self.notices).room);
        drop(told);
    }

    pub(super) fn close(&self) {
        drop(lock(&self.sender).take());
        self.tell_of_room();
    }

    pub(super) fn cancel_queued(&self) -> usize {
        let cancel = |job: Arc<dyn Work>| {
            self.leave_queue();
            job.reject(Error::Cancelled.into())
        };
        self.receiver.try_iter().map(cancel).filter(|&cancelled| cancelled).count()
    }

    pub(super) fn notice_of_room(&self) -> Future<()> {
        // Asked with the list in hand: who makes room afterwards finds the ticket in it.
        let mut notices = lock(&self.notices);
        if !self.is_full() || self.is_closed() {
            return Future::ready(());
        }
        let (ticket, future) = notice();
        notices.room.push(ticket);
        future
    }

    pub(super) fn notice_of_end(&self) -> Future<()> {
        let mut notices = lock(&self.notices);
        if self.threads() == 0 {
            return Future::ready(());
        }
        let (ticket, future) = notice();
        notices.end.push(ticket);
        future
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

/// A Future that is done when the pool tells so.
struct Notice(Shared<()>);

fn notice() -> (Ticket, Future<()>) {
    let mut made = None;
    IoLoop::current().expect(|ticket| {
        let notice = Rc::new(Notice(Shared::new()));
        made = Some((ticket, Future::from_core(notice.clone())));
        notice
    });
    made.expect("`expect` calls its argument")
}

impl Run for Notice {
    fn run(self: Rc<Self>) {
        self.0.set_result(());
    }

    fn withdraw(&self) {
        self.0.forget_waiters();
    }
}

impl Resolvable for Notice {
    type Output = ();

    fn shared(&self) -> &Shared<()> {
        &self.0
    }
}
