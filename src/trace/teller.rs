//! [`Story::of`]: makes a story of a list of entries, one entry after the other.

mod waits;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use squall_runner::trace::{Body, CallId, FutureId, Problem, State};
use squall_runner::Place;

use super::locks::Locks;
use super::names::{Names, Unit};
use super::phrases::{Phrase, Phrases};
use super::story::{Act, Actor, Life, Row, Story, Tone, What, LOOP};
use super::{Entry, Recorded, Source, Thing};

/// A yield whose next entry, which says whether it waits, has not come yet.
struct Yielding {
    runner: CallId,
    time: Duration,
    kind: Thing,
    future: Option<FutureId>,
    place: String,
}

/// A description of what a coroutine waits for.
struct Until {
    text: String,
    /// `true` if it is a time, which follows what is yielded without a comma.
    is_time: bool,
}

/// The description of an await of a native coroutine that goes on in the next turn.
const MOMENT: &str = "moment";

/// How lines of the program are shown.
enum Places {
    Untold,
    /// As a number alone, since all of them are in one file.
    Line,
    FileAndLine,
}

/// The story so far, and the state that is needed to go on.
struct Teller<'a> {
    names: &'a Names,
    phrases: Phrases,
    /// How the lines of yields are shown.
    places: Places,
    story: Story,
    /// The number of each call among the actors.
    numbers: HashMap<CallId, usize>,
    /// The running calls, innermost last.
    stack: Vec<CallId>,
    /// The last yield, until its row is made.
    yielding: Option<Yielding>,
    locks: Locks,
    /// The calls that wait for each Future.
    waiters: HashMap<FutureId, Vec<CallId>>,
    /// The calls that have returned or raised.
    over: HashSet<CallId>,
    /// The native calls, which start in a later turn.
    natives: HashSet<CallId>,
    /// How many turns the loop has begun.
    turns: usize,
    /// When the last turn began, if it has no row yet.
    untold_turn: Option<Duration>,
    /// The turns before that one in which nothing happened, and when the last of them began.
    quiet: Option<(RangeInclusive<usize>, Duration)>,
    /// `true` if a loop is running.
    looping: bool,
    /// The names of the running functions that are not coroutines, innermost last.
    functions: Vec<Cow<'static, str>>,
    /// The jobs that come back from another thread, by their Futures.
    jobs: HashMap<FutureId, Job>,
}

/// A job of an executor.
struct Job {
    thread: String,
    /// The actor that stands for its thread, once it was handed over.
    actor: Option<usize>,
}

impl Story {
    /// Makes a story of entries. `lines` says whether it shows the lines of the program.
    pub(crate) fn of(entries: &[Entry], names: &Names, lines: bool, phrases: Phrases) -> Self {
        let mut files = HashSet::new();
        for entry in entries {
            match &entry.event {
                Recorded::Yield { place: Some(place), .. } | Recorded::Wait { place: Some(place), .. } => {
                    files.insert(place.file())
                }
                Recorded::Raise { exception, .. } => {
                    exception.traceback.first().is_some_and(|(place, _)| files.insert(place.file()))
                }
                _ => false,
            };
        }
        let name = phrases.word(Phrase::Loop);
        let the_loop = Actor { label: name.to_owned(), coroutine: name.to_owned(), nth: 1 };
        let mut teller = Teller {
            names,
            phrases,
            places: match files.len() {
                _ if !lines => Places::Untold,
                0 | 1 => Places::Line,
                _ => Places::FileAndLine,
            },
            story: Self {
                actors: vec![the_loop],
                rows: Vec::new(),
                unit: Unit::of(entries),
                phrases,
                waiting: Vec::new(),
            },
            numbers: HashMap::new(),
            stack: Vec::new(),
            yielding: None,
            locks: Locks::default(),
            waiters: HashMap::new(),
            over: HashSet::new(),
            natives: HashSet::new(),
            turns: 0,
            untold_turn: None,
            quiet: None,
            looping: false,
            jobs: entries.iter().filter_map(job).collect(),
            functions: Vec::new(),
        };
        for (index, entry) in entries.iter().enumerate() {
            teller.tell(entry, entries.get(index + 1));
        }
        teller.yielded(None);
        teller.suspended();
        teller.story
    }
}

