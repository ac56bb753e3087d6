//! Standard output: with colours where they are wanted, and quiet when nobody reads any more.

use std::fmt;
use std::io::{self, Write};
use std::process;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

use crate::fold;

/// How wide a trace is where there is no terminal.
const WIDTH: usize = 100;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless the environment says no
    Auto,
    Always,
    Never,
}

impl Color {
    /// `Auto` decides as other commands do: by `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE`, then by whether it is
    /// a terminal, and which.
    fn choice(self) -> ColorChoice {
        match self {
            Self::Auto => AutoStream::choice(&io::stdout()),
            Self::Always => ColorChoice::AlwaysAnsi,
            Self::Never => ColorChoice::Never,
        }
    }
}

/// Writes a text that has colours; they are taken out where they are not wanted.
pub(crate) fn write(color: Color, text: &impl fmt::Display) {
    let mut stdout = AutoStream::new(io::stdout().lock(), color.choice());
    written(write!(stdout, "{text}").and_then(|()| stdout.flush()));
}

/// Writes a line as it is.
pub(crate) fn line(text: &str) {
    written(writeln!(io::stdout().lock(), "{text}"));
}

/// Ends the process if it could not be written: quietly, if the reader has gone.
fn written(result: io::Result<()>) {
    if let Err(error) = result {
        if error.kind() == io::ErrorKind::BrokenPipe {
            process::exit(0);
        }
        self::error(&format!("cannot write: {error}"));
        process::exit(2);
    }
}

/// Writes a line to standard error. If that is closed, there is nobody to tell.
pub(crate) fn error_line(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// Writes what went wrong with the command itself, for somebody to read: in lines that fit, if it is known how much
/// fits.
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

/// How many columns a text may take: by the environment variable `COLUMNS`, else those of the terminal, else 100.
pub(crate) fn width() -> usize {
    columns().unwrap_or(WIDTH)
}

/// How many columns are wanted or there. Into a pipe those of the terminal count, too: a pager is at its end.
fn columns() -> Option<usize> {
    let wanted = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    wanted.filter(|columns| *columns > 0).or_else(|| {
        let (terminal_size::Width(columns), _) = terminal_size::terminal_size()?;
        Some(columns.into())
    })
}
