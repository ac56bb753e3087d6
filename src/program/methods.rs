//! The methods of futures.

use squall_runner::{Error, Future, Result};

use super::raised::type_error;
use super::syntax::Method;
use super::value::Value;
use super::world::World;

impl World {
    pub(super) fn future_method(
        &self,
        future: &Future<Value>,
        method: Method,
        mut arguments: Vec<Value>,
    ) -> Result<Value> {
        let invalid = || Err(Error::InvalidState("the program asked too early, or set it twice").into());
        match method {
            Method::SetResult | Method::SetException if future.done() => invalid(),
            Method::SetResult => {
                future.promise().set_result(arguments.remove(0));
                Ok(Value::Null)
            }
            Method::SetException => match arguments.remove(0) {
                Value::Exception(exception) => {
                    future.promise().set_exception(exception);
                    Ok(Value::Null)
                }
                other => Err(type_error(format!("expected an exception, not '{}'", other.type_name()))),
            },
            Method::Done => Ok(Value::Bool(future.done())),
            Method::Cancelled => Ok(Value::Bool(future.cancelled())),
            Method::Cancel => Ok(Value::Bool(future.cancel())),
            Method::Result | Method::Exception if !future.done() => invalid(),
            Method::Exception if future.cancelled() => Err(Error::Cancelled.into()),
            Method::Result => future.result(),
            Method::Exception => Ok(future.exception().map_or(Value::Null, Value::Exception)),
            _ => Err(type_error(format!("a future has no method '{}'", method.name()))),
        }
    }
}
