//! [`name`]: the name of a socket's operation in a trace.

use squall_runner::trace::{observed, Origin};
use squall_runner::{Place, Resolvable};

/// Reports to the observer, if there is one, the name of an operation's Future.
#[track_caller]
pub(super) fn name(op: &impl Resolvable) {
    let name = observed().then(|| Resolvable::describe(op).unwrap_or_default());
    let place = Place::caller();
    op.shared().announce_as(|| (Origin::Named(name.as_deref().unwrap_or_default()), None, Some(place)));
}
