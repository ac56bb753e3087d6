//! The state that is folded from a trace is that of the real thing: what is ready, in its order, and how it ends.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use squall::program;
use squall::testing::VirtualClock;
use squall::trace::state::{State, Status};
use squall::trace::{Entry, Recorded, Recorder, Timeline, Trace};
use squall::{moment, IoLoop};

/// Folds a trace, and checks each entry against the state before it.
fn fold(name: &str, entries: &[Entry]) -> State {
    let (mut state, mut resolved) = (State::default(), HashSet::new());
    for (n, entry) in entries.iter().enumerate() {
        let before = || {
            entries[n.saturating_sub(20)..n]
                .iter()
                .map(|entry| format!("\n{entry:?}"))
                .collect::<Vec<_>>()
                .concat()
        };
        let at = || format!("{name}, entry {n}: {entry:?}\nafter {}\nin {state:?}", before());
        assert!(entry.time >= state.time, "{}", at());
        match &entry.event {
            Recorded::Pop { io_loop, queued } => {
                let front = state.loops[io_loop].ready.front();
                assert_eq!(front.map(|ready| &ready.queued), Some(queued), "{}", at());
                assert!(state.loops[io_loop].batch > 0, "{}", at());
            }
            Recorded::Batch { io_loop, callbacks } => {
                assert_eq!(state.loops[io_loop].ready.len(), *callbacks, "{}", at());
            }
            Recorded::Turn { io_loop } => assert_eq!(state.loops[io_loop].batch, 0, "{}", at()),
            Recorded::Resolve { future, .. } => assert!(resolved.insert(*future), "{}", at()),
            Recorded::Send { runner, .. } | Recorded::Throw { runner, .. } => {
                assert!([Status::Running, Status::Ready].contains(&state.calls[runner].status), "{}", at());
            }
            Recorded::Yield { runner, .. }
            | Recorded::Wait { runner, .. }
            | Recorded::Return { runner, .. }
            | Recorded::Raise { runner, .. } => {
                assert_eq!(state.actor(), Some(*runner), "{}", at());
            }
            Recorded::Call { caller, .. } => assert_eq!(state.actor(), *caller, "{}", at()),
            _ => {}
        }
        state.apply(entry);
    }
    state
}

fn conformance() -> Vec<PathBuf> {
    fn find(folder: &Path, cases: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                find(&path, cases)?;
            } else if path.extension().is_some_and(|extension| extension == "json") {
                cases.push(path);
            }
        }
        Ok(())
    }
    let mut cases = Vec::new();
    find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance"), &mut cases).unwrap();
    cases.sort();
    assert!(cases.len() > 700);
    cases
}

/// Records a program; `None` for those that the interpreter gives up.
fn traced(path: &Path) -> Option<Trace> {
    let program = program::parse(&fs::read_to_string(path).unwrap()).unwrap();
    let trace = Recorder::new().limit(20_000).record(|| program.run());
    let whole = trace.result.is_ok() && trace.dropped() == 0;
    whole.then(|| Trace::from_jsonl(&trace.to_jsonl()).unwrap())
}

#[test]
fn each_pop_is_the_front_of_the_folded_queue_and_nothing_is_left_running() {
    for path in conformance() {
        let name = path.display().to_string();
        let Some(trace) = traced(&path) else { continue };
        let state = fold(&name, trace.entries());
        assert!(state.stack.is_empty() && state.running.is_empty(), "{name}: {state:#?}");
        for call in state.calls.values() {
            let waits = matches!(call.status, Status::Waiting | Status::Ready | Status::Called);
            assert!(waits || call.status.is_over(), "{name}: {call:?}");
        }
    }
}

#[test]
fn a_trace_is_the_same_after_it_was_written_and_read() {
    for path in conformance().iter().step_by(7) {
        let program = program::parse(&fs::read_to_string(path).unwrap()).unwrap();
        let trace = Recorder::new().limit(2_000).record(|| program.run());
        let text = trace.to_jsonl();
        let read = Trace::from_jsonl(&text).unwrap();
        assert_eq!(
            (read.entries(), read.dropped()),
            (trace.entries(), trace.dropped()),
            "{}",
            path.display()
        );
        assert_eq!(read.to_jsonl(), text);
    }
}

