//! [`Machine`]: the lines of squall's own source that an entry of a trace stands for, and a Runner in Python beside them.
//!
//! The lines are found by their text, never by their numbers. `tests/machine.rs` keeps that true.

use std::collections::HashMap;
use std::sync::OnceLock;

use squall_runner::trace::Body;

use super::state::{Call, Resumed, State, Status};
use super::{Entry, Reason, Recorded, Thing};

/// A source file of squall that traces refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum File {
    /// The Runner: `runner/src/runner.rs`.
    Runner,
    /// The Task of a native coroutine: `runner/src/native.rs`.
    Native,
    /// The turns of the loop: `src/ioloop/turn.rs`.
    Turn,
    /// The runs of the loop: `src/ioloop/run.rs`.
    Run,
    /// The lines of the Runner written in Python.
    Python,
}

impl File {
    /// Returns the path of the file from the root of the repository, or the name of the Python file.
    pub fn path(self) -> &'static str {
        self.both().0
    }

    /// Returns the lines of the file.
    pub fn lines(self) -> impl Iterator<Item = &'static str> {
        self.text().lines().map(|line| line.split_once(MARK).map_or(line, |(line, _)| line.trim_end()))
    }

    fn text(self) -> &'static str {
        self.both().1
    }

    fn both(self) -> (&'static str, &'static str) {
        let [runner, native] = squall_runner::SOURCES;
        match self {
            Self::Runner => runner,
            Self::Native => native,
            Self::Turn => ("src/ioloop/turn.rs", include_str!("../ioloop/turn.rs")),
            Self::Run => ("src/ioloop/run.rs", include_str!("../ioloop/run.rs")),
            Self::Python => ("runner.py", include_str!("machine/runner.py")),
        }
    }
}

/// The text with which a mark in the Python begins.
const MARK: &str = "#@";

/// The lines of one file that an entry stands for. Lines are numbered from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// The file that contains the lines.
    pub file: File,
    /// The line that does what the entry reports.
    pub lit: Option<usize>,
    /// The line within which the program is running, if the entry reports what the program does.
    pub inside: Option<usize>,
    /// The lines that were executed since the entry before.
    pub passed: Vec<usize>,
}

/// The lines of squall's source, and of its Python version, that an entry stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The lines of squall itself.
    pub rust: Lines,
    /// The lines of the Runner written in Python.
    pub python: Lines,
}

/// A line of a file, with its mark in the Python: the last of one or more lines, each given by how it begins.
type Anchor = (File, &'static str, &'static str);

const CALL: Anchor =
    (File::Runner, "let (call, location) = (Call::new(coroutine), Location::caller());", "call");
const START: Anchor =
    (File::Runner, "let state = trap(|| gen.insert(make()).resume(Resume::Next));", "start");
const FIRST_YIELD: Anchor = (File::Runner, "let ready = runner.handle_yield(first_yielded);", "handle");
const FIRST_RETURN: Anchor = (File::Runner, "GeneratorState::Returned(value) => Ok(value),", "return");
const FIRST_RAISE: Anchor = (File::Runner, "call.raised(exception, None, place, None)", "raise");
const FIRST_SETTLED: Anchor = (File::Runner, "Future::settled(result)", "return");
const FIRST_FAILED: Anchor = (File::Runner, "Future::settled(result)", "raise");
const PLAIN: Anchor = (File::Runner, "let result = Exception::trap(body, Err);", "plain");
const PLAIN_SETTLED: Anchor = (File::Runner, "Future::settled(result.or_else(", "plain_done");
const PLAIN_FAILED: Anchor = (File::Runner, "Future::settled(result.or_else(", "plain_raise");
const RUN: Anchor = (File::Runner, "let Some(mut gen) = self.gen.take() else { return };", "run");
const RESUMED: Anchor = (File::Runner, "let resumed = match self.future.take() {", "while");
const STATE: Anchor = (File::Runner, "Some(future) => match future.state() {", "while");
const SEND: Anchor = (File::Runner, "State::Done => trap(|| gen.resume(Resume::Send(future))),", "send");
const THROW: Anchor = (File::Runner, "throw(&mut gen, exc.as_ref().expect(\"it has failed\"))", "throw");
const YIELDED: Anchor = (File::Runner, "let ready = self.handle_yield(yielded);", "handle");
const FUTURE: Anchor = (File::Runner, "let future = match yielded.into_future() {", "convert");
const CONVERT: Anchor = (File::Runner, "Err(other) => self.convert(other),", "convert");
const IS_MOMENT: Anchor = (File::Runner, "let ready = if header.is_moment() {", "is_moment");
const MOMENT: Anchor = (File::Runner, "call_soon(self.clone());", "moment");
const IS_PENDING: Anchor = (File::Runner, "} else if header.state() == State::Pending {", "is_done");
const WAIT: Anchor = (File::Runner, "future.call_when_done(self.clone());", "wait");
const ALREADY: Anchor = (File::Runner, "} else {\ntrue", "already");
const BACK: Anchor = (File::Runner, "if !ready || (gen.observed().is_some() && by_the_loop && trace::stops(self, true)) {\nreturn fill(&self.gen, gen);", "back");
const RETURN: Anchor =
    (File::Runner, "GeneratorState::Returned(value) => return self.finish(gen, Ok(value)),", "return");
