//! [`Play`]: all that is known of each step of a trace. The state comes from the library; nothing is folded here.

use std::cell::OnceCell;
use std::collections::HashMap;

use squall::trace::machine::Machine;
use squall::trace::state::State;
use squall::trace::{
    steps, Entry, Excerpt, FutureId, Lanes, Lang, Marks, Narrator, Raised, Recorded, Said, SourceText, Step,
    Timeline, Trace, Tracks,
};
use squall::Place;

use super::fact::{stands, Fact};

/// So many steps are told at once for a search.
const BLOCK: usize = 256;

/// A trace that is asked for one step after another.
#[derive(Debug)]
pub(crate) struct Play<'a> {
    pub(super) name: String,
    /// A sentence on what the program shows, in English and in Chinese.
    pub(super) about: [String; 2],
    pub(super) sources: Vec<Source<'a>>,
    pub(super) timeline: Timeline<'a>,
    pub(super) narrator: Narrator<'a>,
    pub(super) lanes: Lanes,
    pub(super) steps: Vec<Fact>,
    /// The kind of variables that the program reports.
    pub(super) variables: Variables,
    /// How many entries came after those that were kept.
    pub(super) dropped: usize,
    of: Vec<Step>,
    prints: Prints<'a>,
    /// The step at which each Future is done.
    settled: HashMap<FutureId, usize>,
    /// The sentences about each step, in lower case, for a search: in blocks of steps, each once it is asked for.
    told: [Vec<OnceCell<Vec<String>>>; 2],
}

/// A text of the program.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) first_line: usize,
    pub(super) lines: Vec<&'a str>,
}

/// The lines that were printed and logged.
#[derive(Debug, Default)]
struct Prints<'a> {
    lines: Vec<Print<'a>>,
    /// How many lines there are up to each note and report.
    ends: Vec<usize>,
}

/// A line that was printed, or an exception that was logged.
#[derive(Debug, Clone, Copy)]
pub(super) enum Print<'a> {
    Line(&'a str),
    Logged(&'a Raised),
}

/// The kind of variables that the program reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variables {
    None,
    /// The arguments of calls, as programs in Rust do: their pane is there where there is room.
    Arguments,
    All,
}

/// The states before and after a step.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) before: State,
    pub(super) after: State,
}

impl<'a> Play<'a> {
    /// Takes in a trace. `about` is in English and in Chinese.
    pub(crate) fn new<R>(trace: &'a Trace<R>, name: &str, about: [&str; 2]) -> Self {
        let entries = trace.entries();
        let sources: Vec<_> = trace.sources().iter().map(Source::of).collect();
        let files: HashMap<_, _> =
            sources.iter().enumerate().map(|(nth, source)| (source.file, nth)).collect();
        let (narrator, of) = (Narrator::new(entries), steps(entries));
        let mut tracks = Tracks::default();
        let mut settled = HashMap::new();
        let (mut before, mut after) = (State::default(), State::default());
        let mut facts: Vec<Fact> = Vec::with_capacity(of.len());
        for (nth, step) in of.iter().enumerate() {
            let own = &entries[step.entries.clone()];
            own.iter().for_each(|entry| after.apply(entry));
            let actor = narrator.actor(step, &before);
            let at = |place: Place| Some((*files.get(place.file())?, place.line() as usize));
            let mut fact = Fact::of(step, entries, actor, &after);
            fact.at = stands(step, entries, actor, &before, &after).and_then(at);
            fact.line = fact.at.or(facts.last().and_then(|last| last.line));
            facts.push(fact);
            for entry in own {
                if let Recorded::Resolve { future, .. } = entry.event {
                    settled.entry(future).or_insert(nth);
                }
            }
            tracks.step(nth, &after);
            if let Some(actor) = actor {
                tracks.acts(nth, actor);
            }
            before.clone_from(&after);
        }
        let lanes = tracks.finish(of.len(), &narrator);
        Self {
            name: printable(name),
            about: about.map(printable),
            sources,
            timeline: Timeline::new(entries),
            narrator,
            lanes,
            steps: facts,
            variables: variables(entries),
            dropped: trace.dropped(),
            told: [(); 2].map(|()| vec![OnceCell::new(); of.len().div_ceil(BLOCK)]),
            of,
            prints: Prints::of(entries),
            settled,
        }
    }

