//! The attribute macros, with their documentation.

/// Makes a coroutine of a function: a call of it starts it at once and gives a [`Future`](crate::Future) of its result.
///
/// The function is written with a [`Result<T>`](crate::Result), and called as if it returned a `Future<T>`. In its body
/// `yield_!(x)` waits for `x` and gives its `Result`: `yield_!(x)?` raises what `x` trapped. What may be yielded
/// stands with [`Yieldable`](crate::Yieldable).
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
/// It runs up to its first yield of a Future that is not done before the call returns; one that yields none is
/// done then. What it raises, panics included, is trapped in the Future. A body without any `yield_!` is called
/// like a plain function, with the same effect.
///
/// A coroutine goes on after its call, so it borrows nothing: parameters are owned, and a method is written with
/// `self: Rc<Self>`. All parameters live as long as the body does, used or not. In a trait the method is declared
/// as what it is to its callers:
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
/// `yield_!` is a macro of the body: it stands wherever an expression does, in other macros too, but not in
/// closures, async blocks and functions within the body, which are no part of the coroutine. Write the attribute
/// with its path, `#[squall::coroutine]`: the bare name is one of the compiler's own.
///
/// Source: `tornado.gen.coroutine`.
pub use squall_macros::coroutine;

/// Runs a coroutine of either style as the program's `main`, on the loop of its thread:
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
/// An `async fn main` is a native coroutine, as elsewhere. An exception that leaves it ends the program with its
/// traceback and exit code 1. [`coroutine`](macro@crate::coroutine) says what may be written in the body.
pub use squall_macros::main;

/// Runs a coroutine of either style as a test, on a fresh loop with a [virtual clock](crate::testing::VirtualClock)
/// that jumps when nothing is ready.
///
/// ```
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
/// The test fails if the coroutine raises or panics; if it waits and nothing can wake it; if it leaves over a
/// coroutine that waits, a timer, or an exception that nobody has retrieved, unless `allow` names it (`"waiting"`,
/// `"timers"`, `"unretrieved"`, or several of these) or it is in the [`background`](fn@crate::background); and if it takes more than ten seconds of real time, or
/// `limit`, in seconds. The message shows what happened last in columns, and who waits for whom, each with its
/// line.
///
/// `#[ignore]` and `#[should_panic]` go below it. Import what you need of squall by name: after `use squall::*` a plain
/// `#[test]` is ambiguous. Source: `tornado.testing.gen_test`.
#[cfg(feature = "trace")]
pub use squall_macros::test;
