//! Evaluating expressions and performing actions.

use std::cell::Cell;
use std::rc::Rc;

use squall_runner::report::report;
use squall_runner::trace::Problem;
use squall_runner::{moment, Coroutine, Error, Exception, Future, Result};

use super::map::map;
use super::objects::{method, wait_iterator_by_key};
use super::operators::{get, integer, len};
use super::raised::{self, type_error};
use super::run::duration;
use super::show;
use super::statements::Frame;
use super::syntax::{Action, Arguments, DefId, Expression, Function, Name, Operator, Type};
use super::value::{kept, multi, Callback, Object, Value};
use crate::ioloop::IoLoop;
use crate::trace::{note, observed};
use crate::{convert_yielded, maybe_future, sleep, task, with_timeout_quiet};

/// The description of `asyncio.sleep` in traces.
static ASYNCIO_SLEEP: Coroutine = Coroutine::named("asyncio_sleep");

impl Frame {
    /// Returns the value of an expression. Never waits.
    pub(super) fn evaluate(&self, e: &Expression) -> Result<Value> {
        let world = &self.world;
        Ok(match e {
            Expression::Null => Value::Null,
            Expression::Bool(b) => Value::Bool(*b),
            Expression::Integer(n) => Value::Integer(*n),
            Expression::String(s) => Value::String(s.clone()),
            Expression::Variable(name) => self.variable(name)?,
            Expression::List(items) => Value::list(self.evaluate_all(items)?),
            Expression::Dict(entries) => Value::dict(self.evaluate_entries(entries)?),
            Expression::Binary(operator @ (Operator::And | Operator::Or), operands) => {
                let first = self.evaluate(&operands.0)?;
                if first.is_true() == (*operator == Operator::And) {
                    self.evaluate(&operands.1)?
                } else {
                    first
                }
            }
            Expression::Binary(operator, operands) => {
                let (a, b) = (self.evaluate(&operands.0)?, self.evaluate(&operands.1)?);
                world.binary(*operator, &a, &b)?
            }
            Expression::Get(operands) => {
                let (from, index) = (self.evaluate(&operands.0)?, self.evaluate(&operands.1)?);
                get(&from, &index)?
            }
            Expression::Not(e) => Value::Bool(!self.evaluate(e)?.is_true()),
            Expression::Call(def, arguments) => {
                let arguments = self.evaluate_all(arguments)?;
                self.tell_variables();
                world.call(*def, arguments)?
            }
            Expression::Exception(kind, argument) => {
                let argument = argument.as_ref().map(|e| self.evaluate(e)).transpose()?;
                raised::exception(*kind, argument).into()
            }
            Expression::Moment => Object::Moment.into(),
            Expression::Bogus => Object::Bogus.into(),
            Expression::Function(function, arguments) => self.function(*function, arguments)?,
            Expression::New(class, arguments) => {
                let values = self.evaluate_all(&arguments.values)?;
                self.tell_variables();
                world.make(*class, arguments.def, values)?
            }
            Expression::WaitIteratorKw(futures) => wait_iterator_by_key(self.evaluate_entries(futures)?)?,
            Expression::Method(object, name, arguments) => {
                let object = self.evaluate(object)?;
                let arguments = self.evaluate_all(arguments)?;
                self.tell_variables();
                method(&object, *name, arguments, || self.place())?
            }
        })
    }

    pub(super) fn evaluate_all(&self, expressions: &[Expression]) -> Result<Vec<Value>> {
        expressions.iter().map(|e| self.evaluate(e)).collect()
    }

    fn evaluate_entries(&self, entries: &[(Name, Expression)]) -> Result<Vec<(Name, Value)>> {
        entries.iter().map(|(key, e)| Ok((key.clone(), self.evaluate(e)?))).collect()
    }

    /// Evaluates an expression that must be an integer.
    pub(super) fn integer(&self, e: &Expression) -> Result<i64> {
        as_integer(&self.evaluate(e)?)
    }

    /// Evaluates an expression that must be an exception.
    pub(super) fn exception(&self, e: &Expression) -> Result<Exception> {
        match self.evaluate(e)? {
            Value::Exception(exception) => Ok(Exception::clone(&exception)),
            _ => Err(type_error("exceptions must derive from BaseException")),
        }
    }

