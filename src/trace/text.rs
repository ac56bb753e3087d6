//! [`Text`]: a trace as text, in columns.

use std::fmt;

use squall_runner::trace::Problem;

use super::cell::{cut, pad, plain, wrap};
use super::columns::Columns;
use super::names::Names;
use super::paint::Line;
use super::phrases::{Phrase, Phrases};
use super::story::{Story, Tone};
use super::{lanes, Entry, Lang, Raised, Recorded};

/// A trace as text: one column for the loop and one for each call of a coroutine. Below the columns are the outcome,
/// the log, and the coroutines that still wait. Print it with `{}`.
///
/// If there is not enough width for all columns, calls of one coroutine that are not alive at the same time share a
/// column. If that is still not enough, each coroutine becomes a line, and what it does is shown at the right.
///
/// ```
/// use squall::Future;
///
/// let trace = squall::trace::record(|| {
///     squall::coroutine(|co| async move { co.yield_(Future::ready(5)).await })
/// });
/// let text = trace.text().width(60).to_string();
/// assert!(text.contains("send 5"));
/// ```
#[derive(Debug, Clone)]
#[must_use = "print it, or make a String of it"]
#[allow(clippy::struct_excessive_bools)] // Each is an option of its own.
pub struct Text<'a> {
    entries: &'a [Entry],
    dropped: usize,
    cut: bool,
    width: usize,
    colors: bool,
    lines: bool,
    tracebacks: bool,
    phrases: Phrases,
}

impl<'a> Text<'a> {
    pub(crate) fn new(entries: &'a [Entry], dropped: usize, cut: bool) -> Self {
        Self {
            entries,
            dropped,
            cut,
            width: 100,
            colors: false,
            lines: true,
            tracebacks: true,
            phrases: Phrases(Lang::En),
        }
    }

    /// Sets the largest width in columns of a terminal; 100 by default, 40 at least.
    pub fn width(self, columns: usize) -> Self {
        Self { width: columns.max(40), ..self }
    }

    /// Sets the language of the words. It is English by default. Names, values and what stands in code stay as they are.
    ///
    /// ```
    /// use squall::trace::Lang;
    ///
    /// let trace = squall::trace::record(|| squall::coroutine(|_co| async { Ok(5) }));
    /// assert!(trace.text().lang(Lang::Zh).to_string().contains("启动"));
    /// ```
    pub fn lang(self, lang: Lang) -> Self {
        Self { phrases: Phrases(lang), ..self }
    }

    /// Sets whether the text has terminal colours. It has none by default.
    pub fn colors(self, colors: bool) -> Self {
        Self { colors, ..self }
    }

    /// Leaves out the line numbers of yields and the lines of tracebacks. The text then stays the same when the program
    /// moves within its file.
    pub fn without_lines(self) -> Self {
        Self { lines: false, ..self.without_tracebacks() }
    }

    /// Leaves out the tracebacks of exceptions that ended a run or were logged.
    pub fn without_tracebacks(self) -> Self {
        Self { tracebacks: false, ..self }
    }

    /// Draws the end of the trace: the outcome, the log, the coroutines that still wait, and what was left out.
    fn ending(&self, story: &Story) -> Vec<Line> {
        let mut lines = Vec::new();
        let phrases = self.phrases;
        for entry in self.entries {
            match &entry.event {
                Recorded::Stop { outcome: Some(Ok(value)), .. } => {
                    let text = phrases.say(Phrase::OutcomeReturned, &[value]);
                    self.ended(&mut lines, Phrase::Outcome, &text, Tone::Good);
                }
                Recorded::Stop { outcome: Some(Err(exception)), .. } => {
                    let text = phrases.say(Phrase::OutcomeRaised, &[&exception.to_string()]);
                    self.ended(&mut lines, Phrase::Outcome, &text, Tone::Bad);
                    self.traceback(&mut lines, exception);
                }
                _ => {}
            }
        }
        for entry in self.entries {
            if let Recorded::Report { problem, exception, .. } = &entry.event {
                let label = match problem {
                    Problem::NeverRetrieved => Phrase::Unretrieved,
                    Problem::NeverAwaited => Phrase::Unawaited,
                    _ => Phrase::Log,
                };
                let (at, raised) = (story.unit.tell(entry.time), exception.to_string());
                let text = match problem {
                    Problem::NeverRetrieved | Problem::NeverAwaited => {
                        phrases.say(Phrase::At, &[&raised, &at])
                    }
                    _ => phrases.say(Phrase::ProblemAt, &[phrases.problem(*problem), &at, &raised]),
                };
                self.ended(&mut lines, label, &text, Tone::Bad);
                self.traceback(&mut lines, exception);
            }
        }
        for (call, last) in &story.waiting {
            self.ended(&mut lines, Phrase::Waiting, &phrases.say(Phrase::Colon, &[call, last]), Tone::Out);
        }
        if let Some(Recorded::LeftOut { events, .. }) = self.entries.first().map(|entry| &entry.event) {
            let text = phrases.count(Phrase::LeftOutBefore, *events);
            self.ended(&mut lines, Phrase::LeftOut, &text, Tone::Faint);
        }
        if self.cut {
            self.ended(&mut lines, Phrase::Cut, phrases.word(Phrase::CutHere), Tone::Faint);
        }
        if self.dropped > 0 {
            let text = phrases.count(Phrase::LeftOutAfter, self.dropped);
            self.ended(&mut lines, Phrase::LeftOut, &text, Tone::Faint);
        }
        lines
    }

    fn ended(&self, lines: &mut Vec<Line>, label: Phrase, text: &str, tone: Tone) {
        let label = self.phrases.word(label);
        for (nth, text) in wrap(&plain(text), self.width - 13, 6).iter().enumerate() {
            let mut line = Line::default();
            line.push(Tone::Name, &pad(if nth == 0 { label } else { "" }, 13));
            line.push(tone, text);
            lines.push(line);
        }
    }

    fn traceback(&self, lines: &mut Vec<Line>, exception: &Raised) {
        if !self.tracebacks {
            return;
        }
        if exception.elided > 0 {
            let mut line = Line::default();
            let more = self.phrases.count(Phrase::MoreFrames, exception.elided);
            line.push(Tone::Faint, &format!("{:13}  {more}", ""));
            lines.push(line);
        }
        for (place, name) in &exception.traceback {
            let mut line = Line::default();
            let frame = cut(&plain(&format!("{place} in {name}")), self.width.saturating_sub(15));
            line.push(Tone::Faint, &format!("{:13}  {frame}", ""));
            lines.push(line);
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let story = Story::of(self.entries, &Names::of(self.entries), self.lines, self.phrases);
        let drawn = match Columns::fit(&story, self.width) {
            Some(columns) => columns.draw(&story),
            None => lanes::draw(&story, self.width),
        };
        for line in drawn {
            f.write_str(&line.print(self.colors))?;
        }
        let ending = self.ending(&story);
        if !ending.is_empty() {
            f.write_str("\n")?;
        }
        for line in ending {
            f.write_str(&line.print(self.colors))?;
        }
        Ok(())
    }
}
