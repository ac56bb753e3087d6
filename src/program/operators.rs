//! The operators on values, with Python's meaning.

use std::rc::Rc;

use squall_runner::{Exception, Result};

use super::raised::{exception, foreign, type_error, zero_division};
use super::syntax::{Operator, Type};
use super::value::{Object, Value};
use super::world::World;

/// Limits for comparing values: their depth, and the number of their parts.
const DEPTH: usize = 200;
const PARTS: usize = 100_000;

impl World {
    /// Applies an operator whose operands are both evaluated: any but `and` and `or`.
    pub(super) fn binary(&self, operator: Operator, a: &Value, b: &Value) -> Result<Value> {
        let equal = |a, b| {
            let mut parts = PARTS;
            equal(a, b, 0, &mut parts)
                .ok_or_else(|| self.give_up("values are nested too deeply to be compared"))
        };
        match operator {
            Operator::Equal => return Ok(Value::Bool(equal(a, b)?)),
            Operator::NotEqual => return Ok(Value::Bool(!equal(a, b)?)),
            _ => {}
        }
        let (Some(x), Some(y)) = (integer(a), integer(b)) else {
            let (sign, a, b) = (operator.name(), a.type_name(), b.type_name());
            return Err(type_error(match operator {
                Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                    format!("'{sign}' not supported between instances of '{a}' and '{b}'")
                }
                _ => format!("unsupported operand type(s) for {sign}: '{a}' and '{b}'"),
            }));
        };
        let number = match operator {
            Operator::Add => x.checked_add(y),
            Operator::Subtract => x.checked_sub(y),
            Operator::Multiply => x.checked_mul(y),
            Operator::Modulo if y == 0 => return Err(zero_division("integer modulo by zero")),
            Operator::Modulo => {
                x.checked_rem(y).map(|rest| if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest })
            }
            Operator::Less => return Ok(Value::Bool(x < y)),
            Operator::LessOrEqual => return Ok(Value::Bool(x <= y)),
            Operator::Greater => return Ok(Value::Bool(x > y)),
            Operator::GreaterOrEqual => return Ok(Value::Bool(x >= y)),
            Operator::Equal | Operator::NotEqual | Operator::And | Operator::Or => unreachable!("done above"),
        };
        number.map(Value::Integer).ok_or_else(|| self.overflow())
    }

    /// Implements `div`, which rounds down.
    pub(super) fn div(&self, a: &Value, b: &Value) -> Result<Value> {
        match (integer(a), integer(b)) {
            (_, Some(0)) => Err(zero_division("division by zero")),
            (Some(x), Some(y)) => {
                let quotient = x.checked_div(y).ok_or_else(|| self.overflow())?;
                let floored = if x % y != 0 && (x < 0) != (y < 0) { quotient - 1 } else { quotient };
                Ok(Value::Integer(floored))
            }
            _ => {
                let (a, b) = (a.type_name(), b.type_name());
                Err(type_error(format!("unsupported operand type(s) for //: '{a}' and '{b}'")))
            }
        }
    }

    fn overflow(&self) -> Exception {
        self.give_up("an integer does not fit 64 bits")
    }
}

/// Implements `get`: an item of a list or an entry of a dict.
pub(super) fn get(from: &Value, index: &Value) -> Result<Value> {
    match (from.object(), index) {
        (Some(Object::List(list)), _) => {
            let items = list.0.borrow();
            let Some(n) = integer(index) else {
                let found = index.type_name();
                return Err(type_error(format!("list indices must be integers or slices, not {found}")));
            };
            let from_the_front = usize::try_from(n).ok();
            let place =
                from_the_front.or_else(|| items.len().checked_sub(usize::try_from(n.unsigned_abs()).ok()?));
            let item = place.and_then(|place| items.get(place)).cloned();
            item.ok_or_else(|| foreign("IndexError", "list index out of range"))
        }
        (Some(Object::Dict(dict)), Value::String(key)) => match dict.0.iter().find(|(k, _)| k == key) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(exception(Type::KeyError, Some(index.clone()))),
        },
        (Some(Object::Dict(_)), _) => Err(exception(Type::KeyError, Some(index.clone()))),
        _ => Err(type_error(format!("'{}' object is not subscriptable", from.type_name()))),
    }
}

/// Returns a value as an integer. A bool counts as one.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(n) => Some(*n),
        Value::Bool(b) => Some((*b).into()),
        _ => None,
    }
}

/// Implements `len`.
pub(super) fn len(value: &Value) -> Result<Value> {
    let n = match (value, value.object()) {
        (Value::String(s), _) => s.chars().count(),
        (_, Some(Object::List(list))) => list.0.borrow().len(),
        (_, Some(Object::Dict(dict))) => dict.0.len(),
        _ => return Err(type_error(format!("object of type '{}' has no len()", value.type_name()))),
    };
    Ok(Value::Integer(i64::try_from(n).unwrap_or(i64::MAX)))
}

/// Returns whether two values are equal; `None` if they are too deep or too large to tell.
fn equal(a: &Value, b: &Value, depth: usize, parts: &mut usize) -> Option<bool> {
    if depth == DEPTH || *parts == 0 {
        return None;
    }
    *parts -= 1;
    if let (Some(x), Some(y)) = (integer(a), integer(b)) {
        return Some(x == y);
    }
    Some(match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::String(x), Value::String(y)) => x == y,
        (Value::Exception(x), Value::Exception(y)) => x.same(y),
        (Value::Local(x), Value::Local(y)) => match (&***x, &***y) {
            (Object::List(x), Object::List(y)) if Rc::ptr_eq(x, y) => true,
            (Object::List(x), Object::List(y)) => {
                let (x, y) = (x.0.borrow(), y.0.borrow());
                if x.len() != y.len() {
                    return Some(false);
                }
                for (x, y) in x.iter().zip(y.iter()) {
                    if !equal(x, y, depth + 1, parts)? {
                        return Some(false);
                    }
                }
                true
            }
            (Object::Dict(x), Object::Dict(y)) => {
                if x.0.len() != y.0.len() {
                    return Some(false);
                }
                for (key, x) in &x.0 {
                    let Some((_, y)) = y.0.iter().find(|(k, _)| k == key) else { return Some(false) };
                    if !equal(x, y, depth + 1, parts)? {
                        return Some(false);
                    }
                }
                true
            }
            (x, y) => x.is(y),
        },
        _ => false,
    })
}
