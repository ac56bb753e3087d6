//! [`Data`]: all that a page shows, as JSON. `docs/page.md` describes it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{json, Map, Value};
use squall_runner::trace::{CallId, FutureId};

use super::ask::{parts, Ask};
use super::sources::Files;
use super::view::View;
use super::Page;
use crate::trace::machine::Machine;
use crate::trace::say::words::{EXPLAINED, KEYS, REASONS, WORDS};
use crate::trace::state::{Job, State, JOB};
use crate::trace::tracks::{Lanes, Segment, Tracks};
use crate::trace::{
    steps, Entry, Excerpt, ExcerptLine, Lang, Marks, Narrator, Part, Recorded, Said, Source, Standing, Step,
};

/// The version of the data, which the script of the page is made for.
const VERSION: u32 = 2;

/// At most so many lines are shown of what was printed before the first step: as many as the page shows.
const PRINTED: usize = 50;

/// The JSON object that a page shows.
#[derive(Debug)]
pub(super) struct Data(Value);

impl Data {
    pub(super) fn of(page: &Page<'_>) -> Self {
        let narrator = Narrator::new(page.entries);
        let files = Files::of(page.entries, page.sources);
        let told = Told::of(page.entries, &narrator, &files, page.most);
        let name = page.name.as_deref().or(files.first()).unwrap_or("trace");
        let asks: Vec<_> = page.asks.iter().filter_map(|asked| ask(asked, told.left_out)).collect();
        Self(json!({
            "version": VERSION,
            "name": name,
            "about": page.about.as_ref().map(|[en, zh]| json!({"en": en, "zh": zh})),
            "language": page.lang.map(Lang::tag),
            "dropped": page.dropped,
            "sources": files.json(),
            "calls": told.calls,
            "futures": told.futures,
            "lanes": told.lanes,
            "segments": told.segments,
            "steps": told.steps,
            "sentences": told.sentences.all,
            "marks": told.marks.all,
            "state": told.state,
            "patches": told.patches,
            "printed": told.printed,
            "runner": {"rust": excerpt(Excerpt::Rust), "python": excerpt(Excerpt::Python)},
            "asks": asks,
            "words": {"en": words(Lang::En), "zh": words(Lang::Zh)},
        }))
    }

    pub(super) fn json(&self) -> String {
        self.0.to_string()
    }
}

/// A table in which each value stands once, however often it is used.
#[derive(Debug, Default)]
struct Table {
    all: Vec<Value>,
    places: HashMap<String, usize>,
}

impl Table {
    fn place(&mut self, value: Value) -> usize {
        let next = self.all.len();
        *self.places.entry(value.to_string()).or_insert_with(|| {
            self.all.push(value);
            next
        })
    }
}

/// The entries, sentences and views that every step of a trace needs.
struct With<'a> {
    entries: &'a [Entry],
    narrator: &'a Narrator<'a>,
    view: View<'a>,
}

/// The steps of a trace, told.
#[derive(Debug, Default)]
struct Told {
    steps: Vec<Value>,
    sentences: Table,
    marks: Table,
    state: Value,
    patches: Vec<Value>,
    calls: Map<String, Value>,
    futures: Map<String, Value>,
    /// The Futures that sentences mention.
    mentioned: BTreeSet<FutureId>,
    lanes: Vec<Value>,
    segments: Vec<Value>,
    /// The lines that were printed and logged, in order. A state has only their number, so that it stays small.
    printed: Vec<Value>,
    /// How many steps came before those that are shown.
    left_out: usize,
}

impl Told {
    /// Tells the last `most` steps.
    fn of(entries: &[Entry], narrator: &Narrator<'_>, files: &Files, most: usize) -> Self {
        let with = With { entries, narrator, view: View { unit: narrator.unit, files, jobs: jobs(entries) } };
        let mut told = Self { state: with.view.nothing(), ..Self::default() };
        let mut tracks = Tracks::default();
        let (mut before, mut after) = (State::default(), State::default());
        let all = steps(entries);
        told.left_out = all.len().saturating_sub(most);
        let all = &all[told.left_out..];
        let first = all.first().map_or(entries.len(), |step| step.entries.start);
        if told.left_out > 0 {
            told.begin(&with, &entries[..first], &mut after);
            before.clone_from(&after);
        }
        for (nth, step) in all.iter().enumerate() {
            let own = &entries[step.entries.clone()];
            own.iter().for_each(|entry| after.apply(entry));
            let machine: Vec<_> = own.iter().map(|entry| Machine::at(&before, entry, &after)).collect();
            let mark = told.marks.place(marks(&machine));
            told.step(nth, step, mark, &with, [&before, &after]);
            let mut patch = with.view.patch(&before, &after);
            told.print(own, &mut patch);
            told.patches.push(patch.into());
            tracks.step(nth, &after);
            if let Some(actor) = narrator.actor(step, &before) {
                tracks.acts(nth, actor);
            }
            before.clone_from(&after);
        }
        told.name(entries, narrator, tracks, all.len());
        told
    }

