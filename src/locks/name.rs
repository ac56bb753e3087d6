//! [`Name`]: how a lock or queue is called where it is shown.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use squall_runner::trace::{self, LockId};
use squall_runner::Place;

/// A name that the user set, or else a kind and a number such as `Lock#2`, assigned when the lock is first mentioned.
pub(crate) struct Name {
    kind: &'static str,
    given: RefCell<Option<Rc<str>>>,
    /// Its number in the trace; `None` until it is first mentioned.
    number: Cell<Option<LockId>>,
}

/// The description of a request for a trace.
pub(crate) struct Requested {
    pub(crate) lock: LockId,
    /// The name of the request.
    pub(crate) name: String,
    /// The line of the request, where that is known.
    pub(crate) place: Option<Place>,
}

impl Name {
    pub(crate) fn of(kind: &'static str) -> Self {
        Self { kind, given: RefCell::default(), number: Cell::new(None) }
    }

    /// Returns its number in the trace.
    pub(crate) fn number(&self) -> LockId {
        let number = self.number.get().unwrap_or_else(trace::next_lock);
        self.number.set(Some(number));
        number
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn give(&self, name: Rc<str>) {
        let before = self.given.replace(Some(name));
        drop(before);
    }

    /// Returns the name. The first call assigns a number if no name was set.
    pub(crate) fn get(&self) -> Rc<str> {
        let mut name = self.given.borrow_mut();
        name.get_or_insert_with(|| format!("{}#{}", self.kind, trace::next_number(self.kind)).into()).clone()
    }

    /// Returns what a trace tells of a request of it.
    pub(crate) fn requested(&self, what: &str) -> Requested {
        Requested { lock: self.number(), name: self.request(what), place: None }
    }

    /// Returns how a trace calls a request: `Lock#2.acquire`.
    pub(crate) fn request(&self, what: &str) -> String {
        format!("{}.{what}", self.get())
    }
}

/// Defines the methods `named` and `name`; `$path` leads to the [`Name`].
macro_rules! named {
    ($($path:ident).+) => {
        /// Sets the name that traces, `Deadlock` and `dump` show. Clones share the name.
        ///
        /// Without a name, they show the kind and a number in the order of first mention: `Lock#2`.
        #[must_use]
        pub fn named(self, name: impl Into<std::rc::Rc<str>>) -> Self {
            self.$($path).+.name.give(name.into());
            self
        }

        /// Returns the name that traces, `Deadlock` and `dump` show.
        pub fn name(&self) -> std::rc::Rc<str> {
            self.$($path).+.name.get()
        }
    };
}
pub(crate) use named;
