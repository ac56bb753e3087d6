//! [`Line`]: a line of a view, made of texts that may be coloured.

use super::cell::width;
use super::story::Tone;

#[derive(Debug, Default)]
pub(crate) struct Line {
    texts: Vec<(Tone, String)>,
    width: usize,
}

impl Line {
    pub(crate) fn push(&mut self, tone: Tone, text: &str) {
        self.width += width(text);
        self.texts.push((tone, text.to_owned()));
    }

    /// Pads with spaces.
    pub(crate) fn pad_to(&mut self, to: usize) {
        if self.width < to {
            self.push(Tone::Plain, &" ".repeat(to - self.width));
        }
    }

    /// Replaces the spaces at the beginning of the line, up to `to`, with `start`.
    pub(crate) fn replace_start(&mut self, mut start: Self, to: usize) {
        start.pad_to(to);
        self.texts.splice(..1, start.texts);
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Returns the line with its end, without trailing spaces.
    pub(crate) fn print(&self, colors: bool) -> String {
        let mut line = String::new();
        let mut texts = self.texts.as_slice();
        while let [rest @ .., (_, last)] = texts {
            if !last.trim_end().is_empty() {
                break;
            }
            texts = rest;
        }
        for (index, (tone, text)) in texts.iter().enumerate() {
            let text = if index + 1 == texts.len() { text.trim_end() } else { text };
            match tone.sgr() {
                Some(sgr) if colors => line.extend(["\x1b[", sgr, "m", text, "\x1b[0m"]),
                _ => line.push_str(text),
            }
        }
        line.push('\n');
        line
    }
}

impl Tone {
    /// Returns the escape code of the colour. Only the eight basic colours are used, so that the terminal's theme
    /// applies.
    fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::In => Some("36"),
            Self::Out => Some("33"),
            Self::Good => Some("32"),
            Self::Bad => Some("31"),
            Self::Said | Self::Name => Some("1"),
            Self::Faint => Some("2"),
        }
    }
}
