//! [`Report`]: the text of a failed test: the last steps in columns, the waiting coroutines, the time, and where to find the
//! rest.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use squall_runner::Place;

use super::files;
use super::ring::ENTRIES;
use super::step::{Clock, InShort};
use super::waits::Waits;
use super::watch::Seen;

/// The largest number of lines, including the message before the report.
const LINES: usize = 32;
/// How many of the lines are for waiting coroutines.
const WAITS: usize = 10;
/// How many of the lines are for log messages.
const PROBLEMS: usize = 4;

/// When a timer is due, and the line that set it.
pub(super) type Timer = (Duration, &'static Location<'static>);

/// Returns the words that say where a timer was set, if that is a line of the program.
fn set_at(location: &'static Location<'static>) -> String {
    let place = Place::from(location);
    if place.is_of_program() {
        format!(", set at {place}")
    } else {
        String::new()
    }
}

/// The last events and the current state. `Display` prints at most forty lines; the whole trace is in a file that
/// it names.
#[derive(Debug)]
pub(super) struct Report {
    text: String,
}

impl Report {
    pub(super) fn new(seen: &Seen, waits: &Waits, timers: &[Timer]) -> Self {
        let whole = seen.trace();
        let trace = whole.to_text();
        let mut below = Vec::new();
        for (problem, exception) in seen.problems.iter().take(PROBLEMS) {
            let at = exception.traceback().first().map_or(exception.origin(), |frame| frame.place);
            below.push(format!("{}: {} at {at}", problem.text(), InShort(exception)));
        }
        more(&mut below, seen.problems.len().saturating_sub(PROBLEMS));
        if !waits.is_empty() {
            below.push("waiting:".to_owned());
            below.extend(waits.to_string().lines().take(WAITS).map(|line| format!("  {line}")));
            more(&mut below, waits.len().saturating_sub(WAITS));
        }
        if let Some((due, location)) = timers.first() {
            let more = match timers.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            below.push(format!("timer due at {}{}{more}", Clock(*due), set_at(location)));
        }
        let what = match seen.entries.left_out() {
            0 => "the whole trace",
            left_out => {
                below.push(format!(
                    "the trace has the last {ENTRIES} events; {left_out} before them are left out"
                ));
                "the trace"
            }
        };
        match files::text(&whole, &trace) {
            Ok(path) => below.push(format!("{what}: {}", path.display())),
            Err(error) => below.push(format!("{what} could not be written: {error}")),
        }
        below.extend(files::page(&whole));
        let columns = last(&trace, LINES - 1 - below.len());
        let head = format!(
            "after {}, in turn {}, at virtual time {}:",
            counted(seen.steps, "step"),
            seen.turn,
            Clock(seen.now)
        );
        let text = [head].into_iter().chain(columns).chain(below).collect::<Vec<_>>().join("\n");
        Self { text }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns `1 step`, `2 steps`.
pub(super) fn counted(n: usize, what: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{n} {what}{plural}")
}

fn more(lines: &mut Vec<String>, count: usize) {
    if count > 0 {
        lines.push(format!("  ... and {count} more"));
    }
}

/// Returns the headings of the columns, and the last lines below them.
fn last(trace: &str, lines: usize) -> Vec<String> {
    // The outcome follows after an empty line; the report has its own text for it.
    let columns = trace.split("\n\n").next().unwrap_or_default();
    let all: Vec<&str> = columns.lines().collect();
    let headings = all.iter().take_while(|line| !line.contains(['┬', '├', '┴', '·', '┄', '!'])).count();
    let (headings, steps) = all.split_at(headings.min(3));
    let left_out = steps.len().saturating_sub(lines.saturating_sub(headings.len() + 1));
    let mut last: Vec<String> = headings.iter().map(ToString::to_string).collect();
    if left_out > 0 {
        last.push(format!("  ... {left_out} lines before this"));
    }
    last.extend(steps[left_out..].iter().map(ToString::to_string));
    last
}
