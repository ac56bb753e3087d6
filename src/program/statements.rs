//! Running statements. A body is an async function: that of a decorated def yields to its Runner, that of a native one
//! awaits, and that of a plain one does neither.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::{poll_fn, Future as StdFuture};
use std::pin::Pin;
use std::rc::Rc;

use squall_runner::native::await_done;
use squall_runner::trace::{self, Variable};
use squall_runner::{Exception, Place, Result, Return};

use super::interpreted::Channel;
use super::objects;
use super::raised::{self, type_error};
use super::source::StatementId;
use super::syntax::{Body, DefId, Expression, Name, Statement, Try};
use super::value::{Object, Value};
use super::world::World;

/// One call of a def, or the top level.
pub(super) struct Frame {
    pub(super) world: Rc<World>,
    /// The def; `None` for the top level.
    pub(super) def: Option<DefId>,
    pub(super) locals: RefCell<HashMap<Name, Value>>,
    /// The statement that runs.
    statement: Cell<Option<StatementId>>,
    how: How,
    /// The variables of a function as they were told last.
    pub(super) told: RefCell<Vec<Variable>>,
}

/// How a body waits.
pub(super) enum How {
    /// By yielding, in a decorated def.
    Generator(Rc<Channel>),
    /// By awaiting, in a native def.
    Native,
    /// Not at all.
    Plain,
}

/// How execution goes on after a statement.
pub(super) enum Flow {
    Next,
    Break,
    Continue,
    Return(Value),
}

type Running<'a> = Pin<Box<dyn StdFuture<Output = Result<Flow>> + 'a>>;

impl Frame {
    pub(super) fn new(world: &Rc<World>, def: DefId, locals: HashMap<Name, Value>, how: How) -> Self {
        Self::of(world, Some(def), locals, how)
    }

    pub(super) fn top(world: &Rc<World>) -> Self {
        Self::of(world, None, HashMap::new(), How::Plain)
    }

    fn of(world: &Rc<World>, def: Option<DefId>, locals: HashMap<Name, Value>, how: How) -> Self {
        let (locals, told) = (RefCell::new(locals), RefCell::default());
        Self { world: world.clone(), def, locals, statement: Cell::new(None), how, told }
    }

    /// Returns the place of the statement that runs.
    pub(super) fn place(&self) -> Option<Place> {
        self.world.place(self.statement.get()?)
    }

    /// Runs the whole body.
    pub(super) async fn run(self) -> Result<Value> {
        let code = self.world.code.clone();
        let body = self.def.map_or(&code.top, |def| &code.defs[def.0].body);
        match self.body(body, None).await? {
            Flow::Return(value) => Ok(value),
            _ => {
                self.tell_variables();
                Ok(Value::Null)
            }
        }
    }

    /// Returns the value of a variable.
    pub(super) fn variable(&self, name: &Name) -> Result<Value> {
        let (value, error) = if self.is_local(name) {
            (self.locals.borrow().get(name).cloned(), "UnboundLocalError")
        } else {
            (self.world.globals.borrow().get(name).cloned(), "NameError")
        };
        let message = || format!("the variable {name} is read before it was assigned");
        value.ok_or_else(|| raised::foreign(error, message()))
    }

    fn is_local(&self, name: &Name) -> bool {
        self.def.is_some_and(|def| self.world.code.defs[def.0].locals.contains(name))
    }

    /// Assigns to a variable, or removes it if `value` is `None`.
    fn assign(&self, name: &Name, value: Option<Value>) {
        let mut variables =
            if self.is_local(name) { self.locals.borrow_mut() } else { self.world.globals.borrow_mut() };
        let before = match value {
            Some(value) => variables.insert(name.clone(), value),
            None => variables.remove(name),
        };
        // Dropping a value may run code that reads variables.
        drop(variables);
        drop(before);
    }

