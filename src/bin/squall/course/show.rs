//! The parts of a lesson that the course shows: its text, its two programs, its steps, its questions.

use std::time::Duration;

use squall::trace::state::State;
use squall::trace::{Ask, Entry, Lang, Part, Recorded, Timeline};
use unicode_width::UnicodeWidthStr;

use super::question::Facts;
use super::words::{filled, word};
use crate::fold::fold;
use crate::lessons::{Lesson, LESSONS};

/// The widest line of prose, in columns.
const PROSE: usize = 78;

/// The columns before what happens, for the time.
const MARGIN: usize = 10;

/// Returns the title of a lesson, and its text.
pub(super) fn heading(lesson: &Lesson, nth: usize, lang: Lang, width: usize) -> String {
    let [n, all] = [nth + 1, LESSONS.len()].map(|n| n.to_string());
    let title = filled("lesson", lang, &[("n", &n), ("all", &all), ("name", lesson.name)]);
    format!("\n\x1b[1m{title}\x1b[0m\n{}", text(lesson, lang, width))
}

/// Returns what a lesson shows, where it belongs, and its text.
pub(super) fn text(lesson: &Lesson, lang: Lang, width: usize) -> String {
    let mut text = format!(
        "\x1b[1m{}\x1b[0m\n\x1b[2m{}\x1b[0m\n",
        lines(lesson.about(lang), width, 0),
        lines(lesson.section(lang), width, 0)
    );
    for paragraph in lesson.text(lang).paragraphs {
        text.push('\n');
        text.push_str(&lines(&paragraph, width.min(PROSE), 0));
        text.push('\n');
    }
    text
}

/// Returns both programs: side by side where there is room, else one after the other.
pub(super) fn programs(lesson: &Lesson, lang: Lang, width: usize) -> String {
    let original: Vec<_> = lesson.original.lines().map(str::to_owned).collect();
    let program: Vec<_> = lesson.source().map(|(n, line)| format!("{n:4}  {line}")).collect();
    let titles = [word("tornado", lang), word("squall", lang)];
    let widest = |lines: &[String]| lines.iter().map(|line| line.width()).max().unwrap_or(0);
    let left = widest(&original).max(titles[0].width());
    if left + " │ ".width() + widest(&program) > width {
        let part = |title: &str, program: &[String]| {
            let lines: String = program.iter().map(|line| lines(line, width, 8) + "\n").collect();
            format!("\n\x1b[1m{title}\x1b[0m\n{lines}")
        };
        return part(titles[0], &original) + &part(titles[1], &program);
    }
    let pad = |text: &str| " ".repeat(left - text.width());
    let mut text =
        format!("\n\x1b[1m{}\x1b[0m{} │       \x1b[1m{}\x1b[0m\n", titles[0], pad(titles[0]), titles[1]);
    for n in 0..original.len().max(program.len()) {
        let [one, other] = [&original, &program].map(|lines| lines.get(n).map_or("", |line| line));
        text += format!("{one}{} │ {other}", pad(one)).trim_end();
        text += "\n";
    }
    text
}

/// The steps of a lesson, told one after the other.
pub(super) struct Showing<'a> {
    lesson: &'a Lesson,
    entries: &'a [Entry],
    facts: Facts<'a>,
    timeline: Timeline<'a>,
    lang: Lang,
    width: usize,
    /// How many steps were told.
    told: usize,
    /// The state after them.
    state: State,
    /// The time that was shown last.
    time: Option<Duration>,
}

impl<'a> Showing<'a> {
    pub(super) fn new(lesson: &'a Lesson, entries: &'a [Entry], lang: Lang, width: usize) -> Self {
        let (facts, timeline) = (Facts::of(entries), Timeline::new(entries));
        Self { lesson, entries, facts, timeline, lang, width, told: 0, state: State::default(), time: None }
    }

    pub(super) fn title(&self) -> String {
        format!("\n\x1b[1m{}\x1b[0m\n", word("happens", self.lang))
    }

