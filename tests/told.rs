//! What a trace tells beyond the steps of coroutines: lines of calls and returns, arguments, functions, variables, jobs.

use std::fmt;
use std::time::Duration;

use squall::trace::{self, Entry, Recorded, Scope, State, Timeline, Trace};
use squall::{moment, program, sleep, IoLoop, Result, ThreadPoolExecutor};

/// What `f` finds in the entries.
fn found<'a, R, T>(trace: &'a Trace<R>, f: impl Fn(&'a Recorded) -> Option<T>) -> Vec<T> {
    trace.entries().iter().filter_map(|entry| f(&entry.event)).collect()
}

/// The calls: the name, the line of the call and the arguments of each.
fn calls<R>(trace: &Trace<R>) -> Vec<(&str, Option<u32>, String)> {
    found(trace, |event| match event {
        Recorded::Call { name, place, arguments, .. } => {
            let arguments = arguments.iter().flatten().map(|(name, value)| format!("{name}={value}"));
            Some((&**name, place.map(squall::Place::line), arguments.collect::<Vec<_>>().join(" ")))
        }
        _ => None,
    })
}

#[squall::coroutine]
fn doubled(n: i32, _unused: &'static str) -> Result<i32> {
    yield_!(moment())?;
    Ok(n * 2)
}

#[squall::coroutine]
fn plain(n: i32) -> Result<i32> {
    Ok(n)
}

#[test]
fn a_call_tells_its_line_and_its_arguments() {
    let first = line!() + 2;
    let trace = trace::record(|| {
        drop(doubled(5, "a"));
        drop(plain(-1));
        // A function that is passed on is called somewhere in Rust's library.
        let call: fn(i32) -> squall::Future<i32> = plain;
        drop([7].map(call));
        drop([8].map(plain));
    });
    let told = calls(&trace);
    let five = r#"n=5 _unused="a""#.to_owned();
    assert_eq!(told[0], ("doubled", Some(first), five));
    assert_eq!(told[1], ("plain", Some(first + 1), "n=-1".to_owned()));
    assert_eq!(told[2], ("plain", None, "n=7".to_owned()));
    assert_eq!(told[3], ("plain", None, "n=8".to_owned()));
}

#[test]
fn a_coroutine_that_a_yield_calls_is_called_at_that_line() {
    #[squall::coroutine]
    fn outer() -> Result<i32> {
        let n = yield_!(doubled(1, ""))?;
        yield_!(async move { Ok::<_, fmt::Error>(n) })
    }
    let first = line!() - 3;
    let trace = trace::record(|| IoLoop::current().run_sync(outer));
    let lines: Vec<_> = calls(&trace).into_iter().map(|(_, line, _)| line).collect();
    assert_eq!(lines, [None, Some(first), Some(first + 1)]);
}

#[test]
fn arguments_are_told_whatever_their_types_and_patterns() {
    struct Silent;
    struct Panics;
    impl fmt::Debug for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("expected")
        }
    }
    #[squall::coroutine]
    fn all<T: 'static, D: fmt::Debug + 'static>(
        _silent: Silent,
        _panics: Panics,
        generic: T,
        debug: D,
        (mut a, b): (i32, Option<&'static str>),
        r#type: impl Fn() + 'static,
        _: u8,
    ) -> Result<()> {
        a += 1;
        r#type();
        drop((generic, debug, a, b));
        yield_!(())
    }
    let trace = trace::record(|| drop(all(Silent, Panics, "text", vec![1], (1, Some("x")), || (), 0)));
    let (_, _, arguments) = &calls(&trace)[0];
    let [known, r#type] = arguments.split(" type=").collect::<Vec<_>>()[..] else { panic!("{arguments}") };
    assert_eq!(
        known,
        r#"_silent=<Silent> _panics=<panicked: expected> generic="text" debug=[1] a=1 b=Some("x")"#
    );
    assert!(r#type.starts_with('<'), "{type}", r#type = r#type);
}

#[test]
fn a_long_argument_is_cut_and_printing_it_is_no_part_of_the_trace() {
    struct Calls;
    impl fmt::Debug for Calls {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            drop(plain(1));
            loop {
                f.write_str("long")?;
            }
        }
    }
    #[squall::coroutine]
    fn takes(_calls: Calls) -> Result<()> {
        Ok(())
    }
    let trace = trace::record(|| drop(takes(Calls)));
    let told = calls(&trace);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].2.chars().count(), "_calls=".len() + 401);
    assert!(told[0].2.ends_with('…'));
}

