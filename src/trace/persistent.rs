//! [`PersistentMap`]: a map by numbers, whose clones share what they have in common.

use std::collections::{btree_map, BTreeMap};
use std::fmt;
use std::num::NonZeroU32;
use std::ops::Index;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use squall_runner::trace::{CallId, FutureId, LockId};

use super::fields::TimerId;

/// The number of consecutive keys in one part of the map, and of parts in one group.
const PART: u64 = 32;

/// A number that is a key.
pub trait Key: Copy + Ord {
    /// Returns the number.
    fn number(self) -> u64;
}

macro_rules! keys {
    ($($id:ident),+) => {
        $(impl Key for $id {
            fn number(self) -> u64 {
                u64::from(NonZeroU32::get(self.0))
            }
        })+
    };
}
keys!(CallId, FutureId, LockId, TimerId);

impl Key for u64 {
    fn number(self) -> u64 {
        self
    }
}

/// A persistent map, as functional languages have them: a clone shares all values with its origin, and a change of
/// either copies only what is near the key. So the states before and after each step of a long trace can be kept side by
/// side, however many coroutines there are.
///
/// ```
/// use squall::trace::state::PersistentMap;
///
/// let mut before = PersistentMap::default();
/// before.insert(7_u64, "seven");
/// let mut after = before.clone();
/// after.insert(9, "nine");
/// assert_eq!((before.len(), after.len()), (1, 2));
/// assert_eq!(after.changed_since(&before).collect::<Vec<_>>(), [9]);
/// ```
#[derive(Clone)]
pub struct PersistentMap<K, V> {
    /// The groups that are not empty, by `number / PART / PART`.
    groups: BTreeMap<u64, Arc<Group<K, V>>>,
    /// The number of values in all parts.
    len: usize,
}

/// The parts that are not empty, by `number / PART`.
type Group<K, V> = BTreeMap<u64, Arc<Part<K, V>>>;
type Part<K, V> = BTreeMap<K, Arc<V>>;

impl<K, V> Default for PersistentMap<K, V> {
    fn default() -> Self {
        Self { groups: BTreeMap::new(), len: 0 }
    }
}

impl<K: Key, V> PersistentMap<K, V> {
    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        let (group, part) = places(*key);
        self.groups.get(&group)?.get(&part)?.get(key).map(|value| &**value)
    }

    /// Returns whether the key has a value.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Returns the keys and their values, in the order of the keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let parts = self.groups.values().flat_map(|group| group.values());
        parts.flat_map(|part| part.iter()).map(|(key, value)| (key, &**value))
    }

    /// Returns the keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// Returns the values, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Returns the smallest key with its value.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// Sets the value of a key, and returns whether the key is new.
    pub fn insert(&mut self, key: K, value: V) -> bool {
        let is_new = self.part(key).insert(key, Arc::new(value)).is_none();
        self.len += usize::from(is_new);
        is_new
    }

    /// Removes a key, and returns whether it had a value.
    pub fn remove(&mut self, key: &K) -> bool {
        let (group, at) = places(*key);
        if !self.contains_key(key) {
            return false;
        }
        if let Some(parts) = self.groups.get_mut(&group).map(Arc::make_mut) {
            if let Some(part) = parts.get_mut(&at).map(Arc::make_mut) {
                part.remove(key);
            }
            parts.retain(|other, part| *other != at || !part.is_empty());
            if parts.is_empty() {
                self.groups.remove(&group);
            }
        }
        self.len -= 1;
        true
    }

    /// Returns the part of a key, to change it.
    fn part(&mut self, key: K) -> &mut Part<K, V> {
        let (group, part) = places(key);
        let group = Arc::make_mut(self.groups.entry(group).or_default());
        Arc::make_mut(group.entry(part).or_default())
    }

    /// Removes all values.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns the keys whose value was set since `before`, an earlier state of this map, and those that are gone. Only
    /// compares what the two do not share.
    pub fn changed_since(&self, before: &Self) -> impl Iterator<Item = K> {
        let (no_parts, no_values) = (Group::new(), Part::new());
        let mut changed = Vec::new();
        for [was, is] in differing(&before.groups, &self.groups) {
            let [was, is] = [was, is].map(|group| group.map_or(&no_parts, |group| &**group));
            for [was, is] in differing(was, is) {
                let [was, is] = [was, is].map(|part| part.map_or(&no_values, |part| &**part));
                let pairs = union(was, is).filter(|(_, pair)| !is_shared(*pair));
                changed.extend(pairs.map(|(key, _)| *key));
            }
        }
        changed.into_iter()
    }
}

