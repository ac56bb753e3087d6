//! Futures of your own: the trait [`Resolvable`], and everything needed to implement it.
//!
//! Most programs do not need this module. To resolve a Future from another part of the program, create it by
//! [`Future::new`](crate::Future::new) and resolve it by its [`Promise`](crate::Promise); to combine Futures, write a
//! coroutine. A type of your own is worthwhile if its state should be in the allocation of the Future, and if it should
//! be cancelled and described like squall's own: squall's timers, locks, queues and lists are made with this module.
//!
//! A Future of your own is an `Rc` of a type that implements [`Resolvable`]:
//!
//! | purpose | means |
//! |---|---|
//! | holds the state, the result and the waiters | a field of type [`Shared`]; [`set`](Shared::set) resolves it, and runs nothing |
//! | is handed out | [`Future::from_core`](crate::Future::from_core) |
//! | waits for other Futures | [`Run`]: by [`AnyFuture::call_when_done`] it is called in the turn after another Future is done |
//! | ends with its loop | [`Withdraw`], and a [`Held`] if the Futures that it waits for hold it, which is a cycle |
//! | releases what it holds when it is cancelled | [`Resolvable::on_cancel`] |
//! | leaves the lists of other Futures when it is no longer needed | [`Run::is_over`] |
//! | has a name in traces and a description in a Deadlock | [`Shared::announce`], [`Resolvable::describe`] |
//!
//! ```
//! use std::cell::Cell;
//! use std::rc::{Rc, Weak};
//! use std::time::Duration;
//! use squall::resolvable::{Held, Resolvable, Run, Shared, State, Withdraw};
//! use squall::{sleep, AnyFuture, Future, IoLoop};
//!
//! /// Returns a Future that is done when `count` of `futures` are, with how many have failed by then.
//! fn quorum(count: usize, futures: Vec<AnyFuture>) -> Future<usize> {
//!     let quorum = Rc::new_cyclic(|this: &Weak<Quorum>| Quorum {
//!         shared: Shared::new(),
//!         missing: Cell::new(count),
//!         futures: Cell::new(Vec::new()),
//!         held: Cell::new(Some(Held::new(this.clone()))),
//!     });
//!     quorum.shared.announce("quorum");
//!     for future in &futures {
//!         future.call_when_done(quorum.clone());
//!     }
//!     quorum.futures.set(futures);
//!     Future::from_core(quorum)
//! }
//!
//! /// The Future, which is also the callback of the other Futures, in one allocation.
//! struct Quorum {
//!     shared: Shared<usize>,
//!     missing: Cell<usize>,
//!     /// Empty once it is done.
//!     futures: Cell<Vec<AnyFuture>>,
//!     /// The futures hold this, and this holds them.
//!     held: Cell<Option<Held>>,
//! }
//!
//! impl Quorum {
//!     /// Releases everything that it waits for.
//!     fn let_go(&self) -> Vec<AnyFuture> {
//!         drop(self.held.take());
//!         self.futures.take()
//!     }
//! }
//!
//! impl Run for Quorum {
//!     fn run(self: Rc<Self>) {
//!         self.missing.set(self.missing.get().saturating_sub(1));
//!         if self.missing.get() == 0 && self.shared.state() == State::Pending {
//!             let failed = self.let_go().iter().filter(|future| future.exception().is_some()).count();
//!             self.shared.set_result(failed);
//!         }
//!     }
//!
//!     fn is_over(&self, _holders: usize) -> bool {
//!         self.shared.done()
//!     }
//! }
//!
//! impl Withdraw for Quorum {
//!     fn withdraw(&self) {
//!         drop(self.let_go());
//!         self.shared.end_with_loop();
//!     }
//! }
//!
//! impl Resolvable for Quorum {
//!     type Output = usize;
//!
//!     fn shared(&self) -> &Shared<usize> {
//!         &self.shared
//!     }
//!
//!     fn on_cancel(&self) {
//!         drop(self.let_go());
//!     }
//!
//!     fn describe(&self) -> Option<String> {
//!         Some(format!("a quorum, {} missing", self.missing.get()))
//!     }
//! }
//!
//! let ms = Duration::from_millis;
//! let votes = || vec![sleep(ms(1)).erase(), sleep(ms(2)).erase(), Future::<()>::new().erase()];
//! assert_eq!(IoLoop::current().run_sync(|| quorum(2, votes()))?, 0);
//!
//! let never = || vec![Future::<()>::new().erase()];
//! assert!(quorum(1, never()).cancel());
//! # let failed = IoLoop::current().run_sync(|| quorum(2, vec![Future::<()>::failed(squall::Error::Timeout).erase(), sleep(ms(1)).erase()]))?;
//! # assert_eq!(failed, 1);
//! # let io_loop = IoLoop::current();
//! # let waits = || squall::coroutine(|co| async move { let lost = squall::Future::<()>::new(); let keep = lost.promise(); let all = co.yield_(quorum(3, vec![lost.erase()])).await; drop(keep); all });
//! # let deadlock = io_loop.run_sync(waits).unwrap_err();
//! # assert!(deadlock.to_string().ends_with("for a quorum, 3 missing"), "{deadlock}");
//! # Ok::<(), squall::Exception>(())
//! ```
//!
//! Keep to three rules, as squall's own Futures do. Nothing runs inside [`Shared::set`]: put what has to happen then on
//! the ready queue by [`call_soon`]. Code of users (a predicate, a `Drop`, a callback) is called while nothing is
//! borrowed, through a guard: [`Exception::trap`](crate::Exception::trap), [`Guarded`] or [`discard`]. A value that was
//! taken from a source returns to it if it was not seen: [`Shared::reclaim`], in the `Drop` of your type.

#[doc(no_inline)]
pub use crate::AnyFuture;
pub use squall_runner::foreign::{discard, Guarded};
pub use squall_runner::ready::{call_soon, callback, Callback, Run, Suspended, Withdraw};
pub use squall_runner::trace::{FutureId, State};
pub use squall_runner::{Held, Resolvable, Shared, WeakFuture};
