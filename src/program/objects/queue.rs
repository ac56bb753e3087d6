//! Queues in programs.

use std::cmp::Ordering;
use std::time::Duration;

use squall_runner::Result;

use super::locks::nothing;
use super::{limit, without_message, Made};
use crate::program::expressions::as_integer;
use crate::program::map::map;
use crate::program::operators::integer;
use crate::program::raised::{self, type_error, value_error};
use crate::program::syntax::{Method, Type};
use crate::program::value::{Object, Value};
use crate::queues::{LifoQueue, PriorityQueue, Queue, QueueEmpty, QueueFull};

/// Which item a queue returns first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::program) enum Order {
    Oldest,
    Smallest,
    Youngest,
}

/// A value in a queue, comparable for the sake of priority queues.
pub(in crate::program) struct Item(Value);

pub(super) fn new(order: Order, maxsize: &Value) -> Result<Value> {
    let maxsize =
        usize::try_from(as_integer(maxsize)?).map_err(|_| value_error("maxsize can't be negative"))?;
    let queue = match order {
        Order::Oldest => Queue::new(maxsize),
        Order::Smallest => (*PriorityQueue::new(maxsize)).clone(),
        Order::Youngest => (*LifoQueue::new(maxsize)).clone(),
    };
    Ok(Made::Queue(queue, order).into())
}

pub(super) fn get(queue: &Queue<Item>, limit: Option<Duration>) -> Value {
    let item = match limit {
        None => queue.get(),
        Some(limit) => queue.get_within(limit),
    };
    map(item, |item| without_message(item).map(|item| item.0)).into()
}

pub(super) fn method(
    queue: &Queue<Item>,
    order: Order,
    method: Method,
    arguments: Vec<Value>,
) -> Result<Option<Value>> {
    let mut arguments = arguments.into_iter();
    Ok(Some(match method {
        Method::Put => {
            let item = item(arguments.next(), order)?;
            let put = match limit(arguments.next().as_ref())? {
                None => queue.put(item),
                Some(limit) => queue.put_within(item, limit),
            };
            map(put, |done| without_message(done).map(|()| Value::Null)).into()
        }
        Method::Get => get(queue, limit(arguments.next().as_ref())?),
        Method::PutNowait => match queue.put_nowait(item(arguments.next(), order)?) {
            Ok(()) => Value::Null,
            Err(QueueFull(_)) => return Err(raised::exception(Type::QueueFull, None)),
        },
        Method::GetNowait => match queue.get_nowait() {
            Ok(item) => item.0,
            Err(QueueEmpty) => return Err(raised::exception(Type::QueueEmpty, None)),
        },
        Method::TaskDone => {
            queue.task_done().map_err(|error| value_error(error.to_string()))?;
            Value::Null
        }
        Method::Join => nothing(match limit(arguments.next().as_ref())? {
            None => queue.join(),
            Some(limit) => queue.join_within(limit),
        }),
        Method::Qsize => Value::Integer(i64::try_from(queue.qsize()).unwrap_or(i64::MAX)),
        Method::Empty => Value::Bool(queue.empty()),
        Method::Full => Value::Bool(queue.full()),
        _ => return Ok(None),
    }))
}

/// Returns the item for a value. A priority queue takes only values that can be compared.
fn item(value: Option<Value>, order: Order) -> Result<Item> {
    let value = value.unwrap_or(Value::Null);
    if order == Order::Smallest && !is_ordered(&value) {
        let found = value.type_name();
        return Err(type_error(format!("'<' not supported between instances of '{found}' and '{found}'")));
    }
    Ok(Item(value))
}

fn is_ordered(value: &Value) -> bool {
    let is_list = matches!(value.object(), Some(Object::List(_)));
    is_list || matches!(value, Value::Integer(_) | Value::Bool(_) | Value::String(_))
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        compared(&self.0, &other.0, 0)
    }
}

/// The depth to which lists in a priority queue are compared.
const DEPTH: usize = 20;

/// Compares integers by size, strings by text, and lists item by item.
fn compared(a: &Value, b: &Value, depth: usize) -> Ordering {
    if let (Some(a), Some(b)) = (integer(a), integer(b)) {
        return a.cmp(&b);
    }
    if let (Value::String(a), Value::String(b)) = (a, b) {
        return a.cmp(b);
    }
    if let (Some(Object::List(a)), Some(Object::List(b))) = (a.object(), b.object()) {
        if depth < DEPTH {
            let (a, b) = (a.0.borrow(), b.0.borrow());
            let first = a.iter().zip(b.iter()).map(|(a, b)| compared(a, b, depth + 1));
            return first.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()));
        }
    }
    Ordering::Equal
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Item {}
