//! Standard output: with colours where they are wanted, and quiet when nobody reads any more.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::process;

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

/// How wide a trace is where there is no terminal.
const WIDTH: u16 = 100;

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
        error_line(&format!("error: cannot write: {error}"));
        process::exit(2);
    }
}

/// Writes a line to standard error. If that is closed, there is nobody to tell.
pub(crate) fn error_line(text: &str) {
    drop(writeln!(io::stderr(), "{text}"));
}

/// The width of the terminal.
pub(crate) fn width() -> u16 {
    let terminal = io::stdout().is_terminal().then(terminal_size::terminal_size).flatten();
    terminal.map_or(WIDTH, |(terminal_size::Width(columns), _)| columns)
}