    /// Runs statements. `handling` is the exception that the innermost handler around them has caught.
    fn body<'a>(&'a self, body: &'a Body, handling: Option<&'a Exception>) -> Running<'a> {
        Box::pin(async move {
            // The statement that contains the body, which goes on after it.
            let around = self.statement.get();
            for statement in body {
                self.statement.set(Some(StatementId::of(statement)));
                let ran = self.statement(statement, handling).await;
                self.statement.set(around);
                match ran.map_err(|exception| self.raised_at(statement, exception))? {
                    Flow::Next => {}
                    flow => return Ok(flow),
                }
            }
            Ok(Flow::Next)
        })
    }

    /// Converts an exception that left a statement: one that the interpreter created gets the statement's place.
    fn raised_at(&self, statement: &Statement, exception: Exception) -> Exception {
        self.tell_variables();
        match self.world.place(StatementId::of(statement)) {
            Some(place) if exception.traceback().is_empty() && exception.origin().file() != place.file() => {
                exception.at(place)
            }
            _ => exception,
        }
    }

    async fn statement(&self, statement: &Statement, handling: Option<&Exception>) -> Result<Flow> {
        self.world.check()?;
        self.comes_to(statement);
        match statement {
            Statement::Action(action, arguments) => self.action(*action, arguments)?,
            Statement::Let(name, e) => {
                let value = self.evaluate(e)?;
                self.assign(name, Some(value));
            }
            Statement::Expr(e) => drop(self.evaluate(e)?),
            Statement::If(e, then, otherwise) => {
                let body = if self.evaluate(e)?.is_true() { then } else { otherwise };
                return self.body(body, handling).await;
            }
            Statement::For(name, n, body) => {
                for i in 0..self.integer(n)? {
                    self.world.check()?;
                    self.assign(name, Some(Value::Integer(i)));
                    match self.body(body, handling).await? {
                        Flow::Break => break,
                        Flow::Return(value) => return Ok(Flow::Return(value)),
                        Flow::Next | Flow::Continue => {}
                    }
                }
            }
            Statement::While(e, body) => {
                while self.evaluate(e)?.is_true() {
                    self.world.check()?;
                    match self.body(body, handling).await? {
                        Flow::Break => break,
                        Flow::Return(value) => return Ok(Flow::Return(value)),
                        Flow::Next | Flow::Continue => self.comes_to(statement),
                    }
                }
            }
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
            Statement::Try(t) => return self.try_statement(t, handling).await,
            Statement::Raise(e) => return Err(self.exception(e)?),
            Statement::Reraise => {
                return Err(handling.expect("the parser wants a handler around it").clone());
            }
            Statement::Return(e) => return self.return_statement(statement, e.as_ref()),
            Statement::GenReturn(e) => return Err(Return(self.optional(e.as_ref())?).into()),
            Statement::Yield(name, e) => {
                let value = self.wait(statement, self.evaluate(e)?).await?;
                if let Some(name) = name {
                    self.assign(name, Some(value));
                }
            }
            Statement::WhileYield(name, e, body) => loop {
                self.world.check()?;
                self.comes_to(statement);
                let value = self.wait(statement, self.evaluate(e)?).await?;
                let goes_on = value.is_true();
                if let Some(name) = name {
                    self.assign(name, Some(value));
                }
                if !goes_on {
                    break;
                }
                match self.body(body, handling).await? {
                    Flow::Break => break,
                    Flow::Return(value) => return Ok(Flow::Return(value)),
                    Flow::Next | Flow::Continue => {}
                }
            },
            Statement::WithYield(e, body) => {
                let held = objects::acquired(&self.wait(statement, self.evaluate(e)?).await?)?;
                return self.releasing(|| held.leave(), body, handling).await;
            }
            Statement::AsyncWith(e, body) => {
                let lock = objects::lockable(&self.evaluate(e)?)?;
                self.wait(statement, lock.acquire(None, self.place())).await?;
                return self.releasing(|| lock.release(), body, handling).await;
            }
            Statement::AsyncFor(name, e, body) => {
                let source = self.evaluate(e)?;
                while let Some(next) = objects::next_of(&source)? {
                    self.world.check()?;
                    let value = self.wait(statement, next).await?;
                    self.assign(name, Some(value));
                    match self.body(body, handling).await? {
                        Flow::Break => break,
                        Flow::Return(value) => return Ok(Flow::Return(value)),
                        Flow::Next | Flow::Continue => self.comes_to(statement),
                    }
                }
            }
            Statement::RunSync(def, arguments, ms) => {
                let arguments = self.evaluate_all(arguments)?;
                self.tell_variables();
                self.world.run_sync(*def, arguments, *ms)?;
            }
            Statement::Start => self.world.start()?,
        }
        Ok(Flow::Next)
    }

    fn return_statement(&self, statement: &Statement, e: Option<&Expression>) -> Result<Flow> {
        let value = self.optional(e)?;
        self.tell_variables();
        self.returns_at(statement);
        Ok(Flow::Return(value))
    }

    /// Runs a `try` with its handlers, its `else` and its `finally`.
    async fn try_statement(&self, t: &Try, handling: Option<&Exception>) -> Result<Flow> {
        let tried = match self.body(&t.body, handling).await {
            Ok(Flow::Next) => self.body(&t.otherwise, handling).await,
            Ok(flow) => Ok(flow),
            Err(exception) => {
                match t.handlers.iter().find(|handler| raised::matches(&handler.types, &exception)) {
                    None => Err(exception),
                    Some(handler) => {
                        if let Some(name) = &handler.variable {
                            self.assign(name, Some(exception.clone().into()));
                        }
                        let after = self.body(&handler.body, Some(&exception)).await;
                        if let Some(name) = &handler.variable {
                            self.assign(name, None);
                        }
                        after
                    }
                }
            }
        };
        if self.world.record.failure().is_none() {
            match self.body(&t.finally, None).await? {
                Flow::Next => {}
                flow => return Ok(flow),
            }
        }
        tried
    }

    /// Runs a body, then releases what was acquired for it.
    async fn releasing(
        &self,
        release: impl FnOnce() -> Result<()>,
        body: &Body,
        handling: Option<&Exception>,
    ) -> Result<Flow> {
        let ran = self.body(body, handling).await;
        if self.world.record.failure().is_none() {
            release()?;
        }
        ran
    }

    /// Waits for a value: `yield` in a decorated def, `await` in a native one.
    async fn wait(&self, statement: &Statement, value: Value) -> Result<Value> {
        self.tell_variables();
        let waited = self.suspend(StatementId::of(statement), value).await;
        // What was awaited has said where it returns.
        trace::returns_at(None);
        self.comes_to(statement);
        waited
    }

    async fn suspend(&self, statement: StatementId, value: Value) -> Result<Value> {
        match &self.how {
            How::Generator(channel) => channel.yield_(statement, value).await,
            How::Native => match value.object() {
                Some(Object::Future(future)) => {
                    let (future, place) = (future.clone(), self.world.place(statement));
                    drop(value);
                    poll_fn(|cx| await_done(&future.erased(), place, cx)).await?;
                    future.into_result()
                }
                Some(Object::Awaitable(awaitable)) => awaitable.take().await,
                _ => {
                    let message = format!("object {} can't be used in 'await' expression", value.type_name());
                    Err(type_error(message))
                }
            },
            How::Plain => unreachable!("the parser lets nothing suspend a plain body"),
        }
    }

    fn optional(&self, e: Option<&Expression>) -> Result<Value> {
        e.map_or(Ok(Value::Null), |e| self.evaluate(e))
    }
}
