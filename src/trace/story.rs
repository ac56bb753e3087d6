//! [`Story`]: the entries of a trace as rows of who does what, the same for every way to draw them.

use std::time::Duration;

use super::cell::{breakable, plain};
use super::names::Unit;

/// What happens, row by row.
#[derive(Debug)]
pub(crate) struct Story {
    /// Those who act, by their number in the rows: the loop, then each call of a coroutine, oldest first.
    pub(crate) actors: Vec<Actor>,
    pub(crate) rows: Vec<Row>,
    /// The unit of its times.
    pub(crate) unit: Unit,
    /// Those that are suspended at the end: the name of the call, and what it did last.
    pub(crate) waiting: Vec<(String, String)>,
}

/// Who acts.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    /// `fetch#2`; the loop is `loop`.
    pub(crate) label: String,
    /// `fetch`.
    pub(crate) coroutine: String,
    /// 2.
    pub(crate) nth: usize,
}

/// The number of the loop among the actors.
pub(crate) const LOOP: usize = 0;

/// Something that happens at one time.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) time: Duration,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// The loop turns: its iterations are counted from 1. Turns in which nothing is seen are told in a row of the loop.
    Turn(usize),
    /// One act, or a call and the start of what is called.
    Acts(Vec<Act>),
    /// Something is logged.
    Log(String),
}

/// What one actor does.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) actor: usize,
    pub(crate) text: String,
    /// The line of the program that stands behind the text, if it has a tone of its own.
    pub(crate) place: String,
    pub(crate) tone: Tone,
    /// Whether it begins with this.
    pub(crate) begins: bool,
    /// What becomes of it.
    pub(crate) life: Life,
}

/// Whether an actor is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Not yet called, or at its end.
    Gone,
    /// On the stack.
    Running,
    /// Suspended.
    Waiting,
}

/// The colour of a text, if there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// What goes into a coroutine.
    In,
    /// What comes out.
    Out,
    /// It ends well.
    Good,
    /// An exception.
    Bad,
    /// What the program prints.
    Said,
    /// Lines, times.
    Faint,
    /// Names.
    Name,
}

impl Act {
    /// Returns the text with the line of the program, as one line of a terminal.
    pub(crate) fn line(&self) -> String {
        format!("{}{}", plain(&self.text), plain(&self.place))
    }

    /// Splits a part of the text, as it is printed, at the line of the program.
    pub(crate) fn split<'a>(&self, printed: &'a str) -> (&'a str, &'a str) {
        let place = breakable(&plain(&self.place));
        printed.split_at(printed.strip_suffix(&place).map_or(printed.len(), str::len))
    }
}
