//! Tornado's coroutines in Rust: a function `yield`s [`Future`]s, and a [`Runner`] waits for each of them and sends
//! its result back in, on one thread, on a real event loop.
//!
//! ```
//! use std::time::Duration;
//! use squall::{sleep, IoLoop, Result};
//!
//! #[squall::coroutine]                               // a call starts it at once and returns a Future<usize>
//! fn fetch(url: &'static str) -> Result<usize> {
//!     yield_!(sleep(Duration::from_millis(5)))?;     // waits; `?` raises the exception that the Future trapped
//!     Ok(url.len())
//! }
//!
//! #[squall::coroutine]
//! fn both() -> Result<usize> {
//!     let [a, b] = yield_!([fetch("a"), fetch("bc")])?;      // waits for the two together
//!     Ok(a + b)
//! }
//!
//! assert_eq!(IoLoop::current().run_sync(both)?, 3);
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! # Concepts
//!
//! - A [`Future`] is a handle to a result that is not there yet. A coroutine yields or awaits it; other code checks it by
//!   [`done`](Future::done) and [`result`](Future::result). A [`Promise`] is its other end, which resolves it.
//! - A **coroutine** is a function that runs up to the first Future that it has to wait for, is suspended there, and goes
//!   on when that Future is done. Between two yields nothing else runs on its thread, so plain `Cell`s and `Rc`s are enough.
//! - A [`Runner`] drives one coroutine: it sends results in, throws exceptions in, and takes out what is yielded. Programs never
//!   use it directly.
//! - The event loop, [`IoLoop`], runs what is ready, in *turns*: one turn runs the callbacks that were ready when it began, in
//!   the order in which they became ready. Each thread has a loop.
//! - An [`Exception`] is any error, with a traceback of the coroutines that it passed through. It is trapped in the Future
//!   of the coroutine that raised it, and raised again where that Future is yielded.
//!
//! The names are those of Python's Tornado, and so is the order of events: a suite of programs that ran on Tornado 6.5
//! checks each send, throw and yield.
//!
//! # Writing coroutines
//!
//! [`#[squall::coroutine]`](macro@coroutine) makes a coroutine of a function, and defines `yield_!` in its body.
//! Without the attribute the function [`coroutine`](fn@coroutine) takes a closure. An `async fn` is a coroutine as
//! well, a *native* one: it does nothing until it is yielded, awaited or spawned. Yield-style and native coroutines can
//! wait for each other.
//!
//! ```
//! use squall::{coroutine, Exception, IoLoop, Result};
//!
//! #[derive(Debug, thiserror::Error)]
//! #[error("division by zero")]
//! struct ZeroDivision;
//!
//! #[squall::coroutine]
//! fn divide(x: i32, y: i32) -> Result<i32> {
//!     if y == 0 {
//!         Err(ZeroDivision)?;                        // any std error becomes an Exception by `?`
//!     }
//!     Ok(x / y)
//! }
//!
//! #[squall::coroutine]
//! fn careful() -> Result<i32> {
//!     match yield_!(divide(1, 0)) {                  // raised here, at the yield
//!         Err(e) if e.is::<ZeroDivision>() => Ok(0),
//!         other => other,
//!     }
//! }
//!
//! async fn native() -> Result<i32> {
//!     Ok(careful().await? + divide(6, 2).await?)
//! }
//!
//! let closure = coroutine(|co| async move { Ok(co.yield_(native()).await? + 1) });
//! assert_eq!(IoLoop::current().run_sync(|| closure)?, 4);
//!
//! let text = Exception::msg("no such page");         // an error that is only a text
//! assert_eq!(text.to_string(), "no such page");
//! # Ok::<(), Exception>(())
//! ```
//!
//! # Yielding
//!
//! A coroutine may yield a Future; an array, `Vec`, tuple or map of yieldable things, which are waited for together; a
//! [`moment`] or `()`, which lets the loop run once; any [`std::future::Future`] whose output is a `Result`; and types
//! of your own that implement [`Yieldable`].
//!
//! ```
//! use std::time::Duration;
//! use squall::{moment, sleep, with_timeout, Error, Future, IoLoop, Result, WaitIterator};
//!
//! #[squall::coroutine]
//! fn number(n: u64) -> Result<u64> {
//!     yield_!(sleep(Duration::from_millis(n)))?;
//!     Ok(n)
//! }
//!
//! #[squall::coroutine]
//! fn tour() -> Result<()> {
//!     let list: Vec<u64> = yield_!((1..4).map(number).collect::<Vec<_>>())?;
//!     assert_eq!(list, [1, 2, 3]);
//!     let (n, text) = yield_!((number(1), Future::ready("text")))?;
//!     assert_eq!((n, text), (1, "text"));
//!     yield_!(moment())?;
//!     let five = yield_!(async { Ok::<_, std::fmt::Error>(5) })?;
//!     assert_eq!(five, 5);
//!
//!     let slow = with_timeout(Duration::from_millis(1), number(1_000));
//!     assert_eq!(yield_!(slow).unwrap_err().downcast_ref(), Some(&Error::Timeout));
//!
//!     let mut results = WaitIterator::new([number(9), number(3)]);   // as they finish
//!     assert_eq!(yield_!(results.next())?, 3);
//!
//!     let blocking = IoLoop::current().run_in_executor(|| "computed on another thread");
//!     println!("{}", yield_!(blocking)?);
//!
//!     let future = Future::<i32>::new();             // by hand: a Promise resolves it
//!     let promise = future.promise();
//!     IoLoop::current().call_later(Duration::from_millis(1), move || promise.set_result(7));
//!     assert_eq!(yield_!(future)?, 7);
//!     Ok(())
//! }
//! # IoLoop::current().run_sync(tour)?;
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! Coroutines coordinate through [`locks`] and [`queues`]. They talk to other programs through the sockets of [`net`],
//! the HTTP client `squall::httpclient` and the web server `squall::web`. [`cancellation`] lists what cancelling does
//! to each thing that can be waited for.
//!
//! # Running
//!
//! - [`IoLoop::run_sync`] runs the loop until one coroutine is done, and returns its result. [`#[squall::main]`](macro@main)
//!   does that with the body of `main`. If coroutines still wait and nothing can wake them, it fails with
//!   [`Error::Deadlock`], which names each of them with its line.
//! - [`IoLoop::spawn_callback`] starts a coroutine without waiting for it; a failure is logged with its traceback.
//! - [`IoLoop::start`] runs until [`IoLoop::stop`]; [`runtimes`] shows how Ctrl-C ends a program in good order.
//! - [`IoLoop::handle`] returns a [`LoopHandle`], by which other threads add callbacks.
//! - [`PeriodicCallback`] calls a function at an interval; [`ThreadPoolExecutor`] runs code that blocks.
//!
//! Futures of tokio, async-io and other libraries can be yielded and awaited; [`runtimes`] describes what they need.
//!
//! An exception that nothing can receive is logged by the crate `log`: that of a callback, or of a Future that was
//! dropped before its exception was retrieved. In a program without a logger it goes to standard error, unless
//! [`report_to_stderr`] turns this off.
//!
//! # Testing
//!
//! [`#[squall::test]`](macro@test) runs a coroutine as a test on a virtual clock, where an hour passes at once. A
//! [`TestLoop`](testing::TestLoop) resumes one coroutine at a time. [`explore`](testing::explore) tries every order in
//! which coroutines may run. With the environment variable `SQUALL_FAILURE=DIR` each of them writes the trace of a failed test
//! to that directory, as a page to step through. [`testing::guide`] shows all of it.
//!
//! ```
//! use std::time::Duration;
//! use squall::{sleep, testing::TestLoop};
//!
//! let mut t = TestLoop::new();
//! let hour = t.spawn(|| sleep(Duration::from_secs(3600)));
//! t.run_until_idle();
//! assert!(hour.done());
//! assert_eq!(t.now(), Duration::from_secs(3600));
//! ```
//!
//! # Seeing
//!
//! [`trace::record`] records what coroutines do, and its trace prints in columns, one for each coroutine;
//! [`trace::note`] adds a line of your own. [`to_html`](trace::Trace::to_html) makes a page for a browser, which shows
//! each step in both directions. [`IoLoop::dump`] shows, at any moment, which coroutine waits for what, at which line.
//!
//! ```
//! use squall::{trace, IoLoop, Result};
//!
//! #[squall::coroutine]
//! fn greet() -> Result<()> {
//!     yield_!(())?;
//!     trace::note("hello");
//!     Ok(())
//! }
//!
//! let trace = trace::record(|| IoLoop::current().run_sync(greet));
//! println!("{trace}");
//! assert!(trace.to_string().contains("hello"));
//! ```
//!
//! # Features
//!
//! | feature | what it adds | default | packages |
//! |---|---|---|---|
//! | none | the Runner, the loop, the executor, locks and queues |  | 20 |
//! | `macros` | `#[squall::coroutine]`, `#[squall::main]`, `#[squall::test]` | yes | 21 |
//! | `net` | [`net`]: TCP and Unix sockets | yes | 24 |
//! | `trace` | [`trace::record`] and its views, [`testing::TestLoop`], [`testing::explore`] | yes | 32 |
//! | `signals` | `IoLoop::add_signal_handler` | no | 24 |
//! | `web` | `squall::web`: an HTTP server whose handlers are coroutines, WebSockets, static files | no | 75 |
//! | `tls` | `squall::web` over HTTPS | no | 32 |
//! | `http-client` | `squall::httpclient`: an HTTP client, with HTTPS and decompression | no | 99 |
//! | `http-client-plain` | `squall::httpclient` without HTTPS and decompression | no | 74 |
//! | `program` | `squall::program`: coroutine programs written in JSON | no | 34 |
//!
//! The last column is the number of packages in `cargo tree --edges normal` with this feature alone, including
//! squall's own, on Linux (`scripts/features.py` counts them). Features share packages: both `web` and `http-client-plain`
//! need hyper.
//!
//! # Functions at the root
//!
//! | function | what it does |
//! |---|---|
//! | [`coroutine`](fn@coroutine) | runs a closure as a coroutine |
//! | [`sleep`] | returns a Future that is done after a given time |
//! | [`moment`] | returns a yieldable that takes one turn of the loop |
//! | [`multi`], [`multi_quiet`] | wait for a list, tuple or map of things; `multi_quiet` does not log chosen exceptions |
//! | [`with_timeout`], [`with_timeout_quiet`] | wait for something within a time limit |
//! | [`with_timeout_erased`], [`with_timeout_erased_quiet`] | wait like these for a Future whose type is erased, in generators of other languages |
//! | [`background`](fn@background) | puts coroutines and timers that live as long as the loop in the background |
//! | [`task`] | adapts a function that takes a callback |
//! | [`maybe_future`] | converts a value into a Future, and returns a Future as it is |
//! | [`native()`] | makes a std Future whose output is not a `Result` yieldable |
//! | [`convert_yielded`] | converts anything that can be yielded into a Future |
//! | [`chain_future`] | copies the result of one Future to another |
//! | [`report_to_stderr`] | sets whether failures go to standard error in a program without a logger |