    /// Returns whether nothing has happened.
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Returns the place of the last step.
    pub(super) fn last(&self) -> usize {
        self.steps.len().saturating_sub(1)
    }

    /// Returns the states before and after a step.
    pub(super) fn moment(&self, k: usize) -> Moment {
        let Some(step) = self.of.get(k) else {
            return Moment { before: State::default(), after: State::default() };
        };
        let before = self.timeline.state(step.entries.start);
        let mut after = before.clone();
        while after.entries < step.entries.end && self.timeline.forward(&mut after) {}
        Moment { before, after }
    }

    /// Returns the sentences about a step.
    pub(super) fn says(&self, k: usize, moment: &Moment, lang: Lang) -> Said {
        self.narrator.tell(&self.of[k], &moment.before, &moment.after, lang)
    }

    /// Returns the sentences about a step, in lower case.
    pub(super) fn told(&self, k: usize, lang: Lang) -> &str {
        let block = k / BLOCK;
        let told = self.told[usize::from(lang == Lang::Zh)][block].get_or_init(|| {
            let of = &self.of[block * BLOCK..];
            let mut moment = self.moment(block * BLOCK);
            moment.after.clone_from(&moment.before);
            let tell = |(nth, step): (usize, &Step)| {
                moment.before.clone_from(&moment.after);
                while moment.after.entries < step.entries.end && self.timeline.forward(&mut moment.after) {}
                let said = self.says(block * BLOCK + nth, &moment, lang);
                let texts = [self.narrator.text(&said.what), self.narrator.text(&said.why), said.brief];
                texts.join("\n").to_lowercase()
            };
            of.iter().take(BLOCK).enumerate().map(tell).collect()
        });
        &told[k % BLOCK]
    }

    /// Returns the lines of the Runner that a step marks.
    pub(super) fn marks(&self, k: usize, moment: &Moment, excerpt: Excerpt) -> Marks {
        let own = &self.timeline.entries()[self.of[k].entries.clone()];
        let machine = own.iter().map(|entry| Machine::at(&moment.before, entry, &moment.after));
        excerpt.marks(&machine.collect::<Vec<_>>())
    }

    /// Returns the step at which a Future is done, if it ever is.
    pub(super) fn settles(&self, future: FutureId) -> Option<usize> {
        self.settled.get(&future).copied()
    }

    /// Returns the lines that were printed and logged by then, oldest first.
    pub(super) fn printed(&self, now: &State) -> &[Print<'a>] {
        let count = (now.notes + now.reports).checked_sub(1).and_then(|last| self.prints.ends.get(last));
        &self.prints.lines[..count.copied().unwrap_or(0)]
    }

    /// Returns the place of the source that has that file.
    pub(super) fn source(&self, file: &str) -> Option<usize> {
        self.sources.iter().position(|source| source.file == file)
    }

    /// Returns the name of what acts in a step, `None` for the loop.
    pub(super) fn actor(&self, k: usize) -> Option<String> {
        self.steps[k].actor.map(|call| self.narrator.call(call))
    }
}

impl<'a> Source<'a> {
    fn of(source: &'a SourceText) -> Self {
        let SourceText { file, first_line, text, .. } = source;
        Self { file, first_line: *first_line, lines: text.lines().collect() }
    }
}

impl<'a> Prints<'a> {
    fn of(entries: &'a [Entry]) -> Self {
        let mut prints = Self::default();
        for entry in entries {
            match &entry.event {
                Recorded::Note { text, .. } => prints.lines.extend(text.lines().map(Print::Line)),
                Recorded::Report { exception, .. } => prints.lines.push(Print::Logged(exception)),
                _ => continue,
            }
            prints.ends.push(prints.lines.len());
        }
        prints
    }
}

fn variables(entries: &[Entry]) -> Variables {
    let has = |is: fn(&Recorded) -> bool| entries.iter().any(|entry| is(&entry.event));
    let has_arguments = |event: &Recorded| match event {
        Recorded::Call { arguments, .. } => arguments.as_ref().is_some_and(|all| !all.is_empty()),
        _ => false,
    };
    match () {
        () if has(|event| matches!(event, Recorded::Variables { .. })) => Variables::All,
        () if has(has_arguments) => Variables::Arguments,
        () => Variables::None,
    }
}

/// Returns a text without what a terminal would obey, and with tabs as spaces.
pub(super) fn printable(text: &str) -> String {
    text.replace('\t', "    ").replace(char::is_control, " ")
}
