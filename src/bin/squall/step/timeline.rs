//! The timeline: one lane for the loop and for each coroutine, one place for each step.

use std::ops::Range;

use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use squall::trace::Track;
use unicode_width::UnicodeWidthStr;

use super::app::App;
use super::code::{cut, first, span};
use super::content::{Content, View};
use super::fact::{Fact, Mark};
use super::look::{DONE, FAILED, READY, RULE, RUNS, WAITS};

/// So many columns for one step.
const STEP: usize = 2;

/// Points to the step.
const NOW: char = '▴';

/// So many rows are there whatever the lanes are: two scales, and the one that points to the step.
const FIXED: usize = 3;

/// Names of lanes are not wider.
const NAME: usize = 14;

/// A cell of the drawing.
#[derive(Debug, Clone, Copy)]
struct Cell {
    sign: char,
    style: Style,
}

pub(super) fn content(app: &App<'_>, view: View) -> Content {
    let play = app.play;
    let lane = |nth: usize| match nth.checked_sub(1) {
        None => app.word("loop_short"),
        Some(nth) => play.lanes.names[nth].as_str(),
    };
    let count = play.lanes.names.len() + 1;
    let actor = play.steps[app.k].actor.and_then(|call| play.lanes.of.get(&call)).copied().unwrap_or(0);
    let height = view.height.saturating_sub(FIXED).max(1);
    let above = first(count, height, Some(actor), view.scrolled);
    let lanes = above..count.min(above + height);
    let margin = lanes.clone().map(|nth| lane(nth).width()).max().unwrap_or(0).min(NAME) + 2;
    let shown = (view.width.saturating_sub(margin) / STEP).max(1);
    let from = app.k.saturating_sub(shown * 2 / 3).min(play.steps.len().saturating_sub(shown));
    let window = from..(from + shown).min(play.steps.len());
    let mut rows = vec![
        scale(app, margin, window.clone(), app.word("time"), |fact| {
            play.narrator.time(fact.time).replace('\u{a0}', " ")
        }),
        scale(app, margin, window.clone(), app.word("turns"), |fact| fact.turn.to_string()),
    ];
    for (nth, row) in lanes.clone().zip(cells(app, &window, &lanes)) {
        let name = cut(lane(nth), NAME);
        let pad = " ".repeat(margin.saturating_sub(name.width() + 1));
        let mut row_spans = vec![span(format!(" {name}{pad}"), app.theme.lane(nth))];
        for (place, cell) in row.into_iter().enumerate() {
            let is_now = from + place / STEP == app.k && place % STEP == 0;
            let style = if is_now { cell.style.add_modifier(Modifier::REVERSED) } else { cell.style };
            row_spans.push(span(cell.sign.to_string(), style));
        }
        rows.push(Line::from(row_spans));
    }
    let at = margin + (app.k - from) * STEP;
    rows.push(Line::from(span(format!("{}{NOW} {}", " ".repeat(at), app.k + 1), Style::new())));
    let legend = [("=", "running"), ("-", "ready"), (".", "waiting")];
    let mut about = Line::default();
    for (sign, word) in legend {
        about.spans.push(span(format!(" {sign} {}", app.word(word)), app.theme.quiet()));
    }
    about.spans.push(span(format!("  {} {}", '▾', app.word("wakes")), app.theme.quiet()));
    about.spans.push(span(format!("  {RUNS} {}", app.word("calls")), app.theme.quiet()));
    about.spans.push(span(format!("  {DONE} {}", app.word("done")), app.theme.quiet()));
    let of = |nth: usize| rows[nth].clone();
    Content::of(rows.len(), None, View { scrolled: 0, ..view }, of).about(about)
}

/// Returns a row with a text wherever it changes.
fn scale(
    app: &App<'_>,
    margin: usize,
    window: Range<usize>,
    label: &str,
    text: impl Fn(&Fact) -> String,
) -> Line<'static> {
    let pad = " ".repeat(margin.saturating_sub(label.width() + 1));
    let mut row = format!(" {label}{pad}");
    let mut last = None;
    for (nth, k) in window.enumerate() {
        let text = text(&app.play.steps[k]);
        let at = margin + nth * STEP;
        if last.as_ref() != Some(&text) && row.width() <= at {
            row.push_str(&" ".repeat(at - row.width()));
            row.push_str(&text);
            row.push(' ');
            last = Some(text);
        }
    }
    Line::from(span(row, app.theme.quiet()))
}

/// Returns the signs of the lanes that are shown, row by row.
fn cells(app: &App<'_>, window: &Range<usize>, lanes: &Range<usize>) -> Vec<Vec<Cell>> {
    let play = app.play;
    let blank = Cell { sign: ' ', style: Style::new() };
    let mut rows = vec![vec![blank; window.len() * STEP]; lanes.len()];
    let lane = |call| play.lanes.of.get(&call).copied().unwrap_or(0);
    // The row of a lane, if that is shown.
    let row = |lane: usize| lanes.contains(&lane).then(|| lane - lanes.start);
    if let Some(of_loop) = row(0) {
        let rule = RULE.chars().next().unwrap_or(' ');
        rows[of_loop].fill(Cell { sign: rule, style: app.theme.lane(0) });
    }
    for segment in play.lanes.segments.iter().take_while(|segment| segment.from < window.end) {
        let (from, to) = (segment.from.max(window.start), segment.to.min(window.end));
        let sign = match segment.track {
            Track::Running => '=',
            Track::Ready => '-',
            Track::Waiting => '.',
        };
        let Some(row) = row(lane(segment.call)).filter(|_| from < to) else { continue };
        let cell = Cell { sign, style: app.theme.lane(row + lanes.start) };
        for place in (from..to).flat_map(|k| [0, 1].map(|part| (k - window.start) * STEP + part)) {
            rows[row][place] = cell;
        }
    }
    for k in window.clone() {
        let fact = &play.steps[k];
        let place = (k - window.start) * STEP;
        let own = fact.actor.map_or(0, lane);
        for other in
            fact.wakes.iter().chain(&fact.calls).map(|call| lane(*call)).filter(|other| *other != own)
        {
            let style = app.theme.lane(other);
            for between in (own.min(other) + 1..own.max(other)).filter_map(row) {
                rows[between][place] = Cell { sign: WAITS, style };
            }
            if let Some(other_row) = row(other) {
                rows[other_row][place] = Cell { sign: if other > own { '▾' } else { '▴' }, style };
            }
        }
        if let Some(own_row) = row(own) {
            let style = app.theme.lane(own).add_modifier(Modifier::BOLD);
            rows[own_row][place] = Cell { sign: sign(fact.mark), style };
        }
    }
    rows
}

fn sign(mark: Mark) -> char {
    match mark {
        Mark::Call => RUNS,
        Mark::Resume => READY,
        Mark::Throw => '!',
        Mark::Yield => 'y',
        Mark::Already => '↻',
        Mark::Wait => WAITS,
        Mark::Return => '▪',
        Mark::Raise => FAILED,
        Mark::Done => DONE,
        Mark::Print => '"',
        Mark::Turn => '|',
        Mark::Other => '∙',
    }
}
