//! [`Side`]: what one of the two Runners did, step by step.

use squall::trace::machine::Machine;
use squall::trace::{steps, Entry, Excerpt, ExcerptLine, Lang, Narrator, Recorded, Step, Timeline};

/// A trace, ready to be told.
#[derive(Debug)]
pub(super) struct Side<'a> {
    timeline: Timeline<'a>,
    narrator: Narrator<'a>,
    pub(super) steps: Vec<Step>,
}

/// A step as it is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) turn: usize,
    pub(super) time: String,
    pub(super) what: String,
}

impl<'a> Side<'a> {
    pub(super) fn new(entries: &'a [Entry]) -> Self {
        let (timeline, narrator) = (Timeline::new(entries), Narrator::new(entries));
        Self { timeline, narrator, steps: steps(entries) }
    }

    pub(super) fn entries(&self) -> &'a [Entry] {
        self.timeline.entries()
    }

    /// Tells a step.
    pub(super) fn tell(&self, k: usize, lang: Lang) -> Told {
        let step = &self.steps[k];
        let [before, after] = [step.entries.start, step.entries.end].map(|place| self.timeline.state(place));
        let said = self.narrator.tell(step, &before, &after, lang);
        Told {
            turn: after.io_loop().map_or(0, |(_, io_loop)| io_loop.turn),
            time: self.narrator.time(after.time).replace('\u{a0}', " "),
            what: self.narrator.text(&said.what),
        }
    }

    /// Returns the line of the real Runner that a step lights, and the name of its file.
    pub(super) fn line(&self, k: usize) -> Option<(&'static ExcerptLine, &'static str)> {
        let mut state = self.timeline.state(self.steps[k].entries.start);
        let machine = |entry: &Entry| {
            let before = state.clone();
            state.apply(entry);
            Machine::at(&before, entry, &state)
        };
        let entries = &self.entries()[self.steps[k].entries.clone()];
        let machines: Vec<_> = entries.iter().map(machine).collect();
        let (lit, lines) = (Excerpt::Rust.marks(&machines).lit?, Excerpt::Rust.lines());
        let file = lines[..=lit].iter().rev().find_map(|line| line.file)?;
        Some((&lines[lit], file.rsplit('/').next().unwrap_or(file)))
    }

    /// Returns whether one of the first `steps` is an entry of that kind.
    pub(super) fn has(&self, steps: usize, is: impl Fn(&Recorded) -> bool) -> bool {
        let end = self.steps[..steps].last().map_or(0, |step| step.entries.end);
        self.entries()[..end].iter().any(|entry| is(&entry.event))
    }
}
