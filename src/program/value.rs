//! [`Value`]: the values of variables, results and exceptions in a running program.

use std::cell::{Cell, RefCell};
use std::future::Future as StdFuture;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;

use send_wrapper::SendWrapper;
use squall_runner::trace::{tell_arguments, FutureId, Kind, Problem, Variable};
use squall_runner::{
    convert_yielded, marker, native, AnyFuture, Coroutine, Error, Exception, Future, Result, Shared,
    Yieldable,
};

use super::callable::with_stack;
use super::objects::Service;
use super::show;
use super::syntax::Name;
use crate::gen::{multi_quiet, Children, Futures};
use crate::ioloop::Timeout;

/// Limits for lists that are waited for: their depth, and the number of their parts. A list can contain itself.
const DEPTH: usize = 200;
const PARTS: usize = 100_000;

/// A value of a program. It is `Send`, since exceptions carry values; a value that belongs to a thread is wrapped.
#[derive(Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    String(Name),
    Exception(Held<Exception>),
    Local(SendWrapper<Held<Object>>),
}

/// A value that stays on its thread.
#[derive(Clone)]
pub(super) enum Object {
    List(Rc<List>),
    Dict(Rc<Dict>),
    Future(Future<Value>),
    Awaitable(Rc<Awaitable>),
    /// `gen.moment`
    Moment,
    /// A value that cannot be yielded.
    Bogus,
    Timer(Timeout),
    /// The callback that `task` passes to its function.
    Callback(Callback),
    Service(Service),
}

/// A value that may contain other values. It is dropped with as much stack as its depth takes.
#[derive(Clone)]
pub(super) struct Held<T>(Option<T>);

impl<T> From<T> for Held<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("only its drop takes it")
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        with_stack(|| drop(self.0.take()));
    }
}

/// The callback that `task` passes to its function; empty once it was called.
pub(super) type Callback = Rc<Cell<Option<Box<dyn FnOnce(Value)>>>>;

/// A list, shared by everything that refers to it.
#[derive(Default)]
pub(super) struct List(pub(super) RefCell<Vec<Value>>);

/// A dict: entries in order. It never changes.
pub(super) struct Dict(pub(super) Vec<(Name, Value)>);

/// The body of a native call.
pub(super) type NativeBody = Pin<Box<dyn StdFuture<Output = Result<Value>>>>;

/// A native call that has not started. Dropping it before it was awaited is reported, as in Python.
pub(super) struct Awaitable {
    coroutine: &'static Coroutine,
    /// Its arguments, if the program is traced, until it becomes a Task.
    arguments: Cell<Option<Vec<Variable>>>,
    /// `None` once it was awaited or became a Task.
    body: Cell<Option<NativeBody>>,
}

impl Awaitable {
    /// Takes the body out to run it. A body that was taken before raises Python's error.
    pub(super) fn take(&self) -> NativeBody {
        self.body.take().unwrap_or_else(|| {
            Box::pin(async { Err(super::raised::runtime_error("cannot reuse already awaited coroutine")) })
        })
    }
}

impl Drop for Awaitable {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            drop(body);
            let name = self.coroutine.name();
            let message = format!("coroutine '{name}' was never awaited");
            squall_runner::report::report(
                Problem::NeverAwaited,
                &super::raised::foreign("RuntimeWarning", message),
            );
        }
    }
}

impl Object {
    /// Returns whether both are the same object.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Moment, Self::Moment) | (Self::Bogus, Self::Bogus) => true,
            (Self::Future(a), Self::Future(b)) => a.id() == b.id(),
            (Self::Awaitable(a), Self::Awaitable(b)) => Rc::ptr_eq(a, b),
            (Self::Callback(a), Self::Callback(b)) => Rc::ptr_eq(a, b),
            (Self::Service(a), Self::Service(b)) => a.is(b),
            _ => false,
        }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Local(SendWrapper::new(object.into()))
    }
}

impl From<Exception> for Value {
    fn from(exception: Exception) -> Self {
        Self::Exception(exception.into())
    }
}

impl From<Future<Value>> for Value {
    fn from(future: Future<Value>) -> Self {
        // With a second handle, the result is cloned and never moved out: a program may ask a Future for its result any
        // number of times.
        drop(future.clone());
        Object::Future(future).into()
    }
}

impl Value {
    pub(super) fn list(items: Vec<Self>) -> Self {
        Object::List(Rc::new(List(RefCell::new(items)))).into()
    }

    pub(super) fn dict(entries: impl IntoIterator<Item = (Name, Self)>) -> Self {
        let mut dict = Vec::<(Name, Self)>::new();
        for (key, value) in entries {
            match dict.iter_mut().find(|(other, _)| *other == key) {
                Some(entry) => entry.1 = value,
                None => dict.push((key, value)),
            }
        }
        Object::Dict(Rc::new(Dict(dict))).into()
    }

    pub(super) fn string(text: impl AsRef<str>) -> Self {
        Self::String(text.as_ref().into())
    }

    pub(super) fn awaitable(
        coroutine: &'static Coroutine,
        arguments: Option<Vec<Variable>>,
        body: NativeBody,
    ) -> Self {
        let (arguments, body) = (Cell::new(arguments), Cell::new(Some(body)));
        Object::Awaitable(Rc::new(Awaitable { coroutine, arguments, body })).into()
    }