const RAISE: Anchor = (File::Runner, "let result = self.call.raised(raised, exc,", "raise");
const FINISH: Anchor = (File::Runner, "result if self.result_future.state() == State::Pending =>", "return");
const FAIL: Anchor = (File::Runner, "result if self.result_future.state() == State::Pending =>", "raise");
const NATIVE_CALL: Anchor = (File::Native, "let task = Rc::new_cyclic(|this: &Weak<Task<T>>| {", "call");
const NATIVE_STEP: Anchor = (File::Native, "outside(|| self.untold(|| body.poll(", "send");
const NATIVE_WAIT: Anchor = (File::Native, "self.awaits.set(polled.awaits);", "wait");
const NATIVE_RETURN: Anchor = (File::Native, "Poll::Ready(result) => result,", "return");
const NATIVE_RAISE: Anchor = (File::Native, "self.shared.set_exception(self.call.leave(", "raise");
const NATIVE_SETTLED: Anchor = (File::Native, "self.shared.set_result(value);", "return");
const BEGIN: Anchor = (File::Run, "inner.running.set(true);", "loop");
const SLEEP: Anchor = (File::Run, "inner.sleep()?;", "sleep");
const STOP: Anchor = (File::Run, "if inner.stop.take() | end.get() {", "loop");
const TURN: Anchor = (File::Turn, "pub(super) fn run_turn(&self, after_each: &mut impl FnMut()) {", "due");
const DUE: Anchor = (File::Turn, "timers.take_due_with_age(self.turn_time(), push_due);", "due");
const MAIL: Anchor = (File::Turn, "self.take_mail();", "due");
const BATCH: Anchor = (File::Turn, "for _ in 0..self.ready.len() {", "for");
const POP: Anchor = (File::Turn, "let Some(callback) = self.ready.pop() else { break };", "pop");
const CALLBACK: Anchor = (File::Turn, "None => call(callback),", "pop");

/// All anchors.
const ANCHORS: &[Anchor] = &[
    CALL,
    START,
    FIRST_YIELD,
    FIRST_RETURN,
    FIRST_RAISE,
    FIRST_SETTLED,
    FIRST_FAILED,
    PLAIN,
    PLAIN_SETTLED,
    PLAIN_FAILED,
    RUN,
    RESUMED,
    STATE,
    SEND,
    THROW,
    YIELDED,
    FUTURE,
    CONVERT,
    IS_MOMENT,
    MOMENT,
    IS_PENDING,
    WAIT,
    ALREADY,
    BACK,
    RETURN,
    RAISE,
    FINISH,
    FAIL,
    NATIVE_CALL,
    NATIVE_STEP,
    NATIVE_WAIT,
    NATIVE_RETURN,
    NATIVE_RAISE,
    NATIVE_SETTLED,
    BEGIN,
    SLEEP,
    STOP,
    TURN,
    DUE,
    MAIL,
    BATCH,
    POP,
    CALLBACK,
];

/// Returns the anchors that are not found exactly once, each with a description.
pub fn lost() -> Vec<String> {
    let found = |(file, text, mark): &Anchor| [(*file, places(*file, text)), (File::Python, marks(mark))];
    let wrong = |anchor: &Anchor| {
        let wrong = found(anchor).into_iter().filter(|(_, lines)| lines.len() != 1);
        let lines = wrong.map(|(file, lines)| format!("{}: {anchor:?} at {lines:?}", file.path()));
        lines.collect::<Vec<_>>()
    };
    ANCHORS.iter().flat_map(wrong).collect()
}

