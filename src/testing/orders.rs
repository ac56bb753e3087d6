//! [`Orders`]: all orders, beginning with those that depart least from the usual one.

use std::collections::VecDeque;

/// How choices are made in a run.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// By these candidate numbers; candidate 0 and all choices after the last are those of the usual order.
    Picks(Vec<u16>),
    /// At random, from this seed.
    Random(u64),
}

/// The choices that were made in a run, and those that were possible.
#[derive(Debug, Clone, Default)]
pub(super) struct Picked {
    /// The candidate that was picked at each choice.
    pub(super) picks: Vec<u16>,
    /// How many candidates there were at each choice.
    pub(super) widths: Vec<u16>,
    /// The number of preemptions in the picks: uninterrupted rows of picks of one coroutine out of its turn.
    pub(super) preemptions: usize,
    /// The candidate, at the first choice after the given order, that would prolong its last preemption.
    pub(super) prolongs: Option<u16>,
    /// `true` if there were more choices than may be varied.
    pub(super) cut: bool,
}

/// Enumerates orders by their number of preemptions: all with none, all with one, and so on. An order is represented by
/// its picks up to the last departure from the usual order. So each comes exactly once, after the order without that
/// departure.
#[derive(Debug)]
pub(super) struct Orders {
    /// The largest number of preemptions of an order.
    preemptions: usize,
    /// Orders that ran and whose departures are still to be tried. Preemptions never decrease along the queue.
    ran: VecDeque<Ran>,
    /// Where to go on in the first of them: the choice, and the candidate there.
    next: (usize, u16),
    /// The last order with its last preemption prolonged, which adds no preemption; it comes next.
    prolonged: Option<Vec<u16>>,
    /// The widths of the order from which the current one departs.
    parent: Vec<u16>,
    begun: bool,
    /// `true` if orders were left out.
    left_out: bool,
}

/// An order that ran.
#[derive(Debug)]
struct Ran {
    picks: Box<[u16]>,
    /// How many candidates there were at each choice.
    widths: Box<[u16]>,
    /// The candidate, at the first choice after `picks`, that was tried already since it adds no preemption.
    prolongs: Option<u16>,
}

impl Orders {
    pub(super) fn new(preemptions: usize) -> Self {
        Self {
            preemptions,
            ran: VecDeque::new(),
            next: (0, 1),
            prolonged: None,
            parent: Vec::new(),
            begun: false,
            left_out: false,
        }
    }

