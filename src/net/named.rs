//! [`name`]: the name of a socket's operation in a trace.

use squall_runner::trace::{observed, Origin};
use squall_runner::Resolvable;

/// Reports to the observer, if there is one, the name of an operation's Future.
pub(super) fn name(op: &impl Resolvable) {
    let name = observed().then(|| Resolvable::describe(op).unwrap_or_default());
    op.shared().made(|| Origin::Named(name.as_deref().unwrap_or_default()));
}
