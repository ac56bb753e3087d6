//! The views of a trace, as the command writes them.

use std::path::PathBuf;
use std::process::{Command, Output};

use insta::assert_snapshot;
use squall::trace::machine::Machine;
use squall::trace::state::State;
use squall::trace::{Recorded, Trace};

fn squall(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_squall")).args(arguments).output().unwrap()
}

/// Returns what the command prints to standard output; it must exit with 0.
fn stdout(arguments: &[&str]) -> String {
    let output = squall(arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn lesson_names() -> Vec<String> {
    let list = stdout(&["lessons"]);
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.map(str::to_owned).collect()
}

/// A program that never ends.
fn clock() -> PathBuf {
    let path = std::env::temp_dir().join(format!("squall_views_{}.json", std::process::id()));
    let program = r#"{"name": "clock", "about": "it never ends", "defs": {"tick": {"kind": "decorated", "params": [],
        "body": [["while", true, [["log", "tick", ["now"]], ["yield", null, ["sleep", 1000]]]]]}},
        "top": [["run_sync", "tick", [], null]]}"#;
    std::fs::write(&path, program).unwrap();
    path
}

#[test]
fn each_lesson_is_read_back_and_its_ready_queue_is_that_of_its_resumes() {
    for name in lesson_names() {
        let text = stdout(&["trace", &name, "--format", "jsonl"]);
        let trace = Trace::from_jsonl(&text).unwrap();
        assert_eq!(trace.to_jsonl(), text, "{name}");
        assert!(trace.sources()[0].text.contains("fn main"), "{name}");
        let mut state = State::default();
        for (n, entry) in trace.entries().iter().enumerate() {
            if let Recorded::Pop { io_loop, queued } = &entry.event {
                let front = state.loops[io_loop].ready.front().map(|ready| &ready.queued);
                assert_eq!(front, Some(queued), "{name}, entry {n}");
            }
            state.apply(entry);
        }
        assert!(state.stack.is_empty() && state.running.is_empty(), "{name}: {state:?}");
    }
}

#[test]
fn each_step_of_each_lesson_lights_a_line_of_the_machine() {
    for name in lesson_names() {
        let trace = Trace::from_jsonl(&stdout(&["trace", &name, "--format", "jsonl"])).unwrap();
        let mut state = State::default();
        for (n, entry) in trace.entries().iter().enumerate() {
            let before = state.clone();
            state.apply(entry);
            let runs = !before.running.is_empty() || !before.stack.is_empty();
            let lights = Machine::at(&before, entry, &state).is_some();
            assert!(lights || !runs, "{name}, entry {n}: {entry:?}");
        }
    }
}

#[test]
fn sequence_diagrams_are_these() {
    for name in ["bad_call", "good_call", "interleaving", "native"] {
        assert_snapshot!(format!("mermaid_{name}"), stdout(&["trace", name, "--format", "mermaid"]));
    }
}

#[test]
fn chrome_traces_are_these() {
    for name in ["bad_call", "interleaving"] {
        let text = stdout(&["trace", name, "--format", "chrome"]).replace("},{", "},\n{");
        assert_snapshot!(format!("chrome_{name}"), text);
    }
}

#[test]
fn a_program_that_never_ends_is_cut_at_a_time_or_after_some_turns() {
    let path = clock();
    let program = path.to_str().unwrap();
    let ticks = |arguments: &[&str]| {
        let text = stdout(&[&["trace", program, "--no-source"], arguments].concat());
        assert!(text.contains("cut          "), "{text}");
        text.matches("print").count()
    };
    assert_eq!(ticks(&["--until", "5s"]), 6);
    assert_eq!(ticks(&["--until", "4999ms"]), 5);
    assert_eq!(ticks(&["--turns", "5"]), 3);
    std::fs::remove_file(path).unwrap();
    let wrong = squall(&["trace", "bad_call", "--until", "5"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("ms, s or m"), "{wrong:?}");
}

#[test]
fn a_view_is_written_to_a_file_without_colours() {
    let path = std::env::temp_dir().join(format!("squall_views_{}.txt", std::process::id()));
    let file = path.to_str().unwrap();
    assert_eq!(stdout(&["--color", "always", "trace", "bad_call", "-o", file]), "");
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("divide") && !written.contains('\u{1b}'), "{written}");
    std::fs::remove_file(&path).unwrap();
    let nowhere = squall(&["trace", "bad_call", "-o", "/nowhere/at/all"]);
    assert_eq!(nowhere.status.code(), Some(2));
}

/// Values, names and what stands in code are not words of the view.
fn words_of_views(text: &str) -> Vec<&str> {
    const WORDS: &[&str] = &[
        "turn", "wait", "until", "already", "ready", "over", "outcome", "waiting", "logged", "call", "start",
        "print",
    ];
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| WORDS.contains(word)).collect()
}

#[test]
fn columns_and_diagrams_have_no_english_words_in_chinese() {
    for name in
        ["bad_call", "good_call", "hops", "native", "executor", "deadlock", "parallel_list", "with_timeout"]
    {
        let columns = stdout(&["trace", name, "--no-source", "--lang", "zh"]);
        assert!(columns.contains("第 1 轮") && columns.contains("结果"), "{columns}");
        let diagram = stdout(&["trace", name, "--format", "mermaid", "--lang", "zh"]);
        assert!(diagram.contains("participant L as 循环") && diagram.contains("第 1 轮，"), "{diagram}");
        for text in [columns, diagram] {
            // What is printed is the program's, and `Note over` the language of the diagram.
            let lines = text.lines().filter(|line| !line.contains("打印"));
            let lines = lines.map(|line| line.trim_start().trim_start_matches("Note over"));
            let found: Vec<_> = lines.flat_map(words_of_views).collect();
            assert_eq!(found, [""; 0], "{name}: {text}");
        }
    }
}

#[test]
fn a_program_in_json_is_shown_as_tornado_code_that_runs() {
    let code = stdout(&["trace", clock().to_str().unwrap(), "--format", "tornado", "--turns", "3"]);
    let expected = "\
from tornado import gen
from tornado.ioloop import IOLoop

STARTED = IOLoop.current().time()

def now():
    return round((IOLoop.current().time() - STARTED) * 1000)

@gen.coroutine
def tick():
    while True:
        print('tick', now())
        yield gen.sleep(1)

IOLoop.current().run_sync(tick)
";
    assert_eq!(code, expected);
    assert!(stdout(&["trace", "bad_call", "--format", "tornado"]).contains("import"));
}