/// Returns the lines of squall's files that an entry can light, by their numbers.
#[cfg(test)]
pub(crate) fn lines_of_anchors() -> impl Iterator<Item = (File, usize)> {
    ANCHORS.iter().map(|anchor| (anchor.0, line(*anchor).0))
}

/// Returns the numbers of the lines at which `text` ends. Each of its lines is the beginning of a line of the file.
fn places(file: File, text: &str) -> Vec<usize> {
    let lines: Vec<&str> = file.text().lines().map(str::trim_start).collect();
    let wanted: Vec<&str> = text.lines().collect();
    let is = |at: &usize| lines[*at..].iter().zip(&wanted).all(|(line, wanted)| line.starts_with(wanted));
    let last = lines.len().saturating_sub(wanted.len());
    (0..=last).filter(is).map(|at| at + wanted.len()).collect()
}

/// Returns the numbers of the lines in the Python file that have that mark.
fn marks(mark: &str) -> Vec<usize> {
    let is =
        |(_, line): &(usize, &str)| line.rsplit_once(MARK).is_some_and(|(_, found)| found.trim() == mark);
    (1..).zip(File::Python.text().lines()).filter(is).map(|(number, _)| number).collect()
}

/// Returns the number of an anchor's line in its file and in the Python file.
fn line((file, text, mark): Anchor) -> (usize, usize) {
    // One line of Rust may stand for two of the Python.
    static FOUND: OnceLock<HashMap<[&'static str; 2], (usize, usize)>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let first = |lines: Vec<usize>| lines.first().copied().unwrap_or(1);
        let of =
            |(file, text, mark): &Anchor| ([*text, *mark], (first(places(*file, text)), first(marks(mark))));
        ANCHORS.iter().map(of).collect()
    });
    let _ = file;
    found.get(&[text, mark]).copied().unwrap_or((1, 1))
}

impl Machine {
    /// Returns the lines that an entry stands for, by the states before and after it. They are `None` while neither a loop
    /// nor a coroutine runs.
    pub fn at(before: &State, entry: &Entry, after: &State) -> Option<Self> {
        match does(before, entry) {
            Some((lit, passed)) => Some(Self::new(Some(lit), None, passed)),
            None => inside(after).map(|anchor| Self::new(None, Some(anchor), &[])),
        }
    }

    fn new(lit: Option<Anchor>, inside: Option<Anchor>, passed: &[Anchor]) -> Self {
        let file = lit.or(inside).map_or(File::Runner, |anchor| anchor.0);
        let same = passed.iter().filter(|anchor| anchor.0 == file);
        let rust = Lines {
            file,
            lit: lit.map(|anchor| line(anchor).0),
            inside: inside.map(|anchor| line(anchor).0),
            passed: same.map(|anchor| line(*anchor).0).collect(),
        };
        let python = Lines {
            file: File::Python,
            lit: lit.map(|anchor| line(anchor).1),
            inside: inside.map(|anchor| line(anchor).1),
            passed: passed.iter().map(|anchor| line(*anchor).1).collect(),
        };
        Self { rust, python }
    }
}