    /// Begins with everything as it stands after some entries.
    fn begin(&mut self, with: &With<'_>, entries: &[Entry], now: &mut State) {
        entries.iter().for_each(|entry| now.apply(entry));
        let mut patch = with.view.patch(&State::default(), now);
        self.print(entries, &mut patch);
        let surplus = self.printed.len().saturating_sub(PRINTED);
        self.printed.drain(..surplus);
        if surplus > 0 {
            patch.insert("printed".into(), PRINTED.into());
        }
        // The state before the first entry has all of these, and each is empty.
        patch.into_iter().for_each(|(key, value)| self.state[key] = value);
    }

    fn step(
        &mut self,
        nth: usize,
        step: &Step,
        mark: usize,
        With { entries, narrator, view }: &With<'_>,
        [before, after]: [&State; 2],
    ) {
        let head = &entries[step.head];
        let actor = narrator.actor(step, before);
        let told = Lang::ALL.map(|lang| (lang, narrator.tell(step, before, after, lang)));
        let parts = told.iter().flat_map(|(_, said)| said.what.iter().chain(&said.why));
        self.mentioned.extend(parts.filter_map(|part| match part {
            Part::Future(future) => Some(*future),
            _ => None,
        }));
        let says = told.map(|(lang, told)| (lang.tag().to_owned(), said(&told)));
        let say = self.sentences.place(says.into_iter().collect::<Map<_, _>>().into());
        let mut shown = json!({
            "kind": kind(&head.event),
            "turn": after.io_loop().map_or(0, |(_, it)| it.turn),
            "say": say,
            "mark": mark,
        });
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                shown[key] = value;
            }
        };
        put("actor", actor.map(|actor| json!(actor)));
        let own = |actor: CallId| after.calls.get(&actor).and_then(|call| call.place);
        let in_function = after.function().and_then(|function| function.place);
        let at = match &head.event {
            Recorded::Leave { place, .. } => place.or_else(|| before.function()?.place),
            _ => in_function.or_else(|| actor.map_or_else(|| head.event.place(), own)),
        };
        put("at", at.and_then(|place| view.place(place)));
        let (calls, future) = match &head.event {
            Recorded::Call { runner, future, .. } => (Some(*runner), Some(*future)),
            Recorded::Yield { future, .. }
            | Recorded::Wait { future, .. }
            | Recorded::Send { future, .. }
            | Recorded::Throw { future, .. } => (None, *future),
            Recorded::Made { future, .. }
            | Recorded::Resolve { future, .. }
            | Recorded::Already { future, .. } => (None, Some(*future)),
            _ => (None, None),
        };
        put("calls", calls.map(|call| json!(call)));
        put("future", future.map(|future| json!(future)));
        let wakes: Vec<_> = entries[step.entries.clone()].iter().filter_map(woken).collect();
        put("wakes", (!wakes.is_empty()).then(|| json!(wakes)));
        if let Recorded::Turn { .. } = head.event {
            let later =
                nth == 0 || before.time != after.time || before.io_loop().is_none_or(|(_, it)| it.turn == 0);
            put("time", later.then(|| view.unit.tell(head.time).into()));
        }
        self.steps.push(shown);
    }

    /// Adds what is printed and logged in a step, and its number to the patch of the step.
    fn print(&mut self, entries: &[Entry], patch: &mut Map<String, Value>) {
        let line = |entry: &Entry| match &entry.event {
            Recorded::Note { text, .. } => Some(json!({"text": text})),
            Recorded::Report { exception, .. } => {
                Some(json!({"text": exception.to_string(), "logged": true}))
            }
            _ => None,
        };
        let before = self.printed.len();
        self.printed.extend(entries.iter().filter_map(line));
        if self.printed.len() > before {
            patch.insert("printed".into(), self.printed.len().into());
        }
    }

    /// Adds the names of all calls and Futures, and the lanes.
    fn name(&mut self, entries: &[Entry], narrator: &Narrator<'_>, tracks: Tracks, steps: usize) {
        let Lanes { segments, names, of } = tracks.finish(steps, narrator);
        self.lanes = [Value::Null].into_iter().chain(names.into_iter().map(Value::String)).collect();
        let segment =
            |segment: &Segment| json!([segment.call, segment.from, segment.to, segment.track.name()]);
        self.segments = segments.iter().map(segment).collect();
        for (call, lane) in of {
            let call_is = json!({"label": narrator.names.call(call), "lane": lane});
            self.calls.insert(call.0.to_string(), call_is);
        }
        let mut all = futures(entries);
        all.append(&mut self.mentioned);
        for future in all {
            let mut named = json!({"label": narrator.names.future(future)});
            if let Some(call) = narrator.names.call_of(future) {
                named["call"] = json!(call);
            }
            self.futures.insert(future.0.to_string(), named);
        }
    }
}

