//! A story in columns: one for the loop, one for each coroutine.

use std::ops::Range;

use super::cell::{breakable, cut, plain, width, wrap};
use super::paint::Line;
use super::phrases::Phrase;
use super::story::{Act, Life, Story, Tone, What, LOOP};

/// The smallest width of a column.
const NARROWEST: usize = 15;

/// The smallest width of a column while calls could share columns instead.
const COMFORTABLE: usize = 22;

/// How many lines a cell has at most.
const LINES: usize = 5;

/// The columns of a story, with their widths.
#[derive(Debug)]
pub(crate) struct Columns {
    /// The column of each actor.
    column_of: Vec<usize>,
    each: Vec<Column>,
    /// The width of the times at the left of the columns.
    margin: usize,
}

#[derive(Debug)]
struct Column {
    heading: String,
    /// The left edge.
    x: usize,
    width: usize,
}

impl Columns {
    /// Returns one column for each call. If these are too many, calls of one coroutine that are not alive at the same
    /// time share a column. Returns `None` if even these do not fit.
    pub(crate) fn fit(story: &Story, width: usize) -> Option<Self> {
        let margin = margin(story);
        let room = width.checked_sub(margin)?;
        let each = Self::with(story, (0..story.actors.len()).collect(), margin);
        let shared = || Self::with(story, shared(story), margin);
        each.share(room, COMFORTABLE).or_else(|| shared().share(room, NARROWEST))
    }

    /// Creates columns of their preferred widths, not placed yet.
    fn with(story: &Story, column_of: Vec<usize>, margin: usize) -> Self {
        let count = column_of.iter().max().map_or(0, |last| last + 1);
        let mut columns: Vec<Column> = Vec::with_capacity(count);
        for (actor, &column) in story.actors.iter().zip(&column_of) {
            if column == columns.len() {
                let width = width(&actor.label) + 3;
                columns.push(Column { heading: actor.label.clone(), x: 0, width });
            }
        }
        let mut this = Self { column_of, each: columns, margin };
        for act in acts(story) {
            let text = this.text(story, act);
            let column = &mut this.each[this.column_of[act.actor]];
            column.width = column.width.max(width(&text) + 3);
        }
        this
    }

    /// Places the columns. If they do not fit, the widest ones are reduced to a common width. Returns `None` if that is
    /// less than `narrowest`.
    fn share(mut self, mut room: usize, narrowest: usize) -> Option<Self> {
        let mut by_need: Vec<_> = (0..self.each.len()).collect();
        by_need.sort_by_key(|&column| self.each[column].width);
        for (served, &column) in by_need.iter().enumerate() {
            let column = &mut self.each[column];
            let fair = room / (by_need.len() - served);
            if column.width > fair && fair < narrowest {
                return None;
            }
            column.width = column.width.min(fair);
            room -= column.width;
        }
        let mut x = self.margin;
        for column in &mut self.each {
            column.x = x;
            x += column.width;
        }
        Some(self)
    }

    /// Returns the text of a cell. In a column that several calls share it says which of them begins.
    fn text(&self, story: &Story, act: &Act) -> String {
        let actor = &story.actors[act.actor];
        let text = act.line();
        if act.begins && act.actor != LOOP && self.each[self.column_of[act.actor]].heading != actor.label {
            return format!("#{} {text}", actor.nth);
        }
        text
    }

    pub(crate) fn draw(&self, story: &Story) -> Vec<Line> {
        let mut lines = self.headings();
        let mut states = vec![Life::Gone; self.each.len()];
        let mut shown = None;
        for row in &story.rows {
            let first = lines.len();
            match &row.what {
                What::Turn(number) => {
                    let turn = story.phrases.count(Phrase::Turn, *number);
                    lines.push(self.turn(&turn, &states));
                }
                What::Acts(acts) => lines.extend(self.acts(story, acts, &mut states)),
                What::Log(text) => lines.extend(log(text, self.margin, self.right())),
            }
            stamp(&mut lines[first], story.unit.tell(row.time), self.margin, &mut shown);
        }
        lines
    }

    fn right(&self) -> usize {
        self.each.last().map_or(0, |last| last.x + last.width)
    }

    fn headings(&self) -> Vec<Line> {
        let wrapped: Vec<_> =
            self.each.iter().map(|column| wrap(&column.heading, column.width - 1, 3)).collect();
        let deepest = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        let mut lines = Vec::new();
        for nth in 0..deepest {
            let mut line = Line::default();
            for (column, heading) in self.each.iter().zip(&wrapped) {
                line.pad_to(column.x);
                line.push(Tone::Name, heading.get(nth).map_or("", String::as_str));
            }
            lines.push(line);
        }
        lines
    }

    /// Draws a thin line across the lifelines.
    fn turn(&self, turn: &str, states: &[Life]) -> Line {
        let mut line = Line::default();
        line.pad_to(self.margin);
        let label = format!("┄ {turn} ");
        for (index, (column, life)) in self.each.iter().zip(states).enumerate() {
            line.push(Tone::Faint, if *life == Life::Gone { "┄" } else { life.line() });
            if index == LOOP {
                line.push(Tone::Faint, &cut(&label, column.width - 1));
            }
            line.push(Tone::Faint, &"┄".repeat((column.x + column.width).saturating_sub(line.width())));
        }
        line
    }

