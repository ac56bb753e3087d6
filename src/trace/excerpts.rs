//! [`Excerpt`]: the Runner's own lines as views show them: functions of squall's files, without comments, and the same in Python.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::machine::{File, Lines, Machine};

/// A function that is shown.
struct Function {
    file: File,
    /// A text that its first line contains.
    head: &'static str,
    /// How statements begin that are not shown: they are about traces, or are not what a step tells.
    folds: &'static [&'static str],
}

const OBSERVED: &str = "if trace::observed() {";

const FUNCTIONS: &[Function] = &[
    Function { file: File::Runner, head: "fn start_with(", folds: &[OBSERVED] },
    Function { file: File::Runner, head: "fn run(self: &Rc<Self>, by", folds: &[] },
    Function { file: File::Runner, head: "fn handle_yield(", folds: &[] },
    Function { file: File::Runner, head: "fn convert(", folds: &[] },
    Function { file: File::Runner, head: "fn throw<", folds: &[] },
    Function { file: File::Runner, head: "fn raised(", folds: &[] },
    Function { file: File::Runner, head: "fn finish(", folds: &[] },
    Function { file: File::Runner, head: "pub fn call_plain<", folds: &[OBSERVED] },
    Function {
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
    Function { file: File::Native, head: "fn step(self: &Rc<Self>)", folds: &["tell("] },
    Function { file: File::Native, head: "fn finish(&self, result", folds: &["let shown =", "tell("] },
    Function { file: File::Run, head: "fn run(&self, end", folds: &[] },
    Function { file: File::Turn, head: "fn run_turn(", folds: &[OBSERVED, "Some(threshold) => {"] },
    Function { file: File::Turn, head: "fn take_in(", folds: &[] },
];

/// A line of an [`Excerpt`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcerptLine {
    /// The file, at the first of its lines.
    pub file: Option<&'static str>,
    /// Its number in the file. `None` for lines that stand for others, and for those between two functions.
    pub number: Option<usize>,
    /// Its text.
    pub text: String,
}

/// The lines of squall's files.
static RUST: LazyLock<Vec<(File, ExcerptLine)>> = LazyLock::new(|| {
    let mut lines: Vec<(File, ExcerptLine)> = Vec::new();
    for excerpt in FUNCTIONS {
        let is_new = lines.last().is_none_or(|(file, _)| *file != excerpt.file);
        if !is_new {
            lines.push((excerpt.file, ExcerptLine { file: None, number: None, text: String::new() }));
        }
        let path = is_new.then(|| excerpt.file.path());
        let cut = excerpt.cut().into_iter().enumerate();
        let line = |(nth, line)| (excerpt.file, ExcerptLine { file: path.filter(|_| nth == 0), ..line });
        lines.extend(cut.map(line));
    }
    lines
});

/// Where each line of a file is among those that are shown.
static PLACES: LazyLock<BTreeMap<(File, usize), usize>> = LazyLock::new(|| {
    let place = |(place, (file, line)): (usize, &(File, ExcerptLine))| Some(((*file, line.number?), place));
    RUST.iter().enumerate().filter_map(place).collect()
});

