//! [`Numbered`]: an item of a queue with its number.

/// An item with its number: how many items were put, with this one. An item that comes back untaken returns to its
/// former place by this number.
pub(crate) struct Numbered<T> {
    pub(crate) number: u64,
    pub(crate) item: T,
}
