//! The conformance suite: programs that were run on the real Tornado under a virtual clock, and are run again on
//! squall. Every send, throw, yield, log line and time must be the same, in the same order.
//!
//! `SQUALL_CASES=DIR cargo test --test conformance` runs the cases of another folder; an argument runs those with
//! it in their name. The last line is always `N passed, N failed, N not yet run`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;
use squall::program;

/// Classes that squall does not have yet, by their names in a case. Cases that need one are counted, never passed.
const NOT_YET: &[&str] = &[];

/// How many differences are printed in full.
const PRINTED: usize = 20;

fn main() -> ExitCode {
    let folder = std::env::var_os("SQUALL_CASES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance"), PathBuf::from);
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let mut cases = Vec::new();
    if let Err(error) = find(&folder, &mut cases) {
        eprintln!("cannot read the cases in {}: {error}", folder.display());
        return ExitCode::FAILURE;
    }
    cases.sort();
    if cases.is_empty() {
        eprintln!("there are no cases in {}", folder.display());
        return ExitCode::FAILURE;
    }
    cases.retain(|case| wanted.is_empty() || wanted.iter().any(|part| case.to_string_lossy().contains(part)));

    let (mut passed, mut failed, mut not_yet) = (0, 0, BTreeMap::<&str, Vec<String>>::new());
    for path in &cases {
        let name = path.strip_prefix(&folder).unwrap_or(path).display().to_string();
        match judge(path) {
            Verdict::Passed => passed += 1,
            Verdict::NotYet(what) => not_yet.entry(what).or_default().push(name),
            Verdict::Failed(why) => {
                failed += 1;
                if failed <= PRINTED {
                    println!("---- {name}\n{why}");
                } else {
                    println!("---- {name}: differs too");
                }
            }
        }
    }
    for (what, names) in &not_yet {
        println!("not yet run, for want of {what}: {}", names.join(" "));
    }
    let not_yet: usize = not_yet.values().map(Vec::len).sum();
    println!("{passed} passed, {failed} failed, {not_yet} not yet run");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

enum Verdict {
    Passed,
    Failed(String),
    NotYet(&'static str),
}

fn find(folder: &Path, cases: &mut Vec<PathBuf>) -> std::io::Result<()> {
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

fn judge(path: &Path) -> Verdict {
    let case = fs::read_to_string(path).map_err(|error| error.to_string());
    let case =
        case.and_then(|text| Ok((serde_json::from_str(&text).map_err(|error| error.to_string())?, text)));
    let (case, text): (Value, String) = match case {
        Ok(case) => case,
        Err(error) => return Verdict::Failed(error),
    };
    if let Some(what) = NOT_YET.iter().find(|what| mentions(&case, what)) {
        return Verdict::NotYet(what);
    }
    let expected = &case["expect"];
    let run = catch_unwind(|| {
        let program = program::parse(&text).map_err(|error| (error.to_string(), None))?;
        let run = program.run();
        run.map(|report| report.to_json())
            .map_err(|error| (error.to_string(), Some(error.report().to_json())))
    });
    match run {
        Ok(Ok(got)) if got == *expected => Verdict::Passed,
        Ok(Ok(got)) => Verdict::Failed(difference(expected, &got)),
        Ok(Err((error, None))) => Verdict::Failed(error),
        Ok(Err((error, Some(got)))) => Verdict::Failed(format!("{error}\n{}", difference(expected, &got))),
        Err(_) => Verdict::Failed("it panicked".to_owned()),
    }
}

/// Returns whether a program makes an object of `class`.
fn mentions(node: &Value, class: &str) -> bool {
    match node {
        Value::Array(items) => {
            let makes = matches!(items.as_slice(), [op, name, ..] if op == "new" && name == class);
            makes || items.iter().any(|item| mentions(item, class))
        }
        Value::Object(fields) => fields.values().any(|field| mentions(field, class)),
        _ => false,
    }
}

/// Returns both sides, one beside the other, from the last step that they have in common.
fn difference(expected: &Value, got: &Value) -> String {
    const WIDTH: usize = 64;
    let (left, right) = (story(expected), story(got));
    let same = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
    let first = same.saturating_sub(1);
    let mut text = format!("{:>4}  {:WIDTH$}   {}\n", "", "expected", "squall");
    for line in first..left.len().max(right.len()).min(first + 30) {
        let (l, r) = (left.get(line).map_or("", String::as_str), right.get(line).map_or("", String::as_str));
        let sign = if l == r { ' ' } else { '|' };
        let cut: String = l.chars().take(WIDTH).collect();
        // Writing to a String does not fail.
        let _ = writeln!(text, "{line:>4}  {cut:WIDTH$} {sign} {r}");
    }
    text
}

/// Returns a report as one list: the records in order, then the rest.
fn story(report: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut taken = BTreeMap::<char, usize>::new();
    for letter in report["order"].as_str().unwrap_or_default().chars() {
        let list = match letter {
            'e' => "events",
            'r' => "runner",
            'l' => "logs",
            _ => {
                lines.push("-- next turn --".to_owned());
                continue;
            }
        };
        let next = taken.entry(letter).or_default();
        lines.push(format!("{list} {}", report[list][*next]));
        *next += 1;
    }
    for list in ["outcomes", "unretrieved", "end_ms"] {
        lines.push(format!("{list} {}", report[list]));
    }
    // Records that the order does not mention, if any.
    for (letter, list) in [('e', "events"), ('r', "runner"), ('l', "logs")] {
        let rest = report[list].as_array().map_or(&[][..], Vec::as_slice);
        lines.extend(
            rest.iter().skip(taken.get(&letter).copied().unwrap_or(0)).map(|entry| format!("{list} {entry}")),
        );
    }
    lines
}
