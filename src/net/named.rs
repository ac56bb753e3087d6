//! [`name`]: the name of a socket's operation in a trace.

use squall_runner::trace::{self, Event, Origin};
use squall_runner::Resolvable;

/// Reports to the observer, if there is one, the name of an operation's Future.
pub(super) fn name(op: &impl Resolvable) {
    if trace::observed() {
        let name = Resolvable::describe(op).unwrap_or_default();
        trace::emit(|| Event::Made { future: op.shared().id(), origin: Origin::Named(&name) });
    }
}
