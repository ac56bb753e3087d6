//! [`World`]: the state that all parts of a running program share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, PoisonError};

use squall_runner::{Coroutine, Exception, Future, Place, Result};

use super::record::Record;
use super::source::{Places, StatementId};
use super::syntax::{DefId, Name};
use super::telling::Told;
use super::value::{Callback, List, Object, Value};
use super::{show, Code};
use crate::ioloop::{run_callback, IoLoop};
use crate::testing::VirtualClock;
use crate::{marker, Yieldable};

/// How many bytes of text a program may make. One that makes more is given up.
const TEXT: usize = 10_000_000;

/// The state that all parts of a running program share.
pub(super) struct World {
    pub(super) code: Arc<Code>,
    pub(super) record: Rc<Record>,
    pub(super) clock: VirtualClock,
    /// The description of each def in traces.
    pub(super) coroutines: Vec<&'static Coroutine>,
    /// The variables of the top level, which all defs see.
    pub(super) globals: RefCell<HashMap<Name, Value>>,
    /// The current depth of nested calls.
    pub(super) depth: Cell<usize>,
    /// How many bytes of text the program has made.
    written: Cell<usize>,
    /// The callbacks that `task` passed on, kept alive because dropping one unused has no effect in Python.
    pub(super) tasks: RefCell<Vec<Callback>>,
    /// Values that may be part of a cycle, to be broken at the end: lists that were appended to, and arguments that
    /// wait.
    appended: RefCell<Vec<Weak<List>>>,
    waiting: RefCell<Vec<Weak<Cell<Vec<Value>>>>>,
    /// The variables that were reported last, if the program is traced.
    pub(super) told: Told,
    #[cfg(test)]
    _counted: tests::Counted,
}

impl World {
    pub(super) fn new(code: &Arc<Code>, record: Rc<Record>, clock: VirtualClock) -> Rc<Self> {
        Rc::new(Self {
            code: code.clone(),
            record,
            clock,
            coroutines: coroutines(code),
            told: Told::default(),
            globals: RefCell::default(),
            depth: Cell::new(0),
            written: Cell::new(0),
            tasks: RefCell::default(),
            appended: RefCell::default(),
            waiting: RefCell::default(),
            #[cfg(test)]
            _counted: tests::Counted::new(),
        })
    }

    /// Returns the place of a statement in the source.
    pub(super) fn place(&self, statement: StatementId) -> Option<Place> {
        self.code.places.get_or_init(|| Places::of(&self.code)).get(statement)
    }

    /// Lets the next statement run, or stops the loop if the program is given up.
    pub(super) fn check(&self) -> Result<()> {
        self.record.statement().map_err(|given_up| {
            IoLoop::current().stop();
            given_up.into()
        })
    }

    /// Gives up the program.
    pub(super) fn give_up(&self, why: impl Into<String>) -> Exception {
        self.record.fail(why).into()
    }

    /// Returns a callback of the loop that calls a def and runs the coroutine that it returns.
    pub(super) fn callback(self: &Rc<Self>, def: DefId, arguments: Vec<Value>) -> impl FnOnce() + 'static {
        let world = self.clone();
        let nowhere = Location::caller();
        move || run_callback(nowhere, || Called::by_the_loop(world.call(def, arguments)))
    }

    /// Keeps values for a closure that waits for a Future. They are dropped at the end of the run, so that no cycle is
    /// left.
    pub(super) fn keep(&self, values: Vec<Value>) -> Rc<Cell<Vec<Value>>> {
        let kept = Rc::new(Cell::new(values));
        self.waiting.borrow_mut().push(Rc::downgrade(&kept));
        kept
    }

    /// Records that a list was appended to, and so may contain itself.
    pub(super) fn appended(&self, list: &Rc<List>) {
        self.appended.borrow_mut().push(Rc::downgrade(list));
    }

    /// Drops all values that outlive the run only because they refer to each other.
    pub(super) fn end(&self) {
        drop((self.globals.take(), self.tasks.take()));
        let waiting: Vec<_> = self.waiting.take().iter().filter_map(Weak::upgrade).collect();
        waiting.iter().for_each(|kept| drop(kept.take()));
        let lists: Vec<_> = self.appended.take().iter().filter_map(Weak::upgrade).collect();
        lists.iter().for_each(|list| drop(list.0.take()));
    }

    /// Returns the text of a value, within the program's limit.
    pub(super) fn text(&self, value: &Value) -> Result<String> {
        let text = show::text(value).map_err(|too_deep| self.give_up(too_deep.to_string()))?;
        self.written.set(self.written.get() + text.len());
        if self.written.get() > TEXT {
            return Err(self.give_up(format!("more than {TEXT} bytes of text were made")));
        }
        Ok(text)
    }
}

