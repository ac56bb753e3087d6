//! [`ThreadPoolExecutor`]: runs blocking code on other threads.
//!
//! ```
//! use squall::{IoLoop, ThreadPoolExecutor};
//!
//! fn blocking(n: u64) -> u64 { (1..=n).product() }
//!
//! let pool = ThreadPoolExecutor::new(4);
//! let n = IoLoop::current().run_sync(|| {
//!     squall::coroutine(move |co| async move {
//!         let a = co.yield_(pool.submit(|| blocking(5))).await?;
//!         let b = co.yield_(IoLoop::current().run_in_executor(|| blocking(3))).await?;   // the loop's own pool
//!         Ok(a + b)
//!     })
//! })?;
//! assert_eq!(n, 126);
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! A job runs in a copy of the [`Context`](crate::Context) of its submitter. Its return value is the result of its
//! Future, and comes back through the loop's inbox, like a callback from another thread. While a job is queued or
//! running, the loop waits for it and does not report a deadlock. On a virtual clock a job takes no time: the clock
//! does not jump while one is under way.
//!
//! A panic in a job becomes the [`Error::Panic`](crate::Error::Panic) of its Future. The Future of **a job that returns
//! a `Result`** has that `Result` as its value: write `yield_!(pool.submit(|| read(path)))??`, where the first `?` is
//! for what happened to the job, and the second for what it returned. With
//! [`submit_result`](ThreadPoolExecutor::submit_result) the Future raises the job's own error, and one `?` is enough.
//!
//! Cancelling a Future whose job has not begun removes the job from the queue. A running job cannot be stopped: it runs
//! on, and its result is dropped. Dropping a Future cancels nothing.
//!
//! Source: `tornado.ioloop.IOLoop.run_in_executor`, `concurrent.futures.ThreadPoolExecutor`.

mod error;
mod job;
mod notices;
mod worker;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use squall_runner::{Exception, Future, Result};

pub use error::{ExecutorError, Rejected};

use crate::ioloop::IoLoop;
use worker::Pool;

/// A pool of threads that run jobs in the order in which they were submitted.
///
/// A `ThreadPoolExecutor` is a handle: clones refer to the same pool, and may be used from any thread that runs a loop.
///
/// The pool starts a thread when a job comes and no thread is idle, up to its limit. When the last handle is dropped,
/// queued jobs still run and then the threads end, but nothing waits for them; see also [`shutdown`](Self::shutdown).
#[derive(Clone)]
pub struct ThreadPoolExecutor(Arc<Owner>);

