//! The heart of squall: generators `yield` Futures to a [`Runner`], which waits for each and sends its result
//! back in.
//!
//! The noun is the **coroutine**: a function that, when called, runs at once up to the first thing that it has
//! to wait for, and gives a [`Future`] of its result. This crate has all that makes one go, in the order in
//! which it is best read:
//!
//! | module | what it is |
//! |---|---|
//! | [`future`] | [`Future`] and [`Promise`]: a result that is not there yet, and the end that resolves it |
//! | [`exception`] | [`Exception`]: what was raised, trapped until it is yielded; [`Return`] |
//! | [`generator`] | [`Generator`]: what the Runner drives |
//! | [`co`] | [`Co`]: how a body yields; the only place that knows how generators are made |
//! | [`runner`] | [`Runner`]: the loop that all of this is for |
//! | [`yieldable`] | [`Yieldable`]: what may be yielded |
//! | [`mod@native`] | `async fn`, driven beside the Runner |
//! | [`foreign`] | what users wrote, and how its panics are stopped |
//! | [`panics`] | where a panic happened |
//! | [`ready`] | [`ReadyQueue`](ready::ReadyQueue): what is to be called soon |
//! | [`context`] | [`Context`]: the values of variables that follow the calls |
//! | [`trace`] | what happens, told to an observer |
//!
//! It knows no clock, no I/O and no thread. Its whole demand on the outside is that somebody empties the queue
//! of what is to be called soon:
//!
//! ```
//! use squall_runner::{coroutine, ready::ReadyQueue, Future};
//!
//! let number = Future::<i32>::new();
//! let promise = number.promise();
//!
//! // Calling it runs it up to the yield.
//! let doubled = coroutine(|co| async move { Ok(co.yield_(number).await? * 2) });
//! assert!(!doubled.done());
//!
//! // Resolving what it waits for puts it on the queue; emptying the queue resumes it.
//! promise.set_result(21);
//! while let Some(callback) = ReadyQueue::current().pop() {
//!     callback.run();
//! }
//! assert_eq!(doubled.result().unwrap(), 42);
//! ```

mod any_future;
mod body;
mod call;
mod callback;
pub mod co;
pub mod context;
pub mod error;
pub mod exception;
pub mod foreign;
pub mod future;
pub mod generator;
pub mod native;
pub mod panics;
mod passing;
pub mod ready;
mod report;
pub mod runner;
mod shared;
pub mod trace;
mod waiter;
mod waker;
pub mod yieldable;

pub use any_future::AnyFuture;
pub use co::Co;
pub use context::Context;
pub use error::{Error, Misuse, Waiting};
pub use exception::{Exception, Frame, Result, Return};
pub use future::{Future, Promise};
pub use generator::{Coroutine, Generator, GeneratorState, Resume, Yielded};
pub use report::{log, report_to_stderr};
pub use runner::{coroutine, Runner};
pub use shared::{Resolvable, Shared};
pub use yieldable::{convert_yielded, marker, moment, native, Moment, Yieldable};
