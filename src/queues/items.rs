//! The items of a queue, in the order in which they are taken.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

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
    Priority(Box<dyn Heap<T>>),
}

impl<T> Items<T> {
    pub(crate) fn fifo() -> Self {
        Self::Fifo(VecDeque::new(), BTreeMap::new())
    }

    pub(crate) fn lifo() -> Self {
        Self::Lifo(Vec::new(), BTreeMap::new())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Fifo(items, returned) => items.len() + returned.len(),
            Self::Lifo(items, returned) => items.len() + returned.len(),
            Self::Priority(items) => items.len(),
        }
    }

    /// Adds the youngest item.
    pub(crate) fn push(&mut self, item: Numbered<T>) {
        match self {
            Self::Fifo(items, _) => items.push_back(item),
            Self::Lifo(items, _) => items.push(item),
            Self::Priority(items) => items.push(item),
        }
    }

    /// Puts an item that was taken back to its place.
    pub(crate) fn put_back(&mut self, item: Numbered<T>) {
        match self {
            Self::Fifo(_, returned) | Self::Lifo(_, returned) => {
                returned.insert(item.number, item.item);
            }
            Self::Priority(items) => items.push(item),
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
            Self::Priority(items) => items.take(),
        }
    }

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
            Self::Priority(items) => items.pop(),
        }
    }
}

/// Items by size. Only what makes a heap has to know how to compare them, and not the queue around it.
pub(crate) trait Heap<T> {
    fn len(&self) -> usize;
    fn push(&mut self, item: Numbered<T>);
    fn pop(&mut self) -> Option<Numbered<T>>;
    fn take(&mut self) -> Vec<T>;
}

/// Smallest first, equal items by their numbers.
pub(crate) struct SmallestFirst<T>(BinaryHeap<Entry<T>>);

struct Entry<T>(Numbered<T>);

impl<T: Ord> SmallestFirst<T> {
    pub(crate) fn new() -> Self {
        Self(BinaryHeap::new())
    }
}

impl<T: Ord> Heap<T> for SmallestFirst<T> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn push(&mut self, item: Numbered<T>) {
        self.0.push(Entry(item));
    }

    fn pop(&mut self) -> Option<Numbered<T>> {
        self.0.pop().map(|Entry(item)| item)
    }

    fn take(&mut self) -> Vec<T> {
        self.0.drain().map(|Entry(item)| item.item).collect()
    }
}

/// The greatest entry, which the heap yields first, is the one with the smallest item.
impl<T: Ord> Ord for Entry<T> {
    fn cmp(&self, Self(other): &Self) -> Ordering {
        other.item.cmp(&self.0.item).then(other.number.cmp(&self.0.number))
    }
}

impl<T: Ord> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Ord> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T: Ord> Eq for Entry<T> {}
