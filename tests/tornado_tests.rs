//! Checks that `docs/tornado-tests.md` is complete, and that the tests it names exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The names of Tornado's tests: `module.class.test`, one per line.
const NAMES: &str = include_str!("tornado_tests/names.txt");
const PAGE: &str = include_str!("../docs/tornado-tests.md");

/// Returns the second column of the page, keyed by the heading and the first column.
fn answers() -> BTreeMap<String, &'static str> {
    let mut answers = BTreeMap::new();
    let mut class = "";
    for line in PAGE.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            class = heading;
        }
        let Some(row) = line.strip_prefix("| `").and_then(|row| row.strip_suffix(" |")) else { continue };
        let (test, answer) = row.split_once("` | ").expect("two columns");
        let before = answers.insert(format!("{class}.{test}"), answer);
        assert_eq!(before, None, "{class}.{test} is listed twice");
    }
    answers
}

/// Yields each `file::test` that an answer names; nothing if the answer is a reason.
fn named(answer: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    answer.split('`').skip(1).step_by(2).filter_map(|code| code.split_once(".rs::"))
}

#[test]
fn every_test_of_tornado_is_listed_and_no_other() {
    let names: BTreeSet<&str> = NAMES.lines().collect();
    assert_eq!(names.len(), 218);
    let answers = answers();
    let listed: BTreeSet<&str> = answers.keys().map(String::as_str).collect();
    let missing: Vec<_> = names.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&names).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "not listed: {missing:?}; not Tornado's: {unknown:?}");
}

#[test]
fn every_answer_is_a_reason_or_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = 0;
    for (name, answer) in answers() {
        assert!(answer.len() > 10, "{name} has neither a test nor a reason");
        for (file, test) in named(answer) {
            tests += 1;
            let path = root.join(file).with_extension("rs");
            let source =
                fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {}: {e}", path.display()));
            let mark = format!("// Tornado: {name}");
            assert!(
                source.lines().any(|line| line.trim() == mark),
                "{name}: no comment `{mark}` in {file}.rs"
            );
            assert!(source.contains(&format!("fn {test}()")), "{name}: no test {test} in {file}.rs");
        }
    }
    assert!(tests > 150, "the page names {tests} tests only");
}

#[test]
fn every_comment_that_names_a_test_of_tornado_is_on_the_page() {
    let answers = answers();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for entry in fs::read_dir(tests).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let file = path.file_stem().unwrap().to_str().unwrap();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some(name) = line.trim().strip_prefix("// Tornado: ") else { continue };
            let answer = answers.get(name).unwrap_or_else(|| panic!("{file}.rs: Tornado has no test {name}"));
            let on_the_page = named(answer).any(|(of, _)| of == format!("tests/{file}"));
            assert!(on_the_page, "{file}.rs answers {name}, and the page does not say so");
        }
    }
}
