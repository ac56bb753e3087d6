//! Exceptions as a program sees them: each has a type, which handlers match, and an argument.

use std::fmt;

use squall_runner::{Error, Exception};

use super::show;
use super::syntax::Type;
use super::value::Value;

/// An exception that the program created, or that Python would have raised for what it did.
pub(super) struct Raised {
    kind: Type,
    argument: Option<Value>,
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.argument {
            Some(argument) => f.write_str(&show::printed(argument)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({self})", self.kind.name())
    }
}

impl std::error::Error for Raised {}

/// An exception that Python raises and the language does not have. Handlers for `Exception` catch it. It ends the run
/// where it would have to be shown.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Foreign(String);

/// Ends the run, since something is wrong with the program. No handler matches it, and no `finally` runs.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(super) struct GivenUp(pub(super) String);

/// Creates an exception.
pub(super) fn exception(kind: Type, argument: Option<Value>) -> Exception {
    Exception::named(kind.name(), Raised { kind, argument })
}

fn with_message(kind: Type, message: impl AsRef<str>) -> Exception {
    exception(kind, Some(Value::string(message)))
}

pub(super) fn type_error(message: impl AsRef<str>) -> Exception {
    with_message(Type::TypeError, message)
}

pub(super) fn value_error(message: impl AsRef<str>) -> Exception {
    with_message(Type::ValueError, message)
}

pub(super) fn runtime_error(message: impl AsRef<str>) -> Exception {
    with_message(Type::RuntimeError, message)
}

pub(super) fn zero_division(message: impl AsRef<str>) -> Exception {
    with_message(Type::ZeroDivisionError, message)
}

/// Creates an exception of a type that the language does not have.
pub(super) fn foreign(name: &'static str, message: impl Into<String>) -> Exception {
    Exception::named(name, Foreign(message.into()))
}

/// Returns the type of an exception, or `None` if the language does not have it.
pub(super) fn kind(exception: &Exception) -> Option<Type> {
    if exception.is_return() {
        return Some(Type::Return);
    }
    if let Some(raised) = exception.downcast_ref::<Raised>() {
        return Some(raised.kind);
    }
    match exception.downcast_ref::<Error>()? {
        Error::BadYield(_) => Some(Type::BadYieldError),
        Error::Timeout | Error::RunSyncTimeout { .. } => Some(Type::TimeoutError),
        Error::LoopStopped => Some(Type::RuntimeError),
        Error::Cancelled => Some(Type::CancelledError),
        Error::InvalidState(_) => Some(Type::InvalidStateError),
        _ => None,
    }
}

/// Returns the name of the exception's type.
pub(super) fn name(exception: &Exception) -> &'static str {
    kind(exception).map_or_else(|| exception.name(), Type::name)
}

/// Returns the argument with which the exception was created: its message.
pub(super) fn argument(exception: &Exception) -> Option<Value> {
    if let Some(value) = exception.return_value::<Value>() {
        return Some(value);
    }
    if let Some(raised) = exception.downcast_ref::<Raised>() {
        return raised.argument.clone();
    }
    match exception.downcast_ref::<Error>() {
        Some(Error::BadYield(_)) => Some(Value::string("yielded unknown object")),
        Some(Error::InvalidState(_) | Error::Cancelled) => None,
        _ => Some(Value::string(exception.to_string())),
    }
}

/// Returns whether a handler for `types` catches the exception.
pub(super) fn matches(types: &[Type], exception: &Exception) -> bool {
    if exception.is::<GivenUp>() {
        return false;
    }
    let kind = kind(exception);
    types.iter().any(|handled| match handled {
        Type::BaseException => true,
        Type::Exception => kind != Some(Type::CancelledError),
        handled => kind == Some(*handled),
    })
}

/// Returns whether the exception is a cancellation.
pub(super) fn is_cancelled(exception: &Exception) -> bool {
    kind(exception) == Some(Type::CancelledError)
}

/// Returns whether the exception says that something cannot be yielded.
pub(super) fn is_bad_yield(exception: &Exception) -> bool {
    kind(exception) == Some(Type::BadYieldError)
}
