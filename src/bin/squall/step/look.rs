//! Colours and signs. No sign is of ambiguous width: a Chinese terminal shows each as narrow as any other.

use clap::ValueEnum;
use ratatui::style::{Color, Modifier, Style};

pub(super) const RUNS: char = '▸';
pub(super) const CALLS: char = '▹';
pub(super) const READY: char = '»';
pub(super) const WAITS: char = '╎';
pub(super) const PENDING: char = '◦';
pub(super) const DONE: char = '✓';
pub(super) const FAILED: char = '✗';
pub(super) const CANCELLED: char = '⊘';
pub(super) const BREAKS: char = '◉';
pub(super) const CUT: char = '⋯';
pub(super) const BY: char = '‹';
pub(super) const RULE: &str = "╌";
pub(super) const BETWEEN: char = '╎';

/// The colours of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Theme {
    Dark,
    Light,
    /// Without colours
    Plain,
}

impl Theme {
    /// Returns the theme that fits the terminal, as far as that is known: some terminals set `COLORFGBG`, and the
    /// reader may set `NO_COLOR`.
    pub(crate) fn of_environment() -> Self {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        if set("NO_COLOR").is_some() {
            return Self::Plain;
        }
        let background = set("COLORFGBG").and_then(|colors| colors.rsplit(';').next()?.parse::<u8>().ok());
        match background {
            Some(7 | 15) => Self::Light,
            _ => Self::Dark,
        }
    }

    /// Returns the next theme.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Dark => Self::Light,
            Self::Light | Self::Plain => Self::Dark,
        }
    }

    /// Text and background, which are both painted, so that they fit each other in every terminal.
    pub(super) fn base(self) -> Style {
        self.colors(253, 234, 235, 231)
    }

    pub(super) fn quiet(self) -> Style {
        self.color(246, 241)
    }

    pub(super) fn bad(self) -> Style {
        self.color(210, 124)
    }

    pub(super) fn good(self) -> Style {
        self.color(114, 28)
    }

    pub(super) fn title(self, focused: bool) -> Style {
        match focused {
            true => Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED),
            false => self.quiet().add_modifier(Modifier::BOLD),
        }
    }

    /// Returns the style of the line that is executed.
    pub(super) fn lit(self) -> Style {
        match self {
            Self::Plain => Style::new().add_modifier(Modifier::REVERSED),
            _ => self.colors(231, 24, 16, 153),
        }
    }

    /// Returns the style of the line in which the program runs.
    pub(super) fn inside(self) -> Style {
        match self {
            Self::Plain => Style::new().add_modifier(Modifier::UNDERLINED),
            _ => self.colors(253, 238, 235, 254),
        }
    }

    /// Returns the colour of a lane, which is that of its calls. 0 is the loop.
    pub(super) fn lane(self, lane: usize) -> Style {
        const DARK: [u8; 8] = [117, 215, 150, 176, 222, 80, 211, 147];
        const LIGHT: [u8; 8] = [25, 130, 28, 90, 94, 30, 125, 61];
        match lane.checked_sub(1) {
            None => self.quiet(),
            Some(lane) => self.color(DARK[lane % 8], LIGHT[lane % 8]),
        }
    }

    fn color(self, dark: u8, light: u8) -> Style {
        match self {
            Self::Dark => Style::new().fg(Color::Indexed(dark)),
            Self::Light => Style::new().fg(Color::Indexed(light)),
            Self::Plain => Style::new(),
        }
    }

    fn colors(self, dark: u8, on_dark: u8, light: u8, on_light: u8) -> Style {
        match self {
            Self::Dark => Style::new().fg(Color::Indexed(dark)).bg(Color::Indexed(on_dark)),
            Self::Light => Style::new().fg(Color::Indexed(light)).bg(Color::Indexed(on_light)),
            Self::Plain => Style::new(),
        }
    }
}
