//! The text that an argument names: a file, or standard input.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::lessons::Lesson;

/// The size limit of a program in bytes, so that one cannot use up the memory ...
const LARGEST: u64 = 64 << 20;

/// ... and that of a recorded trace.
const LARGEST_TRACE: u64 = 1 << 30;

/// A text, and how it is called in messages.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) text: io::Result<String>,
}

impl Input {
    /// Reads what an argument names; `None` if that is a lesson.
    pub(crate) fn read(argument: &str) -> Option<Self> {
        if argument == "-" {
            return Some(Self { name: "standard input".to_owned(), text: read(io::stdin()) });
        }
        is_file(argument)
            .then(|| Self { name: argument.to_owned(), text: fs::File::open(argument).and_then(read) })
    }
}

/// Reads a text, without a byte order mark.
fn read(mut from: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    from.by_ref().take(LARGEST + 1).read_to_end(&mut bytes)?;
    let mut limit = LARGEST;
    if bytes.len() as u64 > limit && begins_with_header(&bytes) {
        limit = LARGEST_TRACE;
        from.take(limit - LARGEST).read_to_end(&mut bytes)?;
    }
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {} MiB", limit >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Returns whether a name is that of a file rather than of a lesson.
fn is_file(name: &str) -> bool {
    let path = Path::new(name);
    path.extension().is_some()
        || path.components().count() > 1
        || path.exists() && Lesson::find(name).is_none()
}

/// The part of the header of a trace by which it is recognised.
const HEADER: &str = "\"squall_trace\"";

/// Returns whether a text begins as a trace does: with an object that has the field `squall_trace`, in one line.
fn begins_with_header(text: &[u8]) -> bool {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.windows(HEADER.len()).any(|part| part == HEADER.as_bytes())
}

/// Returns whether that is a trace by its name or by how it begins.
pub(crate) fn is_trace(name: &str, text: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"))
        || begins_with_header(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_recognised_by_its_first_line() {
        assert!(is_trace("a.jsonl", ""));
        assert!(is_trace("-", "{\"squall_trace\":3}\n"));
        assert!(!is_trace("a.json", "{\"name\": \"a\",\n \"squall_trace\": 3}"));
    }
}
