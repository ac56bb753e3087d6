//! The lines of the Runner that a step of a trace lights are there, and each step of a run lights one.

use std::path::Path;

use squall::program;
use squall::trace::machine::{lost, File, Machine};
use squall::trace::state::State;
use squall::trace::{Entry, Recorded, Recorder};

#[test]
fn each_anchor_is_found_exactly_once() {
    assert_eq!(lost(), [""; 0]);
}

#[test]
fn marks_of_the_python_are_not_shown() {
    assert!(File::Python.lines().all(|line| !line.contains("#@")));
    assert_eq!(File::Python.lines().next(), Some("class Runner:"));
}

/// Returns the line that each entry lights, as its text in Rust and in Python.
fn lights(entries: &[Entry]) -> Vec<(&Entry, Option<[String; 2]>)> {
    let mut state = State::default();
    let mut lights = Vec::new();
    for entry in entries {
        let before = state.clone();
        state.apply(entry);
        let texts = Machine::at(&before, entry, &state).map(|machine| {
            [machine.rust, machine.python].map(|lines| {
                let number = lines.lit.or(lines.inside).expect("one of them");
                lines.file.lines().nth(number - 1).expect("it is in the file").trim().to_owned()
            })
        });
        lights.push((entry, texts));
    }
    lights
}

fn traced(name: &str) -> Vec<Entry> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(name);
    let program = program::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let trace = Recorder::new().record(|| program.run().unwrap());
    trace.entries().to_vec()
}

#[test]
fn each_entry_of_a_run_lights_a_line() {
    for folder in ["hand", "more"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(folder);
        for file in std::fs::read_dir(folder).unwrap() {
            let program = program::parse(&std::fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
            let trace = Recorder::new().limit(3_000).record(|| program.run());
            let mut runs = false;
            for (entry, light) in lights(trace.entries()) {
                runs |= matches!(entry.event, Recorded::Run { .. });
                assert!(light.is_some() || !runs, "{}: {entry:?}", program.name());
                runs &= !matches!(entry.event, Recorded::Stop { .. });
            }
        }
    }
}

#[test]
fn what_the_runner_does_at_a_yield_stands_in_its_source() {
    let entries = traced("hand/bounded_semaphore_contention.json");
    let lights = lights(&entries);
    let of = |is: fn(&Recorded) -> bool| {
        let (_, light) = lights.iter().find(|(entry, _)| is(&entry.event)).unwrap();
        light.clone().unwrap()
    };
    assert_eq!(
        of(|event| matches!(event, Recorded::Send { .. })),
        ["State::Done => trap(|| gen.resume(Resume::Send(future))),", "y = self.gen.send(future.result())"]
    );
    assert_eq!(
        of(|event| matches!(event, Recorded::Wait { future: Some(_), .. })),
        ["future.call_when_done(self.clone());", "self.future.add_done_callback(self.run)"]
    );
    assert_eq!(
        of(|event| matches!(event, Recorded::Pop { .. })),
        ["let Some(callback) = self.ready.pop() else { break };", "ready.popleft()()"]
    );
}

#[test]
fn a_failure_lights_set_exception_whatever_the_body_is() {
    let program = r#"{"name": "fails", "about": "", "defs": {
        "plain": {"kind": "decorated", "params": [], "body": [["raise", ["exc", "ValueError"]]]},
        "first": {"kind": "decorated", "params": [], "body": [
            ["if", false, [["yield", null, ["moment"]]], []], ["raise", ["exc", "ValueError"]]]},
        "later": {"kind": "decorated", "params": [], "body": [["yield", null, ["moment"]], ["raise", ["exc", "ValueError"]]]},
        "native": {"kind": "native", "params": [], "body": [["yield", null, ["sleep", 1]], ["raise", ["exc", "ValueError"]]]},
        "main": {"kind": "decorated", "params": [], "body": [
            ["let", "all", ["list", ["call", "plain"], ["call", "first"], ["call", "later"], ["call", "native"]]],
            ["yield", null, ["multi", "$all", ["ValueError"]]]]}},
        "top": [["run_sync", "main", [], null]]}"#;
    let program = program::parse(program).unwrap();
    let trace = Recorder::new().record(|| program.run().unwrap());
    let called = |entry: &Entry| match entry.event {
        Recorded::Call { future, .. } => Some(future),
        _ => None,
    };
    let calls: Vec<_> = trace.entries().iter().filter_map(called).collect();
    let mut failed = 0;
    for (entry, light) in lights(trace.entries()) {
        let fails = match &entry.event {
            Recorded::Raise { .. } => true,
            Recorded::Resolve { future, state, .. } => {
                *state == squall::trace::State::Failed && calls.contains(future)
            }
            _ => false,
        };
        if fails {
            failed += 1;
            let [_, python] = light.unwrap();
            assert!(python.contains("set_exception"), "{entry:?}: {python}");
        }
    }
    assert!(failed >= 8, "five calls raise, and their Futures fail: {failed}");
}
