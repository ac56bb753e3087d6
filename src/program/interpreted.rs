//! [`Interpreted`]: the body of a decorated def as a generator, which knows its current statement.

use std::cell::Cell;
use std::future::{poll_fn, Future as StdFuture};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use squall_runner::{Generator, GeneratorState, Place, Result, Resume, Yieldable, Yielded};

use super::callable::Deep;
use super::source::StatementId;
use super::value::Value;
use super::world::World;

/// A generator whose body is polled when it is resumed.
pub(super) struct Interpreted {
    world: Rc<World>,
    body: Deep,
    channel: Rc<Channel>,
}

impl Interpreted {
    pub(super) fn new(world: &Rc<World>, body: impl FnOnce(Rc<Channel>) -> Deep) -> Self {
        let channel = Rc::new(Channel::default());
        Self { world: world.clone(), body: body(channel.clone()), channel }
    }
}

impl Generator for Interpreted {
    type Return = Value;

    fn resume(&mut self, resume: Resume) -> GeneratorState<Value> {
        self.channel.sent.set(Some(resume));
        match Pin::new(&mut self.body).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.into(),
            Poll::Pending => {
                GeneratorState::Yielded(self.channel.yielded.take().expect("only a yield suspends it"))
            }
        }
    }

    fn place(&self) -> Option<Place> {
        self.world.place(self.channel.statement.get()?)
    }
}

/// The state between a generator and its body.
#[derive(Default)]
pub(super) struct Channel {
    /// The value that the body has yielded, until the generator is suspended.
    yielded: Cell<Option<Yielded>>,
    /// The input of the last resume, until the yield takes it.
    sent: Cell<Option<Resume>>,
    /// The statement that yielded last.
    statement: Cell<Option<StatementId>>,
}

impl Channel {
    /// Yields a value at a statement.
    pub(super) async fn yield_(&self, statement: StatementId, value: Value) -> Result<Value> {
        self.statement.set(Some(statement));
        self.yielded.set(Some(match value.into_future() {
            Ok(future) => Yielded::erased(future.erase(), None),
            Err(value) => {
                let convert = |value: Value| Ok(value.convert_yielded()?.erase());
                Yielded::deferred(value.kind(), None, move || convert(value))
            }
        }));
        let mut suspended = false;
        poll_fn(|_| if std::mem::replace(&mut suspended, true) { Poll::Ready(()) } else { Poll::Pending })
            .await;
        match self.sent.take() {
            Some(Resume::Send(future)) => future.into_result(),
            Some(Resume::Throw(exception)) => Err(exception),
            Some(Resume::Next) | None => unreachable!("the Runner sends or throws at a yield"),
        }
    }
}
