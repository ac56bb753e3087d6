//! [`Question`]: what a lesson asks of its trace. The trace knows the right answer, and suggests some that are wrong.

use std::time::Duration;

use squall::trace::{steps, CallId, Entry, Narrator, Recorded, Source, Step};

/// A text in English and in Chinese.
pub(super) type Both = [String; 2];

/// A question about a trace. Lines that are printed and the like are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// The nth line that is printed.
    Print(usize),
    /// The time at which the nth line is printed.
    Time(usize),
    /// The lines from one to another, in order.
    Order(usize, usize),
    /// How many turns of the loop begin between two lines.
    Turns(usize, usize),
    /// The coroutine that is resumed next, after the nth line.
    Resumed(usize),
    /// The fate of the nth yield of a call: it waits, or goes on at once.
    Yields(String, usize),
    /// The value that the nth yield of a call returns, or the exception that it raises.
    Sent(String, usize),
    /// How a call ends.
    Ends(String),
    /// How the nth run of a loop ends.
    Stops(usize),
    /// The nth exception that is logged.
    Logged(usize),
    /// How many items are in the queue when the nth line is printed.
    Size(usize),
    /// The thread of the nth job.
    Thread(usize),
}

/// A question, and where it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    what: What,
    /// It is asked after that many lines were printed; if `None`, before the step that decides it.
    after: Option<usize>,
}

/// The answer to a question.
#[derive(Debug)]
pub(super) struct Answer {
    /// The step before which it is asked.
    pub(super) before: usize,
    /// The step that decides it.
    pub(super) decides: usize,
    pub(super) right: Both,
    pub(super) wrong: Vec<Both>,
}

/// How many wrong answers are suggested.
const SUGGESTED: usize = 3;

const AT_ONCE: [&str; 2] = ["it goes on at once", "立刻继续"];
const NEXT_TURN: [&str; 2] = ["it goes on in the next turn", "下一轮继续"];
const WAITS: [&str; 2] = ["it is suspended until the Future is done", "挂起，等 Future 完成"];
const NOTHING: [&str; 2] = ["nothing", "什么也没有"];
const STOPPED: [&str; 2] = ["`stop` was called", "有人调用了 `stop`"];

/// The texts of the answers, for the test that each has Chinese.
#[cfg(test)]
pub(super) const TEXTS: [[&str; 2]; 5] = [AT_ONCE, NEXT_TURN, WAITS, NOTHING, STOPPED];

impl Question {
    /// Reads a question: its kind, lines by their numbers and calls by their names, and perhaps where it is asked, as in
    /// `time 2 after 1`.
    pub(super) fn parse(key: &str) -> Option<Self> {
        let (what, after) = match key.split_once(" after ") {
            Some((what, after)) => (what, Some(after.parse().ok()?)),
            None => (key, None),
        };
        let words: Vec<_> = what.split(' ').collect();
        let number = |word: &str| word.parse::<usize>().ok();
        let what = match words[..] {
            ["print", n] => What::Print(number(n)?),
            ["time", n] => What::Time(number(n)?),
            ["order", a, b] => What::Order(number(a)?, number(b)?),
            ["turns", a, b] => What::Turns(number(a)?, number(b)?),
            ["resumed", n] => What::Resumed(number(n)?),
            ["yields", call, n] => What::Yields(call.to_owned(), number(n)?),
            ["sent", call, n] => What::Sent(call.to_owned(), number(n)?),
            ["ends", call] => What::Ends(call.to_owned()),
            ["stops", n] => What::Stops(number(n)?),
            ["logged", n] => What::Logged(number(n)?),
            ["size", n] => What::Size(number(n)?),
            ["thread", n] => What::Thread(number(n)?),
            _ => return None,
        };
        Some(Self { what, after })
    }

    /// Returns the answer, if the trace knows it.
    pub(super) fn answer(&self, facts: &Facts<'_>) -> Option<Answer> {
        let Found { entry, decides, right, wrong } = facts.find(&self.what)?;
        let answers = facts.step_of(entry);
        let decides = facts.step_of(decides.unwrap_or(entry));
        let before = match self.after {
            None => answers,
            Some(0) => 0,
            Some(n) => facts.step_of(facts.note(n)?.0) + 1,
        };
        let mut distinct = Vec::new();
        for text in wrong {
            if text != right && !distinct.contains(&text) {
                distinct.push(text);
            }
        }
        distinct.truncate(SUGGESTED);
        Some(Answer { before: before.min(answers), decides, right, wrong: distinct })
    }
}

/// The answers that were found in a trace: the right one, and wrong ones, the best first.
struct Found {
    /// The entry that tells the answer.
    entry: usize,
    /// The entry that decides it, if it is another one.
    decides: Option<usize>,
    right: Both,
    wrong: Vec<Both>,
}

