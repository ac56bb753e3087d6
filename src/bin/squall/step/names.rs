//! The names of calls and Futures, with signs and colours, as every pane shows them.

use ratatui::style::Style;
use ratatui::text::Span;
use squall::trace::state::{State, Status};
use squall::trace::{CallId, FutureId, State as Resolved};

use super::app::App;
use super::code::{cut, span};
use super::look;

/// Returns the colour of a call.
pub(super) fn hue(app: &App<'_>, call: CallId) -> Style {
    app.theme.lane(app.play.lanes.of.get(&call).copied().unwrap_or(0))
}

/// Returns the name of a call with the sign of its status.
pub(super) fn call(app: &App<'_>, now: &State, call: CallId) -> Span<'static> {
    let sign = match now.calls.get(&call).map(|call| call.status) {
        Some(Status::Running) => look::RUNS,
        Some(Status::Calling) => look::CALLS,
        Some(Status::Ready) => look::READY,
        Some(Status::Waiting | Status::Called) => look::WAITS,
        Some(Status::Returned) => look::DONE,
        Some(Status::Raised) => look::FAILED,
        Some(Status::Cancelled) => look::CANCELLED,
        _ => ' ',
    };
    span(format!("{sign} {}", app.play.narrator.call(call)), hue(app, call))
}

/// Returns the name of a Future, in the colour of the call whose result it is.
pub(super) fn future_name(app: &App<'_>, future: FutureId) -> Span<'static> {
    let of = app.play.narrator.call_of(future);
    let style = of.map_or_else(Style::new, |call| hue(app, call));
    span(cut(&app.play.narrator.future(future), 40), style)
}

/// Returns the sign of the state of a Future, in its style.
pub(super) fn resolved(app: &App<'_>, state: Resolved) -> Span<'static> {
    match state {
        Resolved::Pending => span(look::PENDING.to_string(), Style::new()),
        Resolved::Done => span(look::DONE.to_string(), app.theme.good()),
        Resolved::Failed => span(look::FAILED.to_string(), app.theme.bad()),
        Resolved::Cancelled => span(look::CANCELLED.to_string(), app.theme.quiet()),
    }
}
