//! A trace as a Mermaid `sequenceDiagram`: one lifeline for the loop, one for each call.

use std::fmt::Write;

use squall_runner::trace::{Body, CallId, FutureId, Problem};

use super::names::{Names, Unit};
use super::phrases::{Phrase, Phrases};
use super::state::State;
use super::{Entry, Lang, Recorded, Source, Thing, Trace};

/// The number of characters after which a text in a diagram is cut.
const TEXT: usize = 60;

impl<R> Trace<R> {
    /// Returns the trace as a Mermaid `sequenceDiagram`: `->>` is a call or a value that is sent in, `-->>` a yield or a
    /// return, `-x` an exception that is thrown in, `--x` one that is raised.
    ///
    /// ```
    /// use squall::IoLoop;
    ///
    /// let trace = squall::trace::record(|| {
    ///     IoLoop::current().run_sync(|| squall::coroutine(|co| async move { co.yield_(()).await }))
    /// });
    /// assert!(trace.to_mermaid().starts_with("sequenceDiagram\n"));
    /// ```
    pub fn to_mermaid(&self) -> String {
        self.to_mermaid_in(Lang::En)
    }

    /// Returns the trace as a Mermaid `sequenceDiagram` in a language. [`to_mermaid`](Self::to_mermaid) describes the
    /// arrows. Names, values and what stands in code stay as they are.
    ///
    /// ```
    /// use squall::trace::Lang;
    ///
    /// let trace = squall::trace::record(|| squall::coroutine(|_co| async { Ok(5) }));
    /// assert!(trace.to_mermaid_in(Lang::Zh).contains("participant L as 循环"));
    /// ```
    pub fn to_mermaid_in(&self, lang: Lang) -> String {
        draw(self.entries(), Phrases(lang))
    }
}

fn draw(entries: &[Entry], phrases: Phrases) -> String {
    let names = Names::of(entries);
    let mut diagram =
        Diagram { text: "sequenceDiagram\n".to_owned(), unit: Unit::of(entries), names, phrases };
    diagram.line(&format!("participant L as {}", phrases.word(Phrase::Loop)));
    for entry in entries {
        if let Recorded::Call { runner, .. } = &entry.event {
            let label = diagram.names.call(*runner);
            diagram.line(&format!("participant c{} as {}", runner.0, plain(&label)));
        }
    }
    let mut state = State::default();
    for entry in entries {
        let before = state.clone();
        state.apply(entry);
        diagram.add(&before, entry, &state);
    }
    diagram.text
}

struct Diagram {
    text: String,
    unit: Unit,
    names: Names,
    phrases: Phrases,
}

