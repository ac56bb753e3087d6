//! JSON Lines: a trace as text, and a text as a trace.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Entry, Trace, VERSION};

/// The source text of the program, or a part of it, that a trace was recorded from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceText {
    /// The language of the text.
    pub language: Language,
    /// The name of the program or function.
    pub name: Cow<'static, str>,
    /// The file, as the places of the entries name it.
    pub file: Cow<'static, str>,
    /// The number of the first line of `text`, from 1.
    pub first_line: usize,
    /// The text.
    pub text: Cow<'static, str>,
}

/// The language of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Language {
    /// Rust.
    Rust,
    /// Python.
    Python,
    /// A program in JSON, whose text is shown as Python.
    Json,
}

/// The reason why a text cannot be read as a trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotATrace {
    /// The first line is not the header of a trace.
    #[error("this is not a trace: its first line has no `squall_trace`")]
    Header,
    /// The trace has another version than [`VERSION`].
    #[error("this is a trace of version {found}; this squall reads version {VERSION} only: record it again")]
    Version {
        /// The version of the trace.
        found: u64,
    },
    /// A line is not an entry.
    #[error("line {line} is not an entry of a trace: {problem}")]
    Entry {
        /// The number of the line, from 1.
        line: usize,
        /// The reason why the line is refused.
        problem: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    squall_trace: u32,
    dropped: usize,
    sources: Cow<'a, [SourceText]>,
}

/// The fields that the header of every version has.
#[derive(Deserialize)]
struct AnyHeader {
    squall_trace: u64,
}

impl<R> Trace<R> {
    /// Returns the trace as JSON Lines: a header, then one entry a line. `docs/trace.md` in the repository describes them.
    ///
    /// ```
    /// use squall::trace::Trace;
    ///
    /// let trace = squall::trace::record(|| squall::trace::note("hello"));
    /// let text = trace.to_jsonl();
    /// assert!(text.starts_with(r#"{"squall_trace":3,"#));
    /// assert_eq!(Trace::from_jsonl(&text)?.entries(), trace.entries());
    /// # Ok::<(), squall::trace::NotATrace>(())
    /// ```
    pub fn to_jsonl(&self) -> String {
        let (dropped, sources) = (self.dropped(), Cow::Borrowed(self.sources()));
        let header = Header { squall_trace: VERSION, dropped, sources };
        let mut text = line(&header);
        text.extend(self.entries().iter().map(line));
        text
    }
}

impl Trace {
    /// Reads a trace from JSON Lines.
    ///
    /// ```
    /// use squall::trace::Trace;
    ///
    /// let newer = r#"{"squall_trace":4,"dropped":0}"#;
    /// assert_eq!(
    ///     Trace::from_jsonl(newer).unwrap_err().to_string(),
    ///     "this is a trace of version 4; this squall reads version 3 only: record it again"
    /// );
    /// ```
    ///
    /// # Errors
    /// [`NotATrace`] if the text is something else, or a trace of another version.
    pub fn from_jsonl(text: &str) -> Result<Self, NotATrace> {
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let (_, first) = lines.next().ok_or(NotATrace::Header)?;
        let any: AnyHeader = serde_json::from_str(first).map_err(|_| NotATrace::Header)?;
        if any.squall_trace != u64::from(VERSION) {
            return Err(NotATrace::Version { found: any.squall_trace });
        }
        let header: Header<'_> = serde_json::from_str(first)
            .map_err(|error| NotATrace::Entry { line: 1, problem: error.to_string() })?;
        let entry = |(index, line): (usize, &str)| {
            serde_json::from_str::<Entry>(line)
                .map_err(|error| NotATrace::Entry { line: index + 1, problem: error.to_string() })
        };
        let entries = lines.map(entry).collect::<Result<_, _>>()?;
        let mut trace = Self::new(entries, header.dropped);
        for source in header.sources.into_owned() {
            trace = trace.with_source(source);
        }
        Ok(trace)
    }
}

fn line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("an entry is JSON");
    line.push('\n');
    line
}
