//! The current loop of a thread.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use squall_runner::ready::Ready;

use super::{IoLoop, RealClock};

thread_local! {
    static CURRENT: RefCell<Option<IoLoop>> = const { RefCell::new(None) };
}

impl IoLoop {
    /// The loop of this thread; one on the real clock is made where there is none.
    pub fn current() -> Self {
        let current = CURRENT.try_with(|current| {
            let current = &mut *current.borrow_mut();
            current.get_or_insert_with(|| Self::on(Ready::current(), RealClock::new())).clone()
        });
        // While a thread ends there is none any more. What asks for it in its `Drop` gets one that never runs.
        current.unwrap_or_else(|_| Self::new())
    }

    /// Makes this the loop of the thread until the guard goes, then the one before it again.
    pub fn make_current(&self) -> CurrentLoop {
        CurrentLoop {
            before: CURRENT.replace(Some(self.clone())),
            ready: Some(self.inner.ready.clone().make_current()),
        }
    }
}

/// A loop that is the current one of its thread, until this is dropped.
#[must_use = "the loop is the current one only while this lives: bind it to a name"]
pub struct CurrentLoop {
    before: Option<IoLoop>,
    ready: Option<Rc<Ready>>,
}

impl Drop for CurrentLoop {
    fn drop(&mut self) {
        // If this was the last handle, what the loop still holds goes while its queue is the current one.
        drop(CURRENT.replace(self.before.take()));
        drop(self.ready.take().map(Ready::make_current));
    }
}

impl fmt::Debug for CurrentLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentLoop").finish_non_exhaustive()
    }
}
