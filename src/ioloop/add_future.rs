//! [`IoLoop::add_future`]: a callback that receives a Future once it is done.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use squall_runner::foreign::discard;
use squall_runner::ready::{Run, Withdraw};
use squall_runner::Held;
use squall_runner::{Context, Future};

use super::IoLoop;

impl IoLoop {
    /// Calls `f` with `future` in the turn of the loop after the one in which `future` is done. A panic in `f` is
    /// logged.
    ///
    /// ```
    /// use squall::{Future, IoLoop};
    ///
    /// let io_loop = IoLoop::current();
    /// let inner = io_loop.clone();
    /// io_loop.add_future(Future::ready(5), move |future| {
    ///     assert_eq!(future.into_result().unwrap(), 5);
    ///     inner.stop();
    /// });
    /// io_loop.start();
    /// ```
    ///
    /// Source: `tornado.ioloop.IOLoop.add_future`.
    pub fn add_future<T: 'static>(&self, future: Future<T>, f: impl FnOnce(Future<T>) + 'static) {
        if self.is_closed() {
            return;
        }
        if future.done() {
            return self.add_callback(move || f(future));
        }
        // The callback belongs to this loop, also if another one is the current loop.
        let _here = self.make_current();
        let call = Rc::new_cyclic(|this: &Weak<AddFuture<T, _>>| AddFuture {
            future: Cell::new(None),
            f: Cell::new(Some(f)),
            context: Cell::new(Context::current()),
            held: Cell::new(Some(Held::new(this.clone()))),
        });
        future.call_when_done(call.clone());
        call.future.set(Some(future));
    }
}

/// A callback and its Future, each of which holds the other until the callback has run.
struct AddFuture<T: 'static, F> {
    /// Empty once the callback has run.
    future: Cell<Option<Future<T>>>,
    f: Cell<Option<F>>,
    context: Cell<Context>,
    held: Cell<Option<Held>>,
}

impl<T: 'static, F: FnOnce(Future<T>) + 'static> Run for AddFuture<T, F> {
    fn run(self: Rc<Self>) {
        drop(self.held.take());
        if let (Some(future), Some(f)) = (self.future.take(), self.f.take()) {
            self.context.take().enter(|| f(future));
        }
    }

    fn is_over(&self, _holders: usize) -> bool {
        let future = self.future.take();
        let is_over = future.is_none();
        self.future.set(future);
        is_over
    }
}

impl<T: 'static, F: FnOnce(Future<T>) + 'static> Withdraw for AddFuture<T, F> {
    fn withdraw(&self) {
        drop((self.held.take(), self.future.take()));
        self.f.take().into_iter().for_each(discard);
    }
}

impl<T: 'static, F> Drop for AddFuture<T, F> {
    fn drop(&mut self) {
        self.f.take().into_iter().for_each(discard);
    }
}