#[test]
fn every_state_is_found_from_wherever_it_is_asked_for() {
    for path in conformance().iter().step_by(97) {
        let Some(trace) = traced(path) else { continue };
        let timeline = Timeline::new(trace.entries());
        let mut state = timeline.state(0);
        let mut states = vec![state.clone()];
        while timeline.forward(&mut state) {
            states.push(state.clone());
        }
        while timeline.back(&mut state) {
            assert_eq!(state, states[state.entries]);
        }
        assert_eq!(state.entries, 0);
        // A page that applies the patches has the same states.
        let mut page = serde_json::to_value(&states[0]).unwrap();
        for (patch, state) in timeline.patches().iter().zip(&states[1..]) {
            merge(&mut page, patch);
            assert_eq!(page, serde_json::to_value(state).unwrap());
        }
    }
}

/// RFC 7396, section 2.
fn merge(target: &mut serde_json::Value, patch: &serde_json::Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = serde_json::json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(serde_json::Value::Null), value);
        }
    }
}

#[test]
fn a_text_that_is_no_trace_is_refused_with_what_is_wrong() {
    let error = |text: &str| Trace::from_jsonl(text).unwrap_err().to_string();
    assert_eq!(error(""), "this is not a trace: its first line has no `squall_trace`");
    assert_eq!(error("{}"), "this is not a trace: its first line has no `squall_trace`");
    assert_eq!(
        error(r#"{"squall_trace":1}"#),
        "this is a trace of version 1; this squall reads version 3 only: record it again"
    );
    let header = r#"{"squall_trace":3,"dropped":0,"sources":[]}"#;
    assert!(Trace::from_jsonl(header).unwrap().entries().is_empty());
    let unknown = error(&format!("{header}\n{{\"time\":0,\"event\":\"jump\"}}"));
    assert!(unknown.starts_with("line 2 is not an entry of a trace: unknown variant `jump`"), "{unknown}");
    let cut_short =
        error(&format!("{header}\n\n{{\"time\":0,\"event\":\"start\",\"runner\":1}}\n{{\"time\":0,\"ev"));
    assert_eq!(cut_short, "line 4 is not an entry of a trace: EOF while parsing a string, in column 13");
    // A field that a later squall adds is none of its business.
    let more = r#"{"time":7,"event":"start","runner":1,"shoes":"red"}"#;
    assert_eq!(Trace::from_jsonl(&format!("{header}\n{more}")).unwrap().entries().len(), 1);
}

#[test]
fn a_trace_that_lacks_its_last_lines_is_refused_and_one_that_was_cut_stays_cut() {
    let trace = Recorder::new().turns(2).record(|| {
        IoLoop::with_clock(VirtualClock::new()).run_sync(|| {
            squall::coroutine(|co| async move {
                for _ in 0..100 {
                    co.yield_(moment()).await?;
                }
                Ok(())
            })
        })
    });
    assert!(trace.is_cut());
    let text = trace.to_jsonl();
    assert!(Trace::from_jsonl(&text).unwrap().is_cut());
    let lines: Vec<_> = text.lines().collect();
    let all = lines.len() - 1;
    let error = |lines: &[&str]| Trace::from_jsonl(&lines.join("\n")).unwrap_err().to_string();
    assert_eq!(
        error(&lines[..=2]),
        format!("the trace ends too early: line 4 is missing, and {} of {all} entries", all - 2)
    );
    let twice = error(&[&lines[..], &lines[1..]].concat());
    assert_eq!(
        twice,
        format!("line {} is not an entry of a trace: the trace has {all} entries only", all + 2)
    );
    let wrong = text.replacen(
        "\"sources\":[]",
        "\"sources\":[{\"language\":\"rust\",\"name\":\"a\",\"file\":\"a\",\"first_line\":0,\"text\":\"\"}]",
        1,
    );
    let wrong = Trace::from_jsonl(&wrong).unwrap_err().to_string();
    assert_eq!(wrong, "line 1 is not an entry of a trace: the source a has the first line 0");
}

#[test]
fn a_trace_of_a_list_that_contains_itself_is_shown() {
    let lines = [
        r#"{"squall_trace":3,"dropped":0,"sources":[]}"#,
        r#"{"time":0,"event":"made","future":1,"source":{"multi":{"of":[1,2],"len":2}},"lock":null,"place":null}"#,
        r#"{"time":0,"event":"made","future":2,"source":{"timeout":{"of":1,"until":9}},"lock":null,"place":null}"#,
        r#"{"time":0,"event":"batch","loop":1,"callbacks":18446744073709551615}"#,
        r#"{"time":0,"event":"turn","loop":1}"#,
    ];
    let trace = Trace::from_jsonl(&lines.join("\n")).unwrap();
    for view in [trace.to_text(), trace.to_mermaid(), trace.to_chrome(), trace.to_html()] {
        assert!(!view.is_empty());
    }
}
