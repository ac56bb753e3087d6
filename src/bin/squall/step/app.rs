//! [`App`]: where the reader is, and how the screen is set. Everything on the screen follows from that and the trace.

use std::collections::BTreeSet;

use squall::trace::state::State;
use squall::trace::{Ask, FutureId, Lang};

use super::asks::Asks;
use super::fact::Mark;
use super::look::Theme;
use super::play::{Moment, Play};
use super::screen::Pane;
use super::words::{word, Text};

/// The input that the last line asks the reader for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prompt {
    pub(super) kind: PromptKind,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PromptKind {
    /// A text that a sentence contains.
    Search,
    /// A line, a coroutine, a time or a turn to go on to.
    Until,
}

/// The stepper.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own key.
pub(crate) struct App<'a> {
    pub(super) play: &'a Play<'a>,
    /// The step after which the state is shown.
    pub(super) k: usize,
    /// How everything stands around it.
    pub(super) now: Moment,
    pub(super) lang: Lang,
    pub(super) theme: Theme,
    /// The Runner in Python.
    pub(super) python: bool,
    /// The timeline is shown at its size of the screen: over the lower panes if it is small.
    pub(super) timeline: bool,
    pub(super) pane: Pane,
    pub(super) zoomed: bool,
    pub(super) help: bool,
    pub(super) prompt: Option<Prompt>,
    /// The text that was searched for last.
    pub(super) searched: String,
    /// Files and lines.
    pub(super) lines: BTreeSet<(usize, usize)>,
    /// Names of coroutines.
    pub(super) coroutines: BTreeSet<String>,
    /// The line of the program on which the cursor is, if the reader has moved it: the file, and the number.
    pub(super) cursor: Option<(usize, usize)>,
    /// The Future on which the cursor is, among those that are shown.
    pub(super) chosen: usize,
    /// How far the pane that has the focus was scrolled from where it would stand by itself.
    pub(super) scrolled: isize,
    pub(super) asks: Asks,
    pub(super) message: Option<String>,
    pub(super) done: bool,
}

impl<'a> App<'a> {
    pub(crate) fn new(play: &'a Play<'a>, lang: Lang, theme: Theme) -> Self {
        Self {
            play,
            k: 0,
            now: play.moment(0),
            lang,
            theme,
            python: false,
            timeline: false,
            pane: Pane::Program,
            zoomed: false,
            help: false,
            prompt: None,
            searched: String::new(),
            lines: BTreeSet::new(),
            coroutines: BTreeSet::new(),
            cursor: None,
            chosen: 0,
            scrolled: 0,
            asks: Asks::default(),
            message: None,
            done: false,
        }
    }

    /// Adds questions, each before a step.
    pub(crate) fn ask(mut self, asks: Vec<Ask>) -> Self {
        self.asks = Asks::new(asks);
        self
    }

    pub(super) fn word(&self, name: &str) -> &'static str {
        self.lang.word(name).unwrap_or_else(|| panic!("no word `{name}`"))
    }

    pub(super) fn text(&self, text: Text) -> &'static str {
        word(text, self.lang)
    }

    /// Goes to a step.
    pub(super) fn to(&mut self, k: usize) {
        self.k = k.min(self.play.last());
        self.now = self.play.moment(self.k);
        (self.cursor, self.scrolled) = (None, 0);
        self.asks.leave();
    }

    /// Goes to a step, or says that there is none.
    pub(super) fn go_to(&mut self, found: Option<usize>, what: &str) {
        match found {
            Some(k) if k > self.k => self.forward(k),
            Some(k) => self.to(k),
            None => self.message = Some(format!("{}: {what}", self.text(Text::NotFound))),
        }
    }

    /// Returns the next step with which a turn begins; the last step if there is none.
    pub(super) fn next_turn(&self) -> usize {
        let turn = self.play.steps[self.k].turn;
        (self.k + 1..self.play.steps.len())
            .find(|k| self.play.steps[*k].turn > turn)
            .unwrap_or(self.play.last())
    }

    /// Returns the first step of this turn; that of the one before where it is this one.
    pub(super) fn turn_before(&self) -> usize {
        let Some(before) = self.k.checked_sub(1) else { return 0 };
        let turn = self.play.steps[before].turn;
        (0..=before).rev().take_while(|k| self.play.steps[*k].turn == turn).last().unwrap_or(0)
    }

    /// Returns the next step at which a coroutine is resumed, or started; the last step if there is none.
    pub(super) fn next_resume(&self) -> usize {
        (self.k + 1..self.play.steps.len()).find(|k| self.is_resume(*k)).unwrap_or(self.play.last())
    }

    /// Returns the step before this one at which a coroutine is resumed, or started.
    pub(super) fn resume_before(&self) -> usize {
        (0..self.k).rev().find(|k| self.is_resume(*k)).unwrap_or(0)
    }

    fn is_resume(&self, k: usize) -> bool {
        matches!(self.play.steps[k].mark, Mark::Resume | Mark::Throw)
    }

    /// Returns the line that the program pane shows: that of the step, or of the last one before it that has a line.
    pub(super) fn line(&self) -> Option<(usize, usize)> {
        self.play.steps.get(self.k)?.line
    }

    /// Returns whether a step comes to a breakpoint.
    pub(super) fn stops_at(&self, k: usize) -> bool {
        let is_new = |same: bool| k == 0 || !same;
        let [now, before] =
            [k, k.saturating_sub(1)].map(|k| (self.play.steps[k].at, self.play.steps[k].actor));
        let by_line = now.0.is_some_and(|line| self.lines.contains(&line)) && is_new(now == before);
        let by_name = || {
            let actor = self.play.actor(k);
            actor.is_some_and(|name| self.coroutines.contains(coroutine(&name))) && is_new(now.1 == before.1)
        };
        by_line || by_name()
    }

    /// Returns the next step that contains a text, after this one or before it; round the ends of the trace if there is
    /// none.
    pub(super) fn search(&self, text: &str, back: bool) -> Option<usize> {
        let wanted = text.to_lowercase();
        let count = self.play.steps.len();
        let nth = |more: usize| (self.k + if back { count - more } else { more }) % count;
        (1..=count).map(nth).find(|k| self.play.told(*k, self.lang).contains(&wanted))
    }

    /// Returns the next step that reaches a line (`26`), a turn (`t7`), a time (`200ms`) or a coroutine (`get`).
    pub(super) fn until(&self, what: &str) -> Option<usize> {
        let mut later = self.k + 1..self.play.steps.len();
        if let Ok(line) = what.parse::<usize>() {
            let file = self.line().map_or(0, |(file, _)| file);
            return later.find(|k| self.play.steps[*k].at == Some((file, line)));
        }
        if let Some(turn) = what.strip_prefix('t').and_then(|turn| turn.parse::<usize>().ok()) {
            return later.find(|k| self.play.steps[*k].turn >= turn);
        }
        if let Ok(time) = crate::cut::time(what) {
            return later.find(|k| self.play.steps[*k].time >= time);
        }
        later.find(|k| self.play.actor(*k).is_some_and(|name| name == what || coroutine(&name) == what))
    }
}

/// Returns the Futures that are shown, in the order of their numbers.
pub(super) fn futures_of(state: &State) -> Vec<FutureId> {
    state.futures.keys().copied().collect()
}

/// Returns the name of the coroutine of a call that is called `fetch#2`.
pub(super) fn coroutine(call: &str) -> &str {
    call.rsplit_once('#').map_or(call, |(name, _)| name)
}
