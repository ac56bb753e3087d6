//! [`World`]: what all of a running program shares.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::Location;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, PoisonError};

use squall_runner::{Coroutine, Exception, Future, Place, Result};

use super::record::Record;
use super::source::{Places, StatementId};
use super::syntax::{DefId, Name};
use super::value::{Callback, List, Object, Value};
use super::{show, Code};
use crate::ioloop::{run_callback, IoLoop};
use crate::testing::VirtualClock;
use crate::{marker, Yieldable};

/// A program that makes more text than this is given up.
const TEXT: usize = 10_000_000;

/// What all of a running program shares.
pub(super) struct World {
    pub(super) code: Arc<Code>,
    pub(super) record: Rc<Record>,
    pub(super) clock: VirtualClock,
    /// What each def is called in traces.
    pub(super) coroutines: Vec<&'static Coroutine>,
    /// The variables of the top, which all defs see.
    pub(super) globals: RefCell<HashMap<Name, Value>>,
    /// How deep the calls are now.
    pub(super) depth: Cell<usize>,
    /// How much text the program has made.
    written: Cell<usize>,
    /// The callbacks that `task` gave out. Python's are never dropped unused in a way that anybody notices.
    pub(super) tasks: RefCell<Vec<Callback>>,
    /// What may be in a circle, to be broken at the end: lists that were appended to, and arguments that wait.
    appended: RefCell<Vec<Weak<List>>>,
    waiting: RefCell<Vec<Weak<Cell<Vec<Value>>>>>,
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

    /// Lets the next statement run, unless the program is given up: then the loop stops.
    pub(super) fn check(&self) -> Result<()> {
        self.record.statement().map_err(|given_up| {
            IoLoop::current().stop();
            given_up.into()
        })
    }

    /// Gives the program up.
    pub(super) fn give_up(&self, why: impl Into<String>) -> Exception {
        self.record.fail(why).into()
    }

    /// What a callback of the loop does: calls a def, and has what it gives driven to its end.
    pub(super) fn callback(self: &Rc<Self>, def: DefId, arguments: Vec<Value>) -> impl FnOnce() + 'static {
        let world = self.clone();
        let nowhere = Location::caller();
        move || run_callback(nowhere, || Called::by_the_loop(world.call(def, arguments)))
    }

    /// Values for a closure that waits for a Future; they are dropped at the end of the run, so that no circle is
    /// left.
    pub(super) fn keep(&self, values: Vec<Value>) -> Rc<Cell<Vec<Value>>> {
        let kept = Rc::new(Cell::new(values));
        self.waiting.borrow_mut().push(Rc::downgrade(&kept));
        kept
    }

    /// Notes that a list was appended to: it may hold itself now.
    pub(super) fn appended(&self, list: &Rc<List>) {
        self.appended.borrow_mut().push(Rc::downgrade(list));
    }

    /// Drops all values that outlive the run only because they hold each other.
    pub(super) fn end(&self) {
        drop((self.globals.take(), self.tasks.take()));
        let waiting: Vec<_> = self.waiting.take().iter().filter_map(Weak::upgrade).collect();
        waiting.iter().for_each(|kept| drop(kept.take()));
        let lists: Vec<_> = self.appended.take().iter().filter_map(Weak::upgrade).collect();
        lists.iter().for_each(|list| drop(list.0.take()));
    }

    /// The text of a value, for what the program makes of it.
    pub(super) fn text(&self, value: &Value) -> Result<String> {
        let text = show::text(value).map_err(|too_deep| self.give_up(too_deep.to_string()))?;
        self.written.set(self.written.get() + text.len());
        if self.written.get() > TEXT {
            return Err(self.give_up(format!("more than {TEXT} bytes of text were made")));
        }
        Ok(text)
    }
}

/// What a call gave, as something that the loop can wait for.
pub(super) struct Called {
    result: Result<Value>,
    /// Whether nobody minds what cannot be waited for.
    lenient: bool,
}

impl Called {
    /// For `run_sync`.
    pub(super) fn by_run_sync(result: Result<Value>) -> Self {
        Self { result, lenient: false }
    }

    /// For callbacks, which may return anything.
    fn by_the_loop(result: Result<Value>) -> Self {
        Self { result, lenient: true }
    }
}

impl Yieldable<marker::Custom> for Called {
    type Output = Value;

    fn convert_yielded(self) -> Result<Future<Value>> {
        let value = self.result?;
        // `run_sync` does not wait for the moment: it is no Future, and so the result.
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

/// The names of coroutines live as long as the process; each distinct one is kept once.
static COROUTINES: Mutex<Vec<&'static Coroutine>> = Mutex::new(Vec::new());

fn coroutines(code: &Code) -> Vec<&'static Coroutine> {
    let mut known = COROUTINES.lock().unwrap_or_else(PoisonError::into_inner);
    let mut coroutine = |name: &Name| {
        if let Some(coroutine) = known.iter().find(|coroutine| coroutine.name() == &**name) {
            return *coroutine;
        }
        let name: &'static str = Box::leak(name.to_string().into_boxed_str());
        let coroutine: &'static Coroutine =
            Box::leak(Box::new(Coroutine::named(name).showing(Some(show::value))));
        known.push(coroutine);
        coroutine
    };
    code.defs.iter().map(|def| coroutine(&def.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        /// How many worlds there are.
        static WORLDS: Cell<usize> = const { Cell::new(0) };
    }

    /// Counts the world that it is in.
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

    /// Whatever a program leaves behind, suspended or in circles, goes with its run: every call, callback and
    /// object of it holds its world.
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
