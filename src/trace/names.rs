//! [`Names`]: the names of calls and Futures in a view.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use squall_runner::trace::{CallId, FutureId};

use super::{Entry, Recorded, Source};

/// Lists in lists are named up to this depth, even if a trace from a file says that they contain themselves.
const DEEPEST: usize = 5;

/// The names of everything that a trace mentions. The first call of `fetch` is `fetch`, the second `fetch#2`.
#[derive(Debug, Default)]
pub(crate) struct Names {
    calls: HashMap<CallId, Called>,
    futures: HashMap<FutureId, Future>,
}

#[derive(Debug)]
struct Called {
    name: Cow<'static, str>,
    /// The number of the call among those of its name, from 1.
    nth: usize,
}

#[derive(Debug)]
enum Future {
    Call(CallId),
    Other(Source),
}

impl Names {
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut names = Self::default();
        let mut calls = HashMap::<&str, usize>::new();
        for entry in entries {
            match &entry.event {
                Recorded::Call { runner, future, name, .. } => {
                    let nth = calls.entry(name).or_default();
                    *nth += 1;
                    names.calls.insert(*runner, Called { name: name.clone(), nth: *nth });
                    names.futures.insert(*future, Future::Call(*runner));
                }
                Recorded::Made { future, source, .. } => {
                    names.futures.insert(*future, Future::Other(source.clone()));
                }
                Recorded::LeftOut { calls: earlier, counts, made, .. } => {
                    calls.extend(counts.iter().map(|(name, count)| (&**name, *count)));
                    for call in earlier {
                        names.calls.insert(call.runner, Called { name: call.name.clone(), nth: call.nth });
                        names.futures.insert(call.future, Future::Call(call.runner));
                    }
                    let made = made.iter().map(|(future, source)| (*future, Future::Other(source.clone())));
                    names.futures.extend(made);
                }
                _ => {}
            }
        }
        names
    }

    /// Returns the name of a call: `fetch#2`.
    pub(crate) fn call(&self, runner: CallId) -> String {
        match self.calls.get(&runner) {
            Some(Called { name, nth: 1 }) => name.to_string(),
            Some(Called { name, nth }) => format!("{name}#{nth}"),
            None => format!("call {}", runner.0),
        }
    }

    /// Returns the name of the called coroutine: `fetch`.
    pub(crate) fn coroutine(&self, runner: CallId) -> &str {
        self.calls.get(&runner).map_or("", |call| &call.name)
    }

    /// Returns the number of the call among those of its coroutine, from 1.
    pub(crate) fn nth(&self, runner: CallId) -> usize {
        self.calls.get(&runner).map_or(1, |call| call.nth)
    }

    /// Returns the name of a Future: `fetch#2` for the result of a call, `[fetch, fetch#2]` for a list (the first three
    /// if it has more than five), `sleep`, `future 7`.
    pub(crate) fn future(&self, future: FutureId) -> String {
        self.nested(future, DEEPEST)
    }

    /// Returns the name of a Future, with the names of those in it up to that depth.
    fn nested(&self, future: FutureId, depth: usize) -> String {
        let Some(deeper) = depth.checked_sub(1) else { return "…".to_owned() };
        match self.futures.get(&future) {
            Some(Future::Call(runner)) => self.call(*runner),
            Some(Future::Other(Source::Sleep { .. })) => "sleep".to_owned(),
            Some(Future::Other(Source::Multi { of, len })) => {
                format!("[{}]", self.children(of, *len, deeper))
            }
            Some(Future::Other(Source::Timeout { of, .. })) => {
                format!("with_timeout({})", self.nested(*of, deeper))
            }
            Some(Future::Other(Source::Named(name))) => name.to_string(),
            None => format!("future {}", future.0),
        }
    }

    fn children(&self, of: &[FutureId], len: usize, depth: usize) -> String {
        // Three names are enough to recognise the list.
        let shown = if len > 5 { 3 } else { len };
        let mut names: Vec<_> = of.iter().take(shown).map(|child| self.nested(*child, depth)).collect();
        if len > shown {
            names.push(format!("… {} more", len - shown));
        }
        names.join(", ")
    }

    /// Returns the call whose result the Future is.
    pub(crate) fn call_of(&self, future: FutureId) -> Option<CallId> {
        match self.futures.get(&future) {
            Some(Future::Call(runner)) => Some(*runner),
            _ => None,
        }
    }

    /// Returns the source of a Future that is not the result of a call.
    pub(crate) fn source(&self, future: FutureId) -> Option<&Source> {
        match self.futures.get(&future) {
            Some(Future::Other(source)) => Some(source),
            _ => None,
        }
    }
}

/// The unit of all times in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Milliseconds,
    Seconds,
}

impl Unit {
    /// Returns seconds if something happens, or is due, ten seconds after the first entry or later; else milliseconds.
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let latest = |entry: &Entry| match &entry.event {
            Recorded::Made { source: Source::Sleep { until } | Source::Timeout { until, .. }, .. } => {
                entry.time.max(*until)
            }
            _ => entry.time,
        };
        let long = entries.iter().any(|entry| latest(entry) >= Duration::from_secs(10));
        if long {
            Self::Seconds
        } else {
            Self::Milliseconds
        }
    }

    /// Returns a time such as `500 ms`, with a decimal below 100 ms, or `60.5 s`, with at most three decimals. Trailing
    /// zeros are left out. The space is a no-break space.
    pub(crate) fn tell(self, time: Duration) -> String {
        let number = |number: f64, digits: usize| {
            let text = format!("{number:.digits$}");
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        };
        let seconds = time.as_secs_f64();
        match self {
            Self::Milliseconds if time.as_millis() < 100 => format!("{}\u{a0}ms", number(seconds * 1e3, 1)),
            Self::Milliseconds => format!("{}\u{a0}ms", number(seconds * 1e3, 0)),
            Self::Seconds => format!("{}\u{a0}s", number(seconds, 3)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_in_one_unit() {
        let texts = |unit: Unit, micros: &[u64]| {
            let text = |micros: &u64| unit.tell(Duration::from_micros(*micros)).replace('\u{a0}', " ");
            micros.iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(
            texts(Unit::Milliseconds, &[0, 17, 500, 1_500, 500_123, 9_999_000]),
            ["0 ms", "0 ms", "0.5 ms", "1.5 ms", "500 ms", "9999 ms"]
        );
        assert_eq!(
            texts(Unit::Seconds, &[0, 500_000, 5_000_000, 60_050_000, 3_600_000_000]),
            ["0 s", "0.5 s", "5 s", "60.05 s", "3600 s"]
        );
    }

    #[test]
    fn unit_is_that_of_the_latest_time_which_may_be_one_that_is_waited_for() {
        let made = |until| Recorded::Made {
            future: FutureId(std::num::NonZeroU32::MIN),
            source: Source::Sleep { until },
            lock: None,
            place: None,
        };
        let of = |until| Unit::of(&[Entry { time: Duration::ZERO, event: made(until) }]);
        assert_eq!(of(Duration::from_millis(9_999)), Unit::Milliseconds);
        assert_eq!(of(Duration::from_secs(10)), Unit::Seconds);
    }
}