    /// Returns the next order. Its result must be reported by [`ran`](Self::ran) before the next call.
    pub(super) fn next(&mut self) -> Option<Vec<u16>> {
        if !self.begun {
            self.begun = true;
            return Some(Vec::new());
        }
        if let Some(prolonged) = self.prolonged.take() {
            return Some(prolonged);
        }
        while let Some(first) = self.ran.front() {
            let (choice, candidate) = self.next;
            match first.widths.get(choice) {
                Some(width) if candidate < *width => {
                    self.next.1 += 1;
                    if choice == first.picks.len() && Some(candidate) == first.prolongs {
                        continue;
                    }
                    let mut picks = first.picks.to_vec();
                    picks.resize(choice, 0);
                    picks.push(candidate);
                    self.parent.clear();
                    self.parent.extend(&first.widths);
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

    /// Reports that an order was run, and the picks that were made.
    ///
    /// # Panics
    /// Panics if its choices differ from those of the order that it departs from, as far as both are equal.
    #[track_caller]
    pub(super) fn ran(&mut self, order: Vec<u16>, picked: Picked) {
        let Picked { widths, preemptions, prolongs, cut, .. } = picked;
        let same = order.len().min(self.parent.len());
        assert!(
            widths.get(..same) == self.parent.get(..same),
            "the test does not repeat itself: with the same choices before it, another number of coroutines was ready"
        );
        self.left_out |= cut;
        self.prolonged = prolongs.map(|candidate| [order.as_slice(), &[candidate]].concat());
        if self.prolonged.is_some() {
            self.parent.clone_from(&widths);
        }
        let departs = widths.len() > order.len();
        if preemptions >= self.preemptions {
            let rest = widths.get(order.len()).copied().unwrap_or(0);
            let others = 1 + u16::from(prolongs.is_some());
            self.left_out |= rest > others || widths.len() > order.len() + 1;
        } else if departs {
            if self.ran.is_empty() {
                self.next = (order.len(), 1);
            }
            self.ran.push_back(Ran { picks: order.into(), widths: widths.into(), prolongs });
        }
    }

    /// Returns whether every order was enumerated.
    pub(super) fn is_complete(&self) -> bool {
        self.begun && self.ran.is_empty() && self.prolonged.is_none() && !self.left_out
    }
}

/// A pseudorandom generator: `SplitMix64`, from Steele, Lea and Flood, "Fast splittable pseudorandom number
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

    /// Returns a number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns all orders of coroutines that make the given numbers of steps, in turn, each with its number of
    /// preemptions.
    fn all(steps: &[usize], preemptions: usize) -> (Vec<(Vec<u16>, usize)>, bool) {
        let mut orders = Orders::new(preemptions);
        let mut all = Vec::new();
        while let Some(order) = orders.next() {
            let picked = run(steps, &order);
            all.push((order.clone(), picked.preemptions));
            orders.ran(order, picked);
        }
        (all, orders.is_complete())
    }

    /// Picks from a queue in which each coroutine goes to the end after a step.
    fn run(steps: &[usize], order: &[u16]) -> Picked {
        let mut queue: VecDeque<(usize, usize)> = steps.iter().copied().enumerate().collect();
        let mut picked = Picked::default();
        let mut row = None;
        while queue.len() > 1 {
            if picked.picks.len() == order.len() {
                let place = row.and_then(|row| queue.iter().position(|(coroutine, _)| *coroutine == row));
                picked.prolongs = place.filter(|place| *place > 0).map(|place| u16::try_from(place).unwrap());
            }
            let pick = order.get(picked.picks.len()).copied().unwrap_or(0);
            picked.widths.push(u16::try_from(queue.len()).unwrap());
            picked.picks.push(pick);
            let (coroutine, left) = queue.remove(usize::from(pick)).unwrap();
            if pick == 0 {
                row = None;
            } else if row != Some(coroutine) {
                picked.preemptions += 1;
                row = Some(coroutine);
            }
            if left > 1 {
                queue.push_back((coroutine, left - 1));
            }
        }
        picked
    }

    #[test]
    fn each_order_comes_once_and_those_with_fewer_preemptions_come_first() {
        let (orders, complete) = all(&[2, 2, 2], usize::MAX);
        assert!(complete);
        assert_eq!(orders.len(), 90, "6! / (2! 2! 2!)");
        let mut sorted: Vec<_> = orders.iter().map(|(order, _)| order).collect();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), orders.len());
        assert!(orders.is_sorted_by_key(|(_, preemptions)| *preemptions));
        assert_eq!(orders[0], (Vec::<u16>::new(), 0));
    }

    #[test]
    fn one_coroutine_that_is_picked_out_of_turn_again_and_again_is_one_preemption() {
        let (orders, _) = all(&[4, 4, 4, 4], 1);
        let of = |order: &[u16]| orders.iter().find(|(other, _)| other == order).map(|(_, n)| *n);
        assert_eq!(of(&[3, 3, 3, 3]), Some(1), "the last one, whole");
        assert_eq!(of(&[0, 0, 2, 2]), None, "two, one after the other");
        assert_eq!(orders.len(), 97);
    }

    #[test]
    fn orders_with_too_many_preemptions_are_left_out_and_that_is_said() {
        let counts = |preemptions| {
            let (orders, complete) = all(&[4, 4], preemptions);
            (orders.len(), complete)
        };
        assert_eq!([0, 1, 2, 3].map(counts), [(1, false), (17, false), (53, false), (69, false)]);
        assert_eq!([4, 5].map(counts), [(70, true), (70, true)]);
        assert_eq!(all(&[3], 0), (vec![(vec![], 0)], true));
        let (orders, complete) = all(&[1, 1], 1);
        assert_eq!((orders.len(), complete), (2, true), "nothing is left out where nothing else is ready");
    }

    #[test]
    #[should_panic(expected = "does not repeat itself")]
    fn other_choices_after_the_same_picks_are_noticed() {
        let mut orders = Orders::new(usize::MAX);
        let order = orders.next().unwrap();
        orders.ran(order, Picked { widths: vec![2, 2], ..Picked::default() });
        let (order, _) = (orders.next().unwrap(), orders.next());
        orders.ran(order, Picked { widths: vec![3, 2], ..Picked::default() });
    }
}
