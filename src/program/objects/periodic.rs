//! `PeriodicCallback` in programs.

use std::rc::Rc;

use squall_runner::Result;

use super::Made;
use crate::program::expressions::as_integer;
use crate::program::raised::value_error;
use crate::program::run::duration;
use crate::program::syntax::{DefId, Method};
use crate::program::value::{NativeBody, Object, Value};
use crate::program::world::World;
use crate::PeriodicCallback;

pub(super) fn new(world: &Rc<World>, def: DefId, ms: &Value) -> Result<Value> {
    let ms = as_integer(ms)?;
    if ms <= 0 {
        return Err(value_error("Periodic callback must have a positive callback_time"));
    }
    let world = world.clone();
    let callback = move || waited_for(world.call(def, Vec::new()));
    Ok(Made::PeriodicCallback(PeriodicCallback::new(callback, duration(ms))).into())
}

/// Returns what to wait for before the next call: the result of the last one if it is a future or an awaitable.
fn waited_for(called: Result<Value>) -> NativeBody {
    let Ok(Some(object)) = called.as_ref().map(Value::object) else {
        return Box::pin(std::future::ready(called));
    };
    match object {
        Object::Future(future) => Box::pin(future.clone()),
        Object::Awaitable(awaitable) => awaitable.take(),
        _ => Box::pin(std::future::ready(called)),
    }
}

pub(super) fn method(periodic: &PeriodicCallback, method: Method) -> Option<Value> {
    match method {
        Method::Start => {
            periodic.start();
            Some(Value::Null)
        }
        Method::Stop => {
            periodic.stop();
            Some(Value::Null)
        }
        Method::IsRunning => Some(Value::Bool(periodic.is_running())),
        _ => None,
    }
}
