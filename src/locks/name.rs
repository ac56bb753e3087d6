//! [`Name`]: what a lock or queue is called where it is shown.

use std::cell::RefCell;
use std::rc::Rc;

use squall_runner::trace;

/// A name that was given; else kind and number, as in `Lock#2`, from the moment at which it is first mentioned.
pub(crate) struct Name {
    kind: &'static str,
    name: RefCell<Option<Rc<str>>>,
}

impl Name {
    pub(crate) fn of(kind: &'static str) -> Self {
        Self { kind, name: RefCell::default() }
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn give(&self, name: Rc<str>) {
        let before = self.name.replace(Some(name));
        drop(before);
    }

    /// Returns the name. This mentions it.
    pub(crate) fn get(&self) -> Rc<str> {
        let mut name = self.name.borrow_mut();
        name.get_or_insert_with(|| format!("{}#{}", self.kind, trace::next_number(self.kind)).into()).clone()
    }

    /// Returns what a trace calls something that is requested: `Lock#2.acquire`.
    pub(crate) fn request(&self, what: &str) -> String {
        format!("{}.{what}", self.get())
    }
}

/// The methods of what has a name; `$path` leads to it.
macro_rules! named {
    ($($path:ident).+) => {
        /// Sets the name by which traces, `Deadlock` and `dump` call it. Clones share the name.
        ///
        /// Without one, it is called by its kind and a number, in the order in which they are first mentioned: `Lock#2`.
        #[must_use]
        pub fn named(self, name: impl Into<std::rc::Rc<str>>) -> Self {
            self.$($path).+.name.give(name.into());
            self
        }

        /// Returns the name by which traces, `Deadlock` and `dump` call it.
        pub fn name(&self) -> std::rc::Rc<str> {
            self.$($path).+.name.get()
        }
    };
}
pub(crate) use named;
