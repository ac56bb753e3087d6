//! [`Files`]: the texts of the program that a page shows.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::{env, fs};

use serde_json::{json, Value};

use crate::trace::{Entry, Language, SourceText};

/// Larger files are not read.
const LARGEST: u64 = 1 << 20;

/// The files of a program, numbered from 0.
#[derive(Debug)]
pub(super) struct Files {
    sources: Vec<SourceText>,
    numbers: BTreeMap<String, usize>,
}

impl Files {
    /// Collects the texts that the trace carries, and those of the lines that it names, as far as they are found.
    pub(super) fn of(entries: &[Entry], carried: &[SourceText]) -> Self {
        let mut files = Self { sources: Vec::new(), numbers: BTreeMap::new() };
        for source in carried {
            files.add(source.clone());
        }
        for place in entries.iter().filter_map(|entry| entry.event.place()) {
            let file = place.file();
            if !files.numbers.contains_key(file) {
                match find(file) {
                    Some(text) => files.add(SourceText {
                        language: Language::Rust,
                        name: name(file).into(),
                        file: file.into(),
                        first_line: 1,
                        text: text.into(),
                    }),
                    // Looked for once.
                    None => drop(files.numbers.insert(file.to_owned(), usize::MAX)),
                }
            }
        }
        files
    }

    fn add(&mut self, source: SourceText) {
        self.numbers.insert(source.file.to_string(), self.sources.len());
        self.sources.push(source);
    }

    /// Returns the texts, by their numbers.
    pub(super) fn into_sources(self) -> Vec<SourceText> {
        self.sources
    }

    /// Returns the number of a file whose text is there.
    pub(super) fn number(&self, file: &str) -> Option<usize> {
        self.numbers.get(file).copied().filter(|number| *number < self.sources.len())
    }

    /// Returns the name of the first file.
    pub(super) fn first(&self) -> Option<&str> {
        self.sources.first().map(|source| source.name.as_ref())
    }

    pub(super) fn json(&self) -> Value {
        let source = |source: &SourceText| {
            let language = match source.language {
                Language::Rust => "rust",
                _ => "python",
            };
            json!({
                "name": source.name, "language": language, "first": source.first_line, "text": source.text.trim_end(),
            })
        };
        self.sources.iter().map(source).collect()
    }
}

/// Returns the last part of a path.
fn name(file: &str) -> String {
    file.rsplit(['/', '\\']).next().unwrap_or(file).to_owned()
}

/// Returns the text of a file of the program that runs. The compiler names it from the root of the workspace, which is
/// the current directory or one above it. Files of dependencies have absolute paths, and are not the program's.
fn find(file: &str) -> Option<String> {
    let path = Path::new(file);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if !is_plain || path.extension().is_none_or(|extension| extension != "rs") {
        return None;
    }
    let here = env::current_dir().ok()?;
    let found = here.ancestors().map(|directory| directory.join(path)).find(is_small)?;
    fs::read_to_string(found).ok()
}

fn is_small(path: &PathBuf) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_program_are_looked_for() {
        assert!(find(file!()).is_some_and(|text| text.contains("only_files_of_the_program")));
        for file in ["/etc/passwd", "../Cargo.toml", "Cargo.toml", "src", "", "no/such/file.rs"] {
            assert_eq!(find(file), None, "{file}");
        }
    }
}
