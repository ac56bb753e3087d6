//! Questions before some steps: each step is shown once its question is answered or skipped.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::app::App;
use super::code::span;
use super::play::printable;
use super::words::Text;

impl App<'_> {
    /// Goes to a later step, or to the first question before it. A question that was answered is left behind.
    pub(super) fn forward(&mut self, k: usize) {
        let is_answered = matches!(self.asks.asking, Some((_, Some(_))));
        if is_answered {
            self.asks.pass();
        }
        let asked = self.asks.on_the_way(self.k, k.min(self.play.last()));
        match asked {
            Some(step) => {
                let asking = self.asks.asking;
                self.to(step);
                self.asks.asking = asking;
            }
            None => self.to(k),
        }
    }

    /// Does what a key asks for while a question is asked, and returns whether it did something.
    pub(super) fn reply(&mut self, key: char) -> bool {
        let Some((nth, given)) = self.asks.asking else { return false };
        let ask = &self.asks.all[nth];
        let option = key.to_digit(10).and_then(|n| (n as usize).checked_sub(1));
        match (given, option) {
            (None, Some(option)) if option < ask.options(self.lang).len() => {
                self.asks.asking = Some((nth, Some(option)));
                true
            }
            (Some(given), None) if key == '\n' && given != ask.answer() => {
                let decides = ask.decides().unwrap_or(ask.before());
                self.asks.pass();
                self.to(decides);
                true
            }
            _ => false,
        }
    }

    /// Goes on without an answer, and returns whether there was a question.
    pub(super) fn skip(&mut self) -> bool {
        let Some((nth, _)) = self.asks.asking else { return false };
        let before = self.asks.all[nth].before();
        self.asks.pass();
        self.to(before.max(1));
        true
    }

    /// Returns whether a question stands in place of the sentence.
    pub(super) fn asks_now(&self) -> bool {
        self.asks.asking.is_some()
    }

    /// Returns the lines of the question, if one is asked.
    pub(super) fn question(&self) -> Option<Vec<Line<'static>>> {
        let (ask, given) = self.asks.asking()?;
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let mut question = code(ask.question(self.lang)).style(bold);
        question.spans.insert(0, span(format!("{}: ", self.word("ask")), self.theme.quiet()));
        let mut lines = vec![question];
        for (nth, option) in ask.options(self.lang).enumerate() {
            let style = match given {
                Some(_) if nth == ask.answer() => self.theme.good().add_modifier(Modifier::BOLD),
                Some(given) if nth == given => self.theme.bad(),
                _ => Style::new(),
            };
            let mut line = code(option).style(style);
            line.spans.insert(0, span(format!(" {} ", nth + 1), bold));
            lines.push(line);
        }
        let is_right = |given| given == ask.answer();
        lines.push(match given {
            None => Line::from(span(self.text(Text::Answer), self.theme.quiet())),
            Some(given) => {
                let (word, style) =
                    if is_right(given) { ("right", self.theme.good()) } else { ("wrong", self.theme.bad()) };
                let mut line = code(ask.why(self.lang));
                line.spans
                    .insert(0, span(format!("{} ", self.word(word)), style.add_modifier(Modifier::BOLD)));
                let more = if is_right(given) { Text::GoOn } else { Text::Decides };
                line.spans.push(span(format!(" ({})", self.text(more)), self.theme.quiet()));
                line
            }
        });
        Some(lines)
    }
}

/// Returns a text in which code stands between backticks.
fn code(text: &str) -> Line<'static> {
    let styles = [Style::new(), Style::new().add_modifier(Modifier::UNDERLINED)];
    let part = |(nth, part): (usize, &str)| Span::styled(printable(part), styles[nth % 2]);
    text.split('`').enumerate().map(part).collect()
}
