//! The whole screen: the sentences on top, the panes, the keys below.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Wrap};
use ratatui::Frame;
use squall::trace::state::State;
use squall::trace::Part;

use super::app::{App, PromptKind};
use super::code::{beside, fit, span};
use super::content::View;
use super::look::{BETWEEN, RULE};
use super::names::{future_name, hue};
use super::play::printable;
use super::screen::{Pane, Screen, Wants};
use super::words::Text;
use super::{help, machine, program, state, timeline, variables};

/// About so many columns of a row stay empty since a word does not fit.
const LONG: u16 = 8;

/// Draws the stepper.
pub(crate) fn draw(app: &App<'_>, frame: &mut Frame<'_>) {
    let area = frame.area();
    frame.render_widget(Clear, area);
    frame.buffer_mut().set_style(area, app.theme.base());
    let now = &app.now.after;
    let header = header(app, area.width.into());
    let question = app.question();
    // A sentence that has no room beside the name stands above those of the first step.
    let about = header.about.filter(|_| question.is_none() && app.k == 0);
    let said = question.unwrap_or_else(|| about.into_iter().chain(said(app)).collect());
    let says = if app.k == 0 || app.asks_now() { rows(&said, area.width) } else { 0 };
    let Some(screen) = Screen::of(area, wants(app, now, says)) else {
        frame.render_widget(Paragraph::new(app.text(Text::TooSmall)).wrap(Wrap { trim: true }), area);
        return;
    };
    frame.render_widget(header.line, screen.header);
    sentences(said, frame, screen.says);
    let zoomed = screen.panes.len() == 1;
    for (pane, place) in &screen.panes {
        let focused = *pane == app.pane && !zoomed;
        draw_pane(app, now, frame, *pane, *place, focused);
    }
    for line in &screen.between {
        let column: Vec<Line<'_>> = (0..line.height).map(|_| Line::raw(BETWEEN.to_string())).collect();
        frame.render_widget(Paragraph::new(column).style(app.theme.quiet()), *line);
    }
    if app.help {
        let body = Rect { y: screen.says.bottom(), height: screen.footer.y - screen.says.bottom(), ..area };
        help::draw(app, frame, body);
    }
    footer(app, frame, screen.footer, screen.large);
}

fn wants(app: &App<'_>, now: &State, says: usize) -> Wants {
    let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    Wants {
        says: count(says),
        locks: count(now.locks.len() + now.queues.len()),
        variables: app.play.variables,
        lanes: count(app.play.lanes.names.len() + 1).min(40),
        timeline: app.timeline,
        zoomed: app.zoomed.then_some(app.pane),
        focus: app.pane,
    }
}

/// The first line of the screen.
struct Header {
    line: Line<'static>,
    /// A sentence on what the program shows, if the line has no room for it.
    about: Option<Line<'static>>,
}

fn header(app: &App<'_>, width: usize) -> Header {
    let play = app.play;
    let fact = &play.steps[app.k];
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let name = span(format!(" {}", play.name), bold);
    let about = play.about[usize::from(app.lang == squall::trace::Lang::Zh)].replace('`', "");
    let about = span(about, app.theme.quiet());
    let where_it_is = format!(
        "{} {}/{}  {}  {}  {} {} ",
        app.word("step").to_lowercase(),
        app.k + 1,
        play.steps.len(),
        app.word("nth_turn").replace("{}", &fact.turn.to_string()),
        play.narrator.time(fact.time).replace('\u{a0}', " "),
        if app.python { "py" } else { "rs" },
        app.lang.tag(),
    );
    let where_it_is = Line::from(span(where_it_is, bold));
    let fits = name.width() + 2 + about.width() + 1 + where_it_is.width() <= width;
    let about = (!about.content.is_empty()).then(|| Line::from(about));
    match (about, fits) {
        (Some(about), true) => {
            let mut left = Line::from(vec![name, Span::raw("  ")]);
            left.spans.extend(about.spans);
            Header { line: beside(left, where_it_is, width), about: None }
        }
        (about, _) => Header { line: beside(Line::from(name), where_it_is, width), about },
    }
}