    fn function(&self, function: Function, arguments: &Arguments) -> Result<Value> {
        let world = &self.world;
        let values = self.evaluate_all(&arguments.values)?;
        if !matches!(function, Function::Now | Function::Cat | Function::Len | Function::Div) {
            self.tell_variables();
        }
        let quiet = quietly(arguments.quiet.as_deref().unwrap_or_default());
        let def = || arguments.def.expect("the signature has a def");
        Ok(match function {
            Function::Sleep => {
                let slept = sleep(duration(as_integer(&values[0])?));
                map(slept, |slept| slept.map(|()| Value::Null)).into()
            }
            Function::AsyncioSleep => asyncio_sleep(as_integer(&values[0])?),
            Function::Multi => multi(&values[0], quiet)?.into(),
            Function::WithTimeout => {
                let [ms, waited] = values.try_into().unwrap_or_else(|_| unreachable!("by its signature"));
                let future = convert_yielded(waited)?;
                kept(with_timeout_quiet(duration(as_integer(&ms)?), future, quiet)).into()
            }
            Function::Convert => convert(values.into_iter().next().unwrap_or(Value::Null))?,
            Function::MaybeFuture => match values[0].object() {
                Some(Object::Future(_)) => values[0].clone(),
                _ => maybe_future::<Value>(values[0].clone()).into(),
            },
            Function::Task => self.task(def(), values)?,
            Function::Executor => self.executor(def(), values)?,
            Function::CallLater | Function::AddTimeout => {
                let (delay, call) = self.timer(def(), values)?;
                Object::Timer(IoLoop::current().call_later(duration(delay), call)).into()
            }
            Function::CallAt => {
                let (when, call) = self.timer(def(), values)?;
                Object::Timer(IoLoop::current().call_at(duration(when), call)).into()
            }
            Function::Now => Value::Integer(i64::try_from(world.record.ms()).unwrap_or(i64::MAX)),
            Function::Cat => {
                Value::string(values.iter().map(|value| world.text(value)).collect::<Result<String>>()?)
            }
            Function::Len => len(&values[0])?,
            Function::Div => world.div(&values[0], &values[1])?,
        })
    }

    /// Performs an action: a call without a value.
    pub(super) fn action(&self, action: Action, arguments: &Arguments) -> Result<()> {
        let world = &self.world;
        let mut values = self.evaluate_all(&arguments.values)?;
        self.tell_variables();
        let def = || arguments.def.expect("the signature has a def");
        match action {
            Action::Log => {
                let words = values.iter().map(|value| world.text(value)).collect::<Result<Vec<_>>>()?;
                if observed() {
                    note(&values.iter().map(show::printed).collect::<Vec<_>>().join(" "));
                }
                world.record.line(words.join(" "));
            }
            Action::Append => match values[0].object() {
                Some(Object::List(list)) => {
                    world.appended(list);
                    list.0.borrow_mut().push(values[1].clone());
                }
                _ => return Err(wanted("a list", &values[0])),
            },
            Action::AddCallback | Action::SpawnCallback => {
                IoLoop::current().add_callback(world.callback(def(), values));
            }
            Action::RemoveTimeout => match values[0].object() {
                Some(Object::Timer(timer)) => IoLoop::current().remove_timeout(timer),
                _ => return Err(wanted("a timer", &values[0])),
            },
            Action::Busy => world.clock.advance(duration(as_integer(&values[0])?)),
            Action::Stop => IoLoop::current().stop(),
            Action::OnDone => {
                let future = as_future(&values[0])?;
                if future.done() {
                    world.call(def(), values)?;
                } else {
                    let (world, def) = (world.clone(), def());
                    values.remove(0);
                    let kept = world.keep(values);
                    future.add_done_callback(move |future| {
                        let mut arguments = kept.take();
                        arguments.insert(0, future.clone().into());
                        if let Err(exception) = world.call(def, arguments) {
                            report(Problem::DoneCallback, &exception);
                        }
                    });
                }
            }
            Action::AddFuture => {
                let future = as_future(&values.remove(0))?;
                let (world, def) = (world.clone(), def());
                let kept = world.keep(values);
                IoLoop::current().add_future(future, move |future| {
                    let mut arguments = kept.take();
                    arguments.insert(0, future.into());
                    world.callback(def, arguments)();
                });
            }
            Action::Chain => self.chain(&values[0], &values[1])?,
            Action::Invoke => match values[0].object() {
                Some(Object::Callback(callback)) => {
                    if let Some(callback) = callback.take() {
                        callback(values[1].clone());
                    }
                }
                _ => return Err(wanted("a callback", &values[0])),
            },
        }
        Ok(())
    }