    /// Returns the object, if the value is one that stays on its thread.
    pub(super) fn object(&self) -> Option<&Object> {
        match self {
            Self::Local(object) => Some(object),
            _ => None,
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(b) => *b,
            Self::Integer(n) => *n != 0,
            Self::String(s) => !s.is_empty(),
            Self::Exception(_) => true,
            Self::Local(object) => match &***object {
                Object::List(list) => !list.0.borrow().is_empty(),
                Object::Dict(dict) => !dict.0.is_empty(),
                _ => true,
            },
        }
    }

    /// Returns Python's name of the value's type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Integer(_) => "int",
            Self::String(_) => "str",
            Self::Exception(_) => "exception",
            Self::Local(object) => match &***object {
                Object::List(_) => "list",
                Object::Dict(_) => "dict",
                Object::Future(_) => "Future",
                Object::Awaitable(_) => "coroutine",
                Object::Moment => "_NullFuture",
                Object::Bogus => "Bogus",
                Object::Timer(_) => "TimerHandle",
                Object::Callback(_) => "function",
                Object::Service(service) => service.type_name(),
            },
        }
    }
}

/// Converts each kind of value like `convert_yielded`.
impl Yieldable<marker::Custom> for Value {
    type Output = Self;

    fn into_future(self) -> Result<Future<Self>, Self> {
        match self.object() {
            Some(Object::Future(future)) => Ok(future.clone()),
            Some(Object::Moment) => Ok(moment()),
            _ => Err(self),
        }
    }

    fn convert_yielded(self) -> Result<Future<Self>> {
        match self.object() {
            _ if matches!(self, Self::Null) => Ok(moment()),
            Some(Object::List(_) | Object::Dict(_)) => multi(&self, |_| false),
            Some(Object::Awaitable(awaitable)) => {
                awaitable.arguments.take().into_iter().for_each(tell_arguments);
                Ok(native::start(awaitable.coroutine, awaitable.take()))
            }
            _ => Err(Error::BadYield(show::printed(&self)).into()),
        }
    }

    fn kind(&self) -> Kind {
        match self.object() {
            _ if matches!(self, Self::Null) => Kind::None,
            Some(Object::List(list)) => Kind::List(list.0.borrow().len()),
            Some(Object::Dict(dict)) => Kind::Dict(dict.0.len()),
            Some(Object::Awaitable(_)) => Kind::Awaitable,
            _ => Kind::Bad,
        }
    }
}

thread_local! {
    static MOMENT: Future<Value> = one_moment();
}

/// Returns the one Future that `moment` and null stand for.
fn moment() -> Future<Value> {
    MOMENT.try_with(Clone::clone).unwrap_or_else(|_| one_moment())
}

fn one_moment() -> Future<Value> {
    Future::from_core(Rc::new(Shared::moment(Value::Null)))
}

/// Implements `gen.multi` of a list or a dict.
pub(super) fn multi(children: &Value, quiet: impl Fn(&Exception) -> bool + 'static) -> Result<Future<Value>> {
    Ok(kept(multi_quiet(converted(children, 0, &mut { PARTS })?, quiet)))
}

/// Keeps a Future until it is done, as Tornado's are kept by what they wait for.
pub(super) fn kept(future: Future<Value>) -> Future<Value> {
    future.core().clone().keep();
    future
}

/// Converts the children at the given depth. `parts` is how many more parts are allowed.
fn converted(children: &Value, depth: usize, parts: &mut usize) -> Result<Converted> {
    let (keys, children) = match children.object() {
        Some(Object::List(list)) => (None, list.0.borrow().clone()),
        Some(Object::Dict(dict)) => {
            let (keys, children) = dict.0.iter().cloned().unzip();
            (Some(keys), children)
        }
        _ => {
            let message = format!("'{}' object is not iterable", children.type_name());
            return Err(super::raised::type_error(message));
        }
    };
    if depth == DEPTH || *parts < children.len() {
        let message = "lists are nested too deeply to be waited for";
        return Err(super::raised::foreign("RecursionError", message));
    }
    *parts -= children.len();
    let convert = |child: Value| match child.object() {
        Some(Object::List(_) | Object::Dict(_)) => {
            Ok(kept(multi_quiet(converted(&child, depth + 1, parts)?, |_| false)))
        }
        _ => convert_yielded(child),
    };
    let children = children.into_iter().map(convert).collect::<Result<_>>()?;
    Ok(Converted { keys, children })
}

/// The Futures of a list's items, or of a dict's values with their keys.
struct Converted {
    keys: Option<Vec<Name>>,
    children: Vec<Future<Value>>,
}

impl Children<marker::Custom> for Converted {
    type Output = Value;
    type Futures = Self;

    fn convert(self) -> Result<Self> {
        Ok(self)
    }

    fn kind_of(&self) -> Kind {
        match self.keys {
            Some(_) => Kind::Dict(self.children.len()),
            None => Kind::List(self.children.len()),
        }
    }

    fn each_child(&self, f: &mut dyn FnMut(FutureId)) {
        self.children.iter().for_each(|child| f(child.id()));
    }
}

impl Futures for Converted {
    type Output = Value;

    fn each(&self, f: &mut dyn FnMut(AnyFuture)) {
        self.children.iter().for_each(|child| f(child.erased()));
    }

    fn results(self) -> Result<Value> {
        let results = self.children.into_iter().map(Future::into_result).collect::<Result<Vec<_>>>()?;
        Ok(match self.keys {
            Some(keys) => Value::dict(keys.into_iter().zip(results)),
            None => Value::list(results),
        })
    }
}
