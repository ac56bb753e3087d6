//! The items of a queue, in the order in which they are to be given.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// Each kind of queue has its own order.
pub(crate) enum Items<T> {
    /// Oldest first.
    Fifo(VecDeque<T>),
    /// Youngest first: from the end.
    Lifo(Vec<T>),
    /// Smallest first.
    Priority(Box<dyn Heap<T>>),
}

impl<T> Items<T> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Fifo(items) => items.len(),
            Self::Lifo(items) => items.len(),
            Self::Priority(items) => items.len(),
        }
    }

    pub(crate) fn push(&mut self, item: T) {
        match self {
            Self::Fifo(items) => items.push_back(item),
            Self::Lifo(items) => items.push(item),
            Self::Priority(items) => items.push(item),
        }
    }

    /// Puts an item back that was taken.
    pub(crate) fn put_back(&mut self, item: T) {
        match self {
            Self::Fifo(items) => items.push_front(item),
            Self::Lifo(items) => items.push(item),
            Self::Priority(items) => items.put_back(item),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        match self {
            Self::Fifo(items) => items.pop_front(),
            Self::Lifo(items) => items.pop(),
            Self::Priority(items) => items.pop(),
        }
    }
}

/// Items by size: what has to know how to compare them. The queue around it does not.
pub(crate) trait Heap<T> {
    fn len(&self) -> usize;
    fn push(&mut self, item: T);
    fn put_back(&mut self, item: T);
    fn pop(&mut self) -> Option<T>;
}

/// Smallest first, equal ones in the order in which they were put.
pub(crate) struct SmallestFirst<T> {
    heap: BinaryHeap<Entry<T>>,
    /// The age of the next item that is put.
    next: i64,
    /// The age of the last one that was put back: below that of all others.
    back: i64,
}

struct Entry<T> {
    item: T,
    age: i64,
}

impl<T: Ord> SmallestFirst<T> {
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), next: 0, back: 0 }
    }
}

impl<T: Ord> Heap<T> for SmallestFirst<T> {
    fn len(&self) -> usize {
        self.heap.len()
    }

    fn push(&mut self, item: T) {
        self.heap.push(Entry { item, age: self.next });
        self.next += 1;
    }

    fn put_back(&mut self, item: T) {
        self.back -= 1;
        self.heap.push(Entry { item, age: self.back });
    }

    fn pop(&mut self) -> Option<T> {
        self.heap.pop().map(|entry| entry.item)
    }
}

/// The greatest entry, which the heap gives first, is the one with the smallest item.
impl<T: Ord> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.item.cmp(&self.item).then(other.age.cmp(&self.age))
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
