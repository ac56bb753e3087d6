//! Expressions, and the arguments of actions, functions, classes and methods.

use super::path::{items, string, Path};
use super::{check_name, Reader, Result};
use crate::program::json::Node;
use crate::program::syntax::{Arguments, Class, Expression, Function, Method, Name, Operator, Type};

impl Reader<'_> {
    pub(super) fn expression(&self, node: &Node, at: Path<'_>) -> Result<Expression> {
        match node {
            Node::Null => Ok(Expression::Null),
            Node::Bool(b) => Ok(Expression::Bool(*b)),
            Node::Integer(n) => Ok(Expression::Integer(*n)),
            Node::String(s) => match s.strip_prefix('$') {
                Some(name) => {
                    check_name(name, at)?;
                    Ok(Expression::Variable(name.into()))
                }
                None => Ok(Expression::String(s.as_str().into())),
            },
            Node::Array(items) => match items.split_first() {
                Some((Node::String(op), rest)) => self.operation(op, rest, at),
                Some((other, _)) => Err(at.item(0).expected("the name of an operation", other)),
                None => Err(at.expected("an expression", node)),
            },
            Node::Number(_) => Err(at.expected("an integer of at most 64 bits", node)),
            Node::Object(_) => Err(at.expected("an expression", node)),
        }
    }

    fn operation(&self, op: &str, rest: &[Node], at: Path<'_>) -> Result<Expression> {
        if let Some(function) = Function::named(op) {
            return Ok(Expression::Function(
                function,
                self.arguments(function.signature(), rest, 1, op, at)?,
            ));
        }
        if let Some(operator) = Operator::named(op) {
            return Ok(Expression::Binary(operator, self.pair(rest, op, at)?));
        }
        match op {
            "moment" | "bogus" => {
                self.arguments("", rest, 1, op, at)?;
                Ok(if op == "moment" { Expression::Moment } else { Expression::Bogus })
            }
            "get" => Ok(Expression::Get(self.pair(rest, op, at)?)),
            "not" => {
                let mut values = self.arguments("e", rest, 1, op, at)?.values;
                Ok(Expression::Not(Box::new(values.remove(0))))
            }
            "list" => Ok(Expression::List(self.expressions(rest, 1, at)?)),
            "dict" => match rest {
                [pairs] => Ok(Expression::Dict(self.pairs(pairs, at.item(1))?)),
                _ => Err(at.error("dict: expected one array of pairs")),
            },
            "call" => self.call(rest, at),
            "exc" => self.exception(rest, at),
            "new" => self.new_object(rest, at),
            "." => self.method(rest, at),
            _ => Err(at.item(0).error(format!("expected an expression, found the unknown operation {op:?}"))),
        }
    }

    fn pair(&self, rest: &[Node], op: &str, at: Path<'_>) -> Result<Box<(Expression, Expression)>> {
        let values = self.arguments("ee", rest, 1, op, at)?.values;
        let [a, b]: [Expression; 2] = values.try_into().expect("the signature says two");
        Ok(Box::new((a, b)))
    }

    fn call(&self, rest: &[Node], at: Path<'_>) -> Result<Expression> {
        let Some((name, values)) = rest.split_first() else {
            return Err(at.error("call: expected the name of a def"));
        };
        let (def, arity) = self.def_named(name, at.item(1))?;
        if values.len() != arity {
            return Err(at.error(takes(arity, values.len())));
        }
        Ok(Expression::Call(def, self.expressions(values, 2, at)?))
    }

    fn exception(&self, rest: &[Node], at: Path<'_>) -> Result<Expression> {
        let Some((name, rest)) = rest.split_first() else {
            return Err(at.error("exc: expected the type of an exception"));
        };
        let found = if let Node::String(name) = name { Type::named(name) } else { None };
        let Some(found) = found.filter(|found| Type::RAISABLE.contains(found)) else {
            let known: Vec<_> = Type::RAISABLE.iter().map(|known| known.name()).collect();
            return Err(at.item(1).expected(format_args!("one of {}", known.join(", ")), name));
        };
        let argument = self.arguments("e?", rest, 2, "exc", at)?.values.pop();
        Ok(Expression::Exception(found, argument.map(Box::new)))
    }

    fn new_object(&self, rest: &[Node], at: Path<'_>) -> Result<Expression> {
        let Some((name, rest)) = rest.split_first() else {
            return Err(at.error("new: expected the name of a class"));
        };
        match (name, rest) {
            (Node::String(name), [pairs]) if name == "WaitIteratorKw" => {
                Ok(Expression::WaitIteratorKw(self.pairs(pairs, at.item(2))?))
            }
            (Node::String(name), _) => {
                let Some(class) = Class::named(name) else {
                    return Err(at.item(1).error(format!("expected a class, found {name:?}")));
                };
                let arguments = self.arguments(class.signature(), rest, 2, name, at)?;
                Ok(Expression::New(class, arguments))
            }
            _ => Err(at.item(1).expected("the name of a class", name)),
        }
    }

    fn method(&self, rest: &[Node], at: Path<'_>) -> Result<Expression> {
        let [object, method, arguments @ ..] = rest else {
            return Err(at.error("expected an object and the name of a method"));
        };
        let object = self.expression(object, at.item(1))?;
        let found = if let Node::String(name) = method { Method::named(name) } else { None };
        let Some(found) = found else {
            return Err(at.item(2).expected("the name of a method", method));
        };
        let arguments = self.arguments(found.signature(), arguments, 3, found.name(), at)?;
        Ok(Expression::Method(Box::new(object), found, arguments.values))
    }

    /// Reads the expressions in the array at `at`, from index `first` on.
    pub(super) fn expressions(&self, nodes: &[Node], first: usize, at: Path<'_>) -> Result<Vec<Expression>> {
        nodes.iter().enumerate().map(|(n, node)| self.expression(node, at.item(first + n))).collect()
    }

    fn pairs(&self, node: &Node, at: Path<'_>) -> Result<Vec<(Name, Expression)>> {
        let mut pairs = Vec::new();
        for (n, pair) in items(node, at)?.iter().enumerate() {
            let at = at.item(n);
            let [key, value] = items(pair, at)? else {
                return Err(at.expected("a key and an expression", pair));
            };
            let key = string((key, at.item(0)))?;
            pairs.push((key.into(), self.expression(value, at.item(1))?));
        }
        Ok(pairs)
    }

    /// Reads arguments according to a signature. `first` is the index of the first one in the array at `at`.
    pub(super) fn arguments(
        &self,
        signature: &str,
        given: &[Node],
        first: usize,
        op: &str,
        at: Path<'_>,
    ) -> Result<Arguments> {
        let mut arguments = Arguments::default();
        let mut letters = signature.chars().peekable();
        let mut given = given.iter().zip(first..);
        while let Some(letter) = letters.next() {
            let optional = letters.next_if_eq(&'?').is_some() || letter == 'q';
            if letter == '*' {
                for (node, n) in given.by_ref() {
                    arguments.values.push(self.expression(node, at.item(n))?);
                }
                break;
            }
            let Some((node, n)) = given.next() else {
                if optional {
                    continue;
                }
                let what = if letter == 'f' { "the name of a def" } else { "an expression" };
                return Err(at.error(format!("{op}: an argument is missing: expected {what}")));
            };
            match letter {
                'f' => arguments.def = Some(self.def_named(node, at.item(n))?.0),
                'q' => arguments.quiet = Some(types(node, at.item(n))?),
                _ => arguments.values.push(self.expression(node, at.item(n))?),
            }
        }
        match given.next() {
            Some((node, n)) => Err(at.item(n).expected(format_args!("no more arguments of {op}"), node)),
            None => Ok(arguments),
        }
    }
}

/// Reads a list of exception types.
pub(super) fn types(node: &Node, at: Path<'_>) -> Result<Vec<Type>> {
    let mut types = Vec::new();
    for (n, name) in items(node, at)?.iter().enumerate() {
        let found = if let Node::String(name) = name { Type::named(name) } else { None };
        types.push(found.ok_or_else(|| at.item(n).expected("the type of an exception", name))?);
    }
    Ok(types)
}

/// Returns the message for a call with the wrong number of arguments.
pub(super) fn takes(arity: usize, found: usize) -> String {
    format!("the def takes {arity} argument{}, found {found}", if arity == 1 { "" } else { "s" })
}
