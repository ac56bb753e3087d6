//! [`Room`]: what the reader of the course sees and types, on a terminal or line by line from a file.

use std::io::{self, BufRead, IsTerminal};

use squall::trace::Lang;

use super::words::{filled, word};
use crate::output::{self, Color};

/// The widest text that is read with ease, in columns.
const WIDEST: usize = 200;

/// The input of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// An empty line.
    On,
    /// An answer, counted from 0.
    Answer(usize),
    Skip,
    Back,
    /// `q`, or the end of the input.
    Leave,
}

impl Reply {
    fn of(line: &str) -> Option<Self> {
        match line.trim().to_lowercase().as_str() {
            "" => Some(Self::On),
            "s" => Some(Self::Skip),
            "b" => Some(Self::Back),
            "q" | "quit" | "exit" => Some(Self::Leave),
            number => number.parse::<usize>().ok()?.checked_sub(1).map(Self::Answer),
        }
    }
}

/// Where the course is given.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) lang: Lang,
    pub(super) width: usize,
    color: Color,
    /// `true` if what is typed is seen by the reader, who ends it with a new line.
    echoes: bool,
}

impl Room {
    pub(super) fn new(lang: Lang, color: Color) -> Self {
        Self { lang, width: output::width().min(WIDEST), color, echoes: io::stdin().is_terminal() }
    }

    pub(super) fn say(&self, text: &str) {
        output::write(self.color, &text);
    }

    /// Waits until the reader has read so far.
    pub(super) fn go_on(&self) -> Reply {
        self.say(&format!("\n\x1b[2m{}\x1b[0m ", word("go_on", self.lang)));
        loop {
            match Reply::of(&self.line().unwrap_or_else(|| "q".to_owned())) {
                Some(Reply::Answer(_)) | None => self.say(&format!("{} ", word("go_on", self.lang))),
                Some(reply) => return reply,
            }
        }
    }

    /// Waits for one of so many answers.
    pub(super) fn answer(&self, options: usize) -> Reply {
        let n = options.to_string();
        loop {
            self.say(&filled("answer", self.lang, &[("n", &n)]));
            match Reply::of(&self.line().unwrap_or_else(|| "q".to_owned())) {
                Some(Reply::Answer(given)) if given >= options => {}
                Some(Reply::On) | None => {}
                Some(reply) => return reply,
            }
            self.say(&format!("{}\n", filled("choose", self.lang, &[("n", &n)])));
        }
    }

    /// Reads a line. `None` is the end of the input.
    fn line(&self) -> Option<String> {
        let mut line = Vec::new();
        let read = io::stdin().lock().read_until(b'\n', &mut line).unwrap_or(0);
        if !self.echoes || read == 0 {
            self.say("\n");
        }
        (read > 0).then(|| String::from_utf8_lossy(&line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_a_number_a_letter_or_nothing() {
        let replies = ["\n", " 2 \r\n", "0", "q\n", "S", "b", "what"].map(Reply::of);
        let (on, leave) = (Some(Reply::On), Some(Reply::Leave));
        let (second, skip, back) = (Some(Reply::Answer(1)), Some(Reply::Skip), Some(Reply::Back));
        assert_eq!(replies, [on, second, None, leave, skip, back, None]);
    }
}
