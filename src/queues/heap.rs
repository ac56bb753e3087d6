//! [`Heap`]: the items of a priority queue, the smallest first.
//!
//! Comparing items is foreign code. So items are compared while nothing is borrowed, and a comparison that panics loses
//! no item: items only change places in here.

use std::cmp::Ordering;

use super::numbered::Numbered;

/// Items by size; equal items by their numbers.
pub(crate) struct Heap<T> {
    items: Vec<Numbered<T>>,
    /// How many items at the front are in heap order: none after a comparison that panicked. The others are sorted in
    /// before the next item is taken.
    sorted: usize,
    compare: fn(&T, &T) -> Ordering,
}

impl<T> Heap<T> {
    /// Calls `f` with each item, in arbitrary order.
    pub(crate) fn each(&self, f: &mut dyn FnMut(&T)) {
        self.items.iter().for_each(|item| f(&item.item));
    }

    pub(crate) fn new(compare: fn(&T, &T) -> Ordering) -> Self {
        Self { items: Vec::new(), sorted: 0, compare }
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds an item, without comparing it.
    pub(crate) fn append(&mut self, item: Numbered<T>) {
        self.items.push(item);
    }

    /// Takes the whole heap out, and leaves an empty one that compares in the same way.
    pub(crate) fn split(&mut self) -> Self {
        let empty = Self::new(self.compare);
        std::mem::replace(self, empty)
    }

    /// Adds all items of another heap, without comparing them.
    pub(crate) fn append_all(&mut self, mut other: Self) {
        self.items.append(&mut other.items);
    }

    /// Takes all items, in arbitrary order.
    pub(crate) fn take(&mut self) -> Vec<Numbered<T>> {
        self.sorted = 0;
        std::mem::take(&mut self.items)
    }

    /// Takes one item without comparing it: the smallest one, if the items are sorted.
    pub(crate) fn take_any(&mut self) -> Option<Numbered<T>> {
        self.sorted = 0;
        (!self.items.is_empty()).then(|| self.items.swap_remove(0))
    }

    /// Compares the items that were added with the others.
    pub(crate) fn sort(&mut self) {
        for place in std::mem::take(&mut self.sorted)..self.items.len() {
            self.sift_up(place);
        }
        self.sorted = self.items.len();
    }

    /// Takes the smallest item.
    pub(crate) fn pop(&mut self) -> Option<Numbered<T>> {
        self.sort();
        let last = self.items.len().checked_sub(1)?;
        // The item stays in the heap until all comparisons are done.
        self.items.swap(0, last);
        self.sorted = 0;
        self.sift_down(last);
        self.sorted = last;
        self.items.pop()
    }

    fn sift_up(&mut self, mut place: usize) {
        while let Some(parent) = place.checked_sub(1).map(|before| before / 2) {
            if !self.is_less(place, parent) {
                break;
            }
            self.items.swap(place, parent);
            place = parent;
        }
    }

    /// Moves the first item down to its place among the first `len` items.
    fn sift_down(&mut self, len: usize) {
        let mut place = 0;
        loop {
            let mut child = 2 * place + 1;
            if child + 1 < len && self.is_less(child + 1, child) {
                child += 1;
            }
            if child >= len || !self.is_less(child, place) {
                break;
            }
            self.items.swap(place, child);
            place = child;
        }
    }

    fn is_less(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.items[one], &self.items[other]);
        (self.compare)(&one.item, &other.item).then(one.number.cmp(&other.number)).is_lt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smallest_comes_first_and_equal_items_by_their_numbers() {
        let mut heap = Heap::new(|a: &u64, b: &u64| (a / 10).cmp(&(b / 10)));
        for number in 0..1000 {
            heap.append(Numbered { number, item: number * 7919 % 1000 });
            if number % 3 == 0 {
                heap.sort();
            }
        }
        let taken: Vec<_> = std::iter::from_fn(|| heap.pop()).map(|it| (it.item / 10, it.number)).collect();
        let mut sorted = taken.clone();
        sorted.sort_unstable();
        assert_eq!(taken.len(), 1000);
        assert_eq!(taken, sorted);
    }
}
