//! The peers: one trait over three executors, so that each row says what it does to a peer only once.
//!
//! Everything is resolved at compile time; each peer is used as its own documentation uses it.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{ready, Context, Poll};

use futures::executor::LocalPool;
use futures::future::RemoteHandle;
use futures::task::LocalSpawnExt;

/// An executor of tasks that need not be `Send`, on the thread that calls it.
pub(crate) trait Executor: Clone + 'static {
    /// A handle that is awaited for the result of a task.
    type Handle<T: 'static>: Future<Output = T> + Unpin + 'static;

    /// Makes an executor and runs `body` on it.
    fn run<T>(body: impl AsyncFnOnce(Self) -> T) -> T;

    fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Self::Handle<T>;

    /// Lets every other ready task run once.
    fn yield_now() -> impl Future<Output = ()>;
}

/// tokio's current-thread runtime with a `LocalSet`.
#[derive(Clone)]
pub(crate) struct Tokio;

impl Executor for Tokio {
    type Handle<T: 'static> = Joined<T>;

    fn run<T>(body: impl AsyncFnOnce(Self) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, body(Self))
    }

    fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Joined<T> {
        Joined(tokio::task::spawn_local(task))
    }

    fn yield_now() -> impl Future<Output = ()> {
        tokio::task::yield_now()
    }
}

/// A `JoinHandle` whose output is the plain value, as with the other peers: no task here panics.
pub(crate) struct Joined<T>(tokio::task::JoinHandle<T>);

impl<T> Future for Joined<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(cx)).expect("the task did not panic"))
    }
}

/// smol's `LocalExecutor`.
#[derive(Clone)]
pub(crate) struct Smol(Rc<async_executor::LocalExecutor<'static>>);

impl Executor for Smol {
    type Handle<T: 'static> = async_executor::Task<T>;

    fn run<T>(body: impl AsyncFnOnce(Self) -> T) -> T {
        let executor = Rc::new(async_executor::LocalExecutor::new());
        async_io::block_on(executor.run(body(Self(executor.clone()))))
    }

    fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> async_executor::Task<T> {
        self.0.spawn(task)
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }
}

/// The `LocalPool` of the futures crate.
#[derive(Clone)]
pub(crate) struct Pool(futures::executor::LocalSpawner);

impl Executor for Pool {
    type Handle<T: 'static> = RemoteHandle<T>;

    fn run<T>(body: impl AsyncFnOnce(Self) -> T) -> T {
        let mut pool = LocalPool::new();
        let spawner = pool.spawner();
        pool.run_until(body(Self(spawner)))
    }

    fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> RemoteHandle<T> {
        self.0.spawn_local_with_handle(task).expect("the pool is there")
    }

    fn yield_now() -> impl Future<Output = ()> {
        futures_lite::future::yield_now()
    }
}
