//! The program: where each coroutine stands, and breakpoints.

use std::collections::BTreeMap;
use std::ops::Range;

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use squall::trace::state::State;
use squall::trace::CallId;

use super::app::App;
use super::code::{beside, first, span};
use super::content::{Content, View};
use super::look::{BREAKS, RUNS};
use super::names::{call, hue};
use super::play::printable;
use super::screen::Pane;
use super::words::Text;

/// So many names stand beside one line.
const SHOWN: usize = 2;

pub(super) fn content(app: &App<'_>, now: &State, view: View) -> Content {
    let at = app.line();
    let (file, current) = app.cursor_or(at);
    let Some(source) = app.play.sources.get(file) else {
        let none = Line::from(span(format!(" {}", app.text(Text::NoSource)), app.theme.quiet()));
        return Content::few(vec![none], view);
    };
    let standing = standing(app, now, file);
    let actor = app.play.steps[app.k].actor;
    // In a step whose line is not known, the last one stays in view.
    let is_told = app.play.steps[app.k].at.is_some();
    let here = at.filter(|(of, _)| *of == file).map(|(_, line)| line);
    let line = |nth: usize| {
        let (number, text) = (source.first_line + nth, source.lines[nth]);
        let calls = standing.get(&number).map_or(&[][..], Vec::as_slice);
        let is_here = here == Some(number);
        let breaks = if app.lines.contains(&(file, number)) { BREAKS } else { ' ' };
        let mark = if is_here && is_told { RUNS } else { ' ' };
        let style = actor.filter(|_| is_here).or(calls.first().copied()).map(|call| hue(app, call));
        let style = style.unwrap_or_default();
        let number_style = if calls.is_empty() && !is_here { app.theme.quiet() } else { style };
        let has_cursor = app.pane == Pane::Program && app.cursor == Some((file, number));
        let number_style =
            if has_cursor { number_style.add_modifier(Modifier::REVERSED) } else { number_style };
        let left = Line::from(vec![
            span(breaks.to_string(), app.theme.bad()),
            span(mark.to_string(), style),
            span(format!("{number:3} "), number_style),
            span(printable(text), style),
        ]);
        let left = if is_here { left.style(app.theme.inside()) } else { left };
        beside(left, names(app, now, calls, actor), view.width)
    };
    let focus = current.saturating_sub(source.first_line);
    let name = source.file.rsplit(['/', '\\']).next().unwrap_or_default();
    let count = source.lines.len();
    let shown = first(count, view.height, Some(focus), view.scrolled) + source.first_line;
    let mut about = Line::from(span(printable(name), app.theme.quiet()));
    about.spans.extend(hidden(app, now, &standing, shown..shown + view.height));
    Content::of(count, Some(focus), view, line).about(about)
}

/// Returns the calls that stand in each line of a file.
fn standing(app: &App<'_>, now: &State, file: usize) -> BTreeMap<usize, Vec<CallId>> {
    let mut lines = BTreeMap::<usize, Vec<CallId>>::new();
    for (id, call) in now.calls.iter().filter(|(_, call)| !call.status.is_over()) {
        if let Some(place) = call.place.filter(|place| app.play.source(place.file()) == Some(file)) {
            lines.entry(place.line() as usize).or_default().push(*id);
        }
    }
    lines
}

/// Those that stand in lines out of view: which way, and in which line.
fn hidden(
    app: &App<'_>,
    now: &State,
    standing: &BTreeMap<usize, Vec<CallId>>,
    shown: Range<usize>,
) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for (line, calls) in standing.iter().filter(|(line, _)| !shown.contains(line)) {
        let way = if *line < shown.start { '▴' } else { '▾' };
        spans.push(span(format!("  {way}{line} "), app.theme.quiet()));
        spans.push(call(app, now, calls[0]));
        spans.extend((calls.len() > 1).then(|| Span::raw(format!(" +{}", calls.len() - 1))));
    }
    spans
}

/// Some names, and among them that of the coroutine that acts.
fn names(app: &App<'_>, now: &State, calls: &[CallId], actor: Option<CallId>) -> Line<'static> {
    let mut shown: Vec<CallId> = calls.iter().copied().take(SHOWN).collect();
    if let Some(actor) = actor.filter(|actor| calls.contains(actor) && !shown.contains(actor)) {
        shown[SHOWN - 1] = actor;
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    for id in &shown {
        spans.extend([Span::raw(" "), call(app, now, *id)]);
    }
    if calls.len() > shown.len() {
        spans.push(Span::raw(format!(" +{}", calls.len() - shown.len())));
    }
    spans.into()
}

impl App<'_> {
    /// Returns the line with the cursor, else the given one, else the first.
    pub(super) fn cursor_or(&self, at: Option<(usize, usize)>) -> (usize, usize) {
        let first = || (0, self.play.sources.first().map_or(1, |source| source.first_line));
        self.cursor.or(at).unwrap_or_else(first)
    }

    /// Moves the cursor in the program.
    pub(super) fn move_cursor(&mut self, by: isize) {
        let (file, line) = self.cursor_or(self.line());
        let Some(source) = self.play.sources.get(file) else { return };
        let last = source.first_line + source.lines.len().saturating_sub(1);
        let line = line.saturating_add_signed(by).clamp(source.first_line, last.max(source.first_line));
        self.cursor = Some((file, line));
    }

    /// Sets a breakpoint at the line with the cursor, or takes it away.
    pub(super) fn toggle_line(&mut self) {
        let line = self.cursor_or(self.line());
        if !self.lines.remove(&line) {
            self.lines.insert(line);
        }
    }
}