impl Diagram {
    fn line(&mut self, text: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "    {text}");
    }

    fn arrow(&mut self, from: Option<CallId>, arrow: &str, to: Option<CallId>, text: &str) {
        let line = format!("{}{arrow}{}: {}", lifeline(from), lifeline(to), plain(text));
        self.line(&line);
    }

    fn note(&mut self, over: Option<CallId>, text: &str) {
        let line = format!("Note over {}: {}", lifeline(over), plain(text));
        self.line(&line);
    }

    fn add(&mut self, before: &State, entry: &Entry, after: &State) {
        match &entry.event {
            Recorded::Call { runner, body, caller, .. } => {
                let call = if *body == Body::Native { Phrase::CalledLater } else { Phrase::Called };
                self.arrow(*caller, "->>", Some(*runner), self.phrases.word(call));
            }
            Recorded::Start { runner } if before.actor() != Some(*runner) => {
                self.arrow(before.actor(), "->>", Some(*runner), self.phrases.word(Phrase::Start));
            }
            Recorded::Wake { runner } => {
                self.arrow(None, "->>", Some(*runner), self.phrases.word(Phrase::Wake));
            }
            Recorded::Send { runner, value, .. } => {
                self.arrow(before.actor(), "->>", Some(*runner), &format!("send {value}"));
            }
            Recorded::Throw { runner, exception, .. } => {
                self.arrow(before.actor(), "-x", Some(*runner), &format!("throw {exception}"));
            }
            Recorded::Yield { runner, kind: Thing::Moment | Thing::None, .. } => {
                self.note(Some(*runner), "yield moment");
            }
            Recorded::Already { runner, future, .. } => {
                let text = self.phrases.say(Phrase::YieldDoneAlready, &[&self.names.future(*future)]);
                self.arrow(Some(*runner), "-->>", Some(*runner), &text);
            }
            Recorded::Wait { runner, future, .. } => {
                let text = self.waits(before, *runner, *future);
                self.arrow(Some(*runner), "-->>", after.actor(), &text);
            }
            Recorded::Return { runner, value, .. } => {
                self.arrow(Some(*runner), "-->>", after.actor(), &format!("return {value}"));
            }
            Recorded::Raise { runner, exception, .. } => {
                self.arrow(Some(*runner), "--x", after.actor(), &format!("raise {exception}"));
            }
            Recorded::Abandon { runner } => self.note(Some(*runner), self.phrases.word(Phrase::Dropped)),
            Recorded::Note { text, .. } => {
                self.note(before.actor(), &self.phrases.say(Phrase::PrintPlain, &[text]));
            }
            Recorded::Report { problem: Problem::NeverAwaited, exception, .. } => {
                self.note(None, &self.phrases.say(Phrase::Logged, &[&exception.to_string()]));
            }
            Recorded::Report { problem, exception, .. } => {
                let filled = [self.phrases.problem(*problem), &exception.to_string()];
                self.note(None, &self.phrases.say(Phrase::LoggedProblem, &filled));
            }
            Recorded::Run { by, .. } => self.note(None, by),
            Recorded::Turn { io_loop } => {
                let turn = after.loops.get(io_loop).map_or(0, |it| it.turn);
                let filled = [&*turn.to_string(), &self.unit.tell(entry.time)];
                let text = self.phrases.say(Phrase::TurnAt, &filled);
                self.note(None, &text);
            }
            Recorded::Stop { outcome, .. } => {
                let text = match outcome {
                    None => self.phrases.word(Phrase::Stop).to_owned(),
                    Some(Ok(value)) => self.phrases.say(Phrase::Returns, &[value]),
                    Some(Err(exception)) => self.phrases.say(Phrase::Raises, &[&exception.to_string()]),
                };
                self.note(None, &text);
            }
            Recorded::LeftOut { events, .. } => {
                self.note(None, &self.phrases.count(Phrase::EventsLeftOut, *events));
            }
            _ => {}
        }
    }

    fn waits(&self, before: &State, runner: CallId, future: Option<FutureId>) -> String {
        let native = before.calls.get(&runner).is_some_and(|call| call.body == Body::Native);
        let word = if native { "await" } else { "yield" };
        match future {
            None if native => self.phrases.word(Phrase::AwaitToBeWoken).to_owned(),
            None => self.phrases.word(Phrase::WaitOneTurn).to_owned(),
            Some(future) => match self.names.source(future) {
                Some(Source::Sleep { until }) => {
                    let until = self.phrases.say(Phrase::Until, &[&self.unit.tell(*until)]);
                    format!("{word} sleep {until}")
                }
                _ => format!("{word} {}", self.names.future(future)),
            },
        }
    }
}

fn lifeline(call: Option<CallId>) -> String {
    call.map_or("L".to_owned(), |call| format!("c{}", call.0))
}

/// Returns a text in one line, with the characters escaped that have a meaning in a diagram.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for c in text.chars().take(TEXT) {
        match c {
            '#' => plain.push_str("#35;"),
            ';' => plain.push_str("#59;"),
            '<' => plain.push_str("#60;"),
            '>' => plain.push_str("#62;"),
            '%' => plain.push_str("#37;"),
            c if c.is_control() || c.is_whitespace() => plain.push(' '),
            c => plain.push(c),
        }
    }
    if text.chars().count() > TEXT {
        plain.push('…');
    }
    // Nothing at all is not allowed, and `end` is a word of the language.
    match plain.trim() {
        "" => "#32;".to_owned(),
        word if word.eq_ignore_ascii_case("end") => format!("{word}#32;"),
        plain => plain.to_owned(),
    }
}