/// The part that the handles share. Dropping the last one lets the threads end.
struct Owner(Arc<Pool>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl ThreadPoolExecutor {
    /// Creates a pool of at most `threads` threads, named `squall-0`, `squall-1` and so on, with an unlimited queue.
    ///
    /// # Panics
    /// Panics if `threads` is zero.
    #[track_caller]
    pub fn new(threads: usize) -> Self {
        Self::builder(threads).build()
    }

    /// Returns a builder of a pool of at most `threads` threads, to set a name or a queue limit.
    ///
    /// ```
    /// use squall::{IoLoop, ThreadPoolExecutor};
    ///
    /// let pool = ThreadPoolExecutor::builder(2).thread_name("db").queue_limit(100).build();
    /// let name = IoLoop::current().run_sync(|| pool.submit(|| std::thread::current().name().map(String::from)))?;
    /// assert_eq!(name.as_deref(), Some("db-0"));
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn builder(threads: usize) -> ThreadPoolBuilder {
        ThreadPoolBuilder { threads, name: "squall".to_owned(), limit: None }
    }

    /// Runs `job` on a thread of the pool. The result of the Future is what the job returns. This never blocks.
    ///
    /// The Future fails with [`ExecutorError::Full`] if the queue is full, with [`ExecutorError::ShutDown`] if the pool
    /// is shut down, and with [`ExecutorError::LoopClosed`] if the current loop is closed.
    #[track_caller]
    pub fn submit<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        self.submit_to(&IoLoop::current(), move || Ok(job()))
    }

    /// Runs a job that returns a `Result`, like [`submit`](Self::submit): the job's error becomes the Future's
    /// exception.
    ///
    /// ```
    /// use squall::{IoLoop, ThreadPoolExecutor};
    ///
    /// let pool = ThreadPoolExecutor::new(1);
    /// let missing = IoLoop::current().run_sync(|| pool.submit_result(|| std::fs::read("no such file")));
    /// assert!(missing.unwrap_err().is::<std::io::Error>());
    /// ```
    #[track_caller]
    pub fn submit_result<T: Send + 'static, E: 'static>(
        &self,
        job: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Future<T>
    where
        Exception: From<E>,
    {
        let caller = Location::caller();
        self.submit_to(&IoLoop::current(), move || raised_by(caller, job()))
    }

    /// Runs `job` like [`submit`](Self::submit), but returns it if it cannot be queued.
    ///
    /// # Errors
    /// [`Rejected`], which holds the job and the reason.
    #[track_caller]
    pub fn try_submit<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(
        &self,
        job: F,
    ) -> Result<Future<T>, Rejected<F>> {
        let io_loop = IoLoop::current();
        match self.admit(&io_loop) {
            Ok(()) => Ok(job::queue(&self.0 .0, &io_loop, move || Ok(job()))),
            Err(error) => Err(Rejected { job, error }),
        }
    }

    /// Runs a job whose result comes back to `io_loop`.
    #[track_caller]
    fn submit_to<T, F>(&self, io_loop: &IoLoop, job: F) -> Future<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        match self.admit(io_loop) {
            Ok(()) => job::queue(&self.0 .0, io_loop, job),
            Err(error) => Future::failed(error),
        }
    }

    /// Reserves a place in the queue for a job whose result comes back to `io_loop`.
    fn admit(&self, io_loop: &IoLoop) -> Result<(), ExecutorError> {
        if io_loop.is_closed() {
            return Err(ExecutorError::LoopClosed);
        }
        self.0 .0.admit()
    }

    /// Waits until the queue has room. Done at once if the queue is unlimited or the pool is shut down. Another
    /// coroutine may use the room first: see [`try_submit`](Self::try_submit).
    ///
    /// ```
    /// use squall::{IoLoop, ThreadPoolExecutor};
    ///
    /// let pool = ThreadPoolExecutor::builder(1).queue_limit(1).build();
    /// IoLoop::current().run_sync(|| {
    ///     squall::coroutine(|co| async move {
    ///         for n in 0..100 {
    ///             while pool.is_full() {
    ///                 co.yield_(pool.room()).await?;
    ///             }
    ///             drop(pool.submit(move || n));
    ///         }
    ///         Ok(())
    ///     })
    /// })?;
    /// # Ok::<(), squall::Exception>(())
    /// ```
    pub fn room(&self) -> Future<()> {
        self.0 .0.notice_of_room()
    }

    /// Returns whether the queue holds as many jobs as it may.
    pub fn is_full(&self) -> bool {
        self.0 .0.is_full()
    }

    /// Returns how many jobs wait for a thread, without cancelled ones.
    pub fn queued(&self) -> usize {
        self.0 .0.queued()
    }

    /// Returns how many threads the pool has.
    pub fn threads(&self) -> usize {
        self.0 .0.threads()
    }

    /// Makes the pool refuse new jobs, and returns a Future that is done when its jobs have run and its threads have
    /// ended. This does not block. To end sooner, call [`cancel_queued`](Self::cancel_queued) first.
    ///
    /// ```
    /// use squall::{ExecutorError, IoLoop, ThreadPoolExecutor};
    ///
    /// let pool = ThreadPoolExecutor::new(1);
    /// let job = pool.submit(|| 5);
    /// IoLoop::current().run_sync(|| pool.shutdown())?;
    /// assert_eq!(job.result()?, 5);
    /// let late = pool.submit(|| 6).exception().unwrap();
    /// assert!(matches!(late.downcast_ref(), Some(ExecutorError::ShutDown)));
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// Source: `Executor.shutdown(wait=True)`.
    pub fn shutdown(&self) -> Future<()> {
        self.0 .0.close();
        self.0 .0.notice_of_end()
    }

    /// Cancels the Futures of all jobs that have not begun, and returns how many there were. Running jobs run on.
    ///
    /// Source: `Executor.shutdown(cancel_futures=True)`.
    pub fn cancel_queued(&self) -> usize {
        self.0 .0.cancel_queued()
    }
}

