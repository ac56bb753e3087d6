//! The attribute macros, with their documentation.

/// Makes a function a coroutine: calling it starts the coroutine at once and returns a [`Future`](crate::Future) of its
/// result.
///
/// The function is written with the return type [`Result<T>`](crate::Result), and called as if it returned a
/// `Future<T>`. In its body `yield_!(x)` waits for `x` and evaluates to its `Result`: `yield_!(x)?` raises the
/// exception that `x` trapped. [`Yieldable`](crate::Yieldable) lists what may be yielded.
///
/// ```
/// use squall::{sleep, IoLoop, Result};
/// use std::time::Duration;
///
/// #[squall::coroutine]
/// fn doubled(n: i32) -> Result<i32> {
///     yield_!(sleep(Duration::from_millis(1)))?;
///     Ok(n * 2)
/// }
///
/// #[squall::coroutine]
/// fn outer() -> Result<i32> {
///     let n = yield_!(doubled(10))?;             // a coroutine calls a coroutine by yielding it
///     Ok(n + 1)
/// }
/// assert_eq!(IoLoop::current().run_sync(outer)?, 21);
/// # Ok::<(), squall::Exception>(())
/// ```
///
/// The call runs the body up to the first yield of a Future that is not done. If there is none, the coroutine is done
/// when the call returns. Exceptions and panics in the body are trapped in the Future. A body without any `yield_!` is
/// called like a plain function, with the same effect.
///
/// A coroutine outlives its call, so it cannot borrow: parameters are owned, and a method takes `self: Rc<Self>`. All
/// parameters live as long as the body runs, whether it uses them or not. A trait declares the method with the type
/// that its callers see:
///
/// ```
/// # use std::rc::Rc;
/// # use squall::{Future, Result};
/// trait Visitor {
///     fn visit(self: Rc<Self>, url: String) -> Future<usize>;
/// }
///
/// struct Counter(usize);
///
/// impl Visitor for Counter {
///     #[squall::coroutine]
///     fn visit(self: Rc<Self>, url: String) -> Result<usize> {
///         yield_!(())?;                          // let the loop run once
///         Ok(self.0 + url.len())
///     }
/// }
/// # drop(Rc::new(Counter(1)).visit(String::new()));
/// ```
///
/// `yield_!` is a macro of the body: it may be used wherever an expression may, also inside other macros, but not in
/// closures, async blocks and functions within the body, which are not part of the coroutine. Write the attribute with
/// its path, `#[squall::coroutine]`: the bare name is taken by a built-in attribute of the compiler.
///
/// Source: `tornado.gen.coroutine`.
pub use squall_macros::coroutine;

/// Runs the body of `main` as a coroutine, yield-style or native, on the loop of its thread. It is short for
/// `IoLoop::current().run_sync(..)` around the body.
///
/// ```
/// use squall::{sleep, Result};
/// use std::time::Duration;
///
/// #[squall::main]
/// fn main() -> Result<()> {
///     yield_!(sleep(Duration::from_millis(1)))?;
///     println!("a millisecond later");
///     Ok(())
/// }
/// ```
///
/// An `async fn main` is a native coroutine. An exception that leaves `main` ends the program with a traceback and exit
/// code 1. [`coroutine`](macro@crate::coroutine) says what may be written in the body.
pub use squall_macros::main;

/// Runs a coroutine, yield-style or native, as a test, on a fresh loop with a
/// [virtual clock](crate::testing::VirtualClock) that jumps to the next timer when nothing is ready.
///
/// ```test_harness
/// use std::time::Duration;
/// use squall::{sleep, Result};
///
/// #[squall::test]
/// fn an_hour_passes_at_once() -> Result<()> {
///     yield_!(sleep(Duration::from_secs(3600)))?;
///     Ok(())
/// }
///
/// #[squall::test(allow = "timers", limit = 2.5)]
/// async fn native_coroutines_are_tests_too() -> Result<()> {
///     sleep(Duration::from_secs(1)).await
/// }
/// ```
///
/// The test fails in these cases:
///
/// - The coroutine raises or panics.
/// - It waits, and nothing can wake it.
/// - It leaves behind a waiting coroutine or a timer that is not in the [`background`](fn@crate::background), or an
///   exception that nothing has retrieved, unless `allow` lists that: `"waiting"`, `"timers"`, `"unretrieved"`, or
///   several of these.
/// - It takes more real time than `limit`, in seconds; ten seconds if there is no `limit`.
///
/// The message shows the last events in columns, and each waiting coroutine with its line and what it waits for.
///
/// `#[ignore]` and `#[should_panic]` go below the attribute. Import names of squall one by one: after `use squall::*`,
/// a plain `#[test]` is ambiguous. Source: `tornado.testing.gen_test`.
#[cfg(feature = "trace")]
pub use squall_macros::test;
