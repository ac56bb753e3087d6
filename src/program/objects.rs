//! The objects that `new` makes.

use squall_runner::{Future, Result};

use super::raised::type_error;
use super::statements::Frame;
use super::syntax::{Class, DefId, Method, Name};
use super::value::{Object, Value};
use super::world::World;

#[derive(Clone)]
pub(super) enum Service {}

impl Service {
    pub(super) fn type_name(&self) -> &'static str {
        match *self {}
    }

    pub(super) fn is(&self, _other: &Self) -> bool {
        match *self {}
    }
}

impl World {
    pub(super) fn make(&self, class: Class, _def: Option<DefId>, _arguments: Vec<Value>) -> Result<Value> {
        match class {
            Class::Future => Ok(Future::<Value>::new().into()),
            _ => Err(self.give_up(format!("{} is not there yet", class.name()))),
        }
    }

    pub(super) fn wait_iterator_by_key(&self, _futures: Vec<(Name, Value)>) -> Result<Value> {
        Err(self.give_up("WaitIterator is not there yet"))
    }

    pub(super) fn method(&self, object: &Value, method: Method, arguments: Vec<Value>) -> Result<Value> {
        match object.object() {
            Some(Object::Future(future)) => self.future_method(future, method, arguments),
            _ => {
                let (found, method) = (object.type_name(), method.name());
                Err(type_error(format!("'{found}' object has no method '{method}'")))
            }
        }
    }
}

impl Frame {
    pub(super) fn acquire(&self, _lock: &Value) -> Result<Value> {
        Err(self.world.give_up("locks are not there yet"))
    }

    pub(super) fn release(&self, _held: &Value) -> Result<()> {
        Err(self.world.give_up("locks are not there yet"))
    }

    pub(super) fn next_of(&self, _source: &Value) -> Result<Option<Value>> {
        Err(self.world.give_up("queues are not there yet"))
    }
}
