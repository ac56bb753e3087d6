//! JSON Lines: a trace as text, and a text as a trace.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{SourceText, Trace, VERSION};

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
    /// The text ends before the last entry.
    #[error("the trace ends too early: line {line} is missing, and {missing} of {entries} entries")]
    Truncated {
        /// The number of the first line that is missing, from 1.
        line: usize,
        /// The number of entries that are missing.
        missing: usize,
        /// The number of entries that the trace had.
        entries: usize,
    },
}

impl NotATrace {
    /// Returns the reason why serde refuses a line.
    fn of(line: usize, error: &serde_json::Error) -> Self {
        let problem = error.to_string();
        // It counts lines within the one that it was given, and lists all events.
        let problem = problem.split(" at line ").next().unwrap_or_default();
        let problem = problem.split(", expected one of").next().unwrap_or_default();
        let column = (error.column() > 0).then(|| format!(", in column {}", error.column()));
        Self::Entry { line, problem: format!("{problem}{}", column.unwrap_or_default()) }
    }
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    squall_trace: u32,
    dropped: usize,
    #[serde(default)]
    cut: bool,
    /// The number of entries, with which a truncated file is noticed.
    #[serde(default)]
    entries: Option<usize>,
    #[serde(default)]
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
        let header = Header {
            squall_trace: VERSION,
            dropped: self.dropped(),
            cut: self.is_cut(),
            entries: Some(self.entries().len()),
            sources: Cow::Borrowed(self.sources()),
        };
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
        let (at, first) = lines.next().ok_or(NotATrace::Header)?;
        let any: AnyHeader = serde_json::from_str(first).map_err(|_| NotATrace::Header)?;
        if any.squall_trace != u64::from(VERSION) {
            return Err(NotATrace::Version { found: any.squall_trace });
        }
        let header: Header<'_> =
            serde_json::from_str(first).map_err(|error| NotATrace::of(at + 1, &error))?;
        let wrong =
            |source: &&SourceText| source.first_line == 0 || u32::try_from(source.first_line).is_err();
        if let Some(source) = header.sources.iter().find(wrong) {
            let problem = format!("the source {} has the first line {}", source.file, source.first_line);
            return Err(NotATrace::Entry { line: at + 1, problem });
        }
        let (mut entries, mut last) = (Vec::new(), at + 1);
        for (at, line) in lines {
            last = at + 1;
            if header.entries == Some(entries.len()) {
                let problem = format!("the trace has {} entries only", entries.len());
                return Err(NotATrace::Entry { line: last, problem });
            }
            entries.push(serde_json::from_str(line).map_err(|error| NotATrace::of(last, &error))?);
        }
        if let Some(expected) = header.entries.filter(|expected| *expected > entries.len()) {
            let missing = expected - entries.len();
            return Err(NotATrace::Truncated { line: last + 1, missing, entries: expected });
        }
        let trace = Self::new(entries, header.dropped).cut(header.cut);
        Ok(header.sources.into_owned().into_iter().fold(trace, Self::with_source))
    }
}

fn line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("an entry is JSON");
    line.push('\n');
    line
}