/// Returns what happens, and why.
fn said(app: &App<'_>) -> Vec<Line<'static>> {
    let said = app.play.says(app.k, &app.now, app.lang);
    let mut why = sentence(app, &said.why);
    if app.k == app.play.last() && app.play.dropped > 0 {
        let left_out = app.word("left_out").replace("{}", &app.play.dropped.to_string());
        why.spans.push(Span::raw(format!(" {left_out}")));
    }
    let what = sentence(app, &said.what).style(Style::new().add_modifier(Modifier::BOLD));
    vec![what, why]
}

/// Returns how many rows the lines take at most, where words are not broken.
fn rows(lines: &[Line<'_>], width: u16) -> usize {
    let width = usize::from(width.saturating_sub(LONG)).max(1);
    lines.iter().map(|line| line.width().div_ceil(width).max(1)).sum()
}

fn sentences(said: Vec<Line<'static>>, frame: &mut Frame<'_>, place: Rect) {
    let inner = Rect { x: place.x + 1, width: place.width.saturating_sub(2), ..place };
    // Where there is no room for all, what happens comes first.
    frame.render_widget(Paragraph::new(said).wrap(Wrap { trim: true }), inner);
}

fn sentence(app: &App<'_>, parts: &[Part]) -> Line<'static> {
    let part = |part: &Part| match part {
        Part::Text(text) => Span::raw(printable(text)),
        Part::Call(call) => span(app.play.narrator.call(*call), hue(app, *call).add_modifier(Modifier::BOLD)),
        Part::Future(future) => future_name(app, *future),
        Part::Code(code) => span(printable(code), Style::new().add_modifier(Modifier::UNDERLINED)),
        _ => Span::raw(String::new()),
    };
    parts.iter().map(part).collect()
}

fn draw_pane(app: &App<'_>, now: &State, frame: &mut Frame<'_>, pane: Pane, place: Rect, focused: bool) {
    if place.height == 0 || place.width == 0 {
        return;
    }
    let body = Rect { y: place.y + 1, height: place.height - 1, ..place };
    let scrolled = if app.pane == pane { app.scrolled } else { 0 };
    let (width, height) = (usize::from(body.width), usize::from(body.height));
    let view = View { width, height, scrolled };
    let content = match pane {
        Pane::Program => program::content(app, now, view),
        Pane::Runner => machine::content(app, view),
        Pane::Loop => state::event_loop(app, now, view),
        Pane::Locks => state::locks(app, now, view),
        Pane::Variables => variables::content(app, now, view),
        Pane::Futures => state::futures(app, now, view),
        Pane::Printed => state::printed(app, now, view),
        Pane::Timeline => timeline::content(app, view),
    };
    let name = match pane {
        Pane::Program => "program",
        Pane::Runner => "runner",
        Pane::Loop => "loop",
        Pane::Locks => "locks",
        Pane::Variables => "variables",
        Pane::Futures => "futures",
        Pane::Printed => "printed",
        Pane::Timeline => "timeline",
    };
    let mut title = Line::from(vec![
        span(RULE, app.theme.quiet()),
        span(format!(" {} ", app.word(name)), app.theme.title(focused)),
    ]);
    title.spans.extend(content.about.spans);
    title.spans.push(Span::raw(" "));
    let rest = width.saturating_sub(title.width());
    title.spans.push(span(RULE.repeat(rest), app.theme.quiet()));
    frame.render_widget(fit(title, width), Rect { height: 1, ..place });
    for (line, y) in content.lines.into_iter().zip(body.y..body.bottom()) {
        let line = fit(line, width);
        let row = Rect { y, height: 1, ..body };
        frame.buffer_mut().set_style(row, line.style);
        frame.render_widget(line, row);
    }
}

fn footer(app: &App<'_>, frame: &mut Frame<'_>, place: Rect, large: bool) {
    let width = usize::from(place.width);
    let line = if let Some(prompt) = &app.prompt {
        let kind = match prompt.kind {
            PromptKind::Search => app.text(Text::Search),
            PromptKind::Until => app.text(Text::Until),
        };
        Line::from(vec![
            span(format!(" {kind}: "), app.theme.quiet()),
            span(prompt.text.clone(), Style::new().add_modifier(Modifier::BOLD)),
            span("_", Style::new()),
        ])
    } else if let Some(message) = &app.message {
        Line::from(span(format!(" {message}"), app.theme.bad()))
    } else {
        let keys = if large { Text::KeysWide } else { Text::Keys };
        Line::from(span(format!(" {}", app.text(keys)), app.theme.quiet()))
    };
    frame.render_widget(fit(line, width), place);
}
