//! The methods of futures.

use squall_runner::{Error, Exception, Future, Result};

use super::expressions::wanted;
use super::syntax::Method;
use super::value::Value;

pub(super) fn of_future(
    future: &Future<Value>,
    method: Method,
    arguments: Vec<Value>,
) -> Result<Option<Value>> {
    let invalid = || Err(Error::InvalidState("the program asked too early, or set it twice").into());
    let argument = arguments.into_iter().next().unwrap_or(Value::Null);
    Ok(Some(match method {
        Method::SetResult | Method::SetException if future.done() => return invalid(),
        Method::SetResult => {
            future.promise().set_result(argument);
            Value::Null
        }
        Method::SetException => match argument {
            Value::Exception(exception) => {
                future.promise().set_exception(Exception::clone(&exception));
                Value::Null
            }
            other => return Err(wanted("an exception", &other)),
        },
        Method::Done => Value::Bool(future.done()),
        Method::Cancelled => Value::Bool(future.cancelled()),
        Method::Cancel => Value::Bool(future.cancel()),
        Method::Result | Method::Exception if !future.done() => return invalid(),
        Method::Exception if future.cancelled() => return Err(Error::Cancelled.into()),
        Method::Result => future.result()?,
        Method::Exception => future.exception().map_or(Value::Null, Value::from),
        _ => return Ok(None),
    }))
}
