//! The items of a queue, in the order in which they are taken.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::ops::{Deref, DerefMut};

use super::heap::Heap;
use super::numbered::Numbered;

/// Items that came back, by number.
type Returned<T> = BTreeMap<u64, T>;

/// The items of a queue, in the order of its kind.
pub(crate) enum Items<T> {
    /// Oldest first. Items that came back were taken from the front, so they are older than the rest.
    Fifo(VecDeque<Numbered<T>>, Returned<T>),
    /// Youngest first, taken from the end.
    Lifo(Vec<Numbered<T>>, Returned<T>),
    /// Smallest first.
    Priority {
        heap: Heap<T>,
        /// `Some` while the heap is being compared further up the stack: how many items it has. `heap` then holds those
        /// that came in the meantime.
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

    /// Creates the items of a priority queue. `compare` is called while nothing is borrowed.
    pub(crate) fn priority(compare: fn(&T, &T) -> Ordering) -> Self {
        Self::Priority { heap: Heap::new(compare), lent: None }
    }

    /// Returns whether the first item is determined by comparing.
    pub(crate) fn are_compared(&self) -> bool {
        matches!(self, Self::Priority { .. })
    }

    /// Returns whether its items are being compared further up the stack, so that none can be taken now.
    pub(crate) fn is_lent(&self) -> bool {
        matches!(self, Self::Priority { lent: Some(_), .. })
    }

    /// Returns whether another item may be put in when one is taken now.
    pub(crate) fn has_room(&self, maxsize: usize) -> bool {
        self.len() <= maxsize && !self.is_lent()
    }

    /// Returns whether it holds no items, also none that are being compared.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Fifo(items, returned) => items.is_empty() && returned.is_empty(),
            _ => self.len() == 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Fifo(items, returned) => items.len() + returned.len(),
            Self::Lifo(items, returned) => items.len() + returned.len(),
            Self::Priority { heap, lent } => heap.len() + lent.unwrap_or(0),
        }
    }

    /// Adds the youngest item, and returns whether it still has to be compared with the others.
    pub(crate) fn push(&mut self, item: Numbered<T>) -> bool {
        match self {
            Self::Fifo(items, _) => items.push_back(item),
            Self::Lifo(items, _) => items.push(item),
            Self::Priority { heap, .. } => heap.append(item),
        }
        self.are_compared()
    }

    /// Returns an item that was taken to its former place.
    pub(crate) fn put_back(&mut self, item: Numbered<T>) {
        match self {
            Self::Fifo(_, returned) | Self::Lifo(_, returned) => {
                returned.insert(item.number, item.item);
            }
            Self::Priority { heap, .. } => heap.append(item),
        }
    }

    /// Calls `f` with each item, in arbitrary order; not with those that are being compared.
    pub(crate) fn each(&self, f: &mut dyn FnMut(&T)) {
        match self {
            Self::Fifo(items, returned) => {
                items.iter().for_each(|item| f(&item.item));
                returned.values().for_each(f);
            }
            Self::Lifo(items, returned) => {
                items.iter().for_each(|item| f(&item.item));
                returned.values().for_each(f);
            }
            Self::Priority { heap, .. } => heap.each(f),
        }
    }

    /// Takes all items, in arbitrary order.
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

    /// Takes the first item; for a priority queue, the one that is first without another comparison.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Numbered<T>> {
        match self {
            Self::Fifo(items, returned) if returned.is_empty() => items.pop_front(),
            _ => self.pop_other(),
        }
    }

    /// Takes the first item of another queue than one that is first in, first out, or one that came back.
    #[inline(never)]
    fn pop_other(&mut self) -> Option<Numbered<T>> {
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

/// A heap of items. Behind this trait only the heap needs `T: Ord`, not the queue.
pub(crate) struct Lent<'a, T> {
    items: &'a RefCell<Items<T>>,
    heap: Heap<T>,
}

impl<'a, T> Lent<'a, T> {
    /// Smallest first; equal items by their numbers.
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
