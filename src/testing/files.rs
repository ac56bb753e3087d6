//! The files that a failed test leaves: its whole trace as text, and, where the environment variable `SQUALL_FAILURE` names a
//! directory, the trace as a page for a browser.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use squall_runner::Exception;

use crate::trace::{steps, Recorded, Trace};

/// The environment variable that names the directory of pages.
const DIRECTORY: &str = "SQUALL_FAILURE";

/// The sentence under the title of a page.
const ABOUT: [&str; 2] =
    ["This test failed. The last step is where it stood then.", "这个测试失败了。最后一步是它失败时的样子。"];

/// The largest number of steps in a page, so that it is written and opened in a few seconds.
const STEPS: usize = 10_000;

/// The pages that this process has written: one test may fail in several loops.
static WRITTEN: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

/// Writes the trace as text to a file in the target directory that is named after the test.
pub(super) fn text(trace: &Trace, text: &str) -> io::Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.ancestors().find(|dir| dir.file_name().is_some_and(|name| name == "target"));
    let folder = target.map_or_else(env::temp_dir, PathBuf::from).join("squall");
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.txt", name(trace)));
    fs::write(&path, text)?;
    Ok(path)
}

/// Writes the trace as a page, if `SQUALL_FAILURE` names a directory, and returns what the failure's message says of it.
pub(super) fn page(trace: &Trace) -> Option<String> {
    let directory = env::var_os(DIRECTORY).filter(|directory| !directory.is_empty())?;
    // Its own mistake must not hide the failure of the test.
    let written = Exception::trap(|| Ok(write(&directory, trace)), Err);
    Some(match written {
        Ok(Ok(path)) => format!("to step through it: {}", path.display()),
        Ok(Err(error)) => {
            let directory = Path::new(&directory).display();
            format!("its page could not be written to {DIRECTORY}={directory}: {error}")
        }
        Err(panic) => format!("its page could not be made: {panic}"),
    })
}

fn write(directory: &OsString, trace: &Trace) -> io::Result<PathBuf> {
    let directory = std::path::absolute(directory)?;
    fs::create_dir_all(&directory)?;
    let (package, binary, test) = (env::var("CARGO_PKG_NAME").unwrap_or_default(), binary(), test());
    // The tests within a library are in a binary that is named after the package.
    let parts = if package.is_empty() || package.replace('-', "_") == binary {
        vec![binary, test.clone()]
    } else {
        vec![package, binary, test.clone()]
    };
    let path = unused(&directory, &parts.join("-"));
    let page = trace.page().title(test, about(steps(trace.entries()).len()));
    fs::write(&path, page.last(STEPS).to_string())?;
    Ok(path)
}

/// Returns the sentences under the title of a page, given the number of steps of the trace.
fn about(steps: usize) -> [String; 2] {
    let [en, zh] = ABOUT;
    match steps > STEPS {
        true => [
            format!("{en} The page has the last {STEPS} of {steps} steps."),
            format!("{zh}本页只有最后 {STEPS} 步，总共 {steps} 步。"),
        ],
        false => ABOUT.map(str::to_owned),
    }
}

/// Returns a path that this process has not written to, and takes it.
fn unused(directory: &Path, stem: &str) -> PathBuf {
    let mut written = WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    let written = written.get_or_insert_default();
    let numbered = |nth: usize| match nth {
        1 => format!("{stem}.html"),
        _ => format!("{stem}-{nth}.html"),
    };
    let mut paths = (1..).map(|nth| directory.join(numbered(nth)));
    let path = paths.find(|path| !written.contains(path)).unwrap_or_default();
    written.insert(path.clone());
    path
}

/// Returns the name for the files of a test: those of its binary and of itself. A thread without a name is not a test's, but
/// runs a program of another language, whose name this is.
fn name(trace: &Trace) -> String {
    let is_test = std::thread::current().name().is_some();
    // Its first coroutine is defined in it, but may have been called by a library, such as asyncio's `run`.
    let defined = |event: &Recorded| match event {
        Recorded::Call { defined, .. } => *defined,
        _ => None,
    };
    let mut entries = trace.entries().iter().filter(|_| !is_test);
    let program = entries.clone().find_map(|entry| defined(&entry.event));
    let program = program.or_else(|| entries.find_map(|entry| entry.event.place()));
    let program = program.and_then(|place| Path::new(place.file()).file_stem());
    program.map_or_else(|| format!("{}-{}", binary(), test()), |name| name.to_string_lossy().into_owned())
}

/// Returns the name of the test binary, without the hash that cargo adds, so that each run writes the same files.
fn binary() -> String {
    let program = env::current_exe().unwrap_or_default();
    let stem = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match stem.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.chars().all(|c| c.is_ascii_hexdigit()) => {
            name.to_owned()
        }
        _ => stem,
    }
}

/// Returns the name of the test, which is that of its thread, as a part of a file's name.
fn test() -> String {
    let thread = std::thread::current();
    thread.name().unwrap_or("test").replace(|c: char| !c.is_alphanumeric() && c != '_', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_long_trace_says_how_much_of_it_there_is() {
        assert_eq!(about(10_000), ABOUT);
        let [en, zh] = about(52_345);
        assert!(en.ends_with("The page has the last 10000 of 52345 steps.") && zh.contains("52345"));
    }

    #[test]
    fn no_page_takes_the_place_of_another_one() {
        let directory = Path::new("/pages");
        let names = ["one", "one", "two", "one"].map(|stem| unused(directory, stem));
        let expected = ["one.html", "one-2.html", "two.html", "one-3.html"].map(|name| directory.join(name));
        assert_eq!(names, expected);
    }
}