    /// Implements `chain_future`.
    fn chain(&self, a: &Value, b: &Value) -> Result<()> {
        let (a, b) = (as_future(a)?, as_future(b)?);
        let copy = |a: &Future<Value>, b: &Future<Value>| {
            if !b.done() {
                b.promise().set(a.result());
            }
        };
        if a.done() {
            copy(&a, &b);
        } else {
            let kept = self.world.keep(vec![b.into()]);
            a.add_done_callback(move |a| {
                if let Some(Ok(b)) = kept.take().first().map(as_future) {
                    copy(a, &b);
                }
            });
        }
        Ok(())
    }

    /// Implements `gen.Task`.
    fn task(&self, def: DefId, mut arguments: Vec<Value>) -> Result<Value> {
        let mut called = Ok(Value::Null);
        let future = task(|callback| {
            let callback: Callback = Rc::new(Cell::new(Some(callback)));
            self.world.tasks.borrow_mut().push(callback.clone());
            arguments.push(Object::Callback(callback).into());
            called = self.world.call(def, arguments);
        });
        called.map(|_| future.into())
    }

    /// Implements the stand-in for `run_in_executor`, in which a callback of the loop calls the function.
    fn executor(&self, def: DefId, mut arguments: Vec<Value>) -> Result<Value> {
        let ms = as_integer(&arguments.remove(0))?;
        let (future, world) = (Future::<Value>::new(), self.world.clone());
        let result = future.clone();
        let work = move || match world.call(def, arguments) {
            Err(exception) if raised::is_cancelled(&exception) => {}
            Err(exception) if result.cancelled() => report(Problem::AfterCancel, &exception),
            _ if result.cancelled() => {}
            _ if result.done() => report(Problem::Callback, &Error::InvalidState("it is done").into()),
            called => result.promise().set(called),
        };
        if ms == 0 {
            IoLoop::current().add_callback(work);
        } else {
            IoLoop::current().call_later(duration(ms), work);
        }
        Ok(future.into())
    }

    /// Returns the time and the callback of a timer.
    fn timer(&self, def: DefId, mut values: Vec<Value>) -> Result<(i64, impl FnOnce() + 'static)> {
        let time = as_integer(&values.remove(0))?;
        Ok((time, self.world.callback(def, values)))
    }
}

/// Implements `asyncio.sleep`, which does nothing until it is awaited.
fn asyncio_sleep(ms: i64) -> Value {
    Value::awaitable(
        &ASYNCIO_SLEEP,
        None,
        Box::pin(async move {
            if ms <= 0 {
                moment().await?;
                return Ok(Value::Null);
            }
            let (future, io_loop) = (Future::<()>::new(), IoLoop::current());
            let promise = future.promise();
            let timer = io_loop.call_later(duration(ms), move || promise.set_result(()));
            let slept = future.await;
            io_loop.remove_timeout(&timer);
            slept.map(|()| Value::Null)
        }),
    )
}

/// Implements `convert_yielded` as a value. The moment stays the moment.
fn convert(value: Value) -> Result<Value> {
    match value.object() {
        _ if matches!(value, Value::Null) => Ok(Object::Moment.into()),
        Some(Object::Moment) => Ok(value),
        _ => Ok(convert_yielded(value)?.into()),
    }
}

/// Returns a predicate for the exceptions of the given types, which are not to be logged.
fn quietly(types: &[Type]) -> impl Fn(&Exception) -> bool + 'static {
    let types = types.to_vec();
    move |exception| raised::matches(&types, exception)
}

pub(super) fn as_integer(value: &Value) -> Result<i64> {
    integer(value).ok_or_else(|| wanted("an integer", value))
}

pub(super) fn as_future(value: &Value) -> Result<Future<Value>> {
    match value.object() {
        Some(Object::Future(future)) => Ok(future.clone()),
        _ => Err(wanted("a future", value)),
    }
}

pub(super) fn wanted(what: &str, found: &Value) -> Exception {
    type_error(format!("expected {what}, not '{}'", found.type_name()))
}
