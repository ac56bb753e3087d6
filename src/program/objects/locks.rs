//! Locks, semaphores, conditions and events in programs.

use std::time::Duration;

use squall_runner::{Future, Place, Result};

use super::{limit, without_message, Made};
use crate::locks::{BoundedSemaphore, Condition, Event, Lock, Semaphore};
use crate::program::expressions::as_integer;
use crate::program::map::map;
use crate::program::raised::{runtime_error, value_error};
use crate::program::syntax::{Class, Method};
use crate::program::value::Value;

/// A lock or semaphore that can be acquired.
#[derive(Clone)]
pub(in crate::program) enum Permits {
    Lock(Lock),
    Semaphore(Semaphore),
    Bounded(BoundedSemaphore),
}

impl Permits {
    pub(super) fn new(class: Class, value: Option<&Value>) -> Result<Self> {
        let Some(value) = value else { return Ok(Self::Lock(Lock::new())) };
        let value = usize::try_from(as_integer(value)?)
            .map_err(|_| value_error("semaphore initial value must be >= 0"))?;
        Ok(match class {
            Class::Semaphore => Self::Semaphore(Semaphore::new(value)),
            _ => Self::Bounded(BoundedSemaphore::new(value)),
        })
    }

    /// Implements `acquire`. `place` is the line of the program that asks for it.
    pub(in crate::program) fn acquire(&self, limit: Option<Duration>, place: Option<Place>) -> Value {
        let place = place.unwrap_or(Place::caller());
        // As in Tornado, the program itself has to release what it has acquired.
        let acquired = match self {
            Self::Lock(lock) => lock.acquire_unguarded_at(place, limit),
            Self::Semaphore(semaphore) => semaphore.acquire_unguarded_at(place, limit),
            Self::Bounded(semaphore) => semaphore.acquire_unguarded_at(place, limit),
        };
        let permits = self.clone();
        map(acquired, |acquired| without_message(acquired).map(|()| Made::Acquired(permits).into())).into()
    }

    pub(in crate::program) fn release(&self) -> Result<()> {
        match self {
            Self::Lock(lock) => lock.release().map_err(|error| runtime_error(error.to_string())),
            _ => self.leave(),
        }
    }

    /// Releases at the end of a `with (yield lock.acquire())`. Tornado's lock contains a semaphore, and this releases
    /// that semaphore, whose error has other words.
    pub(in crate::program) fn leave(&self) -> Result<()> {
        match self {
            Self::Lock(lock) => lock.release().map_err(|_| value_error("Semaphore released too many times")),
            Self::Semaphore(semaphore) => {
                semaphore.release();
                Ok(())
            }
            Self::Bounded(semaphore) => semaphore.release().map_err(|error| value_error(error.to_string())),
        }
    }
}

pub(super) fn of_permits(
    permits: &Permits,
    method: Method,
    arguments: &[Value],
    place: Option<Place>,
) -> Result<Option<Value>> {
    Ok(Some(match method {
        Method::Acquire => permits.acquire(limit(arguments.first())?, place),
        Method::Release => {
            permits.release()?;
            Value::Null
        }
        _ => return Ok(None),
    }))
}

pub(super) fn of_event(event: &Event, method: Method, arguments: &[Value]) -> Result<Option<Value>> {
    Ok(Some(match method {
        Method::Set => {
            event.set();
            Value::Null
        }
        Method::Clear => {
            event.clear();
            Value::Null
        }
        Method::IsSet => Value::Bool(event.is_set()),
        Method::Wait => nothing(match limit(arguments.first())? {
            None => event.wait(),
            Some(limit) => event.wait_within(limit),
        }),
        _ => return Ok(None),
    }))
}

pub(super) fn of_condition(
    condition: &Condition,
    method: Method,
    arguments: &[Value],
) -> Result<Option<Value>> {
    Ok(Some(match method {
        Method::Wait => {
            let notified = match limit(arguments.first())? {
                None => condition.wait(),
                Some(limit) => condition.wait_within(limit),
            };
            map(notified, |notified| notified.map(Value::Bool)).into()
        }
        Method::Notify => {
            let n = arguments.first().map_or(Ok(1), as_integer)?;
            // Python counts down from a negative number without end.
            condition.notify(usize::try_from(n).unwrap_or(usize::MAX));
            Value::Null
        }
        Method::NotifyAll => {
            condition.notify_all();
            Value::Null
        }
        _ => return Ok(None),
    }))
}

/// Converts a Future without a value.
pub(super) fn nothing(future: Future<()>) -> Value {
    map(future, |done| done.map(|()| Value::Null)).into()
}
