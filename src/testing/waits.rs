//! [`Waits`]: the waiting coroutines, as a tree.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use squall_runner::trace::{CallId, FutureId};
use squall_runner::Place;

use super::step::{CallName, Clock};
use super::watch::{Call, From, Life, Seen};

/// The suspended coroutines, each above those whose results it waits for. `Display` prints one line for each.
#[derive(Debug, Clone, Default)]
pub struct Waits(Vec<Wait>);

/// A coroutine that is suspended.
#[derive(Debug, Clone)]
pub struct Wait {
    name: CallName,
    on: String,
    place: Option<Place>,
    /// Where the coroutine is defined: its file and line.
    defined: Option<Place>,
    since: Duration,
    depth: usize,
    /// `true` if a timer is going to end the wait.
    timed: bool,
    background: bool,
}

impl Waits {
    /// Returns the suspended coroutines, in the order of the tree.
    pub fn iter(&self) -> std::slice::Iter<'_, Wait> {
        self.0.iter()
    }

    /// Returns whether no coroutine waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many coroutines wait.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the waiting coroutines that are not in the [background](crate::background).
    pub(super) fn left_over(&self) -> impl Iterator<Item = &Wait> {
        self.0.iter().filter(|wait| !wait.background)
    }

    pub(super) fn of(seen: &Seen, known: &HashMap<CallId, Known>) -> Self {
        let waiting: Vec<&Call> = seen.calls().iter().filter(|call| waits(call)).collect();
        let awaited: HashSet<CallId> = waiting
            .iter()
            .flat_map(|call| awaited(seen, call).into_iter().filter(|other| *other != call.name.id))
            .collect();
        let mut tree = Tree { seen, known, told: HashSet::new(), waits: Vec::new() };
        let (roots, inner): (Vec<&Call>, Vec<&Call>) =
            waiting.into_iter().partition(|call| !awaited.contains(&call.name.id));
        // In a cycle, another coroutine waits for each one, so no root leads to it.
        for call in roots.into_iter().chain(inner) {
            tree.add(call, 0);
        }
        Self(tree.waits)
    }
}

/// The description that a suspended coroutine reports of itself.
pub(super) struct Known {
    /// The line where it waits.
    pub(super) place: Place,
    /// A description of what it waits for, if there is more to say than its kind.
    pub(super) on: Option<String>,
}

struct Tree<'a> {
    seen: &'a Seen,
    known: &'a HashMap<CallId, Known>,
    told: HashSet<CallId>,
    waits: Vec<Wait>,
}

impl Tree<'_> {
    fn add(&mut self, call: &Call, depth: usize) {
        if !self.told.insert(call.name.id) {
            return;
        }
        let known = self.known.get(&call.name.id);
        let described = known.map_or(call.on.as_deref(), |known| known.on.as_deref());
        let (on, timed) = on(self.seen, call, described);
        self.waits.push(Wait {
            name: call.name,
            on,
            place: call.yielded_at.or(call.awaited_at).or(known.map(|known| known.place)),
            defined: call.defined,
            since: call.since,
            depth,
            timed,
            background: call.background,
        });
        for child in awaited(self.seen, call) {
            if let Some(child) = self.seen.call(child).filter(|child| waits(child)) {
                self.add(child, depth + 1);
            }
        }
    }
}

fn waits(call: &Call) -> bool {
    matches!(call.life, Life::Waits(_) | Life::Called)
}

/// Returns what a call waits for, in words, and whether a timer ends that. `described` is the waited-for thing's own
/// description.
fn on(seen: &Seen, call: &Call, described: Option<&str>) -> (String, bool) {
    match call.life {
        Life::Called => ("its start".to_owned(), true),
        Life::Waits(None) if call.yielded_at.is_some() || described == Some("moment") => {
            ("the next turn of the loop".to_owned(), true)
        }
        Life::Waits(None) => {
            (described.unwrap_or("a std Future, until its waker is called").to_owned(), false)
        }
        Life::Waits(Some(future)) if seen.is_resolved(future) => {
            (format!("its turn: {} is done", name(seen, future)), true)
        }
        Life::Waits(Some(future)) => {
            let timed = matches!(seen.from(future), Some(From::Sleep(_) | From::Timeout(..)));
            let name = name(seen, future);
            let on = match (seen.from(future), described) {
                (Some(From::Named(_)), Some(described)) => described.to_owned(),
                (_, Some(described)) if seen.waits_for_holder(future) => format!("{name} ({described})"),
                _ => name,
            };
            (on, timed)
        }
        Life::Running | Life::Gone => (String::new(), false),
    }
}

/// Returns the name of a Future.
fn name(seen: &Seen, future: FutureId) -> String {
    match seen.from(future) {
        Some(From::Call(runner)) => seen.call(*runner).map_or(String::new(), |call| call.name.to_string()),
        Some(From::Sleep(until)) => format!("sleep until {}", Clock(*until)),
        Some(From::Multi(of)) => {
            let of: Vec<_> =
                of.iter().filter(|of| !seen.is_resolved(**of)).map(|of| name(seen, *of)).collect();
            format!("[{}]", of.join(", "))
        }
        Some(From::Timeout(of, until)) => format!("{}, at most until {}", name(seen, *of), Clock(*until)),
        Some(From::Named(named)) => named.clone(),
        None if seen.is_resolved(future) => format!("future {}", future.0),
        None => format!("future {}, which was not resolved", future.0),
    }
}

/// Returns the coroutines whose results a call waits for.
fn awaited(seen: &Seen, call: &Call) -> Vec<CallId> {
    let Life::Waits(Some(future)) = call.life else { return Vec::new() };
    let (mut awaited, mut futures) = (Vec::new(), vec![future]);
    while let Some(future) = futures.pop() {
        match seen.from(future) {
            Some(From::Call(runner)) => awaited.push(*runner),
            Some(From::Multi(of)) => futures.extend(of.iter().rev()),
            Some(From::Timeout(of, _)) => futures.push(*of),
            _ => {}
        }
    }
    awaited
}

impl Wait {
    /// Returns the call that waits.
    pub fn runner(&self) -> CallName {
        self.name
    }

    /// Returns what it waits for, in words: a coroutine by its name, `sleep until 5s`, `future 3, which was not
    /// resolved`.
    pub fn on(&self) -> &str {
        &self.on
    }

    /// Returns the line of the yield at which it waits; `None` for a native coroutine whose line is not known.
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// Returns the loop's time when it was suspended.
    pub fn since(&self) -> Duration {
        self.since
    }

    /// Returns its depth in the tree: 0 if no coroutine waits for it.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Returns whether it is in the [background](crate::background), and so lives as long as its loop by design.
    pub fn is_background(&self) -> bool {
        self.background
    }

    /// Returns whether a timer or the next turn ends this wait, whatever other coroutines do.
    pub(super) fn timed(&self) -> bool {
        self.timed
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} waits", self.name)?;
        match (self.place, self.defined) {
            (Some(place), _) => write!(f, " at {place}")?,
            (None, Some(place)) => write!(f, " (defined at {}:{})", place.file(), place.line())?,
            (None, None) => {}
        }
        write!(f, " for {}, since {}", self.on, Clock(self.since))?;
        f.write_str(if self.background { ", in the background" } else { "" })
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for wait in &self.0 {
            writeln!(f, "{:1$}{wait}", "", 2 * wait.depth)?;
        }
        Ok(())
    }
}

impl<'a> IntoIterator for &'a Waits {
    type Item = &'a Wait;
    type IntoIter = std::slice::Iter<'a, Wait>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