impl fmt::Debug for ThreadPoolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolExecutor")
            .field("threads", &self.threads())
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}

/// A builder of a [`ThreadPoolExecutor`]; see [`ThreadPoolExecutor::builder`].
#[derive(Debug, Clone)]
#[must_use = "call build()"]
pub struct ThreadPoolBuilder {
    threads: usize,
    name: String,
    limit: Option<usize>,
}

impl ThreadPoolBuilder {
    /// Sets the prefix of the threads' names, which a dash and a number follow.
    pub fn thread_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Sets how many jobs may wait for a thread. Running jobs do not count.
    pub fn queue_limit(self, limit: usize) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Creates the pool. Its threads start when jobs come.
    ///
    /// # Panics
    /// Panics if the number of threads or the limit is zero, since no job would ever run.
    #[track_caller]
    pub fn build(self) -> ThreadPoolExecutor {
        assert!(self.threads > 0, "a ThreadPoolExecutor needs at least one thread");
        assert!(self.limit != Some(0), "a ThreadPoolExecutor needs room for at least one job");
        ThreadPoolExecutor(Arc::new(Owner(Pool::new(self.threads, self.name, self.limit))))
    }
}

impl IoLoop {
    /// Runs `job` on a thread of the loop's default pool, like [`ThreadPoolExecutor::submit`].
    ///
    /// ```
    /// use squall::IoLoop;
    ///
    /// let n = IoLoop::current().run_sync(|| IoLoop::current().run_in_executor(|| 5))?;
    /// assert_eq!(n, 5);
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// Source: `tornado.ioloop.IOLoop.run_in_executor`.
    #[track_caller]
    pub fn run_in_executor<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Future<T> {
        self.default_executor().submit_to(self, move || Ok(job()))
    }

    /// Runs a job that returns a `Result`, like [`run_in_executor`](Self::run_in_executor): the job's error becomes the
    /// Future's exception.
    #[track_caller]
    pub fn run_result_in_executor<T: Send + 'static, E: 'static>(
        &self,
        job: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Future<T>
    where
        Exception: From<E>,
    {
        let caller = Location::caller();
        self.default_executor().submit_to(self, move || raised_by(caller, job()))
    }

    /// Sets the pool that [`run_in_executor`](Self::run_in_executor) uses.
    ///
    /// ```
    /// use squall::{IoLoop, ThreadPoolExecutor};
    ///
    /// let io_loop = IoLoop::new();
    /// io_loop.set_default_executor(ThreadPoolExecutor::builder(1).thread_name("disk").build());
    /// let name = io_loop.run_sync(|| io_loop.run_in_executor(|| std::thread::current().name().map(String::from)))?;
    /// assert_eq!(name.as_deref(), Some("disk-0"));
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// Source: `tornado.ioloop.IOLoop.set_default_executor`.
    pub fn set_default_executor(&self, executor: ThreadPoolExecutor) {
        self.set_singleton(executor);
    }

    /// Returns the pool that [`run_in_executor`](Self::run_in_executor) uses. If none was set, it has as many threads
    /// as Python's default: four more than there are processors, at most 32.
    pub fn default_executor(&self) -> ThreadPoolExecutor {
        self.singleton(|| {
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            ThreadPoolExecutor::new(32.min(processors + 4))
        })
    }
}

/// Converts a job's result. An error without a place of its own gets the line that submitted the job.
fn raised_by<T, E>(caller: &'static Location<'static>, result: Result<T, E>) -> Result<T>
where
    Exception: From<E>,
{
    result.map_err(Exception::from).map_err(|exception| exception.placed_at(caller))
}
