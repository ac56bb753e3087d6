//! Coroutine programs as data: small programs in JSON, run on the real [`Runner`](crate::Runner),
//! [`Future`](crate::Future) and [`IoLoop`](crate::IoLoop) under a virtual clock, with everything that happens
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
//! The language has the pieces of Tornado's coroutines, and no others: decorated, native and plain functions,
//! `yield`, futures, timers, locks and queues; `docs/programs.md` has all of it. The suite in `tests/conformance/`
//! holds such programs, each with what the real Tornado did with it; [`Report`] is what squall did.
//!
//! What is interpreted is only the language: its statements and expressions. Everything that a program waits for
//! is squall's own, so that the suite judges squall and not an imitation.

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
mod value;
mod world;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

pub use report::{Line, Log, Outcome, Report, Step};

use syntax::{Body, Def, Name};

/// Reads a program, and checks all of it: of one that is not well formed nothing runs.
///
/// ```
/// let error = squall::program::parse(r#"{"name": "", "about": "", "top": [], "defs":
///     {"f": {"kind": "plain", "params": [], "body": [["log", ["plus", 1, 2]]]}}}"#).unwrap_err();
/// assert_eq!(error.path(), "defs.f.body[0][1][0]");
/// ```
///
/// # Errors
/// Says where the program is not well formed, and what was expected there.
pub fn parse(text: &str) -> Result<Program, ProgramError> {
    Ok(Program { code: Arc::new(parse::program(text)?) })
}

/// A well-formed program. Cheap to clone.
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
    /// The names that a `let` at the top assigns.
    globals: BTreeSet<Name>,
    /// Where each statement stands in the source, once somebody wants to know.
    places: OnceLock<source::Places>,
}

impl Program {
    /// Returns the name of the program.
    pub fn name(&self) -> &str {
        &self.code.name
    }

    /// Returns what the program is about, in a line.
    pub fn about(&self) -> &str {
        &self.code.about
    }

    /// Returns the program as Python, as far as that is possible: what it would look like if it were written for Tornado.
    ///
    /// Traces, tracebacks, `Deadlock` and `dump` name its lines, in a file that is called like the program:
    /// `visit:3:5` is line 3 of what this returns for the program `visit`.
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

    /// Runs it, on a loop and a virtual clock of its own. An observer of this thread sees it all, so that
    /// `squall::trace::record(|| program.run())` gives the trace of a program; what it logs are
    /// [notes](crate::trace::note) there.
    ///
    /// # Errors
    /// If the program does what the language does not have: reads a variable that was not assigned, goes on for
    /// ever, lets an exception out of its top level. What it did before that is in the error.
    pub fn run(&self) -> Result<Report, RunError> {
        run::run(&self.code)
    }
}

/// Why a text is not a program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", prefix(.path))]
pub struct ProgramError {
    path: String,
    message: String,
    /// Whether the text is JSON.
    json: bool,
}

impl ProgramError {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), json: true }
    }

    /// The text is not JSON.
    fn not_json(message: impl Into<String>) -> Self {
        Self { json: false, ..Self::new("the JSON text", message) }
    }

    /// Returns whether the text is JSON, although it is not a program.
    ///
    /// ```
    /// assert!(!squall::program::parse("print('hello')").unwrap_err().is_json());
    /// assert!(squall::program::parse("[]").unwrap_err().is_json());
    /// ```
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Returns the way to the node, as in `defs.f.body[2][1]`; empty for the program as a whole.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns what was expected there, and what was found.
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

/// Why a run was given up.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RunError {
    message: String,
    /// What the program did until then.
    report: Box<Report>,
}

impl RunError {
    /// Returns what the program did until then.
    pub fn report(&self) -> &Report {
        &self.report
    }
}
