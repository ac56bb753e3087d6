//! [`State`]: how far a Future is; and all else that is known of it without the type of its result.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::mem::ManuallyDrop;

use crate::numbers::{next_future, FutureId};

/// The state of a Future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not there yet.
    Pending,
    /// Has its result.
    Done,
    /// Has an exception.
    Failed,
    /// Was cancelled.
    Cancelled,
}

/// What is known of a Future without the type of its result.
#[derive(Debug)]
pub struct Header {
    state: Cell<State>,
    asked: Cell<Asked>,
    /// How many Promises there are, as far as the bits below [`MORE`] can count. That bit is set while there are more,
    /// which are in `MORE_PROMISES`.
    promises: Cell<u16>,
    /// Its number in the trace; `None` until it is first mentioned.
    number: Cell<Option<FutureId>>,
}

/// The bit of `Header::promises` that is no part of the number, and how many Promises the bits below cannot count.
const MORE: u16 = 1 << 15;

thread_local! {
    /// How many times [`MORE`] Promises there are of a Future, beside those that its own count has. Without a
    /// destructor: it is empty when no Future has that many.
    static MORE_PROMISES: MorePromises = const { ManuallyDrop::new(RefCell::new(BTreeMap::new())) };
}

type MorePromises = ManuallyDrop<RefCell<BTreeMap<*const Header, usize>>>;

/// What is known of the result beside its state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Asked {
    /// Nobody has asked for the exception, and nobody has copied the value.
    No,
    Yes,
    /// It is the result of [`moment`](crate::moment), which does not matter to anybody.
    Moment,
}

impl Header {
    pub(crate) const fn new(state: State, asked: Asked) -> Self {
        let (state, asked) = (Cell::new(state), Cell::new(asked));
        Self { state, asked, promises: Cell::new(0), number: Cell::new(None) }
    }

    #[inline]
    pub(crate) fn set_state(&self, state: State) {
        self.state.set(state);
    }

    #[inline]
    pub(crate) fn asked(&self) -> Asked {
        self.asked.get()
    }

    /// Gives the Future the number that it was mentioned by before it was made.
    pub(crate) fn set_id(&self, id: FutureId) {
        self.number.set(Some(id));
    }

    /// The state.
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Whether the result or the exception is there, or it was cancelled.
    pub fn done(&self) -> bool {
        self.state() != State::Pending
    }

    /// Whether it is [`moment`](crate::moment), which costs one turn of the loop although it is done.
    pub fn is_moment(&self) -> bool {
        self.asked.get() == Asked::Moment
    }

    /// Nobody will ask for the exception, and that is as it should be.
    pub(crate) fn set_retrieved(&self) {
        if !self.is_moment() {
            self.asked.set(Asked::Yes);
        }
    }

    #[inline]
    pub(crate) fn add_promise(&self) {
        let promises = self.promises.get();
        self.promises.set(if promises | MORE == u16::MAX { self.carry() } else { promises + 1 });
    }

    /// Counts one less, and returns whether that was the last.
    #[inline]
    pub(crate) fn remove_promise(&self) -> bool {
        let promises = self.promises.get();
        self.promises.set(if promises == MORE { self.borrow() } else { promises - 1 });
        promises == 1
    }

    /// Moves a full count to `MORE_PROMISES`, and returns the count that follows.
    #[cold]
    fn carry(&self) -> u16 {
        MORE_PROMISES.with(|more| *more.borrow_mut().entry(std::ptr::from_ref(self)).or_default() += 1);
        MORE
    }

    /// Takes a full count back, and returns the count that comes before.
    #[cold]
    fn borrow(&self) -> u16 {
        MORE_PROMISES.with(|more| {
            let (mut more, this) = (more.borrow_mut(), std::ptr::from_ref(self));
            let left = more.get(&this).map_or(0, |full| full - 1);
            if left == 0 {
                more.remove(&this);
                return MORE - 1;
            }
            more.insert(this, left);
            u16::MAX
        })
    }

    /// Its number in the trace.
    pub fn id(&self) -> FutureId {
        let id = self.number.get().unwrap_or_else(next_future);
        self.number.set(Some(id));
        id
    }
}
