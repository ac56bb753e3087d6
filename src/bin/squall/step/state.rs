//! The loop, Futures, locks and queues, and what was printed, as the state has them.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use squall::trace::state::{Loop, Ready, State};
use squall::trace::{Line as Waiting, Reason, Standing, State as Resolved};

use super::app::{futures_of, App};
use super::code::{cut, span};
use super::content::{Content, View};
use super::look::{BY, CALLS};
use super::names::{call, future_name, hue, resolved};
use super::play::{printable, Print};
use super::screen::Pane;

/// Longer rows are cut by what they hold, not in the middle of a name.
const SHOWN: usize = 6;

pub(super) fn event_loop(app: &App<'_>, now: &State, view: View) -> Content {
    let none = Loop::default();
    let it = now.io_loop().map_or(&none, |(_, it)| it);
    let mut stack = vec![span(app.word("loop_short"), app.theme.quiet())];
    let hidden = now.stack.len().saturating_sub(SHOWN);
    stack.extend((hidden > 0).then(|| Span::raw(format!(" +{hidden}"))));
    for id in &now.stack[hidden..] {
        stack.push(span(format!(" {CALLS} "), app.theme.quiet()));
        stack.push(span(app.play.narrator.call(*id), hue(app, *id)));
    }
    let lines = vec![
        row(app, "stack", stack),
        row(app, "this_turn", ready(app, now, it.this_turn(), it.batch)),
        row(app, "next_turn", ready(app, now, it.next_turn(), it.ready.len() - it.batch)),
        row(app, "timers", timers(app, now, it)),
    ];
    let time = app.play.narrator.time(now.time).replace('\u{a0}', " ");
    Content::few(lines, view).about(Line::from(span(time, app.theme.quiet())))
}

fn row(app: &App<'_>, label: &str, mut spans: Vec<Span<'static>>) -> Line<'static> {
    use unicode_width::UnicodeWidthStr;
    let label = app.word(label);
    let gap = 11_usize.saturating_sub(label.width());
    spans.insert(0, span(format!(" {label}{}", " ".repeat(gap)), app.theme.quiet()));
    spans.into()
}

/// Returns the first of `count` things in a row, or a word for none of them.
fn all_of(
    app: &App<'_>,
    things: impl Iterator<Item = Vec<Span<'static>>>,
    count: usize,
    none: &str,
) -> Vec<Span<'static>> {
    if count == 0 {
        return vec![span(app.word(none), app.theme.quiet().add_modifier(Modifier::ITALIC))];
    }
    let more = count.saturating_sub(SHOWN);
    let mut spans: Vec<_> = things.take(SHOWN).collect::<Vec<_>>().join(&Span::raw("  "));
    spans.extend((more > 0).then(|| Span::raw(format!("  +{more}"))));
    spans
}

fn ready<'s>(
    app: &App<'_>,
    now: &State,
    queue: impl Iterator<Item = &'s Ready>,
    count: usize,
) -> Vec<Span<'static>> {
    let one = |ready: &Ready| {
        let mut spans = vec![standing(app, now, &ready.queued)];
        let by = ready.by.filter(|_| matches!(ready.why, Reason::Done(_)));
        spans.extend(by.map(|by| span(format!(" {BY} {}", app.play.narrator.call(by)), hue(app, by))));
        spans
    };
    all_of(app, queue.map(one), count, "empty")
}

