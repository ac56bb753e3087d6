//! [`Story`]: the entries of a trace as rows of acts, common to all ways of drawing them.

use std::time::Duration;

use super::cell::{breakable, plain};
use super::names::Unit;
use super::phrases::Phrases;

/// The rows of a trace.
#[derive(Debug)]
pub(crate) struct Story {
    /// The actors, by their numbers in the rows: the loop, then each call of a coroutine and each job on another thread,
    /// oldest first.
    pub(crate) actors: Vec<Actor>,
    pub(crate) rows: Vec<Row>,
    /// The unit of times.
    pub(crate) unit: Unit,
    /// The words of the language in which it is told.
    pub(crate) phrases: Phrases,
    /// The calls that are suspended at the end: the name of each call, and what it did last.
    pub(crate) waiting: Vec<(String, String)>,
}

/// The loop, a call of a coroutine, or a job on another thread.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    /// The name of the call, such as `fetch#2`; `loop` for the loop, `thread squall-0` for a job.
    pub(crate) label: String,
    /// The name of the coroutine, such as `fetch`.
    pub(crate) coroutine: String,
    /// The number of the call among those of its coroutine.
    pub(crate) nth: usize,
}

/// The number of the loop among the actors.
pub(crate) const LOOP: usize = 0;

/// One thing that happens, and its time.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) time: Duration,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// A turn of the loop, counted from 1. Turns in which nothing is seen share a row of the loop.
    Turn(usize),
    /// One act, or a call together with the start of the called coroutine.
    Acts(Vec<Act>),
    /// A log message.
    Log(String),
}

/// An act of one actor.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) actor: usize,
    pub(crate) text: String,
    /// The line of the program behind the text, if it has a tone of its own.
    pub(crate) place: String,
    pub(crate) tone: Tone,
    /// `true` if the actor begins with this act.
    pub(crate) begins: bool,
    /// The state of the actor after the act.
    pub(crate) life: Life,
}

/// The state of an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// Not called yet, or ended.
    Gone,
    /// Running: on the stack.
    Running,
    /// Suspended.
    Waiting,
}

/// The meaning of a text, which decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// A value or an exception that goes into a coroutine.
    In,
    /// A yield, which leaves a coroutine.
    Out,
    /// A good end.
    Good,
    /// An exception.
    Bad,
    /// A line that the program prints.
    Said,
    /// Lines and times.
    Faint,
    /// Names.
    Name,
}

impl Act {
    /// Returns the text and the line of the program on one line.
    pub(crate) fn line(&self) -> String {
        format!("{}{}", plain(&self.text), plain(&self.place))
    }

    /// Splits a part of the printed text where the line of the program begins.
    pub(crate) fn split<'a>(&self, printed: &'a str) -> (&'a str, &'a str) {
        let place = breakable(&plain(&self.place));
        printed.split_at(printed.strip_suffix(&place).map_or(printed.len(), str::len))
    }
}