/// The result of a call, in a form that the loop can wait for.
pub(super) struct Called {
    result: Result<Value>,
    /// `true` if a result that cannot be waited for is accepted.
    lenient: bool,
}

impl Called {
    /// Creates it for `run_sync`.
    pub(super) fn by_run_sync(result: Result<Value>) -> Self {
        Self { result, lenient: false }
    }

    /// Creates it for callbacks, which may return anything.
    fn by_the_loop(result: Result<Value>) -> Self {
        Self { result, lenient: true }
    }
}

impl Yieldable<marker::Custom> for Called {
    type Output = Value;

    fn convert_yielded(self) -> Result<Future<Value>> {
        let value = self.result?;
        // `run_sync` does not wait for the moment, which is not a Future, and so returns it.
        let is_moment = matches!(value.object(), Some(Object::Moment));
        if matches!(value, Value::Null) || (is_moment && !self.lenient) {
            return Ok(Future::ready(value));
        }
        match crate::convert_yielded(value) {
            Err(exception) if self.lenient && super::raised::is_bad_yield(&exception) => {
                Ok(Future::ready(Value::Null))
            }
            converted => converted,
        }
    }
}

/// The descriptions of coroutines live as long as the process. Each distinct name and line is kept once.
static COROUTINES: Mutex<Vec<&'static Coroutine>> = Mutex::new(Vec::new());

fn coroutines(code: &Arc<Code>) -> Vec<&'static Coroutine> {
    let mut known = COROUTINES.lock().unwrap_or_else(PoisonError::into_inner);
    let mut coroutine = |name: &Name, place: Place| {
        let is_it = |known: &&'static Coroutine| known.name() == &**name && known.place() == Some(place);
        if let Some(coroutine) = known.iter().copied().find(is_it) {
            return coroutine;
        }
        let name: &'static str = Box::leak(name.to_string().into_boxed_str());
        let coroutine = Coroutine::new(name, place.file(), place.line()).showing(Some(show::value));
        let coroutine: &'static Coroutine = Box::leak(Box::new(coroutine));
        known.push(coroutine);
        coroutine
    };
    let places = code.places.get_or_init(|| Places::of(code)).defs();
    code.defs.iter().zip(places).map(|(def, place)| coroutine(&def.name, *place)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        /// How many worlds exist.
        static WORLDS: Cell<usize> = const { Cell::new(0) };
    }

    /// Counts the world that contains it.
    pub(super) struct Counted;

    impl Counted {
        pub(super) fn new() -> Self {
            WORLDS.set(WORLDS.get() + 1);
            Self
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            WORLDS.set(WORLDS.get() - 1);
        }
    }

    /// Everything that a program leaves behind, suspended or in cycles, is dropped with its run. Each call, callback
    /// and object of a program holds its world, so a leak would keep the world alive.
    #[test]
    fn each_program_of_the_suite_is_freed_as_it_ends() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/hand");
        for case in std::fs::read_dir(folder).unwrap() {
            let path = case.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let report = crate::program::parse(&text).unwrap().run();
            assert!(report.is_ok() && WORLDS.get() == 0, "{}", path.display());
        }
    }
}
