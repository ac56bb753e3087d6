//! Calls that are observed: their Runners tell what they do, and may be asked not to start yet.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::Runner;
use crate::call::Call;
use crate::generator::{Coroutine, Generator, GeneratorState, Resume};
use crate::ready::{Callback, Ready};
use crate::shared::Shared;
use crate::trace;
use crate::{Context, Future};

/// A generator whose call is observed. It is another type, so that the Runners of all others need not even ask
/// whether somebody wants to know what they do.
pub(super) struct Observed<T>(pub(super) Box<dyn Generator<Return = T>>);

impl<T: 'static> Generator for Observed<T> {
    type Return = T;

    fn resume(&mut self, resume: Resume) -> GeneratorState<T> {
        self.0.resume(resume)
    }

    fn is_observed() -> bool {
        true
    }
}

impl<T: 'static> Runner<Observed<T>> {
    #[cold]
    #[track_caller]
    pub(super) fn start_observed(
        coroutine: &'static Coroutine,
        make: impl FnOnce() -> Observed<T>,
    ) -> Future<T> {
        if unstarted_wanted() {
            Self::defer(coroutine, make())
        } else {
            Self::call(coroutine, make)
        }
    }

    /// A call that is not started.
    #[cold]
    #[track_caller]
    fn defer(coroutine: &'static Coroutine, gen: Observed<T>) -> Future<T> {
        // To an observer it is like a native coroutine: it starts in a later turn.
        let (call, future) = Call::new(coroutine, Some(trace::Body::Native));
        let runner = Rc::new(Self {
            result_future: Shared::new(),
            gen: Cell::new(Some(gen)),
            future: Cell::new(None),
            context: Cell::new(Context::current()),
            call,
        });
        runner.result_future.set_id(future);
        runner.call.place.set(Ready::current().hold(Rc::<Self>::downgrade(&runner)));
        UNSTARTED.with_borrow_mut(|list| list.get_or_insert_default().push(runner.clone()));
        Future::from_core(runner)
    }
}

thread_local! {
    /// The coroutines that were called and not started, while there is somebody who wants them so.
    static UNSTARTED: RefCell<Option<Vec<Callback>>> = const { RefCell::new(None) };
}

/// With a list, no coroutine is started from now on when it is called: it goes to the end of the list, and
/// `Run::run` starts it. Returns what was there before. It holds only while the thread is observed.
///
/// ```
/// use squall_runner::ready::Run;
/// use squall_runner::runner::exchange_unstarted;
/// use squall_runner::trace::{self, Event, Observation, Observer};
/// # struct Nobody;
/// # impl Observer for Nobody { fn event(&self, _event: &Event<'_>) {} }
///
/// trace::exchange(Observation { observer: Some(std::rc::Rc::new(Nobody)), ..Observation::default() });
/// exchange_unstarted(Some(Vec::new()));
/// let future = squall_runner::coroutine(|_co| async { Ok(5) });
/// assert!(!future.done());
/// let called = exchange_unstarted(None).unwrap_or_default();
/// called.into_iter().for_each(Run::run);         // a call alone would have done this
/// assert_eq!(future.result().unwrap(), 5);
/// # trace::exchange(Observation::default());
/// ```
pub fn exchange_unstarted(list: Option<Vec<Callback>>) -> Option<Vec<Callback>> {
    UNSTARTED.replace(list)
}

/// Whether coroutines are not to be started when they are called.
#[cold]
pub(super) fn unstarted_wanted() -> bool {
    UNSTARTED.with_borrow(Option::is_some)
}
