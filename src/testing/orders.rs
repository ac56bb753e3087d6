//! [`Orders`]: all orders, those that depart least from the usual one first.

use std::collections::VecDeque;

/// How to choose at each choice.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// The candidate of that number at each; after the last, and where it is 0, the one whose turn it is.
    Picks(Vec<u16>),
    /// At random, from that seed.
    Random(u64),
}

/// Enumerates orders by the number of preemptions: all with none, all with one, ... An order is the picks up to
/// its last departure from the usual order, so that each comes exactly once.
#[derive(Debug)]
pub(super) struct Orders {
    /// At most so many preemptions.
    preemptions: usize,
    /// The orders that ran, whose departures are still to be made. One more preemption than those before the mark.
    ran: VecDeque<Ran>,
    /// Where in the first of them to go on: the choice, and the candidate there.
    next: (usize, u16),
    begun: bool,
    /// Whether there were orders that were left out.
    left_out: bool,
}

/// An order that ran.
#[derive(Debug)]
struct Ran {
    picks: Box<[u16]>,
    /// How many candidates there were at each choice.
    widths: Box<[u16]>,
}

impl Orders {
    pub(super) fn new(preemptions: usize) -> Self {
        Self { preemptions, ran: VecDeque::new(), next: (0, 1), begun: false, left_out: false }
    }

    /// The next order to run. It must be told how that went, by [`ran`](Self::ran), before the next.
    pub(super) fn next(&mut self) -> Option<Vec<u16>> {
        if !self.begun {
            self.begun = true;
            return Some(Vec::new());
        }
        while let Some(first) = self.ran.front() {
            let (choice, candidate) = self.next;
            match first.widths.get(choice) {
                Some(width) if candidate < *width => {
                    self.next.1 += 1;
                    let mut picks = first.picks.to_vec();
                    picks.resize(choice, 0);
                    picks.push(candidate);
                    return Some(picks);
                }
                Some(_) => self.next = (choice + 1, 1),
                None => {
                    self.ran.pop_front();
                    self.next = (self.ran.front().map_or(0, |ran| ran.picks.len()), 1);
                }
            }
        }
        None
    }

    /// An order was run: at its choices there were so many candidates. `cut`: there were more choices than count.
    pub(super) fn ran(&mut self, picks: Vec<u16>, widths: Vec<u16>, cut: bool) {
        self.left_out |= cut;
        let departs = widths.len() > picks.len();
        if picks.iter().filter(|pick| **pick > 0).count() >= self.preemptions {
            self.left_out |= departs;
        } else if departs {
            if self.ran.is_empty() {
                self.next = (picks.len(), 1);
            }
            self.ran.push_back(Ran { picks: picks.into(), widths: widths.into() });
        }
    }

    /// That the choices of a run are those of the run that it departs from, as far as they are the same.
    #[track_caller]
    pub(super) fn check(&self, picks: &[u16], widths: &[u16]) {
        let Some(parent) = self.ran.front().filter(|_| !picks.is_empty()) else { return };
        let same = picks.len().min(parent.widths.len());
        assert!(
            widths.get(..same) == parent.widths.get(..same),
            "the test does not repeat itself: with the same choices before it, another number of coroutines was ready"
        );
    }

    /// Whether every order was given.
    pub(super) fn is_complete(&self) -> bool {
        self.begun && self.ran.is_empty() && !self.left_out
    }
}

/// Numbers that look random: `SplitMix64`, from Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All orders of a tree in which every path has the same widths.
    fn all(widths: &[u16], preemptions: usize) -> (Vec<Vec<u16>>, bool) {
        let mut orders = Orders::new(preemptions);
        let mut all = Vec::new();
        while let Some(order) = orders.next() {
            orders.check(&order, widths);
            orders.ran(order.clone(), widths.to_vec(), false);
            all.push(order);
        }
        (all, orders.is_complete())
    }

    #[test]
    fn each_order_comes_once_and_those_with_fewer_preemptions_come_first() {
        let (orders, complete) = all(&[2, 3, 2], usize::MAX);
        assert!(complete);
        assert_eq!(orders.len(), 2 * 3 * 2);
        let mut sorted = orders.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), orders.len());
        let preemptions = |order: &Vec<u16>| order.iter().filter(|pick| **pick > 0).count();
        assert!(orders.is_sorted_by_key(preemptions));
        assert_eq!(orders[0], Vec::<u16>::new());
    }

    #[test]
    fn orders_with_too_many_preemptions_are_left_out_and_that_is_said() {
        let (orders, complete) = all(&[2, 2, 2], 1);
        assert_eq!((orders.len(), complete), (4, false));
        let (orders, complete) = all(&[2, 2, 2], 3);
        assert_eq!((orders.len(), complete), (8, true));
        assert_eq!(all(&[], 0), (vec![vec![]], true));
    }

    #[test]
    #[should_panic(expected = "does not repeat itself")]
    fn other_choices_after_the_same_picks_are_noticed() {
        let mut orders = Orders::new(usize::MAX);
        let order = orders.next().unwrap();
        orders.ran(order, vec![2, 2], false);
        let (order, _) = (orders.next().unwrap(), orders.next());
        orders.check(&order, &[3, 2]);
    }
}
