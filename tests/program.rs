//! Coroutine programs: the errors of malformed programs, and of programs that fail while they run.
#![cfg(feature = "program")]

use std::rc::Rc;

use squall::program::{parse, Outcome, Program, ProgramError, Report};
use squall::trace::{observe, Event, Observer};

/// A program with these statements in a def `main` of this kind, which is run.
fn text(kind: &str, body: &str) -> String {
    format!(
        r#"{{"name": "test", "about": "", "defs": {{"main": {{"kind": "{kind}", "params": [], "body": {body}}}}},
            "top": [["run_sync", "main", [], null]]}}"#
    )
}

fn program(kind: &str, body: &str) -> Program {
    parse(&text(kind, body)).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> ProgramError {
    parse(text).expect_err("it is not well formed")
}

/// Checks the path and the message of the error for a body of a plain `main`.
#[track_caller]
fn wrong(body: &str, path: &str, message: &str) {
    wrong_in("plain", body, path, message);
}

#[track_caller]
fn wrong_in(kind: &str, body: &str, path: &str, message: &str) {
    let error = error(&text(kind, body));
    assert_eq!((error.path(), error.message()), (path, message), "{body}");
}

fn run(kind: &str, body: &str) -> Report {
    program(kind, body).run().unwrap_or_else(|error| panic!("{error}"))
}

fn given_up(kind: &str, body: &str) -> String {
    program(kind, body).run().expect_err("it is given up").to_string()
}

#[test]
fn a_text_that_is_no_json_is_refused_with_its_line() {
    assert_eq!(error("").to_string(), "the JSON text: EOF while parsing a value at line 1 column 0");
    assert_eq!(error("{\n]").to_string(), "the JSON text: key must be a string at line 2 column 1");
    assert!(error("{} {}").message().starts_with("trailing characters"));
}

#[test]
fn a_program_is_an_object_with_four_keys() {
    assert_eq!(error("[]").to_string(), "expected an object, found an empty array");
    assert_eq!(error("{}").to_string(), r#"the key "name" is missing"#);
    let more = error(r#"{"name": "", "about": "", "defs": {}, "top": [["start"]], "more": 1}"#);
    assert_eq!(more.to_string(), "more: unknown key: expected name, about, defs, top");
    let name = error(r#"{"name": 1, "about": "", "defs": {}, "top": [["start"]]}"#);
    assert_eq!(name.to_string(), "name: expected a string, found 1");
    let idle = error(r#"{"name": "", "about": "", "defs": {}, "top": []}"#);
    assert_eq!(
        idle.to_string(),
        "top: nothing runs the loop: expected a run_sync or a start among the statements"
    );
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    let def = r#"{"kind": "plain", "params": [], "body": [["return"]]}"#;
    let twice =
        format!(r#"{{"name": "", "about": "", "defs": {{"f": {def}, "f": {def}}}, "top": [["start"]]}}"#);
    assert_eq!(error(&twice).to_string(), "defs.f: this key comes twice");
    let twice = r#"{"name": "", "name": "", "about": "", "defs": {}, "top": [["start"]]}"#;
    assert_eq!(error(twice).to_string(), "name: this key comes twice");
}

#[test]
fn arrays_too_deep_are_refused_and_do_not_overflow_the_stack() {
    let deep = "[".repeat(1_000_000);
    assert!(error(&deep).message().starts_with("arrays are nested deeper than 200"));
    let negations = |n| format!(r#"[["log", {}1{}]]"#, r#"["not", "#.repeat(n), "]".repeat(n));
    assert!(parse(&text("plain", &negations(190))).is_ok());
    assert!(parse(&text("plain", &negations(200))).is_err());
}

#[test]
fn a_statement_is_told_by_its_path() {
    wrong("[5]", "defs.main.body[0]", "expected an array, found 5");
    wrong(
        "[[]]",
        "defs.main.body[0]",
        "expected a statement, which begins with the name of an operation, found an empty array",
    );
    wrong(
        r#"[["jump"]]"#,
        "defs.main.body[0][0]",
        r#"expected a statement, found the unknown operation "jump""#,
    );
    wrong("[]", "defs.main.body", "expected at least one statement");
    wrong(
        r#"[["if", true, [["log", "a"], ["let", "x"]], []]]"#,
        "defs.main.body[0][2][1]",
        r#"expected the form ["let", name, e]"#,
    );
    wrong(r#"[["busy"]]"#, "defs.main.body[0]", "busy: an argument is missing: expected an expression");
    wrong(r#"[["stop", 1]]"#, "defs.main.body[0][1]", "expected no more arguments of stop, found 1");
}

#[test]
fn an_expression_is_told_by_its_path() {
    wrong(
        r#"[["log", 1.5]]"#,
        "defs.main.body[0][1]",
        "expected an integer of at most 64 bits, found the number 1.5",
    );
    wrong(r#"[["log", {}]]"#, "defs.main.body[0][1]", "expected an expression, found an object");
    let large = "expected an integer of at most 64 bits, found the number 9223372036854776000";
    wrong(r#"[["log", 9223372036854775808]]"#, "defs.main.body[0][1]", large);
    wrong(
        r#"[["log", ["+", 1]]]"#,
        "defs.main.body[0][1]",
        "+: an argument is missing: expected an expression",
    );
    wrong(
        r#"[["log", ["call", "g"]]]"#,
        "defs.main.body[0][1][1]",
        r#"expected the name of a def, found "g""#,
    );
    wrong(r#"[["log", ["call", "main", 1]]]"#, "defs.main.body[0][1]", "the def takes 0 arguments, found 1");
    wrong(r#"[["log", ["new", "Mutex"]]]"#, "defs.main.body[0][1][1]", r#"expected a class, found "Mutex""#);
    wrong(
        r#"[["log", [".", "$x", "fly"]]]"#,
        "defs.main.body[0][1][2]",
        r#"expected the name of a method, found "fly""#,
    );
    wrong(
        r#"[["log", ["dict", [["a"]]]]]"#,
        "defs.main.body[0][1][1][0]",
        "expected a key and an expression, found an array",
    );
    wrong(
        r#"[["raise", ["exc", "Return"]]]"#,
        "defs.main.body[0][1][1]",
        r#"expected one of ValueError, KeyError, RuntimeError, ZeroDivisionError, TypeError, TimeoutError, AppError, found "Return""#,
    );
    wrong(
        r#"[["log", ["multi", ["list"], ["Oops"]]]]"#,
        "defs.main.body[0][1][2][0]",
        r#"expected the type of an exception, found "Oops""#,
    );
}

#[test]
fn a_name_is_an_identifier_that_means_nothing_else() {
    let path = "defs.main.body[0][1]";
    wrong(r#"[["let", "a b", 1]]"#, path, r#"expected a name, which is a Python identifier, found "a b""#);
    wrong(r#"[["log", "$"]]"#, path, r#"expected a name, which is a Python identifier, found """#);
    wrong(r#"[["let", "lambda", 1]]"#, path, "expected a name, found lambda, which is a word of Python");
    wrong(r#"[["let", "sleep", 1]]"#, path, "expected a name, found sleep, which the language uses");
    assert!(parse(&text("plain", r#"[["let", "名前", 1], ["log", "$名前"]]"#)).is_ok());
    let def = r#"{"kind": "plain", "params": ["a", "a"], "body": [["return"]]}"#;
    let params = format!(r#"{{"name": "", "about": "", "defs": {{"f": {def}}}, "top": [["start"]]}}"#);
    assert_eq!(error(&params).to_string(), "defs.f.params[1]: the parameter a comes twice");
}

#[test]
fn a_global_lends_its_name_to_nothing_else() {
    let with_global = |def: &str, name: &str| {
        let text = format!(
            r#"{{"name": "", "about": "", "defs": {{"{name}": {def}}}, "top": [["let", "g", 1], ["start"]]}}"#
        );
        error(&text).to_string()
    };
    let def = r#"{"kind": "plain", "params": [], "body": [["return"]]}"#;
    assert_eq!(with_global(def, "g"), "defs.g: the def g has the name of a global: expected another name");
    let def = r#"{"kind": "plain", "params": ["g"], "body": [["return"]]}"#;
    assert_eq!(with_global(def, "f"), "defs.f.params[0]: the parameter g has the name of a global");
    let handler = r#"[["try", [], [[["ValueError"], "g", []]], [], []]]"#;
    let def = format!(r#"{{"kind": "plain", "params": [], "body": {handler}}}"#);
    let expected = "defs.f.body[0][2][0][1]: the handler's variable g has the name of a global";
    assert_eq!(with_global(&def, "f"), expected);
}

#[test]
fn what_suspends_stands_only_where_it_may() {
    let here = "defs.main.body[0]";
    wrong(r#"[["yield", null, null]]"#, here, "yield may only be in a decorated or native def");
    wrong_in("native", r#"[["with_yield", null, []]]"#, here, "with_yield may only be in a decorated def");
    wrong_in("decorated", r#"[["async_with", null, []]]"#, here, "async_with may only be in a native def");
    wrong_in("decorated", r#"[["async_for", "x", null, []]]"#, here, "async_for may only be in a native def");
    wrong(r#"[["start"]]"#, here, "start may only be at the top");
}

#[test]
fn what_leaves_stands_only_where_it_may() {
    let not_in_a_loop = "break is not in a loop, or would leave a finally";
    wrong(r#"[["break"]]"#, "defs.main.body[0]", not_in_a_loop);
    let in_finally = r#"[["while", true, [["try", [], [], [], [["break"]]]]]]"#;
    wrong(in_finally, "defs.main.body[0][2][0][4][0]", not_in_a_loop);
    wrong(r#"[["reraise"]]"#, "defs.main.body[0]", "reraise is not in a handler");
    let returns = r#"[["try", [], [], [], [["return"]]]]"#;
    wrong(returns, "defs.main.body[0][4][0]", "return may not be at the top nor in a finally");
    wrong(r#"[["try", [], [], [], []]]"#, "defs.main.body[0]", "expected a handler or a finally");
    wrong(
        r#"[["try", [], [[[], null, []]], [], []]]"#,
        "defs.main.body[0][2][0][0]",
        "expected at least one type of exception",
    );
}

#[test]
fn a_program_that_never_ends_is_given_up() {
    let endless = given_up("plain", r#"[["while", true, []]]"#);
    assert_eq!(endless, "more than 500000 statements were run: does it ever end?");
    let turning = given_up("decorated", r#"[["while", true, [["yield", null, null]]]]"#);
    assert!(turning.starts_with("more than 1500 records"), "{turning}");
    let idle = given_up("native", r#"[["while", true, [["yield", null, ["asyncio_sleep", 0]]]]]"#);
    assert!(idle.starts_with("more than 3000 turns"), "{idle}");
}

#[test]
fn calls_without_end_are_given_up_and_do_not_overflow_the_stack() {
    for (kind, body) in [
        ("plain", r#"[["return", ["call", "main"]]]"#),
        ("decorated", r#"[["yield", null, ["call", "main"]]]"#),
        ("decorated", r#"[["return", ["call", "main"]]]"#),
        ("native", r#"[["yield", null, ["call", "main"]]]"#),
    ] {
        assert_eq!(given_up(kind, body), "calls are nested deeper than 1000", "{kind}");
    }
}

#[test]
fn calls_may_be_nested_hundreds_deep() {
    for (kind, pause, wait) in [
        ("plain", "", r#""let", "r""#),
        ("decorated", r#"["yield", null, ["sleep", 1]],"#, r#""yield", "r""#),
        ("native", r#"["yield", null, ["sleep", 1]],"#, r#""yield", "r""#),
    ] {
        let text = format!(
            r#"{{"name": "", "about": "", "defs": {{
                "f": {{"kind": "{kind}", "params": ["n"], "body": [
                    ["if", ["==", "$n", 0], [{pause} ["return", 0]], []],
                    [{wait}, ["call", "f", ["-", "$n", 1]]],
                    ["return", ["+", "$r", 1]]]}},
                "main": {{"kind": "native", "params": [], "body": [
                    [{wait}, ["call", "f", 300]], ["return", "$r"]]}}}},
                "top": [["run_sync", "main", [], null]]}}"#
        );
        let report = parse(&text).unwrap().run().unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(report.outcomes, [Outcome::Result(300.into())], "{kind}");
    }
}

#[test]
fn a_variable_that_was_not_assigned_ends_the_run() {
    let message = given_up("plain", r#"[["log", "$x"]]"#);
    assert_eq!(message, "NameError: the variable x is read before it was assigned");
    let handler = r#"[["try", [["raise", ["exc", "ValueError"]]], [[["ValueError"], "e", []]], [], []], ["log", "$e"]]"#;
    let message = given_up("plain", handler);
    assert_eq!(message, "UnboundLocalError: the variable e is read before it was assigned");
}

#[test]
fn what_only_python_raises_is_caught_by_exception_and_never_shown() {
    for wrong in [r#""$x""#, r#"["get", ["list"], 0]"#, r#"[".", "text", "acquire"]"#] {
        let handled = format!(
            r#"[["try", [["log", {wrong}]], [[["ValueError"], null, []], [["Exception"], null, [["log", "caught"]]]], [], []]]"#
        );
        assert_eq!(run("plain", &handled).events[0].text, "caught", "{wrong}");
        assert!(program("plain", &format!(r#"[["log", {wrong}]]"#)).run().is_err(), "{wrong}");
    }
}

#[test]
fn no_handler_and_no_finally_runs_once_a_program_is_given_up() {
    let body = r#"[["try", [["log", ["*", 4294967296, 4294967296]]], [[["BaseException"], null, [["log", "handler"]]]], [], [["log", "finally"]]]]"#;
    let error = program("plain", body).run().unwrap_err();
    assert_eq!(error.report().events, []);
}

#[test]
fn an_exception_that_leaves_the_top_ends_the_run() {
    let text =
        r#"{"name": "", "about": "", "defs": {}, "top": [["start"], ["raise", ["exc", "ValueError", "v"]]]}"#;
    let error = parse(text).unwrap().run().unwrap_err();
    assert_eq!(error.to_string(), "the top level raised ValueError: v");
    assert_eq!(error.report().outcomes, [Outcome::Hang]);
}

#[test]
fn numbers_that_do_not_fit_end_the_run() {
    let body = r#"[["let", "x", 2], ["for", "i", 6, [["let", "x", ["*", "$x", "$x"]]]]]"#;
    assert_eq!(given_up("plain", body), "an integer does not fit 64 bits");
}

#[test]
fn values_that_hold_themselves_are_not_shown_for_ever() {
    let body = r#"[["let", "l", ["list"]], ["append", "$l", "$l"], ["append", "$l", "$l"], ["log", "$l"]]"#;
    assert_eq!(given_up("plain", body), "a value is too large or nested too deeply to be shown");
    let body = r#"[["let", "l", ["list"]], ["append", "$l", "$l"], ["let", "m", ["list"]], ["append", "$m", "$m"],
        ["log", ["==", "$l", "$m"]]]"#;
    assert_eq!(given_up("plain", body), "values are nested too deeply to be compared");
}

#[test]
fn values_in_values_without_end_do_not_overflow_the_stack() {
    for (first, next) in [
        (r#"["list"]"#, r#"["let", "l", ["list", "$l"]]"#),
        (r#"["dict", []]"#, r#"["let", "l", ["dict", [["k", "$l"]]]]"#),
        (r#"["exc", "KeyError"]"#, r#"["let", "l", ["exc", "KeyError", "$l"]]"#),
        (r#"["new", "Future"]"#, r#"["let", "l", ["maybe_future", ["list", "$l"]]]"#),
        (
            r#"["new", "Queue", 0]"#,
            r#"["let", "q", ["new", "Queue", 0]], ["expr", [".", "$q", "put_nowait", "$l"]], ["let", "l", "$q"]"#,
        ),
    ] {
        let body = format!(r#"[["let", "l", {first}], ["for", "i", 100000, [{next}]], ["let", "l", null]]"#);
        assert_eq!(run("plain", &body).outcomes, [Outcome::Result(serde_json::Value::Null)], "{next}");
    }
}

#[test]
fn lists_that_are_too_deep_or_too_large_are_not_waited_for() {
    for (items, times) in [("\"$l\"", 100_000), ("\"$l\", \"$l\"", 40)] {
        let body = format!(
            r#"[["let", "l", ["moment"]], ["for", "i", {times}, [["let", "l", ["list", {items}]]]], ["yield", null, "$l"]]"#
        );
        let why = "RecursionError: lists are nested too deeply to be waited for";
        assert_eq!(given_up("decorated", &body), why, "{items}");
    }
}

#[test]
fn a_text_that_grows_without_end_is_given_up() {
    let doubled = r#"[["let", "s", "ab"], ["while", true, [["let", "s", ["cat", "$s", "$s"]]]]]"#;
    assert_eq!(given_up("plain", doubled), "a value is too large or nested too deeply to be shown");
    let long = "a".repeat(1000);
    let kept = format!(r#"[["let", "l", ["list"]], ["while", true, [["append", "$l", ["cat", "{long}"]]]]]"#);
    assert_eq!(given_up("plain", &kept), "more than 10000000 bytes of text were made");
}

#[test]
fn a_run_has_a_loop_of_its_own() {
    let outer = squall::IoLoop::current();
    let report = run("decorated", r#"[["yield", null, ["sleep", 5]], ["yield", null, ["new", "Future"]]]"#);
    assert_eq!((report.outcomes, report.end_ms), (vec![Outcome::Hang], 5));
    // The coroutine that the program left behind is not waited for here.
    assert_eq!(outer.run_sync(|| squall::Future::ready(5)).unwrap(), 5);
    assert!(outer
        .run_sync(squall::Future::<()>::new)
        .unwrap_err()
        .to_string()
        .ends_with("can wake the loop"));
}

#[test]
fn an_observer_sees_a_run_and_what_the_program_logs() {
    #[derive(Default)]
    struct Kinds(std::cell::RefCell<Vec<String>>);
    impl Observer for Kinds {
        fn event(&self, event: &Event<'_>) {
            let shown = format!("{event:?}");
            let kind = shown.split([' ', '{']).next().unwrap_or_default().to_owned();
            let kind = if let Event::Note { text, .. } = event { format!("Note {text}") } else { kind };
            self.0.borrow_mut().push(kind);
        }
    }
    let kinds = Rc::new(Kinds::default());
    let observing = observe(kinds.clone());
    run("decorated", r#"[["log", "hello"], ["yield", null, null]]"#);
    drop(observing);
    let seen = kinds.0.take();
    for kind in ["Call", "Start", "Note hello", "Yield", "Turn", "Send", "Return"] {
        assert!(seen.iter().any(|other| other == kind), "{kind} is missing in {seen:?}");
    }
}

#[test]
fn the_source_is_python() {
    let text = r#"{"name": "", "about": "", "defs": {
        "f": {"kind": "native", "params": ["a", "b"], "body": [["async_for", "x", "$a", [["log", "it's", "$x"]]]]},
        "g": {"kind": "decorated", "params": [], "body": [
            ["try", [["yield", "n", ["with_timeout", 5, ["call", "f", 1, null], ["KeyError"]]]],
                [[["ValueError", "KeyError"], "e", [["reraise"]]], [["Exception"], null, []]], [["gen_return", "$n"]], [["stop"]]],
            ["expr", [".", "$q", "put", ["list", true, {DICT}], 3]],
            ["expr", ["call_later", 1, "g"]]]}},
        "top": [["let", "q", ["new", "PeriodicCallback", "g", 5]], ["run_sync", "g", [], 20]]}"#;
    let text = text.replace("{DICT}", r#"["dict", [["k", ["+", 1, -2]]]]"#);
    assert_eq!(
        parse(&text).unwrap().source(),
        r#"async def f(a, b):
    async for x in a:
        log("it's", x)

@coroutine
def g():
    try:
        n = yield with_timeout(5, f(1, None), quiet=[KeyError])
    except (ValueError, KeyError) as e:
        raise
    except Exception:
        pass
    else:
        raise Return(n)
    finally:
        stop()
    q.put([True, {'k': (1 + -2)}], 3)
    call_later(1, g)

q = PeriodicCallback(g, 5)
run_sync(g, timeout=20)
"#
    );
}

#[test]
fn the_program_of_the_documentation_runs() {
    let text = include_str!("../docs/programs.md");
    let (_, text) = text.split_once("```json\n").expect("there is one");
    let (text, _) = text.split_once("```").expect("it ends");
    let report = parse(text).unwrap().run().unwrap();
    assert_eq!((report.events[0].text.as_str(), report.end_ms), ("slept until 20", 20));
}

#[test]
fn what_is_nested_as_deep_as_it_may_be_runs() {
    let statements = |n| format!("{}{}", r#"["if", true, ["#.repeat(n), "], []]".repeat(n));
    let body = format!("[{}]", statements(96).replace("[], []]", r#"[["yield", null, ["sleep", 1]]], []]"#));
    assert_eq!(run("decorated", &body).end_ms, 1);
    let expressions = |n| format!("{}1{}", r#"["not", "#.repeat(n), "]".repeat(n));
    assert_eq!(run("plain", &format!(r#"[["log", {}]]"#, expressions(190))).events[0].text, "true");
}

#[cfg(feature = "trace")]
#[test]
fn awaits_of_a_native_def_have_the_line_of_the_program() {
    let text = r#"{"name": "", "about": "", "defs": {
        "pause": {"kind": "native", "params": ["ms"], "body": [["yield", null, ["sleep", "$ms"]]]},
        "main": {"kind": "native", "params": [], "body": [
            ["log", "first"], ["yield", null, ["sleep", 1]], ["yield", null, ["call", "pause", 2]]]}},
        "top": [["run_sync", "main", [], null]]}"#;
    let program = parse(text).unwrap();
    let trace = squall::trace::record(|| program.run().unwrap());
    let source = program.source();
    let text = trace.text().width(200).without_tracebacks().to_string().replace('\u{a0}', " ");
    let first_await = |def: &str| {
        let lines = source.lines().enumerate().skip_while(|(_, line)| !line.contains(def));
        lines.map(|(n, line)| (n + 1, line)).find(|(_, line)| line.contains("await ")).unwrap().0
    };
    for (until, line) in [(1, first_await("def main")), (3, first_await("def pause"))] {
        assert!(text.contains(&format!("await sleep until {until} ms :{line}")), "{source}\n{text}");
    }
}

/// Returns the exceptions with which the runs of a program ended.
#[derive(Default)]
struct Ends(std::cell::RefCell<Vec<squall::Exception>>);

impl Observer for Ends {
    fn event(&self, event: &Event<'_>) {
        if let Event::Stop { outcome: Some(Err(exception)), .. } = event {
            self.0.borrow_mut().push((*exception).clone());
        }
    }
}

/// Returns the exception with which the only run of this program ends.
fn raised_by(text: &str) -> squall::Exception {
    let program = parse(text).unwrap();
    let ends = Rc::new(Ends::default());
    let observing = observe(ends.clone());
    program.run().unwrap();
    drop(observing);
    let exception = ends.0.borrow_mut().remove(0);
    exception
}

#[test]
fn a_deadlock_names_the_lines_of_the_program() {
    let exception = raised_by(
        r#"{"name": "ring", "about": "", "defs": {
        "take": {"kind": "decorated", "params": ["lock"], "body": [
            ["log", "first"],
            ["if", true, [["yield", null, [".", "$lock", "acquire"]]], []]]},
        "wait": {"kind": "native", "params": ["future"], "body": [["yield", null, "$future"]]},
        "main": {"kind": "decorated", "params": [], "body": [
            ["let", "lock", ["new", "Lock"]],
            ["yield", null, [".", "$lock", "acquire"]],
            ["yield", null, ["list", ["call", "take", "$lock"], ["call", "wait", ["new", "Future"]]]]]}},
        "top": [["run_sync", "main", [], null]]}"#,
    );
    let message = exception.to_string();
    for line in [
        "take waits at ring:5:9 for Lock#1, held by main since ring:13:5",
        "wait waits at ring:8:5",
        "main waits at ring:14:5",
    ] {
        assert!(message.lines().any(|other| other.trim() == line), "{line}\n{message}");
    }
}

#[test]
fn a_traceback_names_the_lines_of_the_program() {
    let text = |kind: &str| {
        format!(
            r#"{{"name": "fails", "about": "", "defs": {{
            "check": {{"kind": "plain", "params": [], "body": [["let", "x", 1], ["raise", ["exc", "KeyError", "no"]]]}},
            "inner": {{"kind": "{kind}", "params": [], "body": [
                ["yield", null, ["sleep", 1]], ["expr", ["call", "check"]]]}},
            "main": {{"kind": "decorated", "params": [], "body": [
                ["try", [["yield", null, ["call", "inner"]]], [[["KeyError"], null, [["reraise"]]]], [], []]]}}}},
            "top": [["run_sync", "main", [], null]]}}"#
        )
    };
    for kind in ["decorated", "native"] {
        let exception = raised_by(&text(kind));
        let text = parse(&text(kind)).unwrap().source();
        let line = |part: &str| text.lines().position(|line| line.contains(part)).unwrap() + 1;
        let frames: Vec<_> = exception.traceback().iter().map(ToString::to_string).collect();
        let raise = format!("fails:{}:5 in inner", line("raise KeyError"));
        let yields = format!("fails:{}:9 in main", line("yield inner()"));
        assert_eq!(frames, [raise, yields], "{kind}");
        assert_eq!(exception.raised_at().line(), u32::try_from(line("raise KeyError")).unwrap());
    }
}

#[test]
fn what_squall_raises_in_a_program_is_raised_at_its_line() {
    let exception = raised_by(&text(
        "decorated",
        r#"[["let", "q", ["new", "Queue", 0]], ["yield", null, ["moment"]], ["expr", [".", "$q", "get_nowait"]]]"#,
    ));
    assert_eq!(exception.traceback()[0].to_string(), "test:5:5 in main", "{exception:?}");
}

#[test]
fn a_program_without_a_name_has_places_too() {
    let text = text("decorated", r#"[["yield", null, ["new", "Future"]]]"#);
    let unnamed = raised_by(&text.replace(r#""name": "test""#, r#""name": """#));
    assert!(unnamed.to_string().contains("main waits at program:3:5"), "{unnamed}");
    let hostile = raised_by(&text.replace(r#""name": "test""#, r#""name": "a\u001b[2J""#));
    assert!(hostile.to_string().contains("main waits at a [2J:3:5"), "{hostile}");
}

#[test]
fn the_tornado_code_has_its_imports_and_seconds() {
    let text = r#"{"name": "", "about": "", "defs": {
        "late": {"kind": "native", "params": ["time"], "body": [["async_for", "x", "$time", [["log", "it's", "$x"]]]]},
        "g": {"kind": "decorated", "params": [], "body": [
            ["try", [["yield", "n", ["with_timeout", 5, ["call", "late", null], ["KeyError"]]]],
                [[["TimeoutError", "QueueFull"], "e", [["reraise"]]]], [["gen_return", ["div", "$n", 2]]], [["stop"]]],
            ["expr", [".", "$q", "put", ["list", true], 30]],
            ["add_future", "$f", "g", 1],
            ["busy", ["+", 1, 2]],
            ["log", ["cat", "a", 1], ["exc", "AppError", "no"]],
            ["expr", ["call_later", 1500, "g"]]]}},
        "top": [["let", "q", ["new", "Queue", 5]], ["let", "p", ["new", "PeriodicCallback", "g", 5]], ["run_sync", "g", [], 20]]}"#;
    assert_eq!(
        parse(text).unwrap().tornado(),
        r#"import time
from datetime import timedelta

from tornado import gen
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.queues import Queue, QueueFull
from tornado.util import TimeoutError

class AppError(Exception):
    pass

def show(value):  # An exception is shown with its type.
    if isinstance(value, BaseException):
        return ': '.join([type(value).__name__, *map(str, value.args[:1])])
    return value

async def late_(time_):
    async for x in time_:
        print("it's", x)

@gen.coroutine
def g():
    try:
        n = yield gen.with_timeout(timedelta(milliseconds=5), late_(None), quiet_exceptions=KeyError)
    except (TimeoutError, QueueFull) as e:
        raise
    else:
        raise gen.Return((n // 2))
    finally:
        IOLoop.current().stop()
    q.put([True], timedelta(milliseconds=30))
    IOLoop.current().add_future(f, lambda future, _0=1: g(future, _0))
    time.sleep((1 + 2) / 1000)
    print(('a' + str(1)), show(AppError('no')))
    IOLoop.current().call_later(1.5, g)

q = Queue(5)
p = PeriodicCallback(g, 5)
IOLoop.current().run_sync(g, timeout=0.02)
"#
    );
}
