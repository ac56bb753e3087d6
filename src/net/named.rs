//! [`name`]: what a trace calls an operation of a socket.

use squall_runner::trace::{self, Event, Origin};
use squall_runner::Resolvable;

/// Tells the observer, if there is one, what the Future of an operation is called.
pub(super) fn name(op: &impl Resolvable) {
    if trace::observed() {
        let name = Resolvable::describe(op).unwrap_or_default();
        trace::emit(|| Event::Made { future: op.shared().id(), origin: Origin::Named(&name) });
    }
}
