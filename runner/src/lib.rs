//! The heart of squall: generators `yield` Futures to a [`Runner`], which waits for each and sends its result
//! back in.
//!
//! The noun is the **coroutine**: a function that, when called, runs at once up to the first thing that it has
//! to wait for, and returns a [`Future`] of its result. All files of this crate, in the order in which they are best read; each
//! imports only files that do not import it, so the last lines of a group can be left for later:
//!
//! | file | what it is |
//! |---|---|
//! | [`runner`] | [`Runner`]: the loop that all of this is for; its first page is the loop in six lines |
//! | `runner/observed` | Runners of calls that an observer is told of |
//! | [`generator`] | [`Generator`]: what a Runner drives |
//! | `yielded` | [`Yielded`]: what a generator yielded, until it is a Future to wait for |
//! | | **Futures** |
//! | [`future`] | [`Future`] and [`Promise`]: a result that is not there yet, and the end that resolves it |
//! | `any_future` | [`AnyFuture`]: a Future whose type is not known |
//! | `shared` | [`Shared`] and [`Resolvable`]: what all Futures share, and how to make one with state of its own |
//! | `state` | how far a Future is |
//! | `waiter` | what waits for a Future, and when it leaves |
//! | [`ready`] | [`ReadyQueue`](ready::ReadyQueue): what is to be called soon |
//! | `callback` | [`Run`](ready::Run): an entry of that queue |
//! | `held` | [`Held`]: what a loop frees when it ends |
//! | | **Bodies** |
//! | [`co`] | [`Co`]: how a body yields |
//! | `passing` | what lies between a body and its Runner, with a diagram |
//! | `body` | an async block made a generator, by `genawaiter` |
//! | `running` | which body is running |
//! | [`yieldable`] | [`Yieldable`]: what may be yielded |
//! | [`mod@native`] | `async fn`, driven beside the Runner |
//! | `polled`, `waking`, `waker` | the native coroutine that is being polled, and what wakes it |
//! | `call` | one call of a coroutine, of either kind |
//! | [`coroutine`](mod@coroutine) | [`Coroutine`]: a coroutine function, by its name and line |
//! | `place` | [`Place`]: a line of a program, in whatever language that is written |
//! | [`context`] | [`Context`]: the values of variables that follow the calls |
//! | | **What goes wrong** |
//! | [`exception`] | [`Exception`]: what was raised, trapped until it is yielded; [`Return`] |
//! | [`error`] | [`Error`]: what squall itself raises |
//! | [`foreign`] | what users wrote, and how its panics are stopped |
//! | [`panics`] | where a panic happened |
//! | [`report`](mod@report), `problem`, `stderr` | what nobody can be told by an exception is logged |
//! | | **What is seen** |
//! | [`trace`] | what happens, told to an observer |
//! | `numbers`, `kind`, `shown` | how a trace names things, what was yielded, and values |
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
pub mod coroutine;
pub mod error;
pub mod exception;
pub mod foreign;
pub mod future;
pub mod generator;
mod held;
mod kind;
pub mod native;
mod numbers;
pub mod panics;
mod passing;
mod place;
mod polled;
mod problem;
pub mod ready;
pub mod report;
pub mod runner;
mod running;
mod shared;
mod shown;
mod state;
mod stderr;
pub mod trace;
mod waiter;
mod waker;
mod waking;
pub mod yieldable;
mod yielded;

pub use any_future::{AnyFuture, WeakFuture};
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
