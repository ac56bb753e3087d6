//! Standard output: colours where they are wanted, and a quiet end when the reader has gone.

use std::fmt;
use std::io::{self, Write};
use std::process;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

use crate::fold;

/// The width of a trace without a terminal, in columns.
const WIDTH: usize = 100;

/// The largest width of a text. Lines are filled up to it, so it bounds the memory of a trace.
const WIDEST: usize = 1_000;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless the environment forbids it
    Auto,
    Always,
    Never,
}

impl Color {
    /// Decides about `Auto` like other commands: by `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE`, then by whether
    /// standard output is a terminal, and of which kind.
    fn choice(self) -> ColorChoice {
        match self {
            Self::Auto => AutoStream::choice(&io::stdout()),
            Self::Always => ColorChoice::AlwaysAnsi,
            Self::Never => ColorChoice::Never,
        }
    }
}

/// Writes a text that contains colours, which are removed where they are not wanted.
pub(crate) fn write(color: Color, text: &impl fmt::Display) {
    let mut stdout = AutoStream::new(io::stdout().lock(), color.choice());
    written(write!(stdout, "{text}").and_then(|()| stdout.flush()));
}

/// Returns a text without its colours.
pub(crate) fn without_colors(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Writes a line unchanged.
pub(crate) fn line(text: &str) {
    written(writeln!(io::stdout().lock(), "{text}"));
}

/// Ends the process if the write failed: quietly if the reader has gone.
fn written(result: io::Result<()>) {
    if let Err(error) = result {
        if error.kind() == io::ErrorKind::BrokenPipe {
            process::exit(0);
        }
        self::error(&format!("cannot write: {error}"));
        process::exit(2);
    }
}

/// Writes a line to standard error. If that is closed, the line is lost.
pub(crate) fn error_line(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// Writes an error of the command itself, folded to the width of the terminal if that is known.
pub(crate) fn error(message: &str) {
    let text = format!("error: {message}");
    match columns() {
        Some(columns) => {
            let lines = text.lines().flat_map(|line| fold::fold(line, columns, 0));
            error_line(&lines.collect::<Vec<_>>().join("\n"));
        }
        None => error_line(&text),
    }
}

/// Returns the width of a text in columns: the environment variable `COLUMNS`, else the terminal's width, else 100.
pub(crate) fn width() -> usize {
    columns().unwrap_or(WIDTH)
}

/// Returns the width that is asked for or available, at most [`WIDEST`]. A pipe has the width of the terminal, since it
/// may lead to a pager.
fn columns() -> Option<usize> {
    let wanted = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse::<usize>().ok());
    wanted.filter(|columns| *columns > 0).map(|columns| columns.min(WIDEST)).or_else(|| {
        let (terminal_size::Width(columns), _) = terminal_size::terminal_size()?;
        Some(columns.into())
    })
}
