//! [`Recording`]: a trace that was recorded before, as JSON Lines.

use squall::trace::{Ask, Lang, Language, SourceText, Trace};

use crate::course::predictions;
use crate::dialect;
use crate::input::Input;
use crate::lessons::{Lesson, LESSONS};
use crate::shown::{listing, Shown};

/// A trace from a file, or from standard input.
#[derive(Debug)]
pub(crate) struct Recording {
    pub(crate) trace: Trace,
    name: String,
    about: [String; 2],
    /// The lesson whose program was recorded, as it is now.
    lesson: Option<&'static Lesson>,
}

impl Recording {
    /// Reads a trace.
    pub(crate) fn read(Input { name, text }: Input) -> Result<Self, String> {
        let text = text.map_err(|error| format!("cannot read {name}: {error}"))?;
        if text.trim().is_empty() {
            return Err(format!("{name}: the file is empty; {WRITTEN}"));
        }
        let trace = Trace::from_jsonl(&text).map_err(|error| format!("{name}: {error}\n{WRITTEN}"))?;
        Ok(Self::of(trace.with_files(), &name))
    }

    fn of(trace: Trace, file: &str) -> Self {
        let first = trace.sources().first();
        let lesson = LESSONS.iter().find(|lesson| first.is_some_and(|source| is_of(source, lesson)));
        let about = match (lesson, first.and_then(first_line)) {
            (Some(lesson), _) => Lang::ALL.map(|lang| lesson.about(lang).to_owned()),
            (None, Some(about)) => [about.clone(), about],
            (None, None) => [format!("a trace from {file}"), format!("来自 {file} 的记录")],
        };
        let name = first.map_or_else(|| file.to_owned(), |source| source.name.clone().into_owned());
        Self { trace, name, about, lesson }
    }

    fn text(&self) -> String {
        let [one, others @ ..] = self.trace.sources() else { return String::new() };
        let mut text = one.text.clone().into_owned();
        others.iter().for_each(|source| text.push_str(&source.text));
        text
    }
}

/// How a trace is written.
const WRITTEN: &str = "`squall trace .. --format jsonl` and `Trace::to_jsonl` write traces: docs/trace.md";

/// Returns whether that is the program of a lesson, in the text that it has now.
fn is_of(source: &SourceText, lesson: &Lesson) -> bool {
    source.file == lesson.path() && source.text == lesson.program()
}

/// Returns the first line of the docstring of a program in Python.
fn first_line(source: &SourceText) -> Option<String> {
    let is_python = source.language == Language::Python;
    let text = source.text.trim_start().trim_start_matches(['r', 'R']);
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| text.starts_with(quote))?;
    let line = text[quote.len()..].lines().next()?.split(quote).next()?.trim();
    (is_python && !line.is_empty()).then(|| line.to_owned())
}

impl Shown for Recording {
    fn title(&self) -> (&str, [&str; 2]) {
        (&self.name, [&self.about[0], &self.about[1]])
    }

    fn tornado(&self) -> Result<String, String> {
        let original = self.lesson.map(|lesson| lesson.original.to_owned());
        original.ok_or_else(|| {
            format!("{}: only a program has Tornado code, and this is a recorded trace", self.name)
        })
    }

    fn kind(&self, lang: Lang) -> String {
        let is_json = self.trace.sources().iter().any(|source| source.language == Language::Json);
        match self.lesson {
            Some(lesson) => lesson.section(lang).to_owned(),
            None if is_json => dialect::note(&self.text(), lang),
            None => String::new(),
        }
    }

    fn source_lines(&self, width: usize) -> String {
        if let Some(lesson) = self.lesson {
            return listing(lesson.source(), width);
        }
        let listed = |source: &SourceText| {
            let named =
                if self.trace.sources().len() > 1 { format!("{}\n", source.file) } else { String::new() };
            named.replace(char::is_control, " ").trim_end().to_owned()
                + if named.is_empty() { "" } else { "\n" }
                + &listing((source.first_line..).zip(source.text.lines()), width)
        };
        self.trace.sources().iter().map(listed).collect::<Vec<_>>().join("\n")
    }

    fn questions<R>(&self, trace: &Trace<R>) -> Vec<Ask> {
        self.lesson.map(|lesson| predictions(lesson, trace.entries())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_docstring_says_what_a_program_in_python_shows() {
        let about = |text: &'static str, language| {
            first_line(&SourceText {
                language,
                name: "a".into(),
                file: "a".into(),
                first_line: 1,
                text: text.into(),
            })
        };
        assert_eq!(about("\"\"\"Visits.\n\nTwice.\"\"\"\n", Language::Python).as_deref(), Some("Visits."));
        assert_eq!(about("\n'One line.'\nx = 1\n", Language::Python).as_deref(), Some("One line."));
        assert_eq!(about("import os\n", Language::Python), None);
        assert_eq!(about("\"\"\"\"\"\"", Language::Python), None);
        assert_eq!(about("'a'", Language::Rust), None);
    }
}