/// Returns the jobs of executors, and how each ran, if it comes back.
fn jobs(entries: &[Entry]) -> BTreeMap<FutureId, Option<Job>> {
    let job = |entry: &Entry| match &entry.event {
        Recorded::Made { future, source: Source::Named(name), .. } if name == JOB => Some((*future, None)),
        Recorded::Job { future, thread, started, ended } => {
            let job = Job { thread: thread.clone(), started: *started, ended: *ended };
            Some((*future, Some(job)))
        }
        _ => None,
    };
    entries.iter().filter_map(job).collect()
}

/// Returns the call that an entry wakes.
fn woken(entry: &Entry) -> Option<CallId> {
    use crate::trace::Reason;
    match entry.event {
        Recorded::Push { queued: Standing::Call(call), why: Reason::Done(_) | Reason::Woken, .. } => {
            Some(call)
        }
        _ => None,
    }
}

/// Returns all Futures that are mentioned.
fn futures(entries: &[Entry]) -> BTreeSet<FutureId> {
    let mut all = BTreeSet::new();
    for entry in entries {
        match &entry.event {
            Recorded::Call { future, .. }
            | Recorded::Made { future, .. }
            | Recorded::Resolve { future, .. }
            | Recorded::Already { future, .. }
            | Recorded::Until { future, .. }
            | Recorded::Yield { future: Some(future), .. }
            | Recorded::Wait { future: Some(future), .. }
            | Recorded::Push { queued: Standing::Future(future), .. }
            | Recorded::Timer { queued: Standing::Future(future), .. } => {
                all.insert(*future);
            }
            Recorded::LeftOut { calls, made, .. } => {
                all.extend(calls.iter().map(|call| call.future));
                all.extend(made.iter().map(|(future, _)| *future));
            }
            _ => {}
        }
    }
    all
}

/// Returns the name of an entry, as in JSON Lines.
fn kind(event: &Recorded) -> Value {
    let event = serde_json::to_value(event).expect("an entry is JSON");
    event["event"].clone()
}

fn said(said: &Said) -> Value {
    json!([sentence(&said.what), sentence(&said.why), said.brief])
}

fn sentence(sentence: &[Part]) -> Value {
    let part = |part: &Part| match part {
        Part::Text(text) => json!(text),
        Part::Call(call) => json!({"call": call}),
        Part::Future(future) => json!({"future": future}),
        Part::Code(code) => json!({"code": code}),
    };
    sentence.iter().map(part).collect()
}

/// Returns the lines of the machine, each that a step can mark with its number among them.
fn excerpt(excerpt: Excerpt) -> Value {
    let line = |(id, line): (usize, &ExcerptLine)| {
        let mut shown = json!({"text": line.text});
        if let Some(number) = line.number {
            (shown["id"], shown["number"]) = (id.into(), number.into());
        }
        if let Some(file) = line.file {
            shown["file"] = file.into();
        }
        shown
    };
    excerpt.lines().iter().enumerate().map(line).collect()
}

/// Returns the lines of the machine that a step marks.
fn marks(entries: &[Option<Machine>]) -> Value {
    let found = |excerpt: Excerpt| {
        let Marks { lit, inside, passed } = excerpt.marks(entries);
        let one = |id: Option<usize>| id.into_iter().collect::<Vec<_>>();
        json!({"lit": one(lit), "passed": passed, "inside": one(inside)})
    };
    json!({"rust": found(Excerpt::Rust), "python": found(Excerpt::Python)})
}

/// Returns a question, unless it comes before the steps that are shown.
fn ask(ask: &Ask, left_out: usize) -> Option<Value> {
    let both = |[en, zh]: &[String; 2]| json!({"en": sentence(&parts(en)), "zh": sentence(&parts(zh))});
    let options: Vec<_> = ask.options.iter().map(both).collect();
    let mut shown = json!({
        "before": ask.before.checked_sub(left_out)?, "question": both(&ask.question), "options": options, "right": ask.right, "why": both(&ask.why),
    });
    if let Some(decides) = ask.decides.and_then(|decides| decides.checked_sub(left_out)) {
        shown["decides"] = decides.into();
    }
    Some(shown)
}

/// Returns the words of the page.
fn words(lang: Lang) -> Value {
    let table = |table: &'static [(&'static str, [&'static str; 2])]| {
        let word = |(name, texts): &(&'static str, [&'static str; 2])| {
            ((*name).to_owned(), texts[lang as usize].into())
        };
        table.iter().map(word).collect::<Map<String, Value>>()
    };
    let mut words = table(WORDS);
    words.insert("language".into(), lang.tag().into());
    words.insert("why".into(), table(REASONS).into());
    words.insert("keys".into(), KEYS.iter().map(|(key, texts)| json!([key, texts[lang as usize]])).collect());
    let explained = EXPLAINED.iter().map(|(name, forms, texts)| {
        ((*name).to_owned(), json!({"forms": forms[lang as usize], "text": texts[lang as usize]}))
    });
    words.insert("explained".into(), explained.collect::<Map<_, _>>().into());
    words.into()
}