fn timers(app: &App<'_>, now: &State, it: &Loop) -> Vec<Span<'static>> {
    let one = |timer: &squall::trace::state::Timer| {
        let time = app.play.narrator.time(timer.until).replace('\u{a0}', " ");
        let mut spans = vec![span(format!("{time} "), Style::new().add_modifier(Modifier::BOLD))];
        let waiters = match &timer.queued {
            Standing::Future(future) => now.futures.get(future).map(|future| &future.waiters),
            _ => None,
        };
        match waiters.filter(|waiters| !waiters.is_empty()) {
            Some(waiters) => spans.extend(waiters.iter().take(2).map(|waiter| call(app, now, *waiter))),
            None => spans.push(standing(app, now, &timer.queued)),
        }
        spans
    };
    all_of(app, it.due().into_iter().map(one), it.timers.len(), "none")
}

fn standing(app: &App<'_>, now: &State, standing: &Standing) -> Span<'static> {
    match standing {
        Standing::Call(id) => call(app, now, *id),
        Standing::Future(future) => future_name(app, *future),
        Standing::Callback(name) => Span::raw(printable(name)),
        _ => Span::raw("?"),
    }
}

pub(super) fn futures(app: &App<'_>, now: &State, view: View) -> Content {
    let all = futures_of(now);
    let acted = &app.play.steps[app.k].futures;
    let focused = app.pane == Pane::Futures;
    let chosen = app.chosen.min(all.len().saturating_sub(1));
    let line = |nth: usize| {
        let id = &all[nth];
        let future = &now.futures[id];
        let mut spans =
            vec![Span::raw(" "), resolved(app, future.state), Span::raw(" "), future_name(app, *id)];
        if let Some(value) = future.value.as_ref().filter(|_| future.state != Resolved::Pending) {
            let style = if future.state == Resolved::Failed { app.theme.bad() } else { Style::new() };
            spans.push(span(format!(" = {}", cut(&printable(value), 40)), style));
        }
        if !future.waiters.is_empty() {
            spans.push(span(format!("  {BY}"), app.theme.quiet()));
            for waiter in future.waiters.iter().take(SHOWN) {
                spans.extend([Span::raw(" "), call(app, now, *waiter)]);
            }
            let more = future.waiters.len().saturating_sub(SHOWN);
            spans.extend((more > 0).then(|| Span::raw(format!(" +{more}"))));
        }
        let line = Line::from(spans);
        match () {
            () if focused && nth == chosen => line.style(Style::new().add_modifier(Modifier::REVERSED)),
            () if acted.contains(id) => line.style(app.theme.inside()),
            () => line,
        }
    };
    let newest = acted.iter().rev().find_map(|id| all.binary_search(id).ok());
    let focus = if focused { Some(chosen) } else { newest.or(all.len().checked_sub(1)) };
    if all.is_empty() {
        return nothing(app, view);
    }
    Content::of(all.len(), focus, view, line)
}

/// Returns content with a word instead of lines.
fn nothing(app: &App<'_>, view: View) -> Content {
    Content::few(vec![Line::from(span(format!(" {}", app.word("none")), app.theme.quiet()))], view)
}

pub(super) fn locks(app: &App<'_>, now: &State, view: View) -> Content {
    let mut lines = Vec::new();
    for lock in now.locks.values() {
        let mut spans = vec![Span::raw(format!(" {} ", printable(&lock.name)))];
        if !lock.holders.is_empty() {
            spans.push(span(app.word("held_by"), app.theme.quiet()));
            for holder in lock.holders.iter().take(SHOWN) {
                spans.push(Span::raw(" "));
                spans.push(match (holder.call, &holder.name) {
                    (Some(id), _) => call(app, now, id),
                    (None, name) => Span::raw(printable(name.as_deref().unwrap_or("?"))),
                });
            }
        } else if let Some(set) = lock.set {
            spans.push(span(app.word(if set { "set" } else { "not_set" }), app.theme.quiet()));
        } else if lock.permits == Some(1) {
            spans.push(span(app.word("free"), app.theme.quiet()));
        }
        if let Some(permits) = lock.permits.filter(|permits| *permits > 1) {
            spans.push(span(format!(" {} {permits}", app.word("permits")), app.theme.quiet()));
        }
        in_line(app, now, app.word("in_line"), &lock.waiting, &mut spans);
        lines.push(Line::from(spans));
    }
    for queue in now.queues.values() {
        let size = if queue.maxsize > 0 {
            format!("{}/{}", queue.size, queue.maxsize)
        } else {
            queue.size.to_string()
        };
        let mut spans = vec![Span::raw(format!(" {} {size}", printable(&queue.name)))];
        for (label, line) in [("get:", &queue.getters), ("put:", &queue.putters), ("join:", &queue.joiners)] {
            in_line(app, now, label, line, &mut spans);
        }
        lines.push(Line::from(spans));
    }
    if lines.is_empty() {
        return nothing(app, view);
    }
    Content::few(lines, view)
}

/// Those that wait: calls, or Futures that nothing has yielded yet.
fn in_line(app: &App<'_>, now: &State, label: &str, line: &Waiting, spans: &mut Vec<Span<'static>>) {
    if line.len == 0 {
        return;
    }
    spans.push(span(format!("  {label}"), app.theme.quiet()));
    for future in line.first.iter().take(SHOWN) {
        let waiter = now.futures.get(future).and_then(|future| future.waiters.first().copied());
        spans.push(Span::raw(" "));
        spans.push(waiter.map_or_else(|| future_name(app, *future), |waiter| call(app, now, waiter)));
    }
    if line.len > SHOWN {
        spans.push(Span::raw(format!(" +{}", line.len - SHOWN)));
    }
}

/// Returns the lines that were printed and logged, in order.
pub(super) fn printed(app: &App<'_>, now: &State, view: View) -> Content {
    let all = app.play.printed(now);
    let line = |nth: usize| match all[nth] {
        Print::Line(text) => Line::raw(format!(" {}", printable(text))),
        Print::Logged(exception) => {
            let text = format!(" {}: {}", app.word("logged"), printable(&exception.to_string()));
            Line::from(span(text, app.theme.bad()))
        }
    };
    if all.is_empty() {
        return nothing(app, view);
    }
    Content::of(all.len(), all.len().checked_sub(1), view, line)
}
