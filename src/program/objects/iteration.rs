//! `WaitIterator` in programs.

use std::cell::RefCell;

use squall_runner::Result;

use super::Made;
use crate::program::expressions::as_future;
use crate::program::map::map;
use crate::program::syntax::Method;
use crate::program::value::Value;
use crate::WaitIterator;

/// Returns an iterator over futures that are identified by place or by name.
pub(super) fn new(futures: impl Iterator<Item = (Value, Value)>) -> Result<Value> {
    let futures = futures.map(|(key, future)| Ok((key, as_future(&future)?))).collect::<Result<Vec<_>>>()?;
    Ok(Made::WaitIterator(RefCell::new(WaitIterator::keyed(futures))).into())
}

pub(super) fn method(it: &mut WaitIterator<Value, Value>, method: Method) -> Option<Value> {
    match method {
        // In Tornado a result is used up once the next Future has it.
        Method::Next => Some(map(it.next(), |next| next).into()),
        Method::Done => Some(Value::Bool(it.done())),
        Method::Index => Some(it.current_key().cloned().unwrap_or(Value::Null)),
        _ => None,
    }
}
