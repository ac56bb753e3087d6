//! [`Progress`]: where a reader of the course is, kept in a file.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where a reader of the course is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The lesson that was begun last, and how many of its questions are answered.
    pub(super) at: Option<(String, usize)>,
    /// The lessons that were gone through.
    pub(super) done: BTreeSet<String>,
}

impl Progress {
    /// Reads the file. One that does not exist, or is none of these, means that nothing was done.
    pub(super) fn read(file: &Path) -> Self {
        let mut progress = Self::default();
        for line in fs::read_to_string(file).unwrap_or_default().lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["done", lesson] => {
                    progress.done.insert(lesson.to_owned());
                }
                ["at", lesson, answered] => {
                    progress.at = answered.parse().ok().map(|answered| (lesson.to_owned(), answered));
                }
                _ => {}
            }
        }
        progress
    }

    /// Writes the file as a whole: it never holds a part.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        let mut text = String::from("squall course\n");
        for lesson in &self.done {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "done {lesson}");
        }
        if let Some((lesson, answered)) = &self.at {
            let _ = writeln!(text, "at {lesson} {answered}");
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let new = file.with_extension(format!("{}.new", std::process::id()));
        fs::write(&new, text)?;
        fs::rename(&new, file)
    }
}

/// Returns the file of the user: `squall/course` in `XDG_STATE_HOME`, or else in `~/.local/state`. `None` if neither is
/// known.
pub(super) fn file() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let state = folder("XDG_STATE_HOME")
        .or_else(|| folder("HOME").or_else(|| folder("USERPROFILE")).map(|home| home.join(".local/state")));
    state.map(|state| state.join("squall/course"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_anything_else_is_nothing() {
        let folder = env::temp_dir().join(format!("squall-progress-{}", std::process::id()));
        let file = folder.join("below/course");
        assert_eq!(Progress::read(&file), Progress::default());
        let done = ["bad_call", "hops"].map(str::to_owned).into();
        let progress = Progress { at: Some(("return".to_owned(), 2)), done };
        progress.write(&file).unwrap();
        assert_eq!(Progress::read(&file), progress);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        fs::write(&file, "at return many\n\u{0}done\ndone a b\n").unwrap();
        assert_eq!(Progress::read(&file), Progress::default());
        fs::remove_dir_all(folder).unwrap();
    }
}