impl<K: Key, V: Clone> PersistentMap<K, V> {
    /// Returns the value of a key, to change it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if !self.contains_key(key) {
            return None;
        }
        self.part(*key).get_mut(key).map(Arc::make_mut)
    }

    /// Returns the value of a key, to change it; it is `default()` if the key has none.
    pub fn get_or_insert_with(&mut self, key: K, default: impl FnOnce() -> V) -> &mut V {
        self.len += usize::from(!self.contains_key(&key));
        let value = self.part(key).entry(key).or_insert_with(|| Arc::new(default()));
        Arc::make_mut(value)
    }
}

/// Returns the group and the part of a key.
fn places(key: impl Key) -> (u64, u64) {
    let part = key.number() / PART;
    (part / PART, part)
}

/// Returns whether two maps share a value.
fn is_shared<T>(pair: [Option<&Arc<T>>; 2]) -> bool {
    matches!(pair, [Some(was), Some(is)] if Arc::ptr_eq(was, is))
}

/// Returns the values of two maps by their keys, except those that the maps share.
fn differing<'a, K: Ord, T>(
    was: &'a BTreeMap<K, Arc<T>>,
    is: &'a BTreeMap<K, Arc<T>>,
) -> impl Iterator<Item = [Option<&'a Arc<T>>; 2]> {
    union(was, is).map(|(_, pair)| pair).filter(|pair| !is_shared(*pair))
}

/// Returns the keys of two maps in order, each with the value that it has in either.
fn union<'a, K: Ord, V>(
    one: &'a BTreeMap<K, V>,
    other: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, [Option<&'a V>; 2])> {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    std::iter::from_fn(move || {
        let key = match (one.peek(), other.peek()) {
            (Some((one, _)), Some((other, _))) => (*one).min(*other),
            (Some((key, _)), None) | (None, Some((key, _))) => *key,
            (None, None) => return None,
        };
        let take =
            |values: &mut Values<'a, K, V>| values.next_if(|(next, _)| *next == key).map(|(_, value)| value);
        Some((key, [take(&mut one), take(&mut other)]))
    })
}

type Values<'a, K, V> = std::iter::Peekable<btree_map::Iter<'a, K, V>>;

impl<K: Key, V> Index<&K> for PersistentMap<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("the key has a value")
    }
}

impl<K: Key, V: PartialEq> PartialEq for PersistentMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Key, V: Eq> Eq for PersistentMap<K, V> {}

impl<K: Key + fmt::Debug, V: fmt::Debug> fmt::Debug for PersistentMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Key + Serialize, V: Serialize> Serialize for PersistentMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next of numbers that look random.
    fn next(seed: &mut u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *seed >> 33
    }

    #[test]
    fn a_map_and_its_clones_are_what_maps_without_sharing_are() {
        let (mut map, mut plain) = (PersistentMap::<u64, String>::default(), BTreeMap::new());
        let (mut seed, mut before) = (1, (map.clone(), plain.clone()));
        for n in 0..4_000 {
            let key = next(&mut seed) % 200 * 23;
            match next(&mut seed) % 4 {
                0 => assert_eq!(map.remove(&key), plain.remove(&key).is_some()),
                1 => {
                    let new = || n.to_string();
                    *map.get_or_insert_with(key, new) += "!";
                    *plain.entry(key).or_insert_with(new) += "!";
                }
                2 => {
                    if let Some(value) = map.get_mut(&key) {
                        *value += "?";
                        *plain.get_mut(&key).unwrap() += "?";
                    }
                }
                _ => {
                    let is_new = plain.insert(key, n.to_string()).is_none();
                    assert_eq!(map.insert(key, n.to_string()), is_new);
                }
            }
            assert!(map.iter().eq(plain.iter()) && map.len() == plain.len());
            assert_eq!(map.get(&key), plain.get(&key));
            if n % 7 == 0 {
                let changed: Vec<_> = map.changed_since(&before.0).collect();
                let differs = (0..200 * 23).filter(|key| plain.get(key) != before.1.get(key));
                assert!(differs.clone().all(|key| changed.contains(&key)), "{changed:?}");
                assert!(changed.len() <= 7 && changed.is_sorted());
                before = (map.clone(), plain.clone());
            }
        }
    }

    #[test]
    fn a_change_copies_little() {
        let mut map = PersistentMap::default();
        for n in 0..10_000_u64 {
            map.insert(n, n);
        }
        let before = map.clone();
        *map.get_mut(&5_000).unwrap() = 1;
        let groups: Vec<_> =
            differing(&before.groups, &map.groups).map(|pair| pair.map(Option::unwrap)).collect();
        assert_eq!(groups.len(), 1);
        assert_eq!(differing(groups[0][0], groups[0][1]).count(), 1);
        assert_eq!((before[&5_000], map[&5_000]), (5_000, 1));
    }
}