/// The facts that a trace contains.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    entries: &'a [Entry],
    pub(super) steps: Vec<Step>,
    pub(super) narrator: Narrator<'a>,
    /// The lines that were printed, and the places of their entries.
    notes: Vec<(usize, &'a str)>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(entries: &'a [Entry]) -> Self {
        let note = |(place, entry): (usize, &'a Entry)| match &entry.event {
            Recorded::Note { text, .. } => Some((place, &**text)),
            _ => None,
        };
        let notes = entries.iter().enumerate().filter_map(note).collect();
        Self { entries, steps: steps(entries), narrator: Narrator::new(entries), notes }
    }

    /// Returns the step to which an entry belongs.
    fn step_of(&self, entry: usize) -> usize {
        self.steps.partition_point(|step| step.entries.end <= entry)
    }

    /// Returns the nth line that was printed, and the place of its entry.
    fn note(&self, n: usize) -> Option<(usize, &'a str)> {
        self.notes.get(n.checked_sub(1)?).copied()
    }

    fn find(&self, what: &What) -> Option<Found> {
        match what {
            What::Print(n) => self.print(*n),
            What::Time(n) => self.time(*n),
            What::Order(a, b) => self.order(*a, *b),
            What::Turns(a, b) => self.turns(*a, *b),
            What::Resumed(n) => self.resumed(*n),
            What::Yields(call, n) => self.yields(call, *n),
            What::Sent(call, n) => self.nth(*n, |event| match event {
                Recorded::Send { runner, value, .. } => self.is(*runner, call).then(|| returns(value)),
                Recorded::Throw { runner, exception, .. } => {
                    self.is(*runner, call).then(|| raises(exception))
                }
                _ => None,
            }),
            What::Ends(call) => self.nth(1, |event| match event {
                Recorded::Return { runner, value, .. } => self.is(*runner, call).then(|| returns(value)),
                Recorded::Raise { runner, exception, .. } => {
                    self.is(*runner, call).then(|| raises(exception))
                }
                _ => None,
            }),
            What::Stops(n) => self.nth(*n, |event| match event {
                Recorded::Stop { outcome: Some(Ok(value)), .. } => Some(returns(value)),
                Recorded::Stop { outcome: Some(Err(exception)), .. } => Some(raises(&exception.name)),
                Recorded::Stop { outcome: None, .. } => Some(both(STOPPED)),
                _ => None,
            }),
            What::Logged(n) => self.logged(*n),
            What::Size(n) => self.size(*n),
            What::Thread(n) => self.nth(*n, |event| match event {
                Recorded::Job { thread, .. } => Some(code(thread)),
                _ => None,
            }),
        }
    }

    /// Returns whether a call has that name.
    fn is(&self, call: CallId, name: &str) -> bool {
        self.narrator.call(call) == name
    }

    /// Finds the nth entry that has an answer. The answers of the others are wrong.
    fn nth(&self, n: usize, answer: impl Fn(&Recorded) -> Option<Both>) -> Option<Found> {
        let answers = self.entries.iter().enumerate();
        let mut answers: Vec<_> =
            answers.filter_map(|(place, entry)| Some((place, answer(&entry.event)?))).collect();
        let index = n.checked_sub(1).filter(|index| *index < answers.len())?;
        let (entry, right) = answers.remove(index);
        Some(Found {
            entry,
            decides: None,
            right,
            wrong: answers.into_iter().map(|(_, answer)| answer).collect(),
        })
    }

    fn print(&self, n: usize) -> Option<Found> {
        let (entry, right) = match self.note(n) {
            Some((entry, text)) => (entry, code(text)),
            // Nothing follows the last line.
            None if n == self.notes.len() + 1 => (self.entries.len().checked_sub(1)?, both(NOTHING)),
            None => return None,
        };
        let mut others: Vec<_> = (1..).zip(&self.notes).filter(|(other, _)| *other != n).collect();
        others.sort_by_key(|(other, _)| other.abs_diff(n));
        Some(Found {
            entry,
            decides: None,
            right,
            wrong: others.into_iter().map(|(_, (_, text))| code(text)).collect(),
        })
    }

    fn time(&self, n: usize) -> Option<Found> {
        let (entry, _) = self.note(n)?;
        let time = self.entries[entry].time;
        // As a lesson has it, with a plain space.
        let told = |time: Duration| both([&*self.narrator.time(time).replace('\u{a0}', " "); 2]);
        let mut others: Vec<_> = self.entries.iter().map(|entry| entry.time).collect();
        others.sort_by_key(|other| other.abs_diff(time));
        // The timer that was set for that time.
        let sets = |entry: &Entry| match entry.event {
            Recorded::Made { source: Source::Sleep { until } | Source::Timeout { until, .. }, .. }
            | Recorded::Timer { until, .. } => until == time && entry.time < time,
            _ => false,
        };
        let decides = self.entries[..entry].iter().rposition(sets);
        Some(Found { entry, decides, right: told(time), wrong: others.into_iter().map(told).collect() })
    }

    fn order(&self, a: usize, b: usize) -> Option<Found> {
        if a >= b {
            return None;
        }
        let texts: Vec<_> = (a..=b).map(|n| Some(self.note(n)?.1)).collect::<Option<_>>()?;
        let (entry, _) = self.note(b)?;
        let told = |texts: &[&str]| {
            let codes: Vec<_> = texts.iter().map(|text| code(text)[0].clone()).collect();
            [codes.join(", "), codes.join("、")]
        };
        let (mut reversed, mut turned, mut swapped) = (texts.clone(), texts.clone(), texts.clone());
        reversed.reverse();
        turned.rotate_left(1);
        swapped.swap(0, 1);
        Some(Found {
            entry,
            decides: None,
            right: told(&texts),
            wrong: [reversed, turned, swapped].map(|texts| told(&texts)).into(),
        })
    }

    fn turns(&self, a: usize, b: usize) -> Option<Found> {
        let ((from, _), (to, _)) = (self.note(a)?, self.note(b)?);
        let begins = |entry: &&Entry| matches!(entry.event, Recorded::Turn { .. });
        let turns = self.entries[from..to].iter().filter(begins).count();
        let others = [turns.checked_sub(1), Some(turns + 1), Some(0), Some(turns + 2)].into_iter().flatten();
        Some(Found { entry: to, decides: None, right: number(turns), wrong: others.map(number).collect() })
    }

    fn resumed(&self, n: usize) -> Option<Found> {
        let from = if n == 0 { 0 } else { self.note(n)?.0 };
        let resumed = |entry: &Entry| match entry.event {
            Recorded::Start { runner }
            | Recorded::Send { runner, .. }
            | Recorded::Throw { runner, .. }
            | Recorded::Wake { runner } => Some(self.narrator.call(runner)),
            _ => None,
        };
        let name = |entry: &Entry| match entry.event {
            Recorded::Call { runner, .. } => Some(code(&self.narrator.call(runner))),
            _ => None,
        };
        let mut rest = self.entries.iter().enumerate().skip(from);
        let (entry, right) = rest.find_map(|(place, entry)| Some((place, resumed(entry)?)))?;
        let wrong = self.entries.iter().filter_map(name).collect();
        Some(Found { entry, decides: None, right: code(&right), wrong })
    }

    fn yields(&self, call: &str, n: usize) -> Option<Found> {
        let becomes = |entry: &Entry| match &entry.event {
            Recorded::Already { runner, .. } if self.is(*runner, call) => Some(both(AT_ONCE)),
            Recorded::Wait { runner, future: None, .. } if self.is(*runner, call) => Some(both(NEXT_TURN)),
            Recorded::Wait { runner, .. } if self.is(*runner, call) => Some(both(WAITS)),
            _ => None,
        };
        let all = self.entries.iter().enumerate();
        let (entry, right) =
            all.filter_map(|(place, entry)| Some((place, becomes(entry)?))).nth(n.checked_sub(1)?)?;
        Some(Found { entry, decides: None, right, wrong: [AT_ONCE, NEXT_TURN, WAITS].map(both).into() })
    }

    fn logged(&self, n: usize) -> Option<Found> {
        let logged = self.nth(n, |event| match event {
            Recorded::Report { exception, .. } => Some(code(&exception.to_string())),
            _ => None,
        });
        let nothing = both(NOTHING);
        Some(match logged {
            Some(found) => Found { wrong: [found.wrong, vec![nothing]].concat(), ..found },
            None => Found {
                entry: self.entries.len().checked_sub(1)?,
                decides: None,
                right: nothing,
                wrong: Vec::new(),
            },
        })
    }

    fn size(&self, n: usize) -> Option<Found> {
        let (entry, _) = self.note(n)?;
        let size = |entry: &Entry| match entry.event {
            Recorded::Queue { size, .. } => Some(size),
            _ => None,
        };
        let (decides, right) = self.entries[..entry]
            .iter()
            .enumerate()
            .rev()
            .find_map(|(place, entry)| Some((place, size(entry)?)))?;
        Some(Found {
            entry: decides,
            decides: None,
            right: number(right),
            wrong: [right + 1, right + 2, 0].map(number).into(),
        })
    }
}

fn both(texts: [&str; 2]) -> Both {
    texts.map(str::to_owned)
}

fn code(text: &str) -> Both {
    // A question shows as code what stands between backticks.
    both([&*format!("`{}`", text.replace('`', "'")); 2])
}

fn number(number: usize) -> Both {
    [number.to_string(), number.to_string()]
}

fn returns(value: &str) -> Both {
    let [value, _] = code(value);
    [format!("returns {value}"), format!("返回 {value}")]
}

fn raises(exception: &impl std::fmt::Display) -> Both {
    let [exception, _] = code(&exception.to_string());
    [format!("raises {exception}"), format!("抛出 {exception}")]
}