#[cfg(feature = "macros")]
mod attributes;
mod background;
pub mod context;
pub mod executor;
pub mod gen;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http-client-plain")]
pub mod httpclient;
pub mod ioloop;
mod kept;
pub mod locks;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "program")]
pub mod program;
pub mod queues;
pub mod resolvable;
pub mod testing;
pub mod trace;
#[cfg(feature = "web")]
pub mod web;

#[cfg(all(feature = "macros", feature = "trace"))]
pub use attributes::test;
#[cfg(feature = "macros")]
pub use attributes::{coroutine, main};
#[doc(inline)]
pub use background::background;
pub use context::ContextVar;
#[doc(inline)]
pub use executor::{ExecutorError, ThreadPoolExecutor};
#[doc(inline)]
pub use gen::*;
#[doc(inline)]
pub use ioloop::{IoLoop, LoopHandle, PeriodicCallback};
pub use squall_runner::{
    report_to_stderr, AnyFuture, Context, Error, Exception, Frame, Future, Misuse, Place, Promise, Result,
    Waiting,
};

/// A guide to cancellation: what cancelling does to each kind of Future, and what dropping its last handle does.
///
#[doc = include_str!("../docs/cancellation.md")]
pub mod cancellation {}
/// A guide to living with other runtimes: tokio, reqwest, async-io and Streams in a coroutine, squall in a program that
/// tokio runs, Ctrl-C and a clean shutdown.
///
// Its snippets use tokio and other crates that are not dependencies here: the package `squall-runtimes` runs them.
#[cfg_attr(not(doctest), doc = include_str!("../docs/runtimes.md"))]
pub mod runtimes {}
#[doc(hidden)]
pub mod __private;

/// The code of the README, as a doc test.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../README.md")]
mod readme {}