    /// Tells the steps before that one.
    pub(super) fn steps(&mut self, before: usize) -> String {
        let mut text = String::new();
        while self.told < before.min(self.facts.steps.len()) {
            let step = &self.facts.steps[self.told];
            let state = self.state.clone();
            while self.state.entries < step.entries.end && self.timeline.forward(&mut self.state) {}
            let said = self.facts.narrator.tell(step, &state, &self.state, self.lang);
            let time = self.entries[step.head].time;
            let shown = match self.time.replace(time) == Some(time) {
                true => String::new(),
                false => self.facts.narrator.time(time),
            };
            let margin = MARGIN - 2;
            let line = format!("{shown:>margin$}  {}", self.sentence(&said.what));
            text += &(lines(&line, self.width, MARGIN) + "\n");
            self.told += 1;
        }
        text
    }

    /// Tells the steps that are left.
    pub(super) fn rest(&mut self) -> String {
        self.steps(self.facts.steps.len())
    }

    /// Returns a sentence as text, with values and code between backticks.
    fn sentence(&self, parts: &[Part]) -> String {
        let part = |part: &Part| match part {
            Part::Code(code) => Part::Code(format!("`{code}`")),
            part => part.clone(),
        };
        self.facts.narrator.text(&parts.iter().map(part).collect::<Vec<_>>())
    }

    pub(super) fn question(&self, ask: &Ask) -> String {
        let question = filled("question", self.lang, &[("question", ask.question(self.lang))]);
        let mut text = format!("\n\x1b[1m{}\x1b[0m\n", lines(&question, self.width.min(PROSE), 0));
        for (n, option) in (1..).zip(ask.options(self.lang)) {
            text += &(lines(&format!("  {n}. {option}"), self.width, 5) + "\n");
        }
        text
    }

    /// Returns what is said of an answer: to one that is wrong, the step that decides.
    pub(super) fn verdict(&self, ask: &Ask, given: usize) -> String {
        let mut text = String::new();
        if given == ask.answer() {
            text += word("right", self.lang);
        } else {
            let answer = ask.options(self.lang).nth(ask.answer()).unwrap_or_default();
            text += &filled("wrong", self.lang, &[("answer", answer)]);
        }
        // Full-width marks bring their own space.
        let space = if text.ends_with('。') { "" } else { " " };
        text = lines(&format!("{text}{space}{}", ask.why(self.lang)), self.width.min(PROSE), 0) + "\n";
        match ask.decides() {
            Some(step) if given != ask.answer() => text + &self.deciding(step),
            _ => text,
        }
    }

    /// Tells one step: what happens, why, and the line of the program.
    fn deciding(&self, step: usize) -> String {
        let Some(step) = self.facts.steps.get(step) else { return String::new() };
        let before = self.timeline.state(step.entries.start);
        let after = self.timeline.state(step.entries.end);
        let said = self.facts.narrator.tell(step, &before, &after, self.lang);
        let [what, why] = [&said.what, &said.why].map(|said| self.sentence(said));
        let mut text = format!("\n{}\n", word("decides", self.lang));
        for line in [what, why].iter().filter(|line| !line.is_empty()) {
            text += &(lines(&format!("  {line}"), self.width, 2) + "\n");
        }
        let head = &self.entries[step.head].event;
        let stands = match head {
            // The call stands at its yield, or at its beginning.
            Recorded::Start { runner }
            | Recorded::Send { runner, .. }
            | Recorded::Throw { runner, .. }
            | Recorded::Already { runner, .. }
            | Recorded::Wait { runner, .. } => after.calls.get(runner).and_then(|call| call.place),
            _ => None,
        };
        let place = head.place().or(stands);
        let place = place.filter(|place| place.file() == self.lesson.path());
        let line = place.and_then(|place| {
            Some((place.line(), self.lesson.program().lines().nth(place.line() as usize - 1)?))
        });
        if let Some((number, line)) = line {
            text += &(lines(&format!("{number:6}  {line}"), self.width, 8) + "\n");
        }
        text
    }
}

fn lines(text: &str, width: usize, indent: usize) -> String {
    fold(text, width, indent).join("\n")
}