impl Teller<'_> {
    #[allow(clippy::too_many_lines)] // one arm for each event
    fn tell(&mut self, entry: &Entry, next: Option<&Entry>) {
        let time = entry.time;
        self.locks.note(&entry.event);
        match &entry.event {
            Recorded::Call { runner, body, .. } => self.call(time, *runner, *body),
            Recorded::Start { runner } | Recorded::Wake { runner } => {
                // A generator starts in its call, which has a row already.
                if self.stack.last() != Some(runner) {
                    self.stack.push(*runner);
                    let started = matches!(entry.event, Recorded::Start { .. });
                    let text = if started { Phrase::Start } else { Phrase::GoOn };
                    self.act(time, *runner, self.phrases.word(text), Tone::In, Life::Running);
                }
            }
            Recorded::Send { runner, value, .. } => {
                self.resume(time, *runner, format!("send {value}"), Tone::In);
            }
            Recorded::Throw { runner, exception, .. } => {
                self.resume(time, *runner, format!("throw {exception}"), Tone::Bad);
            }
            Recorded::Yield { runner, kind, future, place, .. } => {
                let place = place.map_or(String::new(), |place| self.place(place));
                let future = match next.map(|next| &next.event) {
                    Some(Recorded::Call { future, .. }) if *kind == Thing::Awaitable => Some(*future),
                    _ => *future,
                };
                let kind = kind.clone();
                self.yielding = Some(Yielding { runner: *runner, time, kind, future, place });
            }
            Recorded::Wait { runner, future, place, on } => {
                if let Some(future) = future {
                    self.waiters.entry(*future).or_default().push(*runner);
                }
                let until = self.until(*future, on.as_deref());
                if self.yielding.is_some() {
                    self.yielded(Some(until));
                } else {
                    let awaited = match future {
                        Some(future) => self.names.future(*future),
                        None => on.as_deref().unwrap_or("a std Future").to_owned(),
                    };
                    let native = self.natives.contains(runner);
                    let place = place.as_ref().map_or(String::new(), |place| self.place(*place));
                    let text = match (native, future) {
                        (true, None) if on.as_deref() != Some(MOMENT) => {
                            let text = self.phrases.word(Phrase::WaitToBeWoken).to_owned();
                            self.waits("await", &awaited, &Until { text, is_time: false }, &place)
                        }
                        (true, _) => self.waits("await", &awaited, &until, &place),
                        (false, _) => until.text,
                    };
                    self.act(time, *runner, text, Tone::Out, Life::Waiting);
                }
                self.leave(*runner);
            }
            Recorded::Return { runner, value, raised, .. } => {
                let text = if *raised { format!("raise Return({value})") } else { format!("return {value}") };
                self.end(time, *runner, text, Tone::Good);
            }
            Recorded::Raise { runner, exception, .. } => {
                // The last frame is the coroutine's own, unless frames were left out.
                let frame = exception.traceback.first().filter(|_| exception.elided == 0);
                let place = frame.map_or(String::new(), |(place, _)| self.place(*place));
                let act = self.of(*runner, format!("raise {exception}"), Tone::Bad, Life::Gone);
                self.row(time, What::Acts(vec![Act { place, ..act }]));
                self.is_over(*runner);
            }
            Recorded::Resolve { future, state, .. } => self.resolve(time, *future, *state),
            Recorded::Report { problem, exception, .. } => {
                let exception = exception.to_string();
                let text = match problem {
                    Problem::NeverAwaited => self.phrases.say(Phrase::Logged, &[&exception]),
                    _ => {
                        self.phrases.say(Phrase::LoggedProblem, &[self.phrases.problem(*problem), &exception])
                    }
                };
                self.row(time, What::Log(text));
            }
            Recorded::Note { text, .. } => {
                self.act_now(time, self.phrases.say(Phrase::Print, &[text]), Tone::Said);
            }
            Recorded::Enter { name, arguments, .. } => {
                let values: Vec<_> = arguments.iter().map(|(_, value)| value.as_str()).collect();
                let call = format!("{name}({})", values.join(", "));
                self.act_now(time, self.phrases.say(Phrase::Call, &[&call]), Tone::Plain);
                self.functions.push(name.clone());
            }
            Recorded::Leave { value, exception, .. } => {
                let name = self.functions.pop().unwrap_or_default();
                let (text, tone) = match (value, exception) {
                    (_, Some(exception)) => (
                        self.phrases.say(Phrase::FunctionRaises, &[&name, &exception.to_string()]),
                        Tone::Bad,
                    ),
                    (value, None) => {
                        let value = value.as_deref().unwrap_or_default();
                        (self.phrases.say(Phrase::FunctionReturns, &[&name, value]), Tone::Plain)
                    }
                };
                self.act_now(time, text, tone);
            }
            Recorded::Run { by, .. } => {
                self.looping = true;
                let mut act = self.by_loop(by.clone().into_owned(), Tone::Plain);
                act.begins = true;
                self.row(time, What::Acts(vec![act]));
            }
            Recorded::Turn { .. } => {
                if let Some(began) = self.untold_turn.replace(time) {
                    let first = self.quiet.take().map_or(self.turns, |(quiet, _)| *quiet.start());
                    self.quiet = Some((first..=self.turns, began));
                }
                self.turns += 1;
            }
            Recorded::Stop { outcome, .. } => {
                self.looping = false;
                let (text, tone) = match outcome {
                    None => (self.phrases.word(Phrase::Stop).to_owned(), Tone::Plain),
                    Some(Ok(value)) => (self.phrases.say(Phrase::Returns, &[value]), Tone::Good),
                    Some(Err(exception)) => {
                        (self.phrases.say(Phrase::Raises, &[&exception.to_string()]), Tone::Bad)
                    }
                };
                let act = self.by_loop(text, tone);
                self.row(time, What::Acts(vec![act]));
            }
            Recorded::LeftOut { events, turns, calls, .. } => {
                self.turns += turns;
                let act = self.by_loop(self.phrases.count(Phrase::EventsLeftOut, *events), Tone::Faint);
                self.row(time, What::Acts(vec![act]));
                for call in calls.iter().filter(|call| call.acts) {
                    let actor = self.begin(call.runner, call.body);
                    let text = self.phrases.word(Phrase::CalledBefore).to_owned();
                    let act = Act {
                        actor,
                        text,
                        tone: Tone::Faint,
                        begins: true,
                        life: Life::Waiting,
                        place: String::new(),
                    };
                    self.row(time, What::Acts(vec![act]));
                }
            }
            // These entries have no row.
            Recorded::Already { .. }
            | Recorded::Abandon { .. }
            | Recorded::Retrieved { .. }
            | Recorded::Dropped { .. }
            | Recorded::Until { .. }
            | Recorded::Sleep { .. }
            | Recorded::Batch { .. }
            | Recorded::Push { .. }
            | Recorded::Pop { .. }
            | Recorded::Retract { .. }
            | Recorded::Timer { .. }
            | Recorded::TimerRemoved { .. }
            | Recorded::Close { .. }
            | Recorded::Lock { .. }
            | Recorded::Queue { .. }
            | Recorded::Variables { .. } => {}
            Recorded::Job { future, .. } => self.come_back(time, *future),
            Recorded::Made { future, .. } if self.jobs.contains_key(future) => self.hand_over(time, *future),
            // Shown where the Future is yielded. When a list is yielded, the last Future made for it is that of the
            // whole list.
            Recorded::Made { future, .. } => {
                if let Some(Yielding { kind: Thing::List(_) | Thing::Dict(_), future: whole, .. }) =
                    &mut self.yielding
                {
                    *whole = Some(*future);
                }
            }
        }
    }

    fn call(&mut self, time: Duration, runner: CallId, body: Body) {
        let yields = self.yielding.as_ref().map(|yielding| yielding.runner);
        self.yielded(None);
        // The yielded thing is being converted, on behalf of the coroutine that yielded it.
        self.stack.extend(yields);
        let caller = self.stack.last().copied();
        let label = self.names.call(runner);
        let actor = self.begin(runner, body);
        let text = self.phrases.say(Phrase::Call, &[&label]);
        let call = match caller {
            Some(caller) => self.of(caller, text, Tone::Plain, Life::Running),
            None => self.by_loop(text, Tone::Plain),
        };
        let (phrase, life) = match body {
            Body::Generator | Body::Plain => (Phrase::Start, Life::Running),
            Body::Native => (Phrase::StartLater, Life::Waiting),
        };
        let text = self.phrases.word(phrase).to_owned();
        let start = Act { actor, text, tone: Tone::In, begins: true, life, place: String::new() };
        self.row(time, What::Acts(vec![call, start]));
        if body != Body::Native {
            self.stack.push(runner);
        }
    }

    /// Shows the thread of a job from when that is handed over. When it begins to run there is not known.
    fn hand_over(&mut self, time: Duration, future: FutureId) {
        let Some(job) = self.jobs.get_mut(&future) else { return };
        let coroutine = self.phrases.say(Phrase::Thread, &[&job.thread]);
        let nth = 1 + self.story.actors.iter().filter(|actor| actor.coroutine == coroutine).count();
        let label = if nth == 1 { coroutine.clone() } else { format!("{coroutine}#{nth}") };
        let actor = self.story.actors.len();
        job.actor = Some(actor);
        self.story.actors.push(Actor { label, coroutine, nth });
        let text = self.phrases.word(Phrase::HandOver).to_owned();
        let by = match self.stack.last() {
            Some(runner) => self.of(*runner, text, Tone::Plain, Life::Running),
            None => self.by_loop(text, Tone::Plain),
        };
        let (text, place) = (self.phrases.word(Phrase::Job).to_owned(), String::new());
        let job = Act { actor, text, tone: Tone::In, begins: true, life: Life::Running, place };
        self.row(time, What::Acts(vec![by, job]));
    }

    /// Ends the column of a job when the loop hears of its result.
    fn come_back(&mut self, time: Duration, future: FutureId) {
        let Some(actor) = self.jobs.get(&future).and_then(|job| job.actor) else { return };
        let (text, place) = (self.phrases.word(Phrase::Done).to_owned(), String::new());
        let done = Act { actor, text, tone: Tone::Good, begins: false, life: Life::Gone, place };
        self.row(time, What::Acts(vec![done]));
    }

    /// Adds a call to the actors, and returns its number.
    fn begin(&mut self, runner: CallId, body: Body) -> usize {
        let actor = self.story.actors.len();
        self.numbers.insert(runner, actor);
        self.story.actors.push(Actor {
            label: self.names.call(runner),
            coroutine: self.names.coroutine(runner).to_owned(),
            nth: self.names.nth(runner),
        });
        if body == Body::Native {
            self.natives.insert(runner);
        }
        actor
    }

    fn resume(&mut self, time: Duration, runner: CallId, text: String, tone: Tone) {
        self.yielded(None);
        if self.stack.last() != Some(&runner) {
            self.stack.push(runner);
        }
        self.act(time, runner, text, tone, Life::Running);
    }

    fn resolve(&mut self, time: Duration, future: FutureId, state: State) {
        if let Some(runner) = self.names.call_of(future) {
            // A call that returns resolves its Future, which the row of the return shows; but not when the Future is
            // cancelled. Then a native coroutine has ended, while a generator goes on and its result is dropped.
            if state == State::Cancelled && !self.over.contains(&runner) {
                if self.natives.contains(&runner) {
                    self.end(time, runner, self.phrases.word(Phrase::Cancelled).to_owned(), Tone::Bad);
                } else {
                    let running = self.stack.contains(&runner);
                    let life = if running { Life::Running } else { Life::Waiting };
                    let text = self.phrases.word(Phrase::ResultCancelled);
                    self.act(time, runner, text, Tone::Bad, life);
                }
            }
            return;
        }
        if self.yielding.as_ref().is_some_and(|yielding| yielding.future == Some(future)) {
            // The row of the yield says that the list is already done.
            return;
        }
        let waiters = self.waiters.remove(&future).unwrap_or_default();
        let name = self.names.future(future);
        let named = |phrase| self.phrases.say(phrase, &[&name]);
        let done = match (self.names.source(future), state) {
            (_, State::Cancelled) => named(Phrase::IsCancelled),
            (Some(Source::Sleep { .. }), _) => named(Phrase::IsOver),
            (Some(Source::Timeout { .. }), State::Failed) => self.phrases.word(Phrase::TimeOver).to_owned(),
            (Some(Source::Multi { len: 1, .. }), _) => named(Phrase::IsDone),
            (Some(Source::Multi { len: 2, .. }), _) => self.phrases.word(Phrase::BothDone).to_owned(),
            (Some(Source::Multi { len, .. }), _) => self.phrases.count(Phrase::AllDone, *len),
            (_, State::Failed) => named(Phrase::IsFailed),
            _ => named(Phrase::IsDone),
        };
        let text = match waiters.as_slice() {
            [] => done,
            [one] => self.phrases.say(Phrase::Ready, &[&done, &self.names.call(*one)]),
            [one, rest @ ..] => {
                let filled = [&*done, &self.names.call(*one), &rest.len().to_string()];
                self.phrases.say(Phrase::ReadyAndMore, &filled)
            }
        };
        let is_source = |is: fn(&Source) -> bool| self.names.source(future).is_some_and(is);
        let is_whole = is_source(|source| !matches!(source, Source::Named(_)));
        let tone = if state == State::Failed && !is_whole { Tone::Bad } else { Tone::Plain };
        self.act_now(time, text, tone);
    }

    fn end(&mut self, time: Duration, runner: CallId, text: String, tone: Tone) {
        self.act(time, runner, text, tone, Life::Gone);
        self.is_over(runner);
    }

    fn is_over(&mut self, runner: CallId) {
        self.over.insert(runner);
        self.leave(runner);
    }

    fn leave(&mut self, runner: CallId) {
        if self.stack.last() == Some(&runner) {
            self.stack.pop();
        }
    }

    /// Adds a row of one coroutine.
    fn act(&mut self, time: Duration, runner: CallId, text: impl Into<String>, tone: Tone, life: Life) {
        let act = self.of(runner, text.into(), tone, life);
        self.row(time, What::Acts(vec![act]));
    }

    /// Adds a row of the running coroutine.
    fn act_now(&mut self, time: Duration, text: String, tone: Tone) {
        match self.stack.last() {
            Some(runner) => self.act(time, *runner, text, tone, Life::Running),
            None => {
                let act = self.by_loop(text, tone);
                self.row(time, What::Acts(vec![act]));
            }
        }
    }

    fn of(&self, runner: CallId, text: String, tone: Tone, life: Life) -> Act {
        let actor = self.numbers.get(&runner).copied().unwrap_or(LOOP);
        Act { actor, text, tone, begins: false, life, place: String::new() }
    }

    fn by_loop(&self, text: String, tone: Tone) -> Act {
        let life = if self.looping { Life::Running } else { Life::Gone };
        Act { actor: LOOP, text, tone, begins: false, life, place: String::new() }
    }

    /// Records the calls that are suspended now.
    fn suspended(&mut self) {
        let mut last = vec![None; self.story.actors.len()];
        for row in &self.story.rows {
            if let What::Acts(acts) = &row.what {
                for act in acts {
                    last[act.actor] = (act.life == Life::Waiting).then_some(&act.text);
                }
            }
        }
        let waiting = self.story.actors.iter().zip(last);
        self.story.waiting =
            waiting.filter_map(|(actor, last)| Some((actor.label.clone(), last?.clone()))).collect();
    }

    fn row(&mut self, time: Duration, what: What) {
        self.yielded(None);
        if self.untold_turn.take().is_some() {
            if let Some((quiet, began)) = self.quiet.take() {
                let (first, last) = quiet.into_inner();
                let [from, to] = [first, last].map(|turn| turn.to_string());
                let text = match first == last {
                    true => self.phrases.say(Phrase::QuietTurn, &[&from]),
                    false => self.phrases.say(Phrase::QuietTurns, &[&from, &to]),
                };
                let act = self.by_loop(text, Tone::Faint);
                self.story.rows.push(Row { time: began, what: What::Acts(vec![act]) });
            }
            self.story.rows.push(Row { time, what: What::Turn(self.turns) });
        }
        self.story.rows.push(Row { time, what });
    }

    /// Returns ` :12`, with the name of the file if there are several. The space is a no-break space.
    fn place(&self, place: Place) -> String {
        let file = place.file().rsplit(['/', '\\']).next().unwrap_or_default();
        match self.places {
            Places::Untold => String::new(),
            Places::Line => format!("\u{a0}:{}", place.line()),
            Places::FileAndLine => format!("\u{a0}{file}:{}", place.line()),
        }
    }
}

/// Returns the job that an entry tells of, with its thread.
fn job(entry: &Entry) -> Option<(FutureId, Job)> {
    match &entry.event {
        Recorded::Job { future, thread, .. } => Some((*future, Job { thread: thread.clone(), actor: None })),
        _ => None,
    }
}
