//! Trace events: what Runners, Futures and the loop report to an [`Observer`] as it happens.
//!
//! An observer is installed for the current thread. Without one, each place that could report an event costs one
//! branch. Coroutines and Futures have small numbers, in order of first mention and never reused, so that a program
//! reports equal events on every machine.
//!
//! ```
//! use std::cell::RefCell;
//! use std::rc::Rc;
//! use squall_runner::trace::{self, Event, Observation, Observer};
//!
//! #[derive(Default)]
//! struct Lines(RefCell<Vec<String>>);
//! impl Observer for Lines {
//!     fn event(&self, event: &Event<'_>) {
//!         self.0.borrow_mut().push(format!("{event:?}"));
//!     }
//! }
//!
//! let lines = Rc::new(Lines::default());
//! let before = trace::exchange(Observation { observer: Some(lines.clone()), ..Observation::default() });
//! squall_runner::coroutine(|co| async move { co.yield_(()).await });
//! trace::exchange(before);
//! assert!(lines.0.borrow()[0].starts_with("Call"));
//! ```

pub use crate::event::{Body, Event, Holder, Line, Lock, Origin, Queue, Scope};
pub use crate::kind::Kind;
pub use crate::numbers::{next_lock, next_number, CallId, FutureId, LockId, Names, Numbers, QueueId};
pub use crate::observer::{
    emit, emit_always, exchange, has_observer, internal, observed, program, Observation, Observer,
};
pub use crate::problem::Problem;
pub use crate::queued::{because, Queued, Why};
pub use crate::shown::{Show, Shown};
pub use crate::state::State;
pub use crate::telling::{
    body, line, returns_at, running_as, running_call, set_line, tell_arguments, Variable,
};

pub(crate) use crate::observer::{
    is_internal, on_observed, report_made, report_problem, report_resolved, stops,
};
pub(crate) use crate::telling::runs;
