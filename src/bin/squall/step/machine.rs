//! The Runner's own lines: what it does now, what it went through, and where the program runs in it.

use ratatui::text::Line;
use squall::trace::{Excerpt, ExcerptLine};

use super::app::App;
use super::code::span;
use super::content::{Content, View};
use super::look::{CALLS, RUNS, WAITS};
use super::names::hue;

pub(super) fn content(app: &App<'_>, view: View) -> Content {
    let fact = &app.play.steps[app.k];
    let excerpt = if app.python { Excerpt::Python } else { Excerpt::Rust };
    let marks = app.play.marks(app.k, &app.now, excerpt);
    let lines = excerpt.lines();
    let line = |place: usize| {
        let line: &ExcerptLine = &lines[place];
        let is = |mark: Option<usize>| mark == Some(place);
        let (sign, style) = if is(marks.lit) {
            (RUNS, app.theme.lit())
        } else if is(marks.inside) {
            (CALLS, app.theme.inside())
        } else if marks.passed.contains(&place) {
            (WAITS, app.theme.base())
        } else {
            (' ', app.theme.base())
        };
        let number = line.number.map_or_else(|| "   ".to_owned(), |number| format!("{number:3}"));
        let quiet = if is(marks.lit) { style } else { app.theme.quiet() };
        let text = line.text.replace("    ", "  ");
        let spans = vec![span(sign.to_string(), style), span(format!("{number} "), quiet), span(text, style)];
        Line::from(spans).style(style)
    };
    let about = match fact.actor {
        Some(actor) => span(app.play.narrator.call(actor), hue(app, actor)),
        None => span(app.word("loop_short"), app.theme.quiet()),
    };
    let mut about = Line::from(about);
    let focus = marks.lit.or(marks.inside).or(marks.passed.first().copied());
    if let Some(file) = focus.and_then(|focus| lines[..=focus].iter().rev().find_map(|line| line.file)) {
        let name = file.rsplit('/').next().unwrap_or(file);
        about.spans.push(span(format!("  {name}"), app.theme.quiet()));
    }
    Content::of(lines.len(), focus, view, line).about(about)
}
