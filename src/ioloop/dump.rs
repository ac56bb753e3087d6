//! [`IoLoop::dump`]: which coroutine waits for which, at this moment.

use std::collections::HashMap;
use std::fmt;

use squall_runner::Waiting;

use super::IoLoop;

impl IoLoop {
    /// Returns the coroutines that are suspended now. It prints as a tree, with each coroutine above the one that it
    /// waits for.
    ///
    /// ```
    /// use std::time::Duration;
    /// use squall::{sleep, IoLoop, Result};
    ///
    /// #[squall::coroutine]
    /// fn fetch() -> Result<()> { yield_!(sleep(Duration::from_millis(2))) }
    ///
    /// #[squall::coroutine]
    /// fn visit() -> Result<()> { yield_!(fetch()) }
    ///
    /// let io_loop = IoLoop::current();
    /// io_loop.call_later(Duration::from_millis(1), || {
    ///     let dump = IoLoop::current().dump().to_string();
    ///     // 2 coroutines wait:
    ///     //   visit at src/main.rs:8:31
    ///     //     fetch at src/main.rs:5:31
    ///     assert!(dump.starts_with("2 coroutines wait:\n  visit at "));
    ///     assert!(dump.contains("\n    fetch at "));
    /// });
    /// io_loop.run_sync(visit)?;
    /// assert_eq!(io_loop.dump().to_string(), "no coroutine waits");
    /// # Ok::<(), squall::Exception>(())
    /// ```
    ///
    /// The tree matches coroutines by their functions. If several calls of one function are suspended, each is printed
    /// at the left margin, and the coroutine that waits for one of them names the function.
    pub fn dump(&self) -> Dump {
        Dump { waiting: self.inner.waiting() }
    }
}

/// The suspended coroutines of a loop, as [`IoLoop::dump`] returns them. `Display` prints the tree.
#[derive(Debug, Clone)]
pub struct Dump {
    waiting: Vec<Waiting>,
}

impl Dump {
    /// Returns each suspended coroutine, oldest first.
    pub fn waiting(&self) -> &[Waiting] {
        &self.waiting
    }

    /// Prints a coroutine and, indented below it, what it waits for. No coroutine is printed twice.
    fn print(
        &self,
        f: &mut fmt::Formatter<'_>,
        functions: &Functions<'_>,
        first: usize,
        printed: &mut [bool],
    ) -> fmt::Result {
        let (mut depth, mut next) = (1, Some(first));
        while let Some(index) = next.filter(|&index| !printed[index]) {
            printed[index] = true;
            let waiting = &self.waiting[index];
            write!(f, "\n{:1$}{2} at {3}", "", depth * 2, waiting.name, waiting.place)?;
            next = functions.below(waiting);
            match waiting.on {
                Some(on) if functions.calls(on) > 1 => {
                    write!(f, ", for one of {} {on}", functions.calls(on))?;
                }
                None => waiting.what.iter().try_for_each(|what| write!(f, ", for {what}"))?,
                Some(on) if next.is_none_or(|index| printed[index]) => write!(f, ", for {on}")?,
                _ => {}
            }
            depth += 1;
        }
        Ok(())
    }
}

/// For each function: the position of its first call in the list, and the number of its calls.
struct Functions<'a>(HashMap<&'a str, (usize, usize)>);

impl<'a> Functions<'a> {
    fn of(waiting: &'a [Waiting]) -> Self {
        let mut functions = HashMap::new();
        for (place, waiting) in waiting.iter().enumerate() {
            functions.entry(waiting.name).or_insert((place, 0)).1 += 1;
        }
        Self(functions)
    }

    fn calls(&self, name: &str) -> usize {
        self.0.get(name).map_or(0, |&(_, calls)| calls)
    }

    /// Returns the coroutine to print below `waiting`: the one that it waits for, if only one call matches.
    fn below(&self, waiting: &Waiting) -> Option<usize> {
        self.0.get(waiting.on?).filter(|(_, calls)| *calls == 1).map(|&(place, _)| place)
    }
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.waiting.len() {
            0 => return f.write_str("no coroutine waits"),
            1 => f.write_str("1 coroutine waits:")?,
            n => write!(f, "{n} coroutines wait:")?,
        }
        let functions = Functions::of(&self.waiting);
        let mut printed = vec![false; self.waiting.len()];
        // Two coroutines may wait for the same third one: that is printed below the older of them.
        let mut is_below = vec![false; self.waiting.len()];
        self.waiting
            .iter()
            .filter_map(|waiting| functions.below(waiting))
            .for_each(|index| is_below[index] = true);
        for index in (0..self.waiting.len()).filter(|&index| !is_below[index]) {
            self.print(f, &functions, index, &mut printed)?;
        }
        // The coroutines that are left wait for each other in a circle.
        for index in 0..self.waiting.len() {
            self.print(f, &functions, index, &mut printed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use squall_runner::Place;

    use super::*;

    fn dump(waiting: &[(&'static str, Option<&'static str>)]) -> String {
        let place = Place::caller();
        let waiting = waiting
            .iter()
            .map(|&(name, on)| Waiting { name, place, on, what: None, on_default_loop: false })
            .collect();
        Dump { waiting }.to_string().replace(&format!(" at {place}"), "")
    }

    #[test]
    fn chain_is_nested_and_what_two_wait_for_stands_below_the_older() {
        assert_eq!(
            dump(&[("c", None), ("b", Some("c")), ("a", Some("b")), ("other", Some("c"))]),
            "4 coroutines wait:\n  a\n    b\n      c\n  other, for c",
        );
    }

    #[test]
    fn one_of_several_calls_stands_by_itself() {
        assert_eq!(
            dump(&[("worker", None), ("worker", None), ("main", Some("worker"))]),
            "3 coroutines wait:\n  worker\n  worker\n  main, for one of 2 worker",
        );
    }

    #[test]
    fn circle_is_printed_once() {
        assert_eq!(dump(&[("a", Some("b")), ("b", Some("a"))]), "2 coroutines wait:\n  a\n    b, for a");
    }

    #[test]
    fn coroutine_that_is_ready_already_is_named_by_its_waiter() {
        assert_eq!(dump(&[("a", Some("b"))]), "1 coroutine waits:\n  a, for b");
    }
}
