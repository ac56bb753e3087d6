//! Calling a def: the result of a call of each kind, and how arguments are bound to parameters.

use std::collections::HashMap;
use std::future::Future as StdFuture;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use squall_runner::runner::call_plain;
use squall_runner::trace::{set_line, tell_arguments};
use squall_runner::{Future, Result, Runner};

use super::interpreted::Interpreted;
use super::raised::{type_error, GivenUp};
use super::statements::{Frame, How};
use super::syntax::{Def, DefId, DefKind, Name};
use super::telling::tell_function;
use super::value::Value;
use super::world::World;

/// The largest depth of nested calls. Python has a similar limit.
const DEPTH: usize = 1_000;

/// Calls a function that may recurse deeply, on a new stack segment if little stack is left.
pub(super) fn with_stack<R>(f: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(1 << 20, 8 << 20, f)
}

impl World {
    /// Calls a def: returns the result of a plain one, the Future of a decorated one, and for a native one an
    /// awaitable, of which nothing has run yet.
    pub(super) fn call(self: &Rc<Self>, id: DefId, arguments: Vec<Value>) -> Result<Value> {
        let def = &self.code.defs[id.0];
        let coroutine = self.coroutines[id.0];
        match def.kind {
            DefKind::Plain => {
                let locals = bind(def, arguments)?;
                let arguments = self.told_arguments(def, &locals);
                let frame = Frame::new(self, id, locals, How::Plain);
                tell_function(coroutine, arguments, || run_plain(frame))
            }
            DefKind::Native => {
                let locals = bind(def, arguments)?;
                let arguments = self.told_arguments(def, &locals);
                let frame = Frame::new(self, id, locals, How::Native);
                Ok(Value::awaitable(coroutine, arguments, Box::pin(Deep::new(self, frame.run()))))
            }
            DefKind::Decorated => {
                let world = self.clone();
                let locals = bind(def, arguments);
                let told = locals.as_ref().ok().and_then(|locals| self.told_arguments(def, locals));
                let future = if def.suspends {
                    match locals {
                        Ok(locals) => {
                            told.into_iter().for_each(tell_arguments);
                            let body = Interpreted::new(&world, |channel| {
                                let frame = Frame::new(&world, id, locals, How::Generator(channel));
                                Deep::new(&world, frame.run())
                            });
                            Runner::start(coroutine, body)
                        }
                        Err(exception) => Future::failed(exception),
                    }
                } else {
                    told.into_iter().for_each(tell_arguments);
                    call_plain(coroutine, move || run_plain(Frame::new(&world, id, locals?, How::Plain)))
                };
                Ok(future.into())
            }
        }
    }
}

/// Returns the parameters with their arguments, or Python's error if their number is wrong.
fn bind(def: &Def, arguments: Vec<Value>) -> Result<HashMap<Name, Value>> {
    let (takes, given) = (def.params.len(), arguments.len());
    if given == takes {
        return Ok(def.params.iter().cloned().zip(arguments).collect());
    }
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    let name = &def.name;
    Err(type_error(if given > takes {
        let (s, were) = (plural(takes), if given == 1 { "was" } else { "were" });
        format!("{name}() takes {takes} positional argument{s} but {given} {were} given")
    } else {
        let missing: Vec<_> = def.params[given..].iter().map(|name| format!("'{name}'")).collect();
        let names = match missing.as_slice() {
            [one] => one.clone(),
            [one, two] => format!("{one} and {two}"),
            [most @ .., last] => format!("{}, and {last}", most.join(", ")),
            [] => String::new(),
        };
        let (n, s) = (missing.len(), plural(missing.len()));
        format!("{name}() missing {n} required positional argument{s}: {names}")
    }))
}

/// Runs the statements at the top level.
pub(super) fn run_top(world: &Rc<World>) -> Result<()> {
    run_plain(Frame::top(world)).map(drop)
}

/// Runs a body that cannot wait.
fn run_plain(frame: Frame) -> Result<Value> {
    let world = frame.world.clone();
    let mut body = Deep::new(&world, frame.run());
    match Pin::new(&mut body).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("the parser lets nothing suspend a plain body"),
    }
}

/// A body that counts its depth, and does not overflow the stack.
pub(super) struct Deep {
    world: Rc<World>,
    /// `None` once the body has ended.
    body: Option<Pin<Box<dyn StdFuture<Output = Result<Value>>>>>,
}

impl Deep {
    fn new(world: &Rc<World>, body: impl StdFuture<Output = Result<Value>> + 'static) -> Self {
        Self { world: world.clone(), body: Some(Box::pin(body)) }
    }
}

impl StdFuture for Deep {
    type Output = Result<Value>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Value>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            return Poll::Ready(Err(GivenUp("the run is over".to_owned()).into()));
        };
        let depth = &this.world.depth;
        if depth.get() == DEPTH {
            let given_up = this.world.record.fail(format!("calls are nested deeper than {DEPTH}"));
            return Poll::Ready(Err(given_up.into()));
        }
        depth.set(depth.get() + 1);
        // The line of the caller is not that of what it calls.
        let line = set_line(None);
        let poll = with_stack(|| body.as_mut().poll(cx));
        set_line(line);
        depth.set(depth.get() - 1);
        if poll.is_ready() {
            this.body = None;
        }
        poll
    }
}

impl Drop for Deep {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            with_stack(|| drop(body));
        }
    }
}
