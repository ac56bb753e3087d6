//! The heart of squall: generators `yield` Futures to a [`Runner`], which waits for each of them and sends its result
//! back in.
//!
//! A **coroutine** is a function that runs, when it is called, up to the first thing that it has to wait for, and
//! returns a [`Future`] of its result.
//!
//! These are all files of this crate, in the recommended order of reading. Each imports only files that do not import
//! it, so the last lines of each group can be left for later:
//!
//! | file | subject |
//! |---|---|
//! | [`runner`] | [`Runner`], which drives coroutines; its first page is the loop in six lines |
//! | `runner/observed`, `runner/made`, `runner/placed` | Runners of observed calls, their generators, and generators with places of their own |
//! | `runner/simplified` | the loop in six lines, to be run beside the real one |
//! | [`generator`] | [`Generator`], which a Runner drives |
//! | `yielded` | [`Yielded`]: a yielded thing, until it is converted to a Future |
//! | | **Futures** |
//! | [`future`] | [`Future`], a result that is not there yet, and [`Promise`], which resolves it |
//! | `any_future` | [`AnyFuture`]: a Future whose type is erased |
//! | `shared` | [`Shared`] and [`Resolvable`]: the common state of Futures, and Futures with more state |
//! | `state` | the states of a Future |
//! | `waiter` | the waiters of a Future, and when they leave |
//! | [`ready`] | [`ReadyQueue`](ready::ReadyQueue): the callbacks to call soon |
//! | `callback` | [`Run`](ready::Run): an entry of that queue |
//! | `held` | [`Held`]: values that the end of a loop withdraws |
//! | `shrink` | lists that return the memory of a burst |
//! | | **Bodies** |
//! | [`co`] | [`Co`]: how a body yields |
//! | `passing` | the state between a body and its Runner, with a diagram |
//! | `body` | an async block as a generator of `genawaiter` |
//! | `running` | the body that is running |
//! | [`yieldable`] | [`Yieldable`]: things that may be yielded |
//! | [`mod@native`] | `async fn`, driven beside the Runner |
//! | `wrapped` | std Futures of users in a native coroutine |
//! | `polled`, `waking`, `waker` | the native coroutine that is being polled, and its wakers |
//! | `call` | a call of a coroutine, yield-style or native |
//! | [`coroutine`](mod@coroutine) | [`Coroutine`]: a coroutine function, with its name and line |
//! | `place` | [`Place`]: a line of a program, in any language |
//! | [`context`] | [`Context`]: the values of context variables |
//! | | **Failures** |
//! | [`exception`] | [`Exception`], trapped in a Future until that is yielded; [`Return`] |
//! | [`error`] | [`Error`]: the errors of squall itself |
//! | [`foreign`] | code of users, and how its panics are stopped |
//! | [`panics`] | the place of a panic |
//! | [`report`](mod@report), `problem`, `stderr` | the log of problems that no exception can report |
//! | | **Traces** |
//! | [`trace`] | the public items of these files, with an example |
//! | `event`, `observer` | the events, and the observer that receives them |
//! | `numbers`, `kind`, `shown`, `queued` | the names of things, yielded things, values and ready callbacks in a trace |
//! | `telling` | what is known of the running code ahead of an event: its call, arguments and lines |
//!
//! The crate knows no clock, no I/O and no threads. All it needs from outside is that a loop empties the ready queue:
//!
//! ```
//! use squall_runner::{coroutine, ready::ReadyQueue, Future};
//!
//! let number = Future::<i32>::new();
//! let promise = number.promise();
//!
//! // The call runs the coroutine up to its yield.
//! let doubled = coroutine(|co| async move { Ok(co.yield_(number).await? * 2) });
//! assert!(!doubled.done());
//!
//! // Resolving the Future puts the coroutine on the ready queue; emptying the queue resumes it.
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
pub mod coroutine;
pub mod error;
mod event;
pub mod exception;
pub mod foreign;
pub mod future;
pub mod generator;
mod held;
mod kind;
pub mod native;
mod numbers;
mod observer;
pub mod panics;
mod passing;
mod place;
mod polled;
mod problem;
mod queued;
pub mod ready;
pub mod report;
pub mod runner;
mod running;
mod shared;
mod shown;
mod shrink;
mod state;
mod stderr;
mod telling;
pub mod trace;
mod waiter;
mod waker;
mod waking;
mod wrapped;
pub mod yieldable;
mod yielded;

/// The files in which a view of traces shows the Runner at work: each by its path from the root of the repository.
#[doc(hidden)]
pub const SOURCES: [(&str, &str); 2] = [
    ("runner/src/runner.rs", include_str!("runner.rs")),
    ("runner/src/native.rs", include_str!("native.rs")),
];

pub use any_future::{AnyFuture, Holding, WeakFuture};
pub use co::Co;
pub use context::Context;
pub use coroutine::Coroutine;
pub use error::{Error, Misuse, Waiting};
pub use exception::{Exception, Frame, Result, Return};
pub use foreign::log;
pub use future::{Future, Promise};
pub use generator::{Generator, GeneratorState, Resume};
pub use held::Held;
pub use place::Place;
pub use runner::{coroutine, Runner};
pub use shared::{Resolvable, Shared};
pub use stderr::report_to_stderr;
pub use yieldable::{convert_yielded, marker, moment, native, Moment, Yieldable};
pub use yielded::Yielded;
