//! [`Asks`]: the questions of a program, and which of them is asked now.

use std::collections::BTreeSet;

use squall::trace::Ask;

/// The questions of a program.
#[derive(Debug, Default)]
pub(super) struct Asks {
    /// By the steps before which they are asked.
    pub(super) all: Vec<Ask>,
    /// The places of those that are not asked again.
    over: BTreeSet<usize>,
    /// The one that stands in place of the sentence, and what was answered.
    pub(super) asking: Option<(usize, Option<usize>)>,
}

impl Asks {
    pub(super) fn new(mut all: Vec<Ask>) -> Self {
        all.sort_by_key(Ask::before);
        Self { all, ..Self::default() }
    }

    /// Returns the question that is asked now, and what was answered.
    pub(super) fn asking(&self) -> Option<(&Ask, Option<usize>)> {
        self.asking.map(|(nth, given)| (&self.all[nth], given))
    }

    /// Leaves the question, to ask it again the next time.
    pub(super) fn leave(&mut self) {
        self.asking = None;
    }

    /// Does not ask it again.
    pub(super) fn pass(&mut self) {
        self.over.extend(self.asking.take().map(|(nth, _)| nth));
    }

    /// Asks what stands between a step and a later one, and returns the step before the question.
    pub(super) fn on_the_way(&mut self, from: usize, to: usize) -> Option<usize> {
        let is_due = |(nth, ask): &(usize, &Ask)| {
            !self.over.contains(nth) && (from + 1..=to).contains(&ask.before().max(1))
        };
        let (nth, ask) = self.all.iter().enumerate().find(is_due)?;
        let step = ask.before().max(1) - 1;
        self.asking = Some((nth, None));
        Some(step)
    }
}
