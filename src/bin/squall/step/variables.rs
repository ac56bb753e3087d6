//! The variables of the program, as far as it reports them: those of each coroutine that is not over, with the one that acts
//! first, and those of the whole program.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use squall::trace::state::State;
use squall::trace::Variables;
use unicode_width::UnicodeWidthStr;

use super::app::App;
use super::code::{cut, span};
use super::content::{Content, View};
use super::look::RUNS;
use super::names::call;
use super::play::printable;

/// Those of at most so many coroutines are shown.
const MOST: usize = 200;

/// The column at which variables stand below the name of their coroutine.
const INDENT: usize = 3;

/// A value has at least this width, if the pane has.
const VALUE: usize = 40;

pub(super) fn content(app: &App<'_>, now: &State, view: View) -> Content {
    let mut lines = Vec::new();
    let before = &app.now.before;
    let running = now.function();
    for (nth, function) in now.functions.iter().enumerate().rev() {
        let sign = if running.is_some() && nth + 1 == now.functions.len() { RUNS } else { ' ' };
        let name = Span::raw(format!("{sign} {}", printable(&function.name)));
        let was = before.functions.get(nth).map(|function| &function.variables);
        lines.extend(scope(app, name, &function.variables, was, view.width));
    }
    let actor = app.play.steps[app.k].actor;
    let acts = actor.and_then(|actor| Some((actor, now.calls.get(&actor)?)));
    let others = now.calls.iter().map(|(id, call)| (*id, call));
    let others = others.filter(|(id, call)| Some(*id) != actor && !call.status.is_over());
    let all = acts.into_iter().chain(others).filter(|(_, call)| !call.variables.is_empty());
    for (id, of) in all.take(MOST) {
        let was = before.calls.get(&id).map(|call| &call.variables);
        lines.extend(scope(app, call(app, now, id), &of.variables, was, view.width));
    }
    if !now.variables.is_empty() {
        let name = span(format!("  {}", app.word("globals")), app.theme.quiet());
        lines.extend(scope(app, name, &now.variables, Some(&before.variables), view.width));
    }
    if lines.is_empty() {
        lines.push(Line::from(span(format!(" {}", app.word("none")), app.theme.quiet())));
    }
    Content::few(lines, view)
}

/// Returns the name of a scope and its variables, as many in a line as fit. What was set in this step is bold.
fn scope(
    app: &App<'_>,
    name: Span<'static>,
    variables: &Variables,
    was: Option<&Variables>,
    width: usize,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut line = Line::from(vec![Span::raw(" "), name]);
    for (name, value) in variables {
        let is_new = was.is_none_or(|was| !was.iter().any(|(of, was)| of == name && was == value));
        let style = if is_new { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        let (name, value) = (printable(name), cut(&printable(value), (width / 2).max(VALUE)));
        let wide = 2 + name.width() + 3 + value.width();
        if line.width() + wide > width {
            lines.push(std::mem::replace(&mut line, Line::from(" ".repeat(INDENT - 2))));
        }
        line.spans.extend([
            Span::raw("  "),
            span(name, app.theme.quiet()),
            span(" = ", app.theme.quiet()),
            span(value, style),
        ]);
    }
    lines.push(line);
    lines
}
