//! The items of a queue, in the order in which they are taken.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::ops::{Deref, DerefMut};

use super::heap::Heap;

/// An item with its number: how many items the queue had been given with this one. An item that comes back untaken
/// goes by its number to the place that it had.
pub(crate) struct Numbered<T> {
    pub(crate) number: u64,
    pub(crate) item: T,
}

/// Items that came back, by their numbers.
type Returned<T> = BTreeMap<u64, T>;

/// Each kind of queue has an order of its own.
pub(crate) enum Items<T> {
    /// Oldest first. What came back was taken from the front, and is older than the rest.
    Fifo(VecDeque<Numbered<T>>, Returned<T>),
    /// Youngest first, from the end.
    Lifo(Vec<Numbered<T>>, Returned<T>),
    /// Smallest first.
    Priority {
        heap: Heap<T>,
        /// How many items are in the heap that is being compared further up the stack, if one is: then this one has what
        /// came in the meantime.
        lent: Option<usize>,
    },
}

impl<T> Items<T> {
    pub(crate) fn fifo() -> Self {
        Self::Fifo(VecDeque::new(), BTreeMap::new())
    }

    pub(crate) fn lifo() -> Self {
        Self::Lifo(Vec::new(), BTreeMap::new())
    }

    /// `compare` is called while nothing is borrowed.
    pub(crate) fn priority(compare: fn(&T, &T) -> Ordering) -> Self {
        Self::Priority { heap: Heap::new(compare), lent: None }
    }

    /// Returns whether how the items compare says which is the first.
    pub(crate) fn are_compared(&self) -> bool {
        matches!(self, Self::Priority { .. })
    }

    /// Returns whether its items are being compared further up the stack. None can be taken until they are.
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self, Self::Priority { lent: Some(_), .. })
    }

    /// Returns whether another item may come in when one of them is taken now.
    pub(crate) fn has_room(&self, maxsize: usize) -> bool {
        self.len() <= maxsize && !self.is_lent()
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Fifo(items, returned) => items.len() + returned.len(),
            Self::Lifo(items, returned) => items.len() + returned.len(),
            Self::Priority { heap, lent } => heap.len() + lent.unwrap_or(0),
        }
    }

    /// Adds the youngest item, and returns whether it is still to be compared with the others.
    pub(crate) fn push(&mut self, item: Numbered<T>) -> bool {
        match self {
            Self::Fifo(items, _) => items.push_back(item),
            Self::Lifo(items, _) => items.push(item),
            Self::Priority { heap, .. } => heap.append(item),
        }
        self.are_compared()
    }

    /// Puts an item that was taken back to its place.
    pub(crate) fn put_back(&mut self, item: Numbered<T>) {
        match self {
            Self::Fifo(_, returned) | Self::Lifo(_, returned) => {
                returned.insert(item.number, item.item);
            }
            Self::Priority { heap, .. } => heap.append(item),
        }
    }

    /// Takes all items, in no order.
    pub(crate) fn take(&mut self) -> Vec<T> {
        match self {
            Self::Fifo(items, returned) => {
                let items = std::mem::take(items).into_iter().map(|item| item.item);
                items.chain(std::mem::take(returned).into_values()).collect()
            }
            Self::Lifo(items, returned) => {
                let items = std::mem::take(items).into_iter().map(|item| item.item);
                items.chain(std::mem::take(returned).into_values()).collect()
            }
            Self::Priority { heap, .. } => heap.take().into_iter().map(|item| item.item).collect(),
        }
    }

    /// Takes the first item; of a priority queue, that which is first without another comparison.
    pub(crate) fn pop(&mut self) -> Option<Numbered<T>> {
        match self {
            Self::Fifo(items, returned) if returned.is_empty() => items.pop_front(),
            Self::Fifo(_, returned) => returned.pop_first().map(|(number, item)| Numbered { number, item }),
            Self::Lifo(items, returned) if returned.is_empty() => items.pop(),
            Self::Lifo(items, returned) => {
                let youngest = items.last().map(|item| item.number);
                match returned.last_entry().filter(|entry| Some(*entry.key()) > youngest) {
                    Some(entry) => Some(entry.remove_entry()).map(|(number, item)| Numbered { number, item }),
                    None => items.pop(),
                }
            }
            Self::Priority { heap, .. } => heap.take_any(),
        }
    }
}

/// The heap of a priority queue, lent out: nothing is borrowed while this lives. It goes back when this is dropped, with
/// what came in the meantime.
pub(crate) struct Lent<'a, T> {
    items: &'a RefCell<Items<T>>,
    heap: Heap<T>,
}

impl<'a, T> Lent<'a, T> {
    /// Takes the heap out, if the items are in one that is not lent out already.
    pub(crate) fn of(items: &'a RefCell<Items<T>>) -> Option<Self> {
        match &mut *items.borrow_mut() {
            Items::Priority { heap, lent: lent @ None } => {
                *lent = Some(heap.len());
                let heap = heap.split();
                Some(Self { items, heap })
            }
            _ => None,
        }
    }
}

impl<T> Deref for Lent<'_, T> {
    type Target = Heap<T>;

    fn deref(&self) -> &Heap<T> {
        &self.heap
    }
}

impl<T> DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut Heap<T> {
        &mut self.heap
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        if let Items::Priority { heap, lent } = &mut *self.items.borrow_mut() {
            *lent = None;
            let came = std::mem::replace(heap, self.heap.split());
            heap.append_all(came);
        }
    }
}