    fn acts(&self, story: &Story, acts: &[Act], states: &mut [Life]) -> Vec<Line> {
        let mut cells: Vec<Option<Cell<'_>>> = self.each.iter().map(|_| None).collect();
        for act in acts {
            let at = self.column_of[act.actor];
            let texts = wrap(&self.text(story, act), self.each[at].width - 3, LINES);
            cells[at] = Some(Cell { mark: act.mark(states[at]), texts, act });
            states[at] = act.life;
        }
        // A line leads from a caller to a called coroutine on its right.
        let path = match acts {
            [from, to] => self.column_of[from.actor]..self.column_of[to.actor],
            _ => 0..0,
        };
        let height = cells.iter().flatten().map(|cell| cell.texts.len()).max().unwrap_or(1);
        (0..height)
            .map(|nth| self.cells(&cells, states, nth, if nth == 0 { &path } else { &(0..0) }))
            .collect()
    }

    /// Draws one line of the cells of a row.
    fn cells(&self, cells: &[Option<Cell<'_>>], states: &[Life], nth: usize, path: &Range<usize>) -> Line {
        let mut line = Line::default();
        for (index, (column, cell)) in self.each.iter().zip(cells).enumerate() {
            line.pad_to(column.x);
            let on_path = path.contains(&index);
            let mark = match (cell, states[index]) {
                (Some(cell), _) if nth == 0 => cell.mark,
                (None, Life::Gone) if on_path => "─",
                (None, _) if on_path => "┼",
                (_, state) => state.line(),
            };
            line.push(Tone::Faint, mark);
            if let Some(cell) = cell {
                line.push(Tone::Plain, " ");
                let (text, place) = cell.act.split(cell.texts.get(nth).map_or("", String::as_str));
                line.push(cell.act.tone, text);
                if !place.is_empty() {
                    line.push(Tone::Faint, place);
                }
                line.push(Tone::Plain, " ");
            }
            if on_path {
                line.push(Tone::Faint, &"─".repeat((column.x + column.width).saturating_sub(line.width())));
            }
        }
        line
    }
}

/// The text of one actor's act in its column.
struct Cell<'a> {
    mark: &'static str,
    /// The lines of the text.
    texts: Vec<String>,
    act: &'a Act,
}

/// Returns the column of each actor, where a finished call makes room for the next call of the same coroutine.
fn shared(story: &Story) -> Vec<usize> {
    let mut column_of = vec![0; story.actors.len()];
    // The coroutine of each column, and whether its call is alive.
    let mut columns = vec![(story.actors[LOOP].coroutine.as_str(), true)];
    for act in acts(story).filter(|act| act.actor != LOOP) {
        if act.begins {
            let coroutine = story.actors[act.actor].coroutine.as_str();
            let free = columns.iter().position(|column| *column == (coroutine, false));
            column_of[act.actor] = free.unwrap_or(columns.len());
            if free.is_none() {
                columns.push((coroutine, true));
            }
        }
        columns[column_of[act.actor]].1 = act.life != Life::Gone;
    }
    column_of
}

fn acts(story: &Story) -> impl Iterator<Item = &Act> {
    story.rows.iter().flat_map(|row| match &row.what {
        What::Acts(acts) => acts.as_slice(),
        _ => &[],
    })
}

/// Returns the width of the times, with two spaces after them.
pub(crate) fn margin(story: &Story) -> usize {
    story.rows.iter().map(|row| width(&story.unit.tell(row.time))).max().unwrap_or(0).max(7) + 2
}

/// Puts the time before a row, if it differs from the time before.
pub(crate) fn stamp(line: &mut Line, time: String, margin: usize, shown: &mut Option<String>) {
    if shown.as_ref() != Some(&time) {
        let mut stamped = Line::default();
        stamped.pad_to((margin - 2).saturating_sub(width(&time)));
        stamped.push(Tone::Name, &breakable(&time));
        line.replace_start(stamped, margin);
        *shown = Some(time);
    }
}

/// Draws a log message over the whole width.
pub(crate) fn log(text: &str, margin: usize, right: usize) -> Vec<Line> {
    let texts = wrap(&plain(text), right.saturating_sub(margin + 2).max(20), LINES);
    let log = |(nth, text): (usize, &String)| {
        let mut line = Line::default();
        line.pad_to(margin);
        line.push(Tone::Bad, if nth == 0 { "! " } else { "  " });
        line.push(Tone::Bad, text);
        line
    };
    texts.iter().enumerate().map(log).collect()
}

impl Life {
    /// Returns the lifeline of an actor that does nothing.
    pub(crate) fn line(self) -> &'static str {
        match self {
            Self::Gone => " ",
            Self::Running => "│",
            Self::Waiting => "┊",
        }
    }
}

impl Act {
    /// Returns the mark before an act.
    pub(crate) fn mark(&self, before: Life) -> &'static str {
        match (self.begins, before, self.life) {
            (true, ..) => "┬",
            (false, Life::Gone, Life::Gone) => "·",
            (false, _, Life::Gone) => "┴",
            _ => "├",
        }
    }
}
