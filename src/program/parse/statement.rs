//! Statements, and which of them may be where.

use super::expression::takes;
use super::expression::types;
use super::path::{items, string, Path};
use super::{check_name, Reader, Result};
use crate::program::json::Node;
use crate::program::syntax::{Action, Body, DefKind, Handler, Name, Statement, Try};

/// The surroundings of a statement, as far as they decide which statements are allowed.
#[derive(Clone, Copy)]
pub(super) struct Inside {
    /// The kind of the def; `None` at the top level.
    kind: Option<DefKind>,
    in_loop: bool,
    in_handler: bool,
    in_finally: bool,
}

impl Inside {
    pub(super) const TOP: Self = Self { kind: None, in_loop: false, in_handler: false, in_finally: false };

    pub(super) fn def(kind: DefKind) -> Self {
        Self { kind: Some(kind), ..Self::TOP }
    }

    fn a_loop(self) -> Self {
        Self { in_loop: true, in_finally: false, ..self }
    }

    fn a_handler(self) -> Self {
        Self { in_handler: true, ..self }
    }

    fn a_finally(self) -> Self {
        Self { in_finally: true, in_loop: false, in_handler: false, ..self }
    }
}

impl Reader<'_> {
    pub(super) fn body(&self, node: &Node, at: Path<'_>, inside: Inside) -> Result<Body> {
        let statements = items(node, at)?.iter().enumerate();
        statements.map(|(n, node)| self.statement(node, at.item(n), inside)).collect()
    }

    fn statement(&self, node: &Node, at: Path<'_>, inside: Inside) -> Result<Statement> {
        let parts = items(node, at)?;
        let Some((Node::String(op), rest)) = parts.split_first() else {
            return Err(at.expected("a statement, which begins with the name of an operation", node));
        };
        if let Some(action) = Action::named(op) {
            return Ok(Statement::Action(action, self.arguments(action.signature(), rest, 1, op, at)?));
        }
        let wrong = |form: &str| Err(at.error(format!("expected the form {form}")));
        let expression = |n: usize| self.expression(&parts[n], at.item(n));
        let body = |n: usize, inside| self.body(&parts[n], at.item(n), inside);
        Self::may_suspend(op, at, inside)?;
        match (op.as_str(), rest) {
            ("let", [name, _]) => Ok(Statement::Let(target(name, at.item(1))?, expression(2)?)),
            ("let", _) => wrong(r#"["let", name, e]"#),
            ("expr", [_]) => Ok(Statement::Expr(expression(1)?)),
            ("expr", _) => wrong(r#"["expr", e]"#),
            ("if", [_, _, _]) => Ok(Statement::If(expression(1)?, body(2, inside)?, body(3, inside)?)),
            ("if", _) => wrong(r#"["if", e, [statements], [statements]]"#),
            ("for", [name, _, _]) => {
                let name = target(name, at.item(1))?;
                Ok(Statement::For(name, expression(2)?, body(3, inside.a_loop())?))
            }
            ("for", _) => wrong(r#"["for", name, n, [statements]]"#),
            ("while", [_, _]) => Ok(Statement::While(expression(1)?, body(2, inside.a_loop())?)),
            ("while", _) => wrong(r#"["while", e, [statements]]"#),
            ("break" | "continue", []) if inside.in_loop && !inside.in_finally => {
                Ok(if op == "break" { Statement::Break } else { Statement::Continue })
            }
            ("break" | "continue", []) => {
                Err(at.error(format!("{op} is not in a loop, or would leave a finally")))
            }
            ("break" | "continue", _) => wrong(&format!("[{op:?}]")),
            ("try", [_, _, _, _]) => self.try_statement(parts, at, inside),
            ("try", _) => wrong(r#"["try", [statements], [handlers], [else], [finally]]"#),
            ("raise", [_]) => Ok(Statement::Raise(expression(1)?)),
            ("raise", _) => wrong(r#"["raise", e]"#),
            ("reraise", []) if inside.in_handler => Ok(Statement::Reraise),
            ("reraise", []) => Err(at.error("reraise is not in a handler")),
            ("reraise", _) => wrong(r#"["reraise"]"#),
            ("return" | "gen_return", [] | [_]) => {
                if inside.in_finally || inside.kind.is_none() {
                    return Err(at.error(format!("{op} may not be at the top nor in a finally")));
                }
                let value = rest.first().map(|_| expression(1)).transpose()?;
                Ok(if op == "return" { Statement::Return(value) } else { Statement::GenReturn(value) })
            }
            ("return" | "gen_return", _) => wrong(&format!("[{op:?}] or [{op:?}, e]")),
            ("yield", [name, _]) => Ok(Statement::Yield(maybe_target(name, at.item(1))?, expression(2)?)),
            ("yield", _) => wrong(r#"["yield", name or null, e]"#),
            ("while_yield", [name, _, _]) => {
                let name = maybe_target(name, at.item(1))?;
                Ok(Statement::WhileYield(name, expression(2)?, body(3, inside.a_loop())?))
            }
            ("while_yield", _) => wrong(r#"["while_yield", name or null, e, [statements]]"#),
            ("with_yield", [_, _]) => Ok(Statement::WithYield(expression(1)?, body(2, inside)?)),
            ("async_with", [_, _]) => Ok(Statement::AsyncWith(expression(1)?, body(2, inside)?)),
            ("with_yield" | "async_with", _) => wrong(&format!("[{op:?}, e, [statements]]")),
            ("async_for", [name, _, _]) => {
                let name = target(name, at.item(1))?;
                Ok(Statement::AsyncFor(name, expression(2)?, body(3, inside.a_loop())?))
            }
            ("async_for", _) => wrong(r#"["async_for", name, e, [statements]]"#),
            ("run_sync" | "start", _) if inside.kind.is_some() => {
                Err(at.error(format!("{op} may only be at the top")))
            }
            ("run_sync", [_, _, _]) => self.run_sync(parts, at),
            ("run_sync", _) => wrong(r#"["run_sync", def, [e..], ms or null]"#),
            ("start", []) => Ok(Statement::Start),
            ("start", _) => wrong(r#"["start"]"#),
            _ => Err(at.item(0).error(format!("expected a statement, found the unknown operation {op:?}"))),
        }
    }

    /// Returns an error if `op` suspends and may not do so here.
    fn may_suspend(op: &str, at: Path<'_>, inside: Inside) -> Result<()> {
        let (needs, may) = match op {
            "yield" | "while_yield" => (
                "a decorated or native def",
                matches!(inside.kind, Some(DefKind::Decorated | DefKind::Native)),
            ),
            "with_yield" => ("a decorated def", inside.kind == Some(DefKind::Decorated)),
            "async_with" | "async_for" => ("a native def", inside.kind == Some(DefKind::Native)),
            _ => return Ok(()),
        };
        if may {
            return Ok(());
        }
        Err(at.error(format!("{op} may only be in {needs}")))
    }

    fn try_statement(&self, parts: &[Node], at: Path<'_>, inside: Inside) -> Result<Statement> {
        let body = |n: usize, inside| self.body(&parts[n], at.item(n), inside);
        let mut handlers = Vec::new();
        let at_handlers = at.item(2);
        for (n, handler) in items(&parts[2], at_handlers)?.iter().enumerate() {
            handlers.push(self.handler(handler, at_handlers.item(n), inside)?);
        }
        let t = Try {
            body: body(1, inside)?,
            handlers,
            otherwise: body(3, inside)?,
            finally: body(4, inside.a_finally())?,
        };
        if t.handlers.is_empty() && t.finally.is_empty() {
            return Err(at.error("expected a handler or a finally"));
        }
        if t.handlers.is_empty() && !t.otherwise.is_empty() {
            return Err(at.item(3).error("an else needs a handler"));
        }
        Ok(Statement::Try(Box::new(t)))
    }

    fn handler(&self, node: &Node, at: Path<'_>, inside: Inside) -> Result<Handler> {
        let [names, variable, body] = items(node, at)? else {
            return Err(at.error("expected the form [[types], name or null, [statements]]"));
        };
        let types = types(names, at.item(0))?;
        if types.is_empty() {
            return Err(at.item(0).error("expected at least one type of exception"));
        }
        let variable = maybe_target(variable, at.item(1))?;
        if let Some(name) = variable.as_ref().filter(|name| self.globals.contains(&***name)) {
            return Err(at.item(1).error(format!("the handler's variable {name} has the name of a global")));
        }
        Ok(Handler { types, variable, body: self.body(body, at.item(2), inside.a_handler())? })
    }

    fn run_sync(&self, parts: &[Node], at: Path<'_>) -> Result<Statement> {
        let (def, arity) = self.def_named(&parts[1], at.item(1))?;
        let at_arguments = at.item(2);
        let given = items(&parts[2], at_arguments)?;
        if given.len() != arity {
            let found = given.len();
            return Err(at_arguments.error(takes(arity, found)));
        }
        let given = self.expressions(given, 0, at_arguments)?;
        let timeout = match &parts[3] {
            Node::Null => None,
            Node::Integer(ms) => Some(*ms),
            other => return Err(at.item(3).expected("a number of milliseconds or null", other)),
        };
        Ok(Statement::RunSync(def, given, timeout))
    }
}

/// Reads the name of a variable.
fn target(node: &Node, at: Path<'_>) -> Result<Name> {
    let name = string((node, at))?;
    check_name(name, at)?;
    Ok(name.into())
}

fn maybe_target(node: &Node, at: Path<'_>) -> Result<Option<Name>> {
    match node {
        Node::Null => Ok(None),
        _ => target(node, at).map(Some),
    }
}
