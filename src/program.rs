//! Coroutine programs as data: small programs in JSON that run on the real [`Runner`](crate::Runner),
//! [`Future`](crate::Future) and [`IoLoop`](crate::IoLoop) under a virtual clock, while everything that happens is
//! recorded.
//!
//! ```
//! let program = squall::program::parse(r#"{
//!     "name": "visit", "about": "a coroutine that waits",
//!     "defs": {"main": {"kind": "decorated", "params": [], "body": [
//!         ["yield", null, ["sleep", 20]],
//!         ["log", "slept until", ["now"]],
//!         ["return", 5]]}},
//!     "top": [["run_sync", "main", [], null]]
//! }"#)?;
//! let report = program.run()?;
//! assert_eq!(report.events[0].text, "slept until 20");
//! assert_eq!(report.order, "rr|rer");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The language has the parts of Tornado's coroutines and no others: decorated, native and plain functions, `yield`,
//! futures, timers, locks and queues. `docs/programs.md` describes it. The suite in `tests/conformance/` consists of
//! such programs, each with a record of what it did on the real Tornado; a [`Report`] is what it does on squall.
//!
//! Only the language itself is interpreted: its statements and expressions. Everything that a program waits for is
//! squall's own, so the suite judges squall and not an imitation.

mod callable;
mod expressions;
mod interpreted;
mod json;
mod map;
mod methods;
mod objects;
mod operators;
mod parse;
mod raised;
mod record;
mod report;
mod run;
mod show;
mod source;
mod statements;
mod syntax;
mod telling;
mod tornado;
mod value;
mod world;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

pub use report::{Line, Log, Outcome, Report, Step};

use syntax::{Body, Def, Name};

/// Reads a program and checks all of it. Nothing of a malformed program runs.
///
/// ```
/// let error = squall::program::parse(r#"{"name": "", "about": "", "top": [], "defs":
///     {"f": {"kind": "plain", "params": [], "body": [["log", ["plus", 1, 2]]]}}}"#).unwrap_err();
/// assert_eq!(error.path(), "defs.f.body[0][1][0]");
/// ```
///
/// # Errors
/// [`ProgramError`], which says where the program is malformed, and what was expected there.
pub fn parse(text: &str) -> Result<Program, ProgramError> {
    Ok(Program { code: Arc::new(parse::program(text)?) })
}

/// A well-formed program. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Program {
    code: Arc<Code>,
}

#[derive(Debug)]
struct Code {
    name: String,
    about: String,
    defs: Vec<Def>,
    top: Body,
    /// The names that a `let` at the top level assigns.
    globals: BTreeSet<Name>,
    /// The line of each statement in the Python source, made when it is first needed.
    places: OnceLock<source::Places>,
}

impl Program {
    /// Returns the program's name.
    pub fn name(&self) -> &str {
        &self.code.name
    }

    /// Returns the program's description, one line.
    pub fn about(&self) -> &str {
        &self.code.about
    }

    /// Returns the program as Python source, as it might be written for Tornado. Words that Tornado does not have stay
    /// as they are.
    ///
    /// Traces, tracebacks, `Deadlock` and `dump` show its lines, with the program's name in place of a file:
    /// `visit:3:5` is line 3 of the source of the program `visit`.
    ///
    /// ```
    /// let program = squall::program::parse(r#"{"name": "", "about": "", "defs":
    ///     {"main": {"kind": "decorated", "params": [], "body": [["yield", null, ["sleep", 5]]]}},
    ///     "top": [["run_sync", "main", [], null]]}"#)?;
    /// assert_eq!(program.source(), "@coroutine\ndef main():\n    yield sleep(5)\n\nrun_sync(main)\n");
    /// # Ok::<(), squall::program::ProgramError>(())
    /// ```
    pub fn source(&self) -> String {
        source::source(&self.code)
    }

    /// Returns the program as Tornado code that runs: a file of Python with its imports. Times are in seconds there, as
    /// Tornado takes them. The lines of a trace are those of the shorter [`source`](Self::source).
    ///
    /// ```
    /// let program = squall::program::parse(r#"{"name": "", "about": "", "defs":
    ///     {"main": {"kind": "decorated", "params": [], "body": [["yield", null, ["sleep", 5]]]}},
    ///     "top": [["run_sync", "main", [], null]]}"#)?;
    /// assert_eq!(program.tornado(), "\
    /// from tornado import gen
    /// from tornado.ioloop import IOLoop
    ///
    /// @gen.coroutine
    /// def main():
    ///     yield gen.sleep(0.005)
    ///
    /// IOLoop.current().run_sync(main)
    /// ");
    /// # Ok::<(), squall::program::ProgramError>(())
    /// ```
    pub fn tornado(&self) -> String {
        source::tornado(&self.code)
    }

    /// Returns what the places of a trace call the file of the [source](Self::source): the name of the program.
    pub fn file(&self) -> String {
        source::file(&self.code)
    }

    /// Runs the program on a loop and a virtual clock of its own. An observer of this thread sees all events, so
    /// `squall::trace::record(|| program.run())` returns the trace of a program. What the program logs appears there as
    /// [notes](crate::trace::note).
    ///
    /// # Errors
    /// [`RunError`] if the program does something that the language does not allow: it reads an unassigned variable,
    /// runs for ever, or lets an exception out of its top level. The error holds the report of what happened before.
    pub fn run(&self) -> Result<Report, RunError> {
        run::run(&self.code)
    }
}

/// The error of [`parse`]: the text is not a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", prefix(.path))]
pub struct ProgramError {
    path: String,
    message: String,
    /// `true` if the text is valid JSON.
    json: bool,
}

impl ProgramError {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), json: true }
    }

    /// Creates the error of a text that is not JSON.
    fn not_json(message: impl Into<String>) -> Self {
        Self { json: false, ..Self::new("the JSON text", message) }
    }

    /// Returns whether the text is valid JSON, although it is not a program.
    ///
    /// ```
    /// assert!(!squall::program::parse("print('hello')").unwrap_err().is_json());
    /// assert!(squall::program::parse("[]").unwrap_err().is_json());
    /// ```
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Returns the path to the malformed node, such as `defs.f.body[2][1]`; empty for the program as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what was expected at the node, and what was found.
    pub fn message(&self) -> &str {
        &self.message
    }
}

fn prefix(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}

/// The error of [`Program::run`]: the run was given up.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RunError {
    message: String,
    /// The events before the error.
    report: Box<Report>,
}

impl RunError {
    /// Returns what the program did before.
    pub fn report(&self) -> &Report {
        &self.report
    }
}
