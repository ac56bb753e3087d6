//! [`Narrator`]: says in sentences what happens at each step of a trace, and why. All views use these sentences.

mod brief;
mod calls;
mod futures;
mod locks;
mod loops;
mod parts;
mod sentences;
mod telling;
pub(crate) mod words;

use std::time::Duration;

use squall_runner::trace::{CallId, FutureId, Problem};

use self::parts::text;
pub use self::parts::Part;
use super::names::{Names, Unit};
use super::state::State;
use super::{Entry, Lang, Recorded, Step};

/// The sentences about one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The event, in a sentence.
    pub what: Vec<Part>,
    /// The reason or the consequence, in sentences; empty if there is nothing more to say.
    pub why: Vec<Part>,
    /// The event, in a few words.
    pub brief: String,
}

/// Says what happens at each step of a trace, and why.
///
/// ```
/// use squall::trace::{steps, Lang, Narrator, Timeline};
///
/// let trace = squall::trace::record(|| squall::trace::note("hello"));
/// let (timeline, steps) = (Timeline::new(trace.entries()), steps(trace.entries()));
/// let narrator = Narrator::new(trace.entries());
/// let (before, after) = (timeline.state(0), timeline.state(1));
/// let said = narrator.tell(&steps[0], &before, &after, Lang::En);
/// assert_eq!(narrator.text(&said.what), "The program prints hello.");
/// ```
#[derive(Debug)]
pub struct Narrator<'a> {
    entries: &'a [Entry],
    pub(crate) names: Names,
    pub(crate) unit: Unit,
}

impl<'a> Narrator<'a> {
    /// Creates a narrator of a trace.
    pub fn new(entries: &'a [Entry]) -> Self {
        Self { entries, names: Names::of(entries), unit: Unit::of(entries) }
    }

    /// Returns a sentence as text, with a space between Chinese and a name or a value.
    pub fn text(&self, parts: &[Part]) -> String {
        let mut text = String::new();
        for part in parts {
            let part = match part {
                Part::Text(text) => text.clone(),
                Part::Call(call) => self.names.call(*call).into(),
                Part::Future(future) => self.names.future(*future).into(),
                Part::Code(code) => code.into(),
            };
            let meet = (text.chars().next_back(), part.chars().next());
            if let (Some(before), Some(after)) = meet {
                let is_name = |c: char| c.is_ascii() && c != ' ';
                if is_name(before) && is_han(after) || is_han(before) && is_name(after) {
                    text.push(' ');
                }
            }
            text += &part;
        }
        text
    }

    /// Returns the name of a call: `fetch` for the first call of `fetch`, `fetch#2` for the second.
    pub fn call(&self, call: CallId) -> String {
        self.names.call(call)
    }

    /// Returns the name of a Future: that of the call whose result it is, or where it comes from, as in `sleep`.
    pub fn future(&self, future: FutureId) -> String {
        self.names.future(future)
    }

    /// Returns the call whose result the Future is, if it is one.
    pub fn call_of(&self, future: FutureId) -> Option<CallId> {
        self.names.call_of(future)
    }

    /// Returns a time as text, in the unit of the trace: `500 ms`, `60.5 s`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use squall::trace::Narrator;
    ///
    /// assert_eq!(Narrator::new(&[]).time(Duration::from_millis(500)), "500\u{a0}ms");
    /// ```
    pub fn time(&self, time: Duration) -> String {
        self.unit.tell(time)
    }

    /// Returns the call that acts in a step: the one that the step is about, or else the one that runs. `None` is the
    /// loop, or the program outside of coroutines.
    pub fn actor(&self, step: &Step, before: &State) -> Option<CallId> {
        match &self.entries[step.head].event {
            Recorded::Call { caller, .. } => *caller,
            event => match of_runner(event) {
                Some(runner) => Some(runner),
                None => match event {
                    // A call resolves its own Future as it ends.
                    Recorded::Resolve { future, .. } if self.names.call_of(*future).is_some() => {
                        let own = self.names.call_of(*future);
                        own.filter(|own| before.calls.get(own).is_some_and(|call| call.status.is_over()))
                            .or(before.actor())
                    }
                    Recorded::Turn { .. } | Recorded::Run { .. } | Recorded::Stop { .. } => None,
                    _ => before.actor(),
                },
            },
        }
    }
}

/// Returns whether it is a Chinese character, and not a punctuation mark.
fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

/// Returns the call to which an entry happens.
fn of_runner(event: &Recorded) -> Option<CallId> {
    match event {
        Recorded::Start { runner }
        | Recorded::Send { runner, .. }
        | Recorded::Throw { runner, .. }
        | Recorded::Wake { runner }
        | Recorded::Yield { runner, .. }
        | Recorded::Already { runner, .. }
        | Recorded::Wait { runner, .. }
        | Recorded::Return { runner, .. }
        | Recorded::Raise { runner, .. }
        | Recorded::Abandon { runner } => Some(*runner),
        _ => None,
    }
}

/// Returns what a report is about.
pub(crate) fn problem(about: Problem, lang: Lang) -> &'static str {
    let name = match about {
        Problem::Callback => "callback",
        Problem::DoneCallback => "done_callback",
        Problem::Multiple => "multiple",
        Problem::LateFailure => "late_failure",
        Problem::AfterCancel => "after_cancel",
        Problem::NeverAwaited => "never_awaited",
        _ => "never_retrieved",
    };
    text(sentences::PROBLEMS, name, lang)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::sentences::{BRIEF, PROBLEMS, SENTENCES};
    use super::words::{EXPLAINED, KEYS, REASONS, WORDS};

    /// Words that are the same in Chinese.
    const UNTRANSLATED: [&str; 6] = ["runner", "rust", "python", "futures", "moment", "resolve.pending"];

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    fn holes(template: &str) -> BTreeSet<&str> {
        template.split('{').skip(1).filter_map(|hole| Some(hole.split_once('}')?.0)).collect()
    }

    #[test]
    fn each_text_has_chinese_and_is_filled_in_like_the_english_one() {
        for table in [SENTENCES, PROBLEMS, BRIEF, WORDS, REASONS, KEYS] {
            let mut names = BTreeSet::new();
            for (name, [en, zh]) in table {
                assert!(names.insert(name), "{name} twice");
                assert!(!is_chinese(en) || en.contains("中文"), "{name}: {en}");
                let same = UNTRANSLATED.contains(name) || *name == "comma" || name.len() == 1;
                assert!(is_chinese(zh) || same, "{name} has no Chinese: {zh}");
                assert_eq!(holes(en), holes(zh), "{name}");
            }
        }
        for (name, _, [en, zh]) in EXPLAINED {
            assert!(!is_chinese(en) && is_chinese(zh), "{name}");
        }
    }

    #[test]
    fn sentences_end_and_have_full_width_marks_in_chinese() {
        for (name, [en, zh]) in
            SENTENCES.iter().filter(|(name, [en, _])| name.contains(".why") || en.contains(' '))
        {
            if matches!(*name, "loop" | "program" | "and_more" | "comma") {
                continue;
            }
            assert!(en.ends_with('.') && zh.ends_with('。'), "{name}");
            assert!(!zh.contains([',', ';', '?']), "{name}: {zh}");
        }
    }
}
