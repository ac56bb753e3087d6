//! The Runner's own lines as a page shows them: functions of squall's files, without comments, and the same in Python.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{json, Value};

use crate::trace::machine::{File, Lines, Machine};

/// A function that is shown.
struct Excerpt {
    file: File,
    /// What its first line contains.
    head: &'static str,
    /// How statements begin that are not shown: they are about traces, or are not what a step tells.
    folds: &'static [&'static str],
}

const OBSERVED: &str = "if trace::observed() {";

const EXCERPTS: &[Excerpt] = &[
    Excerpt { file: File::Runner, head: "fn start_with(", folds: &[OBSERVED] },
    Excerpt { file: File::Runner, head: "fn run(self: &Rc<Self>, by", folds: &[] },
    Excerpt { file: File::Runner, head: "fn handle_yield(", folds: &[] },
    Excerpt { file: File::Runner, head: "fn convert(", folds: &[] },
    Excerpt { file: File::Runner, head: "fn throw<", folds: &[] },
    Excerpt { file: File::Runner, head: "fn raised(", folds: &[] },
    Excerpt { file: File::Runner, head: "fn finish(", folds: &[] },
    Excerpt { file: File::Runner, head: "pub fn call_plain<", folds: &[OBSERVED] },
    Excerpt {
        file: File::Native,
        head: "fn spawn<T",
        folds: &[
            "let runner =",
            "let id =",
            "Task {",
            "if trace::is_internal()",
            "let (body, caller)",
            "tell(",
        ],
    },
    Excerpt { file: File::Native, head: "fn step(self: &Rc<Self>)", folds: &["tell("] },
    Excerpt { file: File::Native, head: "fn finish(&self, result", folds: &["let shown =", "tell("] },
    Excerpt { file: File::Run, head: "fn run(&self, end", folds: &[] },
    Excerpt { file: File::Turn, head: "fn run_turn(", folds: &[OBSERVED, "Some(threshold) => {"] },
    Excerpt { file: File::Turn, head: "fn take_in(", folds: &[] },
];

/// A line of a page.
#[derive(Debug)]
struct Line {
    /// The file, at the first of its lines.
    file: Option<&'static str>,
    /// Its number in the file. `None` for lines that stand for others, and for those between two functions.
    number: Option<usize>,
    text: String,
}

/// The lines of squall's files.
static RUST: LazyLock<Vec<(File, Line)>> = LazyLock::new(|| {
    let mut lines: Vec<(File, Line)> = Vec::new();
    for excerpt in EXCERPTS {
        let is_new = lines.last().is_none_or(|(file, _)| *file != excerpt.file);
        if !is_new {
            lines.push((excerpt.file, Line { file: None, number: None, text: String::new() }));
        }
        let path = is_new.then(|| excerpt.file.path());
        let cut = excerpt.cut().into_iter().enumerate();
        let line = |(nth, line)| (excerpt.file, Line { file: path.filter(|_| nth == 0), ..line });
        lines.extend(cut.map(line));
    }
    lines
});

/// Where each line of a file is among those that are shown.
static PLACES: LazyLock<BTreeMap<(File, usize), usize>> = LazyLock::new(|| {
    let place = |(place, (file, line)): (usize, &(File, Line))| Some(((*file, line.number?), place));
    RUST.iter().enumerate().filter_map(place).collect()
});

impl Excerpt {
    /// Its lines, without comments, attributes and what is folded.
    fn cut(&self) -> Vec<Line> {
        let lines: Vec<&str> = self.file.lines().collect();
        let is_head = |line: &&str| line.contains(self.head) && !line.trim_start().starts_with("//");
        // The tests below find all of them.
        let Some(first) = lines.iter().position(is_head) else { return Vec::new() };
        let indent = indent_of(lines[first]);
        let mut cut: Vec<Line> = Vec::new();
        let mut at = first;
        loop {
            let (own, text) = (indent_of(lines[at]), lines[at].trim());
            if self.folds.iter().any(|fold| text.starts_with(fold)) {
                // Several in a row are one fold.
                if cut.last().is_none_or(|line| line.number.is_some()) {
                    cut.push(Line { file: None, number: None, text: " ".repeat(own - indent) + "⋯" });
                }
                // A statement of several lines ends where one closes with the same indent.
                let ends = |line: &str| {
                    indent_of(line) == own && (line.ends_with(';') || line.trim_start().starts_with('}'))
                };
                while !ends(lines[at]) {
                    at += 1;
                }
            } else if !text.starts_with("//") && !text.starts_with("#[") {
                let text = lines[at].get(indent..).unwrap_or_default().to_owned();
                cut.push(Line { file: None, number: Some(at + 1), text });
            }
            if indent_of(lines[at]) == indent && text == "}" {
                return cut;
            }
            at += 1;
        }
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// All lines: those of squall's files, and those of Python.
pub(super) fn texts() -> Value {
    let rust = RUST.iter().enumerate().map(|(id, (_, line))| {
        let mut shown = json!({"text": line.text});
        if let Some(number) = line.number {
            (shown["id"], shown["number"]) = (id.into(), number.into());
        }
        if let Some(file) = line.file {
            shown["file"] = file.into();
        }
        shown
    });
    let python = (1..).zip(File::Python.lines()).map(|(number, text)| match text {
        "" => json!({"text": ""}),
        text => json!({"text": text, "id": number, "number": number}),
    });
    json!({"rust": rust.collect::<Vec<_>>(), "python": python.collect::<Vec<_>>()})
}

/// The lines of one step: what its entries light, the last of which is the one that it ends with, and what they go through.
pub(super) fn marks(entries: &[Option<Machine>]) -> Value {
    let found = |lines: fn(&Machine) -> &Lines| {
        let all: Vec<&Lines> = entries.iter().flatten().map(lines).collect();
        let id = |lines: &Lines, number: usize| match lines.file {
            File::Python => Some(number),
            file => PLACES.get(&(file, number)).copied(),
        };
        let lit = all.iter().rev().find_map(|lines| id(lines, lines.lit?));
        let inside = all.iter().find_map(|lines| id(lines, lines.inside?)).filter(|_| lit.is_none());
        let gone = all.iter().flat_map(|lines| {
            lines.passed.iter().copied().chain(lines.lit).filter_map(|number| id(lines, number))
        });
        let passed: Vec<_> = gone.filter(|id| Some(*id) != lit).collect();
        let one = |id: Option<usize>| id.into_iter().collect::<Vec<_>>();
        json!({"lit": one(lit), "passed": passed, "inside": one(inside)})
    };
    json!({"rust": found(|machine| &machine.rust), "python": found(|machine| &machine.python)})
}

#[cfg(test)]
mod tests {
    use crate::trace::machine;

    use super::*;

    #[test]
    fn each_line_that_can_be_lit_is_shown() {
        for (file, number) in machine::lines_of_anchors() {
            assert!(PLACES.contains_key(&(file, number)), "{}:{number}", file.path());
        }
    }

    #[test]
    fn functions_are_whole_and_without_comments() {
        for excerpt in EXCERPTS {
            let text: String = excerpt.cut().iter().map(|line| line.text.clone() + "\n").collect();
            assert_eq!(text.matches('{').count(), text.matches('}').count(), "{text}");
            assert!(!text.contains("//") && text.ends_with("}\n"), "{text}");
        }
    }
}