impl Function {
    /// Its lines, without comments, attributes and what is folded.
    fn cut(&self) -> Vec<ExcerptLine> {
        let lines: Vec<&str> = self.file.lines().collect();
        let is_head = |line: &&str| line.contains(self.head) && !line.trim_start().starts_with("//");
        // The tests below find all of them.
        let Some(first) = lines.iter().position(is_head) else { return Vec::new() };
        let indent = indent_of(lines[first]);
        let mut cut: Vec<ExcerptLine> = Vec::new();
        let mut at = first;
        loop {
            let (own, text) = (indent_of(lines[at]), lines[at].trim());
            if self.folds.iter().any(|fold| text.starts_with(fold)) {
                // Several in a row are one fold.
                if cut.last().is_none_or(|line| line.number.is_some()) {
                    cut.push(ExcerptLine {
                        file: None, number: None, text: " ".repeat(own - indent) + "⋯"
                    });
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
                cut.push(ExcerptLine { file: None, number: Some(at + 1), text });
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

/// The lines of the machine that views show beside a program: the Runner and the loop.
///
/// ```
/// use squall::trace::Excerpt;
///
/// let shows = |excerpt: Excerpt, text| excerpt.lines().iter().any(|line| line.text.contains(text));
/// assert!(shows(Excerpt::Rust, "fn handle_yield("));
/// assert!(shows(Excerpt::Python, "def handle_yield("));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Excerpt {
    /// Functions of squall's own files.
    Rust,
    /// A short Runner in Python that takes the same steps.
    Python,
}

/// The lines of an [`Excerpt`] that a step stands for, as places in [`Excerpt::lines`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// The line that does what the step tells.
    pub lit: Option<usize>,
    /// The line within which the program is running, if the step tells what the program does.
    pub inside: Option<usize>,
    /// Lines that were gone through since the step before.
    pub passed: Vec<usize>,
}

impl Excerpt {
    /// Returns its lines.
    ///
    /// [`Excerpt`] has an example.
    pub fn lines(self) -> &'static [ExcerptLine] {
        static RUST_LINES: LazyLock<Vec<ExcerptLine>> =
            LazyLock::new(|| RUST.iter().map(|(_, line)| line.clone()).collect());
        static PYTHON_LINES: LazyLock<Vec<ExcerptLine>> = LazyLock::new(|| {
            let line = |(number, text): (usize, &str)| ExcerptLine {
                file: None,
                number: (!text.is_empty()).then_some(number),
                text: text.to_owned(),
            };
            (1..).zip(File::Python.lines()).map(line).collect()
        });
        match self {
            Self::Rust => &RUST_LINES,
            Self::Python => &PYTHON_LINES,
        }
    }

    /// Returns the lines of one step: what its entries light, the last of which is the one that it ends with, and what they go
    /// through.
    ///
    /// ```
    /// use squall::trace::machine::Machine;
    /// use squall::trace::{Excerpt, Timeline};
    ///
    /// let trace = squall::trace::record(|| squall::coroutine(|_co| async { Ok(5) }));
    /// let (timeline, entries) = (Timeline::new(trace.entries()), trace.entries());
    /// let machine = Machine::at(&timeline.state(0), &entries[0], &timeline.state(1));
    /// let lit = Excerpt::Python.marks(&[machine]).lit.unwrap();
    /// assert!(Excerpt::Python.lines()[lit].text.contains("Runner(it, result).run()"));
    /// ```
    pub fn marks(self, entries: &[Option<Machine>]) -> Marks {
        let all: Vec<&Lines> = entries.iter().flatten().map(|machine| self.of(machine)).collect();
        let place = |lines: &Lines, number: usize| match lines.file {
            File::Python => Some(number - 1),
            file => PLACES.get(&(file, number)).copied(),
        };
        let lit = all.iter().rev().find_map(|lines| place(lines, lines.lit?));
        let inside = all.iter().find_map(|lines| place(lines, lines.inside?)).filter(|_| lit.is_none());
        let gone = all.iter().flat_map(|lines| {
            lines.passed.iter().copied().chain(lines.lit).filter_map(|number| place(lines, number))
        });
        Marks { lit, inside, passed: gone.filter(|place| Some(*place) != lit).collect() }
    }

    fn of(self, machine: &Machine) -> &Lines {
        match self {
            Self::Rust => &machine.rust,
            Self::Python => &machine.python,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::machine;
    use super::*;

    #[test]
    fn each_line_that_can_be_lit_is_shown() {
        for (file, number) in machine::lines_of_anchors() {
            assert!(PLACES.contains_key(&(file, number)), "{}:{number}", file.path());
        }
    }

    #[test]
    fn functions_are_whole_and_without_comments() {
        for excerpt in FUNCTIONS {
            let text: String = excerpt.cut().iter().map(|line| line.text.clone() + "\n").collect();
            assert_eq!(text.matches('{').count(), text.matches('}').count(), "{text}");
            assert!(!text.contains("//") && text.ends_with("}\n"), "{text}");
        }
    }
}