#[test]
fn a_list_that_is_yielded_is_made_at_the_line_of_the_yield() {
    #[squall::coroutine]
    fn both() -> Result<()> {
        yield_!([doubled(1, ""), doubled(2, "")])?;
        let all = squall::multi([sleep(Duration::ZERO), sleep(Duration::ZERO)]);
        yield_!(all)?;
        Ok(())
    }
    let first = line!() - 5;
    let trace = trace::record(|| IoLoop::current().run_sync(both));
    let made = found(&trace, |event| match event {
        Recorded::Made { source: trace::Source::Multi { .. }, place, .. } => place.map(squall::Place::line),
        _ => None,
    });
    assert_eq!(made, [first, first + 1]);
}

#[test]
fn a_job_tells_its_thread_and_when_it_ran() {
    let pool = ThreadPoolExecutor::builder(1).thread_name("pool").build();
    let trace = trace::record(|| IoLoop::current().run_sync(|| pool.submit(|| 5)).unwrap());
    let jobs = found(&trace, |event| match event {
        Recorded::Job { future, thread, started, ended } => Some((*future, &**thread, *started, *ended)),
        _ => None,
    });
    let [(future, "pool-0", Some(started), Some(ended))] = jobs[..] else { panic!("{jobs:?}") };
    let back = trace.entries().iter().find(|entry| matches!(entry.event, Recorded::Job { .. })).unwrap();
    assert!(started <= ended && ended <= back.time, "{jobs:?} at {:?}", back.time);
    let state = Timeline::new(trace.entries()).state(usize::MAX);
    assert!(state.futures.get(&future).is_none_or(|future| future.state == State::Done));
    assert!(trace.to_html().contains("pool-0"));
}

#[test]
fn a_job_on_a_clock_that_jumps_tells_no_time() {
    let pool = ThreadPoolExecutor::builder(1).thread_name("pool").build();
    let io_loop = IoLoop::with_clock(squall::testing::VirtualClock::new());
    let trace = trace::record(|| io_loop.run_sync(|| pool.submit(|| 5)).unwrap());
    let times = found(&trace, |event| match event {
        Recorded::Job { started, ended, .. } => Some((*started, *ended)),
        _ => None,
    });
    assert_eq!(times, [(None, None)]);
}

/// A program that calls functions and coroutines, and has variables.
const PROGRAM: &str = r#"{"name": "bank", "about": "", "defs": {
    "fee": {"kind": "plain", "params": ["amount"], "body": [
        ["let", "part", ["div", "$amount", 10]],
        ["log", "a fee"],
        ["return", "$part"]]},
    "pay": {"kind": "decorated", "params": ["amount"], "body": [
        ["let", "sum", ["+", "$amount", ["call", "fee", "$amount"]]],
        ["yield", null, ["sleep", 1]],
        ["let", "balance", ["-", "$balance", "$sum"]],
        ["return", "$balance"]]},
    "check": {"kind": "native", "params": ["limit"], "body": [
        ["yield", "left", ["call", "pay", 10]],
        ["if", ["<", "$left", "$limit"], [["raise", ["exc", "ValueError", "too little"]]], []],
        ["return", "$left"]]},
    "main": {"kind": "decorated", "params": [], "body": [
        ["yield", "left", ["call", "check", 50]],
        ["yield", null, ["list", ["call", "pay", 20], ["call", "pay", 30]]],
        ["log", "$balance"]]}},
    "top": [["let", "balance", 100], ["run_sync", "main", [], null]]}"#;

/// The trace of the program, and its source.
fn bank() -> (Trace, String) {
    let program = program::parse(PROGRAM).unwrap();
    let trace = trace::record(|| drop(program.run().unwrap()));
    (trace, program.source())
}

/// The text of the line at a place.
fn at(source: &str, place: Option<squall::Place>) -> &str {
    place.map_or("", |place| source.lines().nth(place.line() as usize - 1).unwrap().trim())
}

#[test]
fn calls_prints_returns_and_timers_of_a_program_have_its_lines() {
    let (trace, source) = bank();
    let lines = found(&trace, |event| {
        let (what, place) = match event {
            Recorded::Call { name, place, arguments, .. } => {
                (format!("call {name} {}", arguments.as_ref().unwrap().len()), place)
            }
            Recorded::Note { text, place } => (format!("print {text}"), place),
            Recorded::Return { value, place, .. } => (format!("return {value}"), place),
            Recorded::Run { by, place, .. } => (by.to_string(), place),
            Recorded::Made { place, .. } => ("made".to_owned(), place),
            Recorded::Timer { place, .. } => ("timer".to_owned(), place),
            _ => return None,
        };
        Some(format!("{what}: {}", at(&source, *place)))
    });
    let pays = "yield [pay(20), pay(30)]";
    let sleeps = ["call pay 1", "print a fee", "timer", "made"];
    let expected: Vec<String> = [
        vec!["run_sync: run_sync(main)".to_owned(), "call main 0: ".to_owned()],
        vec!["call check 1: left = yield check(50)".to_owned()],
        ["left = await pay(10)", "log('a fee')", "yield sleep(1)", "yield sleep(1)"]
            .iter()
            .zip(sleeps)
            .map(|(line, what)| format!("{what}: {line}"))
            .collect(),
        vec!["return 89: return balance".to_owned(), "return 89: return left".to_owned()],
        [pays, "log('a fee')", "yield sleep(1)", "yield sleep(1)"]
            .iter()
            .zip(sleeps)
            .cycle()
            .take(8)
            .map(|(line, what)| format!("{what}: {line}"))
            .collect(),
        vec![format!("made: {pays}"), "return 67: return balance".to_owned()],
        vec!["return 34: return balance".to_owned(), "print 34: log(balance)".to_owned()],
        // It falls off its end.
        vec!["return None: ".to_owned()],
    ]
    .concat();
    assert_eq!(lines, expected, "{source}");
}

