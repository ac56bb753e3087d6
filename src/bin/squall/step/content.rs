//! [`Content`]: what a pane shows. Only lines that are in view are made.

use ratatui::text::Line;

use super::code::first;

/// The room for what a pane shows, below its title.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) width: usize,
    pub(super) height: usize,
    /// How far the reader has scrolled from where the pane would stand by itself.
    pub(super) scrolled: isize,
}

/// The content of a pane.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The part of its title beside its name.
    pub(super) about: Line<'static>,
    /// The lines that are in view.
    pub(super) lines: Vec<Line<'static>>,
}

impl Content {
    /// Takes those of `count` lines that are in view; that with the focus is among them, unless the reader has scrolled.
    pub(super) fn of(
        count: usize,
        focus: Option<usize>,
        view: View,
        line: impl FnMut(usize) -> Line<'static>,
    ) -> Self {
        let from = first(count, view.height, focus, view.scrolled);
        let shown = from..count.min(from + view.height);
        Self { about: Line::default(), lines: shown.map(line).collect() }
    }

    /// Creates the content of a pane with a few lines.
    pub(super) fn few(lines: Vec<Line<'static>>, view: View) -> Self {
        Self::of(lines.len(), None, view, |nth| lines[nth].clone())
    }

    pub(super) fn about(self, about: Line<'static>) -> Self {
        Self { about, ..self }
    }
}
