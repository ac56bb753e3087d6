//! The objects that `new` creates: squall's own locks, queues and so on, and their methods in the language.

mod iteration;
mod locks;
mod periodic;
mod queue;

use std::cell::RefCell;
use std::rc::Rc;

use squall_runner::{Error, Exception, Future, Place, Result};

use super::raised::{self, type_error};
use super::run::duration;
use super::syntax::{Class, DefId, Method, Name, Type};
use super::value::{Object, Value};
use super::world::World;
use crate::locks::{Condition, Event};
use crate::queues::Queue;
use crate::{PeriodicCallback, WaitIterator};

use locks::Permits;
use queue::{Item, Order};

/// An object that `new` created. A handle: clones refer to the same object.
#[derive(Clone)]
pub(super) struct Service(Rc<Made>);

pub(super) enum Made {
    Permits(Permits),
    /// The result of `acquire`. The end of its `with` statement releases it.
    Acquired(Permits),
    Event(Event),
    Condition(Condition),
    Queue(Queue<Item>, Order),
    WaitIterator(RefCell<WaitIterator<Value, Value>>),
    PeriodicCallback(PeriodicCallback),
}

impl From<Made> for Value {
    fn from(made: Made) -> Self {
        Object::Service(Service(Rc::new(made))).into()
    }
}

impl Service {
    pub(super) fn type_name(&self) -> &'static str {
        match &*self.0 {
            Made::Permits(Permits::Lock(_)) => "Lock",
            Made::Permits(Permits::Semaphore(_)) => "Semaphore",
            Made::Permits(Permits::Bounded(_)) => "BoundedSemaphore",
            Made::Acquired(_) => "_ReleasingContextManager",
            Made::Event(_) => "Event",
            Made::Condition(_) => "Condition",
            Made::Queue(_, Order::Oldest) => "Queue",
            Made::Queue(_, Order::Smallest) => "PriorityQueue",
            Made::Queue(_, Order::Youngest) => "LifoQueue",
            Made::WaitIterator(_) => "WaitIterator",
            Made::PeriodicCallback(_) => "PeriodicCallback",
        }
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl World {
    /// Implements `new`.
    pub(super) fn make(
        self: &Rc<Self>,
        class: Class,
        def: Option<DefId>,
        arguments: Vec<Value>,
    ) -> Result<Value> {
        Ok(match class {
            Class::Future => Future::<Value>::new().into(),
            Class::Lock | Class::Semaphore | Class::BoundedSemaphore => {
                Made::Permits(Permits::new(class, arguments.first())?).into()
            }
            Class::Event => Made::Event(Event::new()).into(),
            Class::Condition => Made::Condition(Condition::new()).into(),
            Class::Queue => queue::new(Order::Oldest, &arguments[0])?,
            Class::PriorityQueue => queue::new(Order::Smallest, &arguments[0])?,
            Class::LifoQueue => queue::new(Order::Youngest, &arguments[0])?,
            Class::WaitIterator => {
                let numbered = (0..).map(Value::Integer).zip(arguments);
                iteration::new(numbered)?
            }
            Class::PeriodicCallback => {
                periodic::new(self, def.expect("the signature has a def"), &arguments[0])?
            }
        })
    }
}

/// Implements `object.method(arguments)`. `place` returns the line of the call.
pub(super) fn method(
    object: &Value,
    method: Method,
    arguments: Vec<Value>,
    place: impl FnOnce() -> Option<Place>,
) -> Result<Value> {
    let done = match object.object() {
        Some(Object::Future(future)) => super::methods::of_future(future, method, arguments)?,
        Some(Object::Service(service)) => match &*service.0 {
            Made::Permits(permits) => locks::of_permits(permits, method, &arguments, place())?,
            Made::Acquired(_) => None,
            Made::Event(event) => locks::of_event(event, method, &arguments)?,
            Made::Condition(condition) => locks::of_condition(condition, method, &arguments)?,
            Made::Queue(queue, order) => queue::method(queue, *order, method, arguments)?,
            Made::WaitIterator(it) => iteration::method(&mut it.borrow_mut(), method),
            Made::PeriodicCallback(periodic) => periodic::method(periodic, method),
        },
        _ => None,
    };
    done.ok_or_else(|| {
        let (found, method) = (object.type_name(), method.name());
        raised::foreign("AttributeError", format!("'{found}' object has no attribute '{method}'"))
    })
}

/// Returns the permits that an `async with` acquires, and releases at its end.
pub(super) fn lockable(lock: &Value) -> Result<Permits> {
    match made(lock) {
        Some(Made::Permits(permits)) => Ok(permits.clone()),
        _ => {
            let found = lock.type_name();
            Err(type_error(format!(
                "'{found}' object does not support the asynchronous context manager protocol"
            )))
        }
    }
}

/// Returns the permits that a `with` releases at its end.
pub(super) fn acquired(held: &Value) -> Result<Permits> {
    match made(held) {
        Some(Made::Acquired(permits)) => Ok(permits.clone()),
        _ => {
            let found = held.type_name();
            Err(type_error(format!("'{found}' object does not support the context manager protocol")))
        }
    }
}

/// Returns the awaitable of the next item of an `async for`, or `None` at the end.
pub(super) fn next_of(source: &Value) -> Result<Option<Value>> {
    match made(source) {
        Some(Made::Queue(queue, _)) => Ok(Some(queue::get(queue, None))),
        Some(Made::WaitIterator(it)) if it.borrow().done() => Ok(None),
        Some(Made::WaitIterator(it)) => Ok(Some(it.borrow_mut().next().into())),
        _ => {
            let found = source.type_name();
            Err(type_error(format!("'async for' requires an object with __aiter__ method, got {found}")))
        }
    }
}

/// Returns a `WaitIterator` over futures with names.
pub(super) fn wait_iterator_by_key(futures: Vec<(Name, Value)>) -> Result<Value> {
    iteration::new(futures.into_iter().map(|(key, future)| (Value::String(key), future)))
}

fn made(value: &Value) -> Option<&Made> {
    match value.object() {
        Some(Object::Service(service)) => Some(&service.0),
        _ => None,
    }
}

/// Returns the time limit among the arguments of a method, if there is one.
fn limit(argument: Option<&Value>) -> Result<Option<std::time::Duration>> {
    match argument {
        None | Some(Value::Null) => Ok(None),
        Some(ms) => Ok(Some(duration(super::expressions::as_integer(ms)?))),
    }
}

/// Removes the message of a timeout: those of locks and queues have none in Tornado.
fn without_message<T>(result: Result<T>) -> Result<T> {
    result.map_err(|exception: Exception| match exception.downcast_ref() {
        Some(Error::Timeout) => raised::exception(Type::TimeoutError, None),
        _ => exception,
    })
}