#[test]
fn functions_of_a_program_are_entered_and_left() {
    let (trace, source) = bank();
    let told = found(&trace, |event| match event {
        Recorded::Enter { name, place, defined, arguments } => Some(format!(
            "{name} {} from {} to {}",
            arguments[0].1,
            at(&source, *place),
            at(&source, *defined)
        )),
        Recorded::Leave { value: Some(value), exception: None, place } => {
            Some(format!("{value} at {}", at(&source, *place)))
        }
        _ => None,
    });
    let enter = |n| format!("fee {n} from sum = (amount + fee(amount)) to def fee(amount):");
    let leave = |n| format!("{n} at return part");
    assert_eq!(told, [enter(10), leave(1), enter(20), leave(2), enter(30), leave(3)]);
    // While it runs, the line of a print is its own, and the coroutine stands at its call.
    let mut state = trace::state::State::default();
    for entry in trace.entries() {
        state.apply(entry);
        if let Recorded::Note { text, .. } = &entry.event {
            if text == "a fee" {
                let (function, call) = (state.function().unwrap(), &state.calls[&state.actor().unwrap()]);
                assert_eq!((&*function.name, at(&source, function.place)), ("fee", "log('a fee')"));
                assert_eq!((&*call.name, at(&source, call.place)), ("pay", "sum = (amount + fee(amount))"));
            }
        }
    }
    assert!(state.functions.is_empty());
    let text = trace.to_text();
    assert!(text.contains("call fee(10)") && text.contains("fee returns 1"), "{text}");
}

#[test]
fn a_function_that_raises_is_left_with_its_exception() {
    let text = r#"{"name": "t", "about": "", "defs": {
        "bad": {"kind": "plain", "params": [], "body": [["raise", ["exc", "KeyError", "no"]]]},
        "main": {"kind": "decorated", "params": [], "body": [
            ["try", [["expr", ["call", "bad"]]], [[["KeyError"], null, []]], [], []]]}},
        "top": [["run_sync", "main", [], null], ["add_callback", "bad"], ["run_sync", "main", [], null]]}"#;
    let program = program::parse(text).unwrap();
    let trace = trace::record(|| drop(program.run().unwrap()));
    let left = found(&trace, |event| match event {
        Recorded::Leave { value: None, exception, .. } => exception.as_ref().map(ToString::to_string),
        _ => None,
    });
    assert_eq!(left, ["KeyError: no", "KeyError: no", "KeyError: no"]);
    assert_eq!(Trace::from_jsonl(&trace.to_jsonl()).unwrap().entries(), trace.entries());
}

#[test]
fn variables_of_a_suspended_coroutine_and_of_the_program_are_told() {
    let (trace, _) = bank();
    let mut state = trace::state::State::default();
    let mut seen = Vec::new();
    for Entry { event, .. } in trace.entries() {
        if let Recorded::Sleep { .. } = event {
            let values = |all: &[(std::borrow::Cow<'static, str>, String)]| {
                all.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
            };
            let calls =
                state.calls.values().map(|call| format!("{}({})", call.name, values(&call.variables)));
            seen.push(format!("{} | {}", values(&state.variables), calls.collect::<Vec<_>>().join(" ")));
        }
        let entry = Entry { time: state.time, event: event.clone() };
        state.apply(&entry);
    }
    assert_eq!(
        seen,
        [
            "balance=100 | main() check(limit=50) pay(amount=10 sum=11)",
            "balance=89 | main(left=89) pay(amount=20 sum=22) pay(amount=30 sum=33)",
        ]
    );
    // A value is told again only where it has changed.
    let told = found(&trace, |event| match event {
        Recorded::Variables { scope: Scope::Program, variables } => Some(variables[0].1.as_str()),
        _ => None,
    });
    assert_eq!(told, ["100", "89", "67", "34"]);
}