/// Returns the line that an entry stands for, and those that were passed for it. `None` if the program runs.
#[allow(clippy::too_many_lines)] // One arm for each entry.
fn does(before: &State, entry: &Entry) -> Option<(Anchor, &'static [Anchor])> {
    let call = |runner| before.calls.get(runner);
    let is_native = |runner| call(runner).is_some_and(|call| call.body == Body::Native);
    let is_plain = |runner| call(runner).is_some_and(|call| call.body == Body::Plain);
    let is_first = |runner| call(runner).is_some_and(|call| call.yields == 0);
    Some(match &entry.event {
        Recorded::Call { body: Body::Generator, .. } => (CALL, &[]),
        Recorded::Call { body: Body::Plain, .. } => (PLAIN, &[]),
        Recorded::Call { body: Body::Native, .. } => (NATIVE_CALL, &[]),
        Recorded::Start { runner } if is_native(runner) => (NATIVE_STEP, &[]),
        Recorded::Start { .. } => (START, &[]),
        Recorded::Wake { .. } => (NATIVE_STEP, &[]),
        Recorded::Send { .. } => (SEND, &[RUN, RESUMED, STATE]),
        Recorded::Throw { .. } => (THROW, &[RUN, RESUMED, STATE]),
        Recorded::Yield { runner, kind: Thing::Future(_), .. } if is_first(runner) => {
            (FUTURE, &[FIRST_YIELD])
        }
        Recorded::Yield { runner, .. } if is_first(runner) => (CONVERT, &[FIRST_YIELD]),
        Recorded::Yield { kind: Thing::Future(_), .. } => (FUTURE, &[YIELDED]),
        Recorded::Yield { .. } => (CONVERT, &[YIELDED]),
        Recorded::Already { .. } => (ALREADY, &[IS_MOMENT, IS_PENDING]),
        Recorded::Wait { runner, .. } if is_native(runner) => (NATIVE_WAIT, &[]),
        Recorded::Wait { future: None, .. } => (IS_MOMENT, &[]),
        Recorded::Wait { .. } => (WAIT, &[IS_MOMENT, IS_PENDING, BACK]),
        Recorded::Push { why: Reason::Moment, .. } => (MOMENT, &[IS_MOMENT, BACK]),
        Recorded::Push { why: Reason::Timer(_), .. } => (DUE, &[]),
        Recorded::Push { why: Reason::Job | Reason::Outside, .. } => (MAIL, &[]),
        Recorded::Return { runner, .. } if is_native(runner) => (NATIVE_RETURN, &[]),
        Recorded::Return { runner, .. } if is_plain(runner) => (PLAIN_SETTLED, &[PLAIN]),
        Recorded::Return { runner, raised: true, .. } if is_first(runner) => (FIRST_RAISE, &[]),
        Recorded::Return { raised: true, .. } => (RAISE, &[]),
        Recorded::Return { runner, .. } if is_first(runner) => (FIRST_RETURN, &[]),
        Recorded::Return { .. } => (RETURN, &[]),
        Recorded::Raise { runner, .. } if is_native(runner) => (NATIVE_RAISE, &[]),
        Recorded::Raise { runner, .. } if is_plain(runner) => (PLAIN_FAILED, &[PLAIN]),
        Recorded::Raise { runner, .. } if is_first(runner) => (FIRST_RAISE, &[]),
        Recorded::Raise { .. } => (RAISE, &[]),
        Recorded::Resolve { future, .. } => {
            let of = before.futures.get(future).and_then(|future| future.call);
            settles(of.and_then(|call| before.calls.get(&call))?)?
        }
        Recorded::Run { .. } => (BEGIN, &[]),
        Recorded::Sleep { .. } => (SLEEP, &[]),
        Recorded::Turn { .. } => (TURN, &[]),
        Recorded::Batch { .. } => (BATCH, &[]),
        Recorded::Pop { .. } => (POP, &[BATCH]),
        Recorded::Stop { .. } => (STOP, &[]),
        _ => return None,
    })
}

/// Returns the line that settles the Future of a call that has just ended, and those that were passed for it.
fn settles(call: &Call) -> Option<(Anchor, &'static [Anchor])> {
    let failed = call.status == Status::Raised;
    call.status.is_over().then_some(match call.body {
        Body::Native if failed => (NATIVE_RAISE, &[]),
        Body::Native => (NATIVE_SETTLED, &[]),
        Body::Plain if failed => (PLAIN_FAILED, &[]),
        Body::Plain => (PLAIN_SETTLED, &[]),
        Body::Generator if call.yields == 0 && failed => (FIRST_FAILED, &[]),
        Body::Generator if call.yields == 0 => (FIRST_SETTLED, &[]),
        Body::Generator if failed => (FAIL, &[]),
        Body::Generator => (FINISH, &[]),
    })
}

/// Returns the line within which the program runs.
fn inside(state: &State) -> Option<Anchor> {
    let Some(call) = state.actor().and_then(|call| state.calls.get(&call)) else {
        return state.running.last().map(|_| CALLBACK);
    };
    Some(match (call.body, call.resumed) {
        (Body::Native, _) => NATIVE_STEP,
        (Body::Plain, _) => PLAIN,
        (Body::Generator, Resumed::Send) => SEND,
        (Body::Generator, Resumed::Throw) => THROW,
        (Body::Generator, _) => START,
    })
}
