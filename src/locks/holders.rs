//! [`Holders`]: the coroutines that hold a lock, and the lines where they took it.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::forget;
use std::num::NonZeroU32;
use std::panic::Location;
use std::rc::Rc;

use slab::Slab;
use squall_runner::context::running;
use squall_runner::trace::{self, running_call, CallId};
use squall_runner::{Coroutine, Place};

/// A coroutine that requested a lock, and the line of the request. Each request that waits has one, so it takes only two
/// words in a program of Rust that is not observed.
#[derive(Clone)]
pub(crate) enum Holder {
    /// The coroutine, or `None` for a request from outside of coroutines, and the line of Rust.
    Here(Option<&'static Coroutine>, &'static Location<'static>),
    /// A coroutine whose call is observed, or whose line is one of an interpreted program.
    Known(Rc<Known>),
}

/// A holder of which more is known.
pub(crate) struct Known {
    coroutine: Option<&'static Coroutine>,
    /// The line of the request.
    since: Place,
    /// Its call, if it is observed.
    call: Option<CallId>,
}

impl Holder {
    /// Returns the running coroutine, at the line of the caller.
    #[track_caller]
    #[inline]
    pub(crate) fn here() -> Self {
        match running_call() {
            None => Self::Here(running(), Location::caller()),
            Some(_) => Self::at(Place::caller()),
        }
    }

    /// Returns the running coroutine, at the line `since`.
    pub(crate) fn at(since: Place) -> Self {
        Self::Known(Rc::new(Known { coroutine: running(), since, call: running_call() }))
    }

    /// Returns the line where it asked.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Here(_, since) => (*since).into(),
            Self::Known(known) => known.since,
        }
    }

    fn coroutine(&self) -> Option<&'static Coroutine> {
        match self {
            Self::Here(coroutine, _) => *coroutine,
            Self::Known(known) => known.coroutine,
        }
    }

    fn call(&self) -> Option<CallId> {
        match self {
            Self::Here(..) => None,
            Self::Known(known) => known.call,
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A line of squall, or of a dependency, means nothing to the user.
        let since = Some(self.place()).filter(|since| since.is_of_program());
        match (self.coroutine(), since) {
            (Some(coroutine), Some(since)) => write!(f, "by {} since {since}", coroutine.name()),
            (Some(coroutine), None) => write!(f, "by {}", coroutine.name()),
            (None, Some(since)) => write!(f, "since {since}"),
            (None, None) => write!(f, "by the program"),
        }
    }
}

/// The coroutines that hold a lock or semaphore, as far as they are recorded: the first one in place, since most locks
/// have no other, and a limited number of others.
#[derive(Default)]
pub(crate) struct Holders {
    first: Cell<Option<Held>>,
    others: RefCell<Slab<Held>>,
}

#[derive(Clone)]
struct Held {
    by: Holder,
    /// `true` if the permit ends by `release` rather than by a guard.
    by_hand: bool,
}

/// Identifies a recorded holder.
pub(crate) type Key = NonZeroU32;

const FIRST: Key = NonZeroU32::MIN;

/// How many other holders are recorded at most.
const OTHERS: usize = 15;

/// How many holders are shown at most.
const SHOWN: usize = 3;

impl Holders {
    /// Records a holder, if there is room.
    #[inline]
    pub(crate) fn add(&self, by: Holder, by_hand: bool) -> Option<Key> {
        let held = Held { by, by_hand };
        match self.first.take() {
            None => {
                // The cell is empty, which the compiler cannot know.
                forget(self.first.replace(Some(held)));
                Some(FIRST)
            }
            first => {
                self.first.set(first);
                self.add_other(held)
            }
        }
    }

    /// Returns the first holder. A `Cell` is read by taking and putting back.
    fn first(&self) -> Option<Held> {
        let first = self.first.take();
        self.first.set(first.clone());
        first
    }

    #[cold]
    fn add_other(&self, held: Held) -> Option<Key> {
        let mut others = self.others.borrow_mut();
        let key = (others.len() < OTHERS).then(|| others.insert(held))?;
        FIRST.checked_add(u32::try_from(key).ok()? + 1)
    }

    #[inline]
    pub(crate) fn remove(&self, key: Key) {
        match other(key) {
            None => self.first.set(None),
            Some(other) => drop(self.others.borrow_mut().try_remove(other)),
        }
    }

    /// Records that the guard of a holder was forgotten, so that its permit ends by `release`.
    pub(crate) fn forget_guard(&self, key: Key) {
        match other(key) {
            None => self.first.set(self.first.take().map(|held| Held { by_hand: true, ..held })),
            Some(other) => {
                if let Some(held) = self.others.borrow_mut().get_mut(other) {
                    held.by_hand = true;
                }
            }
        }
    }

    /// Removes a holder whose permit ends by `release`: the running coroutine if it is one, else the first.
    pub(crate) fn release(&self) {
        let now = running().map(std::ptr::from_ref);
        let by_hand = || self.all().into_iter().filter(|(_, held)| held.by_hand);
        let is_running = |held: &Held| now.is_some() && held.by.coroutine().map(std::ptr::from_ref) == now;
        let released = by_hand().find(|(_, held)| is_running(held)).or_else(|| by_hand().next());
        if let Some((key, _)) = released {
            self.remove(key);
        }
    }

    /// Returns the holders as a trace tells them.
    pub(crate) fn told(&self) -> Vec<trace::Holder> {
        let told = |(_, Held { by, .. }): (Key, Held)| trace::Holder {
            call: by.call(),
            name: by.coroutine().map(Coroutine::name),
            since: by.place(),
        };
        self.all().into_iter().map(told).collect()
    }

    fn all(&self) -> Vec<(Key, Held)> {
        let first = self.first().map(|held| (FIRST, held));
        let others = self.others.borrow();
        let key = |other: usize| FIRST.checked_add(u32::try_from(other).ok()? + 1);
        let others = others.iter().filter_map(|(other, held)| Some((key(other)?, held.clone())));
        first.into_iter().chain(others).collect()
    }
}

/// Returns the index among the other holders, or `None` for the first holder.
#[inline]
fn other(key: Key) -> Option<usize> {
    (key.get() as usize).checked_sub(2)
}

/// Prints `, held by b since x.rs:20:9`, or nothing if there is no holder.
impl fmt::Display for Holders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.all();
        for (n, (_, held)) in all.iter().take(SHOWN).enumerate() {
            write!(f, "{}{}", if n == 0 { ", held " } else { ", " }, held.by)?;
        }
        match all.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
