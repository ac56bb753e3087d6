//! [`State`]: the state of a Future; and [`Header`], the part of a Future that does not depend on the type of its result.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::num::NonZeroU32;

use crate::numbers::{next_future, FutureId};

/// The state of a Future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum State {
    /// No result yet.
    Pending,
    /// Done with a result.
    Done,
    /// Done with an exception.
    Failed,
    /// Cancelled.
    Cancelled,
}

/// The part of a Future that does not depend on the type of its result.
#[derive(Debug)]
pub struct Header {
    state: Cell<State>,
    asked: Cell<Asked>,
    /// How many promises there are, counted in the bits below [`MORE`]. That bit is set while there are more promises,
    /// which `MORE_PROMISES` counts.
    promises: Cell<u16>,
    /// The number in the trace; `None` until the Future is first mentioned. [`INTERNAL`] is not a number.
    number: Cell<Option<FutureId>>,
}

/// Takes the place of the number of a Future of squall's internal work, until the program mentions that Future.
const INTERNAL: FutureId = FutureId(NonZeroU32::MAX);

/// The bit of `Header::number` that marks an alias, and is not a part of the number: another Future has the same number,
/// and is reported instead of this one.
const ALIAS: u32 = 1 << 31;

/// The bit of `Header::promises` that is not part of the count; also how many promises the bits below cannot count.
const MORE: u16 = 1 << 15;

thread_local! {
    /// How many times [`MORE`] further promises each Future has. It has no destructor: it is empty when no Future has
    /// that many.
    static MORE_PROMISES: MorePromises = const { ManuallyDrop::new(RefCell::new(BTreeMap::new())) };
}

type MorePromises = ManuallyDrop<RefCell<BTreeMap<*const Header, usize>>>;

/// Records how the result was used, besides its state.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Asked {
    /// The exception was not retrieved, and the value was not cloned.
    No,
    Yes,
    /// The result of [`moment`](crate::moment), which has no meaning.
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

    /// Sets the number of a Future that was mentioned before it was created.
    pub(crate) fn set_id(&self, id: FutureId) {
        self.number.set(Some(id));
    }

    /// Marks a Future of squall's internal work.
    pub(crate) fn set_internal(&self) {
        self.number.set(Some(INTERNAL));
    }

    /// Returns whether it is a Future of squall's internal work that the program has not mentioned.
    pub(crate) fn is_internal(&self) -> bool {
        self.number.get() == Some(INTERNAL)
    }

    /// Returns whether the observer knows the Future by its number.
    pub(crate) fn is_mentioned(&self) -> bool {
        self.number.get().is_some_and(|number| number != INTERNAL)
    }

    /// Returns the state.
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Returns whether the Future has a result or an exception, or was cancelled.
    pub fn done(&self) -> bool {
        self.state() != State::Pending
    }

    /// Returns whether it is [`moment`](crate::moment), which takes one turn of the loop although it is done.
    pub fn is_moment(&self) -> bool {
        self.asked.get() == Asked::Moment
    }

    /// Marks the exception as retrieved, since nothing needs to retrieve it.
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

    /// Counts one promise less, and returns whether it was the last.
    #[inline]
    pub(crate) fn remove_promise(&self) -> bool {
        let promises = self.promises.get();
        self.promises.set(if promises == MORE { self.borrow() } else { promises - 1 });
        promises == 1
    }

    /// Returns how many promises there are, or `None` if there are more than 32,767.
    pub(crate) fn promises(&self) -> Option<usize> {
        let promises = self.promises.get();
        (promises < MORE).then_some(promises.into())
    }

    /// Moves a full count to `MORE_PROMISES`, and returns the next count.
    #[cold]
    fn carry(&self) -> u16 {
        MORE_PROMISES.with(|more| *more.borrow_mut().entry(std::ptr::from_ref(self)).or_default() += 1);
        MORE
    }

    /// Moves a full count back from `MORE_PROMISES`, and returns the count below it.
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

    /// Makes this an alias of another Future with the same number, which is reported from now on instead of this one.
    pub(crate) fn become_alias(&self) {
        let FutureId(number) = self.id();
        self.number.set(Some(FutureId(number | ALIAS)));
    }

    /// Returns its number in the trace, if it was mentioned there and is not an alias.
    pub(crate) fn mentioned(&self) -> Option<FutureId> {
        self.number.get().filter(|FutureId(number)| number.get() & ALIAS == 0)
    }

    /// Returns the number in the trace.
    pub fn id(&self) -> FutureId {
        let number = self.number.get().filter(|number| *number != INTERNAL);
        let FutureId(id) = number.unwrap_or_else(next_future);
        self.number.set(Some(FutureId(id)));
        FutureId(NonZeroU32::new(id.get() & !ALIAS).unwrap_or(id))
    }
}
